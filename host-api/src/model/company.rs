//! Companies and their people: the MSP's customers.

use super::{Raw, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A customer of the MSP.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Company {
    /// The provider's id.
    pub id: String,
    /// The short name people type, where the provider has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// What people call it.
    pub name: String,
    /// Not served any more.
    pub inactive: bool,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// Somebody who works at a company.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Contact {
    /// The provider's id.
    pub id: String,
    /// First and last name.
    pub name: String,
    /// Where they can be written to, the best one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// Where they work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Reference>,
    /// Does not work there any more.
    pub inactive: bool,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}
