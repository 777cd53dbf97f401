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
        // Tickets that were merged into it or attached to it have changed too.
        let body = asked.body_value();
        let children = ["mergeTicketIds", "childTicketIds"].iter().filter_map(|name| body.get(*name)?.as_array());
        let children = children.flatten().filter(|_| self.kind == "ticket" && self.below).filter_map(Value::as_u64);
        // Time on a ticket is told as a change of the ticket: messages of the older kind had its id (facts 11.3).
        let charged =
            events.first().filter(|_| self.kind == "time").and_then(|time| time.record["chargeToId"].as_u64());
        for ticket in children.chain(charged).filter_map(|id| world.state.ticket(id)) {
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

/// Answers an order of the control door and tells what somebody has changed by it: `POST tickets`, `POST tickets/{id}`.
pub(crate) fn by_people(world: &mut World, asked: &Asked, answer: impl FnOnce(&mut World, &Asked) -> Reply) -> Reply {
    let parts: Vec<&str> = asked.path.trim_start_matches("/_sim/").split('/').collect();
    if asked.method != "POST" || parts.first() != Some(&"tickets") {
        return answer(world, asked);
    }
    let order = asked.body_value();
    let id: Option<u64> = parts.get(1).and_then(|id| id.parse().ok());
    let before = id.and_then(|id| world.state.ticket(id).cloned());
    let reply = answer(world, asked);
    if !(200..300).contains(&reply.status) {
        return reply;
    }
    let by = order["note"]["createdBy"].as_str().unwrap_or(people::SOMEBODY);
    let made = || serde_json::from_slice(&reply.body).ok();
    let (action, record) = match id {
        None => ("added", made()),
        Some(_) if order["delete"] == true => ("deleted", before),
        Some(id) => ("updated", world.state.ticket(id).cloned()),
    };
    let parent = order["merge_into"].as_u64().and_then(|parent| world.state.ticket(parent).cloned());
    tell(world, "ticket", action, by, record);
    tell(world, "ticket", "updated", by, parent);
    reply
}

/// Tells that somebody has done this to a record.
pub(super) fn tell(world: &mut World, kind: &str, action: &str, by: &str, record: Option<Value>) {
    let Some(record) = record else { return };
    let (kind, action, by) = (kind.to_owned(), action.to_owned(), by.to_owned());
    fire(world, &Event { kind, id: id_of(&record), action, by, record });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(method: &str, path: &str, body: &Value) -> Asked {
        let path = format!("/v4_6_release/apis/3.0/{path}");
        let body = body.to_string().into_bytes();
        Asked { method: method.to_owned(), path, raw_query: String::new(), headers: Vec::new(), body }
    }

    /// Type, action and id of what a request that was carried out has changed.
    fn told(method: &str, path: &str, body: &Value, before: Option<Value>, answer: &Value) -> Vec<String> {
        let mut world = World::new("http://127.0.0.1:1".to_owned(), 1, (5, 0), None);
        let asked = asked(method, path, body);
        let events = meant(&asked.path).unwrap().events(&mut world, &asked, before, &Reply::json(200, answer));
        events.iter().map(|event| format!("{} {} {}", event.kind, event.action, event.id)).collect()
    }

    #[test]
    fn time_on_a_ticket_is_told_twice_and_tickets_that_were_taken_along_too() {
        let time = json!({"id": 9, "chargeToId": 1002});
        let none = Value::Null;
        for (method, path, body, before, answer, expected) in [
            ("POST", "time/entries", &none, None, &time, vec!["time added 9", "ticket updated 1002"]),
            (
                "DELETE",
                "time/entries/9",
                &none,
                Some(time.clone()),
                &none,
                vec!["time deleted 9", "ticket updated 1002"],
            ),
            ("POST", "time/entries", &none, None, &json!({"id": 9, "chargeToId": 5}), vec!["time added 9"]),
            (
                "POST",
                "service/tickets/1001/merge",
                &json!({"mergeTicketIds": [1002, 1003]}),
                None,
                &none,
                vec!["ticket updated 1001", "ticket updated 1002", "ticket updated 1003"],
            ),
            ("POST", "company/contacts", &none, None, &json!({"id": 3}), vec!["contact added 3"]),
            ("DELETE", "service/tickets/1001/notes/5001", &none, None, &none, vec!["ticket updated 1001"]),
        ] {
            assert_eq!(told(method, path, body, before, answer), expected, "{method} {path}");
        }
    }

    #[test]
    fn what_has_no_callbacks_is_not_told() {
        for path in ["system/documents", "service/boards/1", "system/callbacks", "service", ""] {
            assert!(meant(&format!("/v4_6_release/apis/3.0/{path}")).is_none(), "{path}");
        }
    }
}
