//! What an operation wanted a field to be, in a form that tells it from what somebody else has made of it.
//!
//! Promises: the value cannot be read from its mark; the same value has the same mark, whatever its white space or the
//! name beside its id.

use crate::clock::hex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const BYTES: usize = 8;

/// The mark of a value: of its id where it has one.
pub(crate) fn of(value: &Value) -> String {
    let text = match value.get("id").unwrap_or(value) {
        Value::Null => String::new(),
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    hex(&Sha256::digest(text.as_bytes())[..BYTES])
}

/// Fields with their values, as they are kept with an operation.
pub(crate) fn write<'a>(fields: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
    fields.map(|(name, value)| format!("{name}={}", of(value))).collect::<Vec<_>>().join(",")
}

/// The same, taken apart. Of operations that were accepted by an older version only the names are known.
pub(crate) fn read(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split(',').map(|field| field.split_once('=').map_or((field, None), |(name, mark)| (name, Some(mark))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_known_again_by_its_mark() {
        assert_eq!(of(&json!("8")), of(&json!({"id": "8", "name": "Low"})));
        assert_eq!(of(&json!(" a  b ")), of(&json!("a b")));
        assert_eq!(of(&json!("")), of(&Value::Null));
        assert_ne!(of(&json!("a")), of(&json!("b")));
        let (a, b) = (json!("x"), json!("8"));
        let written = write([("summary", &a), ("priority", &b)].into_iter());
        let read: Vec<_> = read(&written).collect();
        assert_eq!(read, [("summary", Some(of(&a).as_str())), ("priority", Some(of(&b).as_str()))]);
        assert_eq!(super::read("summary").collect::<Vec<_>>(), [("summary", None)]);
        assert!(!written.contains('x'));
    }
}
