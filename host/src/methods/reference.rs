//! The methods for people, as Markdown.
//!
//! Holds: the page's order: each method with its parameters and its result, then the types that these name.
//! Promises: every member that a schema has is listed, with its type and its meaning; one name stands for one shape.
//! Leaves to others: how a schema becomes words (`shapes`).

mod shapes;

use serde_json::Value;
use shapes::{Role, Types};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A method, for people.
pub(super) struct Told {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// `input`, `output`, or empty.
    pub(super) stream: &'static str,
    /// JSON Schemas.
    pub(super) params: Value,
    pub(super) result: Value,
}

const HEAD: &str = "# Methods

Every method takes one JSON object and answers with one. Generated from the types; the whole schemas are in \
                    `include/psa_host.schema.json`.

A member that is not marked as *needed* may be left out of what you hand in; one that is not marked as *always* may be \
                    absent from an answer. Answers get new members, and words new values, in later versions: read over \
                    those that you do not know. What a name such as `Ticket` stands for is told under [Types](#types).
";

/// The page.
pub(super) fn text(methods: &[Told]) -> String {
    let mut results: BTreeMap<&str, usize> = BTreeMap::new();
    for method in methods {
        *results.entry(title(&method.result)).or_default() += 1;
    }
    let mut types = Types::default();
    let mut text = String::from(HEAD);
    for method in methods {
        let _ = write!(text, "\n## {}\n\n{}\n\n", method.name, method.about);
        match method.stream {
            "input" => text.push_str("Needs the call's input.\n\n"),
            "output" => text.push_str("Needs the call's output.\n\n"),
            _ => {}
        }
        text.push_str(&match types.members(&method.params, &method.params, Role::Params) {
            rows if rows.is_empty() => "No parameters.\n".to_owned(),
            rows => format!("| parameter | type | needed | |\n|---|---|---|---|\n{rows}"),
        });
        let shared = results.get(title(&method.result)).is_some_and(|methods| *methods > 1);
        text.push_str(&result(&mut types, &method.result, shared));
    }
    text.push_str("\n## Types\n");
    text.push_str(&types.text());
    text
}

/// What a method answers with: its members, or the name of what several methods answer with.
fn result(types: &mut Types, root: &Value, shared: bool) -> String {
    if root["properties"].is_null() && root["oneOf"].is_null() {
        return "\nAnswers with an empty object.\n".to_owned();
    }
    if title(root) == shapes::PAGE {
        let item = types.kind(&root["properties"]["items"]["items"], root, Role::Result);
        types.declare(shapes::PAGE, root, root, Role::Result);
        return format!("\nAnswers with a [Page](#page) of {item}.\n");
    }
    if shared || root["properties"].is_null() {
        types.declare(title(root), root, root, Role::Result);
        return format!("\nAnswers with {}.\n", shapes::linked(title(root)));
    }
    let rows = types.members(root, root, Role::Result);
    format!("\n| result | type | always | |\n|---|---|---|---|\n{rows}")
}

fn title(root: &Value) -> &str {
    root["title"].as_str().unwrap_or_default()
}
