//! JSON at the entrances: stricter than the parser is by itself.
//!
//! Holds: [`object`] and [`check`], one of which every payload passes before anything reads it.
//! Promises: UTF-8, one object, no duplicate key, at most [`DEPTH_MAX`] deep, at most the given size.
//! Leaves to others: which fields an object may have.

use psa_host_api::json::{DEPTH_MAX, look_through};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Payloads above this are refused, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 64 << 20;

/// Why a payload is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Over the size.
    #[error("{0} bytes; at most {1} are read")]
    TooLarge(usize, usize),
    /// Not UTF-8.
    #[error("not UTF-8 from byte {0} on")]
    Utf8(usize),
    /// Not JSON, too deep, or with a key twice; in the parser's words.
    #[error("{0}")]
    Syntax(String),
    /// JSON, but not an object.
    #[error("not a JSON object")]
    NotObject,
}

/// A name as a part of a JSON pointer.
pub(crate) fn pointer_part(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The text of a payload of bounded size.
fn text(bytes: &[u8], bytes_max: usize) -> Result<&str, JsonError> {
    if bytes.len() > bytes_max {
        return Err(JsonError::TooLarge(bytes.len(), bytes_max));
    }
    std::str::from_utf8(bytes).map_err(|error| JsonError::Utf8(error.valid_up_to()))
}

/// Checks one object without building it: for large payloads that are read into types afterwards.
pub fn check(bytes: &[u8], bytes_max: usize) -> Result<(), JsonError> {
    let text = text(bytes, bytes_max)?;
    if !text.trim_ascii_start().starts_with('{') {
        return object(bytes, bytes_max).map(drop);
    }
    look_through(text).map_err(|error| JsonError::Syntax(error.to_string()))
}

/// Reads one object. No bytes at all are the empty object.
pub fn object(bytes: &[u8], bytes_max: usize) -> Result<Map<String, Value>, JsonError> {
    let text = text(bytes, bytes_max)?;
    if text.is_empty() {
        return Ok(Map::new());
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let syntax = |error: serde_json::Error| JsonError::Syntax(error.to_string());
    let value = Strict { depth: 0 }.deserialize(&mut reader).map_err(syntax)?;
    reader.end().map_err(syntax)?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(JsonError::NotObject),
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Strict, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom(format_args!("nested more than {DEPTH_MAX} deep")));
        }
        Ok(Strict { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inner)?;
            if object.insert(key.clone(), value).is_some() {
                let key: String = key.chars().take(64).collect();
                return Err(A::Error::custom(format_args!("the key \"{key}\" is there twice")));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both readers say the same.
    fn both(text: &[u8]) -> Result<(), String> {
        let (built, checked) = (object(text, 2000).map(drop), check(text, 2000));
        let words = |outcome: &Result<(), JsonError>| outcome.as_ref().map_err(ToString::to_string).copied();
        // Where they stumble over the same thing they stand at the same place, or a few bytes further on.
        assert_eq!(built.is_ok(), checked.is_ok(), "{text:?}: {built:?} {checked:?}");
        words(&built)
    }

    #[test]
    fn what_is_no_plain_object_is_refused_with_the_reason() {
        let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(both(br#"{"a":[1,-2,2.5,null,true,"x"],"b":{"a":1,"\u0061b":2,"ab c":3}}"#).is_ok());
        assert!(both(br#"{"\u0061":1,"a":2}"#).unwrap_err().contains("twice"));
        assert!(check(br#"{"\u0061":1,"a":2}"#, 100).unwrap_err().to_string().contains("\"a\" is there twice"));
        assert_eq!(object(b"", 100), Ok(Map::new()));
        assert!(object(deep(DEPTH_MAX - 1).as_bytes(), 1000).is_ok());
        for (text, part) in [
            (r#"{"a":1,"a":2}"#.to_owned(), "\"a\" is there twice"),
            (r#"{"b":{"a":1,"a":2}}"#.to_owned(), "twice"),
            (deep(DEPTH_MAX), "deep"),
            (deep(100_000), "at most"),
            ("[]".to_owned(), "not a JSON object"),
            ("\u{feff}{}".to_owned(), "expected value"),
            ("{} {}".to_owned(), "trailing"),
            ("{\"a\":1e999}".to_owned(), "out of range"),
        ] {
            let error = both(text.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{part}: {error}");
        }
        assert_eq!(object(b"{\"a\":\"\xff\"}", 100), Err(JsonError::Utf8(6)));
    }

    #[test]
    fn a_hundred_thousand_brackets_do_not_exhaust_the_stack() {
        let text = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(object(text.as_bytes(), 1 << 20).unwrap_err().to_string().contains("deep"));
        assert!(check(text.as_bytes(), 1 << 20).unwrap_err().to_string().contains("deep"));
    }
}
