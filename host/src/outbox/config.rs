//! The times the outbox lives by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How operations are delivered. All times in milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OutboxConfig {
    /// Q: how long after we stopped waiting a request may still be applied, or an applied one may be missing in lists.
    /// More than `start_limit_ms` and `egress.timeout_ms` together.
    pub quiet_ms: u64,
    /// No attempt begins to leave later than this after it was recorded.
    pub start_limit_ms: u64,
    /// How old an operation may become before it is held.
    pub max_age_ms: u64,
    /// How long a doubt may block its lane, beyond Q.
    pub doubt_ms: u64,
    /// When a second copy is looked for after something was sent twice.
    pub watch_ms: Vec<u64>,
    /// How long bodies are kept after the end.
    pub body_ms: u64,
    /// The first wait after a failure of the connection; it doubles.
    pub backoff_ms: u64,
    /// The longest of these waits.
    pub backoff_max_ms: u64,
    /// How often is looked for what other processes have accepted.
    pub poll_ms: u64,
    /// How long a process that seems alive may hold an operation beyond the time its attempt can take.
    pub lease_ms: u64,
    /// Writes of one connection that may be under way at once.
    pub in_flight: usize,
    /// Events that are kept for consumers that do not fetch them.
    pub events_kept: u64,
    /// False: this process accepts operations and leaves their delivery to others.
    pub deliver: bool,
}

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Default for OutboxConfig {
    fn default() -> OutboxConfig {
        OutboxConfig {
            quiet_ms: 2 * MINUTE,
            start_limit_ms: 10 * SECOND,
            max_age_ms: 7 * DAY,
            doubt_ms: 30 * MINUTE,
            watch_ms: vec![2 * MINUTE, HOUR, DAY],
            body_ms: 7 * DAY,
            backoff_ms: SECOND,
            backoff_max_ms: 5 * MINUTE,
            poll_ms: 500,
            lease_ms: MINUTE,
            in_flight: 8,
            events_kept: 100_000,
            deliver: true,
        }
    }
}
