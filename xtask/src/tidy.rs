//! `cargo xtask tidy`: the rules of the house that need no compiler.
//!
//! Holds: one function per rule, each with the reason in its message.
//! Promises: takes seconds, reads only, names file and line.
//! Leaves to others: which files there are (`source`), what a compiler or clippy can say.

use crate::links::{self, Link};
use crate::{Outcome, read, source};
use std::path::Path;

/// Lines of a Rust file.
const LINES_MAX: usize = 400;

/// Files that may be longer, each with its reason.
const LONGER: &[(&str, &str)] = &[];

/// Folders that name no provider: what is in them must hold for every PSA.
const NO_PROVIDER: [&str; 2] = ["host/src/", "ffi/src/"];
const PROVIDERS: [&str; 3] = ["connectwise", "halopsa", "autotask"];

/// Where `unsafe` may be. Tests stand on the C side of the ABI and may use it too.
const UNSAFE: [&str; 6] = [
    "host-api/src/abi/",
    "host-api/src/sdk/",
    "host/src/plugin/",
    "host/src/fork",
    "host/src/store/sqlite/fork.rs",
    "ffi/src/",
];

/// Paths that exist on one machine only. Written in two halves: this file is looked through as well.
const ONE_MACHINE: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/tmp/", "bash"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];

/// Looks through all files.
pub fn run(root: &Path) -> Outcome {
    let mut found = Vec::new();
    for path in source::files(root)? {
        // What is not text has no rule here.
        let Ok(text) = read(&root.join(&path)) else { continue };
        found.extend(findings(root, &path, &text));
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("tidy found {}:\n  {}", found.len(), found.join("\n  ")))
}

/// Its links are right where it will lie; the tests of the package look there.
const OF_THE_PACKAGE: &str = "xtask/src/package/README.md";

/// All that is wrong with one file; `root` is where its links lead.
pub fn findings(root: &Path, path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if path.ends_with(".rs") {
        found.extend(too_long(path, text));
        found.extend(no_header(path, text));
        found.extend(provider_named(path, text));
        found.extend(unsafe_outside(path, text));
    }
    if path.ends_with(".md") && path != OF_THE_PACKAGE {
        found.extend(dead_links(root, path, text));
    }
    found.extend(one_machine(path, text));
    found
}

fn too_long(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let allowed = LONGER.iter().any(|(longer, _)| *longer == path);
    (lines > LINES_MAX && !allowed).then(|| {
        format!("{path}: {lines} lines; split it at a second reason to change, or list it with its reason in LONGER")
    })
}

fn no_header(path: &str, text: &str) -> Option<String> {
    (!text.starts_with("//!")).then(|| format!("{path}:1: begins without `//!`: say what it holds and promises"))
}

fn provider_named(path: &str, text: &str) -> Vec<String> {
    if !NO_PROVIDER.iter().any(|folder| path.starts_with(folder)) {
        return Vec::new();
    }
    let named = |line: &str| PROVIDERS.into_iter().find(|name| line.to_lowercase().contains(name));
    numbered(text).filter_map(|(n, line)| Some(format!("{path}:{n}: names the provider {}", named(line)?))).collect()
}

fn unsafe_outside(path: &str, text: &str) -> Vec<String> {
    if UNSAFE.iter().any(|folder| path.starts_with(folder)) || path.split('/').any(|part| part == "tests") {
        return Vec::new();
    }
    let code = source::code_only(text);
    let words = |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe");
    let lines = numbered(&code).filter(|(_, line)| words(line));
    lines.map(|(n, _)| format!("{path}:{n}: `unsafe` outside {}", UNSAFE.join(", "))).collect()
}

fn one_machine(path: &str, text: &str) -> Vec<String> {
    let starts_a_path = |line: &str, at: usize| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '-' | '_' | '/' | '}' | '*' | ')'))
    };
    let named = |line: &str| {
        ONE_MACHINE.into_iter().find(|part| line.match_indices(part).any(|(at, _)| starts_a_path(line, at)))
    };
    numbered(text)
        .filter_map(|(n, line)| Some(format!("{path}:{n}: {} is on one machine only", named(line)?)))
        .collect()
}

/// Links of a page to files below `root` that are not there, or to headings that they have not.
pub fn dead_links(root: &Path, path: &str, text: &str) -> Vec<String> {
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let mut found = Vec::new();
    let elsewhere = |target: &str| target.contains("://") || target.starts_with("mailto:");
    for Link { line: n, target, .. } in links::of(text).filter(|link| !elsewhere(link.target)) {
        let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
        let linked = if file.is_empty() { root.join(path) } else { root.join(folder).join(file) };
        if !linked.exists() {
            found.push(format!("{path}:{n}: the link {target} leads nowhere"));
        } else if let Some(anchor) = anchor.filter(|anchor| !has_anchor(&linked, anchor)) {
            found.push(format!("{path}:{n}: {target}: there is no heading #{anchor}"));
        }
    }
    found
}

/// True if a page has the heading; true for files without headings of their own.
fn has_anchor(file: &Path, anchor: &str) -> bool {
    if file.extension().is_none_or(|extension| extension != "md") {
        return true;
    }
    read(file).is_ok_and(|text| text.lines().filter(|line| line.starts_with('#')).any(|line| slug(line) == anchor))
}

/// The anchor that web views of a repository give a heading.
fn slug(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> Vec<String> {
        findings(&crate::root(), path, text)
    }

    #[test]
    fn each_rule_finds_what_it_forbids() {
        let long = format!("//! x\n{}", "\n".repeat(LINES_MAX));
        let foreign = format!("see {}main", ONE_MACHINE[0]);
        for (path, text, words) in [
            ("host/src/a.rs", long.as_str(), "401 lines"),
            ("host/src/a.rs", "fn a() {}", "begins without"),
            ("host/src/a.rs", "//! x\n// as ConnectWise does", "a.rs:2: names the provider connectwise"),
            ("cli/src/a.rs", "//! x\nunsafe fn a() {}", "a.rs:2: `unsafe` outside"),
            ("docs/a.md", "[x](nowhere.md)", "leads nowhere"),
            ("docs/a.md", foreign.as_str(), "one machine only"),
        ] {
            let found = of(path, text);
            assert!(found.len() == 1 && found[0].contains(words), "{text:.40}: {found:?}");
        }
    }

    #[test]
    fn what_only_looks_forbidden_passes() {
        for (path, text) in [
            ("cli/src/a.rs", "//! x\n#![forbid(unsafe_code)] // no unsafe\nconst A: &str = \"unsafe\";"),
            ("ffi/src/a.rs", "//! x\nunsafe fn a() {}"),
            ("ffi/tests/a.rs", "//! x\nunsafe fn a() {}"),
            ("plugins/connectwise/src/a.rs", "//! ConnectWise"),
            ("docs/a.md", "[x](https://example.com) [y](../Cargo.toml)\n```\n[z](nowhere)\n```"),
        ] {
            assert_eq!(of(path, text), [""; 0], "{text}");
        }
    }

    #[test]
    fn headings_become_anchors() {
        assert_eq!(slug("## What's in `host/`?"), "whats-in-host");
    }
}
