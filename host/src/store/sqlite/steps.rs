//! Changes of an operation's state.
//!
//! Promises: one conditional UPDATE decides; what belongs to it (attempt, binding, link, lane, events) is in the same
//! transaction; the trigger of the schema refuses what is not in the table.

use super::connections::execute;
use super::statements::statements;
use super::{events, links, work};
use crate::store::{Binding, LinkState, Looked, Place, Step, StoreError, Unless};
use rusqlite::{Connection, params};

statements! {
    STEP = "UPDATE operations SET state = ?6, reason = ?7, error = coalesce(?8, error), evidence = coalesce(?9, evidence),
        next_at = ?10, never_resend = max(never_resend, ?11), remote = coalesce(?12, remote),
        outcome = coalesce(?13, outcome), watch_at = ?14, decided_by = coalesce(?15, decided_by),
        ended = ?16, not_after = coalesce(?17, not_after), attempt = NULL,
        doubts = doubts + (?6 = 'in_doubt' AND state <> 'in_doubt'),
        quiet = CASE WHEN ?6 = 'in_doubt' THEN 0 ELSE quiet END,
        empty_at = CASE WHEN ?6 = 'in_doubt' THEN NULL ELSE empty_at END,
        head = CASE WHEN ?6 IN ('queued', 'in_doubt') THEN head ELSE 0 END,
        lease_owner = NULL, lease_token = NULL, lease_until = NULL
        WHERE tenant = ?1 AND operation = ?2 AND state = ?3 AND attempt IS ?4 AND (?5 IS NULL OR lease_token = ?5)";
    END_ATTEMPT = "UPDATE attempts SET ended = ?4, outcome = ?5, error = ?6
        WHERE tenant = ?1 AND operation = ?2 AND number = ?3 AND outcome IS NULL";
    BIND = "INSERT INTO notes (tenant, connection, kind, remote, operation, ticket, bound)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    HAS_TICKET = "SELECT EXISTS (SELECT 1 FROM operations o JOIN ticket_links l ON l.tenant = o.tenant
        AND l.link = o.link WHERE o.tenant = ?1 AND o.operation = ?2 AND l.ticket IS NOT NULL)";
    IS_MAPPED = "SELECT EXISTS (SELECT 1 FROM status_mappings WHERE tenant = ?1 AND connection = ?2 AND scope = ?3
        AND value = ?4)";
    LINK_OF = "SELECT link FROM operations WHERE tenant = ?1 AND operation = ?2";
    /// What waited for its ticket goes on once the ticket is there.
    TICKET_IS_THERE = "UPDATE operations SET state = 'queued', reason = NULL, next_at = 0
        WHERE tenant = ?1 AND link = ?2 AND state IN ('queued', 'in_doubt', 'held') AND state = 'held'
        AND reason = 'ticket_missing'";
    LOOKED = "UPDATE operations SET quiet = ?4, empty_at = ?5, next_at = ?6, evidence = coalesce(?7, evidence)
        WHERE tenant = ?1 AND operation = ?2 AND lease_token = ?3 AND state = 'in_doubt'";
}

pub(super) fn step(db: &Connection, step: Step) -> Result<bool, StoreError> {
    let tenant = &step.place.tenant;
    if let Some(unless) = &step.unless
        && has_come(db, &step, unless)?
    {
        return Ok(false);
    }
    let changed = execute(
        db,
        STEP,
        params![
            tenant,
            step.operation,
            step.from.word(),
            step.attempt,
            step.token,
            step.to.word(),
            step.reason,
            step.error,
            step.evidence,
            step.next_at,
            step.never_resend,
            step.binding.as_ref().map(|binding| &binding.remote),
            step.outcome.map(crate::store::Outcome::word),
            step.watch_at,
            step.decided_by,
            step.to.is_terminal().then_some(step.now),
            step.not_after,
        ],
    )?;
    if changed == 0 {
        return Ok(false);
    }
    if let (Some(number), Some(end)) = (step.attempt, step.attempt_end) {
        execute(db, END_ATTEMPT, params![tenant, step.operation, number, step.now, end.word(), step.error])?;
    }
    if let Some(binding) = &step.binding {
        bind(db, &step.place, &step.operation, binding, step.now)?;
    }
    let link: String = db
        .prepare_cached(LINK_OF)
        .and_then(|mut link| link.query_row(params![tenant, step.operation], |row| row.get(0)))
        .map_err(super::mapped)?;
    if let Some((state, ticket)) = &step.link {
        links::set_state(db, tenant, &link, *state, ticket.as_deref(), step.now)?;
        if *state == LinkState::Linked {
            execute(db, TICKET_IS_THERE, params![tenant, link])?;
            work::settle_anew(db, tenant, &link)?;
        }
    }
    work::settle(db, tenant, &link)?;
    events::record(db, step.record)?;
    Ok(true)
}

/// Whether what it would wait for is there by now.
fn has_come(db: &Connection, step: &Step, unless: &Unless) -> Result<bool, StoreError> {
    let Place { tenant, connection } = &step.place;
    let found = match unless {
        Unless::TicketIsThere => db
            .prepare_cached(HAS_TICKET)
            .and_then(|mut has| has.query_row(params![tenant, step.operation], |row| row.get(0))),
        Unless::Mapped { scope, value } => db
            .prepare_cached(IS_MAPPED)
            .and_then(|mut has| has.query_row(params![tenant, connection, scope, value], |row| row.get(0))),
    };
    found.map_err(super::mapped)
}

pub(super) fn looked(db: &Connection, looked: &Looked) -> Result<bool, StoreError> {
    let Looked { place, operation, token, quiet, empty_at, next_at, evidence } = looked;
    Ok(execute(db, LOOKED, params![place.tenant, operation, token, quiet, empty_at, next_at, evidence])? > 0)
}

pub(super) fn bind(
    db: &Connection,
    place: &Place,
    operation: &str,
    binding: &Binding,
    now: i64,
) -> Result<(), StoreError> {
    let Binding { kind, remote, ticket } = binding;
    execute(db, BIND, params![place.tenant, place.connection, kind, remote, operation, ticket, now]).map(drop)
}
