//! `/service/tickets` and `/project/tickets`. Source: facts 6.

use super::query::Names;
use super::state::{Kind, TicketRow};
use super::{create, listing, notes, patch, reply};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::Value;

pub(super) fn route(world: &mut World, asked: &Asked, kind: Kind, rest: &[&str], fault: Option<&Fault>) -> Reply {
    let names = if kind == Kind::Service { Names::tickets() } else { Names::project_tickets() };
    let searched = (rest == ["search"]).then(|| asked.body_value());
    let by_reference = listing::conditions_use(asked, searched.as_ref(), "externalXRef");
    let listed = |row: &&TicketRow| row.kind == kind && row.is_listed(by_reference);
    let of_kind = |world: &World| -> Vec<Value> {
        world.state.tickets.values().filter(listed).map(|row| row.record.clone()).collect()
    };
    match (asked.method.as_str(), rest) {
        ("GET", []) => {
            let records = world.state.tickets.values().filter(listed).map(|row| &row.record);
            listing::list(world, asked, names, None, records)
        }
        ("GET", ["count"]) => listing::count(asked, names, of_kind(world).iter()),
        ("POST", ["search"]) => listing::list(world, asked, names, searched.as_ref(), of_kind(world).iter()),
        ("POST", []) if kind == Kind::Service => create::ticket(world, asked, fault),
        (method, [id, rest @ ..]) => {
            // The other kind is as absent as a missing one.
            let number = id.parse().ok().filter(|id| world.state.tickets.get(id).is_some_and(|row| row.kind == kind));
            let Some(number) = number else { return reply::not_found("Ticket", id) };
            match (method, rest) {
                ("GET", []) => one(world, asked, number),
                ("PATCH", []) => patch::ticket(world, asked, number, fault),
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
