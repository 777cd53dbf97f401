//! POST of a service ticket. Source: facts 6.
//!
//! Promises: all or nothing; a member that the model does not have is refused; what is read only is not taken over.

use super::references::{self, REFERENCES, TEXTS};
use super::reply::{self, Invalid};
use super::state::{extend, id_of, listed_from, named, referable_from};
use super::{API_MEMBER, choices, notes};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Map, Value, json};

/// POST only, and never returned: each becomes a note with this flag.
pub(super) const FIRST_NOTES: [(&str, &str); 3] = [
    ("initialDescription", "detailDescriptionFlag"),
    ("initialInternalAnalysis", "internalAnalysisFlag"),
    ("initialResolution", "resolutionFlag"),
];
/// Members that hold true or false.
pub(super) const FLAGS: [&str; 8] = [
    "processNotifications",
    "skipCallback",
    "customerUpdatedFlag",
    "allowAllClientsPortalView",
    "automaticEmailContactFlag",
    "automaticEmailResourceFlag",
    "automaticEmailCcFlag",
    "requestForChangeFlag",
];
const ARRAYS: [&str; 2] = ["customFields", "integratorTags"];
/// The board of who says none: a default of the API member.
const BOARD: u64 = 1;

pub(super) fn ticket(world: &mut World, asked: &Asked, fault: Option<&Fault>) -> Reply {
    let Value::Object(mut body) = asked.body_value() else {
        return reply::not_read("Unexpected character encountered while parsing value.");
    };
    // A null says nothing in a new record. Source: facts 3.1.
    let unknown = body.keys().find(|key| !is_known(key)).cloned();
    body.retain(|_, value| !value.is_null());
    let checked = match unknown {
        Some(unknown) => Err(reply::not_read(format!(
            "Could not find member '{unknown}' on object of type 'Ticket'. Path '{unknown}', line 1, position 1."
        ))),
        None => check(&body).and_then(|()| record_of(world, &body)),
    };
    match checked {
        Ok((board, record)) => keep(world, &body, board, &record, fault),
        Err(refusal) => refusal,
    }
}

fn is_known(name: &str) -> bool {
    let text = TEXTS.iter().any(|(known, _)| *known == name);
    let note = FIRST_NOTES.iter().any(|(known, _)| *known == name);
    text || note || [&REFERENCES[..], &FLAGS[..], &ARRAYS[..]].iter().any(|names| names.contains(&name))
}

/// What is wrong with the members by themselves.
fn check(body: &Map<String, Value>) -> Result<(), Reply> {
    for (name, value) in body {
        let name = name.as_str();
        let fits = match name {
            name if FLAGS.contains(&name) => value.is_boolean(),
            name if ARRAYS.contains(&name) => value.is_array(),
            name if FIRST_NOTES.iter().any(|(known, _)| *known == name) => value.is_string(),
            _ => true,
        };
        if !fits {
            return Err(references::not_converted(name, value));
        }
    }
    let said =
        |name: &str| body.get(name).is_some_and(|value| value.as_str().is_none_or(|text| !text.trim().is_empty()));
    let missing = ["summary", "company"].into_iter().filter(|name| !said(name));
    let errors: Vec<Invalid> = missing
        .map(|field| Invalid {
            code: "MissingRequiredField",
            message: format!("The {field} field is required."),
            field,
        })
        .collect();
    if !errors.is_empty() {
        return Err(reply::invalid("ticket", &errors));
    }
    TEXTS.iter().try_for_each(|(name, max)| match body.get(*name) {
        Some(value) => references::check_text(name, *max, value),
        None => Ok(()),
    })
}

/// The board, and the members that are said of the ticket, with their references looked up.
fn record_of(world: &World, body: &Map<String, Value>) -> Result<(u64, Value), Reply> {
    let mut record = json!({"board": world.state.board(BOARD).map(named)});
    for name in REFERENCES {
        if let Some(value) = body.get(name) {
            references::set(world, &mut record, name, value)?;
        }
    }
    let board = id_of(&record["board"]);
    let takes = world.state.board(board).is_some_and(|it| it["projectFlag"] == false && it["inactiveFlag"] == false);
    if !takes {
        // Nowhere described; a service ticket there would not be found by those who work there.
        let message = format!("Service Board {board} not found");
        return Err(reply::invalid("ticket", &[Invalid { code: "NotFound", message, field: "board/id" }]));
    }
    if record["type"].is_null() {
        record["type"] = world.state.types.iter().find(|kind| id_of(&kind["board"]) == board).map(named).into();
    }
    choices::check(&world.state, &record)?;
    if let Some(sent) = body.get("customFields") {
        record["customFields"] = choices::custom_fields(&world.state.records.custom_fields(), sent, false)?;
    }
    if let Some(sent) = body.get("integratorTags") {
        record["integratorTags"] = choices::tags(sent)?;
    }
    let plain = TEXTS.iter().map(|(name, _)| *name).chain(FLAGS);
    for name in plain.filter(|name| !matches!(*name, "processNotifications" | "skipCallback")) {
        if let Some(value) = body.get(name) {
            record[name] = value.clone();
        }
    }
    Ok((board, record))
}

fn keep(world: &mut World, body: &Map<String, Value>, board: u64, record: &Value, fault: Option<&Fault>) -> Reply {
    let now = world.now_text();
    let summary = body.get("summary").and_then(Value::as_str).unwrap_or_default();
    let Some(made) = world.state.new_ticket(summary, board, false, &now) else { return reply::no_endpoint() };
    let id = id_of(&made);
    keep_first_notes(world, id, body, fault);
    let Some(row) = world.state.tickets.get_mut(&id) else { return reply::no_endpoint() };
    // Nobody has asked for it unless it is said.
    row.record.as_object_mut().map(|members| members.remove("contact"));
    extend(&mut row.record, record);
    row.listed_from = listed_from(world.switches.listing_lag_ms, fault);
    row.referable_from = referable_from(fault);
    let made = row.record.clone();
    world.state.mail_of_save(id, "ticket", &Value::Object(body.clone()), true);
    Reply::json(201, &made).committed()
}

/// The texts of a new ticket become its first notes.
pub(super) fn keep_first_notes(world: &mut World, ticket: u64, body: &Map<String, Value>, fault: Option<&Fault>) {
    for (name, flag) in FIRST_NOTES {
        if let Some(text) = body.get(name).filter(|text| text.as_str().is_some_and(|text| !text.trim().is_empty())) {
            notes::keep(world, ticket, &json!({"text": text, flag: true}), API_MEMBER, fault);
        }
    }
}
