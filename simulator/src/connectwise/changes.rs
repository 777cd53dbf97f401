//! What a request has changed, as callbacks tell it. Source: facts 11.1 and 11.6.
//!
//! Promises: every request that was carried out is looked at here and nowhere else, by its path alone: a resource needs
//! no line of its own for its changes to be told. What the API member may read plays no part in it. Own writes are told
//! like those of others, whatever `skipCallback` says: its effect is not documented.
//! Leaves to others: who hears of it (`callbacks`).

use super::patch::WORKFLOW;
use super::records::charged_ticket;
use super::state::id_of;
use super::{API_MEMBER, below_base, people, route};
use crate::callbacks::{Event, fire};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::Value;
use std::collections::BTreeSet;

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
    // Afterwards a deleted record is gone, and time may be on another ticket.
    let before = meant.record(world);
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
    id: Option<u64>,
    /// The path goes on below the record.
    below: bool,
}

fn meant(path: &str) -> Option<Meant> {
    let (_, parts) = below_base(path)?;
    let [module, resource, rest @ ..] = parts.as_slice() else { return None };
    let (.., kind) = RESOURCES.iter().find(|(known, name, _)| known == module && name == resource)?;
    let id = rest.first().and_then(|id| id.parse().ok());
    Some(Meant { kind, id, below: rest.len() > 1 })
}

impl Meant {
    fn events(&self, world: &World, asked: &Asked, before: Option<Value>, reply: &Reply) -> Vec<Event> {
        let event = |kind: &str, action: &str, by: &str, record: Value| Event {
            kind: kind.to_owned(),
            id: id_of(&record),
            action: action.to_owned(),
            by: by.to_owned(),
            record,
        };
        // Time on a ticket is told as a change of the ticket: messages of the older kind had its id (facts 11.3).
        let mut others: BTreeSet<u64> = before.as_ref().and_then(|before| self.charged(before)).into_iter().collect();
        let (action, record) = match (self.id, asked.method.as_str()) {
            (None, _) => ("added", serde_json::from_slice(&reply.body).ok()),
            (Some(_), "DELETE") if !self.below => ("deleted", before),
            (Some(_), _) => ("updated", self.record(world)),
        };
        others.extend(record.as_ref().and_then(|record| self.charged(record)));
        let mut events: Vec<Event> =
            record.into_iter().map(|record| event(self.kind, action, API_MEMBER, record)).collect();
        // A workflow rule has saved it again, under its own name.
        let saved = self.kind == "ticket" && !self.below && action == "updated";
        let rule = events.first().filter(|event| saved && event.record["_info"]["updatedBy"] == WORKFLOW);
        let again = rule.map(|saved| event(self.kind, "updated", WORKFLOW, saved.record.clone()));
        events.extend(again);
        // Tickets that were merged into it or attached to it have changed too.
        let body = asked.body_value();
        let children = ["mergeTicketIds", "childTicketIds"].iter().filter_map(|name| body.get(*name)?.as_array());
        others.extend(children.flatten().filter(|_| self.kind == "ticket" && self.below).filter_map(Value::as_u64));
        let others = others.into_iter().filter_map(|id| world.state.ticket(id).cloned());
        events.extend(others.map(|ticket| event("ticket", "updated", API_MEMBER, ticket)));
        events
    }

    /// The ticket whose time the record is.
    fn charged(&self, record: &Value) -> Option<u64> {
        if self.kind == "time" { charged_ticket(record) } else { None }
    }

    /// The record as it is kept: no right and no switch stands before it.
    fn record(&self, world: &World) -> Option<Value> {
        let (id, state) = (self.id?, &world.state);
        let records = match self.kind {
            "ticket" => return state.ticket(id).cloned(),
            "time" => return state.records.time(id).cloned(),
            "member" => &state.members,
            "company" => &state.companies,
            _ => &state.contacts,
        };
        records.iter().find(|record| id_of(record) == id).cloned()
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
    use super::super::records::TimeRow;
    use super::*;
    use serde_json::json;

    fn asked(method: &str, path: &str, body: &Value) -> Asked {
        let path = format!("/v4_6_release/apis/3.0/{path}");
        let body = body.to_string().into_bytes();
        Asked { method: method.to_owned(), path, raw_query: String::new(), headers: Vec::new(), body }
    }

    /// Type, action and id of what a request that was carried out has changed.
    fn told(method: &str, path: &str, body: &Value, before: Option<Value>, answer: &Value) -> Vec<String> {
        let world = World::new("http://127.0.0.1:1".to_owned(), 1, (5, 0), None);
        let asked = asked(method, path, body);
        let events = meant(&asked.path).unwrap().events(&world, &asked, before, &Reply::json(200, answer));
        events.iter().map(|event| format!("{} {} {}", event.kind, event.action, event.id)).collect()
    }

    #[test]
    fn time_on_a_ticket_is_told_twice_and_tickets_that_were_taken_along_too() {
        let time = json!({"id": 9, "chargeToId": 1002, "chargeToType": "ServiceTicket"});
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
            // The number of something else that happens to be that of a ticket.
            (
                "POST",
                "time/entries",
                &none,
                None,
                &json!({"id": 9, "chargeToId": 1002, "chargeToType": "Company"}),
                vec!["time added 9"],
            ),
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

    /// A rule's name stays in a ticket that others delete or write notes to.
    #[test]
    fn a_workflow_is_told_only_when_it_has_saved_a_ticket_again() {
        let ruled = json!({"id": 1001, "_info": {"updatedBy": WORKFLOW}});
        let deleted = told("DELETE", "service/tickets/1001", &Value::Null, Some(ruled.clone()), &Value::Null);
        assert_eq!(deleted, ["ticket deleted 1001"]);
        let mut world = World::new("http://127.0.0.1:1".to_owned(), 1, (5, 0), None);
        world.state.tickets.get_mut(&1001).unwrap().record = ruled;
        for (path, expected) in [("service/tickets/1001", 2), ("service/tickets/1001/notes", 1)] {
            let asked = asked("PATCH", path, &Value::Null);
            let reply = Reply::json(200, &Value::Null);
            assert_eq!(meant(&asked.path).unwrap().events(&world, &asked, None, &reply).len(), expected, "{path}");
        }
    }

    #[test]
    fn what_a_role_may_not_read_is_told_all_the_same() {
        let mut world = World::new("http://127.0.0.1:1".to_owned(), 1, (5, 0), None);
        let time = json!({"id": 5001, "chargeToId": 1002, "chargeToType": "ServiceTicket"});
        world.state.records.times = vec![TimeRow { record: time, listed_from: None }];
        let rights = json!({"deny": ["tickets", "time", "members", "companies", "contacts"]});
        crate::connectwise::rights::deny(&mut world, &rights).unwrap();
        world.set_switch("members_forbidden", &json!(true)).unwrap();
        for path in [
            "service/tickets/1001",
            "time/entries/5001",
            "system/members/177",
            "company/companies/2",
            "company/contacts/3",
        ] {
            let asked = asked("PATCH", path, &Value::Null);
            let record = meant(&asked.path).unwrap().record(&world);
            assert!(record.is_some_and(|record| path.ends_with(&format!("/{}", record["id"]))), "{path}");
        }
    }

    #[test]
    fn what_has_no_callbacks_is_not_told() {
        for path in ["system/documents", "service/boards/1", "system/callbacks", "service", ""] {
            assert!(meant(&format!("/v4_6_release/apis/3.0/{path}")).is_none(), "{path}");
        }
    }
}
