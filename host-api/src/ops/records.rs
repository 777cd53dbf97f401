//! Requests about people, companies, time, files, and everything else that is read.

use crate::model::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Request of `list_members`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ListMembersRequest {
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Request of `search_companies`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SearchCompaniesRequest {
    /// Words of the name or the short name; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Which page.
    pub page: PageRequest,
}

/// Request of `search_contacts`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SearchContactsRequest {
    /// Words of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Exactly this address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Of this company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Which page.
    pub page: PageRequest,
}

/// Request of `list_sites`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListSitesRequest {
    /// Of this company.
    pub company: String,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Request of `list_configurations`. All conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ListConfigurationsRequest {
    /// Words of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Of this company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Only those tied to this ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Which page.
    pub page: PageRequest,
}

/// Request of `list_time_entries`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListTimeEntriesRequest {
    /// Charged to this ticket.
    pub ticket: String,
    /// Only those made after the one with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Request of `add_time_entry`. No mail is ever sent by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddTimeEntryRequest {
    /// Charged to this ticket.
    pub ticket: String,
    /// Who worked: a member; absent: the account of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// RFC 3339 UTC, whole seconds.
    pub started_at: String,
    /// RFC 3339 UTC, whole seconds.
    pub ended_at: String,
    /// What was done, plain text.
    pub notes: String,
    /// Where else the text is shown, as a note of this visibility; absent: at the time entry only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_as: Option<Visibility>,
    /// What was done, for staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal_notes: Option<String>,
    /// Whether it is charged; absent: as the provider's rules say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billable: Option<Billable>,
    /// The provider's kind of work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_type: Option<String>,
    /// The provider's role in which it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_role: Option<String>,
}

/// Request of `list_attachments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListAttachmentsRequest {
    /// At this ticket.
    pub ticket: String,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Request of `get_attachment`; the bytes go to the call's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetAttachmentRequest {
    /// The provider's id.
    pub attachment: String,
}

/// Request of `add_attachment`; the bytes are the call's input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddAttachmentRequest {
    /// At this ticket.
    pub ticket: String,
    /// What people will call it.
    pub title: String,
    /// The file's name, without any folder.
    pub file_name: String,
    /// Whether the customer may see it: no default.
    pub public: bool,
    /// The media type; absent: `application/octet-stream`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// Request of `raw`: a read of the provider's own interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RawRequest {
    /// Below the provider's base path, without a leading slash: `service/boards/1/teams`.
    pub path: String,
    /// Names and values of the query, not yet encoded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
}

/// Answer of `raw`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RawAnswer {
    /// The provider's JSON as it came.
    pub value: serde_json::Value,
    /// There is more: the query's parameters that lead to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<(String, String)>,
}
