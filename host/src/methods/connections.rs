//! Methods of connections.

use super::nothing::Done;
use crate::connections::{Connection, ConnectionRoom, NewConnection};
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::model::{Page, PageRequest, StepState, TestReport, TestStep};
use psa_host_api::ops::{Nothing, TestConnection};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Most connections on one page.
const PAGE_MAX: u32 = 1000;

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

pub(crate) async fn create(room: &ConnectionRoom, params: Create, _: &CallContext) -> Result<Connection, Error> {
    let Create { tenant, plugin, name, settings, secrets } = params;
    room.create(NewConnection { tenant, plugin, name, settings, secrets })
}

pub(crate) async fn get(room: &ConnectionRoom, params: Of, _: &CallContext) -> Result<Connection, Error> {
    room.get(&params.place())
}

pub(crate) async fn list(room: &ConnectionRoom, params: List, _: &CallContext) -> Result<Page<Connection>, Error> {
    let limit = params.page.limit.unwrap_or(100).clamp(1, PAGE_MAX) as usize;
    let after = params.page.cursor.unwrap_or_default();
    // One more than asked for tells whether there is a next page.
    let mut items = room.list(&params.tenant, &after, limit + 1)?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| last.connection.clone());
    Ok(Page { items, next })
}

pub(crate) async fn test(room: &ConnectionRoom, params: Of, context: &CallContext) -> Result<TestReport, Error> {
    let place = params.place();
    let report = match room.run::<TestConnection>(&place, &Nothing {}, context).await {
        Err(error) if is_of_the_way(&error) => not_reached(error),
        outcome => outcome?,
    };
    room.tested(&place, report.passed)?;
    Ok(report)
}

/// Whether the host saw itself that the PSA was not reached: the plugin knows only that no answer came.
fn is_of_the_way(error: &Error) -> bool {
    let reason = error.reason.as_deref().unwrap_or_default();
    reason.starts_with("egress_") || matches!(reason, "secret_missing" | "bad_answer" | "body_too_large")
}

/// A finding like any other.
fn not_reached(error: Error) -> TestReport {
    let step = TestStep {
        step: "reach".to_owned(),
        state: StepState::Failed,
        message: error.message,
        code: Some(error.code),
        fields: Vec::new(),
        disables: Vec::new(),
    };
    TestReport { steps: vec![step], passed: false, account: None, server_version: None }
}

pub(crate) async fn delete(room: &ConnectionRoom, params: Of, _: &CallContext) -> Result<Done, Error> {
    room.delete(&params.place()).await?;
    Ok(Done {})
}
