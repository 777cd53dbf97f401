//! The operations of a PATCH on small records: notes and time entries. Source: facts 4.
//!
//! Promises: a body that is no array is refused; what is read only is ignored, what is unknown is refused; a path below a
//! reference answers success and changes nothing.
//! Leaves to others: the rules of the record that comes out (`notes`, `time_rules`), tickets (`patch`).

use super::reply;
use crate::http::{Asked, Reply};
use serde_json::{Map, Value};

/// The members of one model.
pub(super) struct Model {
    pub(super) name: &'static str,
    pub(super) known: &'static [&'static str],
    pub(super) read_only: &'static [&'static str],
}

/// The operations of a request.
pub(super) fn read(asked: &Asked) -> Result<Vec<Value>, Reply> {
    match serde_json::from_slice(&asked.body) {
        Ok(Value::Array(operations)) => Ok(operations),
        _ => Err(reply::not_read(
            "Cannot deserialize the current JSON object into type 'PatchOperation[]' because the type requires a JSON array.",
        )),
    }
}

/// The kind of an operation, its path without the leading slash, and the value.
pub(super) fn taken_apart(operation: &Value) -> Result<(&str, &str, Value), Reply> {
    let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
    let op = text("op");
    if !matches!(op, "add" | "replace" | "remove") {
        return Err(reply::not_read(format!("'{op}' is not a valid operation.")));
    }
    let value = if op == "remove" { None } else { operation.get("value").cloned() };
    Ok((op, text("path").trim_start_matches('/'), value.unwrap_or(Value::Null)))
}

/// The writable members of a record after the operations; null where one was removed.
pub(super) fn applied(asked: &Asked, record: &Value, model: &Model) -> Result<Map<String, Value>, Reply> {
    let mut body = Map::new();
    for name in model.known.iter().filter(|name| !model.read_only.contains(name)) {
        if let Some(value) = record.get(*name) {
            body.insert((*name).to_owned(), value.clone());
        }
    }
    for operation in read(asked)? {
        let (_, path, value) = taken_apart(&operation)?;
        let (name, below) = path.split_once('/').map_or((path, None), |(name, below)| (name, Some(below)));
        if !model.known.contains(&name) {
            return Err(unknown(name, model.name));
        }
        if below.is_none() && !model.read_only.contains(&name) {
            body.insert(name.to_owned(), value);
        }
    }
    Ok(body)
}

/// A member the model does not have. Source: samples/errors.
pub(super) fn unknown(name: &str, model: &str) -> Reply {
    reply::not_read(format!(
        "Could not find member '{name}' on object of type '{model}'. Path '{name}', line 1, position 1."
    ))
}
