//! JSON Schemas in words.
//!
//! Holds: [`Types`]: what was named on the way, each with its members or its words.
//! Promises: a shape that has no words here is a panic of the test that publishes the page, not a gap in it.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The type that is one for every kind of item.
pub(super) const PAGE: &str = "Page";

/// Which way a type goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Params,
    Result,
}

/// The named types.
#[derive(Default)]
pub(super) struct Types {
    named: BTreeMap<String, Named>,
}

#[derive(Default)]
struct Named {
    about: String,
    /// The schema without its definitions, so that another one under this name is noticed.
    made_from: Value,
    params: bool,
    result: bool,
    body: String,
}

/// A name as a link to what it stands for.
pub(super) fn linked(name: &str) -> String {
    format!("[{name}](#{})", name.to_lowercase())
}

impl Types {
    /// The rows of a table: the members of an object, those that must be there first.
    pub(super) fn members(&mut self, node: &Value, root: &Value, role: Role) -> String {
        let none = Map::new();
        let members = node["properties"].as_object().unwrap_or(&none);
        let mut rows = String::new();
        for (name, member) in sure_first(node, members, role) {
            let kind = self.kind(member, root, role);
            let sure = if is_sure(node, name, member, role) { "yes" } else { "" };
            let about = about(member).or_else(|| about(definition(member, root)?)).unwrap_or_default();
            let _ = writeln!(rows, "| `{name}` | {kind} | {sure} | {about} |");
        }
        rows
    }

    /// A type in words; what it names is declared.
    pub(super) fn kind(&mut self, node: &Value, root: &Value, role: Role) -> String {
        if let Some(definition) = definition(node, root) {
            let name = named(node).unwrap_or_default();
            if definition["type"] == serde_json::json!(["object", "boolean"]) {
                return "JSON Schema".to_owned();
            }
            self.declare(name, definition, root, role);
            return match name {
                PAGE => format!("{} of {}", linked(PAGE), self.kind(item_of(definition), root, role)),
                _ => linked(name),
            };
        }
        if let Some(branches) = node["anyOf"].as_array() {
            let some = branches.iter().filter(|branch| branch["type"] != "null");
            let kinds: Vec<String> = some.map(|branch| self.kind(branch, root, role)).collect();
            return kinds.join(" or ");
        }
        let several = node["type"].as_array().map_or(std::slice::from_ref(&node["type"]), Vec::as_slice);
        let kinds: Vec<&str> = several.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect();
        match kinds.as_slice() {
            ["array"] => match node["prefixItems"].as_array() {
                Some(items) => {
                    let kinds: Vec<String> = items.iter().map(|item| self.kind(item, root, role)).collect();
                    format!("list of {}", kinds.join(" and "))
                }
                None => format!("list of {}", self.kind(&node["items"], root, role)),
            },
            ["object"] if node["additionalProperties"].is_object() => {
                format!("object of {}", self.kind(&node["additionalProperties"], root, role))
            }
            [] => "any JSON".to_owned(),
            [plain @ ("string" | "integer" | "number" | "boolean" | "object")] => (*plain).to_owned(),
            other => panic!("the reference has no words for the type {other:?}: {node}"),
        }
    }

    /// Notes what a name stands for, once.
    pub(super) fn declare(&mut self, name: &str, node: &Value, root: &Value, role: Role) {
        let mut made_from = node.clone();
        for key in ["$defs", "$schema", "title"] {
            made_from.as_object_mut().map(|object| object.remove(key));
        }
        if name == PAGE {
            made_from["properties"]["items"]["items"] = Value::Null;
        }
        let known = self.named.entry(name.to_owned()).or_default();
        let seen = match role {
            Role::Params => &mut known.params,
            Role::Result => &mut known.result,
        };
        if std::mem::replace(seen, true) {
            assert!(known.made_from == made_from, "two types are named {name}: give one another name for its schema");
            return;
        }
        known.made_from = made_from;
        known.about = about(node).unwrap_or_default();
        let body = match node["oneOf"].as_array() {
            Some(variants) if words(node).is_empty() => self.variants(variants, root, role),
            _ if !words(node).is_empty() => words(node),
            _ if node["anyOf"].is_array() => self.choices(node, root, role),
            _ if name == PAGE => self.page(node, root, role),
            _ => self.table(node, root, role),
        };
        self.named.entry(name.to_owned()).or_default().body = body;
    }

    fn table(&mut self, node: &Value, root: &Value, role: Role) -> String {
        let sure = if role == Role::Params { "needed" } else { "always" };
        format!("| member | type | {sure} | |\n|---|---|---|---|\n{}", self.members(node, root, role))
    }

    /// The table of every page, whatever is on it.
    fn page(&mut self, node: &Value, root: &Value, role: Role) -> String {
        let mut node = node.clone();
        node["properties"]["items"]["items"] = Value::Bool(true);
        self.table(&node, root, role)
    }

    /// Objects of several kinds.
    fn variants(&mut self, variants: &[Value], root: &Value, role: Role) -> String {
        let mut text = String::from("One of these objects:\n\n");
        for variant in variants {
            let none = Map::new();
            let members = variant["properties"].as_object().unwrap_or(&none);
            let mut parts: Vec<String> = members
                .iter()
                .map(|(name, member)| match member["const"].as_str() {
                    Some(word) => format!("`{name}` is `{word}`"),
                    None => format!("`{name}`: {}", self.kind(member, root, role)),
                })
                .collect();
            if named(variant).is_some() {
                parts.push(format!("the members of {}", self.kind(variant, root, role)));
            }
            let _ = writeln!(text, "- {}. {}", parts.join("; "), about(variant).unwrap_or_default());
        }
        text
    }

    /// Values of several types.
    fn choices(&mut self, node: &Value, root: &Value, role: Role) -> String {
        let mut text = String::from("One of:\n\n");
        for branch in node["anyOf"].as_array().into_iter().flatten() {
            let kind = self.kind(branch, root, role);
            let _ = writeln!(text, "- {kind}: {}", about(branch).unwrap_or_default());
        }
        text
    }

    /// All that was named, by name.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, Named { about, body, .. }) in &self.named {
            let _ = write!(text, "\n### {name}\n\n{about}\n\n{body}");
        }
        text
    }
}

fn sure_first<'a>(node: &Value, members: &'a Map<String, Value>, role: Role) -> Vec<(&'a String, &'a Value)> {
    let mut all: Vec<_> = members.iter().collect();
    all.sort_by_key(|(name, member)| !is_sure(node, name, member, role));
    all
}

/// Whether a member must be there, or always is. What has a default may be left out, and is answered all the same.
fn is_sure(node: &Value, name: &str, member: &Value, role: Role) -> bool {
    let required = node["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
    required || (role == Role::Result && member.get("default").is_some())
}

/// The name that a node stands for.
fn named(node: &Value) -> Option<&str> {
    node["$ref"].as_str()?.strip_prefix("#/$defs/")
}

fn definition<'a>(node: &Value, root: &'a Value) -> Option<&'a Value> {
    Some(&root["$defs"][named(node)?])
}

fn item_of(page: &Value) -> &Value {
    &page["properties"]["items"]["items"]
}

/// What a node means, in one line of a table.
fn about(node: &Value) -> Option<String> {
    let text = node["description"].as_str()?;
    Some(text.replace('\n', " ").replace("[`", "`").replace("`]", "`").replace('|', "\\|"))
}

/// The texts of a node that is one of several texts, each with its meaning; empty if it is something else.
fn words(node: &Value) -> String {
    let mut text = String::new();
    let plain = |listed: &Value| -> String {
        let words: Vec<String> =
            listed.as_array().into_iter().flatten().filter_map(Value::as_str).map(quoted).collect();
        words.join(", ")
    };
    let listed = plain(&node["enum"]);
    if !listed.is_empty() {
        let _ = writeln!(text, "One of {listed}.");
    }
    for branch in node["oneOf"].as_array().into_iter().flatten() {
        match branch["const"].as_str() {
            Some(word) => {
                let _ = writeln!(text, "- `{word}`: {}", about(branch).unwrap_or_default());
            }
            None if branch["enum"].is_array() => {
                let _ = writeln!(text, "- {}", plain(&branch["enum"]));
            }
            None => {}
        }
    }
    text
}

fn quoted(word: &str) -> String {
    format!("`{word}`")
}
