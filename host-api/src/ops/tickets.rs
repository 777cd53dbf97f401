//! Requests about tickets and their catalogues.

use crate::model::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The reason of an error of `search_tickets` that says: tickets of this kind have no place for our mark.
pub const NO_MARKS: &str = "no_marks";

/// Request of `list_catalog`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListCatalogRequest {
    /// Which one.
    pub kind: CatalogKind,
    /// The board (or other scope) whose statuses or types are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Request of `search_tickets`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SearchTicketsRequest {
    /// Which tickets.
    #[serde(default)]
    pub filter: TicketFilter,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Request of `get_ticket`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetTicketRequest {
    /// The provider's id.
    pub ticket: String,
}

/// Request of `set_ticket_status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetTicketStatusRequest {
    /// The provider's id of the ticket.
    pub ticket: String,
    /// The provider's id of the status; refused before anything is sent if it is not of the ticket's own scope.
    pub status: String,
    /// The status the ticket is thought to be in. If it is in another one (and not in the wanted one already), nothing
    /// is sent and the error's reason is `superseded`. Absent: whatever it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}

/// Request of `create_ticket`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CreateTicketRequest {
    /// One line.
    pub summary: String,
    /// For whom: the provider's id; empty: whom the settings name for that.
    pub company: String,
    /// Where it is sorted in; absent: as the settings say, or the provider's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
    /// What happened, plain text: the customer can read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// A status of that board; the board's default if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// What it is about, of that board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<String>,
    /// The same, more closely: one that may be chosen under the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtype: Option<String>,
    /// The same, more closely still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// How it came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Who works on it: a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What staff alone can read of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_description: Option<String>,
    /// Of this kind, where the provider has several; absent: the provider's ordinary kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Values of fields that the tenant has added, by their ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_fields: Vec<CustomField>,
    /// Our mark, kept where the provider has a place for it; by it the ticket is found again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    /// Fields beyond ours, by the provider's own names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

/// What of a ticket is to become another. Absent: stays as it is. An empty text takes a value away.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TicketChanges {
    /// One line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Another board, together with a status of that board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
    /// With `board` only: a status of that board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<String>,
    /// The same, more closely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtype: Option<String>,
    /// The same, more closely still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// How it came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Who works on it: a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// For whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Our mark, where the provider has a place for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    /// Values of fields that the tenant has added, by their ids; those left out stay as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_fields: Vec<CustomField>,
}

/// Request of `update_ticket`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct UpdateTicketRequest {
    /// The provider's id of the ticket.
    pub ticket: String,
    /// What is to become another.
    pub changes: TicketChanges,
}

/// Request of `list_audit_trail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListAuditTrailRequest {
    /// The provider's id of the ticket.
    pub ticket: String,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}
