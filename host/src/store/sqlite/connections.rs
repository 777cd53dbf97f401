//! Connections and their secrets.

use super::statements::statements;
use super::{SqliteStore, events, mapped};
use crate::store::{
    Conflict, ConnectionChange, ConnectionState, Connections, Dependents, Entered, Place, Record, Reply, Sealed,
    SealedSecret, SecretChanges, StopReason, StoreError, StoredConnection,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

statements! {
    INSERT = "INSERT INTO connections (tenant, connection, plugin, name, settings, settings_version,
        credential_version, account, identity, state, reason, detail, created, changed, form_version, plugin_version)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
    UPDATE = "UPDATE connections SET plugin = ?3, name = ?4, settings = ?5, settings_version = ?6,
        credential_version = ?7, account = ?8, identity = ?9, state = ?10, reason = ?11, detail = ?12, created = ?13,
        changed = ?14, form_version = ?15, plugin_version = ?16 WHERE tenant = ?1 AND connection = ?2";
    GET = "SELECT tenant, connection, plugin, name, settings, settings_version, credential_version, account, identity,
        state, reason, detail, created, changed, form_version, plugin_version FROM connections WHERE tenant = ?1 AND connection = ?2";
    LIST = "SELECT tenant, connection, plugin, name, settings, settings_version, credential_version, account, identity,
        state, reason, detail, created, changed, form_version, plugin_version FROM connections WHERE tenant = ?1 AND connection > ?2
        ORDER BY connection LIMIT ?3";
    DELETE = "DELETE FROM connections WHERE tenant = ?1 AND connection = ?2";
    /// Triggers count: they are too many to be counted for a page.
    COUNTED = "SELECT links, operations FROM connections WHERE tenant = ?1 AND connection = ?2";
    COUNT_WAITING = "SELECT count(*) FROM operations WHERE tenant = ?1 AND connection = ?2
        AND state IN ('queued', 'in_doubt', 'held')";
    COUNT_MEMBERS = "SELECT count(*) FROM member_mappings WHERE tenant = ?1 AND connection = ?2";
    COUNT_STATUSES = "SELECT count(*) FROM status_mappings WHERE tenant = ?1 AND connection = ?2";
    COUNT_PRIORITIES = "SELECT count(*) FROM priority_mappings WHERE tenant = ?1 AND connection = ?2";
    BY_ACCOUNT = "SELECT connection FROM connections WHERE tenant = ?1 AND plugin = ?2 AND account = ?3";
    SECRET = "SELECT name, version, bound, key, sealed, set_at, set_by, fingerprint FROM secrets
        WHERE tenant = ?1 AND connection = ?2 AND name = ?3";
    SECRETS = "SELECT name, version, bound, key, sealed, set_at, set_by, fingerprint FROM secrets
        WHERE tenant = ?1 AND connection = ?2 ORDER BY name";
    PUT_SECRET = "INSERT INTO secrets (tenant, connection, name, version, bound, key, sealed, set_at, set_by, fingerprint)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (tenant, connection, name) DO UPDATE SET
        version = ?4, bound = ?5, key = ?6, sealed = ?7, set_at = ?8, set_by = ?9, fingerprint = ?10";
    REMOVE_SECRET = "DELETE FROM secrets WHERE tenant = ?1 AND connection = ?2 AND name = ?3";
    REMOVE_SECRETS = "DELETE FROM secrets WHERE tenant = ?1 AND connection = ?2";
    REMOVE_TOKENS = "DELETE FROM plugin_storage WHERE tenant = ?1 AND connection = ?2 AND space = 'token'";
}

impl Connections for SqliteStore {
    fn insert(&self, connection: StoredConnection, secrets: Vec<SealedSecret>, record: Record) -> Reply<()> {
        self.write(move |db| {
            put(db, INSERT, &connection)?;
            for secret in &secrets {
                put_secret(db, &connection.place, secret)?;
            }
            events::record(db, record)
        })
    }

    fn get(&self, place: &Place) -> Result<Option<StoredConnection>, StoreError> {
        self.read(|db| {
            db.prepare_cached(GET)?.query_row(params![place.tenant, place.connection], connection_of).optional()
        })
    }

    fn list(&self, tenant: &str, after: &str, limit: usize) -> Result<Vec<StoredConnection>, StoreError> {
        self.read(|db| {
            db.prepare_cached(LIST)?.query_map(params![tenant, after, limit as i64], connection_of)?.collect()
        })
    }

    fn change(
        &self,
        place: &Place,
        change: ConnectionChange,
        secrets: SecretChanges,
        record: Record,
    ) -> Reply<Option<StoredConnection>> {
        let place = place.clone();
        self.write(move |db| {
            let found = db
                .prepare_cached(GET)
                .and_then(|mut get| get.query_row(params![place.tenant, place.connection], connection_of).optional())
                .map_err(mapped)?;
            let Some(mut connection) = found else { return Ok(None) };
            if !change(&mut connection) {
                return Ok(None);
            }
            put(db, UPDATE, &connection)?;
            change_secrets(db, &connection, &secrets)?;
            events::record(db, record)?;
            Ok(Some(connection))
        })
    }

    fn delete(&self, place: &Place, waiting: u64, record: Record) -> Reply<bool> {
        let place = place.clone();
        self.write(move |db| {
            let now: u64 = db
                .prepare_cached(COUNT_WAITING)
                .and_then(|mut count| count.query_row(params![place.tenant, place.connection], |row| row.get(0)))
                .map_err(mapped)?;
            if now != waiting {
                return Err(StoreError::Conflict(Conflict::Waiting));
            }
            let gone = execute(db, DELETE, params![place.tenant, place.connection])?;
            if gone > 0 {
                events::record(db, record)?;
            }
            Ok(gone > 0)
        })
    }

    fn dependents(&self, place: &Place) -> Result<Dependents, StoreError> {
        self.read(|db| {
            let count = |statement| -> rusqlite::Result<u64> {
                db.prepare_cached(statement)?.query_row(params![place.tenant, place.connection], |row| row.get(0))
            };
            let counted = db
                .prepare_cached(COUNTED)?
                .query_row(params![place.tenant, place.connection], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let (links, operations) = counted.unwrap_or_default();
            Ok(Dependents {
                links,
                operations,
                waiting: count(COUNT_WAITING)?,
                mappings: count(COUNT_MEMBERS)? + count(COUNT_STATUSES)? + count(COUNT_PRIORITIES)?,
            })
        })
    }

    fn of_account(&self, tenant: &str, plugin: &str, account: &str) -> Result<Option<String>, StoreError> {
        self.read(|db| {
            db.prepare_cached(BY_ACCOUNT)?.query_row(params![tenant, plugin, account], |row| row.get(0)).optional()
        })
    }

    fn secret(&self, place: &Place, name: &str) -> Result<Option<SealedSecret>, StoreError> {
        self.read(|db| {
            db.prepare_cached(SECRET)?.query_row(params![place.tenant, place.connection, name], secret_of).optional()
        })
    }

    fn secret_names(&self, place: &Place) -> Result<Vec<SealedSecret>, StoreError> {
        self.read(|db| {
            db.prepare_cached(SECRETS)?.query_map(params![place.tenant, place.connection], secret_of)?.collect()
        })
    }
}

fn put(db: &Connection, statement: &'static str, connection: &StoredConnection) -> Result<(), StoreError> {
    let settings = serde_json::Value::Object(connection.settings.clone()).to_string();
    execute(
        db,
        statement,
        params![
            connection.place.tenant,
            connection.place.connection,
            connection.plugin,
            connection.name,
            settings,
            connection.settings_version,
            connection.credential_version,
            connection.account,
            connection.identity,
            connection.state.word(),
            connection.reason.map(StopReason::word),
            connection.detail,
            connection.created,
            connection.changed,
            connection.form_version,
            connection.plugin_version,
        ],
    )
    .map(drop)
}

fn change_secrets(db: &Connection, connection: &StoredConnection, changes: &SecretChanges) -> Result<(), StoreError> {
    let place = &connection.place;
    if changes.drop_all {
        execute(db, REMOVE_SECRETS, params![place.tenant, place.connection])?;
    }
    // What was fetched with the old ones may be worth nothing, or too much.
    if changes.drop_all || changes.drop_tokens || !changes.put.is_empty() || !changes.remove.is_empty() {
        execute(db, REMOVE_TOKENS, params![place.tenant, place.connection])?;
    }
    for name in &changes.remove {
        execute(db, REMOVE_SECRET, params![place.tenant, place.connection, name])?;
    }
    for secret in &changes.put {
        put_secret(db, place, secret)?;
    }
    Ok(())
}

fn put_secret(db: &Connection, place: &Place, secret: &SealedSecret) -> Result<(), StoreError> {
    let SealedSecret { name, version, bound, sealed, entered } = secret;
    super::seals::check_key(db, &sealed.key)?;
    let Place { tenant, connection } = place;
    let Entered { at, by, fingerprint } = entered;
    let row = params![tenant, connection, name, version, bound, sealed.key, sealed.token, at, by, fingerprint];
    execute(db, PUT_SECRET, row).map(drop)
}

/// Runs a statement that gives no rows; how many rows it changed.
pub(super) fn execute(
    db: &Connection,
    statement: &'static str,
    values: impl rusqlite::Params,
) -> Result<usize, StoreError> {
    db.prepare_cached(statement).and_then(|mut prepared| prepared.execute(values)).map_err(mapped)
}

/// A word of a column, or an error that names no value.
pub(super) fn word<T>(row: &Row<'_>, column: usize, of: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    of(&text).ok_or_else(|| {
        rusqlite::Error::InvalidColumnType(column, "an unknown word".to_owned(), rusqlite::types::Type::Text)
    })
}

/// The same where there may be none.
pub(super) fn word_or_none<T>(
    row: &Row<'_>,
    column: usize,
    of: impl Fn(&str) -> Option<T>,
) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => word(row, column, of).map(Some),
    }
}

pub(super) fn connection_of(row: &Row<'_>) -> rusqlite::Result<StoredConnection> {
    let settings: String = row.get(4)?;
    let settings = serde_json::from_str(&settings)
        .map_err(|_| rusqlite::Error::InvalidColumnType(4, "settings".to_owned(), rusqlite::types::Type::Text))?;
    Ok(StoredConnection {
        place: Place { tenant: row.get(0)?, connection: row.get(1)? },
        plugin: row.get(2)?,
        name: row.get(3)?,
        settings,
        settings_version: row.get(5)?,
        credential_version: row.get(6)?,
        account: row.get(7)?,
        identity: row.get(8)?,
        state: word(row, 9, ConnectionState::of)?,
        reason: word_or_none(row, 10, StopReason::of)?,
        detail: row.get(11)?,
        created: row.get(12)?,
        changed: row.get(13)?,
        form_version: row.get(14)?,
        plugin_version: row.get(15)?,
    })
}

fn secret_of(row: &Row<'_>) -> rusqlite::Result<SealedSecret> {
    let sealed = Sealed { key: row.get(3)?, token: row.get(4)? };
    let entered = Entered { at: row.get(5)?, by: row.get(6)?, fingerprint: row.get(7)? };
    Ok(SealedSecret { name: row.get(0)?, version: row.get(1)?, bound: row.get(2)?, sealed, entered })
}
