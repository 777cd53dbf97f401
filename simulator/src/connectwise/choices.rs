//! What a ticket chooses from the lists of its board and company. Source: facts 6.
//!
//! Promises: a subtype and an item go with the type only as the board allows it; custom fields are replaced as a whole.

use super::reply::{self, Invalid};
use super::state::{State, id_of};
use crate::http::Reply;
use serde_json::{Value, json};

fn refuse(code: &'static str, message: String, field: &'static str) -> Reply {
    reply::invalid("ticket", &[Invalid { code, message, field }])
}

/// Whether type, subtype and item go together on the board. What is not chosen fits everything, but an item needs a
/// subtype, and a subtype a type.
pub(super) fn check(state: &State, record: &Value) -> Result<(), Reply> {
    let chosen = |name: &str| record.get(name).filter(|one| one.is_object()).map(id_of);
    let (Some(sub_type), item) = (chosen("subType"), chosen("item")) else {
        return match chosen("item") {
            Some(item) => {
                Err(refuse("InvalidField", format!("Service Item {item} needs a Service SubType"), "item/id"))
            }
            None => Ok(()),
        };
    };
    let (board, kind) = (id_of(&record["board"]), chosen("type").unwrap_or_default());
    let mut allowed = state.records.associations.iter().filter(|one| {
        id_of(&one["board"]) == board && id_of(&one["type"]) == kind && id_of(&one["subType"]) == sub_type
    });
    let Some(item) = item else {
        return match allowed.next() {
            Some(_) => Ok(()),
            None => Err(refuse(
                "NotFound",
                format!("Service SubType {sub_type} not found for Service Type {kind}"),
                "subType/id",
            )),
        };
    };
    if allowed.any(|one| id_of(&one["item"]) == item) {
        return Ok(());
    }
    Err(refuse("NotFound", format!("Service Item {item} not found for Service SubType {sub_type}"), "item/id"))
}

/// The custom fields of a ticket with new values: no others than the ticket has, and when they are changed each of them
/// once. Source: facts 4.
pub(super) fn custom_fields(before: &Value, sent: &Value, whole: bool) -> Result<Value, Reply> {
    let Some(sent) = sent.as_array() else { return Err(super::references::not_converted("customFields", sent)) };
    let mut fields = before.clone();
    let own = fields.as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
    for one in sent {
        let id = id_of(one);
        let Some(field) = own.iter_mut().find(|field| id_of(field) == id) else {
            return Err(refuse("NotFound", format!("Custom Field {} not found", one["id"]), "customFields/id"));
        };
        let value = one.get("value").cloned().unwrap_or(Value::Null);
        if value.is_object() || value.is_array() {
            return Err(super::references::not_converted("customFields", &value));
        }
        field["value"] = value;
    }
    if whole && own.iter().any(|field| sent.iter().filter(|one| id_of(one) == id_of(field)).count() != 1) {
        let message = "The customFields array must hold every field once.".to_owned();
        return Err(refuse("InvalidField", message, "customFields"));
    }
    Ok(fields)
}

/// The tags of an integration: a list of texts.
pub(super) fn tags(sent: &Value) -> Result<Value, Reply> {
    let texts = sent.as_array().is_some_and(|tags| tags.iter().all(Value::is_string));
    if texts { Ok(json!(sent)) } else { Err(super::references::not_converted("integratorTags", sent)) }
}
