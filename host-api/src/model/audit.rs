//! What the provider itself has recorded of changes.

use super::Raw;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A line of a ticket's audit trail.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AuditEntry {
    /// What happened, in the provider's words.
    pub text: String,
    /// RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Who did it, as the provider names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The provider's kind of change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}
