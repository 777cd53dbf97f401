//! What a plugin remembers for a while.

use super::{Cx, storage};
use crate::Error;
use crate::abi::PSA_CACHE;
use serde::{Serialize, de::DeserializeOwned};

/// Values that may be dropped at any time; they belong to this connection alone.
#[derive(Debug, Clone, Copy)]
pub struct Cache<'a> {
    cx: &'a Cx,
}

impl<'a> Cache<'a> {
    pub(super) fn new(cx: &'a Cx) -> Self {
        Cache { cx }
    }

    /// Reads a value; `None`: not there any more.
    pub fn get<T: DeserializeOwned>(self, key: &str) -> Result<Option<T>, Error> {
        storage::get_json(self.cx, PSA_CACHE, key)
    }

    /// Remembers a value for `ttl_ms` milliseconds; 0: as long as the host likes.
    pub fn put(self, key: &str, value: &impl Serialize, ttl_ms: u64) -> Result<(), Error> {
        storage::put_json(self.cx, PSA_CACHE, key, value, ttl_ms)
    }

    /// Forgets a value.
    pub fn remove(self, key: &str) -> Result<(), Error> {
        storage::remove(self.cx, PSA_CACHE, key)
    }
}
