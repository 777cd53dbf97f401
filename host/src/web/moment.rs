//! A moment, for people and for machines.

use serde::{Deserialize, Serialize};

/// A moment in three forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    /// RFC 3339 UTC.
    pub(crate) at: String,
    /// "3 Aug 2026, 14:02:11", in the person's time zone.
    pub(crate) exact: String,
    /// "2 min ago".
    pub(crate) words: String,
}
