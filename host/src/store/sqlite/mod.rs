//! The store on SQLite: all SQL there is.
//!
//! Holds: [`SqliteStore`], opening, and the readers; each subject's statements in the file of its subject.
//! Promises: WAL with full durability; writes through one thread, reads beside it; a file that this library does not
//! understand, or that lies where locks do not work, is refused and left as it is.
//! Leaves to others: what rows mean (the rooms), sealing (`vault`).

mod activity;
mod callbacks;
mod connections;
mod cursors;
mod dirty;
mod events;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod fork;
mod inbound;
mod links;
mod maintenance;
mod mappings;
mod meta;
mod migrate;
mod operation_row;
mod operations;
mod plugin;
mod remap;
mod seals;
mod shown;
mod statements;
mod steps;
mod subscriptions;
mod tenant;
mod traced;
mod views;
mod work;
mod writer;

#[cfg(test)]
mod tests;

use super::{Conflict, Reply, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use writer::Writer;

/// What this library writes; a database can ask for more.
const WRITER: i64 = 1;
/// Earlier ones can damage a WAL that several processes share. Source: the release notes of SQLite 3.51.3.
const SQLITE_MIN: i32 = 3_051_003;
/// How long a lock of another process is waited for.
const BUSY: Duration = Duration::from_secs(20);
/// Connections for reading that are kept.
const READERS_KEPT: usize = 8;
/// Statements that each connection keeps prepared.
const STATEMENTS_KEPT: usize = 128;

/// The engine.
pub(crate) struct SqliteStore {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    /// Always the same one: it counts what others have written since it looked last.
    watcher: Mutex<Connection>,
}

impl SqliteStore {
    /// Opens or makes the database `store.db` in a folder, and migrates it.
    pub(crate) fn open(folder: &Path) -> Result<SqliteStore, StoreError> {
        if rusqlite::version_number() < SQLITE_MIN {
            return Err(StoreError::Other(format!("SQLite {} is too old", rusqlite::version())));
        }
        #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
        fork::prepare()?;
        refuse_network(folder)?;
        let path = folder.join("store.db");
        let mut connection = connect(&path)?;
        migrate::run(&mut connection, folder)?;
        let watcher = Mutex::new(connect(&path)?);
        Ok(SqliteStore { path, writer: Writer::start(connection)?, readers: Mutex::default(), watcher })
    }

    /// Hands a unit of work to the writer.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<T> {
        self.writer.submit(work)
    }

    fn watcher<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        work(&self.watcher.lock().unwrap_or_else(PoisonError::into_inner)).map_err(mapped)
    }

    /// Reads, on this thread, what is committed.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => {
                let connection = connect(&self.path)?;
                connection.pragma_update(None, "query_only", true).map_err(mapped)?;
                connection
            }
        };
        let result = work(&connection).map_err(mapped);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_KEPT {
            readers.push(connection);
        }
        result
    }
}

/// Statements that were begun in this process, for the test that counts those of a page.
#[cfg(test)]
pub(crate) static STATEMENTS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

#[cfg(test)]
fn counted(mut connection: Connection) -> Connection {
    use rusqlite::trace::TraceEventCodes;
    let count = |_: rusqlite::trace::TraceEvent<'_>| {
        STATEMENTS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    };
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(count)).expect("it can be counted");
    connection
}

#[cfg(not(test))]
fn counted(connection: Connection) -> Connection {
    connection
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags).map_err(mapped)?;
    connection.busy_timeout(BUSY).map_err(mapped)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Plans hang on the statement alone. Without this most statements are planned anew whenever their values change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(mapped)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(mapped)?;
    if mode != "wal" {
        return Err(StoreError::Other(format!("its journal stays in mode {mode}; WAL is needed")));
    }
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; \
             PRAGMA secure_delete = ON;",
        )
        .map_err(mapped)?;
    Ok(counted(connection))
}

/// Locks of network file systems are not to be trusted. Source: SQLite's documentation of WAL.
fn refuse_network(folder: &Path) -> Result<(), StoreError> {
    const NETWORK: [(i64, &str); 6] = [
        (0x6969, "nfs"),
        (0x517b, "smb"),
        (0xff53_4d42, "cifs"),
        (0xfe53_4d42, "smb2"),
        (0x7363_7565, "afs"),
        (0x0102_1997, "9p"),
    ];
    let Ok(facts) = rustix::fs::statfs(folder) else { return Ok(()) };
    #[allow(clippy::unnecessary_cast, reason = "its type differs between platforms")]
    let kind = facts.f_type as i64;
    match NETWORK.iter().find(|(number, _)| *number == kind) {
        Some((_, name)) => Err(StoreError::Network((*name).to_owned())),
        None => Ok(()),
    }
}

/// An engine's error in our words.
fn mapped(error: rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, message) = &error else {
        return match error {
            rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::FromSqlConversionFailure(..) => {
                StoreError::Damaged("a row is not what it should be".to_owned())
            }
            other => StoreError::Other(other.to_string()),
        };
    };
    let text = message.clone().unwrap_or_else(|| failure.to_string());
    match failure.code {
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => StoreError::ReadOnly(text),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged(text),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy(text),
        ErrorCode::ConstraintViolation => conflict(&text),
        _ => StoreError::Other(text),
    }
}

/// Which rule of the schema was in the way.
fn conflict(text: &str) -> StoreError {
    let conflict = if text.contains("connections_account") || text.contains("connections.account") {
        Conflict::SameAccount
    } else if text.contains("ticket_links.") {
        Conflict::SameLink
    } else if text.contains("operations.client_key") {
        Conflict::ClientKey
    } else if text.contains("notes.remote") {
        Conflict::RemoteTaken
    } else if text.contains("FOREIGN KEY") {
        Conflict::ConnectionGone
    } else {
        return StoreError::Other(text.to_owned());
    };
    StoreError::Conflict(conflict)
}
