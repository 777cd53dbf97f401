//! PATCH of a ticket. Source: facts 4.
//!
//! Promises: all operations or none; a status is looked up on the board the ticket is on after the operations before.

use super::reply::{self, Invalid};
use super::state::{id_of, named};
use super::tickets::{SUMMARY_MAX, too_long};
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

/// Members that refer to other records.
const REFERENCES: [&str; 11] =
    ["board", "status", "company", "contact", "priority", "type", "subType", "item", "team", "owner", "source"];
/// Members that hold text.
const TEXTS: [&str; 8] = [
    "summary",
    "externalXRef",
    "severity",
    "impact",
    "contactName",
    "contactEmailAddress",
    "contactPhoneNumber",
    "poNumber",
];

pub(super) fn ticket(world: &mut World, asked: &Asked, id: u64, ignored: bool) -> Reply {
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
    if ignored {
        return Reply::json(200, &row.record);
    }
    record["_info"]["lastUpdated"] = json!(world.now_text());
    record["_info"]["updatedBy"] = json!("psabridge");
    let Some(row) = world.state.tickets.get_mut(&id) else { return reply::no_endpoint() };
    row.record = record.clone();
    Reply::json(200, &record).committed()
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
        if !value.is_object() {
            return Err(not_converted(name, &value));
        }
        return set_reference(world, record, name, &value);
    }
    if TEXTS.contains(&name) && below.is_none() {
        let value = if op == "remove" { json!("") } else { value };
        let Some(text) = value.as_str() else { return Err(not_converted(name, &value)) };
        if name == "summary" && text.encode_utf16().count() > SUMMARY_MAX {
            return Err(reply::invalid("ticket", &[too_long()]));
        }
        record[name] = value;
        return Ok(());
    }
    // Read-only members are ignored; unknown ones are an error. Source: facts 8 and 3.1.
    if record.get(name).is_some() {
        return Ok(());
    }
    Err(reply::not_read(format!("Could not find member '{name}' on object of type 'Ticket'. Path '{path}'.")))
}

fn set_reference(world: &World, record: &mut Value, name: &str, value: &Value) -> Result<(), Reply> {
    let state = &world.state;
    let (all, what): (Vec<&Value>, &str) = match name {
        "status" => (state.statuses_of(id_of(&record["board"])).collect(), "Service Status"),
        "board" => (state.boards.iter().collect(), "Service Board"),
        "priority" => (state.priorities.iter().collect(), "Priority"),
        "owner" => (state.members.iter().collect(), "Member"),
        _ => {
            record[name] = value.clone();
            return Ok(());
        }
    };
    let means = |one: &&&Value| match (value.get("id"), value.get("identifier"), value.get("name")) {
        (Some(id), _, _) => one["id"] == *id,
        (None, Some(identifier), _) => one["identifier"] == *identifier,
        (None, None, Some(name)) => one["name"] == *name,
        _ => false,
    };
    let Some(found) = all.iter().find(means) else {
        let asked = value.get("id").or(value.get("identifier")).or(value.get("name")).unwrap_or(&Value::Null);
        let asked = asked.as_str().map_or_else(|| asked.to_string(), str::to_owned);
        let (message, field) = match name {
            "status" => {
                (format!("{what} {asked} not found for Service Board {}", id_of(&record["board"])), "status/id")
            }
            "board" => (format!("{what} {asked} not found"), "board/id"),
            "priority" => (format!("{what} {asked} not found"), "priority/id"),
            _ => (format!("{what} {asked} not found"), "owner/id"),
        };
        return Err(reply::invalid("ticket", &[Invalid { code: "NotFound", message, field }]));
    };
    record[name] = if name == "owner" { super::seed::reference(found) } else { named(found) };
    if name == "status" {
        record["closedFlag"] = found["closedStatus"].clone();
    }
    Ok(())
}

/// A bare value where a record is wanted. Source: samples/errors.
pub(super) fn not_converted(name: &str, value: &Value) -> Reply {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut model = name.to_owned();
    if let Some(first) = model.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    reply::not_read(format!(
        "Error converting value \"{text}\" to type 'ConnectWise.Apis.v3_0.v2015_3.Common.Models.{model}Reference'. Path '{name}', line 1, position 1."
    ))
}
