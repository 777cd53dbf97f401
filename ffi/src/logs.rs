//! Log lines that wait to be fetched, for products that cannot be called from threads of ours.
//!
//! Promises: the newest lines are there, how many older ones were dropped is said, and nobody who logs waits.

use crate::backlog::Backlog;
use crate::guard::{answer, clear, guarded, may_block, opened};
use crate::types::{psa_host, psa_reply};
use host::LogHook;
use psa_host_api::abi::*;
use psa_host_api::{Code, Error};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many lines wait at most.
const LINES_MAX: usize = 1024;

/// The lines.
#[derive(Default)]
pub(crate) struct Logs {
    lines: Backlog<Line>,
    /// How many went because nobody fetched them.
    dropped: AtomicU64,
}

#[derive(Serialize)]
struct Line {
    level: u32,
    target: String,
    text: String,
}

/// What is handed over at once.
#[derive(Serialize)]
struct Batch {
    lines: VecDeque<Line>,
    dropped: u64,
}

impl Logs {
    pub(crate) fn new() -> Arc<Logs> {
        Arc::default()
    }

    /// What the host logs through.
    pub(crate) fn hook(self: &Arc<Logs>) -> LogHook {
        let logs = self.clone();
        Arc::new(move |level, target, text| {
            let line = Line { level, target: target.to_owned(), text: text.to_owned() };
            logs.lines.add(|lines| {
                if lines.len() == LINES_MAX {
                    lines.pop_front();
                    logs.dropped.fetch_add(1, Ordering::Relaxed);
                }
                lines.push_back(line);
            });
        })
    }

    /// Everything that waits, as JSON.
    fn next(&self, timeout: Duration) -> Result<String, Error> {
        let mut state = self.lines.wait(timeout, "nothing was logged in time")?;
        let lines = std::mem::take(&mut state.items);
        let batch = Batch { lines, dropped: self.dropped.swap(0, Ordering::Relaxed) };
        drop(state);
        serde_json::to_string(&batch).map_err(|error| Error::internal(error.to_string()))
    }

    /// Wakes all who wait, for good, and lets them leave.
    pub(crate) fn close(&self) {
        self.lines.close();
    }
}

/// Waits for log lines that no hook takes, at most timeout_ms, and hands over all there are, the oldest first:
/// {"lines": [{"level": 2, "target": "host", "text": "..."}], "dropped": 0}. *lines is to be freed, also when it is the
/// error. [waits]
///
/// level is PSA_LOG_ERROR, ...; dropped counts older lines that went because nobody had fetched 1024 others.
/// PSA_TIMEOUT: nothing was logged. After psa_host_close what is left can still be fetched, then it is PSA_CLOSED.
/// PSA_UNSUPPORTED: hooks.log_message takes them.
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_next_log(
    host: *mut psa_host,
    timeout_ms: u32,
    lines: *mut *mut psa_reply,
) -> psa_code {
    // SAFETY: NULL or the caller's to be written; so says psa_host.h.
    unsafe { clear(lines) };
    let outcome = guarded(|| {
        may_block()?;
        // SAFETY: NULL or opened; so says psa_host.h.
        let logs = unsafe { opened(host) }?.inner.logs.as_ref();
        let logs = logs.ok_or_else(|| {
            Error::new(Code::Unsupported, "this host was opened with hooks.log_message, which gets its log lines")
        })?;
        logs.next(Duration::from_millis(u64::from(timeout_ms)))
    });
    // SAFETY: as above.
    unsafe { answer(outcome, lines) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn the_newest_lines_are_kept_and_the_others_counted() {
        let logs = Logs::new();
        let log = logs.hook();
        (0..LINES_MAX + 2).for_each(|number| log(PSA_LOG_INFO, "host", &format!("\"{number}\"")));
        let batch: serde_json::Value = serde_json::from_str(&logs.next(NOW).unwrap()).unwrap();
        assert_eq!(batch["dropped"], 2);
        assert_eq!(batch["lines"].as_array().unwrap().len(), LINES_MAX);
        assert_eq!(batch["lines"][0], serde_json::json!({"level": PSA_LOG_INFO, "target": "host", "text": "\"2\""}));
        assert_eq!(logs.next(NOW).unwrap_err().code, Code::Timeout);
    }

    #[test]
    fn who_closes_waits_for_who_waits_and_loses_no_line() {
        let logs = Logs::new();
        let waiting = logs.clone();
        let waiter = std::thread::spawn(move || waiting.next(Duration::from_secs(600)).unwrap_err().code);
        while logs.lines.waiting() == 0 {
            std::thread::yield_now();
        }
        logs.close();
        assert_eq!(logs.lines.waiting(), 0);
        assert_eq!(waiter.join().unwrap(), Code::Closed);
        logs.hook()(PSA_LOG_WARN, "host", "late");
        assert!(logs.next(NOW).unwrap().contains("late"));
        assert_eq!(logs.next(NOW).unwrap_err().code, Code::Closed);
    }
}
