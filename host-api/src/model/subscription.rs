//! Being told of changes: what is registered at the provider, and what comes from it.

use super::Raw;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Stands in addresses for the token by which a callback finds its connection.
pub const TOKEN: &str = "{token}";

/// What is to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct WantedSubscription {
    /// Of what the changes are told: the provider's word, in lower case.
    pub kind: String,
    /// How much of it: the provider's word, in lower case.
    pub level: String,
    /// The id of what the level names.
    pub object: String,
    /// The address as it will stand at the provider, with [`TOKEN`] in the token's place.
    pub address: String,
}

/// What is registered at the provider, ours or not.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Subscription {
    /// The provider's id.
    pub id: String,
    /// Of what the changes are told, in lower case.
    pub kind: String,
    /// How much of it, in lower case.
    pub level: String,
    /// The id of what the level names.
    pub object: String,
    /// Where it is told.
    pub address: String,
    /// By what people know it; ours begins with a mark.
    pub description: String,
    /// The provider tells nothing, mostly because too many deliveries have failed.
    pub inactive: bool,
    /// RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// Who changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<String>,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// A kind of subscription that a provider offers: for a page that lets people choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionKind {
    /// The provider's word, in lower case.
    pub kind: String,
    /// Since which version of the provider, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What can be chosen within it.
    pub levels: Vec<SubscriptionLevel>,
}

/// How much of a kind can be subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionLevel {
    /// The provider's word, in lower case.
    pub level: String,
    /// What is told.
    pub about: String,
    /// Whose id goes with it; absent: always the same one, `object`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<String>,
    /// The id that always goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

/// Whether a callback comes from the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does, and speaks of this connection.
    Verified,
    /// It cannot be told; at most a reason to look sooner.
    Unverified,
    /// It does not, or speaks of another account.
    Refused,
}

/// What a record has gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// It is new.
    Added,
    /// It is another than before.
    Updated,
    /// It is gone.
    Deleted,
    /// The provider's word is not known here.
    Unknown,
}

/// Something that has changed. Only which and how: what it is now has to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeEvent {
    /// `ticket`, `member`, `company`, `contact`, …: the provider's word, in lower case.
    pub entity: String,
    /// The provider's id.
    pub id: String,
    /// What it has gone through.
    pub action: ChangeAction,
    /// Who did it, as the provider names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What the plugin makes of a callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallbackReceipt {
    /// Whether it comes from the provider.
    pub verdict: Verdict,
    /// Why it is not verified: a stable word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same for people: what was wrong, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The provider's own id of the message, by which repeats are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// What has changed; empty unless verified.
    #[serde(default)]
    pub changes: Vec<ChangeEvent>,
}
