//! `cargo xtask demo`, `bench`, `torture` and `storm`: build what the command needs, then hand over to it.
//!
//! Holds: which packages belong to each.
//! Promises: arguments reach `psa` as they were given; its failure is the task's failure.
//! Leaves to others: the demo and the benches themselves (`cli`).

use crate::{Outcome, tools};
use std::path::Path;
use std::process::Command;

/// What `psa demo` and `psa bench` start or load.
const PACKAGES: [&str; 3] = ["psa", "psa-simulator", "psa-connectwise"];
/// What `psa bench` loads from Python.
const LIBRARY: &str = "psa-ffi";

/// Builds the parts and runs `psa demo`.
pub fn demo(root: &Path, rest: &[String]) -> Outcome {
    build(root, &[])?;
    psa(root, "debug", "demo", rest)
}

/// Builds a release and runs `psa bench`, if this `psa` has it.
pub fn bench(root: &Path, rest: &[String]) -> Outcome {
    build(root, &["--release", "--package", LIBRARY])?;
    let program = tools::target(root).join("release").join("psa");
    let help = Command::new(&program).args(["bench", "--help"]).output();
    if !help.is_ok_and(|output| output.status.success()) {
        return Err(format!("{} has no command `bench`", program.display()));
    }
    psa(root, "release", "bench", rest)
}

/// Builds the parts and runs the long form of the torture.
pub fn torture(root: &Path, rest: &[String]) -> Outcome {
    long(root, "psa-torture", rest)
}

/// Builds the parts and runs the long form of the storm.
pub fn storm(root: &Path, rest: &[String]) -> Outcome {
    long(root, "psa-storm", rest)
}

fn long(root: &Path, name: &str, rest: &[String]) -> Outcome {
    build(root, &["--package", "psa-tests", "--bins"])?;
    let program = tools::target(root).join("debug").join(name);
    tools::run(root, &program.to_string_lossy(), rest)
}

fn build(root: &Path, flags: &[&str]) -> Outcome {
    let mut arguments = vec!["build"];
    arguments.extend(flags);
    arguments.extend(PACKAGES.iter().flat_map(|package| ["--package", package]));
    tools::run(root, "cargo", &arguments)
}

fn psa(root: &Path, profile: &str, command: &str, rest: &[String]) -> Outcome {
    let program = tools::target(root).join(profile).join("psa");
    let mut arguments = vec![command.to_string()];
    arguments.extend_from_slice(rest);
    tools::run(root, &program.to_string_lossy(), &arguments)
}
