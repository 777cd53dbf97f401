//! Sealed values wherever they are kept, for rotation.

use super::connections::execute;
use super::statements::statements;
use crate::store::{Conflict, Place, Sealed, SealedRow, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

statements! {
    SEALING_KEY = "SELECT value FROM meta WHERE name = 'sealing_key'";
    SECRETS = "SELECT tenant, connection, name, version, bound, key, sealed FROM secrets WHERE (key < ?1 OR key > ?1) LIMIT ?2";
    OPERATIONS = "SELECT tenant, connection, operation, 1, '', key, sealed FROM operations
        WHERE key IS NOT NULL AND (key < ?1 OR key > ?1) LIMIT ?2";
    VALUES = "SELECT tenant, connection, name, 1, '', key, sealed FROM plugin_storage
        WHERE (key < ?1 OR key > ?1) AND space = 'value' LIMIT ?2";
    TOKENS = "SELECT tenant, connection, name, 1, addresses, key, sealed FROM plugin_storage
        WHERE (key < ?1 OR key > ?1) AND space = 'token' LIMIT ?2";
    /// A delivery is named by the subscription it came to: that is its place.
    CALLBACKS = "SELECT tenant, connection, subscription, 1, '', key, sealed FROM callbacks
        WHERE key IS NOT NULL AND (key < ?1 OR key > ?1) LIMIT ?2";
    COUNTS = "SELECT key, count(*) FROM (SELECT key FROM secrets UNION ALL SELECT key FROM operations
        WHERE key IS NOT NULL UNION ALL SELECT key FROM plugin_storage UNION ALL SELECT key FROM callbacks
        WHERE key IS NOT NULL) GROUP BY key";
    RESEAL_SECRET = "UPDATE secrets SET key = ?4, sealed = ?5 WHERE tenant = ?1 AND connection = ?2 AND name = ?3
        AND sealed = ?6";
    RESEAL_OPERATION = "UPDATE operations SET key = ?4, sealed = ?5 WHERE tenant = ?1 AND connection = ?2
        AND operation = ?3 AND sealed = ?6";
    RESEAL_VALUE = "UPDATE plugin_storage SET key = ?4, sealed = ?5 WHERE tenant = ?1 AND connection = ?2 AND name = ?3
        AND sealed = ?6 AND space = 'value'";
    RESEAL_TOKEN = "UPDATE plugin_storage SET key = ?4, sealed = ?5 WHERE tenant = ?1 AND connection = ?2 AND name = ?3
        AND sealed = ?6 AND space = 'token'";
    RESEAL_CALLBACK = "UPDATE callbacks SET key = ?4, sealed = ?5 WHERE tenant = ?1 AND connection = ?2 AND subscription = ?3
        AND sealed = ?6";
}

/// What each table's rows are found and replaced by.
const TABLES: [(&str, &str, &str); 5] = [
    ("secrets", SECRETS, RESEAL_SECRET),
    ("operations", OPERATIONS, RESEAL_OPERATION),
    ("values", VALUES, RESEAL_VALUE),
    ("tokens", TOKENS, RESEAL_TOKEN),
    ("callbacks", CALLBACKS, RESEAL_CALLBACK),
];

/// Refuses what was sealed with a key that does not seal any more: its retirement would not see it coming.
pub(super) fn check_key(db: &Connection, key: &str) -> Result<(), StoreError> {
    let sealing: Option<String> = db
        .prepare_cached(SEALING_KEY)
        .and_then(|mut get| get.query_row([], |row| row.get(0)).optional())
        .map_err(super::mapped)?;
    match sealing {
        Some(sealing) if sealing != key => Err(StoreError::Conflict(Conflict::KeyChanged)),
        _ => Ok(()),
    }
}

pub(super) fn sealed_otherwise(db: &Connection, key: &str, limit: usize) -> rusqlite::Result<Vec<SealedRow>> {
    let mut found = Vec::new();
    for (table, find, _) in TABLES {
        let left = limit.saturating_sub(found.len());
        let mut statement = db.prepare_cached(find)?;
        let rows = statement.query_map(params![key, left as i64], |row| sealed_of(table, row))?;
        for row in rows {
            found.push(row?);
        }
    }
    Ok(found)
}

pub(super) fn key_counts(db: &Connection) -> rusqlite::Result<Vec<(String, u64)>> {
    db.prepare_cached(COUNTS)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

pub(super) fn reseal(db: &Connection, rows: &[(SealedRow, Sealed)]) -> Result<u64, StoreError> {
    let mut changed = 0;
    for (row, sealed) in rows {
        let Some((.., update)) = TABLES.iter().find(|(table, ..)| *table == row.table) else { continue };
        let Place { tenant, connection } = &row.place;
        let values = params![tenant, connection, row.name, sealed.key, sealed.token, row.sealed.token];
        changed += execute(db, update, values)? as u64;
    }
    Ok(changed)
}

fn sealed_of(table: &'static str, row: &Row<'_>) -> rusqlite::Result<SealedRow> {
    Ok(SealedRow {
        table,
        place: Place { tenant: row.get(0)?, connection: row.get(1)? },
        name: row.get(2)?,
        version: row.get(3)?,
        bound: row.get(4)?,
        sealed: Sealed { key: row.get(5)?, token: row.get(6)? },
    })
}
