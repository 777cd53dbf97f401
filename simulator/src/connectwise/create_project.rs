//! POST of a project ticket. Source: facts 6, openapi ProjectTicket.
//!
//! Promises: a summary and a phase are required; members that only service tickets have are unknown.
//! Leaves to others: what both kinds have in common (`create`).

use super::query::Names;
use super::references;
use super::reply::{self, Invalid};
use super::state::{extend, id_of, listed_from};
use super::{create, operations, relations};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Map, Value, json};

/// The board of who says none.
const BOARD: u64 = 3;
const REFERENCES: [&str; 9] = ["board", "status", "company", "contact", "priority", "type", "owner", "source", "site"];

pub(super) fn ticket(world: &mut World, asked: &Asked, fault: Option<&Fault>) -> Reply {
    let Value::Object(mut body) = asked.body_value() else {
        return reply::not_read("Unexpected character encountered while parsing value.");
    };
    let unknown = body.keys().find(|name| !is_known(name)).cloned();
    body.retain(|_, value| !value.is_null());
    let checked = match unknown {
        Some(name) => Err(operations::unknown(&name, "ProjectTicket")),
        None => record_of(world, &body),
    };
    let (board, record) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return refusal,
    };
    let now = world.now_text();
    let summary = body.get("summary").and_then(Value::as_str).unwrap_or_default();
    let Some(made) = world.state.new_ticket(summary, board, true, &now) else { return reply::no_endpoint() };
    let id = id_of(&made);
    create::keep_first_notes(world, id, &body, fault);
    let Some(row) = world.state.tickets.get_mut(&id) else { return reply::no_endpoint() };
    row.record.as_object_mut().map(|members| members.remove("contact"));
    extend(&mut row.record, &record);
    row.listed_from = listed_from(world.switches.listing_lag_ms, fault);
    let made = row.record.clone();
    world.state.mail_of_save(id, "ticket", &Value::Object(body), true);
    Reply::json(201, &made).committed()
}

fn is_known(name: &str) -> bool {
    let first_note = create::FIRST_NOTES.iter().any(|(known, _)| *known == name);
    first_note || matches!(name, "processNotifications" | "skipCallback") || Names::project_tickets().returns(name)
}

/// The board, and what is said of the ticket.
fn record_of(world: &World, body: &Map<String, Value>) -> Result<(u64, Value), Reply> {
    let missing = |field: &'static str| {
        let message = format!("The {field} field is required.");
        reply::invalid("projectTicket", &[Invalid { code: "MissingRequiredField", message, field }])
    };
    let summary = body.get("summary").ok_or_else(|| missing("summary"))?;
    references::check_text("summary", 100, summary)?;
    if summary.as_str().is_none_or(|text| text.trim().is_empty()) {
        return Err(missing("summary"));
    }
    let phase = body.get("phase").ok_or_else(|| missing("phase"))?;
    if !phase.is_object() {
        return Err(references::not_converted("phase", phase));
    }
    let Some(mut record) = relations::phase_of(world, phase, body.get("project")) else {
        let message = format!("Project Phase {} not found", phase["id"]);
        return Err(reply::invalid("projectTicket", &[Invalid { code: "NotFound", message, field: "phase/id" }]));
    };
    record["board"] = json!({"id": BOARD, "name": "Projects"});
    for name in REFERENCES {
        if let Some(value) = body.get(name) {
            references::set(world, &mut record, name, value)?;
        }
    }
    let board = id_of(&record["board"]);
    if world.state.board(board).is_none_or(|found| found["projectFlag"] != true) {
        let message = format!("Project Board {board} not found");
        return Err(reply::invalid("projectTicket", &[Invalid { code: "NotFound", message, field: "board/id" }]));
    }
    if let Some(place) = body.get("wbsCode") {
        record["wbsCode"] = place.clone();
    }
    Ok((board, record))
}
