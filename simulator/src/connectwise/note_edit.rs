//! PATCH and DELETE of a note.
//!
//! Promises: an edited note still needs a place to be shown; who has written it and when stays.

use super::operations::{self, Model};
use super::state::id_of;
use super::{API_MEMBER, notes, reply};
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

const MODEL: Model = Model {
    name: "ServiceNote",
    known: &notes::KNOWN,
    read_only: &["id", "ticketId", "dateCreated", "createdBy", "internalFlag", "externalFlag", "_info"],
};

/// What is not kept.
const NOT_KEPT: &str = "processNotifications";

pub(super) fn route(world: &mut World, asked: &Asked, ticket: u64, id: &str) -> Reply {
    let found = world.state.tickets.get(&ticket).and_then(|row| {
        row.notes.iter().position(|note| id_of(note).to_string() == id).map(|at| (at, row.notes[at].clone()))
    });
    let Some((at, note)) = found else { return reply::not_found("Note", id) };
    match asked.method.as_str() {
        "PATCH" => patch(world, asked, ticket, at, note),
        "DELETE" => {
            if let Some(row) = world.state.tickets.get_mut(&ticket) {
                row.notes.remove(at);
            }
            Reply::of(204, "application/json", "").committed()
        }
        _ => reply::not_allowed(),
    }
}

fn patch(world: &mut World, asked: &Asked, ticket: u64, at: usize, mut note: Value) -> Reply {
    let mut body = match operations::applied(asked, &note, &MODEL) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    if let Err(refusal) = notes::check(world, &body) {
        return refusal;
    }
    body.remove(NOT_KEPT);
    notes::set_author(world, &mut note, &Value::Object(body.clone()), API_MEMBER);
    for (name, value) in body {
        if !matches!(name.as_str(), "member" | "contact") {
            note[name] = value;
        }
    }
    note["_info"] = json!({"lastUpdated": world.now_text(), "updatedBy": API_MEMBER});
    if let Some(kept) = world.state.tickets.get_mut(&ticket).and_then(|row| row.notes.get_mut(at)) {
        *kept = note.clone();
    }
    Reply::json(200, &note).committed()
}
