//! Boards, statuses, types, priorities, members, companies, contacts, the system.

use super::query::Names;
use super::state::id_of;
use super::{listing, reply, setup};
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

/// The member whose keys are used.
const ME: u64 = 180;

pub(super) fn system_info() -> Reply {
    Reply::json(
        200,
        &json!({"version": "v2025.1.99001", "isCloud": true, "serverTimeZone": "Eastern Standard Time",
                "licenseBits": [{"name": "serviceDesk", "activeFlag": true}], "cloudRegion": "NA"}),
    )
}

pub(super) fn route(world: &World, asked: &Asked, parts: &[&str]) -> Reply {
    let state = &world.state;
    if let Some(reply) = setup::route(world, asked, parts) {
        return reply;
    }
    match parts {
        ["system", "mymembers", "info"] => my_info(world),
        ["system", "members", ..] if world.switches.members_forbidden => reply::forbidden(),
        // The identifier in place of the id; paths are in lower case. Source: facts 9.
        ["system", "members", name] if name.parse::<u64>().is_err() && *name != "count" => {
            let is_meant =
                |member: &&Value| member["identifier"].as_str().is_some_and(|one| one.eq_ignore_ascii_case(name));
            let found = state.members.iter().find(is_meant).map(|member| id_of(member).to_string());
            let id = found.as_deref().unwrap_or(name);
            resource(world, asked, &[id], Names::members(), "Member", state.members.iter())
        }
        ["system", "members", rest @ ..] => {
            resource(world, asked, rest, Names::members(), "Member", state.members.iter())
        }
        ["system", "info", "members", rest @ ..] => {
            let short: Vec<Value> = state.members.iter().map(member_info).collect();
            resource(world, asked, rest, Names::members(), "Member", short.iter())
        }
        ["service", "info", "boards", rest @ ..] => {
            let short: Vec<Value> = state.boards.iter().map(setup::board_info).collect();
            resource(world, asked, rest, Names::boards(), "Board", short.iter())
        }
        ["service", "boards", board, "statuses", rest @ ..] => {
            of_board(world, asked, board, rest, Names::statuses(), "Board status", &state.statuses)
        }
        ["service", "boards", board, "types", rest @ ..] => {
            of_board(world, asked, board, rest, Names::types(), "Board type", &state.types)
        }
        ["service", "boards", rest @ ..] => resource(world, asked, rest, Names::boards(), "Board", state.boards.iter()),
        ["service", "priorities", rest @ ..] => {
            resource(world, asked, rest, Names::priorities(), "Priority", state.priorities.iter())
        }
        ["company", "companies"] if listing::is_forward(asked) => reply::not_boolean(),
        ["company", "companies", rest @ ..] => {
            resource(world, asked, rest, Names::companies(), "Company", state.companies.iter())
        }
        ["company", "contacts", rest @ ..] => {
            resource(world, asked, rest, Names::contacts(), "Contact", state.contacts.iter())
        }
        // Answers, and is empty without a board. Source: facts 8.
        ["service", "statuses"] => Reply::json(200, &json!([])),
        _ => reply::no_endpoint(),
    }
}

fn of_board(
    world: &World,
    asked: &Asked,
    board: &str,
    rest: &[&str],
    names: &Names,
    what: &str,
    all: &[Value],
) -> Reply {
    let Some(id) = board.parse().ok().filter(|id| world.state.board(*id).is_some()) else {
        return reply::not_found("Board", board);
    };
    resource(world, asked, rest, names, what, all.iter().filter(|record| id_of(&record["board"]) == id))
}

/// A list, its count, or one of it.
pub(super) fn resource<'a>(
    world: &World,
    asked: &Asked,
    rest: &[&str],
    names: &Names,
    what: &str,
    mut records: impl Iterator<Item = &'a Value>,
) -> Reply {
    match rest {
        [] => listing::list(world, asked, names, None, records),
        ["count"] => listing::count(asked, names, records),
        [id] => match records.find(|record| id_of(record).to_string() == *id) {
            Some(record) => {
                let fields = asked.parameter("fields").unwrap_or_default();
                Reply::json(200, &*listing::shown(world, record, &fields))
            }
            None => reply::not_found(what, id),
        },
        _ => reply::no_endpoint(),
    }
}

fn my_info(world: &World) -> Reply {
    if world.switches.my_members_missing {
        return reply::no_endpoint();
    }
    let me = world.state.members.iter().find(|member| id_of(member) == ME);
    me.map_or_else(reply::no_endpoint, |me| Reply::json(200, &member_info(me)))
}

/// The short form. Source: facts 2.3.
fn member_info(member: &Value) -> Value {
    let text = |name: &str| member[name].as_str().unwrap_or_default();
    json!({
        "id": member["id"], "identifier": member["identifier"], "firstName": member["firstName"],
        "lastName": member["lastName"], "fullName": format!("{} {}", text("firstName"), text("lastName")),
        "defaultEmail": member["defaultEmail"], "licenseClass": member["licenseClass"], "inactiveFlag": member["inactiveFlag"],
    })
}
