//! Methods of callbacks.

use crate::callbacks::{CallbackHealth, Comparison, SubscriptionView};
use crate::clock::rfc3339;
use crate::core::Core;
use crate::plugin::CallContext;
use crate::store::{CallbackState, Place, StoredCallback};
use psa_host_api::Error;
use psa_host_api::model::{Page, PageRequest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::paging::{self, Paged};

/// Parameters that name a connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Of {
    /// Whose.
    tenant: String,
    /// Of which connection.
    connection: String,
}

impl Of {
    fn place(self) -> Place {
        Place { tenant: self.tenant, connection: self.connection }
    }
}

/// Parameters of what a person does.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Act {
    /// Whose.
    tenant: String,
    /// Of which connection.
    connection: String,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

/// What is registered, and how it does.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Subscriptions {
    /// The oldest first.
    items: Vec<SubscriptionView>,
    /// How things stand.
    health: CallbackHealth,
}

pub(crate) async fn list(core: &Core, params: Of, _: &CallContext) -> Result<Subscriptions, Error> {
    let place = params.place();
    Ok(Subscriptions { items: core.callbacks.list(&place)?, health: core.callbacks.health(&place)? })
}

pub(crate) async fn compare(core: &Core, params: Of, _: &CallContext) -> Result<Comparison, Error> {
    core.callbacks.compare(&params.place()).await
}

pub(crate) async fn heal(core: &Core, params: Act, _: &CallContext) -> Result<Comparison, Error> {
    let Act { tenant, connection, by } = params;
    core.environment.check_registering()?;
    core.callbacks.heal(&Place { tenant, connection }, &by).await
}

pub(crate) async fn rotate(core: &Core, params: Act, _: &CallContext) -> Result<Comparison, Error> {
    let Act { tenant, connection, by } = params;
    core.environment.check_registering()?;
    core.callbacks.rotate(&Place { tenant, connection }, &by).await
}

/// Parameters of callbacks.deliveries.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListDeliveries {
    /// Whose.
    tenant: String,
    /// Of which connection.
    connection: String,
    /// Which page; the newest come first.
    #[serde(default)]
    page: PageRequest,
}

/// A callback that came in. What was in it beyond this is not kept.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Delivery {
    /// Its number.
    id: i64,
    /// To which subscription it came.
    subscription: String,
    /// RFC 3339.
    received: String,
    /// Whether it was proved.
    state: CallbackState,
    /// Why not, or `repeat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The provider's id of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// What it was about: `ticket`.
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<String>,
    /// Its id at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<String>,
    /// `added`, `updated`, `deleted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    /// How often its proof has failed so far.
    tries: i64,
}

impl From<StoredCallback> for Delivery {
    fn from(row: StoredCallback) -> Delivery {
        let StoredCallback {
            id,
            subscription,
            received,
            state,
            reason,
            detail,
            message,
            entity,
            remote,
            action,
            tries,
        } = row;
        let received = rfc3339(received);
        Delivery { id, subscription, received, state, reason, detail, message, entity, remote, action, tries }
    }
}

pub(crate) async fn deliveries(core: &Core, params: ListDeliveries, _: &CallContext) -> Result<Page<Delivery>, Error> {
    let ListDeliveries { tenant, connection, page } = params;
    let place = Place { tenant, connection };
    core.connections.exists(&place)?;
    let paged = Paged::of(&page)?;
    let found = core.store.list_callbacks(&place, paged.after_number()?, paged.ask())?;
    Ok(paging::page(&paged, found, |row| row.id.to_string(), Delivery::from))
}
