//! What a plugin keeps for good, sealed; or for a trial, in memory.

use crate::store::{Conflict, Place, Store, StoreError};
use crate::vault::{SealPlace, Vault};
use psa_host_api::Error;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The values of all plugins, or those of one trial; cheap to clone.
#[derive(Clone)]
pub(crate) struct PluginValues(Kept);

#[derive(Clone)]
enum Kept {
    Sealed {
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
    },
    /// Of one trial, gone with it: what a connection has kept is neither seen nor touched.
    ForNow(Arc<Mutex<BTreeMap<String, Value>>>),
}

struct Value {
    bytes: Vec<u8>,
    expires: Option<i64>,
}

impl Value {
    fn lives(&self, now: i64) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

impl PluginValues {
    pub(crate) fn new(store: Arc<dyn Store>, vault: Arc<Vault>) -> PluginValues {
        PluginValues(Kept::Sealed { store, vault })
    }

    /// Values that are gone when the last clone is.
    pub(crate) fn for_now() -> PluginValues {
        PluginValues(Kept::ForNow(Arc::default()))
    }

    /// A value that has not expired.
    pub(crate) fn get(&self, place: &Place, name: &str, now: i64) -> Result<Option<Vec<u8>>, Error> {
        match &self.0 {
            Kept::Sealed { store, vault } => {
                let Some(sealed) = store.value(place, name, now)? else { return Ok(None) };
                Ok(Some(vault.open_sealed(&seal_place(place, name), &sealed)?.to_vec()))
            }
            Kept::ForNow(values) => {
                let values = lock(values);
                Ok(values.get(name).filter(|value| value.lives(now)).map(|value| value.bytes.clone()))
            }
        }
    }

    /// Keeps a value; durable when it returns, unless it is for a trial.
    pub(crate) fn put(&self, place: &Place, name: &str, value: &[u8], expires: Option<i64>) -> Result<(), Error> {
        let (store, vault) = match &self.0 {
            Kept::Sealed { store, vault } => (store, vault),
            Kept::ForNow(values) => {
                lock(values).insert(name.to_owned(), Value { bytes: value.to_vec(), expires });
                return Ok(());
            }
        };
        loop {
            let sealed = vault.seal(&seal_place(place, name), value)?;
            match store.put_value(place, name, sealed, expires).wait() {
                // The key was changed between sealing and keeping.
                Err(StoreError::Conflict(Conflict::KeyChanged)) => {}
                kept => return Ok(kept?),
            }
        }
    }

    /// Removes a value, if it is there.
    pub(crate) fn remove(&self, place: &Place, name: &str) -> Result<(), Error> {
        match &self.0 {
            Kept::Sealed { store, .. } => Ok(store.remove_value(place, name).wait()?),
            Kept::ForNow(values) => {
                lock(values).remove(name);
                Ok(())
            }
        }
    }

    /// Names that begin with `prefix`, sorted.
    pub(crate) fn names(&self, place: &Place, prefix: &str, now: i64) -> Result<Vec<String>, Error> {
        match &self.0 {
            Kept::Sealed { store, .. } => Ok(store.value_names(place, prefix, now)?),
            Kept::ForNow(values) => {
                let values = lock(values);
                let living = values.iter().filter(|(name, value)| name.starts_with(prefix) && value.lives(now));
                Ok(living.map(|(name, _)| name.clone()).collect())
            }
        }
    }
}

fn lock(values: &Mutex<BTreeMap<String, Value>>) -> MutexGuard<'_, BTreeMap<String, Value>> {
    values.lock().unwrap_or_else(PoisonError::into_inner)
}

fn seal_place<'a>(place: &'a Place, name: &'a str) -> SealPlace<'a> {
    SealPlace { table: "values", tenant: &place.tenant, connection: &place.connection, name, version: 1, bound: "" }
}
