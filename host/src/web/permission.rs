//! What somebody may do on the page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One permission. What is not given is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Permission {
    /// Sees the pages.
    View,
    /// Makes connections and changes their settings, pauses and resumes.
    Configure,
    /// Enters, replaces and clears secrets.
    Secrets,
    /// Changes mappings.
    Map,
    /// Retries, decides on operations, heals callbacks.
    Operate,
    /// Disconnects and deletes.
    Delete,
    /// Sees changes by people, and exports the activity.
    Audit,
}

impl Permission {
    /// As in JSON.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Permission::View => "view",
            Permission::Configure => "configure",
            Permission::Secrets => "secrets",
            Permission::Map => "map",
            Permission::Operate => "operate",
            Permission::Delete => "delete",
            Permission::Audit => "audit",
        }
    }
}
