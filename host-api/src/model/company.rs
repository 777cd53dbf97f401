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

/// Where a company is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Site {
    /// The provider's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Reference>,
    /// On one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The company's main one.
    pub is_primary: bool,
    /// No longer in use.
    pub inactive: bool,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// A device, or something else that a company has and that is looked after.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Configuration {
    /// The provider's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Reference>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Reference>,
    /// Who uses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Reference>,
    /// The maker's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// No longer in use.
    pub inactive: bool,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}
