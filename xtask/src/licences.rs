//! The licences of what is inside a package.
//!
//! Holds: which crates that are, and the texts that lie in them.
//! Promises: every crate that is linked in is named with its licence; equal texts stand once; sorted, and free of paths.
//! Leaves to others: which licences may be inside (`cargo deny`), our own licence files (`package`).

use crate::{files, tools};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How the names of files with a licence begin.
const NAMES: [&str; 6] = ["license", "licence", "copying", "copyright", "notice", "unlicense"];

const HEAD: &str = "Third-party software in this package

Besides the crates below, the library, the plugins and the command contain the standard library of Rust
(https://github.com/rust-lang/rust), MIT OR Apache-2.0, and SQLite (https://sqlite.org), which is in the public domain.
";

/// One text for people: the crates inside `packages`, and the texts of their licences.
pub fn text(root: &Path, packages: &[String], platform: &str) -> Result<String, String> {
    let manifest = root.join("Cargo.toml").display().to_string();
    let arguments =
        ["metadata", "--format-version=1", "--locked", "--filter-platform", platform, "--manifest-path", &manifest];
    let metadata = tools::output("cargo", &arguments)?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let ids = inside(&metadata, packages)?;
    let all = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut foreign: Vec<&Value> =
        all.iter().filter(|one| ids.contains(text_of(one, "id")) && !one["source"].is_null()).collect();
    foreign.sort_by_key(|one| (text_of(one, "name"), text_of(one, "version")));
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut out = HEAD.to_string();
    for one in foreign {
        let name = format!("{} {}", text_of(one, "name"), text_of(one, "version"));
        out.push_str(&format!("\n{name}: {}, {}", text_of(one, "license"), text_of(one, "repository")));
        let found = licence_texts(one)?;
        if found.is_empty() {
            out.push_str(&format!(", by {}; no licence file lies in it", authors(one)));
        }
        for text in found {
            texts.entry(text).or_default().insert(name.clone());
        }
    }
    for (text, names) in texts {
        let names: Vec<String> = names.into_iter().collect();
        out.push_str(&format!("\n\n{}\n{}\n\n{text}", "=".repeat(100), names.join(", ")));
    }
    Ok(out + "\n")
}

/// The ids of all crates that are linked into `packages`: not those that only build or test them.
fn inside<'a>(metadata: &'a Value, packages: &[String]) -> Result<BTreeSet<&'a str>, String> {
    let nodes = metadata["resolve"]["nodes"].as_array().ok_or("cargo metadata resolves nothing")?;
    let nodes: BTreeMap<&str, &Value> = nodes.iter().map(|node| (text_of(node, "id"), node)).collect();
    let all = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours = all.iter().filter(|one| one["source"].is_null() && packages.iter().any(|name| one["name"] == **name));
    let mut open: Vec<&str> = ours.map(|one| text_of(one, "id")).collect();
    if open.len() != packages.len() {
        return Err(format!("cargo metadata does not know all of {}", packages.join(", ")));
    }
    let mut inside = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !inside.insert(id) {
            continue;
        }
        let wanted = nodes.get(id).and_then(|node| node["deps"].as_array()).map(Vec::as_slice).unwrap_or_default();
        let linked = |dep: &&Value| {
            dep["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
        };
        open.extend(wanted.iter().filter(linked).map(|dep| text_of(dep, "pkg")));
    }
    Ok(inside)
}

/// The texts that lie in a crate's folder.
fn licence_texts(one: &Value) -> Result<Vec<String>, String> {
    let folder = Path::new(text_of(one, "manifest_path")).parent().unwrap_or(Path::new(""));
    let is_licence = |path: &&std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        NAMES.iter().any(|start| name.starts_with(start))
    };
    let files = files::list(folder)?;
    let texts = files.iter().filter(is_licence).filter_map(|path| std::fs::read_to_string(path).ok());
    Ok(texts.map(|text| tidy(&text)).collect())
}

/// The names of a crate's authors, without their addresses.
fn authors(one: &Value) -> String {
    let named = one["authors"].as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(Value::as_str);
    let names: Vec<&str> = named.map(|author| author.split('<').next().unwrap_or_default().trim()).collect();
    names.join(", ")
}

/// Without the differences that are none: line ends, and blanks at the end of lines.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_string()
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_linked_in_is_inside() {
        let dep = |id: &str, kind: Value| json!({"pkg": id, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [{"id": "ours", "name": "ours", "source": null}, {"id": "a", "name": "a", "source": "registry"}],
            "resolve": {"nodes": [
                {"id": "ours", "deps": [dep("a", Value::Null), dep("t", json!("dev")), dep("b", json!("build"))]},
                {"id": "a", "deps": [dep("c", Value::Null)]},
                {"id": "c", "deps": []},
            ]},
        });
        let found = inside(&metadata, &["ours".to_string()]).expect("it is known");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a", "c", "ours"]);
        assert!(inside(&metadata, &["other".to_string()]).is_err());
    }
}
