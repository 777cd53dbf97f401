//! `/system/audittrail`: what was done to a ticket, and by whom.
//!
//! Promises: a row for each real change of status, summary and owner, and for each note; page numbers only.
//! Source: facts 3.6 and openapi AuditTrailEntry.

use super::query::Names;
use super::state::Kind;
use super::{listing, reply};
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

/// The kinds of records that have one. Source: openapi.
const TYPES: [&str; 23] = [
    "None",
    "Ticket",
    "Contact",
    "Company",
    "Opportunity",
    "Time",
    "Activity",
    "ProductCatalog",
    "ProjectTicket",
    "Purchasing",
    "Configuration",
    "Schedule",
    "Agreement",
    "AgreementAddition",
    "Project",
    "Invoice",
    "PurchaseOrder",
    "Expense",
    "ProductItem",
    "Survey",
    "Member",
    "PurchaseOrderLineItem",
    "Site",
];

/// Member, what it is called, and which part of it is shown.
const WATCHED: [(&str, &str, &str); 3] =
    [("status", "Status", "/name"), ("summary", "Summary", ""), ("owner", "Owner", "/identifier")];

/// The list of a record; refused without saying which.
pub(super) fn route(world: &World, asked: &Asked, rest: &[&str]) -> Reply {
    let kind = asked.parameter("type");
    let Some(kind) = kind.and_then(|kind| TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(&kind))) else {
        return reply::not_read("The type parameter is required and must be one of the types of the audit trail.");
    };
    let Some(id) = asked.parameter("id").and_then(|id| id.parse::<u64>().ok()) else {
        return reply::not_read("The id parameter is required.");
    };
    let wanted = if kind == "ProjectTicket" { Kind::Project } else { Kind::Service };
    let row = world.state.tickets.get(&id).filter(|row| row.kind == wanted && kind.ends_with("Ticket"));
    let rows = row.map(|row| row.audit.iter()).into_iter().flatten();
    match rest {
        [] => listing::numbered(world, asked, Names::audit_trail(), rows),
        ["count"] => listing::count(asked, Names::audit_trail(), rows),
        _ => reply::no_endpoint(),
    }
}

fn row(sub_type: &str, text: String, by: &str, now: &str) -> Value {
    json!({"text": text, "enteredDate": now, "enteredBy": by, "auditType": "Ticket", "auditSubType": sub_type, "auditSource": "API"})
}

/// The rows of a change from one record to another.
pub(super) fn changes(before: &Value, after: &Value, by: &str, now: &str) -> Vec<Value> {
    let shown = |record: &Value, name: &str, part: &str| {
        record[name].pointer(part).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut rows = Vec::new();
    for (name, called, part) in WATCHED {
        let (old, new) = (shown(before, name, part), shown(after, name, part));
        if old != new {
            rows.push(row(called, format!("{called} has been changed from \"{old}\" to \"{new}\"."), by, now));
        }
    }
    rows
}

/// The row of a new note.
pub(super) fn note(id: u64, by: &str, now: &str) -> Value {
    row("Note", format!("Note {id} has been added."), by, now)
}

/// Who has closed it and when follows the flag. Source: facts 6.
pub(super) fn set_closed(before: &Value, record: &mut Value, by: &str, now: &str) {
    let closed = |record: &Value| record["closedFlag"] == true;
    match (closed(before), closed(record)) {
        (false, true) => {
            record["closedDate"] = json!(now);
            record["closedBy"] = json!(by);
        }
        (_, false) => {
            if let Some(members) = record.as_object_mut() {
                members.remove("closedDate");
                members.remove("closedBy");
            }
        }
        (true, true) => {}
    }
}
