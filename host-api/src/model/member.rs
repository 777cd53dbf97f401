//! Members: the provider's staff.

use super::Raw;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of account a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberKind {
    /// A human being: offered for mapping.
    #[default]
    Person,
    /// An account for programs: never offered for mapping.
    Api,
}

/// Somebody who works at the MSP.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Member {
    /// The provider's id.
    pub id: String,
    /// The login name.
    pub identifier: String,
    /// First and last name.
    pub name: String,
    /// Addresses to match by, the best one first; may be empty, may be shared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// Left, but still on old tickets.
    pub inactive: bool,
    /// A person or a program.
    pub member_kind: MemberKind,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}
