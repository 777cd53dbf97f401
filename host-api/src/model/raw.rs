//! What a provider says beyond our words.
//!
//! Promises: a JSON object on one line, kept as text, so that what nobody looks into costs little to hand on.
//! Leaves to others: how deep it is, and whether a name is there twice (`sdk::Response::json`, and the host at the boundary).

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// What the provider said beyond our words: kept, never interpreted.
///
/// Read from JSON, or made of a `Map` by `into`. Only serde_json reads and writes it, and not as a flattened member nor within
/// a type that is tagged or untagged: read a `Map` there.
#[derive(Clone, Default)]
pub struct Raw(Option<Box<RawValue>>);

impl Raw {
    /// Of members as they were written, within a text that [`look_through`](crate::json::look_through) has passed, and none of
    /// them twice. Of others the host refuses the answer.
    pub fn of<'a>(members: impl IntoIterator<Item = (&'a str, &'a RawValue)>) -> Raw {
        Raw::written(&Members(members.into_iter().collect()))
    }

    /// True if nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// A member. All of it is read for that: who wants several takes [`Raw::members`].
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value> {
        self.members().remove(name)
    }

    /// All of it; empty, too, of a text that the host would refuse.
    #[must_use]
    pub fn members(&self) -> Map<String, Value> {
        self.text().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    fn text(&self) -> Option<&str> {
        self.0.as_deref().map(RawValue::get)
    }

    fn written(members: &impl Serialize) -> Raw {
        // Names are text and values are JSON, so nothing can fail.
        to_raw_value(members).ok().and_then(|json| Raw::on_one_line(json).ok()).unwrap_or_default()
    }

    /// A line break is always between values: within a text it would be an escape.
    fn on_one_line(json: Box<RawValue>) -> serde_json::Result<Raw> {
        let text = json.get();
        // Without stopping at the first, so that it looks at many bytes at once.
        let breaks = text.bytes().fold(false, |found, byte| found | (byte == b'\n') | (byte == b'\r'));
        match text.starts_with('{') && !breaks {
            true => Ok(Raw(Some(json).filter(|json| !is_empty(json.get())))),
            false => Raw::mended(&json),
        }
    }

    fn mended(json: &RawValue) -> serde_json::Result<Raw> {
        let members: Map<String, Value> = serde_json::from_str(json.get())?;
        Ok(Raw(Some(to_raw_value(&members)?).filter(|_| !members.is_empty())))
    }
}

/// An object without members.
fn is_empty(object: &str) -> bool {
    object.trim_matches(['{', '}', ' ', '\t']).is_empty()
}

struct Members<'a>(Vec<(&'a str, &'a RawValue)>);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

impl From<Map<String, Value>> for Raw {
    fn from(members: Map<String, Value>) -> Raw {
        Raw::written(&members)
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(json) => json.serialize(serializer),
            None => serializer.collect_map::<&str, &str, _>([]),
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        Raw::on_one_line(json).map_err(|error| D::Error::custom(format_args!("raw is no object to hand on ({error})")))
    }
}

/// The same members with the same values, however they are written.
impl PartialEq for Raw {
    fn eq(&self, other: &Raw) -> bool {
        self.text() == other.text() || self.members() == other.members()
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().unwrap_or("{}"))
    }
}

impl JsonSchema for Raw {
    fn inline_schema() -> bool {
        <Map<String, Value>>::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        <Map<String, Value>>::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        <Map<String, Value>>::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <Map<String, Value>>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_is_handed_on_as_it_was_written() {
        let text = r#"{ "b": 1.50, "a": {"z":1,"y":[]} }"#;
        let raw: Raw = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&raw).unwrap(), text);
        assert_eq!((raw.get("b"), raw.get("c"), format!("{raw:?}").as_str()), (Some(json!(1.5)), None, text));
        let Value::Object(members) = json!({"a": {"y": [], "z": 1}, "b": 1.5}) else { unreachable!() };
        assert_eq!(raw, Raw::from(members));
        assert_ne!(raw, Raw::default());
    }

    #[test]
    fn nothing_said_is_empty_however_it_is_written() {
        for empty in ["{}", "{ \n}"] {
            assert!(serde_json::from_str::<Raw>(empty).unwrap().is_empty());
        }
        assert!(Raw::of([]).is_empty() && Raw::from(Map::new()) == Raw::default());
        assert_eq!(serde_json::to_string(&Raw::default()).unwrap(), "{}");
    }

    #[test]
    fn it_stands_on_one_line() {
        for (text, line) in [("{\"b\":[1,\n2],\r\n\"a\":1.50}", r#"{"a":1.5,"b":[1,2]}"#), ("{\n}", "{}")] {
            assert_eq!(serde_json::to_string(&serde_json::from_str::<Raw>(text).unwrap()).unwrap(), line);
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for other in ["null", "[]", "[\n]", "\"{}\"", "1"] {
            assert!(serde_json::from_str::<Raw>(other).unwrap_err().to_string().contains("to hand on"), "{other}");
        }
    }

    #[test]
    fn names_are_written_as_json() {
        let one = to_raw_value(&1).unwrap();
        assert_eq!(serde_json::to_string(&Raw::of([("a\"\n", &*one)])).unwrap(), r#"{"a\"\n":1}"#);
    }
}
