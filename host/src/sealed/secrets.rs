//! A connection's secrets, as `egress` asks for them.
//!
//! Holds: [`ConnectionSecrets`].
//! Promises: a secret of the form goes where the form says, a token where the secrets went that fetched it, nothing
//! anywhere else; a secret is not used under other settings than it was entered for; a token cannot take the name of a
//! form's secret.
//! Leaves to others: filling requests (`egress`), sealing (`vault`).

use super::fingerprint::fingerprint;
use crate::clock::Clock;
use crate::egress::SecretSource;
use crate::store::{Conflict, Entered, Place, SealedSecret, Store, StoreError, StoredToken};
use crate::vault::{SealPlace, Vault};
use psa_host_api::form::Address;
use psa_host_api::{Code, Error};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// The secrets of one connection, with its settings as they were when its instance was opened.
pub(crate) struct ConnectionSecrets {
    place: Place,
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    /// Of each secret in the form: where it may go.
    addresses: BTreeMap<String, Vec<Address>>,
    /// Secrets of the form that it does not show under these settings: kept, and not used.
    resting: BTreeSet<String>,
    /// Secrets and tokens that are being tried and not kept.
    trial: Option<Mutex<Trial>>,
}

/// What is tried: it takes the place of what is kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct TriedSecrets {
    /// In the place of those that are kept.
    pub(crate) given: BTreeMap<String, SecretString>,
    /// As if they were not there.
    pub(crate) without: BTreeSet<String>,
}

#[derive(Default)]
struct Trial {
    secrets: TriedSecrets,
    tokens: BTreeMap<String, (SecretString, Vec<Address>, Option<i64>)>,
}

/// A secret that is entered.
pub(crate) struct NewSecret<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: i64,
    pub(crate) bound: String,
    pub(crate) value: &'a SecretString,
    /// Milliseconds since 1970, and who.
    pub(crate) entered: (i64, &'a str),
}

/// What a secret is bound to: the addresses it may be sent to.
pub(crate) fn bound_to(addresses: &[Address]) -> String {
    let mut words: Vec<String> = addresses.iter().filter_map(|address| serde_json::to_string(address).ok()).collect();
    words.sort_unstable();
    crate::clock::hex(&Sha256::digest(words.join("\n"))[..16])
}

/// Seals a secret of a form.
pub(crate) fn seal_secret(vault: &Vault, place: &Place, new: NewSecret<'_>) -> Result<SealedSecret, Error> {
    let NewSecret { name, version, bound, value, entered: (at, by) } = new;
    let value = value.expose_secret().as_bytes();
    let sealed = vault.seal(&secret_place(place, name, version, &bound), value)?;
    let entered = Entered { at, by: by.to_owned(), fingerprint: fingerprint(vault, place, name, value)? };
    Ok(SealedSecret { name: name.to_owned(), version, bound, sealed, entered })
}

/// The same secret under another name of the same connection. It may go where it could, and nowhere else.
pub(crate) fn renamed(vault: &Vault, place: &Place, secret: &SealedSecret, to: &str) -> Result<SealedSecret, Error> {
    let SealedSecret { name, version, bound, sealed, entered } = secret;
    let value = text_of(&vault.open_sealed(&secret_place(place, name, *version, bound), sealed)?)?;
    let entered = (entered.at, entered.by.as_str());
    seal_secret(vault, place, NewSecret { name: to, version: *version, bound: bound.clone(), value: &value, entered })
}

fn secret_place<'a>(place: &'a Place, name: &'a str, version: i64, bound: &'a str) -> SealPlace<'a> {
    SealPlace { table: "secrets", tenant: &place.tenant, connection: &place.connection, name, version, bound }
}

impl ConnectionSecrets {
    pub(crate) fn new(
        place: Place,
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        addresses: BTreeMap<String, Vec<Address>>,
    ) -> ConnectionSecrets {
        ConnectionSecrets { place, store, vault, clock, addresses, resting: BTreeSet::new(), trial: None }
    }

    /// The same, of which these are not used.
    pub(crate) fn resting(self, resting: BTreeSet<String>) -> ConnectionSecrets {
        ConnectionSecrets { resting, ..self }
    }

    /// The same with these secrets in the place of the kept ones; what is fetched with them is not kept either.
    pub(crate) fn trying(self, secrets: TriedSecrets) -> ConnectionSecrets {
        ConnectionSecrets { trial: Some(Mutex::new(Trial { secrets, ..Trial::default() })), ..self }
    }

    fn trial(&self) -> Option<MutexGuard<'_, Trial>> {
        self.trial.as_ref().map(|trial| trial.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether all that is there can be used: opened, and under these settings.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for secret in self.store.secret_names(&self.place)? {
            let TriedSecrets { given, without } = self.trial().map(|trial| trial.secrets.clone()).unwrap_or_default();
            let tried = given.contains_key(&secret.name) || without.contains(&secret.name);
            let used = self.addresses.contains_key(&secret.name) && !self.resting.contains(&secret.name);
            if used && !tried {
                self.open(&secret)?;
            }
        }
        Ok(())
    }

    fn open(&self, secret: &SealedSecret) -> Result<SecretString, Error> {
        let addresses = self.addresses.get(&secret.name).map(Vec::as_slice).unwrap_or_default();
        if bound_to(addresses) != secret.bound {
            let message = format!(
                "the secret \"{}\" was entered for other addresses than the settings name now. Enter it again",
                secret.name
            );
            return Err(Error::new(Code::Unreadable, message).because("settings"));
        }
        let place = secret_place(&self.place, &secret.name, secret.version, &secret.bound);
        text_of(&self.vault.open_sealed(&place, &secret.sealed)?)
    }

    /// Keeps a token of the plugin, fetched by a call that has used the secrets `used`.
    pub(crate) fn keep_token(
        &self,
        key: &str,
        value: Zeroizing<Vec<u8>>,
        expires: Option<i64>,
        used: &BTreeSet<String>,
    ) -> Result<(), Error> {
        if self.addresses.contains_key(key) {
            return Err(Error::new(Code::Conflict, format!("\"{key}\" is a secret of the form")));
        }
        if std::str::from_utf8(&value).is_err() {
            return Err(Error::invalid("a token must be UTF-8"));
        }
        let addresses = self.common_addresses(used);
        if addresses.is_empty() {
            let why = "a token must be kept by the call that fetched it with a secret, whose addresses it inherits";
            return Err(Error::new(Code::Forbidden, why));
        }
        if let Some(mut trial) = self.trial() {
            let text = text_of(&value)?;
            trial.tokens.insert(key.to_owned(), (text, addresses, expires));
            return Ok(());
        }
        let addresses = serde_json::to_string(&addresses).map_err(|error| Error::internal(error.to_string()))?;
        loop {
            let sealed = self.vault.seal(&self.token_place(key, &addresses), &value)?;
            let token = StoredToken { sealed, addresses: addresses.clone(), expires };
            match self.store.put_token(&self.place, key, token).wait() {
                // The key was changed between sealing and keeping.
                Err(StoreError::Conflict(Conflict::KeyChanged)) => {}
                kept => return Ok(kept?),
            }
        }
    }

    fn token_place<'a>(&'a self, name: &'a str, addresses: &'a str) -> SealPlace<'a> {
        let Place { tenant, connection } = &self.place;
        SealPlace { table: "tokens", tenant, connection, name, version: 1, bound: addresses }
    }

    /// Removes a token.
    pub(crate) fn drop_token(&self, key: &str) -> Result<(), Error> {
        if let Some(mut trial) = self.trial() {
            trial.tokens.remove(key);
            return Ok(());
        }
        Ok(self.store.remove_token(&self.place, key).wait()?)
    }

    /// Keys of the tokens that have not expired.
    pub(crate) fn tokens(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let now = self.clock.now_unix_ms();
        let keys = match self.trial() {
            Some(trial) => {
                let own = trial.tokens.iter().filter(|(key, _)| key.starts_with(prefix));
                own.map(|(key, (.., expires))| (key.clone(), *expires)).collect()
            }
            None => self.store.token_names(&self.place, prefix)?,
        };
        let living = keys.into_iter().filter(|(_, expires)| expires.is_none_or(|expires| now < expires));
        Ok(living.map(|(key, _)| key).collect())
    }

    /// Where all of these may go.
    fn common_addresses(&self, used: &BTreeSet<String>) -> Vec<Address> {
        let mut all = used.iter().map(|key| self.addresses_of(key));
        let first = all.next().unwrap_or_default();
        all.fold(first, |common, of_key| common.into_iter().filter(|address| of_key.contains(address)).collect())
    }

    fn addresses_of(&self, key: &str) -> Vec<Address> {
        if let Some(of_form) = self.addresses.get(key) {
            return of_form.clone();
        }
        if let Some(trial) = self.trial() {
            return trial.tokens.get(key).map(|(_, addresses, _)| addresses.clone()).unwrap_or_default();
        }
        self.token(key).and_then(|token| serde_json::from_str(&token.addresses).ok()).unwrap_or_default()
    }

    fn token(&self, key: &str) -> Option<StoredToken> {
        let token = self.store.token(&self.place, key).ok().flatten()?;
        let now = self.clock.now_unix_ms();
        token.expires.is_none_or(|expires| now < expires).then_some(token)
    }
}

fn text_of(bytes: &[u8]) -> Result<SecretString, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::internal("a sealed secret is not text"))?;
    Ok(SecretString::from(text.to_owned()))
}

impl SecretSource for ConnectionSecrets {
    fn secret(&self, key: &str) -> Option<SecretString> {
        if self.resting.contains(key) {
            return None;
        }
        if let Some(trial) = self.trial() {
            let of_form = self.addresses.contains_key(key);
            let now = self.clock.now_unix_ms();
            let token = trial.tokens.get(key).filter(|(.., expires)| expires.is_none_or(|expires| now < expires));
            let found = trial.secrets.given.get(key).or(token.map(|(text, ..)| text));
            // A token that is kept was fetched with what is kept, not with what is tried.
            if found.is_some() || !of_form || trial.secrets.without.contains(key) {
                return found.cloned();
            }
        }
        if self.addresses.contains_key(key) {
            let secret = self.store.secret(&self.place, key).ok().flatten()?;
            return self.open(&secret).ok();
        }
        let token = self.token(key)?;
        // Addresses are part of the place: whoever changes them in the database makes the token useless.
        let opened = self.vault.open_sealed(&self.token_place(key, &token.addresses), &token.sealed).ok()?;
        text_of(&opened).ok()
    }

    fn allowed(&self, key: &str, scheme: &str, host: &str, port: u16) -> bool {
        self.addresses_of(key).iter().any(|address| address.allows(scheme, host, port))
    }
}
