//! A look at a data folder when something seems wrong.

use crate::store::{SqliteStore, Upkeep as _};
use psa_host_api::Error;
use std::path::Path;

/// Checks the database of a data folder: an empty list means that nothing is wrong. An error says why it could not be
/// looked at, and what to do.
pub fn doctor(data_dir: &Path) -> Result<Vec<String>, Error> {
    let store = SqliteStore::open(data_dir)?;
    let found = store.check()?;
    store.close();
    Ok(found)
}
