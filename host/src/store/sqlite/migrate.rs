//! The six migrations.
//!
//! Promises: they run in one transaction under a lock of ours, so that processes which open at once do not meet, and one
//! that dies leaves the database as it was; a newer database is refused unharmed.

use super::mapped;
use crate::fork::Locked;
use crate::store::StoreError;
use rusqlite::{Connection, OptionalExtension as _};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

mod embedded {
    refinery::embed_migrations!("../migrations");
}

pub(super) fn run(connection: &mut Connection, folder: &Path) -> Result<(), StoreError> {
    let path = folder.join("store.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| StoreError::ReadOnly(format!("{}: {error}", path.display())))?;
    let _lock = Locked::take(file).map_err(|error| StoreError::Busy(format!("{}: {error}", path.display())))?;
    let runner = embedded::migrations::runner().set_grouped(true).set_abort_divergent(true).set_abort_missing(true);
    if runner.get_migrations().len() < applied(connection)? {
        return Err(StoreError::Newer);
    }
    // It takes what it finds in its own table on trust.
    let outcome = catch_unwind(AssertUnwindSafe(|| runner.run(connection)));
    let Ok(outcome) = outcome else {
        return Err(StoreError::Damaged("its record of migrations is not readable".to_owned()));
    };
    outcome.map(drop).map_err(|error| {
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<rusqlite::Error>());
        match cause {
            Some(rusqlite::Error::SqliteFailure(failure, message)) => {
                mapped(rusqlite::Error::SqliteFailure(*failure, message.clone()))
            }
            _ => StoreError::Damaged(format!("its migrations are not ours: {error}")),
        }
    })
}

/// How many have been applied.
fn applied(connection: &Connection) -> Result<usize, StoreError> {
    let there: Option<i64> = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'refinery_schema_history'", [], |row| row.get(0))
        .optional()
        .map_err(mapped)?;
    if there.is_none() {
        return Ok(0);
    }
    let count: i64 =
        connection.query_row("SELECT count(*) FROM refinery_schema_history", [], |row| row.get(0)).map_err(mapped)?;
    Ok(usize::try_from(count).unwrap_or(0))
}
