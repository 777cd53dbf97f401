//! What is known of linked tickets.

use super::connections::execute;
use super::links::link_of;
use super::statements::statements;
use crate::store::{NewView, NoteFence, Place, Reading, StoreError, StoredView};
use rusqlite::{Connection, Row, params};

statements! {
    OF_TICKETS = "SELECT l.tenant, l.link, l.connection, l.product_ticket, l.ticket, l.state, l.reference, l.created, l.changed,
        l.seen, l.seen_at, l.gone_at, l.note_fence, l.note_last, l.note_last_at, l.note_fence_at, l.readings, l.read_after,
        (SELECT max(id) FROM transitions)
        FROM json_each(?3) w CROSS JOIN ticket_links l ON l.tenant = ?1 AND l.connection = ?2 AND l.ticket = w.value
        AND l.state = 'linked'";
    UNREAD = "SELECT tenant, link, connection, product_ticket, ticket, state, reference, created, changed, seen, seen_at,
        gone_at, note_fence, note_last, note_last_at, note_fence_at, readings, read_after, (SELECT max(id) FROM transitions)
        FROM ticket_links WHERE tenant = ?1 AND connection = ?2 AND state = 'linked' AND seen_at < ?3 AND created < ?3 ORDER BY seen_at LIMIT ?4";
    OLDEST = "SELECT min(CASE seen_at WHEN 0 THEN created ELSE seen_at END) FROM ticket_links
        WHERE tenant = ?1 AND connection = ?2 AND state = 'linked'";
    /// Only if nobody has read it since.
    TAKE_OVER = "UPDATE ticket_links SET seen = coalesce(?3, seen), seen_at = ?4,
        gone_at = CASE WHEN ?5 IS NULL THEN NULL ELSE coalesce(gone_at, ?5) END, note_fence = ?6, note_last = ?7,
        note_last_at = ?8, note_fence_at = ?10, readings = readings + 1, read_after = ?11, read_heard = ?12
        WHERE tenant = ?1 AND link = ?2 AND state = 'linked' AND readings = ?9";
    COUNT_LINKED = "SELECT count(*) FROM ticket_links WHERE tenant = ?1 AND connection = ?2 AND state = 'linked'";
    COUNT_GONE = "SELECT count(*) FROM ticket_links WHERE tenant = ?1 AND connection = ?2 AND gone_at >= ?3
        AND gone_at IS NOT NULL";
}

pub(super) fn of_tickets(db: &Connection, place: &Place, tickets: &[String]) -> rusqlite::Result<Vec<StoredView>> {
    let tickets = serde_json::json!(tickets).to_string();
    db.prepare_cached(OF_TICKETS)?.query_map(params![place.tenant, place.connection, tickets], view_of)?.collect()
}

pub(super) fn unread(db: &Connection, place: &Place, before: i64, limit: usize) -> rusqlite::Result<Vec<StoredView>> {
    let values = params![place.tenant, place.connection, before, limit as i64];
    db.prepare_cached(UNREAD)?.query_map(values, view_of)?.collect()
}

pub(super) fn oldest_reading(db: &Connection, place: &Place) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(OLDEST)?.query_row(params![place.tenant, place.connection], |row| row.get(0))
}

/// False: another reader was quicker, or the link is no more.
pub(super) fn take_over(db: &Connection, tenant: &str, view: &NewView, now: i64) -> Result<bool, StoreError> {
    let NoteFence { fence, fence_at, last, last_at } = &view.notes;
    let gone_at = view.gone.map(|_| now);
    // The time is that of the beginning: what happened while it was read may not be in it.
    let values = params![
        tenant,
        view.link,
        view.seen,
        view.began,
        gone_at,
        fence,
        last,
        last_at,
        view.before.number,
        fence_at,
        view.after,
        view.heard
    ];
    Ok(execute(db, TAKE_OVER, values)? > 0)
}

pub(super) fn count_gone(db: &Connection, place: &Place, since: i64) -> rusqlite::Result<(u64, u64)> {
    let count = |statement, values: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<u64> {
        db.prepare_cached(statement)?.query_row(values, |row| row.get(0))
    };
    let linked = count(COUNT_LINKED, &[&place.tenant, &place.connection])?;
    Ok((linked, count(COUNT_GONE, &[&place.tenant, &place.connection, &since])?))
}

fn view_of(row: &Row<'_>) -> rusqlite::Result<StoredView> {
    Ok(StoredView {
        link: link_of(row)?,
        seen: row.get(9)?,
        seen_at: row.get(10)?,
        gone_at: row.get(11)?,
        notes: NoteFence { fence: row.get(12)?, last: row.get(13)?, last_at: row.get(14)?, fence_at: row.get(15)? },
        reading: Reading { number: row.get(16)?, after: row.get(17)? },
        transition: row.get::<_, Option<i64>>(18)?.unwrap_or_default(),
    })
}
