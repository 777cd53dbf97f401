//! Methods of mappings: members, statuses, and the product's own values.

use super::nothing::Done;
use crate::core::Core;
use crate::lists::{all_members, whole_catalog};
use crate::mappings::{Suggestion, proposals};
use crate::plugin::CallContext;
use crate::store::{MappingState, MemberMapping, Place, ProductValue, StatusMapping, ValueKind};
use psa_host_api::model::{CatalogEntry, CatalogKind, Member};
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// Values of one kind at most.
const VALUES_MAX: usize = 10_000;

/// Parameters of product.set_values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetValues {
    /// Whose.
    tenant: String,
    /// What they are.
    kind: ValueKind,
    /// All of them: what is missing is gone.
    rows: Vec<ProductValue>,
    /// Counts their versions: older ones than are here are refused.
    rev: i64,
}

pub(crate) async fn set_values(core: &Core, params: SetValues, _: &CallContext) -> Result<Done, Error> {
    let SetValues { tenant, kind, rows, rev } = params;
    crate::connections::check_tenant(&tenant)?;
    if rows.len() > VALUES_MAX {
        return Err(Error::new(Code::TooLarge, format!("at most {VALUES_MAX} values of one kind")));
    }
    let mut seen = HashSet::new();
    for (number, row) in rows.iter().enumerate() {
        super::check_word(&format!("rows/{number}/id"), &row.id)?;
        if !seen.insert(&row.id) {
            let message = format!("\"{}\" is there twice", row.id);
            return Err(Error::invalid(message.clone()).field(format!("/rows/{number}/id"), "unique", message));
        }
    }
    core.store.set_values(&tenant, kind, rev, rows).await?;
    Ok(Done {})
}

/// Parameters that name a connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Of {
    /// Whose.
    pub(super) tenant: String,
    /// Its id.
    pub(super) connection: String,
}

/// Result of members.suggest.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Suggestions {
    /// Of agents without a mapping; each agent and member once.
    items: Vec<Suggestion>,
    /// Agents whose member has gone since it was mapped.
    broken: Vec<String>,
}

pub(crate) async fn suggest(core: &Core, params: Of, context: &CallContext) -> Result<Suggestions, Error> {
    let place = Place { tenant: params.tenant, connection: params.connection };
    let members = all_members(core, &place, context).await?;
    let agents = core.store.values(&place.tenant, ValueKind::Agent)?;
    let mappings = core.store.member_mappings(&place)?;
    let gone: Vec<MemberMapping> = mappings
        .iter()
        .filter(|mapping| mapping.state == MappingState::Mapped && !is_there(&members, mapping.member.as_deref()))
        .map(|mapping| MemberMapping { state: MappingState::Broken, ..mapping.clone() })
        .collect();
    let mut broken: Vec<String> =
        mappings.iter().filter(|mapping| mapping.state == MappingState::Broken).map(|m| m.agent.clone()).collect();
    broken.extend(gone.iter().map(|mapping| mapping.agent.clone()));
    if !gone.is_empty() {
        let body = json!({"connection": place.connection, "agents": broken});
        let record = core.scribe.both(&place, crate::activity::HOST, "members.broken", None, body)?;
        core.store.map_members(&place, gone, core.clock.now_unix_ms(), record).await?;
    }
    let settled: Vec<(&str, Option<&str>)> =
        mappings.iter().map(|mapping| (mapping.agent.as_str(), mapping.member.as_deref())).collect();
    Ok(Suggestions { items: proposals(&agents, &members, &settled), broken })
}

fn is_there(members: &[Member], id: Option<&str>) -> bool {
    members.iter().any(|member| Some(member.id.as_str()) == id && !member.inactive)
}

/// Parameters of members.map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Map {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// Who stands for whom.
    items: Vec<Pair>,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

/// A member for an agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pair {
    /// The product's id.
    agent: String,
    /// The provider's id.
    member: String,
}

pub(crate) async fn map(core: &Core, params: Map, context: &CallContext) -> Result<Done, Error> {
    let Map { tenant, connection, items, by } = params;
    let place = Place { tenant, connection };
    let members = all_members(core, &place, context).await?;
    for (number, pair) in items.iter().enumerate() {
        super::check_word(&format!("items/{number}/agent"), &pair.agent)?;
        if !is_there(&members, Some(&pair.member)) {
            let message = format!("the provider has no active member \"{}\"", pair.member);
            return Err(Error::invalid(message.clone()).because("member_missing").field(
                format!("/items/{number}/member"),
                "unknown",
                message,
            ));
        }
    }
    let body = json!({"connection": place.connection, "agents": items.len()});
    let record = core.scribe.both(&place, &by, "members.mapped", None, body)?;
    let mappings = items
        .into_iter()
        .map(|Pair { agent, member }| MemberMapping {
            agent,
            label: members.iter().find(|known| known.id == member).map(|known| known.name.clone()),
            member: Some(member),
            state: MappingState::Mapped,
            decided_by: Some(by.clone()),
            way: None,
        })
        .collect();
    core.store.map_members(&place, mappings, core.clock.now_unix_ms(), record).await?;
    Ok(Done {})
}

/// Parameters that name an agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agent {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The product's id.
    agent: String,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

pub(crate) async fn unmap(core: &Core, params: Agent, _: &CallContext) -> Result<Done, Error> {
    let Agent { tenant, connection, agent, by } = params;
    let place = Place { tenant, connection };
    core.connections.exists(&place)?;
    let body = json!({"connection": place.connection, "agent": agent});
    let record = core.scribe.both(&place, &by, "members.unmapped", Some(&agent), body)?;
    core.store.unmap_member(&place, &agent, record).await?;
    Ok(Done {})
}

pub(crate) async fn ignore(core: &Core, params: Agent, _: &CallContext) -> Result<Done, Error> {
    let Agent { tenant, connection, agent, by } = params;
    super::check_word("agent", &agent)?;
    let place = Place { tenant, connection };
    core.connections.exists(&place)?;
    let body = json!({"connection": place.connection, "agent": agent});
    let record = core.scribe.both(&place, &by, "members.ignored", Some(&agent), body)?;
    let mapping = MemberMapping {
        agent,
        member: None,
        state: MappingState::Ignored,
        decided_by: Some(by),
        label: None,
        way: None,
    };
    core.store.map_members(&place, vec![mapping], core.clock.now_unix_ms(), record).await?;
    Ok(Done {})
}

/// Result of members.mappings.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MemberMappings {
    /// By agent.
    items: Vec<MemberMapping>,
    /// Agents that nothing is said about.
    unmapped: Vec<ProductValue>,
}

pub(crate) async fn members(core: &Core, params: Of, _: &CallContext) -> Result<MemberMappings, Error> {
    let place = Place { tenant: params.tenant, connection: params.connection };
    core.connections.exists(&place)?;
    let items = core.store.member_mappings(&place)?;
    let mut unmapped = core.store.values(&place.tenant, ValueKind::Agent)?;
    unmapped.retain(|agent| !items.iter().any(|mapping| mapping.agent == agent.id));
    Ok(MemberMappings { items, unmapped })
}

/// Parameters of statuses.map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MapStatuses {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The board, team or queue; left out where statuses belong to the connection.
    #[serde(default)]
    scope: Option<String>,
    /// Which status stands for which value.
    items: Vec<StatusPair>,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

/// A status for a value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusPair {
    /// The product's id of its status.
    value: String,
    /// The provider's id.
    status: String,
}

pub(crate) async fn map_statuses(core: &Core, params: MapStatuses, context: &CallContext) -> Result<Done, Error> {
    let MapStatuses { tenant, connection, scope, items, by } = params;
    let place = Place { tenant, connection };
    let all = whole_catalog(core, &place, CatalogKind::Statuses, scope.as_deref(), context).await?;
    let known: HashMap<String, String> = all
        .into_iter()
        .filter_map(|entry| match entry {
            CatalogEntry::Status(status) => Some((status.id, status.name)),
            _ => None,
        })
        .collect();
    for (number, pair) in items.iter().enumerate() {
        super::check_word(&format!("items/{number}/value"), &pair.value)?;
        if !known.contains_key(&pair.status) {
            let of = scope.as_deref().map_or(String::new(), |scope| format!(" of {scope}"));
            let message = format!("\"{}\" is not a status{of}", pair.status);
            return Err(Error::invalid(message.clone()).because("status_of_other_board").field(
                format!("/items/{number}/status"),
                "unknown",
                message,
            ));
        }
    }
    let scope = scope.unwrap_or_default();
    let body = json!({"connection": place.connection, "scope": scope, "values": items.len()});
    let record = core.scribe.both(&place, &by, "statuses.mapped", None, body)?;
    let mappings = items
        .into_iter()
        .map(|StatusPair { value, status }| StatusMapping {
            scope: scope.clone(),
            value,
            label: known.get(&status).cloned(),
            status,
            decided_by: Some(by.clone()),
        })
        .collect();
    core.store.map_statuses(&place, mappings, core.clock.now_unix_ms(), record).await?;
    core.outbox.wake();
    Ok(Done {})
}

/// Result of statuses.mappings.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StatusMappings {
    /// By scope and value.
    items: Vec<StatusMapping>,
}

pub(crate) async fn statuses(core: &Core, params: Of, _: &CallContext) -> Result<StatusMappings, Error> {
    let place = Place { tenant: params.tenant, connection: params.connection };
    core.connections.exists(&place)?;
    Ok(StatusMappings { items: core.store.status_mappings(&place)? })
}

/// Parameters of statuses.unmapped.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unmapped {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The board, team or queue; left out where statuses belong to the connection.
    #[serde(default)]
    scope: Option<String>,
}

/// Result of statuses.unmapped.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UnmappedValues {
    /// The product's statuses that nothing stands for there.
    items: Vec<ProductValue>,
}

pub(crate) async fn unmapped(core: &Core, params: Unmapped, _: &CallContext) -> Result<UnmappedValues, Error> {
    let Unmapped { tenant, connection, scope } = params;
    let place = Place { tenant, connection };
    core.connections.exists(&place)?;
    let scope = scope.unwrap_or_default();
    let mapped = core.store.status_mappings(&place)?;
    let mut items = core.store.values(&place.tenant, ValueKind::Status)?;
    items.retain(|value| !mapped.iter().any(|mapping| mapping.scope == scope && mapping.value == value.id));
    Ok(UnmappedValues { items })
}
