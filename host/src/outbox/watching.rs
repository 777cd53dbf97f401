//! How long this process has watched nothing happen.
//!
//! Promises: only boottime that this process has seen go by counts, and only for the life of the row it has seen: another
//! attempt, or a look by another process, begins a time of its own.

use crate::store::StoredOperation;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is watched, by operation.
#[derive(Debug, Default)]
pub(super) struct Watching(Mutex<HashMap<String, Seen>>);

/// A row as this process has left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    life: Life,
    since_boot_ms: u64,
}

/// Which life of a row: attempts, doubts, recorded quiet time.
pub(super) type Life = (i64, i64, i64);

impl Watching {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From `boot` on this process watches a row that is like this.
    pub(super) fn begin(&self, operation: &str, life: Life, boot: u64) {
        self.lock().insert(operation.to_owned(), Seen { life, since_boot_ms: boot });
    }

    /// The quiet time of an operation at `boot`: what is recorded, and what was watched since.
    pub(super) fn quiet(&self, row: &StoredOperation, boot: u64) -> u64 {
        let life = (row.attempts, row.doubts, row.quiet);
        let seen = self.lock().get(&row.operation).copied().filter(|seen| seen.life == life);
        let recorded = u64::try_from(row.quiet).unwrap_or(0);
        recorded + seen.map_or(0, |seen| boot.saturating_sub(seen.since_boot_ms))
    }

    pub(super) fn forget(&self, operation: &str) {
        self.lock().remove(operation);
    }

    /// Forgets what was begun before `boot`.
    pub(super) fn forget_older(&self, boot: u64) {
        self.lock().retain(|_, seen| seen.since_boot_ms >= boot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Kind, NewOperation, Place, Record, Sealed};

    fn row(attempts: i64, doubts: i64, quiet: i64) -> StoredOperation {
        let new = NewOperation {
            place: Place { tenant: "t".into(), connection: "c".into() },
            operation: "o".into(),
            link: "l".into(),
            new_link: None,
            kind: Kind::Note,
            client_key: None,
            payload: Vec::new(),
            likeness: None,
            sealed: Sealed { key: String::new(), token: String::new() },
            visibility: None,
            wanted: None,
            base: None,
            not_after: 0,
            now: 0,
            record: Record::default(),
        };
        StoredOperation { attempts, doubts, quiet, ..StoredOperation::accepted(new, 1) }
    }

    #[test]
    fn only_what_was_watched_of_this_life_counts() {
        let watching = Watching::default();
        assert_eq!(watching.quiet(&row(1, 1, 500), 10_000), 500, "nobody has watched");
        watching.begin("o", (1, 1, 500), 1_000);
        assert_eq!(watching.quiet(&row(1, 1, 500), 10_000), 9_500);
        // It was sent again by another process, or looked at by one.
        assert_eq!(watching.quiet(&row(2, 2, 0), 10_000), 0);
        assert_eq!(watching.quiet(&row(1, 1, 800), 10_000), 800);
        watching.forget_older(1_001);
        assert_eq!(watching.quiet(&row(1, 1, 500), 10_000), 500);
    }
}
