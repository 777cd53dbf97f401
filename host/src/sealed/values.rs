//! What a plugin keeps for good, sealed.

use crate::store::{Conflict, Place, Store, StoreError};
use crate::vault::{SealPlace, Vault};
use psa_host_api::Error;
use std::sync::Arc;

/// The values of all plugins; cheap to clone.
#[derive(Clone)]
pub(crate) struct PluginValues {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
}

impl PluginValues {
    pub(crate) fn new(store: Arc<dyn Store>, vault: Arc<Vault>) -> PluginValues {
        PluginValues { store, vault }
    }

    /// A value that has not expired.
    pub(crate) fn get(&self, place: &Place, name: &str, now: i64) -> Result<Option<Vec<u8>>, Error> {
        let Some(sealed) = self.store.value(place, name, now)? else { return Ok(None) };
        Ok(Some(self.vault.open_sealed(&seal_place(place, name), &sealed)?.to_vec()))
    }

    /// Keeps a value; durable when it returns.
    pub(crate) fn put(&self, place: &Place, name: &str, value: &[u8], expires: Option<i64>) -> Result<(), Error> {
        loop {
            let sealed = self.vault.seal(&seal_place(place, name), value)?;
            match self.store.put_value(place, name, sealed, expires).wait() {
                // The key was changed between sealing and keeping.
                Err(StoreError::Conflict(Conflict::KeyChanged)) => {}
                kept => return Ok(kept?),
            }
        }
    }

    /// Removes a value, if it is there.
    pub(crate) fn remove(&self, place: &Place, name: &str) -> Result<(), Error> {
        Ok(self.store.remove_value(place, name).wait()?)
    }

    /// Names that begin with `prefix`, sorted.
    pub(crate) fn names(&self, place: &Place, prefix: &str, now: i64) -> Result<Vec<String>, Error> {
        Ok(self.store.value_names(place, prefix, now)?)
    }
}

fn seal_place<'a>(place: &'a Place, name: &'a str) -> SealPlace<'a> {
    SealPlace { table: "values", tenant: &place.tenant, connection: &place.connection, name, version: 1, bound: "" }
}
