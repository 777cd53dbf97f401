//! From JSON to a [`Form`](super::Form).
//!
//! Promises: no input panics; what is of another shape is named by its place; everything the linter finds is told at
//! once.

use super::errors::{FormError, FormErrors};
use super::types::Definition;
use super::{Form, lint};
use serde_json::Value;

/// Forms above this are refused, in bytes.
pub(super) const FORM_BYTES_MAX: usize = 256 * 1024;

fn one(at: impl Into<String>, code: &'static str, message: impl Into<String>) -> FormErrors {
    FormErrors(vec![FormError { at: at.into(), code, message: message.into() }])
}

pub(super) fn from_bytes(json: &[u8]) -> Result<Form, FormErrors> {
    if json.len() > FORM_BYTES_MAX {
        return Err(one("", "form.too_large", format!("{} bytes; at most {FORM_BYTES_MAX} are allowed", json.len())));
    }
    let value = serde_json::from_slice(json).map_err(|error| one("", "form.json", format!("not JSON: {error}")))?;
    from_value(value)
}

pub(super) fn from_value(mut value: Value) -> Result<Form, FormErrors> {
    let minor = check_version(&value)?;
    if minor > 0 {
        forget_optional(&mut value);
    }
    let definition: Definition = serde_path_to_error::deserialize(value).map_err(|error| {
        let words: String = error.inner().to_string().chars().take(300).collect();
        one(pointer(error.path()), "form.shape", words)
    })?;
    let (problems, patterns) = lint::check(&definition);
    if problems.is_empty() { Ok(Form { definition, patterns }) } else { Err(FormErrors(problems)) }
}

/// The minor version of a form of ours.
fn check_version(value: &Value) -> Result<u32, FormErrors> {
    let Some(version) = value.get("form_schema").and_then(Value::as_str) else {
        return Err(one("/form_schema", "form.schema", "must be there and be a text such as \"1.0\""));
    };
    let minor = version.strip_prefix("1.").and_then(|minor| minor.parse().ok());
    minor.ok_or_else(|| {
        let version: String = version.chars().take(20).collect();
        one("/form_schema", "form.schema", format!("is \"{version}\"; this host reads 1.x"))
    })
}

/// Removes members that a newer minor allows us to ignore.
fn forget_optional(value: &mut Value) {
    let names: Vec<String> = match value.get("optional").and_then(Value::as_array) {
        Some(names) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
        None => return,
    };
    forget(value, &names);
}

fn forget(value: &mut Value, names: &[String]) {
    match value {
        Value::Object(object) => {
            object.retain(|name, _| name == "optional" || !names.contains(name));
            object.values_mut().for_each(|value| forget(value, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| forget(value, names)),
        _ => {}
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{key}"),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}
