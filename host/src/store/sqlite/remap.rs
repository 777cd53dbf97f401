//! Mappings as people change them.

use super::connections::{execute, word, word_or_none};
use super::statements::statements;
use super::{SqliteStore, events, mapped, mappings};
use crate::store::{
    KeptMapping, Mapped, MappingState, MappingWay, Place, Record, Remap, Remaps, Reply, StoreError, Target,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

statements! {
    MEMBERS = "SELECT agent, member, state, label, way, decided_by, changed FROM member_mappings
        WHERE tenant = ?1 AND connection = ?2 ORDER BY agent";
    STATUSES = "SELECT value, status, 'mapped', label, NULL, decided_by, changed FROM status_mappings
        WHERE tenant = ?1 AND connection = ?2 AND scope = ?3 ORDER BY value";
    PRIORITIES = "SELECT value, priority, 'mapped', label, NULL, decided_by, changed FROM priority_mappings
        WHERE tenant = ?1 AND connection = ?2 ORDER BY value";
    MEMBER = "SELECT member FROM member_mappings WHERE tenant = ?1 AND connection = ?2 AND agent = ?3";
    STATUS = "SELECT status FROM status_mappings WHERE tenant = ?1 AND connection = ?2 AND value = ?3 AND scope = ?4";
    PRIORITY = "SELECT priority FROM priority_mappings WHERE tenant = ?1 AND connection = ?2 AND value = ?3";
    DROP_MEMBER = "DELETE FROM member_mappings WHERE tenant = ?1 AND connection = ?2 AND agent = ?3";
    DROP_STATUS = "DELETE FROM status_mappings WHERE tenant = ?1 AND connection = ?2 AND value = ?3 AND scope = ?4";
    DROP_PRIORITY = "DELETE FROM priority_mappings WHERE tenant = ?1 AND connection = ?2 AND value = ?3";
    SCOPES = "SELECT scope, count(*) FROM status_mappings WHERE tenant = ?1 AND connection = ?2 GROUP BY scope";
}

impl Remaps for SqliteStore {
    fn kept_mappings(&self, place: &Place, which: &Mapped) -> Result<Vec<KeptMapping>, StoreError> {
        let Place { tenant, connection } = place;
        self.read(|db| match which {
            Mapped::Members => db.prepare_cached(MEMBERS)?.query_map(params![tenant, connection], kept)?.collect(),
            Mapped::Statuses { scope } => {
                db.prepare_cached(STATUSES)?.query_map(params![tenant, connection, scope], kept)?.collect()
            }
            Mapped::Priorities => {
                db.prepare_cached(PRIORITIES)?.query_map(params![tenant, connection], kept)?.collect()
            }
        })
    }

    fn mapped_scopes(&self, place: &Place) -> Result<Vec<(String, u64)>, StoreError> {
        let count = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        self.read(|db| db.prepare_cached(SCOPES)?.query_map(params![place.tenant, place.connection], count)?.collect())
    }

    fn remap(
        &self,
        place: &Place,
        which: Mapped,
        changes: Vec<Remap>,
        by: &str,
        now: i64,
        record: Record,
    ) -> Reply<Vec<String>> {
        let (place, by) = (place.clone(), by.to_owned());
        self.write(move |db| {
            let mut others = Vec::new();
            for change in &changes {
                if there(db, &place, &which, &change.value)? != change.before {
                    others.push(change.value.clone());
                }
            }
            if !others.is_empty() {
                return Ok(others);
            }
            for change in &changes {
                put(db, &place, &which, change, &by, now)?;
            }
            if matches!(which, Mapped::Statuses { .. }) {
                mappings::go_on(db, &place)?;
            }
            events::record(db, record)?;
            Ok(others)
        })
    }
}

/// What stands for a value now. A member that has gone still does.
fn there(db: &Connection, place: &Place, which: &Mapped, value: &str) -> Result<Target, StoreError> {
    let Place { tenant, connection } = place;
    let id = |row: &Row<'_>| row.get::<_, Option<String>>(0);
    let found = match which {
        Mapped::Members => db
            .prepare_cached(MEMBER)
            .and_then(|mut one| one.query_row(params![tenant, connection, value], id).optional()),
        Mapped::Statuses { scope } => db
            .prepare_cached(STATUS)
            .and_then(|mut one| one.query_row(params![tenant, connection, value, scope], id).optional()),
        Mapped::Priorities => db
            .prepare_cached(PRIORITY)
            .and_then(|mut one| one.query_row(params![tenant, connection, value], id).optional()),
    };
    Ok(target(found.map_err(mapped)?))
}

fn target(found: Option<Option<String>>) -> Target {
    match found {
        None => Target::Nothing,
        Some(None) => Target::Nobody,
        Some(Some(id)) => Target::Is(id),
    }
}

fn put(db: &Connection, place: &Place, which: &Mapped, change: &Remap, by: &str, now: i64) -> Result<(), StoreError> {
    let Place { tenant, connection } = place;
    let Remap { value, after, label, way, .. } = change;
    let way = way.map(MappingWay::word);
    let done = match (which, after) {
        (Mapped::Members, Target::Nothing) => execute(db, DROP_MEMBER, params![tenant, connection, value]),
        (Mapped::Members, after) => {
            let (member, state) = match after {
                Target::Is(id) => (Some(id), MappingState::Mapped),
                Target::Nothing | Target::Nobody => (None, MappingState::Ignored),
            };
            let row = params![tenant, connection, value, member, state.word(), now, by, label, way];
            execute(db, mappings::MAP_MEMBER, row)
        }
        (Mapped::Statuses { scope }, Target::Is(id)) => {
            execute(db, mappings::MAP_STATUS, params![tenant, connection, scope, value, id, now, by, label])
        }
        (Mapped::Statuses { scope }, _) => execute(db, DROP_STATUS, params![tenant, connection, value, scope]),
        (Mapped::Priorities, Target::Is(id)) => {
            execute(db, mappings::MAP_PRIORITY, params![tenant, connection, value, id, now, by, label])
        }
        (Mapped::Priorities, _) => execute(db, DROP_PRIORITY, params![tenant, connection, value]),
    };
    done.map(drop)
}

fn kept(row: &Row<'_>) -> rusqlite::Result<KeptMapping> {
    Ok(KeptMapping {
        value: row.get(0)?,
        target: target(Some(row.get(1)?)),
        state: word(row, 2, MappingState::of)?,
        label: row.get(3)?,
        way: word_or_none(row, 4, MappingWay::of)?,
        decided_by: row.get(5)?,
        changed: row.get(6)?,
    })
}
