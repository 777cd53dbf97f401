//! A look at a data folder when something seems wrong.

use crate::log::Log;
use crate::plugin::{Registry, Source};
use crate::store::{SqliteStore, Upkeep as _};
use psa_host_api::Error;
use std::path::{Path, PathBuf};

/// Checks the database of a data folder: an empty list means that nothing is wrong. An error says why it could not be
/// looked at, and what to do.
pub fn doctor(data_dir: &Path) -> Result<Vec<String>, Error> {
    let store = SqliteStore::open(data_dir)?;
    let found = store.check()?;
    store.close();
    Ok(found)
}

/// Tries plugin files, and folders of them, as a host with this data folder would: those that are refused, each with what
/// is wrong and what to do. What is sound is loaded into this process.
pub fn refused_plugins(data_dir: &Path, plugins: &[PathBuf]) -> Vec<String> {
    let mut registry = Registry::new(data_dir.join("plugins"), Vec::new());
    let mut found = Vec::new();
    for path in plugins {
        let source = Source { path: path.clone(), sha256: None };
        found.extend(registry.load(&source, &Log::new(None)).err().map(|refusal| refusal.to_string()));
    }
    found.extend(registry.refused().iter().map(ToString::to_string));
    found
}
