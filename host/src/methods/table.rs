//! The table of methods.

use super::nothing::{Done, Nothing};
use super::typed::typed;
use super::{connections, members, notes, plugins, tickets};
use crate::connections::{Connection, ConnectionRoom};
use crate::json;
use crate::plugin::CallContext;
use psa_host_api::model::{CatalogEntry, Member, Note, Page, TestReport, Ticket};
use psa_host_api::{Code, Error};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde_json::{Map, Value};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Parameters above this are refused, in bytes.
const PARAMS_BYTES_MAX: usize = 16 << 20;

/// A method on its way.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<String, Error>> + Send>>;

struct Row {
    name: &'static str,
    about: &'static str,
    params: fn() -> Schema,
    result: fn() -> Schema,
    run: fn(Arc<ConnectionRoom>, Map<String, Value>, CallContext) -> Answer,
}

macro_rules! methods {
    ($(#[doc = $about:literal] $name:literal $function:path, ($params:ty) -> $result:ty;)*) => {
        const METHODS: &[Row] = &[$(Row {
            name: $name,
            about: $about,
            params: || schema_for!($params),
            result: || schema_for!($result),
            run: |room, params, context| Box::pin(async move {
                let params: $params = typed(Value::Object(params), $name)?;
                let result: $result = $function(&room, params, &context).await?;
                serde_json::to_string(&result).map_err(|error| Error::internal(error.to_string()))
            }),
        },)*];
    };
}

methods! {
    /// The methods, with their schemas.
    "methods.list" list, (Nothing) -> MethodList;
    /// Plugins: loaded, refused, and at work when an earlier process died.
    "plugins.list" plugins::list, (Nothing) -> plugins::PluginList;
    /// Keeps a new connection; the form of its plugin decides what is needed. Does not talk to the PSA.
    "connections.create" connections::create, (connections::Create) -> Connection;
    /// One connection, without its secrets.
    "connections.get" connections::get, (connections::Of) -> Connection;
    /// A tenant's connections.
    "connections.list" connections::list, (connections::List) -> Page<Connection>;
    /// Tries the connection step by step; changes nothing at the PSA.
    "connections.test" connections::test, (connections::Of) -> TestReport;
    /// Forgets a connection, its secrets and all that its plugin has kept.
    "connections.delete" connections::delete, (connections::Of) -> Done;
    /// One ticket.
    "tickets.get" tickets::get, (tickets::Get) -> Ticket;
    /// Tickets that match a filter.
    "tickets.search" tickets::search, (tickets::Search) -> Page<Ticket>;
    /// Boards, statuses of a board, priorities or types.
    "tickets.catalog" tickets::catalog, (tickets::Catalog) -> Page<CatalogEntry>;
    /// Moves a ticket to a status of its own board; answers with the ticket as the PSA shows it then.
    "tickets.set_status" tickets::set_status, (tickets::SetStatus) -> Ticket;
    /// Adds a note to a ticket; visibility has no default.
    "notes.post" notes::post, (notes::Post) -> Note;
    /// Notes of a ticket, oldest first.
    "notes.list" notes::list, (notes::List) -> Page<Note>;
    /// The provider's staff.
    "members.list" members::list, (members::List) -> Page<Member>;
}

/// All methods.
#[derive(Debug, Serialize, JsonSchema)]
struct MethodList {
    /// By name, in the order of the documentation.
    items: Vec<Method>,
}

/// One method.
#[derive(Debug, Serialize, JsonSchema)]
struct Method {
    /// Its name.
    name: &'static str,
    /// What it does.
    about: &'static str,
    /// JSON Schema of its parameters.
    params: Schema,
    /// JSON Schema of its result.
    result: Schema,
}

async fn list(_: &ConnectionRoom, _: Nothing, _: &CallContext) -> Result<MethodList, Error> {
    let method =
        |row: &Row| Method { name: row.name, about: row.about.trim(), params: (row.params)(), result: (row.result)() };
    Ok(MethodList { items: METHODS.iter().map(method).collect() })
}

/// Runs a method to its end. Errors of reading the parameters come at once.
pub(crate) fn run(
    room: &Arc<ConnectionRoom>,
    name: &str,
    params: &[u8],
    context: CallContext,
) -> Result<Answer, Error> {
    let Some(row) = METHODS.iter().find(|row| row.name == name) else {
        let name: String = name.chars().take(64).collect();
        let message = format!("there is no method \"{name}\"; methods.list says which there are");
        return Err(Error::new(Code::InvalidArgument, message).because("unknown_method"));
    };
    let params = json::object(params, PARAMS_BYTES_MAX).map_err(|error| match error {
        json::JsonError::TooLarge(..) => Error::new(Code::TooLarge, format!("{name}: the parameters have {error}")),
        _ => Error::invalid(format!("{name}: the parameters are not valid: {error}")).because("not_json"),
    })?;
    Ok((row.run)(room.clone(), params, context))
}
