//! What a request brings: the query and the fields of a form, in order.
//!
//! Promises: bounded; whatever comes in is text; the JSON of an API client becomes the same pairs as a form.

use secrecy::SecretString;
use serde_json::Value;

/// Names in a form, at most.
const FIELDS_MAX: usize = 400;
/// A value, in bytes.
const VALUE_BYTES_MAX: usize = 64 * 1024;
/// A body, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// Objects within objects.
const DEPTH_MAX: usize = 4;

/// Names and values in the order they came. A name may come again. Never printed: a form holds secrets.
#[derive(Default)]
pub(crate) struct Pairs(Vec<(String, zeroize::Zeroizing<String>)>);

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// More than the limits allow.
    TooLarge,
    /// Neither a form nor JSON.
    Type,
    /// Not of the shape it says.
    Shape,
}

impl Pairs {
    /// Those of a query or a form's body.
    pub(crate) fn of_form(text: &[u8]) -> Result<Pairs, Unread> {
        if text.len() > BODY_BYTES_MAX {
            return Err(Unread::TooLarge);
        }
        let mut pairs = Vec::new();
        for (name, value) in url::form_urlencoded::parse(text) {
            if pairs.len() == FIELDS_MAX || name.len() > 256 || value.len() > VALUE_BYTES_MAX {
                return Err(Unread::TooLarge);
            }
            // As a browser sends lines, and as everybody else writes them.
            pairs.push((name.into_owned(), zeroize::Zeroizing::new(value.replace("\r\n", "\n"))));
        }
        Ok(Pairs(pairs))
    }

    /// Those of a body, by its content type.
    pub(crate) fn of_body(content_type: &str, body: &[u8]) -> Result<Pairs, Unread> {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if body.is_empty() || kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Pairs::of_form(body);
        }
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Unread::Type);
        }
        let map = crate::json::object(body, BODY_BYTES_MAX).map_err(|error| match error {
            crate::json::JsonError::TooLarge(..) => Unread::TooLarge,
            _ => Unread::Shape,
        })?;
        let mut pairs = Pairs::default();
        for (name, value) in map {
            pairs.push(&name, value, 1)?;
        }
        Ok(pairs)
    }

    /// `{"a": {"b": 1}}` is `a.b=1`; a list is its name again and again; null is nothing.
    fn push(&mut self, name: &str, value: Value, depth: usize) -> Result<(), Unread> {
        let text = match value {
            Value::Null => return Ok(()),
            Value::Object(map) => {
                for (inner, value) in map {
                    if depth >= DEPTH_MAX {
                        return Err(Unread::TooLarge);
                    }
                    self.push(&format!("{name}.{inner}"), value, depth + 1)?;
                }
                return Ok(());
            }
            Value::Array(items) => {
                for item in items {
                    if depth >= DEPTH_MAX {
                        return Err(Unread::TooLarge);
                    }
                    self.push(name, item, depth + 1)?;
                }
                return Ok(());
            }
            Value::String(text) => text,
            Value::Bool(false) => return Ok(()),
            Value::Bool(true) => "on".to_owned(),
            Value::Number(number) => number.to_string(),
        };
        if self.0.len() == FIELDS_MAX || name.len() > 256 || text.len() > VALUE_BYTES_MAX {
            return Err(Unread::TooLarge);
        }
        self.0.push((name.to_owned(), zeroize::Zeroizing::new(text)));
        Ok(())
    }

    /// The first value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a name, unless it is empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// All values of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All of them, in order.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A value that is a secret.
    pub(crate) fn secret(&self, name: &str) -> Option<SecretString> {
        self.get(name).map(SecretString::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_a_form_become_the_same_pairs() {
        let form = Pairs::of_form(b"a=1&b.op=keep&c=x&c=y&d=on&text=one%0D%0Atwo").unwrap();
        let body =
            br#"{"a": 1, "b": {"op": "keep"}, "c": ["x", "y"], "d": true, "e": false, "f": null, "text": "one\ntwo"}"#;
        let json = Pairs::of_body("application/json; charset=utf-8", body).unwrap();
        assert_eq!(form.iter().collect::<Vec<_>>(), json.iter().collect::<Vec<_>>());
        assert_eq!(form.all("c").collect::<Vec<_>>(), ["x", "y"]);
    }

    #[test]
    fn what_is_too_much_or_of_another_type_is_refused() {
        let many: String = (0..=FIELDS_MAX).map(|n| format!("f{n}=1&")).collect();
        let long = format!("a={}", "x".repeat(VALUE_BYTES_MAX + 1));
        let huge = "x".repeat(BODY_BYTES_MAX + 1);
        for body in [&many, &long, &huge] {
            assert_eq!(Pairs::of_form(body.as_bytes()).err(), Some(Unread::TooLarge));
        }
        let deep = br#"{"a":{"b":{"c":{"d":{"e":1}}}}}"#;
        assert_eq!(Pairs::of_body("application/json", deep).err(), Some(Unread::TooLarge));
        assert_eq!(Pairs::of_body("application/json", b"[1]").err(), Some(Unread::Shape));
        assert_eq!(Pairs::of_body("multipart/form-data; boundary=x", b"--x").err(), Some(Unread::Type));
    }
}
