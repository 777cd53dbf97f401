//! Methods of plugins.

use super::nothing::Nothing;
use crate::core::Core;
use crate::plugin::{CallContext, Crash, Plugin, Refusal, Registry};
use psa_host_api::Error;
use psa_host_api::form::types::Definition;
use psa_host_api::manifest::Capabilities;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Result of plugins.list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PluginList {
    /// The loaded ones, by id.
    items: Vec<Listed>,
    /// Those found in a folder and not loaded.
    refused: Vec<Refused>,
    /// What was at work when an earlier process with this data folder died. Not a proof of guilt.
    crashes: Vec<Crash>,
}

/// A loaded plugin.
#[derive(Debug, Serialize, JsonSchema)]
struct Listed {
    /// Its id.
    id: String,
    /// For people.
    name: String,
    /// SemVer.
    version: String,
    /// The file; absent if it is linked into the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// SHA-256 of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// What it offers.
    operations: Vec<String>,
    /// What it and its provider can do.
    capabilities: Capabilities,
}

/// A plugin that was not loaded.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Refused {
    /// The file.
    path: String,
    /// Stable reason.
    reason: String,
    /// For people.
    message: String,
}

pub(crate) async fn list(core: &Core, _: Nothing, _: &CallContext) -> Result<PluginList, Error> {
    Ok(core.connections.with_registry(|registry| PluginList {
        items: registry.plugins().map(|plugin| listed(plugin)).collect(),
        refused: refused(registry),
        crashes: registry.crashes().to_vec(),
    }))
}

fn listed(plugin: &Plugin) -> Listed {
    Listed {
        id: plugin.manifest.id.clone(),
        name: plugin.manifest.name.clone(),
        version: plugin.manifest.version.clone(),
        path: plugin.path.as_ref().map(|path| path.display().to_string()),
        sha256: plugin.sha256.clone(),
        operations: plugin.operations().map(str::to_owned).collect(),
        capabilities: plugin.manifest.capabilities.clone(),
    }
}

/// What was found in folders and not loaded.
pub(super) fn refused(registry: &Registry) -> Vec<Refused> {
    let told = |refusal: &Refusal| Refused {
        path: refusal.path.display().to_string(),
        reason: refusal.why.reason().to_owned(),
        message: refusal.to_string(),
    };
    registry.refused().iter().map(told).collect()
}

/// Parameters that name a plugin.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Of {
    /// Its id.
    plugin: String,
}

/// Result of plugins.form.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FormOf {
    /// As its author wrote it.
    form: Definition,
    /// JSON Schema 2020-12 of settings and secrets in one object.
    schema: Value,
}

pub(crate) async fn form(core: &Core, params: Of, _: &CallContext) -> Result<FormOf, Error> {
    let plugin = core.connections.plugin(&params.plugin)?;
    Ok(FormOf { form: plugin.form.definition().clone(), schema: plugin.form.settings_schema() })
}
