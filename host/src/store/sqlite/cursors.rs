//! How far reading has come, and who reads.

use super::connections::execute;
use super::statements::statements;
use super::{callbacks, mapped, meta};
use crate::store::{Cursor, CursorChange, InboundClaim, InboundDue, Place, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

statements! {
    ADD = "INSERT INTO cursors (tenant, connection) SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM connections
        WHERE tenant = ?1 AND connection = ?2) ON CONFLICT (tenant, connection) DO NOTHING";
    GET = "SELECT watermark, window_until, window_page, poll_at, ensure_at, sweep_at, overflow, covered, heard, missed, trouble,
        usual, poll_ms FROM cursors WHERE tenant = ?1 AND connection = ?2";
    SET = "UPDATE cursors SET watermark = ?3, window_until = ?4, window_page = ?5, poll_at = ?6, ensure_at = ?7, sweep_at = ?8,
        covered = ?9, missed = ?10, trouble = ?11, poll_ms = ?12 WHERE tenant = ?1 AND connection = ?2";
    OVERFLOW = "UPDATE cursors SET overflow = overflow + 1, poll_at = 0, sweep_at = 0 WHERE tenant = ?1 AND connection = ?2";
    /// The usual time between two is a mean of the last ones; what comes at once says nothing about it.
    HEARD = "UPDATE cursors SET usual = CASE WHEN heard IS NULL OR ?3 <= heard THEN usual
        WHEN usual IS NULL THEN ?3 - heard ELSE (7 * usual + ?3 - heard) / 8 END,
        heard = max(coalesce(heard, 0), ?3), missed = 0 WHERE tenant = ?1 AND connection = ?2";
    /// Across tenants: all of them lead to one door.
    COMPARE_ALL = "UPDATE cursors SET ensure_at = 0";
    SOONER = "UPDATE cursors SET poll_at = min(poll_at, ?3) WHERE tenant = ?1 AND connection = ?2";
    /// Across tenants: the worker serves all. Only connections that are in use; of a new one there is no cursor yet.
    DUE = "SELECT n.tenant, n.connection FROM connections n LEFT JOIN cursors c ON c.tenant = n.tenant
        AND c.connection = n.connection WHERE n.state = 'active'
        AND (c.lease_owner IS NULL OR c.lease_owner = ?2 OR c.lease_until <= ?1
            OR c.lease_owner NOT IN (SELECT value FROM json_each(?3)))
        AND (c.connection IS NULL OR c.poll_at <= ?1 OR c.ensure_at <= ?1 OR c.sweep_at <= ?1 OR c.poll_at > max(?5, ?1 + 2 * coalesce(c.poll_ms, 0))
            OR EXISTS (SELECT 1 FROM callbacks b WHERE b.tenant = n.tenant AND b.connection = n.connection
                AND b.state = 'received' AND b.next_at <= ?1)
            OR EXISTS (SELECT 1 FROM dirty d WHERE d.tenant = n.tenant AND d.connection = n.connection AND d.next_at <= ?1))
        LIMIT ?4";
    CLAIM = "UPDATE cursors SET lease_owner = ?3, lease_until = ?4 WHERE tenant = ?1 AND connection = ?2
        AND (lease_owner IS NULL OR lease_owner = ?3 OR lease_until <= ?5
            OR lease_owner NOT IN (SELECT value FROM json_each(?6)))";
    RELEASE = "UPDATE cursors SET lease_owner = NULL, lease_until = NULL WHERE tenant = ?1 AND connection = ?2
        AND lease_owner = ?3";
}

pub(super) fn get(db: &Connection, place: &Place) -> rusqlite::Result<Option<Cursor>> {
    let cursor = |row: &Row<'_>| {
        Ok(Cursor {
            watermark: row.get(0)?,
            window_until: row.get(1)?,
            window_page: row.get(2)?,
            poll_at: row.get(3)?,
            ensure_at: row.get(4)?,
            sweep_at: row.get(5)?,
            overflow: row.get(6)?,
            covered: row.get(7)?,
            heard: row.get(8)?,
            missed: row.get(9)?,
            trouble: row.get(10)?,
            usual: row.get(11)?,
            poll_ms: row.get(12)?,
        })
    };
    db.prepare_cached(GET)?.query_row(params![place.tenant, place.connection], cursor).optional()
}

pub(super) fn change(db: &Connection, place: &Place, change: CursorChange) -> Result<(), StoreError> {
    execute(db, ADD, params![place.tenant, place.connection])?;
    let Some(mut cursor) = get(db, place).map_err(mapped)? else { return Ok(()) };
    if !change(&mut cursor) {
        return Ok(());
    }
    let values = params![
        place.tenant,
        place.connection,
        cursor.watermark,
        cursor.window_until,
        cursor.window_page,
        cursor.poll_at,
        cursor.ensure_at,
        cursor.sweep_at,
        cursor.covered,
        cursor.missed,
        cursor.trouble,
        cursor.poll_ms,
    ];
    execute(db, SET, values).map(drop)
}

/// Where the door was when registrations were compared last.
const DOOR: &str = "callbacks_door";

pub(super) fn door_is_at(db: &Connection, door: &str) -> Result<(), StoreError> {
    let known: rusqlite::Result<Option<String>> =
        db.prepare_cached(meta::GET).and_then(|mut get| get.query_row(params![DOOR], |row| row.get(0)).optional());
    if known.map_err(mapped)?.as_deref() == Some(door) {
        return Ok(());
    }
    execute(db, meta::SET, params![DOOR, door])?;
    execute(db, COMPARE_ALL, []).map(drop)
}

/// A delivery that was not kept one by one: everything is read again.
pub(super) fn overflow(db: &Connection, place: &Place) -> Result<(), StoreError> {
    execute(db, ADD, params![place.tenant, place.connection])?;
    execute(db, OVERFLOW, params![place.tenant, place.connection]).map(drop)
}

pub(super) fn heard(db: &Connection, place: &Place, now: i64) -> Result<(), StoreError> {
    execute(db, ADD, params![place.tenant, place.connection])?;
    execute(db, HEARD, params![place.tenant, place.connection, now]).map(drop)
}

pub(super) fn look_sooner(db: &Connection, place: &Place, now: i64) -> Result<(), StoreError> {
    execute(db, ADD, params![place.tenant, place.connection])?;
    execute(db, SOONER, params![place.tenant, place.connection, now]).map(drop)
}

pub(super) fn due(db: &Connection, due: &InboundDue<'_>) -> rusqlite::Result<Vec<Place>> {
    let living = serde_json::json!(due.living).to_string();
    let place = |row: &Row<'_>| Ok(Place { tenant: row.get(0)?, connection: row.get(1)? });
    let values = params![due.now, due.me, living, due.limit as i64, due.latest];
    db.prepare_cached(DUE)?.query_map(values, place)?.collect()
}

pub(super) fn claim(db: &Connection, claim: &InboundClaim) -> Result<bool, StoreError> {
    let InboundClaim { place, owner, until, living, now } = claim;
    execute(db, ADD, params![place.tenant, place.connection])?;
    let living = serde_json::json!(living).to_string();
    Ok(execute(db, CLAIM, params![place.tenant, place.connection, owner, until, now, living])? > 0)
}

pub(super) fn release(db: &Connection, place: &Place, owner: &str) -> Result<(), StoreError> {
    execute(db, RELEASE, params![place.tenant, place.connection, owner]).map(drop)
}

/// Whether some row is there.
pub(super) fn exists(
    db: &Connection,
    statement: &'static str,
    values: impl rusqlite::Params,
) -> Result<bool, StoreError> {
    callbacks::one(db, statement, values)
}
