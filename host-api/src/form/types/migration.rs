//! What a migration does to settings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One step: an object with one member. What a step names and is not there is left alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MigrationOp {
    /// A value or a secret gets another name.
    Rename(Move),
    /// A value is set.
    Set(SetValue),
    /// A value or a secret goes.
    Drop(DropKey),
    /// Values become others; those not named stay.
    Map(MapValues),
    /// A text becomes several.
    Split(SplitText),
    /// A value or a secret is there under a second name, too.
    Copy(Move),
}

/// From one name to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The name before.
    pub from: String,
    /// The name after.
    pub to: String,
}

/// A value that is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetValue {
    /// Of what.
    pub key: String,
    /// To what.
    pub value: Value,
    /// Only if nothing is filled in there.
    #[serde(default)]
    pub if_absent: bool,
}

/// What goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropKey {
    /// Its name.
    pub key: String,
}

/// Values that become others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MapValues {
    /// Of what; of a list, each entry.
    pub key: String,
    /// By the value before; a number or a truth by its JSON.
    pub values: BTreeMap<String, Value>,
}

/// A text that becomes several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitText {
    /// Its name; it goes.
    pub from: String,
    /// What stands between the parts.
    pub sep: String,
    /// Their names; the last one takes all that is left.
    pub to: Vec<String>,
}
