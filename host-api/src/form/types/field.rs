//! One field of a form.

use super::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// One line.
    Text,
    /// Several lines.
    Textarea,
    /// Kept in the secret store; never in the settings.
    Secret,
    /// An address.
    Url,
    /// An e-mail address.
    Email,
    /// A number.
    Number,
    /// Yes or no.
    Bool,
    /// One of a list.
    Select,
    /// One of a few, all shown.
    Radio,
    /// Some of a list.
    Multiselect,
    /// ISO 8601, `PT5M`.
    Duration,
    /// Several texts.
    List,
    /// Shown, not stored.
    Computed,
    /// Text only.
    Notice,
}

/// How a scalar is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// As text.
    String,
    /// As a whole number.
    Int,
    /// As text that is a decimal number.
    Decimal,
}

/// How wide a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Width {
    /// The whole row.
    Full,
    /// Half of it.
    Half,
    /// A third.
    Third,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// `[a-z][a-z0-9_]{0,62}`, unique, never reused for another meaning.
    pub key: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// In which group.
    pub group: String,
    /// How wide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Width>,
    /// Its name.
    pub label: Text,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Text>,
    /// An example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placeholder: Option<String>,
    /// Must be filled in, while it is shown.
    #[serde(default)]
    pub required: bool,
    /// Filled in once, for a new connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// As `default`, from the host: `host:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_from: Option<String>,
    /// Shown only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Rules for its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate: Option<Rules>,
    /// Part of what makes out the account.
    #[serde(default)]
    pub identity: bool,
    /// Fixed after creation.
    #[serde(default)]
    pub immutable: bool,
    /// Disabled when the last test said that this is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_capability: Option<String>,
    /// Shown only if a value is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecated>,
    /// What of a change is logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit>,
    /// The settings version that brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u32>,
    /// Shown in a fixed-width face.
    #[serde(default)]
    pub mono: bool,
    /// Spaces around a text are dropped; so is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trim: Option<bool>,
    /// Of a secret: several lines.
    #[serde(default)]
    pub multiline: bool,
    /// Of a secret: what it is bound to and where it may be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// Of a choice: from what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Options>,
    /// How it is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_type: Option<ValueType>,
    /// Of a number: what it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text>,
    /// Of a computed one: `host:…` or `plugin:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<String>,
    /// Of a computed one: with a button for copying.
    #[serde(default)]
    pub copy: bool,
    /// Of a notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tone: Option<Tone>,
}

/// How a notice looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Good to know.
    Info,
    /// Better be careful.
    Warn,
}

/// What of a change is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audit {
    /// Old and new value.
    Values,
    /// That it changed.
    Changed,
}

/// A field on its way out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deprecated {
    /// What to do.
    pub message: Text,
    /// The field that takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// The plugin's version that drops it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_in: Option<String>,
}

/// When something holds: exactly one of `field` (with `eq`, `in` or `set`), `all`, `any`, `not`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// An earlier field that is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Its value is this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eq: Option<Value>,
    /// Its value is one of these.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Value>>,
    /// It is filled in, or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<bool>,
    /// All of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<Vec<Condition>>,
    /// At least one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any: Option<Vec<Condition>>,
    /// Not this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Condition>>,
}

/// Rules for a value. `min` and `max`: length of a text, value of a number or duration, items of a list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// At least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Value>,
    /// At most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Value>,
    /// A multiple of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Value>,
    /// The whole text matches; of a list, each item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What is said when it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern_hint: Option<Text>,
    /// A well-known form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Of an address; `["https"]` if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schemes: Option<Vec<String>>,
    /// Of an address: whether it may lie in a private network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Of an address: whether it may have a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathRule>,
}

/// A well-known form of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// 8-4-4-4-12 hex digits.
    Uuid,
    /// A host name.
    Hostname,
}

/// Where an address may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// In the public network.
    Public,
    /// Anywhere the host's egress allows.
    PrivateOk,
}

/// Whether an address may have a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PathRule {
    /// It may.
    Allow,
    /// Scheme, host and port only.
    Forbid,
}

/// What a secret is bound to and where it may be sent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Secret {
    /// Fields that decide for what the secret is: if one changes, it must be entered again.
    pub bound_to: Vec<String>,
    /// Addresses it may be sent to.
    pub send_to: Vec<SendTo>,
    /// Asks who is changing it to sign in again.
    pub reauth: bool,
    /// May be removed without a new one.
    pub clearable: bool,
    /// At most one secret of a group is in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_group: Option<String>,
    /// The server makes it and shows it once.
    pub generate: bool,
}

/// An address: fixed, a template over fields (`https://api-{site}.example.net`, `{host}`), or a suffix
/// (`*.example.net`); as text, or with a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "an address, or {\"address\", \"when\"}")]
pub enum SendTo {
    /// Always.
    Always(String),
    /// Under a condition.
    When(SendToWhen),
}

/// An address under a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendToWhen {
    /// The address.
    pub address: String,
    /// The condition.
    pub when: Condition,
}

impl SendTo {
    /// The address as written.
    pub fn template(&self) -> &str {
        match self {
            SendTo::Always(address) => address,
            SendTo::When(to) => &to.address,
        }
    }

    /// The condition, if there is one.
    pub fn when(&self) -> Option<&Condition> {
        match self {
            SendTo::Always(_) => None,
            SendTo::When(to) => Some(&to.when),
        }
    }
}

/// What a choice is made from: `static`, or a `source` of the provider's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// These.
    #[serde(rename = "static", skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Vec<Choice>>,
    /// A key of `sources`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Arguments of the source: fields, or `@scope`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// An id may be typed in.
    pub manual: bool,
    /// Too many to show: searched.
    pub search: bool,
    /// How long the list may be remembered, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u32>,
}

/// One of a fixed list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// As stored.
    pub value: Value,
    /// As shown.
    pub label: Text,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Text>,
    /// Under which heading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Text>,
}
