//! What the host has read at the PSA, and what of it was needed.
//!
//! Promises: a reading of a ticket is needed if the ticket has changed, or has a new note, since the reading before; whether
//! it told something is another matter, because a person may have changed something back in between.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the host has read.
#[derive(Debug, Clone, Default)]
pub(super) struct Reads {
    /// By endpoint.
    pub(super) by_endpoint: BTreeMap<String, u64>,
    /// Readings of tickets that had changed.
    pub(super) needed: u64,
    /// Tickets that have changed since they were read.
    changed: BTreeSet<u64>,
}

impl Reads {
    /// These tickets change now.
    pub(super) fn change(&mut self, tickets: impl IntoIterator<Item = u64>) {
        self.changed.extend(tickets);
    }

    /// What the PSA was asked since the last change.
    pub(super) fn take(&mut self, log: &[Value]) {
        for entry in log.iter().filter(|entry| entry["method"] == "GET") {
            let endpoint = entry["endpoint"].as_str().unwrap_or("?");
            *self.by_endpoint.entry(endpoint.to_owned()).or_default() += 1;
            if endpoint == "get_ticket" {
                let id = entry["path"].as_str().and_then(|path| path.rsplit('/').next()?.parse().ok());
                self.needed += u64::from(id.is_some_and(|id| self.changed.remove(&id)));
            }
        }
    }
}
