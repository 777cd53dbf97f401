//! The activity: one chain per tenant.

use super::connections::execute;
use super::mapped;
use super::statements::statements;
use crate::store::{Entry, StoreError, StoredEntry};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

statements! {
    HEAD = "SELECT seq, at, actor, action, connection, subject, detail, salt, commitment, mac FROM activity
        WHERE tenant = ?1 ORDER BY seq DESC LIMIT 1";
    ADD = "INSERT INTO activity (tenant, seq, at, actor, action, connection, subject, detail, salt, commitment, mac)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    LIST = "SELECT seq, at, actor, action, connection, subject, detail, salt, commitment, mac FROM activity
        WHERE tenant = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
}

/// Chains an entry to the last one of its tenant.
pub(super) fn add(db: &Connection, entry: &Entry) -> Result<(), StoreError> {
    let before = head(db, &entry.tenant).map_err(mapped)?;
    let (seq, mac) = before.map_or((0, Vec::new()), |before| (before.seq, before.mac));
    let seq = seq + 1;
    let words = [
        &*entry.tenant,
        &*entry.actor,
        entry.action,
        entry.connection.as_deref().unwrap_or_default(),
        entry.subject.as_deref().unwrap_or_default(),
    ];
    let mac = entry.chain.mac(&mac, seq, entry.at, words, &entry.commitment);
    execute(
        db,
        ADD,
        params![
            entry.tenant,
            seq,
            entry.at,
            entry.actor,
            entry.action,
            entry.connection,
            entry.subject,
            entry.detail,
            entry.salt,
            entry.commitment,
            mac,
        ],
    )
    .map(drop)
}

pub(super) fn head(db: &Connection, tenant: &str) -> rusqlite::Result<Option<StoredEntry>> {
    db.prepare_cached(HEAD)?.query_row(params![tenant], entry_of).optional()
}

pub(super) fn list(db: &Connection, tenant: &str, after: i64, limit: usize) -> rusqlite::Result<Vec<StoredEntry>> {
    db.prepare_cached(LIST)?.query_map(params![tenant, after, limit as i64], entry_of)?.collect()
}

pub(super) fn entry_of(row: &Row<'_>) -> rusqlite::Result<StoredEntry> {
    Ok(StoredEntry {
        seq: row.get(0)?,
        at: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        connection: row.get(4)?,
        subject: row.get(5)?,
        detail: row.get(6)?,
        salt: row.get(7)?,
        commitment: row.get(8)?,
        mac: row.get(9)?,
    })
}
