//! What a request has changed, as callbacks tell it. Source: facts 11.1 and 11.6.
//!
//! Promises: every request that was carried out is looked at here and nowhere else, by its path alone: a resource needs
//! no line of its own for its changes to be told. Own writes are told like those of others, whatever `skipCallback`
//! says: its effect is not documented.
//! Leaves to others: who hears of it (`callbacks`).

use super::state::id_of;
use super::{API_MEMBER, below_base, people, route};
use crate::callbacks::{Event, fire};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::Value;

/// Paths of records that have callbacks, and their type. There is none for notes, documents, boards or statuses.
const RESOURCES: [(&str, &str, &str); 6] = [
    ("service", "tickets", "ticket"),
    ("project", "tickets", "ticket"),
    ("time", "entries", "time"),
    ("system", "members", "member"),
    ("company", "companies", "company"),
    ("company", "contacts", "contact"),
];

/// Answers a request of the API and tells what it has changed.
pub(super) fn watched(world: &mut World, asked: &Asked, fault: Option<&Fault>) -> Reply {
    let meant = if asked.method == "GET" { None } else { meant(&asked.path) };
    let Some(meant) = meant else { return route(world, asked, fault) };
    // A deleted record cannot be looked at afterwards.
    let before = if asked.method == "DELETE" { meant.record(world, asked) } else { None };
    let reply = route(world, asked, fault);
    if reply.committed {
        for event in meant.events(world, asked, before, &reply) {
            fire(world, &event);
        }
    }
    reply
}

/// What a path is about.
struct Meant {
    kind: &'static str,
    /// The path of the resource.
    base: String,
    id: Option<u64>,
    /// The path goes on below the record.
    below: bool,
}

fn meant(path: &str) -> Option<Meant> {
    let (codebase, parts) = below_base(path)?;
    let [module, resource, rest @ ..] = parts.as_slice() else { return None };
    let (.., kind) = RESOURCES.iter().find(|(known, name, _)| known == module && name == resource)?;
    let id = rest.first().and_then(|id| id.parse().ok());
    let base = format!("/{codebase}/apis/3.0/{module}/{resource}");
    Some(Meant { kind, base, id, below: rest.len() > 1 })
}

impl Meant {
    fn events(&self, world: &mut World, asked: &Asked, before: Option<Value>, reply: &Reply) -> Vec<Event> {
        let event = |kind: &str, action: &str, by: &str, record: Value| Event {
            kind: kind.to_owned(),
            id: id_of(&record),
            action: action.to_owned(),
            by: by.to_owned(),
            record,
        };
        let answered: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let (action, record) = match (self.id, asked.method.as_str()) {
            (None, _) => ("added", Some(answered.clone())),
            (Some(_), "DELETE") if !self.below => ("deleted", before),
            (Some(_), _) => ("updated", self.record(world, asked)),
        };
        let mut events: Vec<Event> =
            record.into_iter().map(|record| event(self.kind, action, API_MEMBER, record)).collect();
        // A workflow rule has saved it again, under its own name.
        let rule = events.first().and_then(|event| event.record["_info"]["updatedBy"].as_str().map(str::to_owned));
        if let Some(rule) = rule.filter(|by| by == super::patch::WORKFLOW && self.kind == "ticket" && !self.below) {
            let again = events.last().map(|last| event(self.kind, "updated", &rule, last.record.clone()));
            events.extend(again);
        }
        // Time on a ticket is told as a change of the ticket: messages of the older kind had its id (facts 11.3).
        if self.kind == "time"
            && let Some(ticket) = answered["chargeToId"].as_u64().and_then(|id| world.state.ticket(id))
        {
            events.push(event("ticket", "updated", API_MEMBER, ticket.clone()));
        }
        events
    }

    /// The record as a client would read it.
    fn record(&self, world: &mut World, asked: &Asked) -> Option<Value> {
        let id = self.id?;
        if self.kind == "ticket" {
            return world.state.ticket(id).cloned();
        }
        let headers = asked.headers.clone();
        let path = format!("{}/{id}", self.base);
        let read = Asked { method: "GET".to_owned(), path, raw_query: String::new(), headers, body: Vec::new() };
        let reply = route(world, &read, None);
        serde_json::from_slice(&reply.body).ok().filter(|_| reply.status == 200)
    }
}

/// Answers an order of the control door and tells what somebody has changed by it: `POST {records}` and
/// `POST {records}/{id}`.
pub(crate) fn by_people(world: &mut World, asked: &Asked, answer: impl FnOnce(&mut World, &Asked) -> Reply) -> Reply {
    let parts: Vec<&str> = asked.path.trim_start_matches("/_sim/").split('/').collect();
    let kind = match parts.first() {
        Some(&"tickets") => "ticket",
        Some(&"time") => "time",
        Some(&"members") => "member",
        Some(&"companies") => "company",
        Some(&"contacts") => "contact",
        _ => return answer(world, asked),
    };
    if asked.method != "POST" {
        return answer(world, asked);
    }
    let order = asked.body_value();
    let id: Option<u64> = parts.get(1).and_then(|id| id.parse().ok());
    let before = id.and_then(|id| world.state.ticket(id).cloned());
    let reply = answer(world, asked);
    if !(200..300).contains(&reply.status) {
        return reply;
    }
    let answered: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let after = if answered["ticket"].is_object() { answered["ticket"].clone() } else { answered };
    let by = order["note"]["createdBy"].as_str().unwrap_or(people::SOMEBODY);
    let mut tell = |action: &str, record: Option<Value>| {
        if let Some(record) = record.filter(|record| id_of(record) > 0) {
            let event = Event {
                kind: kind.to_owned(),
                id: id_of(&record),
                action: action.to_owned(),
                by: by.to_owned(),
                record,
            };
            fire(world, &event);
        }
    };
    match id {
        None => tell("added", Some(after)),
        Some(_) if order["delete"] == true => tell("deleted", before),
        Some(_) => tell("updated", Some(after)),
    }
    if let Some(parent) = order["merge_into"].as_u64() {
        let parent = world.state.ticket(parent).cloned();
        if let Some(record) = parent {
            let (kind, action, by) = ("ticket".to_owned(), "updated".to_owned(), people::SOMEBODY.to_owned());
            fire(world, &Event { kind, id: id_of(&record), action, by, record });
        }
    }
    reply
}
