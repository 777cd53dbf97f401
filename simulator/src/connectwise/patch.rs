//! PATCH of a ticket. Source: facts 4.
//!
//! Promises: all operations or none; a status is looked up on the board the ticket is on after the operations before,
//! and no ticket ends with a status of another board.

use super::references::{self, REFERENCES, TEXTS};
use super::state::{id_of, named};
use super::{API_MEMBER, reply};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

/// The name under which rules change records.
pub(super) const WORKFLOW: &str = "workflow";

pub(super) fn ticket(world: &mut World, asked: &Asked, id: u64, fault: Option<&Fault>) -> Reply {
    let Ok(Value::Array(operations)) = serde_json::from_slice(&asked.body) else {
        return reply::not_read(
            "Cannot deserialize the current JSON object into type 'PatchOperation[]' because the type requires a JSON array.",
        );
    };
    let Some(row) = world.state.tickets.get(&id) else { return reply::not_found("Ticket", &id.to_string()) };
    let mut record = row.record.clone();
    for operation in &operations {
        if let Err(refusal) = apply(world, &mut record, operation) {
            return refusal;
        }
    }
    if let Err(refusal) = references::check_status(&world.state, &record) {
        return refusal;
    }
    if matches!(fault, Some(Fault::IgnoredPatch)) {
        return Reply::json(200, &row.record);
    }
    let before = id_of(&row.record["status"]);
    let moved = (matches!(fault, Some(Fault::WorkflowMoves)) && before != id_of(&record["status"]))
        .then(|| moved_on(world, &record, before))
        .flatten();
    let now = world.now_text();
    let Some(row) = world.state.tickets.get_mut(&id) else { return reply::no_endpoint() };
    row.replace(record, API_MEMBER, &now);
    if let Some(moved) = moved {
        row.replace(moved, WORKFLOW, &now);
    }
    Reply::json(200, &row.record).committed()
}

/// The record in a third status of its board. Source: facts 6, "workflow rules run after a save".
fn moved_on(world: &World, record: &Value, before: u64) -> Option<Value> {
    let now = id_of(&record["status"]);
    let mut others = world.state.statuses_of(id_of(&record["board"]));
    let other = others.find(|other| other["inactive"] == false && ![before, now].contains(&id_of(other)))?;
    let mut moved = record.clone();
    moved["status"] = named(other);
    moved["closedFlag"] = other["closedStatus"].clone();
    Some(moved)
}

fn apply(world: &World, record: &mut Value, operation: &Value) -> Result<(), Reply> {
    let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
    let op = text("op");
    let path = text("path").trim_start_matches('/');
    let value = operation.get("value").cloned().unwrap_or(Value::Null);
    if !matches!(op, "add" | "replace" | "remove") {
        return Err(reply::not_read(format!("'{op}' is not a valid operation.")));
    }
    let (name, below) = path.split_once('/').map_or((path, None), |(name, below)| (name, Some(below)));
    if REFERENCES.contains(&name) {
        if below.is_some() {
            // Answered with success, and nothing is changed. Source: facts 4, "false 200".
            return Ok(());
        }
        if op == "remove" {
            record[name] = Value::Null;
            return Ok(());
        }
        return references::set(world, record, name, &value);
    }
    if let Some((name, max)) = TEXTS.iter().find(|(text, _)| *text == name && below.is_none()) {
        let value = if op == "remove" { json!("") } else { value };
        references::check_text(name, *max, &value)?;
        record[*name] = value;
        return Ok(());
    }
    // Read-only members are ignored; unknown ones are an error. Source: facts 8 and 3.1.
    if record.get(name).is_some() {
        return Ok(());
    }
    Err(reply::not_read(format!("Could not find member '{name}' on object of type 'Ticket'. Path '{path}'.")))
}
