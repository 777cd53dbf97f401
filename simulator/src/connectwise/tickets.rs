//! `/service/tickets` and `/project/tickets`. Source: facts 6.

use super::query::Names;
use super::state::{Kind, TicketRow};
use super::{all_notes, create, create_project, documents, listing, notes, patch, relations, reply, time};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

pub(super) fn route(world: &mut World, asked: &Asked, kind: Kind, rest: &[&str], fault: Option<&Fault>) -> Reply {
    let names = if kind == Kind::Service { Names::tickets() } else { Names::project_tickets() };
    let searched = (rest == ["search"]).then(|| asked.body_value());
    let by_reference = listing::conditions_use(asked, searched.as_ref(), "externalXRef");
    let listed = |row: &&TicketRow| row.kind == kind && row.is_listed(by_reference);
    let by_configuration = listing::conditions_use(asked, searched.as_ref(), "configuration");
    let of_kind = |world: &World| -> Vec<Value> {
        if by_configuration {
            return with_configurations(world, kind);
        }
        world.state.tickets.values().filter(listed).map(|row| row.record.clone()).collect()
    };
    match (asked.method.as_str(), rest) {
        ("GET", []) if by_configuration => {
            let records = with_configurations(world, kind);
            listing::list(world, asked, names, None, records.iter())
        }
        ("GET", []) => {
            let records = world.state.tickets.values().filter(listed).map(|row| &row.record);
            listing::list(world, asked, names, None, records)
        }
        ("GET", ["count"]) => listing::count(asked, names, of_kind(world).iter()),
        ("POST", ["search"]) => listing::list(world, asked, names, searched.as_ref(), of_kind(world).iter()),
        ("POST", []) if kind == Kind::Service => create::ticket(world, asked, fault),
        ("POST", []) => create_project::ticket(world, asked, fault),
        (method, [id, rest @ ..]) => {
            // The other kind is as absent as a missing one.
            let number = id.parse().ok().filter(|id| world.state.tickets.get(id).is_some_and(|row| row.kind == kind));
            let Some(number) = number else { return reply::not_found("Ticket", id) };
            match (method, rest) {
                ("GET", []) => one(world, asked, number),
                ("PATCH", []) => patch::ticket(world, asked, number, fault),
                ("DELETE", []) => relations::delete(world, number),
                (_, ["notes", rest @ ..]) => notes::route(world, asked, number, rest, fault),
                (_, ["allnotes", rest @ ..]) => all_notes::route(world, asked, number, rest),
                (_, rest) if kind == Kind::Service && !rest.is_empty() => below_service(world, asked, number, rest),
                (_, []) => reply::not_allowed(),
                _ => reply::no_endpoint(),
            }
        }
        _ => reply::not_allowed(),
    }
}

/// What only service tickets have.
fn below_service(world: &mut World, asked: &Asked, ticket: u64, rest: &[&str]) -> Reply {
    match (asked.method.as_str(), rest) {
        (_, ["timeentries", rest @ ..]) => time::of_ticket(world, asked, ticket, rest),
        (_, ["documents", rest @ ..]) => documents::of_ticket(world, asked, ticket, rest),
        (_, ["configurations", rest @ ..]) => relations::configurations(world, asked, ticket, rest),
        ("POST", ["merge"]) => relations::merge(world, asked, ticket),
        ("POST", ["attachchildren"]) => relations::attach(world, asked, ticket),
        ("POST", ["convert"]) => relations::convert(world, asked, ticket),
        (_, ["merge" | "attachchildren" | "convert"]) => reply::not_allowed(),
        _ => reply::no_endpoint(),
    }
}

/// The tickets of a kind with their configurations, for conditions on them; answers do not show them.
/// Source: facts 3.3, `configuration/id`.
fn with_configurations(world: &World, kind: Kind) -> Vec<Value> {
    let rows = world.state.tickets.iter().filter(|(_, row)| row.kind == kind && row.is_listed(false));
    rows.map(|(id, row)| {
        let mut record = row.record.clone();
        let linked = world.state.records.configurations_of(*id).map(|one| json!({"id": one["id"]}));
        record["configuration"] = linked.collect::<Vec<_>>().into();
        record
    })
    .collect()
}

fn one(world: &World, asked: &Asked, id: u64) -> Reply {
    let fields = asked.parameter("fields").unwrap_or_default();
    match world.state.tickets.get(&id) {
        Some(row) => Reply::json(200, &*listing::shown(world, &row.record, &fields)),
        None => reply::not_found("Ticket", &id.to_string()),
    }
}
