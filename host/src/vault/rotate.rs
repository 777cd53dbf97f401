//! Changing the key: to a new one, and away from an old one.
//!
//! Promises: what is sealed can be opened at every moment, also when this is interrupted; it can be begun again; a key
//! is retired only when nothing and nobody names it any more.

use super::{PEPPER, SEALING_KEY, SealPlace, Vault, VaultError, read, written};
use crate::store::{Sealed, SealedRow};
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::PoisonError;

/// Values that are sealed anew in one unit of work.
const BATCH: usize = 200;

/// How things stand with the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "VaultStatus")]
pub struct Status {
    /// The id of the key that seals.
    pub sealing_key: Option<String>,
    /// Ids of the keys this process has.
    pub keys: Vec<String>,
    /// How many values each key has sealed.
    pub sealed: Vec<KeyCount>,
    /// Keys that values are sealed with and this process has not.
    pub missing: Vec<String>,
}

/// What one key has sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeyCount {
    /// Its id.
    pub key: String,
    /// Values.
    pub values: u64,
}

/// What a rotation has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rotation {
    /// The key that seals now.
    pub sealing_key: String,
    /// Values that were sealed anew.
    pub resealed: u64,
    /// Values that could not be opened and are as they were.
    pub unreadable: u64,
}

impl Vault {
    /// How things stand.
    pub(crate) fn status(&self) -> Result<Status, VaultError> {
        let counts = self.store.key_counts()?;
        for (key, _) in &counts {
            // Another process may have added it: reads the source anew if it is not here.
            let _ = self.with_key(key, |_| ());
        }
        let keys = self.read_ring().ids();
        let missing = counts.iter().filter(|(key, _)| !keys.contains(key)).map(|(key, _)| key.clone()).collect();
        let sealed = counts.into_iter().map(|(key, values)| KeyCount { key, values }).collect();
        Ok(Status { sealing_key: self.store.meta(SEALING_KEY)?, keys, sealed, missing })
    }

    /// Seals everything with `key`, or with a new one; goes on where an earlier one was interrupted. Blocks.
    pub(crate) fn rotate(&self, key: Option<&str>) -> Result<Rotation, Error> {
        // Of all processes: two that add a key at once would each lose the other's.
        let _alone = self.source.lock(self.owners.data_dir())?;
        let before = self.sealing_key()?;
        // Who lacks the present key has no business with the next one.
        self.with_key(&before, |_| ())?;
        let unfinished = !self.store.sealed_otherwise(&before, 1).map_err(VaultError::from)?.is_empty();
        let next = match key {
            Some(key) => key.to_owned(),
            None if unfinished => before,
            None => self.source.add(&*self.random)?.ok_or_else(|| {
                let message = "vault.rotate: the keys are the product's. Put a new one in front, then name it in `key`";
                Error::invalid(message).because("key_needed")
            })?,
        };
        // Reads the source anew if the key is not here.
        self.with_key(&next, |_| ())?;
        self.store.set_meta(SEALING_KEY, &next).wait().map_err(VaultError::from)?;
        self.owners.name_key(&next);
        let (resealed, unreadable) = self.reseal_all(&next)?;
        Ok(Rotation { sealing_key: next, resealed, unreadable })
    }

    /// How many were sealed anew, and how many cannot be opened.
    fn reseal_all(&self, key: &str) -> Result<(u64, u64), VaultError> {
        let mut count = 0;
        let mut unreadable: Vec<SealedRow> = Vec::new();
        if let Some(sealed) = self.store.meta(PEPPER)?.as_deref().and_then(read)
            && sealed.key != key
        {
            let place = SealPlace::meta(PEPPER);
            let value = self.open_sealed(&place, &sealed)?;
            let anew = self.seal_with(key, &place, &value)?;
            self.store.set_meta(PEPPER, &written(&anew)).wait()?;
            count += 1;
        }
        loop {
            let rows = self.store.sealed_otherwise(key, BATCH + unreadable.len())?;
            let mut anew = Vec::with_capacity(rows.len());
            for row in rows.into_iter().filter(|row| !unreadable.contains(row)).collect::<Vec<_>>() {
                match self.reseal_row(key, &row) {
                    Ok(sealed) => anew.push((row, sealed)),
                    // One that nobody can open must not keep the others under an old key.
                    Err(VaultError::Tampered | VaultError::Missing(_)) => unreadable.push(row),
                    Err(error) => return Err(error),
                }
            }
            if anew.is_empty() {
                return Ok((count, unreadable.len() as u64));
            }
            count += self.store.reseal(anew).wait()?;
        }
    }

    fn reseal_row(&self, key: &str, row: &SealedRow) -> Result<Sealed, VaultError> {
        let place = SealPlace {
            table: row.table,
            tenant: &row.place.tenant,
            connection: &row.place.connection,
            name: &row.name,
            version: row.version,
            bound: &row.bound,
        };
        let value = self.open_sealed(&place, &row.sealed)?;
        self.seal_with(key, &place, &value)
    }

    /// Takes a key out of the ring for good.
    pub(crate) fn retire(&self, key: &str) -> Result<(), Error> {
        let _alone = self.source.lock(self.owners.data_dir())?;
        let refuse = |reason: &str, message: String| Err(Error::new(Code::Conflict, message).because(reason));
        if self.store.meta(SEALING_KEY).map_err(VaultError::from)?.as_deref() == Some(key) {
            return refuse("key_seals", format!("vault key {key} seals. Rotate to another one first"));
        }
        // Behind all writes that were handed in: those that come later are refused if they name this key.
        let counts = self.store.key_counts_now().wait().map_err(VaultError::from)?;
        let pepper = self.store.meta(PEPPER).map_err(VaultError::from)?.as_deref().and_then(read);
        let named = counts.iter().find(|(own, _)| own == key).map_or(0, |(_, count)| *count)
            + u64::from(pepper.is_some_and(|pepper| pepper.key == key));
        if named > 0 {
            let message = format!("{named} values are sealed with vault key {key}. Run vault.rotate to its end first");
            return refuse("key_in_use", message);
        }
        if self.owners.others_name_key(key) {
            let message = format!("another process still seals with vault key {key}. Let it do something, or close it");
            return refuse("key_in_use_elsewhere", message);
        }
        // A source that is the product's stays as it is; from here on nothing is in the way of its removal there.
        if self.source.remove(key, &*self.random)? {
            self.ring.write().unwrap_or_else(PoisonError::into_inner).drop_key(key);
        }
        Ok(())
    }
}
