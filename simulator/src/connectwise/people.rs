//! What people do in the PSA itself, on order of a test. Source: facts 6.
//!
//! Promises: a change bears their name, not that of the API member; a deleted ticket is gone for every client, and only
//! the control door still shows it.

use super::query::Names;
use super::state::{Kind, extend, id_of, named};
use super::{notes, state};
use crate::world::World;
use serde_json::{Value, json};

/// Who works there.
pub(super) const SOMEBODY: &str = "jdoe";

/// Does what is ordered; the ticket and its notes afterwards. An error says what is possible.
pub(crate) fn act(world: &mut World, ticket: u64, order: &Value) -> Result<Value, String> {
    let missing = || "there is no such ticket".to_owned();
    if !world.state.tickets.contains_key(&ticket) {
        return Err(missing());
    }
    let act = order.as_object().filter(|order| order.len() == 1).and_then(|order| order.iter().next());
    match act {
        Some((name, parent)) if name == "merge_into" => {
            let is_closed = |status: &Value| status["closedStatus"] == true;
            merge(world, ticket, parent.as_u64().unwrap_or_default(), SOMEBODY, is_closed)?;
        }
        Some((name, wanted)) if name == "delete" && *wanted == true => {
            let row = world.state.tickets.remove(&ticket).ok_or_else(missing)?;
            world.state.deleted.insert(ticket, row);
            return Ok(json!({}));
        }
        Some((name, kind)) if name == "convert" && *kind == "project" => {
            convert(world, ticket, SOMEBODY, &state::project_members())?
        }
        Some((name, status)) if name == "status" => {
            let status = status.as_u64().unwrap_or_default();
            set_status(world, ticket, SOMEBODY, |found| id_of(found) == status)?;
        }
        Some((name, summary)) if name == "summary" && summary.is_string() => rename(world, ticket, summary),
        Some((name, board)) if name == "board" => change_board(world, ticket, board.as_u64().unwrap_or_default())?,
        Some((name, note)) if name == "note" => add_note(world, ticket, note)?,
        _ => {
            return Err("one of merge_into (an id), delete (true), convert (\"project\"), status (an id), \
                summary (a text), board (an id), note ({text, createdBy?, internal?})"
                .to_owned());
        }
    }
    world.state.ticket_with_notes(ticket).ok_or_else(missing)
}

/// Makes a ticket as somebody orders it. `None`: there is no such board.
pub(crate) fn open(world: &mut World, order: &Value) -> Option<Value> {
    let text = |name: &str| order.get(name).and_then(Value::as_str);
    let board = order.get("board").and_then(Value::as_u64).unwrap_or(1);
    let now = world.now_text();
    let summary = text("summary").unwrap_or("A ticket");
    let made = world.state.new_ticket(summary, board, text("kind") == Some("project"), &now)?;
    if let Some(row) = world.state.tickets.get_mut(&id_of(&made)) {
        row.listed_from = state::listed_from(world.switches.listing_lag_ms, None);
    }
    Some(made)
}

/// To the first status of the ticket's board that is meant.
fn set_status(world: &mut World, ticket: u64, by: &str, means: impl Fn(&Value) -> bool) -> Result<(), String> {
    let now = world.now_text();
    let state = &mut world.state;
    let board = state.tickets.get(&ticket).map_or(0, |row| id_of(&row.record["board"]));
    let Some(status) = state.statuses_of(board).find(|status| means(status)).cloned() else {
        return Err(format!("there is no such status on board {board}"));
    };
    if let Some(row) = state.tickets.get_mut(&ticket) {
        let mut record = row.record.clone();
        record["status"] = named(&status);
        record["closedFlag"] = status["closedStatus"].clone();
        row.replace(record, by, &now);
    }
    Ok(())
}

fn rename(world: &mut World, ticket: u64, summary: &Value) {
    let now = world.now_text();
    if let Some(row) = world.state.tickets.get_mut(&ticket) {
        let mut record = row.record.clone();
        record["summary"] = summary.clone();
        row.replace(record, SOMEBODY, &now);
    }
}

/// To another board for its kind. A status and a type are of one board only: the ticket gets the defaults of its new one.
fn change_board(world: &mut World, ticket: u64, board: u64) -> Result<(), String> {
    let now = world.now_text();
    let state = &mut world.state;
    let Some(row) = state.tickets.get(&ticket) else { return Err("there is no such ticket".to_owned()) };
    let mut record = row.record.clone();
    let takes = |found: &&Value| {
        found["inactiveFlag"] == false
            && found["projectFlag"] == (row.kind == Kind::Project)
            && id_of(&record["board"]) != board
    };
    let default =
        |all: &[Value]| all.iter().find(|one| id_of(&one["board"]) == board && one["defaultFlag"] == true).cloned();
    let Some((to, status)) = state.board(board).filter(takes).map(named).zip(default(&state.statuses)) else {
        return Err(format!("the ticket cannot be moved to board {board}"));
    };
    record["board"] = to;
    record["status"] = named(&status);
    record["closedFlag"] = status["closedStatus"].clone();
    record["type"] = default(&state.types).as_ref().map(named).into();
    if let Some(row) = state.tickets.get_mut(&ticket) {
        row.replace(record, SOMEBODY, &now);
    }
    Ok(())
}

/// The child gets a status, usually a closed one, and keeps its id and its notes.
pub(super) fn merge(
    world: &mut World,
    child: u64,
    parent: u64,
    by: &str,
    means: impl Fn(&Value) -> bool,
) -> Result<(), String> {
    let row = world.state.tickets.get_mut(&parent).filter(|row| row.kind == Kind::Service && parent != child);
    let Some(row) = row else { return Err("there is no such service ticket to merge into".to_owned()) };
    row.record["hasMergedChildTicketFlag"] = json!(true);
    let reference = json!({"id": parent, "summary": row.record["summary"]});
    set_status(world, child, by, means)?;
    let now = world.now_text();
    if let Some(row) = world.state.tickets.get_mut(&child) {
        let mut record = row.record.clone();
        record["mergedParentTicket"] = reference;
        row.replace(record, by, &now);
    }
    Ok(())
}

/// The same id, found under the other path from now on, with the members of that kind.
pub(super) fn convert(world: &mut World, ticket: u64, by: &str, more: &Value) -> Result<(), String> {
    let now = world.now_text();
    let row = world.state.tickets.get_mut(&ticket).filter(|row| row.kind == Kind::Service);
    let Some(row) = row else { return Err("it is a project ticket already".to_owned()) };
    let mut record = row.record.clone();
    if let Value::Object(members) = &mut record {
        members.retain(|name, _| Names::project_tickets().returns(name));
    }
    extend(&mut record, more);
    row.kind = Kind::Project;
    row.replace(record, by, &now);
    for note in row.notes.iter_mut().filter_map(Value::as_object_mut) {
        // Notes of project tickets have neither. Source: facts 7.1.
        note.remove("dateCreated");
        note.remove("createdBy");
    }
    for time in world.state.records.times.iter_mut().filter(|time| time.is_of_ticket(ticket)) {
        time.record["chargeToType"] = json!("ProjectTicket");
    }
    Ok(())
}

fn add_note(world: &mut World, ticket: u64, note: &Value) -> Result<(), String> {
    let text = note.get("text").and_then(Value::as_str).ok_or("note needs a text")?;
    let by = note.get("createdBy").and_then(Value::as_str).unwrap_or(SOMEBODY);
    let internal = note.get("internal").and_then(Value::as_bool).unwrap_or(false);
    let body = json!({"text": text, "internalAnalysisFlag": internal, "detailDescriptionFlag": !internal});
    notes::keep(world, ticket, &body, by, None);
    Ok(())
}
