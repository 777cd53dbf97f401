//! What plugins keep: values and tokens.

use super::connections::execute;
use super::statements::statements;
use super::{SqliteStore, mapped};
use crate::store::{Conflict, Place, PluginStorage, Reply, Sealed, StoreError, StoredToken};
use rusqlite::{Connection, OptionalExtension as _, params};

/// How many values, and how many tokens, one connection's plugin may keep.
const KEPT_MAX: i64 = 10_000;

statements! {
    GET = "SELECT key, sealed, addresses, expires FROM plugin_storage
        WHERE tenant = ?1 AND connection = ?2 AND space = ?3 AND name = ?4";
    COUNT = "SELECT count(*) FROM plugin_storage WHERE tenant = ?1 AND connection = ?2 AND space = ?3";
    PUT = "INSERT INTO plugin_storage (tenant, connection, space, name, key, sealed, addresses, expires)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (tenant, connection, space, name) DO UPDATE SET
        key = ?5, sealed = ?6, addresses = ?7, expires = ?8";
    REMOVE = "DELETE FROM plugin_storage WHERE tenant = ?1 AND connection = ?2 AND space = ?3 AND name = ?4";
    NAMES = "SELECT name, expires FROM plugin_storage WHERE tenant = ?1 AND connection = ?2 AND space = ?3
        AND name >= ?4 AND substr(name, 1, length(?4)) = ?4 ORDER BY name";
}

const VALUE: &str = "value";
const TOKEN: &str = "token";

type Row = (Sealed, Option<String>, Option<i64>);

impl PluginStorage for SqliteStore {
    fn value(&self, place: &Place, name: &str, now: i64) -> Result<Option<Sealed>, StoreError> {
        let row = self.read(|db| get(db, place, VALUE, name))?;
        Ok(row.filter(|(_, _, expires)| expires.is_none_or(|expires| now < expires)).map(|(sealed, ..)| sealed))
    }

    fn put_value(&self, place: &Place, name: &str, sealed: Sealed, expires: Option<i64>) -> Reply<()> {
        let (place, name) = (place.clone(), name.to_owned());
        self.write(move |db| put(db, &place, VALUE, &name, (sealed, None, expires)))
    }

    fn remove_value(&self, place: &Place, name: &str) -> Reply<()> {
        let (place, name) = (place.clone(), name.to_owned());
        self.write(move |db| remove(db, &place, VALUE, &name))
    }

    fn value_names(&self, place: &Place, prefix: &str, now: i64) -> Result<Vec<String>, StoreError> {
        let named = self.read(|db| names(db, place, VALUE, prefix))?;
        let living = named.into_iter().filter(|(_, expires)| expires.is_none_or(|expires| now < expires));
        Ok(living.map(|(name, _)| name).collect())
    }

    fn token(&self, place: &Place, name: &str) -> Result<Option<StoredToken>, StoreError> {
        let row = self.read(|db| get(db, place, TOKEN, name))?;
        Ok(row.map(|(sealed, addresses, expires)| StoredToken {
            sealed,
            addresses: addresses.unwrap_or_default(),
            expires,
        }))
    }

    fn put_token(&self, place: &Place, name: &str, token: StoredToken) -> Reply<()> {
        let (place, name) = (place.clone(), name.to_owned());
        self.write(move |db| put(db, &place, TOKEN, &name, (token.sealed, Some(token.addresses), token.expires)))
    }

    fn remove_token(&self, place: &Place, name: &str) -> Reply<()> {
        let (place, name) = (place.clone(), name.to_owned());
        self.write(move |db| remove(db, &place, TOKEN, &name))
    }

    fn token_names(&self, place: &Place, prefix: &str) -> Result<Vec<(String, Option<i64>)>, StoreError> {
        self.read(|db| names(db, place, TOKEN, prefix))
    }
}

fn get(db: &Connection, place: &Place, space: &str, name: &str) -> rusqlite::Result<Option<Row>> {
    let row = |row: &rusqlite::Row<'_>| Ok((Sealed { key: row.get(0)?, token: row.get(1)? }, row.get(2)?, row.get(3)?));
    db.prepare_cached(GET)?.query_row(params![place.tenant, place.connection, space, name], row).optional()
}

fn put(db: &Connection, place: &Place, space: &str, name: &str, row: Row) -> Result<(), StoreError> {
    let Place { tenant, connection } = place;
    let there = get(db, place, space, name).map_err(mapped)?.is_some();
    let count: i64 = db
        .prepare_cached(COUNT)
        .and_then(|mut count| count.query_row(params![tenant, connection, space], |row| row.get(0)))
        .map_err(mapped)?;
    if !there && count >= KEPT_MAX {
        return Err(StoreError::Conflict(Conflict::Limit));
    }
    let (sealed, addresses, expires) = row;
    super::seals::check_key(db, &sealed.key)?;
    let values = params![tenant, connection, space, name, sealed.key, sealed.token, addresses, expires];
    execute(db, PUT, values).map(drop)
}

fn remove(db: &Connection, place: &Place, space: &str, name: &str) -> Result<(), StoreError> {
    execute(db, REMOVE, params![place.tenant, place.connection, space, name]).map(drop)
}

fn names(db: &Connection, place: &Place, space: &str, prefix: &str) -> rusqlite::Result<Vec<(String, Option<i64>)>> {
    db.prepare_cached(NAMES)?
        .query_map(params![place.tenant, place.connection, space, prefix], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
