//! Reads for the pages of tickets, operations and the activity.

use super::activity::entry_of;
use super::connections::{word, word_or_none};
use super::links::link_of;
use super::operation_row::{operation, operation_of};
use super::statements::{links_counted, statements};
use super::{SqliteStore, StoreError};
use crate::store::{
    AttemptEnd, Leaf, LeafAsk, LinkCounts, LinkRow, Listed, Place, Position, State, StoredAttempt, StoredEntry,
    StoredOperation, Traced, Transition,
};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};
use std::collections::HashMap;

/// A link's columns, the operation that says how it stands, and its place in the list.
macro_rules! listed {
    ($operation:literal, $position:literal, $of:literal) => {
        concat!(
            "SELECT l.tenant, l.link, l.connection, l.product_ticket, l.ticket, l.state, l.reference, l.created,
                l.changed, l.seen, l.seen_at, l.gone_at,
            EXISTS (SELECT 1 FROM ticket_links m WHERE m.tenant = l.tenant AND m.connection = l.connection
                AND m.product_ticket = l.product_ticket AND m.state IN ('creating', 'linked') AND m.link <> l.link), ",
            $operation,
            ", ",
            $position,
            " FROM ",
            $of
        )
    };
    // What is held, else in doubt, else queued, else the last one.
    (links $position:literal, $of:literal) => {
        listed!(
            "coalesce(
                (SELECT o.operation FROM operations o WHERE o.tenant = l.tenant AND o.link = l.link
                    AND o.state IN ('queued', 'in_doubt', 'held')
                    ORDER BY CASE o.state WHEN 'held' THEN 0 WHEN 'in_doubt' THEN 1 ELSE 2 END, o.seq LIMIT 1),
                (SELECT o.operation FROM operations o WHERE o.tenant = l.tenant AND o.link = l.link
                    ORDER BY o.seq DESC LIMIT 1))",
            $position,
            $of
        )
    };
}

/// Operations of a connection in one of the states that have not ended. The index is of these alone, so they are named.
macro_rules! open {
    ($state:literal) => {
        concat!(
            "operations INDEXED BY operations_waiting WHERE tenant = ?1 AND connection = ?2 AND state = ",
            $state,
            " AND state IN ('queued', 'in_doubt', 'held')"
        )
    };
}

statements! {
    ALL_LINKS = listed!(links "l.created, l.link", "ticket_links l WHERE l.tenant = ?1 AND l.connection = ?2
        AND (l.created, l.link) < (?3, ?4) ORDER BY l.created DESC, l.link DESC LIMIT ?5");
    APART = listed!(links "l.created, l.link", "ticket_links l WHERE l.tenant = ?1 AND l.connection = ?2
        AND l.state IN ('failed', 'unlinked') AND (l.created, l.link) < (?3, ?4)
        ORDER BY l.created DESC, l.link DESC LIMIT ?5");
    GONE = listed!(links "l.gone_at, l.link", "ticket_links l WHERE l.tenant = ?1 AND l.connection = ?2
        AND l.gone_at IS NOT NULL AND l.state = 'linked' AND (l.gone_at, l.link) < (?3, ?4)
        ORDER BY l.gone_at DESC, l.link DESC LIMIT ?5");
    ONE_LINK = listed!(links "l.created, l.link", "ticket_links l WHERE l.tenant = ?1 AND l.link = ?3
        AND l.connection = ?2");
    FOUND = listed!(links "l.created, l.link", "(
        SELECT link AS found FROM (SELECT link FROM ticket_links WHERE tenant = ?1 AND connection = ?2
            AND product_ticket >= ?3 AND product_ticket < ?4 ORDER BY product_ticket LIMIT ?5)
        UNION SELECT link FROM (SELECT link FROM ticket_links WHERE tenant = ?1 AND connection = ?2
            AND ticket >= ?3 AND ticket < ?4 ORDER BY ticket LIMIT ?5))
        CROSS JOIN ticket_links l ON l.tenant = ?1 AND l.link = found
        ORDER BY l.product_ticket, l.created DESC, l.link LIMIT ?5");
    /// The head of each lane; only a head is in doubt.
    OPEN = listed!("o.operation", "o.accepted, o.seq", "operations o
        CROSS JOIN ticket_links l ON l.tenant = o.tenant AND l.link = o.link
        WHERE o.tenant = ?1 AND o.connection = ?2 AND o.state = ?6 AND o.state IN ('queued', 'in_doubt', 'held')
        AND o.head = 1 AND (o.accepted, o.seq) > (?3, ?4) ORDER BY o.accepted, o.seq LIMIT ?5");
    /// The oldest of each link.
    HELD = listed!("o.operation", "o.accepted, o.seq", "operations o
        CROSS JOIN ticket_links l ON l.tenant = o.tenant AND l.link = o.link
        WHERE o.tenant = ?1 AND o.connection = ?2 AND o.state = 'held' AND o.state IN ('queued', 'in_doubt', 'held')
        AND (o.accepted, o.seq) > (?3, ?4)
        AND NOT EXISTS (SELECT 1 FROM operations p WHERE p.tenant = o.tenant AND p.link = o.link AND p.state = 'held'
            AND p.state IN ('queued', 'in_doubt', 'held') AND p.seq < o.seq)
        ORDER BY o.accepted, o.seq LIMIT ?5");
    /// The last of each link.
    REFUSED = listed!("o.operation", "o.ended, o.seq", "operations o
        CROSS JOIN ticket_links l ON l.tenant = o.tenant AND l.link = o.link
        WHERE o.tenant = ?1 AND o.connection = ?2 AND o.state = 'refused' AND o.ended >= ?6
        AND (o.ended, o.seq) < (?3, ?4)
        AND NOT EXISTS (SELECT 1 FROM operations p WHERE p.tenant = o.tenant AND p.link = o.link
            AND p.state = 'refused' AND p.seq > o.seq)
        ORDER BY o.ended DESC, o.seq DESC LIMIT ?5");
    COUNTS = concat!("SELECT
        (SELECT count(*) FROM (SELECT 1 FROM ticket_links WHERE tenant = ?1 AND connection = ?2 LIMIT ", links_counted!(), ")),
        (SELECT count(*) FROM ", open!("'queued'"), " AND head = 1),
        (SELECT count(*) FROM ", open!("'in_doubt'"), "),
        (SELECT count(DISTINCT link) FROM ", open!("'held'"), "),
        (SELECT count(DISTINCT link) FROM operations WHERE tenant = ?1 AND connection = ?2 AND state = 'refused'
            AND ended >= ?3),
        (SELECT count(*) FROM ticket_links INDEXED BY ticket_links_apart WHERE tenant = ?1 AND connection = ?2
            AND state IN ('failed', 'unlinked')),
        (SELECT count(*) FROM ticket_links INDEXED BY ticket_links_gone WHERE tenant = ?1 AND connection = ?2
            AND gone_at IS NOT NULL AND state = 'linked'),
        (SELECT count(*) FROM ", open!("'held'"), " AND doubts = 0
            AND reason NOT IN ('needs_mapping', 'ticket_missing'))");
    RETRYABLE = concat!("SELECT operation FROM ", open!("'held'"), " AND doubts = 0
        AND reason NOT IN ('needs_mapping', 'ticket_missing') ORDER BY accepted LIMIT ?3");
    THESE = operation!("WHERE tenant = ?1 AND operation IN (SELECT value FROM json_each(?2))");
    OF_LINK = operation!("WHERE tenant = ?1 AND link = ?2 AND seq < ?3 ORDER BY seq DESC LIMIT ?4");
    TRANSITIONS_OF = "SELECT t.operation, t.from_state, t.from_attempt, t.to_state, t.to_attempt, t.reason
        FROM json_each(?2) w CROSS JOIN transitions t ON t.tenant = ?1 AND t.operation = w.value ORDER BY t.id";
    ATTEMPTS_OF = "SELECT a.operation, a.number, a.opened, a.ended, a.outcome, a.error
        FROM json_each(?2) w CROSS JOIN attempts a ON a.tenant = ?1 AND a.operation = w.value
        ORDER BY a.operation, a.number";
    LEAF = "SELECT seq, at, actor, action, connection, subject, detail, salt, commitment, mac FROM activity
        INDEXED BY activity_connection WHERE tenant = ?1 AND connection = ?2 AND seq < ?3 ORDER BY seq DESC LIMIT ?4";
    ENTRY = "SELECT seq, at, actor, action, connection, subject, detail, salt, commitment, mac FROM activity
        WHERE tenant = ?1 AND seq = ?3 AND connection = ?2";
}

/// Behind everything that begins with a text.
const LAST: char = '\u{10ffff}';

impl Traced for SqliteStore {
    fn list_rows(
        &self,
        place: &Place,
        which: Listed<'_>,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<LinkRow>, StoreError> {
        let Place { tenant, connection } = place;
        let limit = limit as i64;
        // A list that goes down begins behind everything.
        let (at, id) = after.map_or((i64::MAX, LAST.to_string()), |after| (after.at, after.id.clone()));
        let (from, seq) = after.map_or((i64::MIN, 0), |after| (after.at, after.id.parse().unwrap_or(0)));
        let down = after.map_or(i64::MAX, |_| seq);
        self.read(|db| {
            let rows = |statement: &str, values: &[&dyn ToSql]| rows_of(db, tenant, statement, values);
            match which {
                Listed::All => rows(ALL_LINKS, &[tenant, connection, &at, &id, &limit]),
                Listed::Apart => rows(APART, &[tenant, connection, &at, &id, &limit]),
                Listed::Gone => rows(GONE, &[tenant, connection, &at, &id, &limit]),
                Listed::Waiting => rows(OPEN, &[tenant, connection, &from, &seq, &limit, &State::Queued.word()]),
                Listed::Doubt => rows(OPEN, &[tenant, connection, &from, &seq, &limit, &State::InDoubt.word()]),
                Listed::Held => rows(HELD, &[tenant, connection, &from, &seq, &limit]),
                Listed::Refused(since) => rows(REFUSED, &[tenant, connection, &at, &down, &limit, &since]),
                Listed::Found(text) => rows(FOUND, &[tenant, connection, &text, &format!("{text}{LAST}"), &limit]),
                Listed::One(link) => rows(ONE_LINK, &[tenant, connection, &link]),
            }
        })
    }

    fn count_rows(&self, place: &Place, since: i64) -> Result<LinkCounts, StoreError> {
        let of = |row: &Row<'_>| {
            Ok(LinkCounts {
                all: row.get(0)?,
                waiting: row.get(1)?,
                doubt: row.get(2)?,
                held: row.get(3)?,
                refused: row.get(4)?,
                apart: row.get(5)?,
                gone: row.get(6)?,
                retryable: row.get(7)?,
            })
        };
        self.read(|db| db.prepare_cached(COUNTS)?.query_row(params![place.tenant, place.connection, since], of))
    }

    fn retryable(&self, place: &Place, limit: usize) -> Result<Vec<String>, StoreError> {
        self.read(|db| {
            let asked = params![place.tenant, place.connection, limit as i64];
            db.prepare_cached(RETRYABLE)?.query_map(asked, |row| row.get(0))?.collect()
        })
    }

    fn operations_of(
        &self,
        tenant: &str,
        link: &str,
        before: i64,
        limit: usize,
    ) -> Result<Vec<StoredOperation>, StoreError> {
        self.read(|db| {
            db.prepare_cached(OF_LINK)?.query_map(params![tenant, link, before, limit as i64], operation_of)?.collect()
        })
    }

    fn transitions_of(&self, tenant: &str, operations: &[String]) -> Result<Vec<(String, Transition)>, StoreError> {
        let operations = serde_json::json!(operations).to_string();
        let of = |row: &Row<'_>| {
            let transition = Transition {
                from: word(row, 1, State::of)?,
                from_attempt: row.get(2)?,
                to: word(row, 3, State::of)?,
                to_attempt: row.get(4)?,
                reason: row.get(5)?,
            };
            Ok((row.get(0)?, transition))
        };
        self.read(|db| db.prepare_cached(TRANSITIONS_OF)?.query_map(params![tenant, operations], of)?.collect())
    }

    fn attempts_of(&self, tenant: &str, operations: &[String]) -> Result<Vec<(String, StoredAttempt)>, StoreError> {
        let operations = serde_json::json!(operations).to_string();
        let of = |row: &Row<'_>| {
            let attempt = StoredAttempt {
                number: row.get(1)?,
                opened: row.get(2)?,
                ended: row.get(3)?,
                outcome: word_or_none(row, 4, AttemptEnd::of)?,
                error: row.get(5)?,
            };
            Ok((row.get(0)?, attempt))
        };
        self.read(|db| db.prepare_cached(ATTEMPTS_OF)?.query_map(params![tenant, operations], of)?.collect())
    }

    fn leaf(&self, place: &Place, ask: &LeafAsk<'_>) -> Result<Leaf, StoreError> {
        self.read(|db| {
            let mut leaf = Leaf::default();
            let mut statement = db.prepare_cached(LEAF)?;
            // One more: whether there is more.
            let most = ask.scan.saturating_add(1) as i64;
            let mut rows = statement.query(params![place.tenant, place.connection, ask.before, most])?;
            let (mut looked, mut last) = (0, ask.before);
            while let Some(row) = rows.next()? {
                let entry = entry_of(row)?;
                if looked == ask.scan || (leaf.entries.len() == ask.limit && (ask.wanted)(&entry)) {
                    leaf.next = Some(last);
                    break;
                }
                (looked, last) = (looked + 1, entry.seq);
                if (ask.wanted)(&entry) {
                    leaf.entries.push(entry);
                }
            }
            Ok(leaf)
        })
    }

    fn entry(&self, place: &Place, seq: i64) -> Result<Option<StoredEntry>, StoreError> {
        let asked = params![place.tenant, place.connection, seq];
        self.read(|db| db.prepare_cached(ENTRY)?.query_row(asked, entry_of).optional())
    }
}

/// Rows with their operations: two statements.
fn rows_of(db: &Connection, tenant: &str, statement: &str, values: &[&dyn ToSql]) -> rusqlite::Result<Vec<LinkRow>> {
    let found: rusqlite::Result<Vec<(LinkRow, Option<String>)>> =
        db.prepare_cached(statement)?.query_map(values, row_of)?.collect();
    let found = found?;
    let ids: Vec<&String> = found.iter().filter_map(|(_, operation)| operation.as_ref()).collect();
    let ids = serde_json::json!(ids).to_string();
    let operations: rusqlite::Result<Vec<StoredOperation>> =
        db.prepare_cached(THESE)?.query_map(params![tenant, ids], operation_of)?.collect();
    let mut operations: HashMap<String, StoredOperation> =
        operations?.into_iter().map(|row| (row.operation.clone(), row)).collect();
    let whole = |(row, operation): (LinkRow, Option<String>)| LinkRow {
        operation: operation.and_then(|operation| operations.remove(&operation)),
        ..row
    };
    Ok(found.into_iter().map(whole).collect())
}

fn row_of(row: &Row<'_>) -> rusqlite::Result<(LinkRow, Option<String>)> {
    let id = match row.get_ref(15)? {
        rusqlite::types::ValueRef::Integer(seq) => seq.to_string(),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let found = LinkRow {
        link: link_of(row)?,
        seen: row.get(9)?,
        seen_at: row.get(10)?,
        gone_at: row.get(11)?,
        followed: row.get(12)?,
        operation: None,
        position: Position { at: row.get(14)?, id },
    };
    Ok((found, row.get(13)?))
}
