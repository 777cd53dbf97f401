//! Methods of settings that are tried before they are kept. None of them keeps anything.

use crate::connections::{Issue, SecretOp, Trial};
use crate::core::Core;
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::model::{FormOption, Page, PageRequest, TestReport};
use psa_host_api::ops::FormOptionsRequest;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is tried.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Try {
    /// Whose it is.
    tenant: String,
    /// The id of the plugin; of a connection it is known.
    #[serde(default)]
    plugin: Option<String>,
    /// The connection that would be so; absent: a new one.
    #[serde(default)]
    connection: Option<String>,
    /// All settings; of a connection, absent: its own.
    #[serde(default)]
    settings: Option<Map<String, Value>>,
    /// What becomes of secrets; those not named take part as they are kept. A text takes their place.
    #[serde(default, deserialize_with = "read_ops")]
    #[schemars(with = "BTreeMap<String, Op>")]
    secrets: BTreeMap<String, SecretOp>,
}

/// What becomes of a secret.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used: secrets are read without ever being in an error")]
enum Op {
    /// This one takes its place.
    Value(String),
    /// `{"op": "keep"}`, `{"op": "replace", "value": "…"}`, `{"op": "clear"}`.
    Op(OpOf),
}

/// See [`Op`].
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "see Op")]
struct OpOf {
    /// `keep`, `replace` or `clear`.
    op: String,
    /// With `replace` only.
    value: Option<String>,
}

/// Reads what becomes of secrets without ever putting one into an error, as the parser's own words would.
fn read_ops<'de, D: Deserializer<'de>>(reader: D) -> Result<BTreeMap<String, SecretOp>, D::Error> {
    let values = Map::<String, Value>::deserialize(reader)?;
    let op = |(name, value): (String, Value)| {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(SecretString::from);
        let has = |members: usize| value.as_object().is_some_and(|object| object.len() == members);
        let op = match (&value, value["op"].as_str()) {
            (Value::String(_), _) => text(Some(&value)).map(SecretOp::Replace),
            (_, Some("keep")) if has(1) => Some(SecretOp::Keep),
            (_, Some("clear")) if has(1) => Some(SecretOp::Clear),
            (_, Some("replace")) if has(2) => text(value.get("value")).map(SecretOp::Replace),
            _ => None,
        };
        let wanted = "must be a string, or an object with op keep, clear, or replace and a value";
        op.map(|op| (name.clone(), op)).ok_or_else(|| D::Error::custom(format_args!("the secret \"{name}\" {wanted}")))
    };
    values.into_iter().map(op).collect()
}

impl Try {
    async fn trial(self, core: &Core) -> Result<Trial, Error> {
        let Try { tenant, plugin, connection, settings, secrets } = self;
        let stored = match &connection {
            Some(connection) => {
                let place = Place { tenant: tenant.clone(), connection: connection.clone() };
                Some(core.connections.current(&place).await?)
            }
            None => None,
        };
        let Some(plugin) = plugin.or_else(|| stored.as_ref().map(|stored| stored.plugin.clone())) else {
            let message = "plugin or connection must be named";
            return Err(Error::invalid(message).field("/plugin", "required", message));
        };
        let settings = match (settings, &stored) {
            (Some(settings), _) => settings,
            (None, Some(stored)) => core.connections.get(&stored.place).await?.settings,
            (None, None) => Map::new(),
        };
        Ok(Trial { tenant, plugin, connection, settings, secrets })
    }
}

/// Parameters of connections.options.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// Under which settings it is asked.
    #[serde(rename = "try")]
    tried: Try,
    /// A source of the form.
    source: String,
    /// The source's arguments.
    #[serde(default)]
    args: BTreeMap<String, Value>,
    /// Words of a name, of a source that can be searched.
    #[serde(default)]
    query: Option<String>,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

/// Result of connections.check.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Issues {
    /// In the order of the form; empty: nothing is wrong.
    items: Vec<Issue>,
}

pub(crate) async fn test(core: &Core, params: Try, context: &CallContext) -> Result<TestReport, Error> {
    let trial = params.trial(core).await?;
    core.connections.try_settings(&trial, context).await
}

pub(crate) async fn options(core: &Core, params: Options, context: &CallContext) -> Result<Page<FormOption>, Error> {
    let Options { tried, source, args, query, page } = params;
    let trial = tried.trial(core).await?;
    core.connections.options(&trial, &FormOptionsRequest { source, args, query, page }, context).await
}

pub(crate) async fn check(core: &Core, params: Try, context: &CallContext) -> Result<Issues, Error> {
    let trial = params.trial(core).await?;
    Ok(Issues { items: core.connections.issues(&trial, context).await? })
}
