//! `/system/documents`, and the documents of a ticket. Source: facts 10.2.
//!
//! Promises: a form with files is the only way in; the bytes that come out are those that went in; who does not say that
//! a document is private has published it.
//! Leaves to others: the form itself (`multipart`), what a record must be (`document_form`).

use super::document_form::{self, Sent};
use super::query::Names;
use super::records::DocumentRow;
use super::state::{id_of, listed_from};
use super::{API_MEMBER, listing, reply};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

pub(super) fn route(world: &mut World, asked: &Asked, rest: &[&str], fault: Option<&Fault>) -> Reply {
    match (asked.method.as_str(), rest) {
        ("GET", [] | ["count"]) => list(world, asked, rest),
        ("POST", []) => add(world, asked, fault),
        (method, [id, rest @ ..]) => {
            let documents = &world.state.records.documents;
            let Some(at) = documents.iter().position(|row| id_of(&row.record).to_string() == *id) else {
                return reply::not_found("Document", id);
            };
            match (method, rest) {
                ("GET", []) => Reply::json(200, &documents[at].record),
                ("GET", ["download"]) => download(world, asked, at),
                ("POST", []) => update(world, asked, at),
                ("DELETE", []) => {
                    world.state.records.documents.remove(at);
                    Reply::of(204, "application/json", "").committed()
                }
                _ => reply::not_allowed(),
            }
        }
        _ => reply::not_allowed(),
    }
}

/// Both plain parameters are needed: refused or empty without them `(unsure)`, refused is the stricter.
fn list(world: &World, asked: &Asked, rest: &[&str]) -> Reply {
    let (kind, id) = (asked.parameter("recordType"), asked.parameter("recordId").and_then(|id| id.parse().ok()));
    let (Some(kind), Some(id)) = (kind, id) else {
        return reply::not_read("The recordType and recordId parameters are required.");
    };
    let documents = world.state.records.documents.iter();
    let records = documents.filter(|row| row.is_of(&kind, id) && row.is_listed()).map(|row| &row.record);
    match rest {
        [] => listing::list(world, asked, Names::documents(), None, records),
        _ => listing::count(asked, Names::documents(), records),
    }
}

/// References only. Source: openapi DocumentReference.
pub(super) fn of_ticket(world: &World, asked: &Asked, ticket: u64, rest: &[&str]) -> Reply {
    let documents = world.state.records.documents.iter().filter(|row| row.is_of("Ticket", ticket) && row.is_listed());
    let references: Vec<Value> =
        documents.map(|row| json!({"id": row.record["id"], "name": row.record["title"]})).collect();
    match (asked.method.as_str(), rest) {
        ("GET", []) => listing::list(world, asked, Names::references(), None, references.iter()),
        ("GET", ["count"]) => listing::count(asked, Names::references(), references.iter()),
        _ => reply::not_allowed(),
    }
}

fn add(world: &mut World, asked: &Asked, fault: Option<&Fault>) -> Reply {
    let sent = match document_form::read(world, asked).and_then(|sent| document_form::check_new(world, sent)) {
        Ok(sent) => sent,
        Err(refusal) => return refusal,
    };
    let now = world.now_text();
    let id = world.state.records.next_document;
    world.state.records.next_document += 1;
    let mut record = json!({
        "id": id, "owner": API_MEMBER, "htmlTemplateFlag": false, "createdOnDate": now,
        "guid": format!("00000000-0000-4000-8001-{id:012x}"), "documentType": {"id": 1, "name": "Document"},
        "linkFlag": sent.url.is_some(), "urlFlag": sent.url.is_some(), "publicFlag": true, "readOnlyFlag": false,
        "title": "", "fileName": "", "size": 0,
    });
    take_over(&mut record, &sent, &now);
    let row = DocumentRow {
        record: record.clone(),
        record_type: sent.record_type.unwrap_or_default(),
        record_id: sent.record_id.unwrap_or_default(),
        bytes: sent.file.map(|(_, bytes)| bytes.to_vec()).unwrap_or_default(),
        listed_from: listed_from(world.switches.listing_lag_ms, fault),
    };
    world.state.records.documents.push(row);
    Reply::json(201, &record).committed()
}

fn update(world: &mut World, asked: &Asked, at: usize) -> Reply {
    let sent = match document_form::read(world, asked) {
        Ok(sent) => sent,
        Err(refusal) => return refusal,
    };
    let now = world.now_text();
    let row = &mut world.state.records.documents[at];
    take_over(&mut row.record, &sent, &now);
    if let Some((_, bytes)) = sent.file {
        row.bytes = bytes.to_vec();
    }
    Reply::json(200, &row.record).committed()
}

/// What was said replaces what was there.
fn take_over(record: &mut Value, sent: &Sent<'_>, now: &str) {
    if let Some((name, bytes)) = &sent.file {
        let image = [".png", ".jpg", ".jpeg", ".gif"].iter().any(|end| name.to_lowercase().ends_with(end));
        record["fileName"] = json!(name);
        record["serverFileName"] = json!(format!("{}-{name}", record["id"]));
        record["imageFlag"] = json!(image);
        record["size"] = json!(bytes.len());
    }
    if let Some(title) = &sent.title {
        record["title"] = json!(title);
    }
    if let Some(private) = sent.private {
        record["publicFlag"] = json!(!private);
    }
    if let Some(read_only) = sent.read_only {
        record["readOnlyFlag"] = json!(read_only);
    }
    record["_info"] = json!({"lastUpdated": now, "updatedBy": API_MEMBER});
}

/// The bytes. Who asks for JSON is told so: one client had to ask for something else.
fn download(world: &World, asked: &Asked, at: usize) -> Reply {
    if asked.header("accept").is_some_and(|kinds| kinds.contains("json") && !kinds.contains("*/*")) {
        return Reply::json(406, &json!({"code": "ConnectWiseApi", "message": "A document is not JSON."}));
    }
    let row = &world.state.records.documents[at];
    let name = row.record["fileName"].as_str().unwrap_or_default();
    let disposition = if world.switches.records.filename_unquoted {
        format!("attachment; filename={name}")
    } else {
        format!("attachment; filename=\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    };
    Reply::of(200, "application/octet-stream", row.bytes.clone()).header("content-disposition", disposition)
}

/// For the control door.
pub(crate) fn kept(world: &World) -> Value {
    let items = world.state.records.documents.iter().map(|row| {
        let sha256 = Sha256::digest(&row.bytes).iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        json!({
            "id": row.record["id"], "title": row.record["title"], "fileName": row.record["fileName"], "size": row.bytes.len(),
            "sha256": sha256, "private": row.record["publicFlag"] == false,
            "record": {"type": row.record_type, "id": row.record_id},
        })
    });
    json!({"items": items.collect::<Vec<_>>()})
}
