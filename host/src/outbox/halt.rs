//! Why nothing is sent through a connection.
//!
//! Holds: [`Halt`], and working out which there are.
//! Promises: `operations.explain` and `health` say the same, because both ask here.
//! Leaves to others: stopping a connection (`connections`), waiting that ends by itself (`gate`).

use super::Outbox;
use crate::store::{ConnectionState, StopReason};
use schemars::JsonSchema;
use serde::Serialize;

/// What is wrong, and where to look. Without the file's path: what is kept with a connection is shown to its tenant.
pub(super) const NOT_LOADED: &str = "Its plugin is not loaded: plugins.list says which are, and which were refused.";

/// Why nothing is sent through a connection now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Halt {
    /// Stable.
    pub reason: HaltReason,
    /// For people: what holds it up, and what ends that.
    pub message: String,
}

/// What holds up all writes of a connection, until somebody does something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum HaltReason {
    /// The database belongs to another environment.
    #[serde(rename = "environment")]
    Environment,
    /// This process cannot write into the database, so what was sent could not be recorded.
    #[serde(rename = "store")]
    Store,
    /// The plugin of the connection is not loaded in this process.
    #[serde(rename = "plugin_missing")]
    PluginMissing,
    /// No test of the connection has passed yet.
    #[serde(rename = "setup")]
    Setup,
    /// The connection is stopped; its own `reason` says why.
    #[serde(rename = "stopped")]
    Stopped,
    /// This process leaves delivery to others: `outbox.deliver` is false.
    #[serde(rename = "not_delivering")]
    NotDelivering,
}

impl Outbox {
    /// What holds up a connection of this plugin that stands so, in the order in which it has to be put right. `foreign`: why
    /// nothing of this database is sent here, if so.
    pub(crate) fn halts(
        &self,
        plugin: &str,
        state: ConnectionState,
        reason: Option<StopReason>,
        detail: Option<&str>,
        foreign: Option<String>,
    ) -> Vec<Halt> {
        let halt = |reason, message: String| Halt { reason, message };
        let mut halts = Vec::new();
        halts.extend(foreign.map(|why| halt(HaltReason::Environment, format!("Nothing is sent here: {why}."))));
        let trouble = self.desk.store.trouble();
        halts.extend(trouble.map(|error| {
            let message = format!("Nothing is sent while this process cannot write into the database: {error}.");
            halt(HaltReason::Store, message)
        }));
        // A connection that was stopped for it says so itself.
        if reason != Some(StopReason::PluginMissing) && self.desk.connections.plugin(plugin).is_err() {
            let message = format!("Nothing is sent through the connection. {NOT_LOADED}");
            halts.push(halt(HaltReason::PluginMissing, message));
        }
        match state {
            ConnectionState::Setup => {
                let message = "Nothing is sent through the connection before connections.test has passed.";
                halts.push(halt(HaltReason::Setup, message.into()));
            }
            ConnectionState::Stopped => {
                let reason = reason.map(StopReason::word).unwrap_or_default();
                let detail = detail.map(|detail| format!(" {}", detail.trim())).unwrap_or_default();
                let message = format!("The connection is stopped ({reason}), and nothing is sent through it.{detail}");
                halts.push(halt(HaltReason::Stopped, message));
            }
            ConnectionState::Active => {}
        }
        if !self.desk.config.deliver {
            let message = "This process sends nothing (`outbox.deliver` is false): another one has to.";
            halts.push(halt(HaltReason::NotDelivering, message.into()));
        }
        halts
    }
}
