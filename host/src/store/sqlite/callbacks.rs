//! Deliveries, from the door to their judgement.
//!
//! Promises: one is judged once; what a verified one speaks of becomes dirty in the same transaction; a repeat of a message
//! makes nothing dirty.

use super::connections::{execute, word};
use super::statements::statements;
use super::{cursors, dirty, mapped, seals, subscriptions};
use crate::store::{
    CallbackState, Judged, Kept, NewCallback, Place, Sealed, StoreError, StoredCallback, WaitingCallback,
};
use psa_host_api::model::Verdict;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// So much of what waits is in memory at once, and one delivery more.
const WAITING_BYTES_MAX: usize = 4 << 20;

statements! {
    /// Triggers count: each delivery asks, and the more wait, the longer it would take to count them.
    COUNT = "SELECT coalesce(sum(waiting), 0) FROM subscriptions WHERE tenant = ?1 AND connection = ?2";
    EXPECTED = "SELECT EXISTS (SELECT 1 FROM subscriptions WHERE token_hash = ?1 AND tenant = ?2 AND connection = ?3
        AND subscription = ?4)";
    ADD = "INSERT INTO callbacks (tenant, connection, subscription, received, state, key, sealed)
        VALUES (?1, ?2, ?3, ?4, 'received', ?5, ?6)";
    WAITING = "SELECT s.tenant, s.connection, s.subscription, s.remote, s.kind, s.level, s.object, s.token_hash, s.state,
        s.revived, s.disabled_by, s.heard, s.created, s.changed, c.id, c.received, c.tries, c.key, c.sealed
        FROM callbacks c JOIN subscriptions s ON s.tenant = c.tenant AND s.connection = c.connection
        AND s.subscription = c.subscription
        WHERE c.tenant = ?1 AND c.connection = ?2 AND c.state = 'received' AND c.next_at <= ?3
        ORDER BY c.next_at, c.id LIMIT ?4";
    JUDGE = "UPDATE callbacks SET state = ?4, reason = ?5, detail = ?6, message = ?7, entity = ?8, remote = ?9, action = ?10,
        key = NULL, sealed = NULL WHERE tenant = ?1 AND connection = ?2 AND id = ?3 AND state = 'received'";
    IS_REPEAT = "SELECT EXISTS (SELECT 1 FROM callbacks WHERE tenant = ?1 AND connection = ?2 AND message = ?3
        AND state = 'verified')";
    LATER = "UPDATE callbacks SET next_at = ?4, tries = tries + 1, detail = ?5
        WHERE tenant = ?1 AND connection = ?2 AND id = ?3 AND state = 'received'";
    LIST = "SELECT id, subscription, received, state, reason, detail, message, entity, remote, action, tries FROM callbacks
        WHERE tenant = ?1 AND connection = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4";
    HEARD_UNTIL = "SELECT id FROM callbacks WHERE tenant = ?1 AND connection = ?2 AND received <= ?3
        ORDER BY id DESC LIMIT 1";
    TRIM_OLD = "DELETE FROM callbacks WHERE state <> 'received' AND received < ?1";
    CONNECTIONS = "SELECT tenant, connection FROM connections";
    NTH = "SELECT id FROM callbacks WHERE tenant = ?1 AND connection = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3";
    TRIM_MANY = "DELETE FROM callbacks WHERE tenant = ?1 AND connection = ?2 AND id <= ?3 AND state <> 'received'";
}

pub(super) fn keep(db: &Connection, new: &NewCallback) -> Result<Kept, StoreError> {
    let Place { tenant, connection } = &new.place;
    let expected: bool = one(db, EXPECTED, params![&new.token_hash[..], tenant, connection, new.subscription])?;
    if !expected {
        return Ok(Kept::Unknown);
    }
    if count(db, &new.place).map_err(mapped)? >= new.waiting_max {
        cursors::overflow(db, &new.place)?;
        return Ok(Kept::Counted);
    }
    seals::check_key(db, &new.sealed.key)?;
    let Sealed { key, token } = &new.sealed;
    execute(db, ADD, params![tenant, connection, new.subscription, new.received, key, token])?;
    Ok(Kept::Row)
}

pub(super) fn count(db: &Connection, place: &Place) -> rusqlite::Result<u64> {
    db.prepare_cached(COUNT)?.query_row(params![place.tenant, place.connection], |row| row.get(0))
}

pub(super) fn waiting(
    db: &Connection,
    place: &Place,
    now: i64,
    limit: usize,
) -> rusqlite::Result<Vec<WaitingCallback>> {
    let waiting = |row: &Row<'_>| {
        Ok(WaitingCallback {
            subscription: subscriptions::row_of(row)?,
            id: row.get(14)?,
            received: row.get(15)?,
            tries: row.get(16)?,
            sealed: Sealed { key: row.get(17)?, token: row.get(18)? },
        })
    };
    let values = params![place.tenant, place.connection, now, limit as i64];
    let mut statement = db.prepare_cached(WAITING)?;
    let mut found = Vec::new();
    let mut bytes = 0;
    for callback in statement.query_map(values, waiting)? {
        let callback = callback?;
        bytes += callback.sealed.token.len();
        found.push(callback);
        if bytes >= WAITING_BYTES_MAX {
            break;
        }
    }
    Ok(found)
}

pub(super) fn judged(db: &Connection, judged: &[Judged]) -> Result<(), StoreError> {
    for one in judged {
        judge(db, one)?;
    }
    Ok(())
}

fn judge(db: &Connection, judged: &Judged) -> Result<(), StoreError> {
    let Place { tenant, connection } = &judged.place;
    let (mut state, mut reason) = (CallbackState::Refused, judged.reason.as_deref());
    let mut repeat = false;
    match judged.verdict {
        Verdict::Verified => {
            state = CallbackState::Verified;
            repeat = match &judged.message {
                Some(message) => one(db, IS_REPEAT, params![tenant, connection, message])?,
                None => false,
            };
            if repeat {
                reason = Some("repeat");
            }
        }
        Verdict::Unverified => state = CallbackState::Unverified,
        Verdict::Refused => {}
    }
    let about = judged.dirty.first();
    let (entity, remote) = (about.map(|about| &about.kind), about.map(|about| &about.entity));
    let action = about.map(|about| dirty::action_word(about.action));
    let values = params![
        tenant,
        connection,
        judged.id,
        state.word(),
        reason,
        judged.detail,
        judged.message,
        entity,
        remote,
        action
    ];
    if execute(db, JUDGE, values)? == 0 {
        // Another process was quicker.
        return Ok(());
    }
    match state {
        CallbackState::Verified => {
            subscriptions::heard(db, &judged.place, &judged.subscription, judged.now)?;
            cursors::heard(db, &judged.place, judged.now)?;
            if !repeat {
                dirty::add(db, &judged.place, &judged.dirty, (judged.read_at, judged.now), judged.id)?;
            }
        }
        // Somebody said something: look sooner, and nothing more.
        CallbackState::Unverified => cursors::look_sooner(db, &judged.place, judged.now)?,
        CallbackState::Refused | CallbackState::Received => {}
    }
    Ok(())
}

/// The last one that had come by then; 0: none.
pub(super) fn heard_until(db: &Connection, place: &Place, then: i64) -> rusqlite::Result<i64> {
    let last = db
        .prepare_cached(HEARD_UNTIL)?
        .query_row(params![place.tenant, place.connection, then], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or(0))
}

pub(super) fn later(db: &Connection, place: &Place, ids: &[i64], detail: &str, next_at: i64) -> Result<(), StoreError> {
    for id in ids {
        execute(db, LATER, params![place.tenant, place.connection, id, next_at, detail])?;
    }
    Ok(())
}

pub(super) fn list(db: &Connection, place: &Place, before: i64, limit: usize) -> rusqlite::Result<Vec<StoredCallback>> {
    let before = if before == 0 { i64::MAX } else { before };
    let listed = |row: &Row<'_>| {
        Ok(StoredCallback {
            id: row.get(0)?,
            subscription: row.get(1)?,
            received: row.get(2)?,
            state: word(row, 3, CallbackState::of)?,
            reason: row.get(4)?,
            detail: row.get(5)?,
            message: row.get(6)?,
            entity: row.get(7)?,
            remote: row.get(8)?,
            action: row.get(9)?,
            tries: row.get(10)?,
        })
    };
    let values = params![place.tenant, place.connection, before, limit as i64];
    db.prepare_cached(LIST)?.query_map(values, listed)?.collect()
}

/// Across tenants: all of it is the host's own housekeeping.
pub(super) fn trim(db: &Connection, before: i64, keep: u64) -> Result<u64, StoreError> {
    let mut gone = execute(db, TRIM_OLD, params![before])? as u64;
    let places: rusqlite::Result<Vec<(String, String)>> = db
        .prepare_cached(CONNECTIONS)
        .and_then(|mut all| all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect());
    let keep = i64::try_from(keep).unwrap_or(i64::MAX);
    for (tenant, connection) in places.map_err(mapped)? {
        let mut nth = db.prepare_cached(NTH).map_err(mapped)?;
        let mut rows = nth.query(params![tenant, connection, keep]).map_err(mapped)?;
        let Some(row) = rows.next().map_err(mapped)? else { continue };
        let last: i64 = row.get(0).map_err(mapped)?;
        gone += execute(db, TRIM_MANY, params![tenant, connection, last])? as u64;
    }
    Ok(gone)
}

/// The only value of the only row.
pub(super) fn one<T: rusqlite::types::FromSql>(
    db: &Connection,
    statement: &'static str,
    values: impl rusqlite::Params,
) -> Result<T, StoreError> {
    db.prepare_cached(statement).and_then(|mut one| one.query_row(values, |row| row.get(0))).map_err(mapped)
}
