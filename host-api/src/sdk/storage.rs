//! What a plugin keeps: values that survive restarts, and tokens.
//!
//! Holds: [`Storage`] (encrypted, readable) and [`Secrets`] (write-only).
//! Promises: both belong to this connection alone; a token put into [`Secrets`] can be sent but never read again.
//! Leaves to others: values that may be lost (`cache`).

use super::Cx;
use super::cx::{check, refused, service};
use crate::Error;
use crate::abi::*;
use serde::{Serialize, de::DeserializeOwned};

/// Reads a value of a space.
pub(super) fn get(cx: &Cx, space: u32, key: &str) -> Result<Option<Vec<u8>>, Error> {
    let mut value = psa_bytes::EMPTY;
    match service!(cx, get(cx.call(), space, psa_bytes::of(key.as_bytes()), &mut value)) {
        // SAFETY: the header keeps what get() hands out alive until the call ends; it is copied here and now.
        PSA_OK => Ok(Some(unsafe { value.as_slice() }.to_vec())),
        PSA_NOT_FOUND => Ok(None),
        code => Err(refused(code, "reading a stored value")),
    }
}

/// Stores a value in a space.
pub(super) fn put(cx: &Cx, space: u32, key: &str, value: &[u8], ttl_ms: u64) -> Result<(), Error> {
    let (key, value) = (psa_bytes::of(key.as_bytes()), psa_bytes::of(value));
    check(service!(cx, put(cx.call(), space, key, value, ttl_ms)), "storing a value")
}

/// Removes a value of a space.
pub(super) fn remove(cx: &Cx, space: u32, key: &str) -> Result<(), Error> {
    check(service!(cx, remove(cx.call(), space, psa_bytes::of(key.as_bytes()))), "removing a value")
}

/// A stored value as JSON; one that no longer fits is as good as none.
pub(super) fn get_json<T: DeserializeOwned>(cx: &Cx, space: u32, key: &str) -> Result<Option<T>, Error> {
    Ok(get(cx, space, key)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Stores a value as JSON.
pub(super) fn put_json(cx: &Cx, space: u32, key: &str, value: &impl Serialize, ttl_ms: u64) -> Result<(), Error> {
    let json = serde_json::to_vec(value).map_err(|error| Error::internal(format!("\"{key}\" is not JSON: {error}")))?;
    put(cx, space, key, &json, ttl_ms)
}

/// Values that survive restarts.
#[derive(Debug, Clone, Copy)]
pub struct Storage<'a> {
    cx: &'a Cx,
}

impl<'a> Storage<'a> {
    pub(super) fn new(cx: &'a Cx) -> Self {
        Storage { cx }
    }

    /// Reads a value; `None`: there is none, or what is there no longer fits `T`.
    pub fn get<T: DeserializeOwned>(self, key: &str) -> Result<Option<T>, Error> {
        get_json(self.cx, PSA_DURABLE, key)
    }

    /// Stores a value: durable when it returns.
    pub fn put(self, key: &str, value: &impl Serialize) -> Result<(), Error> {
        put_json(self.cx, PSA_DURABLE, key, value, 0)
    }

    /// Removes a value, if there is one.
    pub fn remove(self, key: &str) -> Result<(), Error> {
        remove(self.cx, PSA_DURABLE, key)
    }

    /// The keys that start so, sorted.
    pub fn keys(self, prefix: &str) -> Result<Vec<String>, Error> {
        let mut json = psa_bytes::EMPTY;
        let prefix = psa_bytes::of(prefix.as_bytes());
        check(service!(self.cx, keys(self.cx.call(), PSA_DURABLE, prefix, &mut json)), "listing stored values")?;
        // SAFETY: alive until the call ends; read here and now.
        let json = unsafe { json.as_slice() };
        serde_json::from_slice(json).map_err(|error| Error::internal(format!("the host's list of keys: {error}")))
    }
}

/// Tokens: write-only, usable by key in requests, towards the addresses of the secret that fetched them.
#[derive(Debug, Clone, Copy)]
pub struct Secrets<'a> {
    cx: &'a Cx,
}

impl<'a> Secrets<'a> {
    pub(super) fn new(cx: &'a Cx) -> Self {
        Secrets { cx }
    }

    /// Stores a token; `ttl_ms` 0: until it is replaced or removed.
    pub fn put(self, key: &str, token: &str, ttl_ms: u64) -> Result<(), Error> {
        put(self.cx, PSA_SECRETS, key, token.as_bytes(), ttl_ms)
    }

    /// Removes a token, if there is one.
    pub fn remove(self, key: &str) -> Result<(), Error> {
        remove(self.cx, PSA_SECRETS, key)
    }
}
