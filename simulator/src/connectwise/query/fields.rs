//! `fields`: which members an answer keeps.
//!
//! Holds: [`project`] and [`check`].
//! Promises: what is not named is dropped, `_info` too; a member keeps its own spelling and place.
//! Leaves to others: whether a resource refuses an unknown name or ignores it (both are seen, facts 3.4).

use serde_json::{Map, Value};

use super::path::Path;
use super::{ConditionError, Names, check_size};

/// How many names are looked at. Ours.
const NAMES_MAX: usize = 512;

/// What to keep below one member, by lower-case name; empty means all of it.
#[derive(Default)]
struct Kept(Vec<(String, Kept)>);

/// The record, or each record of a list, with only the named members; an empty `fields` keeps everything.
///
/// Names are separated by commas, slashes lead into references and arrays; unknown ones are ignored. Source: facts 3.4.
pub fn project(value: &Value, fields: &str) -> Value {
    let mut kept = Kept::default();
    for path in names(fields).filter_map(|name| Path::parse(name).ok()) {
        kept.add(path.parts());
    }
    if names(fields).next().is_none() { value.clone() } else { keep_members(value, &kept) }
}

/// Refuses the first name the resource does not have, for resources that do so. Source: facts 3.4.
pub fn check(fields: &str, known: &Names) -> Result<(), ConditionError> {
    check_size(fields)?;
    names(fields).try_for_each(|name| match Path::parse(name)?.parts() {
        [first, ..] if known.returns(first) => Ok(()),
        _ => Err(ConditionError::unknown_name(name)),
    })
}

fn names(fields: &str) -> impl Iterator<Item = &str> {
    let fields = if check_size(fields).is_ok() { fields } else { "" };
    fields.split(',').map(str::trim).filter(|name| !name.is_empty()).take(NAMES_MAX)
}

impl Kept {
    fn add(&mut self, parts: &[String]) {
        let Some((first, rest)) = parts.split_first() else {
            self.0.clear(); // the whole member was named
            return;
        };
        let name = first.to_lowercase();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, inner)) if inner.0.is_empty() => {} // already whole
            Some((_, inner)) => inner.add(rest),
            None => {
                let mut inner = Kept::default();
                inner.add(rest);
                self.0.push((name, inner));
            }
        }
    }
}

/// Recursion is as deep as the paths are long, plus the arrays between; both are bounded by the parsers.
fn keep(value: &Value, kept: &Kept) -> Value {
    if kept.0.is_empty() { value.clone() } else { keep_members(value, kept) }
}

fn keep_members(value: &Value, kept: &Kept) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(|element| keep_members(element, kept)).collect(),
        Value::Object(members) => {
            let mut answer = Map::new();
            for (name, inner) in members {
                if let Some((_, below)) = kept.0.iter().find(|(known, _)| *known == name.to_lowercase()) {
                    answer.insert(name.clone(), keep(inner, below));
                }
            }
            Value::Object(answer)
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_named_members_stay() {
        let ticket = json!({"id": 1, "summary": "x", "board": {"id": 1, "name": "Help Desk", "_info": {"board_href": "u"}},
            "owner": null, "types": [{"id": 4, "name": "a"}, {"id": 5}], "_info": {"lastUpdated": "t"}});
        for (fields, expected) in [
            ("id,summary", json!({"id": 1, "summary": "x"})),
            (" ID , Summary ", json!({"id": 1, "summary": "x"})),
            ("id,_info", json!({"id": 1, "_info": {"lastUpdated": "t"}})),
            ("_info/lastUpdated", json!({"_info": {"lastUpdated": "t"}})),
            ("board/name", json!({"board": {"name": "Help Desk"}})),
            ("board/name,board/id", json!({"board": {"id": 1, "name": "Help Desk"}})),
            ("board,board/id", json!({"board": {"id": 1, "name": "Help Desk", "_info": {"board_href": "u"}}})),
            ("board/id,board", json!({"board": {"id": 1, "name": "Help Desk", "_info": {"board_href": "u"}}})),
            ("types/id", json!({"types": [{"id": 4}, {"id": 5}]})),
            ("owner/id,id", json!({"id": 1, "owner": null})),
            ("nothing", json!({})),
            ("lastUpdated", json!({})),
            ("a//b", json!({})),
            ("", ticket.clone()),
            (" , ", ticket.clone()),
        ] {
            assert_eq!(project(&ticket, fields), expected, "{fields:?}");
        }
        assert_eq!(project(&json!([{"id": 1, "x": 2}, {"id": 3}]), "id"), json!([{"id": 1}, {"id": 3}]));
    }

    #[test]
    fn a_resource_may_refuse_unknown_names() {
        check("id,board/name,_info,customFields", Names::tickets()).unwrap();
        assert_eq!(check("id,bord", Names::tickets()).unwrap_err().message, "bord is not a recognized name.");
        assert!(check("dateEntered", Names::tickets()).is_err(), "it is only a name for conditions");
    }
}
