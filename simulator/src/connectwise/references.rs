//! References of a ticket to other records: what may be said, and whom it means. Source: facts 3.1, 4 and 6.
//!
//! Promises: a reference to nobody is refused; a status and a type are looked up on the board the record is on.

use super::reply::{self, Invalid};
use super::state::{State, id_of, named};
use crate::http::Reply;
use crate::world::World;
use serde_json::{Value, json};

/// Members that refer to other records, in the order in which one may need another.
pub(super) const REFERENCES: [&str; 12] =
    ["board", "status", "company", "contact", "priority", "type", "subType", "item", "team", "owner", "source", "site"];

/// Members that hold text, and their lengths in UTF-16 units; longer is refused, not cut.
pub(super) const TEXTS: [(&str, usize); 10] = [
    ("summary", 100),
    ("externalXRef", 100),
    ("severity", 10),
    ("impact", 10),
    ("contactName", 62),
    ("contactEmailAddress", 250),
    ("contactPhoneNumber", 20),
    ("siteName", 156),
    ("poNumber", 50),
    ("automaticEmailCc", 1000),
];

/// References to what belongs to one board.
const OF_BOARD: [&str; 5] = ["status", "type", "subType", "item", "team"];

/// The sets of words of the members that have one.
const LEVELS: [&str; 3] = ["Low", "Medium", "High"];

/// Checks the value of one of [`TEXTS`].
pub(super) fn check_text(name: &'static str, max: usize, value: &Value) -> Result<(), Reply> {
    let Some(text) = value.as_str() else { return Err(not_converted(name, value)) };
    if matches!(name, "severity" | "impact") && !LEVELS.contains(&text) {
        return Err(not_converted(name, value));
    }
    if text.encode_utf16().count() > max {
        let message = format!("The field {name} must be a string with a maximum length of {max}.");
        return Err(reply::invalid("ticket", &[Invalid { code: "MaxLengthField", message, field: name }]));
    }
    Ok(())
}

/// Puts what a reference means into a record.
pub(super) fn set(world: &World, record: &mut Value, name: &str, value: &Value) -> Result<(), Reply> {
    if !value.is_object() {
        return Err(not_converted(name, value));
    }
    let board = id_of(&record["board"]);
    let Some((all, what, field)) = meant_by(&world.state, name, record) else {
        record[name] = value.clone();
        return Ok(());
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
        let place = if OF_BOARD.contains(&name) { format!(" for Service Board {board}") } else { String::new() };
        return Err(not_found(format!("{what} {asked} not found{place}"), field));
    };
    if name == "contact" && found["company"]["id"] != record["company"]["id"] {
        // Reported as refused, the words are not known. Source: facts 6 `(unsure)`.
        return Err(not_found(format!("{what} {} not found for the company", id_of(found)), field));
    }
    record[name] = match name {
        "owner" | "contact" => super::seed::reference(found),
        "company" => json!({"id": found["id"], "identifier": found["identifier"], "name": found["name"]}),
        _ => named(found),
    };
    if name == "status" {
        record["closedFlag"] = found["closedStatus"].clone();
    }
    Ok(())
}

/// A ticket that is moved to another board needs a status of that board in the same PATCH. Source: facts 4.
pub(super) fn check_status(state: &State, record: &Value) -> Result<(), Reply> {
    let (board, status) = (id_of(&record["board"]), id_of(&record["status"]));
    if state.statuses_of(board).any(|found| id_of(found) == status) {
        return Ok(());
    }
    Err(not_found(format!("Service Status {status} not found for Service Board {board}"), "status/id"))
}

/// The records a reference may mean, what they are called, and the path of an error. `None`: anybody is believed.
fn meant_by<'a>(state: &'a State, name: &str, record: &Value) -> Option<(Vec<&'a Value>, &'static str, &'static str)> {
    let (board, company) = (id_of(&record["board"]), id_of(&record["company"]));
    let records = &state.records;
    let of_board = |all: &'a [Value]| all.iter().filter(|one| id_of(&one["board"]) == board).collect();
    Some(match name {
        "status" => (of_board(&state.statuses), "Service Status", "status/id"),
        "type" => (of_board(&state.types), "Service Type", "type/id"),
        "board" => (state.boards.iter().collect(), "Service Board", "board/id"),
        "priority" => (state.priorities.iter().collect(), "Priority", "priority/id"),
        "owner" => (state.members.iter().collect(), "Member", "owner/id"),
        // A deleted company can be read; that it takes new tickets is nowhere said.
        "company" => {
            (state.companies.iter().filter(|one| one["deletedFlag"] == false).collect(), "Company", "company/id")
        }
        "contact" => (state.contacts.iter().collect(), "Contact", "contact/id"),
        "subType" => (of_board(&records.sub_types), "Service SubType", "subType/id"),
        "item" => (of_board(&records.items), "Service Item", "item/id"),
        "team" => (records.teams.iter().filter(|one| one["boardId"] == board).collect(), "Service Team", "team/id"),
        "source" => (records.sources.iter().collect(), "Service Source", "source/id"),
        "site" => (records.sites.iter().filter(|one| id_of(&one["company"]) == company).collect(), "Site", "site/id"),
        _ => return None,
    })
}

fn not_found(message: String, field: &'static str) -> Reply {
    reply::invalid("ticket", &[Invalid { code: "NotFound", message, field }])
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
