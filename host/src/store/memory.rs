//! The store of the first version: memory of this process.
//!
//! Promises: the traits' promises, except that nothing survives the process.
//! Leaves to others: durability. The engine on SQLite takes this one's place.

use super::{Connections, Place, PluginStorage, StoredConnection, Token, Tokens};
use psa_host_api::{Code, Error};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many values one connection's plugin may keep.
const VALUES_MAX: usize = 10_000;

#[derive(Default)]
pub(crate) struct MemoryStore {
    rows: Mutex<BTreeMap<Place, Row>>,
}

struct Row {
    connection: StoredConnection,
    secrets: BTreeMap<String, SecretString>,
    values: BTreeMap<String, (Vec<u8>, Option<i64>)>,
    tokens: BTreeMap<String, Token>,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Place, Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something of the row of a place; a deleted connection has none.
    fn with<T>(&self, place: &Place, work: impl FnOnce(&mut Row) -> Result<T, Error>) -> Result<T, Error> {
        match self.lock().get_mut(place) {
            Some(row) => work(row),
            None => Err(Error::new(Code::NotFound, format!("there is no connection \"{}\"", place.connection))),
        }
    }
}

impl Connections for MemoryStore {
    fn insert(&self, connection: StoredConnection, secrets: Vec<(String, SecretString)>) -> Result<(), Error> {
        let place = connection.place.clone();
        let secrets = secrets.into_iter().collect();
        let row = Row { connection, secrets, values: BTreeMap::new(), tokens: BTreeMap::new() };
        self.lock().insert(place, row);
        Ok(())
    }

    fn get(&self, place: &Place) -> Result<Option<StoredConnection>, Error> {
        Ok(self.lock().get(place).map(|row| row.connection.clone()))
    }

    fn list(&self, tenant: &str, after: &str, limit: usize) -> Result<Vec<StoredConnection>, Error> {
        let rows = self.lock();
        let from = Place { tenant: tenant.to_owned(), connection: after.to_owned() };
        let behind = rows.range((Bound::Excluded(from), Bound::Unbounded));
        let own = behind.take_while(|(place, _)| place.tenant == tenant);
        Ok(own.take(limit).map(|(_, row)| row.connection.clone()).collect())
    }

    fn set_tested(&self, place: &Place, tested: bool) -> Result<(), Error> {
        self.with(place, |row| {
            row.connection.tested = tested;
            Ok(())
        })
    }

    fn delete(&self, place: &Place) -> Result<bool, Error> {
        Ok(self.lock().remove(place).is_some())
    }

    fn secret(&self, place: &Place, key: &str) -> Result<Option<SecretString>, Error> {
        self.with(place, |row| Ok(row.secrets.get(key).cloned()))
    }
}

impl PluginStorage for MemoryStore {
    fn get(&self, place: &Place, key: &str, now: i64) -> Result<Option<Vec<u8>>, Error> {
        self.with(place, |row| {
            let found = row.values.get(key).filter(|(_, expires)| lives(*expires, now));
            Ok(found.map(|(value, _)| value.clone()))
        })
    }

    fn put(&self, place: &Place, key: &str, value: &[u8], expires: Option<i64>) -> Result<(), Error> {
        self.with(place, |row| {
            if row.values.len() >= VALUES_MAX && !row.values.contains_key(key) {
                return Err(Error::new(Code::TooLarge, format!("a plugin keeps at most {VALUES_MAX} values")));
            }
            row.values.insert(key.to_owned(), (value.to_vec(), expires));
            Ok(())
        })
    }

    fn remove(&self, place: &Place, key: &str) -> Result<(), Error> {
        self.with(place, |row| {
            row.values.remove(key);
            Ok(())
        })
    }

    fn keys(&self, place: &Place, prefix: &str, now: i64) -> Result<Vec<String>, Error> {
        self.with(place, |row| {
            let from = row.values.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
            Ok(from.filter(|(_, (_, expires))| lives(*expires, now)).map(|(key, _)| key.clone()).collect())
        })
    }
}

fn lives(expires: Option<i64>, now: i64) -> bool {
    expires.is_none_or(|expires| now < expires)
}

impl Tokens for MemoryStore {
    fn token(&self, place: &Place, key: &str) -> Result<Option<Token>, Error> {
        self.with(place, |row| Ok(row.tokens.get(key).cloned()))
    }

    fn put_token(&self, place: &Place, key: &str, token: Token) -> Result<(), Error> {
        self.with(place, |row| {
            if row.tokens.len() >= VALUES_MAX && !row.tokens.contains_key(key) {
                return Err(Error::new(Code::TooLarge, format!("a plugin keeps at most {VALUES_MAX} tokens")));
            }
            row.tokens.insert(key.to_owned(), token);
            Ok(())
        })
    }

    fn remove_token(&self, place: &Place, key: &str) -> Result<(), Error> {
        self.with(place, |row| {
            row.tokens.remove(key);
            Ok(())
        })
    }

    fn token_keys(&self, place: &Place, prefix: &str) -> Result<Vec<(String, Option<i64>)>, Error> {
        self.with(place, |row| {
            let from = row.tokens.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
            Ok(from.map(|(key, token)| (key.clone(), token.expires)).collect())
        })
    }
}
