//! Finds what a slash path points at in a record.
//!
//! Holds: [`Path`].
//! Promises: names match in any case; an absent member and a null are the same.
//! Leaves to others: which names a resource knows (`names`), what is done with the values.

use serde_json::Value;

use super::{ConditionError, PATH_PARTS_MAX};

/// A path such as `board/id`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    written: String,
    parts: Vec<String>,
}

impl Path {
    /// Refuses empty members and too many of them.
    pub(super) fn parse(written: &str) -> Result<Path, ConditionError> {
        let parts: Vec<String> = written.split('/').take(PATH_PARTS_MAX + 1).map(str::to_owned).collect();
        if parts.len() > PATH_PARTS_MAX || parts.iter().any(String::is_empty) {
            return Err(ConditionError::unknown_name(written));
        }
        Ok(Path { written: written.to_owned(), parts })
    }

    /// As the caller wrote it.
    pub(super) fn written(&self) -> &str {
        &self.written
    }

    /// The members to pass, from the outside in.
    pub(super) fn parts(&self) -> &[String] {
        &self.parts
    }

    /// Every value the path leads to: one, or one per element where it passes an array. Nothing stands for null.
    pub(super) fn values<'a>(&self, record: &'a Value) -> Vec<&'a Value> {
        let mut found = Vec::new();
        collect(record, &self.parts, &mut found);
        if found.is_empty()
            && let Some((holder, rest)) = self.elsewhere()
            && let Some(value) = member(record, holder)
        {
            collect(value, rest, &mut found);
        }
        found
    }

    /// The single value of a path that passes no array.
    pub(super) fn value<'a>(&self, record: &'a Value) -> Option<&'a Value> {
        self.values(record).into_iter().next()
    }

    /// Names that conditions know although the answer keeps the value under another member: `lastUpdated` and `dateEntered` live in
    /// `_info`, `configuration` is singular only here. Source: facts 3.3.
    fn elsewhere(&self) -> Option<(&'static str, &[String])> {
        let first = self.parts.first()?.to_ascii_lowercase();
        match (first.as_str(), self.parts.len()) {
            ("lastupdated" | "dateentered", 1) => Some(("_info", &self.parts)),
            ("configuration", _) => Some(("configurations", &self.parts[1..])),
            _ => None,
        }
    }
}

fn collect<'a>(value: &'a Value, parts: &[String], found: &mut Vec<&'a Value>) {
    match (value, parts) {
        (Value::Array(elements), _) => elements.iter().for_each(|element| collect(element, parts, found)),
        (Value::Null, _) => {}
        (value, []) => found.push(value),
        (value, [first, rest @ ..]) => {
            if let Some(inner) = member(value, first) {
                collect(inner, rest, found);
            }
        }
    }
}

/// The member of that name: exactly, else in any case.
pub(super) fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let members = value.as_object()?;
    members.get(name).or_else(|| members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_lead_to_values() {
        let record = json!({"id": 7, "board": {"id": 1, "name": "Help Desk"}, "owner": null, "types": [{"id": 4}, {"id": 5}],
            "configurations": [{"id": 9}], "_info": {"lastUpdated": "2024-01-01T00:00:00Z"}});
        for (path, expected) in [
            ("id", vec![json!(7)]),
            ("BOARD/Id", vec![json!(1)]),
            ("board/identifier", vec![]),
            ("owner", vec![]),
            ("owner/id", vec![]),
            ("id/x", vec![]),
            ("types/id", vec![json!(4), json!(5)]),
            ("lastUpdated", vec![json!("2024-01-01T00:00:00Z")]),
            ("dateEntered", vec![]),
            ("configuration/id", vec![json!(9)]),
        ] {
            let found: Vec<Value> = Path::parse(path).unwrap().values(&record).into_iter().cloned().collect();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn broken_paths_are_unknown_names() {
        for path in ["/id", "id/", "a//b", "a/b/c/d/e/f/g/h/i"] {
            assert_eq!(Path::parse(path), Err(ConditionError::unknown_name(path)), "{path}");
        }
    }
}
