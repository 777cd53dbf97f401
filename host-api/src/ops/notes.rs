//! Requests about notes.

use crate::model::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Request of `list_notes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListNotesRequest {
    /// The provider's id of the ticket.
    pub ticket: String,
    /// Only notes made after the one with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Request of `get_note`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetNoteRequest {
    /// The provider's id of the ticket.
    pub ticket: String,
    /// The provider's id of the note.
    pub note: String,
}

/// Request of `list_conversation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListConversationRequest {
    /// The provider's id of the ticket.
    pub ticket: String,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Request of `add_note`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddNoteRequest {
    /// The provider's id of the ticket.
    pub ticket: String,
    /// Who may read it: no default.
    pub visibility: Visibility,
    /// Plain text.
    pub text: String,
    /// The provider's id of the member shown as the author; absent: the account of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
}
