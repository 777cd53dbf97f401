//! Reads for pages.

use super::SqliteStore;
use super::connections::{connection_of, word};
use super::statements::{links_counted, statements};
use crate::store::{
    CallbackState, InboundFacts, Kind, Passed, Place, Shown, State, StoreError, Summary, ValueKind, Which,
};
use rusqlite::{Row, params};

/// A connection's columns and how it stands; each count walks an index of its own, that of links no further than
/// [`LINKS_COUNTED_MAX`](crate::store::LINKS_COUNTED_MAX).
macro_rules! summary {
    ($of:literal) => {
        concat!(
            "SELECT c.tenant, c.connection, c.plugin, c.name, c.settings, c.settings_version, c.credential_version,
                c.account, c.identity, c.state, c.reason, c.detail, c.created, c.changed, c.form_version,
                c.plugin_version,
            (SELECT count(*) FROM (SELECT 1 FROM ticket_links l WHERE l.tenant = c.tenant AND l.connection = c.connection
                AND l.state = 'linked' LIMIT ",
            links_counted!(),
            ")) AS links,
            (SELECT count(*) FROM operations o WHERE o.tenant = c.tenant AND o.connection = c.connection
                AND o.state = 'queued' AND o.state IN ('queued', 'in_doubt', 'held')) AS queued,
            (SELECT count(*) FROM operations o WHERE o.tenant = c.tenant AND o.connection = c.connection
                AND o.state = 'in_doubt' AND o.state IN ('queued', 'in_doubt', 'held')) AS in_doubt,
            (SELECT count(*) FROM operations o WHERE o.tenant = c.tenant AND o.connection = c.connection
                AND o.state = 'held' AND o.state IN ('queued', 'in_doubt', 'held')) AS held,
            (SELECT min(o.accepted) FROM operations o WHERE o.tenant = c.tenant AND o.connection = c.connection
                AND o.state IN ('queued', 'in_doubt', 'held')) AS waiting_since,
            (SELECT count(*) FROM member_mappings m WHERE m.tenant = c.tenant AND m.connection = c.connection
                AND m.state <> 'broken') AS agents_settled,
            (SELECT max(l.seen_at) FROM ticket_links l WHERE l.tenant = c.tenant AND l.connection = c.connection
                AND l.state = 'linked') AS synced,
            u.heard, u.usual, u.missed, u.trouble,
            (SELECT count(*) FROM subscriptions s WHERE s.tenant = c.tenant AND s.connection = c.connection
                AND s.state = 'active') AS active,
            (SELECT count(*) FROM subscriptions s WHERE s.tenant = c.tenant AND s.connection = c.connection
                AND s.state = 'flapping') AS flapping
            FROM connections c LEFT JOIN cursors u ON u.tenant = c.tenant AND u.connection = c.connection
            WHERE c.tenant = ?1 AND ",
            $of
        )
    };
}

statements! {
    NAMED = summary!("(?2 = '' OR instr(lower(c.name), lower(?2)) > 0)
        AND (c.name COLLATE NOCASE, c.connection) > (?3, ?4)
        ORDER BY c.name COLLATE NOCASE, c.connection LIMIT ?5");
    TROUBLED = summary!("c.connection IN (
        SELECT connection FROM connections WHERE tenant = ?1 AND state = 'stopped' AND reason <> 'paused'
            AND reason <> 'disabled'
        UNION SELECT connection FROM operations WHERE tenant = ?1 AND state = 'held'
        UNION SELECT connection FROM cursors WHERE tenant = ?1 AND trouble IS NOT NULL
        UNION SELECT connection FROM cursors WHERE tenant = ?1 AND missed > 0
        UNION SELECT connection FROM subscriptions WHERE tenant = ?1 AND state = 'flapping')
        ORDER BY c.name COLLATE NOCASE, c.connection LIMIT ?2");
    ONE = summary!("c.connection = ?2");
    COUNT_NAMED = "SELECT count(*) FROM connections WHERE tenant = ?1
        AND (?2 = '' OR instr(lower(name), lower(?2)) > 0)";
    COUNT_BY_PLUGIN = "SELECT plugin, count(*) FROM connections WHERE tenant = ?1 GROUP BY plugin";
    COUNT_VALUES = "SELECT count(*) FROM product_values WHERE tenant = ?1 AND kind = ?2";
    PASSED = "SELECT kind, state, (ended - ?3) / ?4, count(*), max(ended) FROM operations
        WHERE tenant = ?1 AND connection = ?2 AND ended >= ?3 GROUP BY 1, 2, 3";
    JUDGED = "SELECT subscription, state, count(*) FROM callbacks
        WHERE tenant = ?1 AND connection = ?2 AND received >= ?3 GROUP BY 1, 2";
    OF_PLUGIN = "SELECT connection, name FROM connections WHERE tenant = ?1 AND plugin = ?2
        ORDER BY name COLLATE NOCASE, connection LIMIT ?3";
    HEARD = "SELECT (received - ?3) / ?4, count(*) FROM callbacks
        WHERE tenant = ?1 AND connection = ?2 AND received >= ?3 AND state = 'verified' GROUP BY 1";
}

impl Shown for SqliteStore {
    fn summaries(&self, tenant: &str, which: Which<'_>, limit: usize) -> Result<Vec<Summary>, StoreError> {
        let limit = limit as i64;
        self.read(|db| match which {
            Which::Named { part, after } => db
                .prepare_cached(NAMED)?
                .query_map(params![tenant, part, after.0, after.1, limit], summary_of)?
                .collect(),
            Which::Troubled => db.prepare_cached(TROUBLED)?.query_map(params![tenant, limit], summary_of)?.collect(),
            Which::One(connection) => {
                db.prepare_cached(ONE)?.query_map(params![tenant, connection], summary_of)?.collect()
            }
        })
    }

    fn count_named(&self, tenant: &str, part: &str) -> Result<u64, StoreError> {
        self.read(|db| db.prepare_cached(COUNT_NAMED)?.query_row(params![tenant, part], |row| row.get(0)))
    }

    fn count_by_plugin(&self, tenant: &str) -> Result<Vec<(String, u64)>, StoreError> {
        self.read(|db| {
            db.prepare_cached(COUNT_BY_PLUGIN)?.query_map([tenant], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    fn count_values(&self, tenant: &str, kind: ValueKind) -> Result<u64, StoreError> {
        self.read(|db| db.prepare_cached(COUNT_VALUES)?.query_row(params![tenant, kind.word()], |row| row.get(0)))
    }

    fn passed(&self, place: &Place, since: i64, bucket_ms: i64) -> Result<Vec<Passed>, StoreError> {
        let of = |row: &Row<'_>| {
            Ok(Passed {
                kind: word(row, 0, Kind::of)?,
                state: word(row, 1, State::of)?,
                bucket: row.get(2)?,
                count: row.get(3)?,
                last: row.get(4)?,
            })
        };
        self.read(|db| {
            let asked = params![place.tenant, place.connection, since, bucket_ms];
            db.prepare_cached(PASSED)?.query_map(asked, of)?.collect()
        })
    }

    fn judged_since(&self, place: &Place, since: i64) -> Result<Vec<(String, CallbackState, u64)>, StoreError> {
        let of = |row: &Row<'_>| Ok((row.get(0)?, word(row, 1, CallbackState::of)?, row.get(2)?));
        self.read(|db| {
            db.prepare_cached(JUDGED)?.query_map(params![place.tenant, place.connection, since], of)?.collect()
        })
    }

    fn of_plugin(&self, tenant: &str, plugin: &str, limit: usize) -> Result<Vec<(String, String)>, StoreError> {
        let of = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        self.read(|db| db.prepare_cached(OF_PLUGIN)?.query_map(params![tenant, plugin, limit as i64], of)?.collect())
    }

    fn heard(&self, place: &Place, since: i64, bucket_ms: i64) -> Result<Vec<(i64, u64)>, StoreError> {
        self.read(|db| {
            let asked = params![place.tenant, place.connection, since, bucket_ms];
            db.prepare_cached(HEARD)?.query_map(asked, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }
}

fn summary_of(row: &Row<'_>) -> rusqlite::Result<Summary> {
    Ok(Summary {
        connection: connection_of(row)?,
        links: row.get("links")?,
        queued: row.get("queued")?,
        in_doubt: row.get("in_doubt")?,
        held: row.get("held")?,
        waiting_since: row.get("waiting_since")?,
        agents_settled: row.get("agents_settled")?,
        // A link that was never read has none.
        synced: row.get::<_, Option<i64>>("synced")?.filter(|at| *at > 0),
        inbound: InboundFacts {
            heard: row.get("heard")?,
            usual: row.get("usual")?,
            missed: row.get::<_, Option<i64>>("missed")?.unwrap_or(0),
            trouble: row.get("trouble")?,
            active: row.get("active")?,
            flapping: row.get("flapping")?,
        },
    })
}
