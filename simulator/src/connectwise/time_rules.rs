//! What a time entry may say. Source: facts 10.1 and 3.1.
//!
//! Promises: hours follow from start and end; whatever is refused is refused before anything is kept.

use super::operations::unknown;
use super::references::not_converted;
use super::reply::{self, Invalid};
use super::seed::reference;
use super::state::{Kind, id_of, named};
use super::{API_MEMBER, state};
use crate::http::Reply;
use crate::world::World;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Members that may be sent. Source: openapi TimeEntry.
pub(super) const KNOWN: [&str; 36] = [
    "id",
    "company",
    "chargeToId",
    "chargeToType",
    "member",
    "locationId",
    "businessUnitId",
    "location",
    "department",
    "workType",
    "workRole",
    "agreement",
    "activity",
    "timeStart",
    "timeEnd",
    "hoursDeduct",
    "actualHours",
    "billableOption",
    "notes",
    "internalNotes",
    "addToDetailDescriptionFlag",
    "addToInternalAnalysisFlag",
    "addToResolutionFlag",
    "emailResourceFlag",
    "emailContactFlag",
    "emailCcFlag",
    "emailCc",
    "enteredBy",
    "dateEntered",
    "status",
    "ticket",
    "invoiceReady",
    "hourlyRate",
    "customFields",
    "project",
    "_info",
];
pub(super) const READ_ONLY: [&str; 8] =
    ["id", "enteredBy", "dateEntered", "status", "ticket", "invoiceReady", "project", "_info"];
const REFERENCES: [&str; 9] =
    ["company", "member", "location", "department", "workType", "workRole", "agreement", "activity", "project"];
const NUMBERS: [&str; 7] =
    ["id", "chargeToId", "locationId", "businessUnitId", "hoursDeduct", "actualHours", "hourlyRate"];
const BILLABLE: [&str; 4] = ["Billable", "DoNotBill", "NoCharge", "NoDefault"];
const CHARGED: [&str; 5] = ["ServiceTicket", "ProjectTicket", "Company", "ChargeCode", "Activity"];

fn refuse<T>(code: &'static str, message: impl Into<String>, field: &'static str) -> Result<T, Reply> {
    Err(reply::invalid("timeEntry", &[Invalid { code, message: message.into(), field }]))
}

/// The record as it is kept, without id and history.
pub(super) fn record_of(world: &World, body: &Map<String, Value>) -> Result<Value, Reply> {
    check_types(body)?;
    let mut record = Value::Object(body.clone());
    if let Some(members) = record.as_object_mut() {
        members.retain(|name, value| !READ_ONLY.contains(&name.as_str()) && !value.is_null());
    }
    set_times(world, &mut record)?;
    set_charged(world, &mut record)?;
    set_people(world, &mut record)?;
    for name in ["addToDetailDescriptionFlag", "addToInternalAnalysisFlag", "addToResolutionFlag"] {
        record[name] = json!(record[name] == true);
    }
    for (name, default) in
        [("billableOption", json!("Billable")), ("locationId", json!(2)), ("businessUnitId", json!(10))]
    {
        if record[name].is_null() {
            record[name] = default;
        }
    }
    Ok(record)
}

fn check_types(body: &Map<String, Value>) -> Result<(), Reply> {
    if let Some(name) = body.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(unknown(name, "TimeEntry"));
    }
    let word = |value: &Value, words: &[&str]| value.as_str().is_some_and(|text| words.contains(&text));
    for (name, value) in body.iter().filter(|(_, value)| !value.is_null()) {
        let fits = match name.as_str() {
            "billableOption" => word(value, &BILLABLE),
            "chargeToType" => word(value, &CHARGED),
            name if REFERENCES.contains(&name) => value.is_object(),
            name if NUMBERS.contains(&name) => value.is_number(),
            name if name.ends_with("Flag") => value.is_boolean(),
            "customFields" => value.is_array(),
            "ticket" | "_info" | "invoiceReady" => true,
            _ => value.is_string(),
        };
        if !fits {
            return Err(not_converted(name, value));
        }
    }
    Ok(())
}

/// Start, end and hours. Whole seconds with `Z` only. Source: facts 3.1.
fn set_times(world: &World, record: &mut Value) -> Result<(), Reply> {
    let Some(start) = moment(record, "timeStart")? else {
        return refuse("MissingRequiredField", "The timeStart field is required", "timeStart");
    };
    let end = moment(record, "timeEnd")?;
    let closed_before = &world.switches.records.time_closed_before;
    if start.to_string().as_str() < closed_before.as_str() {
        return refuse("InvalidField", "There is no open report period for this date.", "timeStart");
    }
    let deduct = record["hoursDeduct"].as_f64().unwrap_or_default();
    let Some(end) = end else {
        if world.switches.records.time_end_required {
            return refuse("MissingRequiredField", "The timeEnd field is required", "timeEnd");
        }
        if record["actualHours"].as_f64().is_none_or(|hours| hours <= 0.0) {
            return refuse("MissingRequiredField", "The actualHours field is required", "actualHours");
        }
        return Ok(());
    };
    let hours = end.duration_since(start).as_secs_f64() / 3600.0 - deduct;
    if end <= start || deduct < 0.0 || hours < 0.0 {
        return refuse("InvalidField", "The end must be after the start.", "timeEnd");
    }
    // What was said of them does not count. Source: facts 10.1.
    record["actualHours"] = json!((hours * 100.0).round() / 100.0);
    Ok(())
}

fn moment(record: &Value, name: &str) -> Result<Option<Timestamp>, Reply> {
    let Some(text) = record[name].as_str() else { return Ok(None) };
    let whole = text.len() == "2016-08-20T18:04:26Z".len() && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    match text.parse() {
        Ok(time) if whole => Ok(Some(time)),
        _ => Err(reply::not_read(format!("Unsupported format applied to {name}"))),
    }
}

/// What it is charged to; without an id to the company.
fn set_charged(world: &World, record: &mut Value) -> Result<(), Reply> {
    let kind = record["chargeToType"].as_str().unwrap_or_default().to_owned();
    let Some(id) = record["chargeToId"].as_u64() else {
        if !matches!(kind.as_str(), "" | "Company") {
            return refuse("MissingRequiredField", "The chargeToId field is required", "chargeToId");
        }
        record["chargeToType"] = json!("Company");
        return set_company(world, record);
    };
    let wanted = match kind.as_str() {
        "ServiceTicket" => Kind::Service,
        "ProjectTicket" => Kind::Project,
        "Company" => {
            record["company"] = json!({"id": id});
            return set_company(world, record);
        }
        "" => return refuse("MissingRequiredField", "The chargeToType field is required", "chargeToType"),
        // There are none here.
        other => return refuse("NotFound", format!("{other} {id} not found"), "chargeToId"),
    };
    let Some(row) = world.state.tickets.get(&id).filter(|row| row.kind == wanted) else {
        return refuse("NotFound", format!("Ticket {id} not found"), "chargeToId");
    };
    record["company"] = row.record["company"].clone();
    record["ticket"] = json!({"id": id, "summary": row.record["summary"]});
    Ok(())
}

fn set_company(world: &World, record: &mut Value) -> Result<(), Reply> {
    let wanted = record["company"].get("id").cloned().unwrap_or(json!(2));
    let Some(company) = world.state.companies.iter().find(|one| one["id"] == wanted) else {
        return refuse("NotFound", format!("Company {wanted} not found"), "company/id");
    };
    record["company"] = json!({"id": wanted, "identifier": company["identifier"], "name": company["name"]});
    Ok(())
}

/// Whose time it is, and of which kind.
fn set_people(world: &World, record: &mut Value) -> Result<(), Reply> {
    let wanted = record.get("member").cloned().unwrap_or_else(|| json!({"identifier": API_MEMBER}));
    let Some(member) = world.state.member(&wanted) else {
        return refuse("NotFound", format!("Member {} not found", wanted.get("id").unwrap_or(&wanted)), "member/id");
    };
    record["member"] = reference(member);
    let records = &world.state.records;
    for (name, all, what, field) in [
        ("workType", &records.work_types, "Work Type", "workType/id"),
        ("workRole", &records.work_roles, "Work Role", "workRole/id"),
    ] {
        let Some(found) = meant(all, &record[name]) else {
            return refuse("NotFound", format!("{what} {} not found", record[name]["id"]), field);
        };
        record[name] = named(found);
    }
    Ok(())
}

/// By id, else by name; the first one when nothing is said. What is inactive is not for new time.
fn meant<'a>(all: &'a [Value], wanted: &Value) -> Option<&'a Value> {
    let mut active = all.iter().filter(|one| one["inactiveFlag"] == false);
    match (wanted.get("id"), wanted.get("name")) {
        (Some(_), _) => active.find(|one| id_of(one) == state::id_of(wanted)),
        (None, Some(name)) => active.find(|one| one["name"] == *name),
        (None, None) => active.next(),
    }
}
