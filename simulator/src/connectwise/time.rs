//! `/time/entries`, and the time of a ticket. Source: facts 10.1.
//!
//! Leaves to others: what an entry may say (`time_rules`), mails (`mails`).

use super::operations::{self, Model};
use super::query::Names;
use super::records::TimeRow;
use super::reply::{self, Invalid};
use super::state::{id_of, listed_from};
use super::{API_MEMBER, listing, rewrite, time_rules};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

const MODEL: Model = Model { name: "TimeEntry", known: &time_rules::KNOWN, read_only: &time_rules::READ_ONLY };

/// Flags that do something once and are not kept.
const ACTIONS: [&str; 3] = ["emailContactFlag", "emailResourceFlag", "emailCcFlag"];

pub(super) fn route(world: &mut World, asked: &Asked, rest: &[&str], fault: Option<&Fault>) -> Reply {
    let times = &world.state.records.times;
    let listed = || times.iter().filter(|row| row.is_listed()).map(|row| &row.record);
    match (asked.method.as_str(), rest) {
        ("GET", []) => listing::list(world, asked, Names::time_entries(), None, listed()),
        ("GET", ["count"]) => listing::count(asked, Names::time_entries(), listed()),
        ("POST", []) => add(world, asked, fault),
        (method, [id]) => {
            let Some(at) = times.iter().position(|row| id_of(&row.record).to_string() == *id) else {
                return reply::not_found("Time Entry", id);
            };
            match method {
                "GET" => {
                    let fields = asked.parameter("fields").unwrap_or_default();
                    Reply::json(200, &*listing::shown(world, &times[at].record, &fields))
                }
                "PATCH" => patch(world, asked, at, fault),
                "DELETE" => {
                    world.state.records.times.remove(at);
                    Reply::of(204, "application/json", "").committed()
                }
                _ => reply::not_allowed(),
            }
        }
        _ => reply::not_allowed(),
    }
}

/// References only. Source: openapi TimeEntryReference.
pub(super) fn of_ticket(world: &World, asked: &Asked, ticket: u64, rest: &[&str]) -> Reply {
    let times = world.state.records.times.iter().filter(|row| row.is_of_ticket(ticket) && row.is_listed());
    let references: Vec<Value> = times.map(|row| json!({"id": row.record["id"]})).collect();
    match (asked.method.as_str(), rest) {
        ("GET", []) => listing::list(world, asked, Names::references(), None, references.iter()),
        ("GET", ["count"]) => listing::count(asked, Names::references(), references.iter()),
        _ => reply::not_allowed(),
    }
}

fn add(world: &mut World, asked: &Asked, fault: Option<&Fault>) -> Reply {
    let Ok(Value::Object(body)) = serde_json::from_slice(&asked.body) else {
        return reply::not_read("Unexpected character encountered while parsing value. Path '', line 1, position 1.");
    };
    let mut record = match time_rules::record_of(world, &body) {
        Ok(record) => record,
        Err(refusal) => return refusal,
    };
    let now = world.now_text();
    let id = world.state.records.next_time;
    world.state.records.next_time += 1;
    record["id"] = json!(id);
    record["enteredBy"] = json!(API_MEMBER);
    record["dateEntered"] = json!(now);
    record["status"] = json!("Open");
    record["invoiceReady"] = json!(0);
    finish(world, &mut record, fault, &now);
    let listed_from = listed_from(world.switches.listing_lag_ms, fault);
    world.state.records.times.push(TimeRow { record: record.clone(), listed_from });
    Reply::json(201, &record).committed()
}

fn patch(world: &mut World, asked: &Asked, at: usize, fault: Option<&Fault>) -> Reply {
    let before = world.state.records.times[at].record.clone();
    let body = match operations::applied(asked, &before, &MODEL) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    if body.get("billableOption").is_none_or(Value::is_null) {
        // Source: openapi, "required on updates".
        let message = "The billableOption field is required.".to_owned();
        let field = "billableOption";
        return reply::invalid("timeEntry", &[Invalid { code: "MissingRequiredField", message, field }]);
    }
    let mut record = match time_rules::record_of(world, &body) {
        Ok(record) => record,
        Err(refusal) => return refusal,
    };
    if matches!(fault, Some(Fault::IgnoredPatch)) {
        return Reply::json(200, &before);
    }
    for name in ["id", "enteredBy", "dateEntered", "status", "invoiceReady"] {
        record[name] = before[name].clone();
    }
    let now = world.now_text();
    finish(world, &mut record, fault, &now);
    world.state.records.times[at].record = record.clone();
    Reply::json(200, &record).committed()
}

/// What happens on each save: mails, and what becomes of the text.
fn finish(world: &mut World, record: &mut Value, fault: Option<&Fault>, now: &str) {
    world.state.mail_of_time(record);
    for flag in ACTIONS {
        record[flag] = json!(false);
    }
    match fault {
        Some(Fault::WrongVisibility) => record["addToDetailDescriptionFlag"] = json!(true),
        Some(Fault::Rewrite { how }) => {
            if let Some(text) = record["notes"].as_str() {
                record["notes"] = json!(rewrite::rewritten(text, *how));
            }
        }
        _ => {}
    }
    record["_info"] = json!({"lastUpdated": now, "updatedBy": API_MEMBER});
}
