//! Methods of connections.

use super::paging::{self, Paged};
use crate::connections::{Connection, NewConnection, Update, report_of};
use crate::core::Core;
use crate::plugin::CallContext;
use crate::removal;
use crate::store::{Dependents, Place, StopReason};
use psa_host_api::Error;
use psa_host_api::model::{Page, PageRequest, TestReport};
use psa_host_api::ops::{Nothing, TestConnection};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Parameters of connections.create.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Create {
    /// Whose it will be.
    tenant: String,
    /// The id of the plugin.
    plugin: String,
    /// For people; the provider's name if left out.
    #[serde(default)]
    name: Option<String>,
    /// Values of the form's fields, without secrets.
    #[serde(default)]
    settings: Map<String, Value>,
    /// Values of the form's secret fields.
    #[serde(default, deserialize_with = "read_secrets")]
    #[schemars(with = "BTreeMap<String, String>")]
    secrets: BTreeMap<String, SecretString>,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

/// Reads secrets without ever putting one into an error, as the parser's own words would.
fn read_secrets<'de, D: Deserializer<'de>>(reader: D) -> Result<BTreeMap<String, SecretString>, D::Error> {
    let values = Map::<String, Value>::deserialize(reader)?;
    let secret = |(key, value): (String, Value)| match value {
        Value::String(text) => Ok((key, SecretString::from(text))),
        _ => Err(D::Error::custom(format_args!("the secret \"{key}\" must be a string"))),
    };
    values.into_iter().map(secret).collect()
}

/// Parameters that name a connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Of {
    /// Whose it is.
    tenant: String,
    /// Its id.
    connection: String,
}

impl Of {
    fn place(self) -> Place {
        Place { tenant: self.tenant, connection: self.connection }
    }
}

/// Parameters of what a person does with a connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Act {
    /// Whose it is.
    tenant: String,
    /// Its id.
    connection: String,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

impl Act {
    fn parts(self) -> (Place, String) {
        (Place { tenant: self.tenant, connection: self.connection }, self.by)
    }
}

/// Parameters of connections.list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    /// Whose.
    tenant: String,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

pub(crate) async fn create(core: &Core, params: Create, _: &CallContext) -> Result<Connection, Error> {
    let Create { tenant, plugin, name, settings, secrets, by } = params;
    core.connections.create(NewConnection { tenant, plugin, name, settings, secrets }, &by).await
}

pub(crate) async fn get(core: &Core, params: Of, _: &CallContext) -> Result<Connection, Error> {
    core.connections.get(&params.place()).await
}

pub(crate) async fn list(core: &Core, params: List, _: &CallContext) -> Result<Page<Connection>, Error> {
    let paged = Paged::of(&params.page)?;
    let found = core.connections.list(&params.tenant, &paged.after, paged.ask()).await?;
    Ok(paging::page(&paged, found, |connection| connection.connection.clone(), |connection| connection))
}

/// Parameters of connections.update.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// Whose it is.
    tenant: String,
    /// Its id.
    connection: String,
    /// Another name.
    #[serde(default)]
    name: Option<String>,
    /// All settings anew. Secrets that would then be sent elsewhere are not used until they are entered again.
    #[serde(default)]
    settings: Option<Map<String, Value>>,
    /// Secrets to replace.
    #[serde(default, deserialize_with = "read_secrets")]
    #[schemars(with = "BTreeMap<String, String>")]
    secrets: BTreeMap<String, SecretString>,
    /// Names of secrets to take away; of a form's group of which one is in use, the others go by themselves.
    #[serde(default)]
    clear: Vec<String>,
    /// `rev` of the connection as it was read: if it is another now, nothing is changed (`changed_meanwhile`).
    #[serde(default)]
    rev: Option<i64>,
    /// Refuse the change (`rebind`) if a secret that stays would be for something else than it was entered for. Otherwise it
    /// is kept, and the connection stops until the secret is entered again where it would go elsewhere.
    #[serde(default)]
    strict: bool,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

pub(crate) async fn update(core: &Core, params: Change, _: &CallContext) -> Result<Connection, Error> {
    let Change { tenant, connection, name, settings, secrets, clear, rev, strict, by } = params;
    let place = Place { tenant, connection };
    let update = Update { name, settings, secrets, clear, rev, strict };
    let updated = core.connections.update(&place, update, &by).await;
    if updated.is_ok() {
        core.callbacks.look_anew(&place).await?;
    }
    core.outbox.rested(&place);
    updated
}

/// Parameters of connections.update_credentials.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// Whose it is.
    tenant: String,
    /// Its id.
    connection: String,
    /// The secrets to replace.
    #[serde(deserialize_with = "read_secrets")]
    #[schemars(with = "BTreeMap<String, String>")]
    secrets: BTreeMap<String, SecretString>,
    /// Keep them also if their test fails.
    #[serde(default)]
    force: bool,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

pub(crate) async fn update_credentials(
    core: &Core,
    params: Credentials,
    context: &CallContext,
) -> Result<TestReport, Error> {
    let Credentials { tenant, connection, secrets, force, by } = params;
    let place = Place { tenant, connection };
    let report = core.connections.update_credentials(&place, secrets, force, &by, context).await;
    core.outbox.rested(&place);
    report
}

pub(crate) async fn test(core: &Core, params: Of, context: &CallContext) -> Result<TestReport, Error> {
    let place = params.place();
    // As it is before: what is found is about these settings and credentials.
    let before = core.connections.current(&place).await?;
    let report = report_of(core.connections.run::<TestConnection>(&place, &Nothing {}, context).await)?;
    core.connections.tested(&before, &report).await?;
    core.outbox.rested(&place);
    Ok(report)
}

pub(crate) async fn pause(core: &Core, params: Act, _: &CallContext) -> Result<Connection, Error> {
    let (place, by) = params.parts();
    core.connections.exists(&place)?;
    // One that is stopped for a stronger reason stays so.
    let detail = format!("{by} has paused it.");
    core.connections.stop(&place, StopReason::Paused, detail, None, &by).await?;
    core.connections.get(&place).await
}

pub(crate) async fn resume(core: &Core, params: Act, _: &CallContext) -> Result<Connection, Error> {
    let (place, by) = params.parts();
    let resumed = core.connections.resume(&place, &by).await;
    core.outbox.rested(&place);
    resumed
}

pub(crate) async fn disconnect(core: &Core, params: Act, _: &CallContext) -> Result<Connection, Error> {
    let (place, by) = params.parts();
    Ok(removal::disconnect(core, &place, &by).await?.0)
}

/// Parameters of connections.delete.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delete {
    /// Whose it is.
    tenant: String,
    /// Its id.
    connection: String,
    /// How many operations have not ended and are given up with it; it must be the right number.
    #[serde(default)]
    waiting: u64,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

pub(crate) async fn delete(core: &Core, params: Delete, _: &CallContext) -> Result<Dependents, Error> {
    let Delete { tenant, connection, waiting, by } = params;
    Ok(removal::delete(core, &Place { tenant, connection }, waiting, &by).await?.0)
}
