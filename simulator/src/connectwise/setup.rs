//! Lists beyond the first ones: what a ticket chooses from, sites, devices, custom fields, kinds of work.
//!
//! Promises: read only. Source: facts 6, 8, 9 and 10.1.

use super::catalog::resource;
use super::query::Names;
use super::reply;
use super::state::id_of;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

/// `None`: it is none of them.
pub(super) fn route(world: &World, asked: &Asked, parts: &[&str]) -> Option<Reply> {
    let records = &world.state.records;
    let all = |rest: &[&str], names: &Names, what: &str, list: &[Value]| {
        Some(resource(world, asked, rest, names, what, list.iter()))
    };
    match parts {
        ["service", "boards", board, "subtypes", rest @ ..] => {
            of_board(world, asked, board, rest, (Names::sub_types(), "Board subtype", &records.sub_types))
        }
        ["service", "boards", board, "items", rest @ ..] => {
            of_board(world, asked, board, rest, (Names::items(), "Board item", &records.items))
        }
        ["service", "boards", board, "teams", rest @ ..] => {
            of_board(world, asked, board, rest, (Names::teams(), "Board team", &records.teams))
        }
        ["service", "boards", board, "typesubtypeitemassociations", rest @ ..] => {
            of_board(world, asked, board, rest, (Names::associations(), "Association", &records.associations))
        }
        ["service", "info", "boards", "active"] => {
            let active = world.state.boards.iter().filter(|board| board["inactiveFlag"] == false);
            let short: Vec<Value> = active.map(board_info).collect();
            Some(resource(world, asked, &[], Names::boards(), "Board", short.iter()))
        }
        ["service", "sources", rest @ ..] => all(rest, Names::sources(), "Source", &records.sources),
        ["system", "userdefinedfields", rest @ ..] => {
            all(rest, Names::custom_fields(), "User defined field", &records.fields)
        }
        ["time", "worktypes", rest @ ..] => all(rest, Names::work_types(), "Work Type", &records.work_types),
        ["time", "workroles", rest @ ..] => all(rest, Names::work_roles(), "Work Role", &records.work_roles),
        ["company", "configurations", rest @ ..] => {
            all(rest, Names::configurations(), "Configuration", &records.configurations)
        }
        ["company", "companies", company, "sites", rest @ ..] => {
            let known = |one: &&Value| id_of(one).to_string() == *company;
            let Some(found) = world.state.companies.iter().find(known).map(id_of) else {
                return Some(reply::not_found("Company", company));
            };
            let sites = records.sites.iter().filter(|site| id_of(&site["company"]) == found);
            Some(resource(world, asked, rest, Names::sites(), "Site", sites))
        }
        ["company", "contacts", contact, "communications", rest @ ..] => {
            Some(communications(world, asked, contact, rest))
        }
        _ => None,
    }
}

/// The short form, which needs fewer rights. Source: facts 8.
pub(super) fn board_info(board: &Value) -> Value {
    json!({
        "id": board["id"], "name": board["name"], "projectFlag": board["projectFlag"], "inactiveFlag": board["inactiveFlag"],
        "location": board["location"], "department": board["department"],
    })
}

fn of_board(
    world: &World,
    asked: &Asked,
    board: &str,
    rest: &[&str],
    (names, what, all): (&Names, &str, &[Value]),
) -> Option<Reply> {
    let Some(id) = board.parse().ok().filter(|id| world.state.board(*id).is_some()) else {
        return Some(reply::not_found("Board", board));
    };
    let is_of = |one: &&Value| one["boardId"] == id || one["board"]["id"] == id;
    Some(resource(world, asked, rest, names, what, all.iter().filter(is_of)))
}

/// The items of a contact, each naming it.
fn communications(world: &World, asked: &Asked, contact: &str, rest: &[&str]) -> Reply {
    let Some(found) = world.state.contacts.iter().find(|one| id_of(one).to_string() == contact) else {
        return reply::not_found("Contact", contact);
    };
    let items = found["communicationItems"].as_array().into_iter().flatten();
    let items: Vec<Value> = items
        .map(|item| {
            let mut item = item.clone();
            item["contactId"] = found["id"].clone();
            item
        })
        .collect();
    resource(world, asked, rest, Names::communications(), "Communication", items.iter())
}
