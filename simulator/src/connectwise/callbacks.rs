//! `/system/callbacks`: what is registered. Source: facts 11.2.
//!
//! Promises: everything wrong with an entry is said in one answer; type and level are kept in lower case; entries of
//! other products are shown and can be deleted by anybody who has the right, as at a real server.
//! Leaves to others: keeping them (`callbacks::registry`), sending (`callbacks::deliver`).

use super::query::Names;
use super::references::not_converted;
use super::reply::{self, Invalid};
use super::{API_MEMBER, listing};
use crate::callbacks::levels;
use crate::callbacks::registry::guid;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Map, Value, json};

const RESOURCE: &str = "callbackEntry";
/// The member whose keys are used.
const ME: u64 = 180;
const DESCRIPTION_MAX: usize = 100;

const TEXTS: [&str; 6] = ["description", "url", "type", "level", "payloadVersion", "connectWiseID"];
const NUMBERS: [&str; 3] = ["id", "objectId", "memberId"];
const FLAGS: [&str; 3] = ["inactiveFlag", "isSoapCallbackFlag", "isSelfSuppressedFlag"];
/// What may be sent, and is not taken over.
const READ_ONLY: [&str; 5] = ["id", "memberId", "connectWiseID", "isSoapCallbackFlag", "_info"];

/// The name of what is asked below the path.
pub(super) fn endpoint(method: &str, rest: &[&str]) -> &'static str {
    match (method, rest) {
        ("GET", []) => "list_callbacks",
        ("GET", [_]) => "get_callback",
        ("POST", []) => "create_callback",
        ("PUT" | "PATCH", [_]) => "update_callback",
        ("DELETE", [_]) => "delete_callback",
        _ => "other",
    }
}

pub(super) fn route(world: &mut World, asked: &Asked, rest: &[&str]) -> Reply {
    if world.callbacks.switches.callbacks_forbidden {
        return reply::forbidden();
    }
    let records = world.registry.entries.iter().map(|entry| &entry.record);
    match (asked.method.as_str(), rest) {
        ("GET", []) => listing::list(world, asked, Names::callbacks(), None, records),
        ("GET", ["count"]) => listing::count(asked, Names::callbacks(), records),
        ("POST", []) => create(world, asked),
        (method, [id]) => {
            let number = id.parse().unwrap_or_default();
            let Some(entry) = world.registry.find(number) else { return reply::not_found("CallbackEntry", id) };
            let record = entry.record.clone();
            match method {
                "GET" => {
                    let fields = asked.parameter("fields").unwrap_or_default();
                    Reply::json(200, &*listing::shown(world, &record, &fields))
                }
                "PUT" => read(asked).map_or_else(|refusal| refusal, |body| save(world, Some(&record), &body)),
                "PATCH" => {
                    patched(asked, &record).map_or_else(|refusal| refusal, |body| save(world, Some(&record), &body))
                }
                "DELETE" => {
                    world.registry.delete(number);
                    Reply::of(204, "application/json; charset=utf-8", "").committed()
                }
                _ => reply::not_allowed(),
            }
        }
        (_, []) => reply::not_allowed(),
        _ => reply::no_endpoint(),
    }
}

fn create(world: &mut World, asked: &Asked) -> Reply {
    match read(asked) {
        Ok(body) => save(world, None, &body),
        Err(refusal) => refusal,
    }
}

/// The body of POST and PUT. A null says nothing.
fn read(asked: &Asked) -> Result<Map<String, Value>, Reply> {
    let Ok(Value::Object(mut body)) = serde_json::from_slice(&asked.body) else {
        return Err(reply::not_read(
            "Unexpected character encountered while parsing value. Path '', line 1, position 1.",
        ));
    };
    body.iter().try_for_each(|(name, value)| check_kind(name, value))?;
    body.retain(|_, value| !value.is_null());
    Ok(body)
}

/// Whether there is such a member, and the value is of its kind.
fn check_kind(name: &str, value: &Value) -> Result<(), Reply> {
    let fits = match name {
        name if TEXTS.contains(&name) => value.is_string(),
        name if NUMBERS.contains(&name) => value.is_u64(),
        name if FLAGS.contains(&name) => value.is_boolean(),
        "_info" => value.is_object(),
        _ => {
            let message = format!(
                "Could not find member '{name}' on object of type 'CallbackEntry'. Path '{name}', line 1, position 1."
            );
            return Err(reply::not_read(message));
        }
    };
    if fits || value.is_null() { Ok(()) } else { Err(not_converted(name, value)) }
}

/// The members after a PATCH: all operations or none. Source: facts 4.
fn patched(asked: &Asked, record: &Value) -> Result<Map<String, Value>, Reply> {
    let Ok(Value::Array(operations)) = serde_json::from_slice(&asked.body) else {
        return Err(reply::not_read(
            "Cannot deserialize the current JSON object into type 'PatchOperation[]' because the type requires a JSON array.",
        ));
    };
    let mut members = record.as_object().cloned().unwrap_or_default();
    for operation in &operations {
        let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
        let (op, name) = (text("op"), text("path").trim_start_matches('/'));
        let value = if op == "remove" { Value::Null } else { operation.get("value").cloned().unwrap_or_default() };
        if !matches!(op, "add" | "replace" | "remove") {
            return Err(reply::not_read(format!("'{op}' is not a valid operation.")));
        }
        check_kind(name, &value)?;
        members.insert(name.to_owned(), value);
    }
    members.retain(|_, value| !value.is_null());
    Ok(members)
}

/// Checks an entry as a whole and keeps it; `old`: the one it takes the place of.
fn save(world: &mut World, old: Option<&Value>, body: &Map<String, Value>) -> Reply {
    let errors = wrong_with(body);
    if !errors.is_empty() {
        return reply::invalid(RESOURCE, &errors);
    }
    let mut record = record_of(body);
    for name in READ_ONLY {
        if let Some(value) = old.and_then(|old| old.get(name)) {
            record[name] = value.clone();
        }
    }
    if world.registry.has_like(&record, world.callbacks.switches.delete_lag_ms) {
        let message = "A matching callback entry already exists".to_owned();
        return reply::invalid(RESOURCE, &[Invalid { code: "ObjectExists", message, field: "objectId" }]);
    }
    record["_info"] = json!({"lastUpdated": world.now_text(), "updatedBy": API_MEMBER});
    if old.is_none() {
        record["connectWiseID"] = json!(guid(&mut world.callbacks.random));
        return Reply::json(201, &world.registry.add(record)).committed();
    }
    if let Some(entry) = world.registry.find(record["id"].as_u64().unwrap_or_default()) {
        entry.replace(record.clone());
    }
    Reply::json(200, &record).committed()
}

/// All that is wrong, the URL first. Source: samples/error-callback-invalid-url-and-level.
fn wrong_with(body: &Map<String, Value>) -> Vec<Invalid> {
    let said = |name: &str| body.get(name).filter(|value| value.as_str().is_none_or(|text| !text.is_empty()));
    let text = |name: &str| said(name).and_then(Value::as_str);
    let mut errors = Vec::new();
    let mut add = |code, message: String, field| errors.push(Invalid { code, message, field });
    for field in ["url", "objectId", "type", "level"].into_iter().filter(|name| said(name).is_none()) {
        add("MissingRequiredField", format!("The {field} field is required."), field);
    }
    if text("description").is_some_and(|text| text.encode_utf16().count() > DESCRIPTION_MAX) {
        let message = format!("The field description must be a string with a maximum length of {DESCRIPTION_MAX}.");
        add("MaxLengthField", message, "description");
    }
    if text("url").is_some_and(|url| !is_valid(url)) {
        add("InvalidField", "Invalid URL".to_owned(), "url");
    }
    let (Some(kind), Some(level)) = (text("type"), text("level")) else { return errors };
    if !levels::exists(kind, level) {
        let message = "Unrecognized level for type, see documentation for supported levels for each type";
        add("InvalidObject", message.to_owned(), "level");
    } else if let Some(object) = said("objectId").and_then(Value::as_u64) {
        // The page asks for 1 at this level, 0 was seen to be taken; of any other, and of 0 elsewhere, nothing is known.
        let owner = level.eq_ignore_ascii_case("owner");
        if (owner && object > 1) || (!owner && object == 0) {
            add("InvalidField", "Invalid objectId for level".to_owned(), "objectId");
        }
    }
    errors
}

/// Absolute, and https unless it leads to this machine. Nothing may be behind a `#`: the id is written to the end, and
/// would never be sent.
fn is_valid(text: &str) -> bool {
    // The URL is sent as it is written, so it must be one as it is written.
    if text.parse::<hyper::Uri>().is_err() || text.contains('#') {
        return false;
    }
    let Ok(url) = url::Url::parse(text) else { return false };
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

/// An entry with its defaults, of members that have been checked.
fn record_of(body: &Map<String, Value>) -> Value {
    let lower = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_lowercase);
    let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
    let mut record = json!({
        "url": body.get("url"),
        "objectId": body.get("objectId"),
        "type": lower("type"),
        "level": lower("level"),
        "memberId": ME,
        "payloadVersion": body.get("payloadVersion").unwrap_or(&json!("3.0.0")),
        "inactiveFlag": flag("inactiveFlag"),
        "isSoapCallbackFlag": false,
        "isSelfSuppressedFlag": flag("isSelfSuppressedFlag"),
    });
    if record["level"] == "owner" {
        record["objectId"] = json!(1);
    }
    if let Some(description) = body.get("description") {
        record["description"] = description.clone();
    }
    record
}
