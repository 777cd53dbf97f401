//! Files at tickets.

use super::{Known, Raw};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file at a ticket. Its bytes are fetched apart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Attachment {
    /// The provider's id.
    pub id: String,
    /// The ticket it is at.
    pub ticket: String,
    /// What people call it.
    pub title: String,
    /// Its file name, as the provider has it: never a path to be used as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// In bytes, where the provider says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Whether the customer can see it.
    pub public: Known,
    /// An address instead of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// The account that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// What is said of the bytes of an attachment that go to the call's output.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AttachmentContent {
    /// The file name the provider names, without any folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The media type the provider names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}
