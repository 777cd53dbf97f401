//! The parts of a form, as its author writes them. Unknown members are errors.

mod field;
mod migration;

pub use field::*;
pub use migration::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Text by language tag: `{"en": "Site"}`; or `{"$t": "key"}`, a key into the plugin's own catalogue.
pub type Text = BTreeMap<String, String>;

/// A whole form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// `1.x`.
    pub form_schema: String,
    /// Whose form it is.
    pub plugin: String,
    /// Goes up when stored settings need migrating.
    pub settings_version: u32,
    /// The oldest settings that the migrations can read.
    pub reads_from: u32,
    /// The language every text has.
    pub default_locale: String,
    /// Members of a newer minor that an older host may ignore.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<String>,
    /// In the order in which they are shown.
    pub groups: Vec<Group>,
    /// In the order in which they are shown; conditions look back only.
    pub fields: Vec<Field>,
    /// Tables of the product's values and the provider's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<Mapping>,
    /// Lists that the provider fills.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, Source>,
    /// What a test of the connection goes through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Test>,
    /// From older settings to these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<Migration>,
}

/// A group of fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Unique.
    pub key: String,
    /// Above its fields.
    pub title: Text,
    /// Below its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Text>,
    /// In which step of a new connection it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// `test`: shown empty until a test has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// Folded at first.
    #[serde(default)]
    pub collapsed: bool,
}

/// A list that the provider fills.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Source {
    /// How long it may be remembered, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u32>,
    /// Most entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Names of its arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// It can be searched.
    pub search: bool,
}

/// A table of the product's values and the provider's. Drawn and kept by the host; the parts are free here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Unique.
    pub key: String,
    /// Above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text>,
    /// `host:…` or `free`.
    pub rows: String,
    /// One table per value of this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// What is chosen in each row.
    pub columns: Vec<Column>,
    /// Which ways a row may hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directions: Vec<String>,
    /// Several values of the provider may mean one of the product.
    #[serde(default)]
    pub inbound_aliases: bool,
    /// By what rows are proposed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub auto: Vec<String>,
    /// `one_to_one`, `many_to_one`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cardinality: Option<String>,
    /// What happens to what is not mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmapped: Option<Unmapped>,
}

/// What tables there are one of each for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// A key of `sources`.
    pub source: String,
    /// The field that says which are in use.
    pub selected_by: String,
}

/// What is chosen in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Unique in its table.
    pub key: String,
    /// From what.
    pub options: Options,
}

/// What happens to what is not mapped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unmapped {
    /// Until somebody chooses.
    pub default: String,
    /// What may be chosen.
    pub choices: Vec<String>,
}

/// What a test goes through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// Names of the steps, in order.
    pub steps: Vec<String>,
    /// Seconds for all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u32>,
}

/// From one version of the settings to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// From this version.
    pub from: u32,
    /// To this one.
    pub to: u32,
    /// In order.
    pub ops: Vec<MigrationOp>,
}
