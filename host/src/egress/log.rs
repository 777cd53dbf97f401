//! The last requests, for people who look for a fault.
//!
//! Holds: [`LogEntry`], the bounded list, and the record of a request under way.
//! Promises: no header, no body, no value of a query; a request that was given up is listed too.
//! Leaves to others: showing it.

use super::answer::Answer;
use super::failure::Failure;
use super::request::Kind;
use super::{Inner, Prepared};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Older entries make room.
const ENTRIES_MAX: usize = 500;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// When it began, milliseconds since 1970.
    pub at_unix_ms: i64,
    /// "GET".
    pub method: String,
    /// Host and port.
    pub host: String,
    /// The path; of its query only the names.
    pub path: String,
    /// What was answered.
    pub status: Option<u16>,
    /// The reason of the failure, or `dropped`.
    pub failure: Option<&'static str>,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What it was.
    pub kind: Kind,
    /// The caller's.
    pub trace_id: Option<String>,
}

#[derive(Default)]
pub(super) struct RequestLog {
    entries: Mutex<VecDeque<LogEntry>>,
}

impl RequestLog {
    fn add(&self, entry: LogEntry) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == ENTRIES_MAX {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(super) fn entries(&self) -> Vec<LogEntry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// A request under way; its entry is written when it lands or is dropped.
pub(super) struct Flight {
    inner: Arc<Inner>,
    started: u64,
    entry: LogEntry,
}

impl Flight {
    pub(super) fn new(prepared: &Prepared) -> Flight {
        let Prepared { inner, plan, .. } = prepared;
        let mut path = plan.url.path().to_owned();
        for (position, (name, _)) in plan.url.query_pairs().enumerate() {
            path.push(if position == 0 { '?' } else { '&' });
            path.push_str(&name);
        }
        let entry = LogEntry {
            at_unix_ms: inner.clock.now_unix_ms(),
            method: plan.method.to_string(),
            host: plan.origin(),
            path,
            status: None,
            failure: Some("dropped"),
            ms: 0,
            kind: plan.kind,
            trace_id: plan.trace_id.clone(),
        };
        Flight { inner: inner.clone(), started: inner.clock.boot_ms(), entry }
    }

    pub(super) fn landed(&mut self, outcome: &Result<Answer, Failure>) {
        match outcome {
            Ok(answer) => (self.entry.status, self.entry.failure) = (Some(answer.status), None),
            Err(failure) => self.entry.failure = Some(failure.reason),
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.entry.ms = self.inner.clock.boot_ms().saturating_sub(self.started);
        self.inner.log.add(self.entry.clone());
    }
}
