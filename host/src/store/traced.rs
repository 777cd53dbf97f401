//! What pages show of ticket links, their operations and the activity.
//!
//! Holds: the trait [`Traced`] and its rows.
//! Promises: each of these is a fixed number of statements, however many rows there are; a list is read a page at a time,
//! behind the place of its last row.
//! Leaves to others: what it means, and how it is said (`web`).

use super::{Place, Read, StoredAttempt, StoredEntry, StoredLink, StoredOperation, Transition};

/// Which links are wanted, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed<'a> {
    /// All of them, the newest first.
    All,
    /// Those that have something to send, the longest waiting first.
    Waiting,
    /// Those that have something in doubt, the longest waiting first.
    Doubt,
    /// Those that need a person or a mapping, the longest waiting first.
    Held,
    /// Those with something that was refused since then, milliseconds since 1970, the latest first.
    Refused(i64),
    /// Those that tie no tickets any more, or never did, the newest first.
    Apart,
    /// Those whose ticket of the PSA is not there any more, the latest first.
    Gone,
    /// Those with a ticket whose id begins like this, the product's or the PSA's. At most one page.
    Found(&'a str),
    /// One.
    One(&'a str),
}

/// Where a row stands in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// A time, in milliseconds since 1970.
    pub(crate) at: i64,
    /// What tells those of the same time apart.
    pub(crate) id: String,
}

/// A link, what was seen of its ticket, and the operation that says how it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LinkRow {
    pub(crate) link: StoredLink,
    /// JSON of what the PSA's ticket showed last.
    pub(crate) seen: Option<String>,
    /// When that was; 0: never.
    pub(crate) seen_at: i64,
    pub(crate) gone_at: Option<i64>,
    /// Another link ties the product's ticket now.
    pub(crate) followed: bool,
    /// What is held, else in doubt, else queued, else the last one.
    pub(crate) operation: Option<StoredOperation>,
    pub(crate) position: Position,
}

/// How many links there are of each kind; all of them are counted up to [`LINKS_COUNTED_MAX`](super::LINKS_COUNTED_MAX).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LinkCounts {
    pub(crate) all: u64,
    pub(crate) waiting: u64,
    pub(crate) doubt: u64,
    pub(crate) held: u64,
    pub(crate) refused: u64,
    pub(crate) apart: u64,
    pub(crate) gone: u64,
    /// Held operations of which nothing can be in the PSA, and that wait for nothing that comes by itself.
    pub(crate) retryable: u64,
}

/// A part of the activity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Leaf {
    /// The newest first.
    pub(crate) entries: Vec<StoredEntry>,
    /// There may be more before this one.
    pub(crate) next: Option<i64>,
}

/// How much of the activity is read at once.
pub(crate) struct LeafAsk<'a> {
    /// Before this entry.
    pub(crate) before: i64,
    /// Entries, at most.
    pub(crate) limit: usize,
    /// Entries that are looked at for them, at most.
    pub(crate) scan: usize,
    /// Which ones.
    pub(crate) wanted: &'a (dyn Fn(&StoredEntry) -> bool + Sync),
}

/// Reads for the pages of tickets, operations and the activity.
pub(crate) trait Traced: Send + Sync {
    /// Links of a connection behind a position, at most `limit`.
    fn list_rows(&self, place: &Place, which: Listed<'_>, after: Option<&Position>, limit: usize)
    -> Read<Vec<LinkRow>>;
    /// How many there are. `since`: what counts as refused lately.
    fn count_rows(&self, place: &Place, since: i64) -> Read<LinkCounts>;
    /// Those held operations that can be tried again without any of them being there twice, the oldest first.
    fn retryable(&self, place: &Place, limit: usize) -> Read<Vec<String>>;
    /// Operations of a link before `before`, the newest first.
    fn operations_of(&self, tenant: &str, link: &str, before: i64, limit: usize) -> Read<Vec<StoredOperation>>;
    /// The recorded changes of operations, each with its operation, in order.
    fn transitions_of(&self, tenant: &str, operations: &[String]) -> Read<Vec<(String, Transition)>>;
    /// The attempts of operations, each with its operation, in order.
    fn attempts_of(&self, tenant: &str, operations: &[String]) -> Read<Vec<(String, StoredAttempt)>>;
    /// Entries of a connection, the newest first.
    fn leaf(&self, place: &Place, ask: &LeafAsk<'_>) -> Read<Leaf>;
    /// The one of a number.
    fn entry(&self, place: &Place, seq: i64) -> Read<Option<StoredEntry>>;
}
