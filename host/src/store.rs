//! What outlives a call: one small trait per subject.
//!
//! Holds: the traits, the types they carry, and [`ConnectionSecrets`], the one way to a connection's secrets.
//! Promises: nothing is reached without naming tenant and connection; secrets leave only through a request that names
//! them, towards the addresses they are bound to.
//! Leaves to others: the engine (`memory`), the rules of a connection (`connections`).

mod memory;
mod secrets;

pub(crate) use memory::MemoryStore;
pub(crate) use secrets::ConnectionSecrets;

use psa_host_api::Error;
use psa_host_api::form::Address;
use secrecy::SecretString;
use serde_json::{Map, Value};

/// Whose: a tenant's connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The product's word for its customer, compared byte by byte.
    pub(crate) tenant: String,
    /// The connection's id.
    pub(crate) connection: String,
}

impl std::fmt::Display for Place {
    /// The connection alone: a tenant may be a name that does not belong into a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.connection)
    }
}

/// What is kept of a connection; its secrets are kept apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredConnection {
    pub(crate) place: Place,
    pub(crate) plugin: String,
    pub(crate) name: String,
    /// As the form has them, without secrets.
    pub(crate) settings: Map<String, Value>,
    /// A test has passed.
    pub(crate) tested: bool,
    pub(crate) created_unix_ms: i64,
}

/// Connections and their secrets.
pub(crate) trait Connections: Send + Sync {
    /// Keeps a new one, with its secrets.
    fn insert(&self, connection: StoredConnection, secrets: Vec<(String, SecretString)>) -> Result<(), Error>;
    /// The one of a place.
    fn get(&self, place: &Place) -> Result<Option<StoredConnection>, Error>;
    /// A tenant's, in order of their ids, after `after`, at most `limit`.
    fn list(&self, tenant: &str, after: &str, limit: usize) -> Result<Vec<StoredConnection>, Error>;
    /// Notes that a test has passed, or not.
    fn set_tested(&self, place: &Place, tested: bool) -> Result<(), Error>;
    /// Forgets it and all that belongs to it. False: there was none.
    fn delete(&self, place: &Place) -> Result<bool, Error>;
    /// A secret of its form.
    fn secret(&self, place: &Place, key: &str) -> Result<Option<SecretString>, Error>;
}

/// What plugins keep. `expires` and `now` in milliseconds since 1970.
pub(crate) trait PluginStorage: Send + Sync {
    /// A value that has not expired.
    fn get(&self, place: &Place, key: &str, now: i64) -> Result<Option<Vec<u8>>, Error>;
    /// Keeps a value. Durable when it returns, as far as the engine is.
    fn put(&self, place: &Place, key: &str, value: &[u8], expires: Option<i64>) -> Result<(), Error>;
    /// Removes a value, if it is there.
    fn remove(&self, place: &Place, key: &str) -> Result<(), Error>;
    /// Keys that begin with `prefix`, sorted.
    fn keys(&self, place: &Place, prefix: &str, now: i64) -> Result<Vec<String>, Error>;
}

/// A secret that a plugin has obtained.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) value: SecretString,
    /// Where it may be sent.
    pub(crate) addresses: Vec<Address>,
    /// Milliseconds since 1970.
    pub(crate) expires: Option<i64>,
}

/// Tokens of plugins.
pub(crate) trait Tokens: Send + Sync {
    /// The token of a key, expired or not.
    fn token(&self, place: &Place, key: &str) -> Result<Option<Token>, Error>;
    /// Keeps one.
    fn put_token(&self, place: &Place, key: &str, token: Token) -> Result<(), Error>;
    /// Removes one, if it is there.
    fn remove_token(&self, place: &Place, key: &str) -> Result<(), Error>;
    /// Keys and expiries of those whose key begins with `prefix`, sorted by key.
    fn token_keys(&self, place: &Place, prefix: &str) -> Result<Vec<(String, Option<i64>)>, Error>;
}

/// All of it.
pub(crate) trait Store: Connections + PluginStorage + Tokens {}
impl<T: Connections + PluginStorage + Tokens> Store for T {}
