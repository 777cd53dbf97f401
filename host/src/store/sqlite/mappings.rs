//! Mappings, and the product's values that they map.

use super::connections::{execute, word, word_or_none};
use super::statements::statements;
use super::{SqliteStore, events, mapped};
use crate::store::{
    Conflict, MappingState, MappingWay, Mappings, MemberMapping, Place, PriorityMapping, ProductValue, Record, Reply,
    StatusMapping, StoreError, ValueKind,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

statements! {
    REVISION = "SELECT coalesce(max(rev), 0) FROM product_values WHERE tenant = ?1 AND kind = ?2";
    CLEAR_VALUES = "DELETE FROM product_values WHERE tenant = ?1 AND kind = ?2";
    ADD_VALUE = "INSERT INTO product_values (tenant, kind, id, name, email, rev) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    VALUES = "SELECT id, name, email FROM product_values WHERE tenant = ?1 AND kind = ?2 ORDER BY id";
    MEMBERS = "SELECT agent, member, state, decided_by, label, way FROM member_mappings WHERE tenant = ?1 AND connection = ?2
        ORDER BY agent";
    MEMBER = "SELECT agent, member, state, decided_by, label, way FROM member_mappings WHERE tenant = ?1 AND connection = ?2
        AND agent = ?3";
    MAP_MEMBER = "INSERT INTO member_mappings (tenant, connection, agent, member, state, changed, decided_by,
        label, way) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (tenant, connection, agent) DO UPDATE SET
        member = ?4, state = ?5, changed = ?6, decided_by = ?7, label = ?8, way = ?9";
    UNMAP_MEMBER = "DELETE FROM member_mappings WHERE tenant = ?1 AND connection = ?2 AND agent = ?3";
    STATUSES = "SELECT scope, value, status, decided_by, label FROM status_mappings WHERE tenant = ?1 AND connection = ?2
        ORDER BY scope, value";
    STATUS = "SELECT status FROM status_mappings WHERE tenant = ?1 AND connection = ?2 AND scope = ?3 AND value = ?4";
    MAP_STATUS = "INSERT INTO status_mappings (tenant, connection, scope, value, status, changed, decided_by, label)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (tenant, connection, scope, value) DO UPDATE SET
        status = ?5, changed = ?6, decided_by = ?7, label = ?8";
    PRIORITIES = "SELECT value, priority, decided_by, label FROM priority_mappings WHERE tenant = ?1 AND connection = ?2
        ORDER BY value";
    PRIORITY = "SELECT priority FROM priority_mappings WHERE tenant = ?1 AND connection = ?2 AND value = ?3";
    MAP_PRIORITY = "INSERT INTO priority_mappings (tenant, connection, value, priority, changed, decided_by, label)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (tenant, connection, value) DO UPDATE SET priority = ?4,
        changed = ?5, decided_by = ?6, label = ?7";
    /// What waited for a mapping is tried again.
    WAITING = "SELECT operation, link FROM operations WHERE tenant = ?1 AND connection = ?2
        AND state IN ('queued', 'in_doubt', 'held') AND state = 'held' AND reason = 'needs_mapping'";
    GO_ON = "UPDATE operations SET state = 'queued', reason = NULL, next_at = 0
        WHERE tenant = ?1 AND operation = ?2 AND state = 'held'";
}

impl Mappings for SqliteStore {
    fn set_values(&self, tenant: &str, kind: ValueKind, rev: i64, values: Vec<ProductValue>) -> Reply<()> {
        let tenant = tenant.to_owned();
        self.write(move |db| {
            let known: i64 = db
                .prepare_cached(REVISION)
                .and_then(|mut get| get.query_row(params![tenant, kind.word()], |row| row.get(0)))
                .map_err(mapped)?;
            if known > rev {
                return Err(StoreError::Conflict(Conflict::OldRevision));
            }
            execute(db, CLEAR_VALUES, params![tenant, kind.word()])?;
            for ProductValue { id, name, email } in &values {
                execute(db, ADD_VALUE, params![tenant, kind.word(), id, name, email, rev])?;
            }
            Ok(())
        })
    }

    fn values(&self, tenant: &str, kind: ValueKind) -> Result<Vec<ProductValue>, StoreError> {
        let value = |row: &Row<'_>| Ok(ProductValue { id: row.get(0)?, name: row.get(1)?, email: row.get(2)? });
        self.read(|db| db.prepare_cached(VALUES)?.query_map(params![tenant, kind.word()], value)?.collect())
    }

    fn member_mappings(&self, place: &Place) -> Result<Vec<MemberMapping>, StoreError> {
        self.read(|db| {
            db.prepare_cached(MEMBERS)?.query_map(params![place.tenant, place.connection], mapping_of)?.collect()
        })
    }

    fn member_mapping(&self, place: &Place, agent: &str) -> Result<Option<MemberMapping>, StoreError> {
        self.read(|db| {
            db.prepare_cached(MEMBER)?.query_row(params![place.tenant, place.connection, agent], mapping_of).optional()
        })
    }

    fn map_members(&self, place: &Place, mappings: Vec<MemberMapping>, now: i64, record: Record) -> Reply<()> {
        let Place { tenant, connection } = place.clone();
        self.write(move |db| {
            for MemberMapping { agent, member, state, decided_by, label, way } in &mappings {
                let way = way.map(MappingWay::word);
                let row = params![tenant, connection, agent, member, state.word(), now, decided_by, label, way];
                execute(db, MAP_MEMBER, row)?;
            }
            events::record(db, record)
        })
    }

    fn unmap_member(&self, place: &Place, agent: &str, record: Record) -> Reply<bool> {
        let (Place { tenant, connection }, agent) = (place.clone(), agent.to_owned());
        self.write(move |db| {
            let gone = execute(db, UNMAP_MEMBER, params![tenant, connection, agent])? > 0;
            if gone {
                events::record(db, record)?;
            }
            Ok(gone)
        })
    }

    fn status_mappings(&self, place: &Place) -> Result<Vec<StatusMapping>, StoreError> {
        let mapping = |row: &Row<'_>| {
            Ok(StatusMapping {
                scope: row.get(0)?,
                value: row.get(1)?,
                status: row.get(2)?,
                decided_by: row.get(3)?,
                label: row.get(4)?,
            })
        };
        self.read(|db| {
            db.prepare_cached(STATUSES)?.query_map(params![place.tenant, place.connection], mapping)?.collect()
        })
    }

    fn mapped_status(&self, place: &Place, scope: &str, value: &str) -> Result<Option<String>, StoreError> {
        let Place { tenant, connection } = place;
        self.read(|db| {
            db.prepare_cached(STATUS)?.query_row(params![tenant, connection, scope, value], |row| row.get(0)).optional()
        })
    }

    fn map_statuses(&self, place: &Place, mappings: Vec<StatusMapping>, now: i64, record: Record) -> Reply<()> {
        let place = place.clone();
        self.write(move |db| {
            let Place { tenant, connection } = &place;
            for StatusMapping { scope, value, status, decided_by, label } in &mappings {
                execute(db, MAP_STATUS, params![tenant, connection, scope, value, status, now, decided_by, label])?;
            }
            go_on(db, &place)?;
            events::record(db, record)
        })
    }

    fn priority_mappings(&self, place: &Place) -> Result<Vec<PriorityMapping>, StoreError> {
        let mapping = |row: &Row<'_>| {
            Ok(PriorityMapping {
                value: row.get(0)?,
                priority: row.get(1)?,
                decided_by: row.get(2)?,
                label: row.get(3)?,
            })
        };
        self.read(|db| {
            db.prepare_cached(PRIORITIES)?.query_map(params![place.tenant, place.connection], mapping)?.collect()
        })
    }

    fn mapped_priority(&self, place: &Place, value: &str) -> Result<Option<String>, StoreError> {
        let Place { tenant, connection } = place;
        self.read(|db| {
            db.prepare_cached(PRIORITY)?.query_row(params![tenant, connection, value], |row| row.get(0)).optional()
        })
    }

    fn map_priorities(&self, place: &Place, mappings: Vec<PriorityMapping>, now: i64, record: Record) -> Reply<()> {
        let Place { tenant, connection } = place.clone();
        self.write(move |db| {
            for PriorityMapping { value, priority, decided_by, label } in &mappings {
                execute(db, MAP_PRIORITY, params![tenant, connection, value, priority, now, decided_by, label])?;
            }
            events::record(db, record)
        })
    }
}

fn mapping_of(row: &Row<'_>) -> rusqlite::Result<MemberMapping> {
    Ok(MemberMapping {
        agent: row.get(0)?,
        member: row.get(1)?,
        state: word(row, 2, MappingState::of)?,
        decided_by: row.get(3)?,
        label: row.get(4)?,
        way: word_or_none(row, 5, MappingWay::of)?,
    })
}

/// Lets operations go on that waited for a mapping.
pub(super) fn go_on(db: &Connection, place: &Place) -> Result<(), StoreError> {
    let Place { tenant, connection } = place;
    let mut waiting = db.prepare_cached(WAITING).map_err(mapped)?;
    let waiting: rusqlite::Result<Vec<(String, String)>> =
        waiting.query_map(params![tenant, connection], |row| Ok((row.get(0)?, row.get(1)?))).map_err(mapped)?.collect();
    for (operation, link) in waiting.map_err(mapped)? {
        execute(db, GO_ON, params![tenant, operation])?;
        super::work::settle_anew(db, tenant, &link)?;
    }
    Ok(())
}
