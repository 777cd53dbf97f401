//! `cargo xtask test`: everything CI runs, in the order in which it fails fastest.
//!
//! Holds: the steps, and the count of what was skipped.
//! Promises: stops at the first step that fails and names it; each skip is printed and counted at the end; with
//! CI=true a skip fails, except advisories, whose database is somebody else's server.
//! Leaves to others: how tools are found and installed (`tools`), the rules themselves (`tidy`, `generate`).

use crate::{Outcome, generate, tidy, tools};
use std::path::Path;

/// Programs of the system that tests call, and headers that they compile against, with their packages.
const SYSTEM: [(&str, &str); 15] = [
    ("gcc", "gcc"),
    ("g++", "g++"),
    ("clang", "clang"),
    ("cmake", "cmake"),
    ("make", "make"),
    ("pkg-config", "pkg-config"),
    ("valgrind", "valgrind"),
    ("python3", "python3"),
    ("pip3", "python3-pip"),
    ("chromium", "chromium"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("php", "php-cli"),
    ("/usr/include/nlohmann/json.hpp", "nlohmann-json3-dev"),
    ("/usr/include/boost/beast.hpp", "libboost-dev"),
];

/// One skipped thing.
struct Skip {
    why: String,
    /// Fails under CI=true.
    counts: bool,
}

/// Runs all steps.
pub fn run(root: &Path) -> Outcome {
    let mut skips = Vec::new();
    let outcome = steps(root, &mut skips);
    for skip in &skips {
        println!("skipped: {}", skip.why);
    }
    println!("{} skipped", skips.len());
    outcome?;
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    judge(&skips, in_ci)?;
    println!("all passed");
    Ok(())
}

fn judge(skips: &[Skip], in_ci: bool) -> Outcome {
    let counted = skips.iter().filter(|skip| skip.counts).count();
    if in_ci && counted > 0 { Err(format!("{counted} skipped, and CI=true allows none")) } else { Ok(()) }
}

fn steps(root: &Path, skips: &mut Vec<Skip>) -> Outcome {
    let cargo = |arguments: &[&str]| tools::run(root, "cargo", arguments);

    step("tools");
    if let Err(why) = tools::ensure_system(root, &SYSTEM) {
        skip(skips, format!("tests that need what is not there: {why}"), true);
    }
    tools::ensure_component(root, "fmt", "rustfmt")?;
    tools::ensure_component(root, "clippy", "clippy")?;
    step("tidy");
    tidy::run(root)?;
    step("format");
    cargo(&["fmt", "--all", "--check"])?;
    step("generated files");
    generate::check(root)?;
    step("lints");
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    step("licences, bans, sources");
    deny(root, skips)?;
    step("build");
    // Scenarios load the plugin, the simulator and the library as files from the target folder.
    cargo(&["build", "--workspace"])?;
    step("tests");
    if let Err(why) = tools::ensure_cargo(root, "cargo-nextest") {
        skip(skips, format!("cargo-nextest, tests run by cargo test instead: {why}"), false);
        cargo(&["test", "--workspace", "--all-targets"])?;
    } else {
        cargo(&["nextest", "run", "--workspace"])?;
    }
    step("doc tests");
    cargo(&["test", "--workspace", "--doc"])
}

fn deny(root: &Path, skips: &mut Vec<Skip>) -> Outcome {
    if let Err(why) = tools::ensure_cargo(root, "cargo-deny") {
        skip(skips, format!("licences, bans, sources: {why}"), true);
        return Ok(());
    }
    tools::run(root, "cargo", &["deny", "check", "licenses", "bans", "sources"])?;
    if let Err(why) = tools::run(root, "cargo", &["deny", "fetch", "db"]) {
        skip(skips, format!("advisories: {why}"), false);
        return Ok(());
    }
    tools::run(root, "cargo", &["deny", "check", "advisories"])
}

fn step(name: &str) {
    println!("\n== {name}");
}

fn skip(skips: &mut Vec<Skip>, why: String, counts: bool) {
    println!("skipped: {why}");
    skips.push(Skip { why, counts });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_fails_in_ci_unless_it_does_not_count() {
        let skips = |counts| [Skip { why: "x".into(), counts }];
        assert!(judge(&skips(true), true).is_err());
        assert!(judge(&skips(true), false).is_ok());
        assert!(judge(&skips(false), true).is_ok());
    }
}
