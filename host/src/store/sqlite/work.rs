//! Who works on what: heads of lanes, leases, the opening of attempts.
//!
//! Promises: one head per lane at most; an attempt opens only while everything that must be so is so, in one statement.

use super::connections::execute;
use super::mapped;
use super::operation_row::operation;
use super::statements::statements;
use crate::store::{Claim, Due, LaneId, OpenAttempt, Place, StoreError};
use rusqlite::{Connection, OptionalExtension as _, params};

statements! {
    /// Free is what nobody holds, or I do, or somebody who is dead or whose time is over.
    DUE = "SELECT o.tenant, o.connection, o.link FROM operations o WHERE o.head = 1 AND (o.next_at <= ?1 OR o.next_at > ?6)
        AND (o.lease_owner IS NULL OR o.lease_owner = ?2 OR o.lease_until <= ?1
            OR o.lease_owner NOT IN (SELECT value FROM json_each(?3)))
        AND NOT EXISTS (SELECT 1 FROM json_each(?4) w WHERE json_extract(w.value, '$[0]') = o.tenant
            AND json_extract(w.value, '$[1]') = o.connection)
        AND EXISTS (SELECT 1 FROM connections c WHERE c.tenant = o.tenant AND c.connection = o.connection
            AND c.state = 'active')
        ORDER BY o.next_at LIMIT ?5";
    HEAD = operation!("WHERE tenant = ?1 AND link = ?2 AND state IN ('queued', 'in_doubt') AND head = 1
        ORDER BY seq LIMIT 1");
    /// Only the life that was read.
    OPEN = "UPDATE operations SET attempt = attempts + 1, attempts = attempts + 1, lease_owner = ?4, lease_token = ?5,
        lease_until = ?6, fence = ?7, wanted = coalesce(?9, wanted), quiet = 0, empty_at = NULL, evidence = NULL
        WHERE tenant = ?1 AND operation = ?2 AND state = 'queued' AND attempt IS NULL AND head = 1 AND not_after > ?3
        AND attempts = ?10 AND doubts = ?11
        AND (lease_owner IS NULL OR lease_owner = ?4 OR lease_until <= ?3
            OR lease_owner NOT IN (SELECT value FROM json_each(?8)))
        AND EXISTS (SELECT 1 FROM connections c WHERE c.tenant = operations.tenant
            AND c.connection = operations.connection AND c.state = 'active')
        RETURNING attempt";
    ATTEMPT = "INSERT INTO attempts (tenant, operation, number, owner, opened) VALUES (?1, ?2, ?3, ?4, ?5)";
    CLAIM = "UPDATE operations SET lease_owner = ?3, lease_token = ?4, lease_until = ?5
        WHERE tenant = ?1 AND operation = ?2 AND state = ?8 AND head = 1
        AND attempt IS ?9 AND attempts = ?10 AND doubts = ?11
        AND (lease_owner IS NULL OR lease_owner = ?3 OR lease_until <= ?6
            OR lease_owner NOT IN (SELECT value FROM json_each(?7)))";
    FIRST = "SELECT operation, head FROM operations WHERE tenant = ?1 AND link = ?2
        AND state IN ('queued', 'in_doubt') ORDER BY head DESC, seq LIMIT 1";
    STEP_BACK = "UPDATE operations SET head = 0 WHERE tenant = ?1 AND link = ?2
        AND state IN ('queued', 'in_doubt') AND state = 'queued' AND head = 1 AND attempt IS NULL";
    SET_HEAD = "UPDATE operations SET head = 1 WHERE tenant = ?1 AND operation = ?2";
}

pub(super) fn due(db: &Connection, due: &Due<'_>) -> rusqlite::Result<Vec<LaneId>> {
    let Due { now, latest, me, living, without, limit } = due;
    let without: Vec<[&str; 2]> = without.iter().map(|place| [&*place.tenant, &*place.connection]).collect();
    let (living, without) = (serde_json::json!(living).to_string(), serde_json::json!(without).to_string());
    let lane = |row: &rusqlite::Row<'_>| {
        let place = Place { tenant: row.get(0)?, connection: row.get(1)? };
        Ok(LaneId { place, link: row.get(2)? })
    };
    db.prepare_cached(DUE)?.query_map(params![now, me, living, without, *limit as i64, latest], lane)?.collect()
}

pub(super) fn open(db: &Connection, open: &OpenAttempt) -> Result<Option<i64>, StoreError> {
    let OpenAttempt { lane, row, lease, fence, wanted, now, living } = open;
    let operation = &row.operation;
    let tenant = &lane.place.tenant;
    let living = serde_json::json!(living).to_string();
    let values = params![
        tenant,
        operation,
        now,
        lease.owner,
        lease.token,
        lease.until,
        fence,
        living,
        wanted,
        row.attempts,
        row.doubts
    ];
    let number: Option<i64> = db
        .prepare_cached(OPEN)
        .and_then(|mut open| open.query_row(values, |row| row.get(0)).optional())
        .map_err(mapped)?;
    if let Some(number) = number {
        execute(db, ATTEMPT, params![tenant, operation, number, lease.owner, now])?;
    }
    Ok(number)
}

pub(super) fn claim(db: &Connection, claim: &Claim) -> Result<bool, StoreError> {
    let Claim { lane, row, lease, living, now } = claim;
    let living = serde_json::json!(living).to_string();
    let values = params![
        lane.place.tenant,
        row.operation,
        lease.owner,
        lease.token,
        lease.until,
        now,
        living,
        row.state.word(),
        row.attempt,
        row.attempts,
        row.doubts,
    ];
    Ok(execute(db, CLAIM, values)? > 0)
}

/// Something has come back to a lane: the oldest that waits is its head again, unless something is being done there.
pub(super) fn settle_anew(db: &Connection, tenant: &str, link: &str) -> Result<(), StoreError> {
    execute(db, STEP_BACK, params![tenant, link])?;
    settle(db, tenant, link)
}

/// Gives a lane its head, if it has none and something waits.
pub(super) fn settle(db: &Connection, tenant: &str, link: &str) -> Result<(), StoreError> {
    let first: Option<(String, bool)> = db
        .prepare_cached(FIRST)
        .and_then(|mut first| first.query_row(params![tenant, link], |row| Ok((row.get(0)?, row.get(1)?))).optional())
        .map_err(mapped)?;
    match first {
        Some((operation, false)) => execute(db, SET_HEAD, params![tenant, operation]).map(drop),
        _ => Ok(()),
    }
}
