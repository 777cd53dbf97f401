//! The form of a document: which parts it has and what they say. Source: facts 10.2, openapi DocumentFormData.

use super::reply::{self, Invalid};
use super::state::id_of;
use crate::http::{Asked, Reply};
use crate::multipart;
use crate::world::World;
use serde_json::{Value, json};

/// What can have documents here. Source: facts 10.2.
const RECORD_TYPES: [&str; 5] = ["Ticket", "Company", "Contact", "Configuration", "Project"];

/// What was said.
#[derive(Default)]
pub(super) struct Sent<'a> {
    pub(super) record_type: Option<String>,
    pub(super) record_id: Option<u64>,
    pub(super) title: Option<String>,
    /// Name and bytes.
    pub(super) file: Option<(String, &'a [u8])>,
    pub(super) url: Option<String>,
    pub(super) private: Option<bool>,
    pub(super) read_only: Option<bool>,
}

/// Reads the form of a request.
pub(super) fn read<'a>(world: &World, asked: &'a Asked) -> Result<Sent<'a>, Reply> {
    let kind = asked.header("content-type").unwrap_or_default();
    let Some(boundary) = multipart::boundary(kind) else {
        let message = format!("The request entity's media type '{kind}' is not supported for this resource.");
        return Err(Reply::json(415, &json!({"code": "InvalidObject", "message": message})));
    };
    let parts = multipart::parts(&asked.body, &boundary);
    let parts = parts.map_err(|why| reply::not_read(format!("The form could not be read: {why}.")))?;
    let mut sent = Sent::default();
    for part in parts {
        let name = part.name.as_str();
        if name == "file" {
            sent.file = Some((file_name(part.file_name)?, part.bytes));
            continue;
        }
        let text = std::str::from_utf8(part.bytes)
            .map_err(|_| reply::not_read(format!("The part {name} is not UTF-8.")))?
            .to_owned();
        match name {
            "recordType" => sent.record_type = Some(text),
            "recordId" => sent.record_id = Some(text.parse().map_err(|_| not_converted(name, &text))?),
            "title" => sent.title = Some(text),
            "url" => sent.url = Some(text),
            "privateFlag" => sent.private = Some(flag(name, &text)?),
            // The specification spells it with a y. Source: facts 13, 26.
            "readOnlyFlag" | "readOnlyFlay" => sent.read_only = Some(flag(name, &text)?),
            "isAvatar" => drop(flag(name, &text)?),
            _ => {
                let message = format!("Could not find member '{name}' on object of type 'DocumentFormData'.");
                return Err(reply::not_read(message));
            }
        }
    }
    let most = world.switches.records.document_bytes_max;
    if most > 0 && sent.file.as_ref().is_some_and(|(_, bytes)| bytes.len() as u64 > most) {
        let message = format!("A document has at most {most} bytes.");
        return Err(Reply::json(413, &json!({"code": "InvalidObject", "message": message})));
    }
    Ok(sent)
}

/// A name that can be a line of a header.
fn file_name(name: Option<String>) -> Result<String, Reply> {
    name.filter(|name| !name.is_empty() && !name.contains(char::is_control))
        .ok_or_else(|| invalid("MissingRequiredField", "The file needs a file name.".to_owned(), "file"))
}

/// Any case is seen in forms.
fn flag(name: &str, text: &str) -> Result<bool, Reply> {
    text.to_ascii_lowercase().parse().map_err(|_| not_converted(name, text))
}

fn not_converted(name: &str, text: &str) -> Reply {
    super::references::not_converted(name, &json!(text))
}

fn invalid(code: &'static str, message: String, field: &'static str) -> Reply {
    reply::invalid("document", &[Invalid { code, message, field }])
}

/// What a new document needs.
pub(super) fn check_new<'a>(world: &World, sent: Sent<'a>) -> Result<Sent<'a>, Reply> {
    let missing =
        |field: &'static str| invalid("MissingRequiredField", format!("The {field} field is required."), field);
    let kind = sent.record_type.as_deref().ok_or_else(|| missing("recordType"))?;
    let id = sent.record_id.ok_or_else(|| missing("recordId"))?;
    if sent.title.as_deref().is_none_or(|title| title.trim().is_empty()) {
        return Err(missing("title"));
    }
    if sent.file.is_none() && sent.url.is_none() {
        return Err(missing("file"));
    }
    let Some(kind) = RECORD_TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(kind)) else {
        return Err(not_converted("recordType", kind));
    };
    let state = &world.state;
    let among = |all: &[Value]| all.iter().any(|one| id_of(one) == id);
    let there = match kind {
        "Ticket" => state.tickets.contains_key(&id),
        "Company" => among(&state.companies),
        "Contact" => among(&state.contacts),
        "Configuration" => among(&state.records.configurations),
        _ => state.records.phases.iter().any(|phase| id_of(&phase["project"]) == id),
    };
    if !there {
        return Err(invalid("NotFound", format!("{kind} {id} not found"), "recordId"));
    }
    Ok(Sent { record_type: Some(kind.to_owned()), ..sent })
}
