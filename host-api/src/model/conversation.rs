//! Notes and time as people read them: one list.

use super::{Author, Raw, Visibility};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an entry comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// A note.
    Note,
    /// The text of a time entry.
    Time,
    /// The text of a meeting.
    Meeting,
}

/// Something that was said at a ticket. `kind` and `id` together are its key: ids of notes and of time entries are
/// ranges of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConversationEntry {
    /// Where it comes from.
    pub kind: ConversationKind,
    /// The provider's id, among those of its kind.
    pub id: String,
    /// The ticket it was said at; another one than was asked for if that one was merged into this.
    pub ticket: String,
    /// As the provider keeps it.
    pub text: String,
    /// Who may read it. What does not say `internal` clearly is read as public.
    pub visibility: Visibility,
    /// Shown as the author.
    #[serde(default)]
    pub author: Author,
    /// It came from a ticket that was merged into this one.
    #[serde(default)]
    pub merged: bool,
    /// RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// Of time: RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// Of time: RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// What the provider said beyond this.
    #[serde(default, skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}
