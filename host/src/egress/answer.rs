//! What came back.
//!
//! Holds: [`Answer`].
//! Promises: names of headers are lower case; what a secret of the request would show is `***`.
//! Leaves to others: what a status means (each plugin).

use super::retry_after;
use bytes::Bytes;

/// One complete HTTP answer, of any status.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// 200.
    pub status: u16,
    /// Names in lower case, in the order received; a repeated name is a repeated header.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// The first header of this name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(is, _)| is == name).map(|(_, value)| value.as_str())
    }

    /// How long the server asks to wait, in milliseconds, at most an hour; a date that is past is 0.
    ///
    /// A date is measured against the answer's own `Date` if it has one, because the two clocks may differ.
    pub fn retry_after_ms(&self, now_unix_ms: i64) -> Option<u64> {
        let theirs = self.header("date").and_then(retry_after::http_date_ms);
        let asked = self.headers.iter().filter(|(name, _)| name == "retry-after");
        asked.filter_map(|(_, value)| retry_after::wait_ms(value, theirs.unwrap_or(now_unix_ms))).max()
    }
}

impl std::fmt::Debug for Answer {
    /// Without values and body: they are a customer's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &names)
            .field("bytes", &self.body.len())
            .finish()
    }
}
