//! The care of the database itself.

use super::connections::execute;
use super::statements::statements;
use super::{SqliteStore, connect, mapped, meta, seals, tenant};
use crate::store::{Place, Record, Reply, Sealed, SealedRow, StoreError, Upkeep};
use rusqlite::{OptionalExtension as _, backup, params};
use std::io::ErrorKind;
use std::path::Path;

statements! {
    STALE = "SELECT id, tenant, connection, kind, entity FROM stale WHERE id > ?1 ORDER BY id";
    ADD_STALE = "INSERT INTO stale (tenant, connection, kind, entity) VALUES (?1, ?2, ?3, ?4)";
    TRIM_STALE = "DELETE FROM stale WHERE id <= (SELECT seq FROM sqlite_sequence WHERE name = 'stale') - 1000";
    REVIVE = "UPDATE connections SET state = CASE WHEN account IS NULL THEN 'setup' ELSE 'active' END, reason = NULL,
        detail = NULL WHERE reason IN ('plugin_missing', 'plugin_stalled')
        AND plugin IN (SELECT value FROM json_each(?1))";
    SHRINK = "PRAGMA wal_checkpoint(TRUNCATE)";
    CHECK = "PRAGMA integrity_check(20)";
    CHECK_KEYS = "PRAGMA foreign_key_check";
    MISCOUNTED = "SELECT connection, links, operations, links_there, operations_there FROM (
            SELECT c.connection, c.links, c.operations,
                (SELECT count(*) FROM ticket_links l
                    WHERE l.tenant = c.tenant AND l.connection = c.connection) AS links_there,
                (SELECT count(*) FROM operations o
                    WHERE o.tenant = c.tenant AND o.connection = c.connection) AS operations_there
            FROM connections c)
        WHERE links <> links_there OR operations <> operations_there LIMIT 20";
    RECOUNT = "UPDATE connections SET (links, operations) = (there.links, there.operations) FROM (
            SELECT c.tenant, c.connection,
                (SELECT count(*) FROM ticket_links l
                    WHERE l.tenant = c.tenant AND l.connection = c.connection) AS links,
                (SELECT count(*) FROM operations o
                    WHERE o.tenant = c.tenant AND o.connection = c.connection) AS operations
            FROM connections c) AS there
        WHERE there.tenant = connections.tenant AND there.connection = connections.connection
            AND (there.links <> connections.links OR there.operations <> connections.operations)";
}

/// How often a locked database is tried.
const BACKUP_TRIES: u32 = 200;

impl SqliteStore {
    /// What is damaged, in SQLite's words.
    pub(crate) fn damage(&self) -> Result<Vec<String>, StoreError> {
        self.read(damage)
    }
}

fn damage(db: &rusqlite::Connection) -> rusqlite::Result<Vec<String>> {
    let mut found: Vec<String> =
        db.prepare(CHECK)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    found.retain(|line| line != "ok");
    Ok(found)
}

impl Upkeep for SqliteStore {
    fn meta(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.read(|db| db.prepare_cached(meta::GET)?.query_row(params![name], |row| row.get(0)).optional())
    }

    fn set_meta(&self, name: &str, value: &str) -> Reply<()> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.write(move |db| execute(db, meta::SET, params![name, value]).map(drop))
    }

    fn found_meta(&self, name: &str, value: &str) -> Reply<String> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.write(move |db| {
            execute(db, meta::ADD, params![name, value])?;
            db.prepare_cached(meta::GET)
                .and_then(|mut get| get.query_row(params![name], |row| row.get(0)))
                .map_err(mapped)
        })
    }

    fn sealed_otherwise(&self, key: &str, limit: usize) -> Result<Vec<SealedRow>, StoreError> {
        self.read(|db| seals::sealed_otherwise(db, key, limit))
    }

    fn key_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.read(seals::key_counts)
    }

    fn key_counts_now(&self) -> Reply<Vec<(String, u64)>> {
        self.write(|db| seals::key_counts(db).map_err(mapped))
    }

    fn shrink(&self) -> Result<(), StoreError> {
        // A writer in between leaves it to the next time.
        connect(&self.path)?.query_row(SHRINK, [], |_| Ok(())).map_err(mapped)
    }

    fn reseal(&self, rows: Vec<(SealedRow, Sealed)>) -> Reply<u64> {
        self.write(move |db| seals::reseal(db, &rows))
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let unusable = |error: std::io::Error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
            ErrorKind::AlreadyExists
            | ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::ReadOnlyFilesystem => StoreError::BackupTarget(format!("{}: {error}", to.display())),
            _ => StoreError::Other(format!("{}: {error}", to.display())),
        };
        // Made here, so that nothing that is there is overwritten.
        let made = {
            use std::os::unix::fs::OpenOptionsExt as _;
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)
        };
        drop(made.map_err(unusable)?);
        let copied = (|| {
            let from = connect(&self.path)?;
            let mut target = rusqlite::Connection::open(to).map_err(mapped)?;
            let backup = backup::Backup::new(&from, &mut target).map_err(mapped)?;
            // In one step: between two, every write of somebody else would make it begin again. Writers are not held up.
            let mut left = BACKUP_TRIES;
            while backup.step(-1).map_err(mapped)? != backup::StepResult::Done {
                left -= 1;
                if left == 0 {
                    return Err(StoreError::Busy("it stays locked; try again later".to_owned()));
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            drop(backup);
            // Whole in one file.
            target.pragma_update(None, "journal_mode", "DELETE").map_err(mapped)
        })();
        if copied.is_err() {
            let _ = std::fs::remove_file(to);
        }
        copied
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        self.read(|db| {
            let mut found = damage(db)?;
            // What is damaged cannot be looked into further: the error would hide what was found.
            if !found.is_empty() {
                return Ok(found);
            }
            let keys: Vec<String> = db
                .prepare(CHECK_KEYS)?
                .query_map([], |row| Ok(format!("a row of {} points nowhere", row.get::<_, String>(0)?)))?
                .collect::<rusqlite::Result<_>>()?;
            found.extend(keys);
            found.extend(miscounted(db)?);
            Ok(found)
        })
    }

    fn recount(&self) -> Reply<u64> {
        self.write(|db| Ok(execute(db, RECOUNT, [])? as u64))
    }

    fn data_version(&self) -> Result<i64, StoreError> {
        self.watcher(|db| db.prepare_cached(meta::DATA_VERSION)?.query_row([], |row| row.get(0)))
    }

    fn stale_since(&self, after: i64) -> Result<Vec<(i64, Place, String, String)>, StoreError> {
        self.read(|db| {
            db.prepare_cached(STALE)?
                .query_map(params![after], |row| {
                    let place = Place { tenant: row.get(1)?, connection: row.get(2)? };
                    Ok((row.get(0)?, place, row.get(3)?, row.get(4)?))
                })?
                .collect()
        })
    }

    fn make_stale(&self, place: &Place, kind: &str, entity: &str) -> Reply<()> {
        let (place, kind, entity) = (place.clone(), kind.to_owned(), entity.to_owned());
        self.write(move |db| {
            execute(db, ADD_STALE, params![place.tenant, place.connection, kind, entity])?;
            execute(db, TRIM_STALE, []).map(drop)
        })
    }

    fn revive(&self, plugins: &[String]) -> Reply<u64> {
        let plugins = serde_json::json!(plugins).to_string();
        self.write(move |db| Ok(execute(db, REVIVE, params![plugins])? as u64))
    }

    fn trouble(&self) -> Option<StoreError> {
        self.writer.trouble()
    }

    fn export(&self, tenant: &str) -> Result<Vec<(String, serde_json::Value)>, StoreError> {
        self.read(|db| tenant::export(db, tenant))
    }

    fn erase(&self, tenant: &str, record: Record) -> Reply<u64> {
        let tenant = tenant.to_owned();
        self.write(move |db| tenant::erase(db, &tenant, record))
    }

    fn close(&self) {
        self.writer.close();
    }
}

/// Connections whose triggers have not counted what there is. This engine's own columns: nobody else knows of them.
fn miscounted(db: &rusqlite::Connection) -> rusqlite::Result<Vec<String>> {
    let differs =
        |what: &str, counted: i64, there: i64| (counted != there).then(|| format!("{counted} {what}, not {there}"));
    db.prepare(MISCOUNTED)?
        .query_map([], |row| {
            let (links, operations) = (row.get("links")?, row.get("operations")?);
            let links = differs("ticket links", links, row.get("links_there")?);
            let operations = differs("operations", operations, row.get("operations_there")?);
            let counted: Vec<String> = links.into_iter().chain(operations).collect();
            let connection: String = row.get("connection")?;
            let counted = counted.join(", and ");
            Ok(format!(
                "connection {connection} is said to have {counted}: nothing of it is lost, but connections.delete and the page \
                 tell wrongly what goes with it. psa doctor --recount counts it anew. Has another program written into the \
                 database?"
            ))
        })?
        .collect()
}
