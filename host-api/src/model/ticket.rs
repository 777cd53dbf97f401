//! Tickets.

use super::{Known, Raw, StatusRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something the provider knows by id and people know by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// The provider's id.
    pub id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A field that the tenant has added to tickets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CustomField {
    /// The provider's id, another one in each tenant.
    pub id: String,
    /// What people call it; it can be renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it holds; null: nothing.
    #[serde(default)]
    pub value: serde_json::Value,
}

/// A ticket as it is at the PSA.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Ticket {
    /// The provider's id.
    pub id: String,
    /// The number people use; often the id.
    pub number: String,
    /// One line.
    pub summary: String,
    /// The provider's kind, where it has several: `service`, `project`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What the ticket's statuses belong to, where the provider has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<Reference>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusRef>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Reference>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<Reference>,
    /// The same, more closely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtype: Option<Reference>,
    /// The same, more closely still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<Reference>,
    /// How it came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Reference>,
    /// For whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Reference>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Reference>,
    /// Who works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Reference>,
    /// Whether it is closed, as the provider counts it.
    pub closed: Known,
    /// Our mark, where the provider has a place for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    /// Fields that the tenant has added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_fields: Vec<CustomField>,
    /// The ticket into which this one was merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
    /// RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// The account that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The account that changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<String>,
    /// A page for people at the PSA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// Which tickets are wanted; all conditions must hold. Empty: all that the credentials may see.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TicketFilter {
    /// Words of the summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// On this board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
    /// In one of these statuses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<String>,
    /// Of this company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Owned by this member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Only open or only closed ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
    /// Changed at or after this time, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_since: Option<String>,
    /// Of this kind, where the provider has several; absent: the provider's ordinary kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// With exactly this mark of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    /// Made after the ticket with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_after: Option<String>,
    /// The newest first, by the order in which they were made; else the oldest first.
    pub newest_first: bool,
}
