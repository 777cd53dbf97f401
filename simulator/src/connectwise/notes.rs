//! Notes of a ticket. Source: facts 7.

use super::mails::is_public;
use super::query::Names;
use super::references::not_converted;
use super::reply::{self, Invalid};
use super::seed::reference;
use super::state::{Kind, id_of, listed_from};
use super::{API_MEMBER, audit, listing, note_edit, rewrite};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Map, Value, json};

/// Members of a note that may be sent. Source: openapi ServiceNote.
pub(super) const KNOWN: [&str; 16] = [
    "id",
    "ticketId",
    "text",
    "detailDescriptionFlag",
    "internalAnalysisFlag",
    "resolutionFlag",
    "issueFlag",
    "member",
    "contact",
    "customerUpdatedFlag",
    "processNotifications",
    "dateCreated",
    "createdBy",
    "internalFlag",
    "externalFlag",
    "_info",
];

pub(super) fn route(world: &mut World, asked: &Asked, ticket: u64, rest: &[&str], fault: Option<&Fault>) -> Reply {
    let Some(row) = world.state.tickets.get(&ticket) else { return reply::not_found("Ticket", &ticket.to_string()) };
    let names = if row.kind == Kind::Service { Names::notes() } else { Names::project_notes() };
    match (asked.method.as_str(), rest) {
        ("GET", []) => listing::list(world, asked, names, None, row.listed_notes()),
        ("GET", ["count"]) => listing::count(asked, names, row.listed_notes()),
        ("GET", [id]) => match row.notes.iter().find(|note| id_of(note).to_string() == *id) {
            Some(note) => Reply::json(200, note),
            None => reply::not_found("Note", id),
        },
        ("POST", []) => add(world, asked, ticket, fault),
        (_, [id]) => note_edit::route(world, asked, ticket, id),
        _ => reply::not_allowed(),
    }
}

fn add(world: &mut World, asked: &Asked, ticket: u64, fault: Option<&Fault>) -> Reply {
    let Ok(Value::Object(body)) = serde_json::from_slice(&asked.body) else {
        return reply::not_read("Unexpected character encountered while parsing value. Path '', line 1, position 1.");
    };
    if let Err(refusal) = check(world, &body) {
        return refusal;
    }
    let body = Value::Object(body);
    let note = keep(world, ticket, &body, API_MEMBER, fault);
    world.state.mail_of_save(ticket, "note", &body, is_public(&note));
    Reply::json(201, &note).committed()
}

/// What is wrong with the members of a note.
pub(super) fn check(world: &World, body: &Map<String, Value>) -> Result<(), Reply> {
    if let Some(unknown) = body.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        let message = format!(
            "Could not find member '{unknown}' on object of type 'ServiceNote'. Path '{unknown}', line 1, position 1."
        );
        return Err(reply::not_read(message));
    }
    for (name, value) in body {
        let fits = match name.as_str() {
            "member" | "contact" => value.is_object() || value.is_null(),
            name if name.ends_with("Flag") || name == "processNotifications" => value.is_boolean() || value.is_null(),
            _ => true,
        };
        if !fits {
            return Err(not_converted(name, value));
        }
    }
    if body.get("text").and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
        let message = "The text field is required.".to_owned();
        return Err(reply::invalid("serviceNote", &[Invalid { code: "MissingRequiredField", message, field: "text" }]));
    }
    let shown = ["detailDescriptionFlag", "internalAnalysisFlag", "resolutionFlag"];
    if !shown.iter().any(|flag| body.get(*flag) == Some(&json!(true))) {
        let message = "Please choose where to display the notes in order to save this record.".to_owned();
        return Err(reply::invalid("serviceNote", &[Invalid { code: "", message, field: "" }]));
    }
    check_author(world, body)
}

/// A member or a contact, and there is such a one. Source: facts 7.3, "at most one (inferred)".
fn check_author(world: &World, body: &Map<String, Value>) -> Result<(), Reply> {
    let said = |name: &str| body.get(name).filter(|author| !author.is_null());
    let refuse = |code, message, field| Err(reply::invalid("serviceNote", &[Invalid { code, message, field }]));
    let meant = |author: &Value| author.get("id").or(author.get("identifier")).cloned().unwrap_or_default();
    match (said("member"), said("contact")) {
        (Some(_), Some(_)) => {
            refuse("InvalidField", "A note has a member or a contact, not both.".to_owned(), "contact")
        }
        (Some(member), None) if world.state.member(member).is_none() => {
            refuse("NotFound", format!("Member {} not found", meant(member)), "member/id")
        }
        (None, Some(contact)) if contact_of(world, contact).is_none() => {
            refuse("NotFound", format!("Contact {} not found", meant(contact)), "contact/id")
        }
        _ => Ok(()),
    }
}

fn contact_of<'a>(world: &'a World, reference: &Value) -> Option<&'a Value> {
    world.state.contacts.iter().find(|contact| reference.get("id") == Some(&contact["id"]))
}

/// Who has written it. A contact is external, a member internal; without either it is who has called.
/// Source: facts 7.2 and 7.3.
pub(super) fn set_author(world: &World, note: &mut Value, body: &Value, by: &str) {
    let Some(members) = note.as_object_mut() else { return };
    let said = |name: &str| body.get(name).filter(|author| !author.is_null());
    let contact = said("contact").and_then(|contact| contact_of(world, contact));
    members.insert("internalFlag".to_owned(), json!(contact.is_none()));
    members.insert("externalFlag".to_owned(), json!(contact.is_some()));
    let (name, other, author) = match contact {
        Some(contact) => ("contact", "member", Some(reference(contact))),
        None => {
            let wanted = said("member").cloned().unwrap_or_else(|| json!({"identifier": by}));
            ("member", "contact", world.state.member(&wanted).map(reference))
        }
    };
    members.remove(other);
    members.insert(name.to_owned(), author.into());
}

/// Keeps a note that has been checked and that `by` has written; the note as it is answered.
pub(super) fn keep(world: &mut World, ticket: u64, body: &Value, by: &str, fault: Option<&Fault>) -> Value {
    let now = world.now_text();
    let id = world.state.next_note;
    world.state.next_note += 1;
    let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
    let text = match (fault, body["text"].as_str()) {
        (Some(Fault::Rewrite { how }), Some(text)) => json!(rewrite::rewritten(text, *how)),
        _ => body["text"].clone(),
    };
    let mut note = json!({
        "id": id,
        "ticketId": ticket,
        "text": text,
        "detailDescriptionFlag": flag("detailDescriptionFlag") || matches!(fault, Some(Fault::WrongVisibility)),
        "internalAnalysisFlag": flag("internalAnalysisFlag"),
        "resolutionFlag": flag("resolutionFlag"),
        "issueFlag": flag("issueFlag"),
        "customerUpdatedFlag": flag("customerUpdatedFlag"),
        "_info": {"lastUpdated": now, "updatedBy": by},
    });
    set_author(world, &mut note, body, by);
    let Some(row) = world.state.tickets.get_mut(&ticket) else { return note };
    // Notes of project tickets have neither. Source: facts 7.1.
    if row.kind == Kind::Service {
        note["dateCreated"] = json!(now);
        note["createdBy"] = json!(by);
    }
    let from = listed_from(world.switches.listing_lag_ms, fault);
    row.notes_listed_from.extend(from.map(|from| (id, from)));
    row.audit.push(audit::note(id, by, &now));
    row.notes.push(note.clone());
    note
}
