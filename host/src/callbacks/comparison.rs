//! What is registered beside what is wanted, as people are shown it.
//!
//! Promises: no address is shown but the wanted one, because others' hold secrets.

use super::plan::Action;
use crate::store::StoredSubscription;
use psa_host_api::model::{SubscriptionKind, WantedSubscription};
use schemars::JsonSchema;
use serde::Serialize;

/// What is wanted, beside what is there.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Comparison {
    /// What should be registered.
    pub(super) wanted: Vec<WantedSubscription>,
    /// What leads to this product at the PSA, ours or not.
    pub(super) registered: Vec<Registered>,
    /// What would be done, or was: in words.
    pub(super) steps: Vec<String>,
    /// Everything the provider offers.
    pub(super) catalogue: Vec<SubscriptionKind>,
}

/// A registration at the PSA. Others' are not shown: their addresses may hold secrets.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Registered {
    /// The provider's id.
    pub(super) remote: String,
    /// Ours, by the id of its subscription; absent: a stray, which is never touched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subscription: Option<String>,
    pub(super) kind: String,
    pub(super) level: String,
    pub(super) object: String,
    pub(super) description: String,
    /// The PSA sends nothing.
    pub(super) inactive: bool,
    /// Who changed it last, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) updated_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) updated_at: Option<String>,
}

pub(super) fn words(action: &Action) -> String {
    let what = |row: &StoredSubscription| format!("{} {} {}", row.kind, row.level, row.object);
    let who = |by: &Option<String>| by.as_ref().map(|by| format!(" (switched off by {by})")).unwrap_or_default();
    match action {
        Action::Create { wanted, .. } => format!("register {} {} {}", wanted.kind, wanted.level, wanted.object),
        Action::Adopt { row, .. } => format!("take over {}, which was registered before", what(row)),
        Action::Revive { row, by } => format!("put {} to work again{}", what(row), who(by)),
        Action::Flap { row, by } => format!("leave {} alone: it is switched off again and again{}", what(row), who(by)),
        Action::Replace { row } => format!("replace {}", what(row)),
        Action::Remove { row } => format!("remove {}", what(row)),
        Action::RemoveStray { remote } => format!("remove registration {remote}, which is ours and unknown"),
        Action::Forget { row } => format!("forget {}, which is not there any more", what(row)),
    }
}
