//! Time that people have worked.

use super::{Raw, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether time is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Billable {
    /// It is charged.
    Billable,
    /// It is not charged and not shown on invoices.
    DoNotBill,
    /// It is shown on invoices and not charged.
    NoCharge,
}

/// Work on a ticket, from one time to another.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TimeEntry {
    /// The provider's id.
    pub id: String,
    /// The ticket it is charged to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Who worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<Reference>,
    /// RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// As the provider counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<f64>,
    /// What was done; who may read it is the provider's rule.
    pub notes: String,
    /// What was done, for staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_notes: Option<String>,
    /// Whether it is charged; absent: as the provider's rules say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billable: Option<Billable>,
    /// The provider's kind of work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_type: Option<Reference>,
    /// The provider's role in which it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_role: Option<Reference>,
    /// The account that really made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}
