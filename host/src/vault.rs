//! Sealing what must not be read from the database.
//!
//! Holds: [`Vault`]: seal, open, keyed digests; the keys' sources (`ring`) and their change (`rotate`).
//! Promises: a sealed value opens only in the place it was sealed for; the clock never decides whether it opens; a
//! missing key destroys nothing and is named; a process without the sealing key seals nothing.
//! Leaves to others: keeping sealed values (`store`), who may ask for them (`store::secrets`).

mod place;
mod ring;
mod rotate;

#[cfg(test)]
mod tests;

pub(crate) use place::SealPlace;
pub use ring::KeyHook;
pub(crate) use ring::KeySource;
pub(crate) use rotate::{Rotation, Status};

use crate::clock::Random;
use crate::owners::Owners;
use crate::store::{Sealed, Store};
use hmac::{Hmac, Mac as _};
use psa_host_api::{Code, Error};
use ring::Ring;
use sha2::Sha256;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use zeroize::Zeroizing;

/// Where the name of the sealing key is kept.
const SEALING_KEY: &str = "sealing_key";
/// Where the store's own secret is kept, sealed.
const PEPPER: &str = "pepper";

/// Why a value cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VaultError {
    #[error("there is no vault key. Name a file in the configuration (vault.key_file), give PSA_KEY, or the hook")]
    NoKey,
    #[error("the vault key {0} is missing. Put it back into the key file (or PSA_KEY, or the hook); nothing is lost")]
    Missing(String),
    #[error("a sealed value was changed, or belongs to another place. Enter it again")]
    Tampered,
    #[error("vault key: {0}")]
    Source(String),
    #[error("{0}")]
    Store(#[from] crate::store::StoreError),
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Error {
        let (code, reason) = match &error {
            VaultError::NoKey => (Code::Unreadable, "vault_no_key"),
            VaultError::Missing(_) => (Code::Unreadable, "vault_key_missing"),
            VaultError::Tampered => (Code::Unreadable, "sealed_elsewhere"),
            VaultError::Source(_) => (Code::Unreadable, "vault_key"),
            VaultError::Store(error) => return error.clone().into(),
        };
        Error::new(code, error.to_string()).because(reason)
    }
}

/// The vault of one store.
pub(crate) struct Vault {
    store: Arc<dyn Store>,
    source: KeySource,
    random: Arc<dyn Random>,
    owners: Arc<Owners>,
    ring: RwLock<Ring>,
    pepper: OnceLock<Zeroizing<[u8; 32]>>,
}

impl Vault {
    /// Reads the keys; makes the first one if the store is new and the source can keep it.
    pub(crate) fn open(
        store: Arc<dyn Store>,
        source: KeySource,
        random: Arc<dyn Random>,
        owners: Arc<Owners>,
    ) -> Result<Vault, VaultError> {
        let named = store.meta(SEALING_KEY)?;
        let ring = source.load(named.is_none(), &*random)?;
        let vault = Vault { store, source, random, owners, ring: RwLock::new(ring), pepper: OnceLock::new() };
        if named.is_none()
            && let Some(first) = vault.read_ring().newest()
        {
            vault.store.found_meta(SEALING_KEY, &first).wait()?;
        }
        Ok(vault)
    }

    /// The id of the key that seals now.
    fn sealing_key(&self) -> Result<String, VaultError> {
        let Some(key) = self.store.meta(SEALING_KEY)? else { return Err(VaultError::NoKey) };
        self.owners.name_key(&key);
        Ok(key)
    }

    /// Seals a value for one place.
    pub(crate) fn seal(&self, place: &SealPlace<'_>, value: &[u8]) -> Result<Sealed, VaultError> {
        self.seal_with(&self.sealing_key()?, place, value)
    }

    fn seal_with(&self, key: &str, place: &SealPlace<'_>, value: &[u8]) -> Result<Sealed, VaultError> {
        let content = place.wrap(value);
        let token = self.with_key(key, |fernet| fernet.encrypt(&content))?;
        Ok(Sealed { key: key.to_owned(), token })
    }

    /// The same value, sealed with the key that seals now.
    pub(crate) fn renew(&self, place: &SealPlace<'_>, sealed: &Sealed) -> Result<Sealed, VaultError> {
        let value = self.open_sealed(place, sealed)?;
        self.seal(place, &value)
    }

    /// Opens a value that was sealed for this place.
    pub(crate) fn open_sealed(&self, place: &SealPlace<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        // A time so late that no token is from the future: whether it opens must not hang on a clock.
        const LATE: u64 = u64::MAX / 2;
        let content = self.with_key(&sealed.key, |fernet| fernet.decrypt_at_time(&sealed.token, None, LATE))?;
        let content = Zeroizing::new(content.map_err(|_| VaultError::Tampered)?);
        place.unwrap(&content).ok_or(VaultError::Tampered)
    }

    /// A digest that nobody can make who has not the store's own secret. Parts do not run into each other.
    pub(crate) fn digest(&self, purpose: &str, parts: &[&[u8]]) -> Result<[u8; 32], VaultError> {
        Ok(digest(&**self.pepper()?, purpose, parts))
    }

    /// The store's own secret: made once, sealed like all others, the same for all processes.
    pub(crate) fn pepper(&self) -> Result<&Zeroizing<[u8; 32]>, VaultError> {
        if let Some(pepper) = self.pepper.get() {
            return Ok(pepper);
        }
        let kept = match self.store.meta(PEPPER)? {
            Some(kept) => kept,
            None => {
                let mut fresh = Zeroizing::new([0; 32]);
                self.random.fill(&mut *fresh);
                let sealed = self.seal(&SealPlace::meta(PEPPER), &*fresh)?;
                self.store.found_meta(PEPPER, &written(&sealed)).wait()?
            }
        };
        let sealed = read(&kept).ok_or(VaultError::Tampered)?;
        let opened = self.open_sealed(&SealPlace::meta(PEPPER), &sealed)?;
        let mut pepper = Zeroizing::new([0; 32]);
        if opened.len() != pepper.len() {
            return Err(VaultError::Tampered);
        }
        pepper.copy_from_slice(&opened);
        Ok(self.pepper.get_or_init(|| pepper))
    }

    /// Uses a key; one that is not here may have been added by another process.
    fn with_key<T>(&self, key: &str, work: impl Fn(&fernet::Fernet) -> T) -> Result<T, VaultError> {
        if let Some(fernet) = self.read_ring().get(key) {
            return Ok(work(fernet));
        }
        let fresh = self.source.load(false, &*self.random)?;
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        ring.merge(fresh);
        ring.get(key).map(work).ok_or_else(|| VaultError::Missing(key.to_owned()))
    }

    fn read_ring(&self) -> std::sync::RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// HMAC-SHA-256 over a purpose and parts, each with its length.
pub(crate) fn digest(key: &[u8; 32], purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    // HMAC itself fills a short key with zeros up to a block.
    let mut block = Zeroizing::new([0; 64]);
    block[..key.len()].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new((&*block).into());
    for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A sealed value of `meta`, as text.
fn written(sealed: &Sealed) -> String {
    format!("{}:{}", sealed.key, sealed.token)
}

fn read(text: &str) -> Option<Sealed> {
    let (key, token) = text.split_once(':')?;
    Some(Sealed { key: key.to_owned(), token: token.to_owned() })
}
