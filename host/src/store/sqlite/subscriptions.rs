//! Subscriptions: what is registered at the PSA.

use super::connections::{execute, word};
use super::statements::statements;
use super::{cursors, events};
use crate::store::{Place, Record, StoreError, StoredSubscription, SubscriptionState};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

statements! {
    PUT = "INSERT INTO subscriptions (tenant, connection, subscription, remote, kind, level, object, token_hash, state, revived,
        disabled_by, heard, created, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        ON CONFLICT (tenant, connection, subscription) DO UPDATE SET remote = ?4, token_hash = ?8, state = ?9, revived = ?10,
        disabled_by = ?11, changed = ?14";
    DROP = "DELETE FROM subscriptions WHERE tenant = ?1 AND connection = ?2 AND subscription = ?3";
    HOLDS = "SELECT EXISTS (SELECT 1 FROM callbacks WHERE tenant = ?1 AND connection = ?2 AND subscription = ?3
        AND state = 'received')";
    OF_CONNECTION = "SELECT tenant, connection, subscription, remote, kind, level, object, token_hash, state, revived,
        disabled_by, heard, created, changed FROM subscriptions WHERE tenant = ?1 AND connection = ?2
        ORDER BY created, subscription";
    /// Across tenants: the token is what says whose it is.
    OF_TOKEN = "SELECT tenant, connection, subscription, remote, kind, level, object, token_hash, state, revived,
        disabled_by, heard, created, changed FROM subscriptions WHERE token_hash = ?1";
    HEARD = "UPDATE subscriptions SET heard = max(coalesce(heard, 0), ?4) WHERE tenant = ?1 AND connection = ?2
        AND subscription = ?3";
}

pub(super) fn put(db: &Connection, row: &StoredSubscription, record: Record) -> Result<(), StoreError> {
    let revived = serde_json::json!(row.revived).to_string();
    execute(
        db,
        PUT,
        params![
            row.place.tenant,
            row.place.connection,
            row.subscription,
            row.remote,
            row.kind,
            row.level,
            row.object,
            row.token_hash,
            row.state.word(),
            revived,
            row.disabled_by,
            row.heard,
            row.created,
            row.changed,
        ],
    )?;
    events::record(db, record)
}

pub(super) fn remove(db: &Connection, place: &Place, id: &str, record: Record) -> Result<bool, StoreError> {
    // What was kept through it goes with it, and was answered with 2xx: everything is read again instead.
    if cursors::exists(db, HOLDS, params![place.tenant, place.connection, id])? {
        cursors::overflow(db, place)?;
    }
    let gone = execute(db, DROP, params![place.tenant, place.connection, id])? > 0;
    if gone {
        events::record(db, record)?;
    }
    Ok(gone)
}

pub(super) fn of_connection(db: &Connection, place: &Place) -> rusqlite::Result<Vec<StoredSubscription>> {
    db.prepare_cached(OF_CONNECTION)?.query_map(params![place.tenant, place.connection], row_of)?.collect()
}

pub(super) fn of_token(db: &Connection, hash: &[u8; 32]) -> rusqlite::Result<Option<StoredSubscription>> {
    db.prepare_cached(OF_TOKEN)?.query_row(params![hash], row_of).optional()
}

pub(super) fn heard(db: &Connection, place: &Place, id: &str, now: i64) -> Result<(), StoreError> {
    execute(db, HEARD, params![place.tenant, place.connection, id, now]).map(drop)
}

pub(super) fn row_of(row: &Row<'_>) -> rusqlite::Result<StoredSubscription> {
    let revived: String = row.get(9)?;
    Ok(StoredSubscription {
        place: Place { tenant: row.get(0)?, connection: row.get(1)? },
        subscription: row.get(2)?,
        remote: row.get(3)?,
        kind: row.get(4)?,
        level: row.get(5)?,
        object: row.get(6)?,
        token_hash: row.get(7)?,
        state: word(row, 8, SubscriptionState::of)?,
        revived: serde_json::from_str(&revived)
            .map_err(|_| rusqlite::Error::InvalidColumnType(9, "times".to_owned(), rusqlite::types::Type::Text))?,
        disabled_by: row.get(10)?,
        heard: row.get(11)?,
        created: row.get(12)?,
        changed: row.get(13)?,
    })
}
