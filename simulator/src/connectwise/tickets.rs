//! `/service/tickets` and `/project/tickets`. Source: facts 6.

use super::query::Names;
use super::reply::{self, Invalid};
use super::state::{Kind, extend, id_of};
use super::{listing, notes, patch};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

/// Longer is refused, no truncation.
pub(super) const SUMMARY_MAX: usize = 100;

pub(super) fn route(world: &mut World, asked: &Asked, kind: Kind, rest: &[&str], fault: Option<&Fault>) -> Reply {
    let names = if kind == Kind::Service { Names::tickets() } else { Names::project_tickets() };
    let of_kind = |world: &World| -> Vec<Value> {
        world.state.tickets.values().filter(|row| row.kind == kind).map(|row| row.record.clone()).collect()
    };
    match (asked.method.as_str(), rest) {
        ("GET", []) => {
            let records = world.state.tickets.values().filter(|row| row.kind == kind).map(|row| &row.record);
            listing::list(world, asked, names, None, records)
        }
        ("GET", ["count"]) => listing::count(asked, names, of_kind(world).iter()),
        ("POST", ["search"]) => listing::list(world, asked, names, Some(&asked.body_value()), of_kind(world).iter()),
        ("POST", []) if kind == Kind::Service => create(world, asked),
        (method, [id, rest @ ..]) => {
            // The other kind is as absent as a missing one.
            let number = id.parse().ok().filter(|id| world.state.tickets.get(id).is_some_and(|row| row.kind == kind));
            let Some(number) = number else { return reply::not_found("Ticket", id) };
            match (method, rest) {
                ("GET", []) => one(world, asked, number),
                ("PATCH", []) => patch::ticket(world, asked, number, matches!(fault, Some(Fault::IgnoredPatch))),
                (_, ["notes", rest @ ..]) => notes::route(world, asked, number, rest, fault),
                (_, []) => reply::not_allowed(),
                _ => reply::no_endpoint(),
            }
        }
        _ => reply::not_allowed(),
    }
}

fn one(world: &World, asked: &Asked, id: u64) -> Reply {
    let fields = asked.parameter("fields").unwrap_or_default();
    match world.state.tickets.get(&id) {
        Some(row) => Reply::json(200, &listing::shown(world, &row.record, &fields)),
        None => reply::not_found("Ticket", &id.to_string()),
    }
}

/// Members a new ticket may have beyond those it is answered with. Source: facts 6, and openapi Ticket.
const ONLY_ON_CREATION: [&str; 3] = ["initialDescription", "initialInternalAnalysis", "initialResolution"];
const KNOWN: [&str; 22] = [
    "summary",
    "board",
    "status",
    "company",
    "contact",
    "priority",
    "type",
    "subType",
    "item",
    "team",
    "owner",
    "source",
    "severity",
    "impact",
    "externalXRef",
    "contactName",
    "contactEmailAddress",
    "contactPhoneNumber",
    "site",
    "customFields",
    "processNotifications",
    "integratorTags",
];

fn create(world: &mut World, asked: &Asked) -> Reply {
    let Value::Object(body) = asked.body_value() else {
        return reply::not_read("Unexpected character encountered while parsing value.");
    };
    if let Some(unknown) =
        body.keys().find(|key| !KNOWN.contains(&key.as_str()) && !ONLY_ON_CREATION.contains(&key.as_str()))
    {
        return reply::not_read(format!(
            "Could not find member '{unknown}' on object of type 'Ticket'. Path '{unknown}', line 1, position 1."
        ));
    }
    let summary = body.get("summary").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut errors = Vec::new();
    for (field, missing) in [("summary", summary.is_empty()), ("company", !body.contains_key("company"))] {
        if missing {
            errors.push(Invalid {
                code: "MissingRequiredField",
                message: format!("The {field} field is required."),
                field,
            });
        }
    }
    if summary.encode_utf16().count() > SUMMARY_MAX {
        errors.push(too_long());
    }
    if !errors.is_empty() {
        return reply::invalid("ticket", &errors);
    }
    let board = body.get("board").map_or(1, id_of);
    let now = world.now_text();
    let Some(made) = world.state.new_ticket(&summary, board, false, &now) else {
        let message = format!("Service Board {board} not found");
        return reply::invalid("ticket", &[Invalid { code: "NotFound", message, field: "board/id" }]);
    };
    let id = id_of(&made);
    let plain: Value = body
        .iter()
        .filter(|(key, value)| value.is_string() && !ONLY_ON_CREATION.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for (flag, name) in [
        ("detailDescriptionFlag", ONLY_ON_CREATION[0]),
        ("internalAnalysisFlag", ONLY_ON_CREATION[1]),
        ("resolutionFlag", ONLY_ON_CREATION[2]),
    ] {
        if let Some(text) = body.get(name).and_then(Value::as_str) {
            notes::keep(world, id, &json!({"text": text, flag: true}), false);
        }
    }
    let Some(row) = world.state.tickets.get_mut(&id) else { return reply::no_endpoint() };
    extend(&mut row.record, &plain);
    Reply::json(201, &row.record).committed()
}

pub(super) fn too_long() -> Invalid {
    let message = format!("The field summary must be a string with a maximum length of {SUMMARY_MAX}.");
    Invalid { code: "MaxLengthField", message, field: "summary" }
}
