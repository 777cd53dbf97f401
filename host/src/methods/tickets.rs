//! Methods of tickets.

use crate::connections::ConnectionRoom;
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::model::{CatalogEntry, CatalogKind, Page, PageRequest, Ticket, TicketFilter};
use psa_host_api::ops;
use schemars::JsonSchema;
use serde::Deserialize;

/// Parameters of tickets.get.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Get {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The provider's id.
    ticket: String,
}

pub(crate) async fn get(room: &ConnectionRoom, params: Get, context: &CallContext) -> Result<Ticket, Error> {
    let Get { tenant, connection, ticket } = params;
    room.run::<ops::GetTicket>(&Place { tenant, connection }, &ops::GetTicketRequest { ticket }, context).await
}

/// Parameters of tickets.search.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// Which tickets; all if left out.
    #[serde(default)]
    filter: TicketFilter,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

pub(crate) async fn search(
    room: &ConnectionRoom,
    params: Search,
    context: &CallContext,
) -> Result<Page<Ticket>, Error> {
    let Search { tenant, connection, filter, page } = params;
    let request = ops::SearchTicketsRequest { filter, page };
    room.run::<ops::SearchTickets>(&Place { tenant, connection }, &request, context).await
}

/// Parameters of tickets.catalog.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalog {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// Which list.
    kind: CatalogKind,
    /// The board whose statuses or types are wanted.
    #[serde(default)]
    scope: Option<String>,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

pub(crate) async fn catalog(
    room: &ConnectionRoom,
    params: Catalog,
    context: &CallContext,
) -> Result<Page<CatalogEntry>, Error> {
    let Catalog { tenant, connection, kind, scope, page } = params;
    let request = ops::ListCatalogRequest { kind, scope, page };
    room.run::<ops::ListCatalog>(&Place { tenant, connection }, &request, context).await
}

/// Parameters of tickets.set_status.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetStatus {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The provider's id of the ticket.
    ticket: String,
    /// The provider's id of the status; it must be one of the ticket's own board.
    status: String,
}

pub(crate) async fn set_status(
    room: &ConnectionRoom,
    params: SetStatus,
    context: &CallContext,
) -> Result<Ticket, Error> {
    let SetStatus { tenant, connection, ticket, status } = params;
    let request = ops::SetTicketStatusRequest { ticket, status, expected: None };
    room.run::<ops::SetTicketStatus>(&Place { tenant, connection }, &request, context).await
}
