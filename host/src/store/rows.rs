//! What the store keeps, row by row.
//!
//! Holds: the types that its traits carry.
//! Promises: nothing here is secret in clear; a sealed value is the vault's to open.
//! Leaves to others: what they mean (the rooms).

use super::words::{
    AttemptEnd, ConnectionState, Kind, LinkState, MappingState, MappingWay, Outcome, State, StopReason,
};
use psa_host_api::model::Visibility;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Whose: a tenant's connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The product's word for its customer, compared byte by byte.
    pub(crate) tenant: String,
    /// The connection's id.
    pub(crate) connection: String,
}

impl std::fmt::Display for Place {
    /// The connection alone: a tenant may be a name that does not belong into a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.connection)
    }
}

/// What is kept of a connection; its secrets are kept apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredConnection {
    pub(crate) place: Place,
    pub(crate) plugin: String,
    pub(crate) name: String,
    /// As the form has them, without secrets.
    pub(crate) settings: Map<String, Value>,
    pub(crate) settings_version: i64,
    pub(crate) credential_version: i64,
    /// Of which form the settings are.
    pub(crate) form_version: u32,
    /// The plugin that kept them.
    pub(crate) plugin_version: String,
    pub(crate) account: Option<String>,
    pub(crate) identity: Option<String>,
    pub(crate) state: ConnectionState,
    pub(crate) reason: Option<StopReason>,
    pub(crate) detail: Option<String>,
    pub(crate) created: i64,
    pub(crate) changed: i64,
}

#[cfg(test)]
impl StoredConnection {
    /// One that was just made, for tests: they name what is particular to theirs.
    pub(crate) fn fresh(place: Place) -> StoredConnection {
        StoredConnection {
            place,
            plugin: "acme".into(),
            name: String::new(),
            settings: Map::new(),
            settings_version: 1,
            credential_version: 1,
            form_version: 1,
            plugin_version: "1.0.0".into(),
            account: None,
            identity: None,
            state: ConnectionState::Setup,
            reason: None,
            detail: None,
            created: 0,
            changed: 0,
        }
    }
}

/// A sealed value and the key that opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) key: String,
    pub(crate) token: String,
}

/// A secret of a connection's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedSecret {
    pub(crate) name: String,
    pub(crate) version: i64,
    /// Digest of the settings that decide where it is sent.
    pub(crate) bound: String,
    pub(crate) sealed: Sealed,
    pub(crate) entered: Entered,
}

/// What may be told of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Entered {
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    /// Who entered it.
    pub(crate) by: String,
    /// Tells whether it is the same one as another time.
    pub(crate) fingerprint: String,
}

/// What belongs to a connection and goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Dependents {
    /// Ticket links.
    pub links: u64,
    /// Operations, ended ones too.
    pub operations: u64,
    /// Operations that have not ended.
    pub waiting: u64,
    /// Member and status mappings.
    pub mappings: u64,
}

/// One product ticket tied to one PSA ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredLink {
    pub(crate) place: Place,
    pub(crate) link: String,
    pub(crate) product_ticket: String,
    pub(crate) ticket: Option<String>,
    pub(crate) state: LinkState,
    pub(crate) reference: String,
    pub(crate) created: i64,
    pub(crate) changed: i64,
}

/// An operation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredOperation {
    pub(crate) seq: i64,
    pub(crate) place: Place,
    pub(crate) operation: String,
    pub(crate) link: String,
    pub(crate) kind: Kind,
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    pub(crate) likeness: Option<Vec<u8>>,
    pub(crate) sealed: Option<Sealed>,
    pub(crate) visibility: Option<Visibility>,
    pub(crate) wanted: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) next_at: i64,
    pub(crate) not_after: i64,
    pub(crate) attempt: Option<i64>,
    pub(crate) attempts: i64,
    pub(crate) doubts: i64,
    pub(crate) never_resend: bool,
    pub(crate) quiet: i64,
    pub(crate) empty_at: Option<i64>,
    pub(crate) fence: Option<String>,
    pub(crate) lease_owner: Option<String>,
    pub(crate) lease_token: Option<String>,
    pub(crate) remote: Option<String>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) error: Option<String>,
    pub(crate) evidence: Option<String>,
    pub(crate) watch_at: Option<i64>,
    pub(crate) watched: i64,
    pub(crate) accepted: i64,
    pub(crate) ended: Option<i64>,
    pub(crate) decided_by: Option<String>,
}

/// One try at an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredAttempt {
    pub(crate) number: i64,
    pub(crate) opened: i64,
    pub(crate) ended: Option<i64>,
    pub(crate) outcome: Option<AttemptEnd>,
    pub(crate) error: Option<String>,
}

/// A recorded change of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Transition {
    /// Before.
    pub from: State,
    /// An attempt was open.
    pub from_attempt: Option<i64>,
    /// After.
    pub to: State,
    /// An attempt is open.
    pub to_attempt: Option<i64>,
    /// Why, where there is a reason.
    pub reason: Option<String>,
}

/// What a lane's turn is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LaneId {
    pub(crate) place: Place,
    pub(crate) link: String,
}

/// An entry of the activity, not yet chained.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) tenant: String,
    pub(crate) at: i64,
    pub(crate) actor: String,
    pub(crate) action: &'static str,
    pub(crate) connection: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) detail: String,
    pub(crate) salt: [u8; 16],
    pub(crate) commitment: [u8; 32],
    /// Makes the mac of this entry from the one before.
    pub(crate) chain: Arc<dyn Chain>,
}

/// Computes a chain.
pub(crate) trait Chain: Send + Sync {
    /// The mac of an entry that follows one with the mac `before`.
    fn mac(&self, before: &[u8], seq: i64, at: i64, words: [&str; 5], commitment: &[u8]) -> [u8; 32];
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredEntry {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) connection: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) salt: Option<Vec<u8>>,
    pub(crate) commitment: Vec<u8>,
    pub(crate) mac: Vec<u8>,
}

/// Something the product is to be told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewEvent {
    pub(crate) tenant: String,
    pub(crate) kind: &'static str,
    pub(crate) at: i64,
    pub(crate) body: Value,
}

/// What a unit of work leaves behind besides its own rows.
#[derive(Clone, Default)]
pub(crate) struct Record {
    pub(crate) entries: Vec<Entry>,
    pub(crate) events: Vec<NewEvent>,
}

/// A secret that a plugin has obtained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredToken {
    pub(crate) sealed: Sealed,
    /// JSON: where it may be sent.
    pub(crate) addresses: String,
    /// Milliseconds since 1970.
    pub(crate) expires: Option<i64>,
}

/// A value of the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductValue {
    /// The product's id.
    pub id: String,
    /// For people.
    pub name: String,
    /// Of an agent: to match members by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// Which member stands for an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct MemberMapping {
    /// The product's id.
    pub agent: String,
    /// The provider's id.
    pub member: Option<String>,
    /// What it says.
    pub state: MappingState,
    /// Who set it.
    pub decided_by: Option<String>,
    /// What the member was called then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How it was found out, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<MappingWay>,
}

/// Which status stands for a value of the product, on one board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct StatusMapping {
    /// The board, team or queue; empty where statuses belong to the connection.
    pub scope: String,
    /// The product's id of its status.
    pub value: String,
    /// The provider's id.
    pub status: String,
    /// Who set it.
    pub decided_by: Option<String>,
    /// What the status was called then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// Which priority stands for a value of the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct PriorityMapping {
    /// The product's id of its priority.
    pub value: String,
    /// The provider's id.
    pub priority: String,
    /// Who set it.
    pub decided_by: Option<String>,
    /// What the priority was called then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}
