//! Packages for the tests that are Node programs, as their lock file names them.

use crate::compile;
use std::path::Path;
use std::process::Command;

/// Gets the packages of a folder, once.
pub fn install(folder: &Path) {
    let _lock = compile::locked("npm");
    // npm writes this file last.
    if folder.join("node_modules/.package-lock.json").is_file() {
        return;
    }
    let npm =
        Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder).output().expect("npm is there");
    assert!(npm.status.success(), "{}", String::from_utf8_lossy(&npm.stderr));
}
