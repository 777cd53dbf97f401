//! What a plugin says about a form while it is filled in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One thing that can be chosen in a field whose options come from the provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FormOption {
    /// As it will be stored: a text, or a whole number.
    pub value: Value,
    /// What people call it.
    pub label: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Under which heading it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// No longer offered for new choices.
    #[serde(default)]
    pub inactive: bool,
}

impl FormOption {
    /// An option with nothing but its value and its name.
    pub fn new(value: impl Into<Value>, label: impl Into<String>) -> FormOption {
        FormOption { value: value.into(), label: label.into(), help: None, group: None, inactive: false }
    }
}

/// How much something is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IssueLevel {
    /// These settings are not kept.
    Error,
    /// They are kept, and somebody should look.
    Warning,
}

/// One thing to say about settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingsIssue {
    /// JSON pointer: `/settings/site`, `/secrets/private_key`; empty: about all of them together.
    pub at: String,
    /// How much it is in the way.
    pub level: IssueLevel,
    /// Stable word.
    pub code: String,
    /// For people: what is wrong, and what to do.
    pub message: String,
    /// What the words of the form's own rules are made from, for words in other languages: `rule`, which of the code's rules
    /// it is, and the names and numbers in them. Left out: there are no other words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
}

/// Answer of `validate_settings`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SettingsIssues {
    /// All of them; empty: nothing is wrong.
    pub items: Vec<SettingsIssue>,
}

/// Answer of `migrate_settings`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MigratedSettings {
    /// All settings, as the version asked for has them.
    pub settings: Map<String, Value>,
}
