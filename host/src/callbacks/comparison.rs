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
    pub(crate) registered: Vec<Registered>,
    /// What would be done, or was: in words.
    pub(super) steps: Vec<String>,
    /// The same, for who has words of their own.
    #[serde(skip)]
    pub(crate) doing: Vec<Doing>,
    /// Everything the provider offers.
    pub(super) catalogue: Vec<SubscriptionKind>,
}

/// One thing that would be done, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doing {
    /// `create`, `adopt`, `revive`, `flap`, `replace`, `remove`, `stray`, `forget`.
    pub(crate) what: &'static str,
    /// "Ticket owner 1", or the provider's id.
    pub(crate) of: String,
    /// Who had switched it off.
    pub(crate) by: Option<String>,
}

/// A registration at the PSA. Others' are not shown: their addresses may hold secrets.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Registered {
    /// The provider's id.
    pub(crate) remote: String,
    /// Ours, by the id of its subscription; absent: a stray, which is never touched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subscription: Option<String>,
    /// Of what the changes are told: the provider's word, in lower case.
    pub(crate) kind: String,
    /// How much of it: the provider's word, in lower case.
    pub(crate) level: String,
    /// The id of what the level names.
    pub(crate) object: String,
    /// By what people know it at the PSA.
    pub(crate) description: String,
    /// The PSA sends nothing.
    pub(crate) inactive: bool,
    /// Who changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) updated_by: Option<String>,
    /// When it was changed last, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) updated_at: Option<String>,
}

pub(super) fn doing(action: &Action) -> Doing {
    let of = |row: &StoredSubscription| format!("{} {} {}", row.kind, row.level, row.object);
    let (what, of, by) = match action {
        Action::Create { wanted, .. } => {
            ("create", format!("{} {} {}", wanted.kind, wanted.level, wanted.object), None)
        }
        Action::Adopt { row, .. } => ("adopt", of(row), None),
        Action::Revive { row, by } => ("revive", of(row), by.clone()),
        Action::Flap { row, by } => ("flap", of(row), by.clone()),
        Action::Replace { row } => ("replace", of(row), None),
        Action::Remove { row } => ("remove", of(row), None),
        Action::RemoveStray { remote } => ("stray", remote.clone(), None),
        Action::Forget { row } => ("forget", of(row), None),
    };
    Doing { what, of, by }
}

pub(super) fn words(doing: &Doing) -> String {
    let Doing { what, of, by } = doing;
    let who = by.as_ref().map(|by| format!(" (switched off by {by})")).unwrap_or_default();
    match *what {
        "create" => format!("register {of}"),
        "adopt" => format!("take over {of}, which was registered before"),
        "revive" => format!("put {of} to work again{who}"),
        "flap" => format!("leave {of} alone: it is switched off again and again{who}"),
        "replace" => format!("replace {of}"),
        "remove" => format!("remove {of}"),
        "stray" => format!("remove registration {of}, which is ours and unknown"),
        _ => format!("forget {of}, which is not there any more"),
    }
}
