//! The build tasks behind `cargo xtask`.
//!
//! Holds: one module per task, and what they share (where the workspace is, how a task fails).
//! Promises: a task that failed says what, where and what to do; nothing here is part of a release.
//! Leaves to others: the command line (`main`).
#![forbid(unsafe_code)]

pub mod declared;
pub mod demo;
pub mod files;
pub mod generate;
pub mod glibc;
pub mod golden;
pub mod guide;
pub mod header;
pub mod layout;
pub mod library;
pub mod licences;
pub mod links;
pub mod package;
pub mod python;
pub mod source;
pub mod strip;
pub mod symbols;
pub mod test;
pub mod tidy;
pub mod tools;

use std::path::{Path, PathBuf};

/// What a task ends with: nothing to say, or one text for people.
pub type Outcome = Result<(), String>;

/// The folder of the workspace: the one above this crate.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The text of a file of the workspace; the error names it.
pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
