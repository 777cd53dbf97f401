//! Methods of priorities: which one stands for which of the product's.

use super::mappings::Of;
use super::nothing::Done;
use crate::core::Core;
use crate::lists::whole_catalog;
use crate::plugin::CallContext;
use crate::store::{Place, PriorityMapping, ProductValue, ValueKind};
use psa_host_api::Error;
use psa_host_api::model::{CatalogEntry, CatalogKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;

/// Parameters of priorities.map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MapPriorities {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// Which priority stands for which value.
    items: Vec<PriorityPair>,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

/// A priority for a value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriorityPair {
    /// The product's id of its priority.
    value: String,
    /// The provider's id.
    priority: String,
}

pub(crate) async fn map(core: &Core, params: MapPriorities, context: &CallContext) -> Result<Done, Error> {
    let MapPriorities { tenant, connection, items, by } = params;
    let place = Place { tenant, connection };
    let all = whole_catalog(core, &place, CatalogKind::Priorities, None, context).await?;
    let known: HashMap<String, String> = all
        .into_iter()
        .filter_map(|entry| match entry {
            CatalogEntry::Priority(priority) => Some((priority.id, priority.name)),
            _ => None,
        })
        .collect();
    for (number, pair) in items.iter().enumerate() {
        super::check_word(&format!("items/{number}/value"), &pair.value)?;
        if !known.contains_key(&pair.priority) {
            let message = format!("\"{}\" is not a priority of the provider", pair.priority);
            let at = format!("/items/{number}/priority");
            return Err(Error::invalid(message.clone()).field(at, "unknown", message));
        }
    }
    let body = json!({"connection": place.connection, "values": items.len()});
    let record = core.scribe.both(&place, &by, "priorities.mapped", None, body)?;
    let decided_by = Some(by);
    let mapping = |PriorityPair { value, priority }| PriorityMapping {
        value,
        label: known.get(&priority).cloned(),
        priority,
        decided_by: decided_by.clone(),
    };
    let mappings = items.into_iter().map(mapping).collect();
    core.store.map_priorities(&place, mappings, core.clock.now_unix_ms(), record).await?;
    Ok(Done {})
}

/// Result of priorities.mappings.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PriorityMappings {
    /// By value.
    items: Vec<PriorityMapping>,
    /// The product's priorities that nothing stands for.
    unmapped: Vec<ProductValue>,
}

pub(crate) async fn mappings(core: &Core, params: Of, _: &CallContext) -> Result<PriorityMappings, Error> {
    let place = Place { tenant: params.tenant, connection: params.connection };
    core.connections.exists(&place)?;
    let items = core.store.priority_mappings(&place)?;
    let mut unmapped = core.store.values(&place.tenant, ValueKind::Priority)?;
    unmapped.retain(|value| !items.iter().any(|mapping| mapping.value == value.id));
    Ok(PriorityMappings { items, unmapped })
}
