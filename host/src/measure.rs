//! What a bench has to reach and a product has not.
#![doc(hidden)]

use crate::clock::SystemRandom;
use crate::owners::Owners;
use crate::store::{SqliteStore, Store};
use crate::vault::{KeySource, SealPlace, Vault};
use psa_host_api::Error;
use std::path::Path;
use std::sync::Arc;

/// A vault with one sealed value of so many bytes.
pub struct OpenVault {
    vault: Vault,
    sealed: crate::store::Sealed,
    key: String,
}

const PLACE: SealPlace<'static> = SealPlace {
    table: "secrets",
    tenant: "tenant",
    connection: "c_0123456789",
    name: "key",
    version: 1,
    bound: "here",
};

impl OpenVault {
    /// Makes it below a folder.
    pub fn new(folder: &Path, bytes: usize) -> Result<OpenVault, Error> {
        let data = folder.join("vault-data");
        let failed = |error: std::io::Error| Error::internal(error.to_string());
        std::fs::create_dir_all(&data).map_err(failed)?;
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data)?);
        let owners = Arc::new(Owners::join(&data, &SystemRandom)?);
        let file = folder.join("vault-measured.keys");
        let vault = Vault::open(store, KeySource::File(file.clone()), Arc::new(SystemRandom), owners)?;
        let sealed = vault.seal(&PLACE, &vec![b'x'; bytes])?;
        let key = std::fs::read_to_string(file).map_err(failed)?.trim().to_owned();
        Ok(OpenVault { vault, sealed, key })
    }

    /// Opens the value; its length.
    pub fn open(&self) -> Result<usize, Error> {
        Ok(self.vault.open_sealed(&PLACE, &self.sealed)?.len())
    }

    /// The same token, for somebody who opens it without a vault.
    pub fn token(&self) -> (&str, &str) {
        (&self.key, &self.sealed.token)
    }
}
