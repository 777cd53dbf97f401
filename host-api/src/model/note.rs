//! Notes.

use super::Raw;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may read a note. There is no default anywhere: whoever writes says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Only the provider's staff.
    Internal,
    /// Also the customer.
    Public,
    /// As public, and marked as what solved it.
    Resolution,
}

/// What kind of author a note has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorKind {
    /// Staff.
    Member,
    /// The customer's side.
    Contact,
    /// The provider does not say.
    #[default]
    Unknown,
}

/// Who wrote a note.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Author {
    /// Of which kind.
    pub kind: AuthorKind,
    /// The provider's id of the member or contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What people call them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A comment on a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// The provider's id.
    pub id: String,
    /// The ticket it is on.
    pub ticket: String,
    /// As the provider keeps it.
    pub text: String,
    /// Who may read it. A note whose marks do not say `internal` clearly is read as public.
    pub visibility: Visibility,
    /// Shown as the author.
    #[serde(default)]
    pub author: Author,
    /// The account that really made it: ours for notes of ours, whoever is shown as the author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// What the provider said beyond this.
    #[serde(default, skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}
