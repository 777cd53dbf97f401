//! Methods of tickets.

use super::{changes, links, waiting};
use crate::cache::Kind;
use crate::core::Core;
use crate::core::kept::Kept;
use crate::lists::{self, ahead};
use crate::outbox::{NewStatus, NewTicket, OperationView};
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::model::{CatalogEntry, CatalogKind, CustomField, Page, PageRequest, Ticket, TicketFilter};
use psa_host_api::ops;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;

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
    /// From the PSA itself, not from what is remembered of it for half a minute.
    #[serde(default)]
    fresh: bool,
}

pub(crate) async fn get(core: &Core, params: Get, context: &CallContext) -> Result<Kept<Ticket>, Error> {
    let Get { tenant, connection, ticket, fresh } = params;
    let place = Place { tenant, connection };
    let request = ops::GetTicketRequest { ticket: ticket.clone() };
    if fresh {
        return Kept::of(&core.connections.run::<ops::GetTicket>(&place, &request, context).await?);
    }
    core.cached::<ops::GetTicket>(&place, Kind::Ticket, &ticket, &request, context).await
}

/// The same from what is remembered, if it is there.
pub(crate) fn known(core: &Core, params: &Get) -> Option<Kept<Ticket>> {
    if params.fresh {
        return None;
    }
    let place = Place { tenant: params.tenant.clone(), connection: params.connection.clone() };
    let request = ops::GetTicketRequest { ticket: params.ticket.clone() };
    core.remembered::<ops::GetTicket>(&place, Kind::Ticket, &params.ticket, &request)
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
    /// Reads the page behind this one, too, while this one is looked at: for who reads a list to its end. A call that asks for
    /// it within half a minute, with `ahead` as well, has it sooner; one that nobody asks for was read in vain.
    #[serde(default)]
    ahead: bool,
}

pub(crate) async fn search(core: &Arc<Core>, params: Search, context: &CallContext) -> Result<Page<Ticket>, Error> {
    let Search { tenant, connection, filter, page, ahead } = params;
    let place = Place { tenant, connection };
    let request = |page| ops::SearchTicketsRequest { filter: filter.clone(), page };
    ahead::page::<ops::SearchTickets, _>(core, &place, page, ahead, request, context).await
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

pub(crate) async fn catalog(core: &Core, params: Catalog, context: &CallContext) -> Result<Page<CatalogEntry>, Error> {
    let Catalog { tenant, connection, kind, scope, page } = params;
    lists::catalog(core, &Place { tenant, connection }, kind, scope, page, context).await
}

/// Parameters of tickets.set_status. Either `status` or `value`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetStatus {
    /// Whose.
    pub(super) tenant: String,
    /// On which link.
    pub(super) link: String,
    /// The provider's id of the status; it must be one of the ticket's own board.
    #[serde(default)]
    pub(super) status: Option<String>,
    /// The product's value; the mapping of the ticket's board says which status that is.
    #[serde(default)]
    pub(super) value: Option<String>,
    /// The status the user saw: if the ticket is in another one by then, nothing is changed.
    #[serde(default)]
    pub(super) base: Option<String>,
    /// Too late after this time, RFC 3339: then nothing is changed.
    #[serde(default)]
    pub(super) not_after: Option<String>,
    /// Your own key: handed in twice with the same content it is done once.
    #[serde(default)]
    pub(super) client_key: Option<String>,
    /// How long to wait for its end, in milliseconds, also longer than `call_timeout_ms`; it is safe on disk either way.
    #[serde(default)]
    pub(super) wait_ms: u64,
}

pub(crate) async fn set_status(core: &Core, params: SetStatus, context: &CallContext) -> Result<OperationView, Error> {
    let SetStatus { tenant, link, status, value, base, not_after, client_key, wait_ms } = params;
    if status.is_some() == value.is_some() {
        let message = "give either status or value";
        return Err(Error::invalid(format!("tickets.set_status: {message}")).field("/status", "one_of", message));
    }
    let not_after = not_after.map(|text| time(&text, "/not_after")).transpose()?;
    let status = NewStatus { status, value, base, not_after };
    let row = core.outbox.accept_status(&tenant, &link, status, client_key.as_deref()).await?;
    waiting::for_end(core, row, wait_ms, context).await
}

fn time(text: &str, at: &str) -> Result<i64, Error> {
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    parsed.map(|time| time.as_millisecond()).map_err(|_| {
        let message = "must be a time like 2026-01-31T12:00:00Z";
        Error::invalid(format!("{at}: {message}")).because("wrong_type").field(at, "time", message)
    })
}

/// Parameters of tickets.create.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Create {
    /// Whose.
    pub(super) tenant: String,
    /// Through which connection.
    pub(super) connection: String,
    /// The product's id of its ticket.
    pub(super) product_ticket: String,
    /// One line.
    pub(super) summary: String,
    /// For whom: the provider's id. Left out: whom the connection's settings name for that, if they do.
    #[serde(default)]
    pub(super) company: String,
    /// Where it is sorted in.
    #[serde(default)]
    pub(super) board: Option<String>,
    /// What happened; the customer can read it.
    #[serde(default)]
    pub(super) description: Option<String>,
    /// Who asked.
    #[serde(default)]
    pub(super) contact: Option<String>,
    /// A status of that board.
    #[serde(default)]
    pub(super) status: Option<String>,
    /// How urgent.
    #[serde(default)]
    pub(super) priority: Option<String>,
    /// Instead of `priority`: the product's value; a mapping says which priority that is.
    #[serde(default)]
    pub(super) priority_value: Option<String>,
    /// What it is about.
    #[serde(default)]
    pub(super) ticket_type: Option<String>,
    /// The same, more closely.
    #[serde(default)]
    pub(super) subtype: Option<String>,
    /// The same, more closely still.
    #[serde(default)]
    pub(super) item: Option<String>,
    /// How it came in.
    #[serde(default)]
    pub(super) source: Option<String>,
    /// Who works on it: a member.
    #[serde(default)]
    pub(super) owner: Option<String>,
    /// What staff alone can read of it.
    #[serde(default)]
    pub(super) internal_description: Option<String>,
    /// Of this kind, where the provider has several.
    #[serde(default)]
    pub(super) kind: Option<String>,
    /// Values of fields that the tenant has added, by their ids.
    #[serde(default)]
    pub(super) custom_fields: Vec<CustomField>,
    /// Fields beyond ours, by the provider's names.
    #[serde(default)]
    pub(super) fields: Map<String, Value>,
    /// Your own key: handed in twice with the same content it is created once.
    #[serde(default)]
    pub(super) client_key: Option<String>,
    /// How long to wait for its end, in milliseconds, also longer than `call_timeout_ms`; it is safe on disk either way.
    #[serde(default)]
    pub(super) wait_ms: u64,
}

impl Create {
    /// What the provider is asked for.
    pub(super) fn request(&self) -> ops::CreateTicketRequest {
        ops::CreateTicketRequest {
            summary: self.summary.clone(),
            company: self.company.clone(),
            board: self.board.clone(),
            description: self.description.clone(),
            contact: self.contact.clone(),
            status: self.status.clone(),
            priority: self.priority.clone(),
            ticket_type: self.ticket_type.clone(),
            subtype: self.subtype.clone(),
            item: self.item.clone(),
            source: self.source.clone(),
            owner: self.owner.clone(),
            internal_description: self.internal_description.clone(),
            kind: self.kind.clone(),
            custom_fields: self.custom_fields.clone(),
            external_reference: None,
            fields: self.fields.clone(),
        }
    }
}

pub(crate) async fn create(core: &Core, params: Create, context: &CallContext) -> Result<OperationView, Error> {
    super::check_word("product_ticket", &params.product_ticket)?;
    if params.summary.trim().is_empty() {
        let message = "a ticket needs a summary";
        return Err(Error::invalid(format!("tickets.create: {message}")).field("/summary", "required", message));
    }
    let mut request = params.request();
    let place = Place { tenant: params.tenant, connection: params.connection };
    request.priority = changes::priority_of(core, &place, request.priority, params.priority_value.as_deref())?;
    let ticket = NewTicket { place, product_ticket: params.product_ticket, request };
    let row = core.outbox.accept_ticket(ticket, params.client_key.as_deref()).await?;
    waiting::for_end(core, row, params.wait_ms, context).await
}

/// The place of a link.
pub(super) fn place_of(core: &Core, tenant: &str, link: &str) -> Result<(Place, Option<String>), Error> {
    links::stored(core, tenant, link).map(|link| (link.place, link.ticket))
}
