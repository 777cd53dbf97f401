//! What is published about the methods is what the code says.

use serde_json::{Map, Value};
use std::path::Path;

/// Compares a file with what it must hold; `PSA_BLESS=1` writes it.
fn is_published(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if std::env::var_os("PSA_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "{} is stale. Run `cargo xtask generate` and commit the result.", path.display());
}

/// The same value with its keys in order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[test]
fn published_schemas_and_reference_are_those_of_the_code() {
    let schemas = serde_json::to_string_pretty(&sorted(crate::schemas())).unwrap() + "\n";
    is_published("include/psa_host.schema.json", &schemas);
    is_published("docs/methods.md", &crate::reference());
}

#[test]
fn the_reference_tells_what_every_member_and_word_means_under_a_heading_of_its_own() {
    let text = crate::reference();
    let mut headings = std::collections::BTreeSet::new();
    for line in text.lines() {
        let is_bare = line.ends_with("|  |") || (line.starts_with("- ") && line.ends_with(": "));
        assert!(!is_bare, "{line}: say in its Rust type what it means");
        if line.starts_with("##") {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            assert!(headings.insert(heading), "{line}: a link to it would lead to another heading of this name");
        }
    }
    for wanted in [
        "| `passed` | boolean | yes | True if everything works",
        "| `connections` | [Page](#page) of [ConnectionHealth](#connectionhealth) | yes | Each connection. |",
        "Answers with a [Page](#page) of [Ticket](#ticket).",
        "- `in_doubt`: Nobody knows.",
        "- `entry` is `board`; the members of [Board](#board). A board.",
    ] {
        assert!(text.contains(wanted), "the reference lacks: {wanted}");
    }
}
