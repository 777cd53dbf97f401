//! A look at a data folder when something seems wrong.

use crate::log::Log;
use crate::plugin::{Registry, Source, user};
use crate::store::{SqliteStore, Upkeep as _};
use psa_host_api::{Code, Error};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Checks the database of a data folder: an empty list means that nothing is wrong. An error says why it could not be
/// looked at, and what to do.
pub fn doctor(data_dir: &Path) -> Result<Vec<String>, Error> {
    let store = SqliteStore::open(data_dir)?;
    let found = store.check()?;
    store.close();
    Ok(found)
}

/// Counts anew what the connections of a data folder have, which [`doctor`] compares. Of how many something else was said.
/// Nothing is counted with a database that is damaged.
pub fn recount(data_dir: &Path) -> Result<u64, Error> {
    let store = SqliteStore::open(data_dir)?;
    if let Some(damage) = store.damage()?.first() {
        let message = format!("nothing was counted anew, for the database is damaged: {damage}");
        return Err(Error::new(Code::Storage, message).because("damaged"));
    }
    let counted = store.recount().wait()?;
    store.close();
    Ok(counted)
}

/// Tries plugin files, and folders of them, as a host with this data folder would: those that are refused, each with what
/// is wrong and what to do. What is sound is loaded into this process. An error if this is not the user of the host.
pub fn refused_plugins(data_dir: &Path, plugins: &[PathBuf]) -> Result<Vec<String>, Error> {
    refuse_others(data_dir, user())?;
    let mut registry = Registry::new(data_dir.join("plugins"), Vec::new());
    let mut found = Vec::new();
    for path in plugins {
        let source = Source { path: path.clone(), sha256: None };
        found.extend(registry.load(&source, &Log::new(None)).err().map(|refusal| refusal.to_string()));
    }
    found.extend(registry.refused().iter().map(ToString::to_string));
    Ok(found)
}

/// Whose files a plugin may be depends on who asks, and its copy belongs to who made it: made by root, the host's own user
/// could not load it any more.
fn refuse_others(data_dir: &Path, user: u32) -> Result<(), Error> {
    let facts = data_dir.metadata().map_err(|error| {
        let message = format!("{} cannot be looked at: {error}. Name the data_dir of a host", data_dir.display());
        Error::new(Code::Storage, message).because("data_dir")
    })?;
    if facts.uid() == user {
        return Ok(());
    }
    let message = format!(
        "the plugins were not tried: data_dir {} belongs to user {}, and this is user {user}, for whom other files are \
         refused and whose copies the host could not load. Run it as the user of the host",
        data_dir.display(),
        facts.uid()
    );
    Err(Error::new(Code::Forbidden, message).because("data_dir_owner"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_tried_only_by_the_user_whose_host_it_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(refuse_others(folder.path(), user()), Ok(()));
        let error = refuse_others(folder.path(), user() + 1).unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (Code::Forbidden, Some("data_dir_owner")), "{error}");
        let whose = format!("belongs to user {}, and this is user {}, ", user(), user() + 1);
        assert!(error.message.contains(&whose) && error.message.contains("Run it as the user of the host"), "{error}");
    }
}
