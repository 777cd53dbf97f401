//! What the role of the API member may do. Source: facts 2.3.
//!
//! Holds: the words for rights, and which a request needs.
//! Promises: a request is refused with 403 if its role lacks any right it needs; nothing was done then.

use super::reply;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

/// Word, what it opens.
const RIGHTS: [(&str, &str); 22] = [
    ("tickets", "GET and search of tickets"),
    ("add_ticket", "POST of a ticket"),
    ("update_ticket", "PATCH of a ticket, merge, convert, attachChildren"),
    ("update_ticket_reference", "PATCH of a ticket that names externalXRef"),
    ("delete_ticket", "DELETE of a ticket"),
    ("notes", "GET of notes and allNotes"),
    ("add_note", "POST of a note"),
    ("update_note", "PATCH and DELETE of a note"),
    ("time", "all of time entries"),
    ("add_time", "POST, PATCH and DELETE of time entries"),
    ("documents", "all of documents"),
    ("add_document", "POST and DELETE of documents"),
    ("download_document", "the bytes of a document"),
    ("configurations", "all of configurations"),
    ("companies", "companies and their sites"),
    ("contacts", "contacts and their communications"),
    ("boards", "service boards and what is below them; the short form stays"),
    ("setup", "priorities, sources, custom fields, work types and work roles"),
    ("members", "/system/members; the short form stays"),
    ("member_info", "/system/info/members and /system/myMembers"),
    ("audit_trail", "the audit trail"),
    ("callbacks", "all of callback entries"),
];

/// The refusal of a request that lacks a right.
pub(super) fn check(world: &World, asked: &Asked, parts: &[&str]) -> Result<(), Reply> {
    let denied = &world.state.records.denied;
    if needed(asked, parts).iter().any(|right| denied.contains(right)) { Err(reply::forbidden()) } else { Ok(()) }
}

fn needed(asked: &Asked, parts: &[&str]) -> Vec<&'static str> {
    let method = asked.method.as_str();
    let reads = method == "GET";
    match parts {
        [_, "tickets", _, "notes", ..] if reads => vec!["notes"],
        [_, "tickets", _, "notes"] => vec!["add_note"],
        [_, "tickets", _, "notes", ..] => vec!["update_note"],
        [_, "tickets", _, "allnotes", ..] => vec!["notes"],
        [_, "tickets", _, "timeentries", ..] => vec!["time"],
        [_, "tickets", _, "documents", ..] => vec!["documents"],
        [_, "tickets", _, "configurations", ..] => vec!["configurations"],
        [_, "tickets", "search"] => vec!["tickets"],
        [_, "tickets"] if method == "POST" => vec!["add_ticket"],
        [_, "tickets", _] if method == "DELETE" => vec!["delete_ticket"],
        [_, "tickets", _] if method == "PATCH" && names_reference(asked) => {
            vec!["update_ticket", "update_ticket_reference"]
        }
        [_, "tickets", ..] => vec![if reads { "tickets" } else { "update_ticket" }],
        ["time", "entries", ..] if reads => vec!["time"],
        ["time", "entries", ..] => vec!["time", "add_time"],
        ["system", "documents", _, "download"] => vec!["documents", "download_document"],
        ["system", "documents", ..] if reads => vec!["documents"],
        ["system", "documents", ..] => vec!["documents", "add_document"],
        ["company", "configurations", ..] => vec!["configurations"],
        ["company", "companies", ..] => vec!["companies"],
        ["company", "contacts", ..] => vec!["contacts"],
        ["service", "boards", ..] => vec!["boards"],
        ["service", "priorities" | "sources", ..] | ["system", "userdefinedfields", ..] => vec!["setup"],
        ["time", "worktypes" | "workroles", ..] => vec!["setup"],
        ["system", "members", ..] => vec!["members"],
        ["system", "info", "members", ..] | ["system", "mymembers", ..] => vec!["member_info"],
        ["system", "audittrail", ..] => vec!["audit_trail"],
        ["system", "callbacks", ..] => vec!["callbacks"],
        _ => Vec::new(),
    }
}

fn names_reference(asked: &Asked) -> bool {
    let operations = asked.body_value();
    let names = |one: &Value| one["path"].as_str().is_some_and(|path| path.trim_start_matches('/') == "externalXRef");
    operations.as_array().is_some_and(|operations| operations.iter().any(names))
}

/// For the control door: `{"deny": [words]}` replaces what was denied before; an error says what is possible.
pub(crate) fn deny(world: &mut World, order: &Value) -> Result<(), String> {
    let words = order.get("deny").and_then(Value::as_array).ok_or("deny must be a list of rights")?;
    let known = |word: &Value| {
        let found = RIGHTS.iter().find(|(right, _)| *word == *right).map(|(right, _)| *right);
        found.ok_or_else(|| format!("there is no right {word}; GET /_sim/rights lists them"))
    };
    world.state.records.denied = words.iter().map(known).collect::<Result<_, _>>()?;
    Ok(())
}

/// For the control door.
pub(crate) fn list(world: &World) -> Value {
    let denied = &world.state.records.denied;
    let items =
        RIGHTS.iter().map(|(right, about)| json!({"right": right, "denied": denied.contains(right), "about": about}));
    json!({"items": items.collect::<Vec<_>>()})
}
