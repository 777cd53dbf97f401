//! Operations: accepting and reading.

use super::connections::{execute, word, word_or_none};
use super::operation_row::{operation, operation_of, visibility_word};
use super::statements::statements;
use super::{SqliteStore, events, links, mapped, seals, steps, work};
use crate::store::{
    Accepted, Binding, Claim, Conflict, Due, Kind, LaneId, Looked, NewOperation, OpenAttempt, OperationFilter,
    Operations, Place, Record, Reply, Standing, State, Step, StoreError, StoredAttempt, StoredOperation, Transition,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

statements! {
    INSERT = "INSERT INTO operations (tenant, operation, connection, link, kind, state, client_key, payload, likeness,
        key, sealed, visibility, wanted, base, not_after, accepted, head)
        VALUES (?1, ?2, ?3, ?4, ?5, 'queued', ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, NOT EXISTS (SELECT 1
            FROM operations WHERE tenant = ?1 AND link = ?4 AND state IN ('queued', 'in_doubt')))
        RETURNING seq";
    GET = operation!("WHERE tenant = ?1 AND operation = ?2");
    BY_KEY = operation!("WHERE tenant = ?1 AND connection = ?2 AND client_key = ?3");
    PAYLOAD = "SELECT payload FROM operations WHERE tenant = ?1 AND operation = ?2";
    LIST = operation!("WHERE tenant = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
    LIST_OF_CONNECTION = operation!("WHERE tenant = ?1 AND connection = ?4 AND seq > ?2 ORDER BY seq LIMIT ?3");
    LIST_OF_LINK = operation!("WHERE tenant = ?1 AND link = ?4 AND seq > ?2 ORDER BY seq LIMIT ?3");
    ATTEMPTS = "SELECT number, opened, ended, outcome, error FROM attempts WHERE tenant = ?1 AND operation = ?2
        ORDER BY number";
    TRANSITIONS = "SELECT from_state, from_attempt, to_state, to_attempt, reason FROM transitions
        WHERE tenant = ?1 AND operation = ?2 ORDER BY id";
    /// A newer status makes those of its lane pointless that nothing was sent of.
    OLDER_STATUSES = "SELECT operation FROM operations WHERE tenant = ?1 AND link = ?2 AND kind = 'status'
        AND state = 'queued' AND attempt IS NULL AND doubts = 0";
    SUPERSEDE = "UPDATE operations SET state = 'refused', reason = 'superseded', ended = ?3, head = 0,
        lease_owner = NULL, lease_token = NULL, lease_until = NULL
        WHERE tenant = ?1 AND operation = ?2 AND state = 'queued' AND attempt IS NULL";
    BOUND_AMONG = "SELECT n.remote FROM json_each(?4) r CROSS JOIN notes n ON n.tenant = ?1 AND n.connection = ?2
        AND n.kind = ?3 AND n.remote = r.value";
    HAS_RIVALS = "SELECT EXISTS (SELECT 1 FROM operations WHERE tenant = ?1 AND connection = ?2
        AND state IN ('queued', 'in_doubt', 'held') AND likeness = ?3 AND operation <> ?4 AND attempts > 0)";
    HAS_YOUNGER_STATUS = "SELECT EXISTS (SELECT 1 FROM operations WHERE tenant = ?1 AND link = ?2 AND seq > ?3
        AND kind = 'status' AND state NOT IN ('refused', 'discarded'))";
    WAITING_ON = "SELECT count(*) FROM operations WHERE tenant = ?1 AND link = ?2
        AND state IN ('queued', 'in_doubt', 'held')";
    ALIKE = operation!("WHERE tenant = ?1 AND link = ?2 AND state IN ('queued', 'in_doubt', 'held') AND likeness = ?3
        AND doubts > 0 ORDER BY seq");
    STANDING = "SELECT state, count(*), min(accepted), sum(head) FROM operations WHERE tenant = ?1 AND connection = ?2
        AND state IN ('queued', 'in_doubt', 'held') GROUP BY state";
    WATCH_DUE = operation!(
        "WHERE watch_at IS NOT NULL AND watch_at <= ?1 AND EXISTS (SELECT 1 FROM connections c \
         WHERE c.tenant = operations.tenant AND c.connection = operations.connection AND c.state = 'active') \
         ORDER BY watch_at LIMIT ?2"
    );
    SET_WATCH = "UPDATE operations SET watch_at = ?3, watched = ?4 WHERE tenant = ?1 AND operation = ?2
        AND watched = ?5";
    DROP_BODIES = "UPDATE operations SET key = NULL, sealed = NULL WHERE sealed IS NOT NULL AND ended IS NOT NULL
        AND ended < ?1 AND watch_at IS NULL";
}

impl Operations for SqliteStore {
    fn accept(&self, new: NewOperation) -> Reply<Accepted> {
        self.write(move |db| accept(db, new))
    }

    fn operation(&self, tenant: &str, operation: &str) -> Result<Option<StoredOperation>, StoreError> {
        self.read(|db| db.prepare_cached(GET)?.query_row(params![tenant, operation], operation_of).optional())
    }

    fn by_client_key(&self, place: &Place, key: &[u8]) -> Result<Option<StoredOperation>, StoreError> {
        self.read(|db| by_key(db, place, key))
    }

    fn list_operations(
        &self,
        filter: &OperationFilter,
        after: i64,
        limit: usize,
    ) -> Result<Vec<StoredOperation>, StoreError> {
        self.read(|db| {
            let (statement, more) = match (&filter.link, &filter.connection) {
                (Some(link), _) => (LIST_OF_LINK, Some(link)),
                (None, Some(connection)) => (LIST_OF_CONNECTION, Some(connection)),
                (None, None) => (LIST, None),
            };
            let mut statement = db.prepare_cached(statement)?;
            let (mut after, mut listed) = (after, Vec::new());
            // The state is looked at here: a filter must not make a page short.
            loop {
                let rows: Vec<StoredOperation> = match more {
                    Some(more) => statement
                        .query_map(params![filter.tenant, after, limit as i64, more], operation_of)?
                        .collect::<rusqlite::Result<_>>()?,
                    None => statement
                        .query_map(params![filter.tenant, after, limit as i64], operation_of)?
                        .collect::<rusqlite::Result<_>>()?,
                };
                let whole = rows.len() < limit;
                after = rows.last().map_or(after, |row| row.seq);
                let fits = |row: &StoredOperation| filter.state.is_none_or(|state| state == row.state);
                listed.extend(rows.into_iter().filter(fits));
                if whole || listed.len() >= limit {
                    listed.truncate(limit);
                    return Ok(listed);
                }
            }
        })
    }

    fn attempts(&self, tenant: &str, operation: &str) -> Result<Vec<StoredAttempt>, StoreError> {
        self.read(|db| {
            let attempt = |row: &Row<'_>| {
                Ok(StoredAttempt {
                    number: row.get(0)?,
                    opened: row.get(1)?,
                    ended: row.get(2)?,
                    outcome: word_or_none(row, 3, crate::store::AttemptEnd::of)?,
                    error: row.get(4)?,
                })
            };
            db.prepare_cached(ATTEMPTS)?.query_map(params![tenant, operation], attempt)?.collect()
        })
    }

    fn transitions(&self, tenant: &str, operation: &str) -> Result<Vec<Transition>, StoreError> {
        self.read(|db| {
            let transition = |row: &Row<'_>| {
                Ok(Transition {
                    from: word(row, 0, State::of)?,
                    from_attempt: row.get(1)?,
                    to: word(row, 2, State::of)?,
                    to_attempt: row.get(3)?,
                    reason: row.get(4)?,
                })
            };
            db.prepare_cached(TRANSITIONS)?.query_map(params![tenant, operation], transition)?.collect()
        })
    }

    fn due(&self, due: &Due<'_>) -> Result<Vec<LaneId>, StoreError> {
        self.read(|db| work::due(db, due))
    }

    fn head(&self, lane: &LaneId) -> Result<Option<StoredOperation>, StoreError> {
        self.read(|db| {
            let of_lane = params![lane.place.tenant, lane.link];
            db.prepare_cached(work::HEAD)?.query_row(of_lane, operation_of).optional()
        })
    }

    fn open_attempt(&self, open: OpenAttempt) -> Reply<Option<i64>> {
        self.write(move |db| work::open(db, &open))
    }

    fn claim(&self, claim: Claim) -> Reply<bool> {
        self.write(move |db| work::claim(db, &claim))
    }

    fn step(&self, step: Step) -> Reply<bool> {
        self.write(move |db| steps::step(db, step))
    }

    fn looked(&self, looked: Looked) -> Reply<bool> {
        self.write(move |db| steps::looked(db, &looked))
    }

    fn bound_among(&self, place: &Place, kind: &str, remotes: &[String]) -> Result<Vec<String>, StoreError> {
        let Place { tenant, connection } = place;
        let remotes = serde_json::json!(remotes).to_string();
        self.read(|db| {
            db.prepare_cached(BOUND_AMONG)?
                .query_map(params![tenant, connection, kind, remotes], |row| row.get(0))?
                .collect()
        })
    }

    fn has_rivals(&self, row: &StoredOperation) -> Result<bool, StoreError> {
        let Place { tenant, connection } = &row.place;
        self.read(|db| {
            db.prepare_cached(HAS_RIVALS)?
                .query_row(params![tenant, connection, row.likeness, row.operation], |row| row.get(0))
        })
    }

    fn has_younger_status(&self, row: &StoredOperation) -> Result<bool, StoreError> {
        self.read(|db| {
            db.prepare_cached(HAS_YOUNGER_STATUS)?
                .query_row(params![row.place.tenant, row.link, row.seq], |row| row.get(0))
        })
    }

    fn waiting_on(&self, tenant: &str, link: &str) -> Result<u64, StoreError> {
        self.read(|db| db.prepare_cached(WAITING_ON)?.query_row(params![tenant, link], |row| row.get(0)))
    }

    fn alike(&self, lane: &LaneId, likeness: &[u8]) -> Result<Vec<StoredOperation>, StoreError> {
        self.read(|db| {
            db.prepare_cached(ALIKE)?
                .query_map(params![lane.place.tenant, lane.link, likeness], operation_of)?
                .collect()
        })
    }

    fn watch_due(&self, now: i64, limit: usize) -> Result<Vec<StoredOperation>, StoreError> {
        self.read(|db| db.prepare_cached(WATCH_DUE)?.query_map(params![now, limit as i64], operation_of)?.collect())
    }

    fn watched(
        &self,
        row: &StoredOperation,
        watched: i64,
        next: Option<i64>,
        copies: Vec<Binding>,
        now: i64,
        record: Record,
    ) -> Reply<()> {
        let (place, operation, before) = (row.place.clone(), row.operation.clone(), row.watched);
        self.write(move |db| {
            let mine = execute(db, SET_WATCH, params![place.tenant, operation, next, watched, before])?;
            if mine == 0 {
                // Another process has looked meanwhile.
                return Ok(());
            }
            for copy in &copies {
                steps::bind(db, &place, &operation, copy, now)?;
            }
            events::record(db, record)
        })
    }

    fn drop_bodies(&self, ended_before: i64) -> Reply<u64> {
        self.write(move |db| Ok(execute(db, DROP_BODIES, params![ended_before])? as u64))
    }

    fn standing(&self, place: &Place) -> Result<Standing, StoreError> {
        self.read(|db| {
            let mut standing = Standing::default();
            let mut statement = db.prepare_cached(STANDING)?;
            let mut rows = statement.query(params![place.tenant, place.connection])?;
            while let Some(row) = rows.next()? {
                let (count, oldest): (u64, i64) = (row.get(1)?, row.get(2)?);
                standing.oldest = Some(standing.oldest.map_or(oldest, |before: i64| before.min(oldest)));
                match word(row, 0, State::of)? {
                    State::Queued => standing.queued = count,
                    State::InDoubt => (standing.in_doubt, standing.blocked) = (count, row.get(3)?),
                    _ => standing.held = count,
                }
            }
            Ok(standing)
        })
    }
}

fn by_key(db: &Connection, place: &Place, key: &[u8]) -> rusqlite::Result<Option<StoredOperation>> {
    let Place { tenant, connection } = place;
    db.prepare_cached(BY_KEY)?.query_row(params![tenant, connection, key], operation_of).optional()
}

fn accept(db: &Connection, mut new: NewOperation) -> Result<Accepted, StoreError> {
    let record = std::mem::take(&mut new.record);
    if let Some(key) = &new.client_key
        && let Some(known) = by_key(db, &new.place, key).map_err(mapped)?
    {
        let of = params![known.place.tenant, known.operation];
        let payload: Vec<u8> =
            db.prepare_cached(PAYLOAD).and_then(|mut get| get.query_row(of, |row| row.get(0))).map_err(mapped)?;
        return if payload == new.payload {
            Ok(Accepted::Known(Box::new(known)))
        } else {
            Err(StoreError::Conflict(Conflict::ClientKey))
        };
    }
    seals::check_key(db, &new.sealed.key)?;
    if let Some(link) = &new.new_link {
        links::insert(db, link)?;
    }
    let NewOperation { place, operation, link, kind, sealed, now, .. } = &new;
    let Place { tenant, connection } = place;
    if *kind == Kind::Status {
        supersede(db, tenant, link, *now)?;
    }
    let row = params![
        tenant,
        operation,
        connection,
        link,
        kind.word(),
        new.client_key,
        new.payload,
        new.likeness,
        sealed.key,
        sealed.token,
        new.visibility.map(visibility_word),
        new.wanted,
        new.base,
        new.not_after,
        now,
    ];
    let seq: i64 =
        db.prepare_cached(INSERT).and_then(|mut insert| insert.query_row(row, |row| row.get(0))).map_err(mapped)?;
    events::record(db, record)?;
    Ok(Accepted::New(Box::new(StoredOperation::accepted(new, seq))))
}

fn supersede(db: &Connection, tenant: &str, link: &str, now: i64) -> Result<(), StoreError> {
    let mut older = db.prepare_cached(OLDER_STATUSES).map_err(mapped)?;
    let older: rusqlite::Result<Vec<String>> =
        older.query_map(params![tenant, link], |row| row.get(0)).map_err(mapped)?.collect();
    for operation in older.map_err(mapped)? {
        execute(db, SUPERSEDE, params![tenant, operation, now])?;
        let body = serde_json::json!({"operation": operation, "link": link, "kind": "status",
            "state": "refused", "reason": "superseded"});
        let event = crate::store::NewEvent { tenant: tenant.to_owned(), kind: "operation.refused", at: now, body };
        events::record(db, Record { entries: Vec::new(), events: vec![event] })?;
    }
    Ok(())
}
