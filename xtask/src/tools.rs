//! Programs the tasks call: found, installed when that is possible, run.
//!
//! Holds: one way to run a program, one way to get a missing one.
//! Promises: prints each command it runs; installs only what is missing; system packages only as root.
//! Leaves to others: what a missing tool means (`test` counts it).

use crate::Outcome;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a program is, looked up on PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// Runs a program in `root` and prints its command line first.
pub fn run<S: AsRef<OsStr>>(root: &Path, program: &str, arguments: &[S]) -> Outcome {
    let shown: Vec<String> = arguments.iter().map(|one| one.as_ref().to_string_lossy().into_owned()).collect();
    let line = format!("{program} {}", shown.join(" "));
    println!("$ {line}");
    let status = Command::new(program).args(arguments).current_dir(root).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{line}` failed: {status}")),
        Err(error) => Err(format!("`{line}` did not start: {error}")),
    }
}

/// Runs a program that must succeed, without showing it: what it prints. The error has what it complains of.
pub fn output<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("`{program}` did not start: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let shown: Vec<String> = arguments.iter().map(|one| one.as_ref().to_string_lossy().into_owned()).collect();
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{program} {}` failed: {}: {}", shown.join(" "), output.status, said.trim()))
}

/// Makes sure of system programs, each named with its package, by apt-get where that may be done. Says why not.
pub fn ensure_system(root: &Path, wanted: &[(&str, &str)]) -> Outcome {
    let missing = || wanted.iter().filter(|(program, _)| find(program).is_none());
    let packages: Vec<&str> = missing().map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    if find("apt-get").is_none() || !is_root() {
        return Err(format!("missing: {list}. Install them with the system's package manager."));
    }
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(&packages);
    // Lists may be absent or old on a fresh machine; the second try has new ones.
    if run(root, "apt-get", &arguments).is_err() {
        run(root, "apt-get", &["update"])?;
        run(root, "apt-get", &arguments)?;
    }
    let still: Vec<&str> = missing().map(|(program, _)| *program).collect();
    if still.is_empty() { Ok(()) } else { Err(format!("installed {list}, but not on PATH: {}", still.join(" "))) }
}

/// Makes sure of a cargo subcommand, `cargo-nextest`, by `cargo install`.
pub fn ensure_cargo(root: &Path, name: &str) -> Outcome {
    if find(name).is_some() || in_cargo_home(name) {
        return Ok(());
    }
    run(root, "cargo", &["install", "--locked", name])
}

/// Makes sure of a part of the toolchain, `fmt` from `rustfmt`; a minimal toolchain comes without.
pub fn ensure_component(root: &Path, subcommand: &str, component: &str) -> Outcome {
    let version = Command::new("cargo").args([subcommand, "--version"]).current_dir(root).output();
    if version.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    run(root, "rustup", &["component", "add", component])
}

/// cargo itself looks there for subcommands, also when PATH does not.
fn in_cargo_home(name: &str) -> bool {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    home.is_some_and(|home| home.join("bin").join(name).is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Where cargo puts what it builds.
pub fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}
