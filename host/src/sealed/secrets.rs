//! A connection's secrets, as `egress` asks for them.
//!
//! Holds: [`ConnectionSecrets`].
//! Promises: a secret of the form goes where the form says, a token where the secrets went that fetched it, nothing
//! anywhere else; a secret is not used under other settings than it was entered for; a token cannot take the name of a
//! form's secret.
//! Leaves to others: filling requests (`egress`), sealing (`vault`).

use crate::clock::Clock;
use crate::egress::SecretSource;
use crate::store::{Conflict, Place, SealedSecret, Store, StoreError, StoredToken};
use crate::vault::{SealPlace, Vault};
use psa_host_api::form::Address;
use psa_host_api::{Code, Error};
use secrecy::SecretString;
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
    /// Secrets and tokens that are being tried and not kept.
    trial: Option<Mutex<Trial>>,
}

/// What is tried: it takes the place of what is kept.
#[derive(Default)]
struct Trial {
    secrets: BTreeMap<String, SecretString>,
    tokens: BTreeMap<String, (SecretString, Vec<Address>, Option<i64>)>,
}

/// What a secret is bound to: the addresses it may be sent to.
pub(crate) fn bound_to(addresses: &[Address]) -> String {
    let mut words: Vec<String> = addresses.iter().filter_map(|address| serde_json::to_string(address).ok()).collect();
    words.sort_unstable();
    crate::clock::hex(&Sha256::digest(words.join("\n"))[..16])
}

/// Seals a secret of a form.
pub(crate) fn seal_secret(
    vault: &Vault,
    place: &Place,
    name: &str,
    version: i64,
    bound: String,
    value: &[u8],
) -> Result<SealedSecret, Error> {
    let sealed = vault.seal(&secret_place(place, name, version, &bound), value)?;
    Ok(SealedSecret { name: name.to_owned(), version, bound, sealed })
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
        ConnectionSecrets { place, store, vault, clock, addresses, trial: None }
    }

    /// The same with these secrets in the place of the kept ones; what is fetched with them is not kept either.
    pub(crate) fn trying(self, secrets: BTreeMap<String, SecretString>) -> ConnectionSecrets {
        ConnectionSecrets { trial: Some(Mutex::new(Trial { secrets, ..Trial::default() })), ..self }
    }

    fn trial(&self) -> Option<MutexGuard<'_, Trial>> {
        self.trial.as_ref().map(|trial| trial.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether all that is there can be used: opened, and under these settings.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for secret in self.store.secret_names(&self.place)? {
            let tried = self.trial().is_some_and(|trial| trial.secrets.contains_key(&secret.name));
            if self.addresses.contains_key(&secret.name) && !tried {
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
        Ok(self.store.remove_token(&self.place, key).wait()?)
    }

    /// Keys of the tokens that have not expired.
    pub(crate) fn tokens(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let now = self.clock.now_unix_ms();
        let keys = self.store.token_names(&self.place, prefix)?;
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
        if let Some(trial) = self.trial() {
            let now = self.clock.now_unix_ms();
            let token = trial.tokens.get(key).filter(|(.., expires)| expires.is_none_or(|expires| now < expires));
            if let Some(found) = trial.secrets.get(key).or(token.map(|(text, ..)| text)) {
                return Some(found.clone());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;
    use crate::clock::VirtualClock;
    use crate::owners::Owners;
    use crate::store::{ConnectionState, Record, SecretChanges, SqliteStore, StoredConnection};
    use crate::vault::KeySource;
    use psa_host_api::form::HostRule;
    use secrecy::ExposeSecret as _;

    fn address(host: &str) -> Address {
        Address { scheme: "https".into(), host: HostRule::Exact(host.into()), port: 443 }
    }

    struct Scene {
        clock: Arc<VirtualClock>,
        store: Arc<dyn Store>,
        secrets: ConnectionSecrets,
        place: Place,
        _folder: tempfile::TempDir,
    }

    fn scene() -> Scene {
        let clock = VirtualClock::at(1_000_000);
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data).unwrap());
        let owners = Arc::new(Owners::join(&data, &SystemRandom).unwrap());
        let source = KeySource::File(folder.path().join("keys"));
        let vault = Arc::new(Vault::open(store.clone(), source, Arc::new(SystemRandom), owners).unwrap());
        let place = Place { tenant: "t".into(), connection: "c".into() };
        let connection = StoredConnection {
            place: place.clone(),
            plugin: "acme".into(),
            name: String::new(),
            settings: serde_json::Map::new(),
            settings_version: 1,
            credential_version: 1,
            account: None,
            identity: None,
            state: ConnectionState::Setup,
            reason: None,
            detail: None,
            created: 0,
            changed: 0,
        };
        let addresses = BTreeMap::from([
            ("key".to_owned(), vec![address("a.example"), address("b.example")]),
            ("other".to_owned(), vec![address("b.example")]),
        ]);
        let secret = seal_secret(&vault, &place, "key", 1, bound_to(&addresses["key"]), b"k3y").unwrap();
        store.insert(connection, vec![secret], Record::default()).wait().unwrap();
        let secrets = ConnectionSecrets::new(place.clone(), store.clone(), vault, clock.clone(), addresses);
        Scene { clock, store, secrets, place, _folder: folder }
    }

    fn keep(secrets: &ConnectionSecrets, key: &str, expires: Option<i64>, used: &[&str]) -> Result<(), Code> {
        let used = used.iter().map(|key| (*key).to_owned()).collect();
        let value = Zeroizing::new(b"t0ken".to_vec());
        secrets.keep_token(key, value, expires, &used).map_err(|error| error.code)
    }

    #[test]
    fn a_secret_of_the_form_goes_to_its_addresses_only() {
        let Scene { secrets, _folder, .. } = scene();
        assert_eq!(secrets.secret("key").unwrap().expose_secret(), "k3y");
        assert!(secrets.secret("other").is_none() && secrets.secret("gone").is_none());
        for (key, host, allowed) in [
            ("key", "a.example", true),
            ("key", "b.example", true),
            ("other", "b.example", true),
            ("other", "a.example", false),
            ("key", "c.example", false),
            ("gone", "a.example", false),
        ] {
            assert_eq!(secrets.allowed(key, "https", host, 443), allowed, "{key} {host}");
        }
        assert!(!secrets.allowed("key", "http", "a.example", 443) && !secrets.allowed("key", "https", "a.example", 80));
    }

    #[test]
    fn a_token_goes_where_all_secrets_could_that_fetched_it_and_ends_with_its_time() {
        let Scene { clock, secrets, _folder, .. } = scene();
        assert_eq!(keep(&secrets, "token", Some(1_000_500), &["key", "other"]), Ok(()));
        assert_eq!(secrets.secret("token").unwrap().expose_secret(), "t0ken");
        assert!(secrets.allowed("token", "https", "b.example", 443));
        assert!(!secrets.allowed("token", "https", "a.example", 443));
        // A token that a token has fetched inherits too.
        assert_eq!(keep(&secrets, "second", None, &["token"]), Ok(()));
        assert!(!secrets.allowed("second", "https", "a.example", 443));
        assert_eq!(secrets.tokens("").unwrap(), ["second", "token"]);
        clock.advance(500);
        assert!(secrets.secret("token").is_none() && !secrets.allowed("token", "https", "b.example", 443));
        assert_eq!(secrets.tokens("").unwrap(), ["second"]);
        secrets.drop_token("second").unwrap();
        assert!(secrets.secret("second").is_none());
    }

    #[test]
    fn a_token_takes_no_secrets_name_and_comes_from_somewhere() {
        let Scene { secrets, _folder, .. } = scene();
        assert_eq!(keep(&secrets, "key", None, &["key"]), Err(Code::Conflict));
        assert_eq!(keep(&secrets, "token", None, &[]), Err(Code::Forbidden));
        assert_eq!(keep(&secrets, "token", None, &["gone"]), Err(Code::Forbidden));
        assert!(secrets.secret("token").is_none());
    }

    #[test]
    fn a_secret_is_not_used_under_other_settings_or_in_another_row() {
        let Scene { store, secrets, place, _folder, .. } = scene();
        secrets.check().unwrap();
        let kept = store.secret(&place, "key").unwrap().unwrap();
        let put = |secret: SealedSecret| {
            let changes = SecretChanges { put: vec![secret], ..SecretChanges::default() };
            store.change(&place, Box::new(|_| true), changes, Record::default()).wait().unwrap();
        };
        // The address was changed, and the row with it.
        put(SealedSecret { bound: "elsewhere".into(), ..kept.clone() });
        assert!(secrets.secret("key").is_none());
        assert_eq!(secrets.check().unwrap_err().reason.as_deref(), Some("settings"));
        // An older version was put back.
        put(SealedSecret { version: 2, ..kept.clone() });
        assert!(secrets.secret("key").is_none());
        assert_eq!(secrets.check().unwrap_err().reason.as_deref(), Some("sealed_elsewhere"));
        // Moved to the row of another secret with the same addresses.
        put(kept.clone());
        put(SealedSecret { name: "other".into(), bound: bound_to(&[address("b.example")]), ..kept });
        assert!(secrets.secret("other").is_none() && secrets.secret("key").is_some());
    }
}
