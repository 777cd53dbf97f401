//! What joins tickets to each other and to devices: merge, bundle, convert, configurations, and the end of a ticket.
//!
//! Promises: all or nothing; what is deleted is gone for every client, and only the control door still shows it.
//! Source: facts 6 and 9.

use super::operations::unknown;
use super::query::Names;
use super::references::not_converted;
use super::reply::{self, Invalid};
use super::state::{Kind, id_of};
use super::{API_MEMBER, listing, people};
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Map, Value, json};

fn refuse(resource: &str, code: &'static str, message: String, field: &'static str) -> Reply {
    reply::invalid(resource, &[Invalid { code, message, field }])
}

fn done(message: &str) -> Reply {
    Reply::json(200, &json!({"success": true, "message": message})).committed()
}

/// The body, which has these members and no others.
fn body_of(asked: &Asked, model: &str, known: &[&str]) -> Result<Map<String, Value>, Reply> {
    let Value::Object(body) = asked.body_value() else {
        return Err(reply::not_read("Unexpected character encountered while parsing value."));
    };
    match body.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unknown(name, model)),
        None => Ok(body),
    }
}

/// Ids of other service tickets.
fn children(
    world: &World,
    parent: u64,
    body: &Map<String, Value>,
    resource: &str,
    name: &'static str,
) -> Result<Vec<u64>, Reply> {
    let said = body.get(name).filter(|said| said.as_array().is_some_and(|ids| !ids.is_empty()));
    let Some(said) = said.and_then(Value::as_array) else {
        let message = format!("The {name} field is required.");
        return Err(refuse(resource, "MissingRequiredField", message, name));
    };
    let mut ids = Vec::new();
    for one in said {
        let Some(id) = one.as_u64() else { return Err(not_converted(name, one)) };
        let row = world.state.tickets.get(&id).filter(|row| row.kind == Kind::Service && id != parent);
        if row.is_none_or(|row| row.record["mergedParentTicket"].is_object()) {
            return Err(refuse(resource, "NotFound", format!("Ticket {id} not found"), name));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// `POST …/{parent}/merge`: the status is for the children, so each child's board must have it.
pub(super) fn merge(world: &mut World, asked: &Asked, parent: u64) -> Reply {
    let checked = body_of(asked, "TicketMerge", &["mergeTicketIds", "status"]).and_then(|body| {
        let ids = children(world, parent, &body, "ticketMerge", "mergeTicketIds")?;
        let Some(status) = body.get("status").filter(|status| status.is_object()) else {
            let message = "The status field is required.".to_owned();
            return Err(refuse("ticketMerge", "MissingRequiredField", message, "status"));
        };
        for id in &ids {
            let board = world.state.tickets.get(id).map_or(0, |row| id_of(&row.record["board"]));
            if !world.state.statuses_of(board).any(|found| id_of(found) == id_of(status)) {
                let message = format!("Service Status {} not found for Service Board {board}", status["id"]);
                return Err(refuse("ticketMerge", "NotFound", message, "status/id"));
            }
        }
        Ok((ids, id_of(status)))
    });
    let (ids, status) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return refusal,
    };
    for child in ids {
        if let Err(why) = people::merge(world, child, parent, API_MEMBER, |found| id_of(found) == status) {
            return refuse("ticketMerge", "InvalidField", why, "mergeTicketIds");
        }
    }
    done("The tickets have been merged.")
}

/// `POST …/{parent}/attachChildren`: a bundle.
pub(super) fn attach(world: &mut World, asked: &Asked, parent: u64) -> Reply {
    let checked = body_of(asked, "TicketBundle", &["childTicketIds"])
        .and_then(|body| children(world, parent, &body, "ticketBundle", "childTicketIds"));
    let ids = match checked {
        Ok(ids) => ids,
        Err(refusal) => return refusal,
    };
    let now = world.now_text();
    let mut set = |id: u64, name: &str, value: Value| {
        if let Some(row) = world.state.tickets.get_mut(&id) {
            let mut record = row.record.clone();
            record[name] = value;
            row.replace(record, API_MEMBER, &now);
        }
    };
    for child in ids {
        set(child, "parentTicketId", json!(parent));
    }
    set(parent, "hasChildTicket", json!(true));
    done("The tickets have been attached.")
}

/// `POST …/{id}/convert`: phase and place in the plan are required.
pub(super) fn convert(world: &mut World, asked: &Asked, ticket: u64) -> Reply {
    let body = match body_of(asked, "ConvertToProject", &["id", "recordType", "project", "phase", "wbsCode"]) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let phase = body.get("phase").filter(|phase| phase.is_object());
    let Some(phase) = phase else {
        let message = "The phase field is required.".to_owned();
        return refuse("convertToProject", "MissingRequiredField", message, "phase");
    };
    let Some(place) = body.get("wbsCode").and_then(Value::as_str).filter(|place| !place.is_empty()) else {
        let message = "The wbsCode field is required.".to_owned();
        return refuse("convertToProject", "MissingRequiredField", message, "wbsCode");
    };
    let Some(phase) = phase_of(world, phase, body.get("project")) else {
        return refuse("convertToProject", "NotFound", format!("Project Phase {} not found", phase["id"]), "phase/id");
    };
    let mut members = phase;
    members["isIssueFlag"] = json!(body.get("recordType").is_some_and(|kind| *kind == "ProjectIssue"));
    members["wbsCode"] = json!(place);
    match people::convert(world, ticket, API_MEMBER, &members) {
        Ok(()) => done("The ticket has been converted."),
        Err(why) => refuse("convertToProject", "InvalidField", why, "id"),
    }
}

/// `{project, phase}` as a ticket holds them; a project that is said must have the phase.
pub(super) fn phase_of(world: &World, phase: &Value, project: Option<&Value>) -> Option<Value> {
    let found = world.state.records.phases.iter().find(|one| id_of(one) == id_of(phase))?;
    let project = project.filter(|project| !project.is_null());
    if project.is_some_and(|project| id_of(project) != id_of(&found["project"])) {
        return None;
    }
    Some(json!({"project": found["project"], "phase": {"id": found["id"], "name": found["name"]}}))
}

/// `DELETE` of a ticket.
pub(super) fn delete(world: &mut World, ticket: u64) -> Reply {
    let Some(row) = world.state.tickets.remove(&ticket) else {
        return reply::not_found("Ticket", &ticket.to_string());
    };
    world.state.deleted.insert(ticket, row);
    Reply::of(204, "application/json", "").committed()
}

/// `/service/tickets/{id}/configurations`.
pub(super) fn configurations(world: &mut World, asked: &Asked, ticket: u64, rest: &[&str]) -> Reply {
    let linked: Vec<Value> = world.state.records.configurations_of(ticket).map(link).collect();
    let one = |id: &str| linked.iter().find(|one| id_of(one).to_string() == id).cloned();
    match (asked.method.as_str(), rest) {
        ("GET", []) => listing::list(world, asked, Names::linked_configurations(), None, linked.iter()),
        ("GET", ["count"]) => listing::count(asked, Names::linked_configurations(), linked.iter()),
        ("POST", []) => link_one(world, asked, ticket),
        ("GET", [id]) => one(id).map_or_else(|| reply::not_found("Configuration", id), |one| Reply::json(200, &one)),
        ("DELETE", [id]) => match one(id) {
            Some(found) => {
                world.state.records.links.retain(|link| *link != (ticket, id_of(&found)));
                Reply::of(204, "application/json", "").committed()
            }
            None => reply::not_found("Configuration", id),
        },
        _ => reply::not_allowed(),
    }
}

fn link(configuration: &Value) -> Value {
    json!({"id": configuration["id"], "deviceIdentifier": configuration["deviceIdentifier"], "_info": {"name": configuration["name"]}})
}

/// Only devices of the ticket's company, and each once: nowhere said, the stricter answer.
fn link_one(world: &mut World, asked: &Asked, ticket: u64) -> Reply {
    let body = match body_of(asked, "ConfigurationReference", &["id", "deviceIdentifier", "_info"]) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let Some(id) = body.get("id").and_then(Value::as_u64) else {
        let message = "The id field is required.".to_owned();
        return refuse("configurationReference", "MissingRequiredField", message, "id");
    };
    let company = world.state.tickets.get(&ticket).map_or(0, |row| id_of(&row.record["company"]));
    let configurations = &world.state.records.configurations;
    let found = configurations.iter().find(|one| id_of(one) == id && id_of(&one["company"]) == company).map(link);
    let Some(found) = found else {
        return refuse("configurationReference", "NotFound", format!("Configuration {id} not found"), "id");
    };
    if world.state.records.links.contains(&(ticket, id)) {
        let message = format!("Configuration {id} is attached already");
        return refuse("configurationReference", "ObjectExists", message, "id");
    }
    world.state.records.links.push((ticket, id));
    Reply::json(201, &found).committed()
}
