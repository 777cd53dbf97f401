//! PATCH of a ticket. Source: facts 4.
//!
//! Promises: all operations or none; a status is looked up on the board the ticket is on after the operations before,
//! and no ticket ends with a status of another board.

use super::create::FLAGS;
use super::query::Names;
use super::references::{self, REFERENCES, TEXTS};
use super::reply::{self, Invalid};
use super::state::{Kind, extend, id_of, named};
use super::{API_MEMBER, choices, operations, relations};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

/// The name under which rules change records.
pub(super) const WORKFLOW: &str = "workflow";
const NOTIFIES: &str = "processNotifications";

pub(super) fn ticket(world: &mut World, asked: &Asked, id: u64, fault: Option<&Fault>) -> Reply {
    let operations = match operations::read(asked) {
        Ok(operations) => operations,
        Err(refusal) => return refusal,
    };
    let Some(row) = world.state.tickets.get(&id) else { return reply::not_found("Ticket", &id.to_string()) };
    let names = if row.kind == Kind::Service { Names::tickets() } else { Names::project_tickets() };
    let mut record = row.record.clone();
    for operation in &operations {
        if let Err(refusal) = apply(world, &mut record, names, operation) {
            return refusal;
        }
    }
    let chosen = ["board", "type", "subType", "item"].iter().any(|name| row.record[*name] != record[*name]);
    if let Err(refusal) = if chosen { choices::check(&world.state, &record) } else { Ok(()) } {
        return refusal;
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
    let changed = row.record.clone();
    if before != id_of(&changed["status"]) {
        world.state.mail_of_save(id, "ticket", &json!({NOTIFIES: notifies(&operations)}), true);
    }
    Reply::json(200, &changed).committed()
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

fn apply(world: &World, record: &mut Value, names: &Names, operation: &Value) -> Result<(), Reply> {
    let (op, path, value) = operations::taken_apart(operation)?;
    let (name, below) = path.split_once('/').map_or((path, None), |(name, below)| (name, Some(below)));
    // Unknown members are an error, also those that only the other kind of ticket has. Source: facts 3.1 and 6.
    if !names.returns(name) && name != "skipCallback" {
        return Err(reply::not_read(format!(
            "Could not find member '{name}' on object of type 'Ticket'. Path '{path}'."
        )));
    }
    if below.is_some() {
        // Answered with success, and nothing is changed. Source: facts 4, "false 200".
        return Ok(());
    }
    match name {
        "customFields" => record[name] = choices::custom_fields(&record[name], &value, true)?,
        "integratorTags" => record[name] = choices::tags(&value)?,
        "phase" => change_phase(world, record, &value)?,
        name if REFERENCES.contains(&name) && op == "remove" => record[name] = Value::Null,
        name if REFERENCES.contains(&name) => references::set(world, record, name, &value)?,
        name if FLAGS.contains(&name) => {
            if !value.is_boolean() {
                return Err(references::not_converted(name, &value));
            }
            // The two say something of this save only.
            if !matches!(name, NOTIFIES | "skipCallback") {
                record[name] = value;
            }
        }
        name => {
            // What is left is text, or read only and ignored. Source: facts 8.
            if let Some((name, max)) = TEXTS.iter().find(|(text, _)| *text == name) {
                change_text(record, name, *max, if op == "remove" { json!("") } else { value })?;
            }
        }
    }
    Ok(())
}

fn change_text(record: &mut Value, name: &'static str, max: usize, value: Value) -> Result<(), Reply> {
    references::check_text(name, max, &value)?;
    if name == "summary" && value.as_str().is_none_or(|text| text.trim().is_empty()) {
        let message = "The summary field is required.".to_owned();
        return Err(reply::invalid("ticket", &[Invalid { code: "MissingRequiredField", message, field: "summary" }]));
    }
    record[name] = value;
    Ok(())
}

/// A project follows from its phase.
fn change_phase(world: &World, record: &mut Value, phase: &Value) -> Result<(), Reply> {
    let Some(found) = relations::phase_of(world, phase, None) else {
        let message = format!("Project Phase {} not found", phase["id"]);
        return Err(reply::invalid("ticket", &[Invalid { code: "NotFound", message, field: "phase/id" }]));
    };
    extend(record, &found);
    Ok(())
}

/// Whether a save sends the mails of the ticket: yes, unless it says no. Source: facts 6.
fn notifies(operations: &[Value]) -> bool {
    let says_no = |one: &Value| {
        one["path"].as_str().is_some_and(|path| path.trim_start_matches('/') == NOTIFIES) && one["value"] == false
    };
    !operations.iter().any(says_no)
}
