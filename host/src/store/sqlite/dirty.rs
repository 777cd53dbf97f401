//! What has to be read again, and what a reading leaves behind.
//!
//! Promises: what was announced while it was read stays dirty; nothing is told of a ticket to which something of ours is on
//! its way; a note of ours, and one that was told of, is not told of again.

use super::connections::{execute, word};
use super::statements::statements;
use super::{cursors, events, mapped, views};
use crate::store::marks;
use crate::store::{Applied, Dirty, DirtySource, NewDirty, NewView, Outcomes, Place, Record, StoreError};
use psa_host_api::model::ChangeAction;
use rusqlite::{Connection, Row, params};
use serde_json::{Value, json};
use std::collections::BTreeMap;

statements! {
    /// What is due already, or being read, is read a little later, with what is said now; not for ever.
    /// Nothing of what a callback says that had come, and settled, when the last reading began: that has seen it.
    ADD = "INSERT INTO dirty (tenant, connection, kind, entity, action, by, source, since, next_at, heard)
        SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?10 WHERE ?10 = 0 OR ?3 <> 'ticket' OR NOT EXISTS (
            SELECT 1 FROM ticket_links WHERE tenant = ?1 AND connection = ?2 AND ticket = ?4 AND state = 'linked'
            AND read_heard >= ?10)
        ON CONFLICT (tenant, connection, kind, entity) DO UPDATE SET version = version + (?10 = 0), heard = max(heard, ?10),
        action = CASE WHEN action = 'added' AND ?5 = 'updated' THEN 'added' ELSE ?5 END, by = coalesce(?6, by),
        source = CASE WHEN source = 'callback' THEN source ELSE ?7 END, next_at = CASE WHEN next_at <= ?9 AND ?9 - since < 5 * (?8 - ?9) THEN ?8 ELSE min(next_at, ?8) END";
    DUE = "SELECT tenant, connection, kind, entity, version, action, by, source, since, tries, heard FROM dirty
        WHERE tenant = ?1 AND connection = ?2 AND next_at <= ?3 ORDER BY next_at LIMIT ?4";
    COUNT = "SELECT count(*) FROM dirty WHERE tenant = ?1 AND connection = ?2";
    LATER = "UPDATE dirty SET next_at = ?6, tries = tries + 1 WHERE tenant = ?1 AND connection = ?2 AND kind = ?3
        AND entity = ?4 AND version = ?5 AND heard = ?7";
    DONE = "DELETE FROM dirty WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND entity = ?4 AND version = ?5
        AND heard <= ?6";
    /// A write of ours that is on its way, or may have arrived without our knowing; or one that has arrived since the reading
    /// began: nobody knows whether that is in it.
    ON_ITS_WAY = "SELECT EXISTS (SELECT 1 FROM operations WHERE tenant = ?1 AND link = ?2
        AND (state IN ('queued', 'in_doubt', 'held') AND (attempt IS NOT NULL OR state = 'in_doubt')
            OR state = 'delivered' AND kind IN ('status', 'update') AND EXISTS (SELECT 1 FROM transitions t
                WHERE t.tenant = operations.tenant AND t.operation = operations.operation AND t.id > ?3)))";
    OWN_CHANGES = "SELECT operation, kind, wanted FROM operations WHERE tenant = ?1 AND link = ?2 AND state = 'delivered'
        AND kind IN ('status', 'update') AND EXISTS (SELECT 1 FROM transitions t WHERE t.tenant = operations.tenant
            AND t.operation = operations.operation AND t.id > ?3) ORDER BY seq";
    OWN_NOTE = "SELECT EXISTS (SELECT 1 FROM notes WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND remote = ?4)";
    TELL = "INSERT INTO told (tenant, connection, kind, remote, ticket, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (tenant, connection, kind, remote) DO NOTHING";
    /// Behind the fence nothing is read again.
    FORGET_TOLD = "DELETE FROM told WHERE tenant = ?1 AND connection = ?2 AND kind = 'note' AND ticket = ?3 AND at <= ?4";
    TRIM = "DELETE FROM told WHERE kind = 'ticket' AND at < ?1";
}

/// The word of an action, as the schema and the events have it.
pub(super) fn action_word(action: ChangeAction) -> &'static str {
    match action {
        ChangeAction::Added => "added",
        ChangeAction::Updated => "updated",
        ChangeAction::Deleted => "deleted",
        ChangeAction::Unknown => "unknown",
    }
}

fn action_of(text: &str) -> Option<ChangeAction> {
    [ChangeAction::Added, ChangeAction::Updated, ChangeAction::Deleted, ChangeAction::Unknown]
        .into_iter()
        .find(|action| action_word(*action) == text)
}

/// `heard`: the callback that says so; 0: something else does.
pub(super) fn add(
    db: &Connection,
    place: &Place,
    dirty: &[NewDirty],
    (read_at, now): (i64, i64),
    heard: i64,
) -> Result<(), StoreError> {
    for NewDirty { kind, entity, action, by, source } in dirty {
        let values = params![
            place.tenant,
            place.connection,
            kind,
            entity,
            action_word(*action),
            by,
            source.word(),
            read_at,
            now,
            heard
        ];
        execute(db, ADD, values)?;
    }
    Ok(())
}

pub(super) fn due(db: &Connection, place: &Place, now: i64, limit: usize) -> rusqlite::Result<Vec<Dirty>> {
    let row = |row: &Row<'_>| {
        Ok(Dirty {
            place: Place { tenant: row.get(0)?, connection: row.get(1)? },
            kind: row.get(2)?,
            entity: row.get(3)?,
            version: row.get(4)?,
            action: word(row, 5, action_of)?,
            by: row.get(6)?,
            source: word(row, 7, DirtySource::of)?,
            since: row.get(8)?,
            tries: row.get(9)?,
            heard: row.get(10)?,
        })
    };
    let values = params![place.tenant, place.connection, now, limit as i64];
    db.prepare_cached(DUE)?.query_map(values, row)?.collect()
}

pub(super) fn count(db: &Connection, place: &Place) -> rusqlite::Result<u64> {
    db.prepare_cached(COUNT)?.query_row(params![place.tenant, place.connection], |row| row.get(0))
}

pub(super) fn later(db: &Connection, dirty: &Dirty, next_at: i64) -> Result<(), StoreError> {
    let Dirty { place, kind, entity, version, heard, .. } = dirty;
    execute(db, LATER, params![place.tenant, place.connection, kind, entity, version, next_at, heard]).map(drop)
}

pub(super) fn applied(db: &Connection, applied: Applied) -> Result<Outcomes, StoreError> {
    let Applied { dirty, view, new_ticket, now, mut record } = applied;
    let Place { tenant, connection } = &dirty.place;
    // The reading began after what it was taken up for, settled or not.
    let heard = view.as_ref().map_or(0, |view| view.heard).max(dirty.heard);
    if let Some(view) = view {
        if cursors::exists(db, ON_ITS_WAY, params![tenant, view.link, view.after])? {
            return Ok(Outcomes::Again);
        }
        if let Some(limit) = view.gone
            && views::count_gone(db, &dirty.place, limit.since).map_err(mapped)?.1 >= limit.most
        {
            return Ok(Outcomes::TooMany);
        }
        if !views::take_over(db, tenant, &view, now)? {
            return Ok(Outcomes::Again);
        }
        tell(db, &dirty, view, now, &mut record)?;
    }
    if let Some(event) = new_ticket {
        let ours = cursors::exists(db, OWN_NOTE, params![tenant, connection, "ticket", dirty.entity])?;
        if !ours && execute(db, TELL, params![tenant, connection, "ticket", dirty.entity, dirty.entity, now])? > 0 {
            record.events.push(event);
        }
    }
    execute(db, DONE, params![tenant, connection, dirty.kind, dirty.entity, dirty.version, heard])?;
    events::record(db, record)?;
    Ok(Outcomes::Done)
}

fn tell(db: &Connection, dirty: &Dirty, view: NewView, now: i64, record: &mut Record) -> Result<(), StoreError> {
    let Place { tenant, connection } = &dirty.place;
    if let Some(mut event) = view.changed {
        let mut own = db.prepare_cached(OWN_CHANGES).map_err(mapped)?;
        let own: rusqlite::Result<Vec<(String, String, String)>> = own
            .query_map(params![tenant, view.link, view.before.after], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .map_err(mapped)?
            .collect();
        let own: Vec<Own> = own.map_err(mapped)?.into_iter().map(Own::of).collect();
        add_undone(&mut event.body, &view.shown, &own);
        name_causes(&mut event.body, &view.shown, view.by_us, &own);
        let is_news = event.kind != "ticket.changed" || event.body["changes"] != json!({});
        if is_news {
            record.events.push(event);
        }
    }
    let fence_at = view.notes.fence_at;
    for (note, event) in view.added {
        let ours = cursors::exists(db, OWN_NOTE, params![tenant, connection, "note", note])?;
        let told = params![tenant, connection, "note", note, dirty.entity, now];
        if !ours && execute(db, TELL, told)? > 0 {
            record.events.push(event);
        }
    }
    execute(db, FORGET_TOLD, params![tenant, connection, dirty.entity, fence_at]).map(drop)
}

/// What a change of this field brings with it at the PSA.
fn brings(field: &str) -> &'static [&'static str] {
    match field {
        "status" => &["closed"],
        "board" => &["status", "closed", "ticket_type", "subtype", "item"],
        "ticket_type" => &["subtype", "item"],
        "subtype" => &["item"],
        "company" => &["contact"],
        _ => &[],
    }
}

/// An operation of ours that has changed fields of a ticket.
struct Own {
    operation: String,
    /// Each field with the mark of what it was to be, if that is known.
    fields: Vec<(String, Option<String>)>,
    /// Of a change of status: which one.
    status: Option<String>,
}

impl Own {
    /// `row`: operation, kind, and what it wanted.
    fn of((operation, kind, wanted): (String, String, String)) -> Own {
        if kind == "status" {
            let mark = marks::of(&json!(wanted));
            return Own { operation, fields: vec![("status".to_owned(), Some(mark))], status: Some(wanted) };
        }
        let fields = marks::read(&wanted).map(|(name, mark)| (name.to_owned(), mark.map(str::to_owned)));
        Own { operation, fields: fields.collect(), status: None }
    }
}

/// What we have changed and somebody has changed back between two readings looks as if nothing had happened. The product
/// believes its own change, so it is told what is there instead.
fn add_undone(body: &mut Value, shown: &Value, own: &[Own]) {
    let Some(changes) = body.get_mut("changes").and_then(Value::as_object_mut) else { return };
    let mut last = BTreeMap::new();
    for (own, (field, mark)) in own.iter().flat_map(|own| own.fields.iter().map(move |field| (own, field))) {
        last.insert(field.as_str(), (own, mark));
    }
    for (field, (own, mark)) in last {
        let (Some(now), Some(mark)) = (shown.get(field), mark) else { continue };
        if *mark != marks::of(now) && !changes.contains_key(field) {
            let from = own.status.as_ref().map(|id| json!({"id": id}));
            changes.insert(field.to_owned(), json!({"from": from, "to": now}));
        }
    }
}

/// Names the operations of ours that have caused a change: those whose value is there. The provider's name stays if something
/// is left that none has. What a field brings with it, and what is not known to be the wanted value, counts as ours only if
/// nobody else has changed the ticket since.
fn name_causes(body: &mut Value, shown: &Value, by_us: bool, own: &[Own]) {
    let mut left: Vec<String> = body["changes"].as_object().into_iter().flat_map(|all| all.keys().cloned()).collect();
    let mut operations = Vec::new();
    for (at, one) in own.iter().enumerate() {
        // What a later one of ours has set anew, an earlier one has not caused: a person may have set the same once more.
        let is_last =
            |field: &str| !own[at + 1..].iter().any(|later| later.fields.iter().any(|(name, _)| name == field));
        let is_there = |field: &str, mark: &Option<String>| {
            mark.as_ref().zip(shown.get(field)).map_or(by_us, |(mark, now)| *mark == marks::of(now))
        };
        let there = one.fields.iter().filter(|(field, mark)| is_last(field) && is_there(field, mark));
        let fields: Vec<&str> = there.map(|(field, _)| field.as_str()).collect();
        let before = left.len();
        left.retain(|name| {
            !fields.iter().any(|field| field == name || (by_us && brings(field).contains(&name.as_str())))
        });
        if left.len() < before {
            operations.push(one.operation.as_str());
        }
    }
    if operations.is_empty() {
        return;
    }
    if left.is_empty() {
        body["caused_by"] = json!({});
    }
    body["caused_by"]["operations"] = json!(operations);
}

/// Across tenants: a ticket is announced as new for a while only.
pub(super) fn trim(db: &Connection, before: i64) -> Result<(), StoreError> {
    execute(db, TRIM, params![before]).map(drop)
}
