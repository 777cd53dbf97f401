//! All of one tenant: out, and away.

use super::connections::execute;
use super::statements::statements;
use super::{events, mapped};
use crate::store::{Record, StoreError};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use serde_json::{Map, Value, json};

statements! {
    CONNECTIONS = "SELECT connection, plugin, name, settings, account, state, reason, created, changed FROM connections
        WHERE tenant = ?1 ORDER BY connection";
    LINKS = "SELECT link, connection, product_ticket, ticket, state, created, changed FROM ticket_links
        WHERE tenant = ?1 ORDER BY link";
    OPERATIONS = "SELECT operation, connection, link, kind, state, reason, visibility, wanted, base, remote, outcome,
        error, attempts, accepted, ended, decided_by FROM operations WHERE tenant = ?1 ORDER BY seq";
    NOTES = "SELECT connection, kind, remote, operation, ticket, bound FROM notes WHERE tenant = ?1
        ORDER BY connection, kind, remote";
    VALUES = "SELECT kind, id, name, email FROM product_values WHERE tenant = ?1 ORDER BY kind, id";
    MEMBERS = "SELECT connection, agent, member, state, changed, decided_by FROM member_mappings WHERE tenant = ?1
        ORDER BY connection, agent";
    STATUSES = "SELECT connection, scope, value, status, changed, decided_by FROM status_mappings WHERE tenant = ?1
        ORDER BY connection, scope, value";
    PRIORITIES = "SELECT connection, value, priority, changed, decided_by FROM priority_mappings WHERE tenant = ?1
        ORDER BY connection, value";
    SUBSCRIPTIONS = "SELECT connection, subscription, remote, kind, level, object, state, disabled_by, heard, created, changed
        FROM subscriptions WHERE tenant = ?1 ORDER BY connection, subscription";
    CALLBACKS = "SELECT id, connection, subscription, received, state, reason, message, entity, remote, action FROM callbacks
        WHERE tenant = ?1 ORDER BY connection, id";
    ACTIVITY = "SELECT seq, at, actor, action, connection, subject, detail, hex(commitment) AS commitment,
        hex(mac) AS mac FROM activity WHERE tenant = ?1 ORDER BY seq";
    EVENTS = "SELECT id, kind, at, body FROM events WHERE tenant = ?1 ORDER BY id";
    /// What may be in the PSA says so in its last change.
    DISCARD_DOUBTFUL = "UPDATE operations SET state = 'discarded', reason = 'erased', ended = ?2, head = 0
        WHERE tenant = ?1 AND state = 'in_doubt'";
    COUNT_DOUBTFUL = "SELECT count(*) FROM operations WHERE tenant = ?1 AND (state = 'in_doubt' OR attempt IS NOT NULL
        OR (state = 'held' AND doubts > 0))";
    ERASE_CONNECTIONS = "DELETE FROM connections WHERE tenant = ?1";
    ERASE_VALUES = "DELETE FROM product_values WHERE tenant = ?1";
    ERASE_EVENTS = "DELETE FROM events WHERE tenant = ?1";
    ERASE_DETAILS = "UPDATE activity SET detail = NULL, salt = NULL WHERE tenant = ?1";
    ERASE_STALE = "DELETE FROM stale WHERE tenant = ?1";
}

pub(super) fn export(db: &Connection, tenant: &str) -> rusqlite::Result<Vec<(String, Value)>> {
    let mut all = Vec::new();
    for (table, statement) in [
        ("connections", CONNECTIONS),
        ("ticket_links", LINKS),
        ("operations", OPERATIONS),
        ("notes", NOTES),
        ("product_values", VALUES),
        ("member_mappings", MEMBERS),
        ("status_mappings", STATUSES),
        ("priority_mappings", PRIORITIES),
        ("subscriptions", SUBSCRIPTIONS),
        ("callbacks", CALLBACKS),
        ("activity", ACTIVITY),
        ("events", EVENTS),
    ] {
        let mut statement = db.prepare_cached(statement)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query(params![tenant])?;
        while let Some(row) = rows.next()? {
            let mut object = Map::new();
            for (position, name) in names.iter().enumerate() {
                let value = match row.get_ref(position)? {
                    ValueRef::Null => continue,
                    ValueRef::Integer(number) => json!(number),
                    ValueRef::Real(number) => json!(number),
                    ValueRef::Text(text) | ValueRef::Blob(text) => json!(String::from_utf8_lossy(text)),
                };
                object.insert(name.clone(), value);
            }
            all.push((table.to_owned(), Value::Object(object)));
        }
    }
    Ok(all)
}

pub(super) fn erase(db: &Connection, tenant: &str, mut record: Record) -> Result<u64, StoreError> {
    let doubtful: i64 = db
        .prepare_cached(COUNT_DOUBTFUL)
        .and_then(|mut count| count.query_row(params![tenant], |row| row.get(0)))
        .map_err(mapped)?;
    let now = record.entries.first().map_or(0, |entry| entry.at);
    execute(db, DISCARD_DOUBTFUL, params![tenant, now])?;
    let mut gone = 0;
    for statement in [ERASE_CONNECTIONS, ERASE_VALUES, ERASE_EVENTS, ERASE_STALE] {
        gone += execute(db, statement, params![tenant])? as u64;
    }
    execute(db, ERASE_DETAILS, params![tenant])?;
    for event in &mut record.events {
        event.body["may_be_in_the_psa"] = json!(doubtful);
    }
    events::record(db, record)?;
    Ok(gone)
}
