//! Requests about the form of a connection. None of them changes anything, and none of them holds a secret.

use crate::model::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Request of `form_options`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FormOptionsRequest {
    /// A key of the form's `sources`.
    pub source: String,
    /// The source's arguments: the values of the fields that the form names for them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, Value>,
    /// Words of a name, of a source that can be searched; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Which page.
    pub page: PageRequest,
}

/// Request of `validate_settings`: what the form's own rules cannot say. Pure: no HTTP, at most 200 ms.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ValidateSettingsRequest {
    /// The visible ones, without secrets.
    pub settings: Map<String, Value>,
}

/// Request of `migrate_settings`: what the form's own migrations cannot say. Pure: no HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MigrateSettingsRequest {
    /// The version of the form that they were kept under.
    pub from: u32,
    /// The version of the plugin's form.
    pub to: u32,
    /// All of them, without secrets, as the form's own migrations have left them.
    pub settings: Map<String, Value>,
}
