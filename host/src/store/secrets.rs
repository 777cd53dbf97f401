//! A connection's secrets, as `egress` asks for them.
//!
//! Holds: [`ConnectionSecrets`].
//! Promises: a secret of the form goes where the form says, a token where the secrets went that fetched it, nothing
//! anywhere else; a token cannot take the name of a form's secret.
//! Leaves to others: filling requests (`egress`).

use super::{Place, Store, Token};
use crate::clock::Clock;
use crate::egress::SecretSource;
use psa_host_api::form::Address;
use psa_host_api::{Code, Error};
use secrecy::SecretString;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The secrets of one connection, with its settings as they were when its instance was opened.
pub(crate) struct ConnectionSecrets {
    place: Place,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Of each secret in the form: where it may go.
    addresses: BTreeMap<String, Vec<Address>>,
}

impl ConnectionSecrets {
    pub(crate) fn new(
        place: Place,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        addresses: BTreeMap<String, Vec<Address>>,
    ) -> ConnectionSecrets {
        ConnectionSecrets { place, store, clock, addresses }
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
        let text = std::str::from_utf8(&value).map_err(|_| Error::invalid("a token must be UTF-8"))?;
        let addresses = self.common_addresses(used);
        if addresses.is_empty() {
            let why = "a token must be kept by the call that fetched it with a secret, whose addresses it inherits";
            return Err(Error::new(Code::Forbidden, why));
        }
        let token = Token { value: SecretString::from(text.to_owned()), addresses, expires };
        self.store.put_token(&self.place, key, token)
    }

    /// Removes a token.
    pub(crate) fn drop_token(&self, key: &str) -> Result<(), Error> {
        self.store.remove_token(&self.place, key)
    }

    /// Keys of the tokens that have not expired.
    pub(crate) fn tokens(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let now = self.clock.now_unix_ms();
        let keys = self.store.token_keys(&self.place, prefix)?;
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
        self.token(key).map_or_else(Vec::new, |token| token.addresses)
    }

    fn token(&self, key: &str) -> Option<Token> {
        let token = self.store.token(&self.place, key).ok().flatten()?;
        let now = self.clock.now_unix_ms();
        token.expires.is_none_or(|expires| now < expires).then_some(token)
    }
}

impl SecretSource for ConnectionSecrets {
    fn secret(&self, key: &str) -> Option<SecretString> {
        if self.addresses.contains_key(key) {
            return self.store.secret(&self.place, key).ok().flatten();
        }
        self.token(key).map(|token| token.value)
    }

    fn allowed(&self, key: &str, scheme: &str, host: &str, port: u16) -> bool {
        self.addresses_of(key).iter().any(|address| address.allows(scheme, host, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::VirtualClock;
    use crate::store::{Connections as _, MemoryStore, StoredConnection};
    use psa_host_api::form::HostRule;
    use secrecy::ExposeSecret as _;

    fn address(host: &str) -> Address {
        Address { scheme: "https".into(), host: HostRule::Exact(host.into()), port: 443 }
    }

    fn scene() -> (Arc<VirtualClock>, ConnectionSecrets) {
        let clock = VirtualClock::at(1_000_000);
        let store = Arc::new(MemoryStore::default());
        let place = Place { tenant: "t".into(), connection: "c".into() };
        let connection = StoredConnection {
            place: place.clone(),
            plugin: "acme".into(),
            name: String::new(),
            settings: serde_json::Map::new(),
            tested: false,
            created_unix_ms: 0,
        };
        store.insert(connection, vec![("key".into(), "k3y".to_owned().into())]).unwrap();
        let addresses = BTreeMap::from([
            ("key".to_owned(), vec![address("a.example"), address("b.example")]),
            ("other".to_owned(), vec![address("b.example")]),
        ]);
        (clock.clone(), ConnectionSecrets::new(place, store, clock, addresses))
    }

    fn keep(secrets: &ConnectionSecrets, key: &str, expires: Option<i64>, used: &[&str]) -> Result<(), Code> {
        let used = used.iter().map(|key| (*key).to_owned()).collect();
        let value = Zeroizing::new(b"t0ken".to_vec());
        secrets.keep_token(key, value, expires, &used).map_err(|error| error.code)
    }

    #[test]
    fn a_secret_of_the_form_goes_to_its_addresses_only() {
        let (_, secrets) = scene();
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
        let (clock, secrets) = scene();
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
        let (_, secrets) = scene();
        assert_eq!(keep(&secrets, "key", None, &["key"]), Err(Code::Conflict));
        assert_eq!(keep(&secrets, "token", None, &[]), Err(Code::Forbidden));
        assert_eq!(keep(&secrets, "token", None, &["gone"]), Err(Code::Forbidden));
        assert!(secrets.secret("token").is_none());
    }
}
