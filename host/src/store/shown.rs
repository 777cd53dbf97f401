//! What pages show of many rows at once.
//!
//! Holds: the trait [`Shown`] and its rows.
//! Promises: each of these is a fixed number of statements, however many rows there are; a list is read a page at a time.
//! Leaves to others: what it means, and how it is said (`web`).

use super::{Place, Read, State, StoredConnection};
use crate::store::{CallbackState, Kind};

/// Links are counted so far and no further, so that no page takes longer with more of them: one more means "more than these".
pub(crate) const LINKS_COUNTED_MAX: u64 = 10_000;

/// A connection and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summary {
    pub(crate) connection: StoredConnection,
    /// Linked tickets, counted up to [`LINKS_COUNTED_MAX`].
    pub(crate) links: u64,
    pub(crate) queued: u64,
    pub(crate) in_doubt: u64,
    pub(crate) held: u64,
    /// When the oldest operation that has not ended was accepted, milliseconds since 1970.
    pub(crate) waiting_since: Option<i64>,
    /// Agents that a member stands for, or on purpose nobody.
    pub(crate) agents_settled: u64,
    /// When a linked ticket was read last, milliseconds since 1970.
    pub(crate) synced: Option<i64>,
    pub(crate) inbound: InboundFacts,
}

/// What comes in for a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct InboundFacts {
    /// The last verified callback, milliseconds since 1970.
    pub(crate) heard: Option<i64>,
    /// The usual time between two, in milliseconds.
    pub(crate) usual: Option<i64>,
    /// Changes since then that only reading has found.
    pub(crate) missed: i64,
    /// JSON: what is wrong, by what it is about.
    pub(crate) trouble: Option<String>,
    /// Subscriptions at work, and those that the PSA disables again and again.
    pub(crate) active: u64,
    pub(crate) flapping: u64,
}

/// Which connections are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    /// Those whose name has these characters, in the order of their names, behind a name and id.
    Named { part: &'a str, after: (&'a str, &'a str) },
    /// Those that may need a person.
    Troubled,
    /// One.
    One(&'a str),
}

/// What has happened lately, by hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) kind: Kind,
    pub(crate) state: State,
    /// Counted from the beginning of the time that was asked for.
    pub(crate) bucket: i64,
    pub(crate) count: u64,
    /// The last of them, milliseconds since 1970.
    pub(crate) last: i64,
}

/// Reads for pages.
pub(crate) trait Shown: Send + Sync {
    /// Connections and how they stand, at most `limit`.
    fn summaries(&self, tenant: &str, which: Which<'_>, limit: usize) -> Read<Vec<Summary>>;
    /// How many connections have these characters in their name.
    fn count_named(&self, tenant: &str, part: &str) -> Read<u64>;
    /// How many connections there are of each plugin.
    fn count_by_plugin(&self, tenant: &str) -> Read<Vec<(String, u64)>>;
    /// How many values of the product there are of a kind.
    fn count_values(&self, tenant: &str, kind: super::ValueKind) -> Read<u64>;
    /// Operations that have ended since `since`, in buckets of so many milliseconds.
    fn passed(&self, place: &Place, since: i64, bucket_ms: i64) -> Read<Vec<Passed>>;
    /// Callbacks since `since`, by subscription and what was found of them.
    fn judged_since(&self, place: &Place, since: i64) -> Read<Vec<(String, CallbackState, u64)>>;
    /// Connections of a plugin, by name: id and name, at most `limit`.
    fn of_plugin(&self, tenant: &str, plugin: &str, limit: usize) -> Read<Vec<(String, String)>>;
    /// Verified callbacks since `since`, in buckets of so many milliseconds.
    fn heard(&self, place: &Place, since: i64, bucket_ms: i64) -> Read<Vec<(i64, u64)>>;
}
