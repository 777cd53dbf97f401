//! The body and the query of a callback.
//!
//! Promises: only which record it is about, what it went through, and who did it are taken; what contradicts itself or
//! this connection is refused. `Entity` is not looked at: what a record is now has to be read. Source: facts 11.4.

use super::key;
use super::receive::Refusal;
use crate::settings::{Settings, plain_authority};
use psa_host_api::model::{ChangeAction, ChangeEvent};
use psa_host_api::ops::ReceiveCallbackRequest;
use serde_json::{Map, Value};

/// The longest text that is taken out of a message.
const TEXT_MAX: usize = 200;

/// What a message says, not yet proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// The id of the key it is signed with.
    pub(super) key: String,
    pub(super) message_id: Option<String>,
    pub(super) change: ChangeEvent,
}

pub(super) fn read(settings: &Settings, request: &ReceiveCallbackRequest, body: &[u8]) -> Result<Message, Refusal> {
    let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(body) else {
        return Err(Refusal::new("not_json", "its body is no JSON object"));
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let key_url = body.get("Metadata").and_then(|metadata| metadata.get("key_url")).and_then(Value::as_str);
    let Some(key_url) = key_url else {
        return Err(Refusal::new("key_url", "it does not say where its key is"));
    };
    let key = key::id_of(settings, key_url)?;
    check_sender(settings, &body)?;
    let entity = text("Type").unwrap_or_default().to_lowercase();
    if entity.is_empty() || entity != request.kind.to_lowercase() {
        let message = format!("it is not about what was subscribed to here, {}", request.kind);
        return Err(Refusal::new("other_kind", message));
    }
    let Some(id) = body.get("ID").and_then(Value::as_u64).filter(|id| *id > 0) else {
        return Err(Refusal::new("no_id", "it names no record"));
    };
    let Some(action) = text("Action") else {
        return Err(Refusal::new("no_action", "it does not say what has happened"));
    };
    check_query(&request.query, id, action)?;
    let short = |text: &str| text.chars().take(TEXT_MAX).collect::<String>();
    let change = ChangeEvent { entity, id: id.to_string(), action: action_of(action), by: text("MemberId").map(short) };
    Ok(Message { key, message_id: text("MessageId").map(short), change })
}

/// Any tenant of the cloud can send validly signed messages: they must be this one's. Source: facts 11.7.
fn check_sender(settings: &Settings, body: &Map<String, Value>) -> Result<(), Refusal> {
    let company = body.get("CompanyId").and_then(Value::as_str).unwrap_or_default();
    if !company.eq_ignore_ascii_case(&settings.company) {
        return Err(Refusal::new("other_company", "it speaks for another company"));
    }
    let own = |site: &str| {
        let site = plain_authority(&format!("{}://{site}", settings.scheme()));
        // It is a host, mostly without its port. Source: facts 11.4.
        settings.own_authorities().iter().any(|own| *own == site || host_of(own) == site)
    };
    match body.get("FromUrl") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(site)) if own(site) => Ok(()),
        Some(_) => Err(Refusal::new("other_site", "it comes from another site")),
    }
}

fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn action_of(action: &str) -> ChangeAction {
    match action.to_ascii_lowercase().as_str() {
        "added" => ChangeAction::Added,
        "updated" => ChangeAction::Updated,
        "deleted" => ChangeAction::Deleted,
        _ => ChangeAction::Unknown,
    }
}

/// The query repeats id and action, and is not signed: it may be missing and may hold more, but not say otherwise.
/// Source: facts 11.3.
fn check_query(query: &str, id: u64, action: &str) -> Result<(), Refusal> {
    let id = id.to_string();
    let fits = pairs(query).enumerate().all(|(position, (name, value))| match name.as_str() {
        "recordId" => value == id,
        "action" => value.eq_ignore_ascii_case(action),
        // An address without a query has the bare id glued to its question mark.
        digits if position == 0 && value.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.is_empty() || digits == id
        }
        _ => true,
    });
    if fits { Ok(()) } else { Err(Refusal::new("query_mismatch", "its address says something else than its body")) }
}

/// Names and values of a query, decoded; what is no text is replaced and so fits nothing.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> String {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = hex.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match (first, byte.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &after[2..];
            }
            (byte, _) => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_may_be_missing_or_hold_more_but_not_say_otherwise() {
        for query in [
            "",
            "recordId=7601&action=updated",
            "7601&action=updated",
            "t=a%20b&recordId=7601&action=Updated",
            "recordId=%37601&memberId=5&isResolution=True",
            "action=updated",
            "param2=62475&action=updated",
        ] {
            assert!(check_query(query, 7601, "updated").is_ok(), "{query}");
        }
        for query in [
            "recordId=7602&action=updated",
            "recordId=7601&action=deleted",
            "7602&action=updated",
            "recordId=&action=updated",
            "recordId=7601&recordId=7602",
            "action=updated&action=added",
            "recordId=07601",
            "recordId=7601%00",
        ] {
            assert_eq!(check_query(query, 7601, "updated").unwrap_err().reason, "query_mismatch", "{query}");
        }
    }
}
