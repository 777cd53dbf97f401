//! A message by order of a test: any part of it may be wrong.
//!
//! Promises: what is not said is as the PSA would send it; one try per message, whatever is answered.

use super::{Delivery, Event, deliver, headers, message, registry, signing};
use crate::control::wrong;
use crate::http::Reply;
use crate::world::{Shared, World};
use base64::Engine as _;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const TIMES_MAX: u64 = 10_000;
/// Of repeated ones, so many at once.
const AT_ONCE: usize = 32;

/// Sends it and answers with what was answered: `{"statuses", "errors", "url", "message_id"}`.
pub(crate) async fn send(shared: &Arc<Shared>, body: &Value) -> Reply {
    let prepared = prepared(&mut shared.lock(), body);
    let (delivery, times) = match prepared {
        Ok(prepared) => prepared,
        Err(why) => return wrong(&why),
    };
    let (mut statuses, mut errors) = (Vec::new(), Vec::new());
    let mut left = times;
    while left > 0 {
        let now = left.min(AT_ONCE as u64);
        left -= now;
        let tasks: Vec<_> = (0..now)
            .map(|_| {
                let (delivery, shared) = (delivery.clone(), shared.clone());
                tokio::spawn(async move { deliver::once(&delivery, &shared).await })
            })
            .collect();
        for task in tasks {
            let outcome = task.await.unwrap_or_else(|error| Err(error.to_string()));
            let mut world = shared.lock();
            let at = world.now_text();
            world.callbacks.sent.add(at, &delivery, 1, outcome.clone());
            statuses.push(json!(outcome.as_ref().ok()));
            errors.extend(outcome.err());
        }
    }
    let answer =
        json!({"statuses": statuses, "errors": errors, "url": delivery.url, "message_id": delivery.message_id});
    Reply::json(200, &answer)
}

fn prepared(world: &mut World, order: &Value) -> Result<(Delivery, u64), String> {
    let times = match order.get("times") {
        None => 1,
        Some(times) => times
            .as_u64()
            .filter(|times| (1..=TIMES_MAX).contains(times))
            .ok_or_else(|| format!("times must be a number from 1 to {TIMES_MAX}"))?,
    };
    let company = order["company"].as_str().unwrap_or(&world.account.company).to_owned();
    let delivery = world.as_company(&company, |world| delivery(world, order));
    Ok((delivery.ok_or("there is no such company")??, times))
}

/// As the company that is meant.
fn delivery(world: &mut World, order: &Value) -> Result<Delivery, String> {
    let text = |name: &str| order.get(name).and_then(Value::as_str);
    let registered = text("url").ok_or("url must be a text: the URL as it was registered")?;
    let (kind, action) = (text("type").unwrap_or("ticket"), text("action").unwrap_or("updated"));
    let id = order["id"].as_u64().unwrap_or(1001);
    let event = Event {
        kind: kind.to_lowercase(),
        id,
        action: action.to_owned(),
        by: text("member").unwrap_or("jdoe").to_owned(),
        record: world.state.ticket(id).cloned().unwrap_or_else(|| json!({"id": id})),
    };
    let message_id = text("message_id").map_or_else(|| registry::guid(&mut world.callbacks.random), str::to_owned);
    let body = match (text("body"), text("body_base64")) {
        (Some(body), _) => body.as_bytes().to_vec(),
        (None, Some(encoded)) => base64::engine::general_purpose::STANDARD
            .decode(encoded)
            .map_err(|error| format!("body_base64: {error}"))?,
        (None, None) => made(world, order, &event, &message_id).to_string().into_bytes(),
    };
    let url = match text("query") {
        Some(query) => format!("{registered}{query}"),
        None => message::url(registered, id, action),
    };
    let mut sent = headers(signature(world, order, &body)?);
    if let Some(more) = order.get("headers").and_then(Value::as_object) {
        sent.retain(|(name, _)| !more.keys().any(|other| other.eq_ignore_ascii_case(name)));
        sent.extend(more.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))));
    }
    let company = world.account.company.clone();
    let (kind, action) = (event.kind, event.action);
    Ok(Delivery { company, entry: None, url, headers: sent, body: body.into(), message_id, kind, id, action })
}

/// The usual body, with what is ordered put in or left out.
fn made(world: &World, order: &Value, event: &Event, message_id: &str) -> Value {
    let entity = order.get("entity").cloned().unwrap_or_else(|| message::entity(event));
    let entry = order["entry"].as_u64().unwrap_or(1);
    let mut body = message::body(world, event, &entity, entry, message_id);
    if order["type"].is_string() {
        body["Type"] = order["type"].clone();
    }
    if order["key_url"].is_string() {
        body["Metadata"]["key_url"] = order["key_url"].clone();
    } else if order["sign_with"] == "old" {
        body["Metadata"]["key_url"] = json!(message::key_url(world, &world.registry.keys.old().id));
    }
    let members: Map<String, Value> = order.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, value) in members {
        body[name] = value;
    }
    if let (Value::Object(body), Some(without)) = (&mut body, order.get("without").and_then(Value::as_array)) {
        body.retain(|name, _| !without.iter().any(|other| other == name));
    }
    body
}

/// The header's value; `None`: the header is not sent.
fn signature(world: &mut World, order: &Value, body: &[u8]) -> Result<Option<String>, String> {
    let secret = match &order["sign_with"] {
        Value::Null => world.registry.keys.current().secret.clone(),
        Value::String(name) if name == "own" => world.registry.keys.current().secret.clone(),
        Value::String(name) if name == "old" => world.registry.keys.old().secret.clone(),
        // A company's name; while this one is worked for, the first one is among the neighbours.
        Value::String(name) => world
            .as_company(name, |world| world.registry.keys.current().secret.clone())
            .ok_or("sign_with must be own, old, a company or {\"key\"}")?,
        other => other["key"].as_str().ok_or("sign_with must be own, old, a company or {\"key\"}")?.to_owned(),
    };
    let right = || signing::signature(&secret, body);
    Ok(match &order["signature"] {
        Value::Null => Some(right()),
        Value::String(how) => match how.as_str() {
            "right" => Some(right()),
            "none" => None,
            "empty" => Some(String::new()),
            "wrong" => Some(signing::signature("another key", body)),
            text => Some(text.to_owned()),
        },
        _ => return Err("signature must be right, none, empty, wrong, or the text to send".to_owned()),
    })
}
