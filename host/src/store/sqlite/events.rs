//! Events, and what a unit of work records besides its own rows.

use super::connections::execute;
use super::statements::statements;
use super::{SqliteStore, activity, mapped};
use crate::store::{Journal, Record, Reply, StoreError, StoredEntry, Taken};
use rusqlite::{Connection, OptionalExtension as _, params};

statements! {
    ADD = "INSERT INTO events (tenant, kind, at, body) VALUES (?1, ?2, ?3, ?4)";
    NEXT = "SELECT id, tenant, kind, at, body FROM events WHERE id > ?1 ORDER BY id LIMIT 1";
    NEXT_OF_TENANT = "SELECT id, tenant, kind, at, body FROM events WHERE tenant = ?2 AND id > ?1 ORDER BY id LIMIT 1";
    BOUNDS = "SELECT coalesce((SELECT id FROM events ORDER BY id LIMIT 1), 0),
        coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)";
    CONSUMER = "SELECT acked, lease_owner, lease_until FROM consumers WHERE name = ?1";
    ADD_CONSUMER = "INSERT INTO consumers (name, acked) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    LEASE = "UPDATE consumers SET lease_owner = ?2, lease_until = ?3 WHERE name = ?1";
    LET_GO = "UPDATE consumers SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = ?1";
    ACK = "UPDATE consumers SET acked = ?2, lease_owner = NULL, lease_until = NULL WHERE name = ?1 AND acked < ?2
        AND ?2 <= coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)";
    TRIM = "DELETE FROM events WHERE id <= (SELECT seq FROM sqlite_sequence WHERE name = 'events') - ?1";
    NEWEST = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)";
}

/// Adds what a unit of work has to tell.
pub(super) fn record(db: &Connection, record: Record) -> Result<(), StoreError> {
    for entry in &record.entries {
        activity::add(db, entry)?;
    }
    for event in record.events {
        execute(db, ADD, params![event.tenant, event.kind, event.at, event.body.to_string()])?;
    }
    Ok(())
}

impl Journal for SqliteStore {
    fn note(&self, record: Record) -> Reply<()> {
        self.write(move |db| self::record(db, record))
    }

    fn activity(&self, tenant: &str, after: i64, limit: usize) -> Result<Vec<StoredEntry>, StoreError> {
        self.read(|db| activity::list(db, tenant, after, limit))
    }

    fn activity_head(&self, tenant: &str) -> Result<Option<StoredEntry>, StoreError> {
        self.read(|db| activity::head(db, tenant))
    }

    fn take_event(
        &self,
        consumer: &str,
        tenant: Option<&str>,
        owner: &str,
        now: i64,
        lease_until: i64,
    ) -> Reply<Taken> {
        let (consumer, owner) = (consumer.to_owned(), owner.to_owned());
        let tenant = tenant.map(str::to_owned);
        self.write(move |db| take(db, &consumer, tenant.as_deref(), &owner, now, lease_until))
    }

    fn ack_event(&self, consumer: &str, id: i64) -> Reply<bool> {
        let consumer = consumer.to_owned();
        self.write(move |db| Ok(execute(db, ACK, params![consumer, id])? > 0))
    }

    fn let_go_of_events(&self, owner: &str) -> Reply<()> {
        let owner = owner.to_owned();
        self.write(move |db| execute(db, LET_GO, params![owner]).map(drop))
    }

    fn trim_events(&self, keep: u64) -> Reply<()> {
        self.write(move |db| execute(db, TRIM, params![i64::try_from(keep).unwrap_or(i64::MAX)]).map(drop))
    }

    fn newest_event(&self) -> Result<i64, StoreError> {
        self.read(|db| db.prepare_cached(NEWEST)?.query_row([], |row| row.get(0)))
    }
}

fn take(
    db: &Connection,
    consumer: &str,
    tenant: Option<&str>,
    owner: &str,
    now: i64,
    lease_until: i64,
) -> Result<Taken, StoreError> {
    // A new consumer begins with what is there.
    execute(db, ADD_CONSUMER, params![consumer, 0])?;
    let (acked, holder, until): (i64, Option<String>, Option<i64>) = db
        .prepare_cached(CONSUMER)
        .and_then(|mut get| get.query_row(params![consumer], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))))
        .map_err(mapped)?;
    if holder.is_some_and(|holder| holder != owner) && until.is_some_and(|until| until > now) {
        return Ok(Taken::Elsewhere);
    }
    let (first, last): (i64, i64) = db
        .prepare_cached(BOUNDS)
        .and_then(|mut get| get.query_row([], |row| Ok((row.get(0)?, row.get(1)?))))
        .map_err(mapped)?;
    // All events up to `last` were there once; those before `first` are gone.
    let gone = if first == 0 { last } else { first - 1 };
    if acked < gone {
        execute(db, LEASE, params![consumer, owner, lease_until])?;
        return Ok(Taken::Gap { from: acked + 1, to: gone });
    }
    let next = match tenant {
        Some(tenant) => db
            .prepare_cached(NEXT_OF_TENANT)
            .and_then(|mut next| next.query_row(params![acked, tenant], raw_event).optional()),
        None => db.prepare_cached(NEXT).and_then(|mut next| next.query_row(params![acked], raw_event).optional()),
    };
    let Some((id, tenant, kind, at, body)) = next.map_err(mapped)? else { return Ok(Taken::Nothing) };
    let body = serde_json::from_str(&body).map_err(|_| StoreError::Damaged(format!("event {id}")))?;
    execute(db, LEASE, params![consumer, owner, lease_until])?;
    Ok(Taken::Event { id, tenant, kind, at, body })
}

fn raw_event(row: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, String, String, i64, String)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}
