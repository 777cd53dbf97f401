//! Tickets: service and project tickets in one id space.

use crate::client::{Client, Query, number, record};
use crate::map::Record;
use crate::paging::Order;
use crate::update::no_place_for_marks;
use crate::{conditions, paging};
use psa_host_api::model::{CustomField, Page, Ticket, TicketFilter};
use psa_host_api::ops::{GetTicketRequest, SearchTicketsRequest};
use psa_host_api::sdk::Cx;
use psa_host_api::{Code, Error};
use serde_json::{Map, Value};

/// How long it is remembered which kind a ticket is, in milliseconds. It changes when somebody converts it, which is found
/// out when the path of the old kind is not there; looking it up costs a second read for every project ticket.
const KIND_TTL_MS: u64 = 24 * 3_600_000;

/// Which of the two a ticket is; it decides the path. Source: facts 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Service,
    Project,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Service, Kind::Project];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Service => "service",
            Kind::Project => "project",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The path of a ticket of this kind.
    pub(crate) fn path(self, ticket: u64) -> String {
        format!("{}/tickets/{ticket}", self.name())
    }
}

fn kind_key(ticket: u64) -> String {
    format!("kind/{ticket}")
}

pub(crate) async fn get(client: &Client, cx: &Cx, request: GetTicketRequest) -> Result<Ticket, Error> {
    let ticket = number(&request.ticket, "ticket")?;
    let (kind, record) = find(client, cx, ticket).await?;
    ticket_from(client, kind, Record::new(record))
}

/// The kind of a ticket and its record. The remembered kind is asked for first; the other if it is not there.
pub(crate) async fn find(client: &Client, cx: &Cx, ticket: u64) -> Result<(Kind, Map<String, Value>), Error> {
    let remembered = remembered_kind(cx, ticket)?;
    let first = remembered.unwrap_or(Kind::Service);
    let second = if first == Kind::Service { Kind::Project } else { Kind::Service };
    let mut outcome = read(client, cx, first, ticket).await;
    let mut kind = first;
    if is_missing(&outcome) {
        // What the first said is the better error if the second may not be read.
        match read(client, cx, second, ticket).await {
            Ok(record) => (kind, outcome) = (second, Ok(record)),
            Err(error) if error.code == Code::Forbidden || error.code == Code::NotFound => {}
            Err(error) => outcome = Err(error),
        }
    }
    let record = outcome?;
    if remembered != Some(kind) {
        cx.cache().put(&kind_key(ticket), &kind.name(), KIND_TTL_MS)?;
    }
    Ok((kind, record))
}

fn is_missing(outcome: &Result<Map<String, Value>, Error>) -> bool {
    outcome.as_ref().is_err_and(|error| error.code == Code::NotFound)
}

async fn read(client: &Client, cx: &Cx, kind: Kind, ticket: u64) -> Result<Map<String, Value>, Error> {
    record(client.get(cx, &kind.path(ticket), &Query::new()).await?)
}

fn remembered_kind(cx: &Cx, ticket: u64) -> Result<Option<Kind>, Error> {
    let name: Option<String> = cx.cache().get(&kind_key(ticket))?;
    Ok(name.as_deref().and_then(Kind::from_name))
}

/// The kind of a ticket, remembered or looked up.
pub(crate) async fn kind_of(client: &Client, cx: &Cx, ticket: u64) -> Result<Kind, Error> {
    match remembered_kind(cx, ticket)? {
        Some(kind) => Ok(kind),
        None => Ok(find(client, cx, ticket).await?.0),
    }
}

/// Looks again after a path of the remembered kind was not found: true if the ticket is of another kind by now.
pub(crate) async fn was_converted(client: &Client, cx: &Cx, ticket: u64, before: Kind) -> bool {
    let forgotten = cx.cache().remove(&kind_key(ticket));
    forgotten.is_ok() && find(client, cx, ticket).await.is_ok_and(|(now, _)| now != before)
}

/// What an error of a write means if the ticket is of another kind by now: the next try finds the right path. Nothing was
/// written, because nothing is under the path of the other kind. Source: facts 6, "convert".
pub(crate) async fn converted(client: &Client, cx: &Cx, ticket: u64, before: Kind, error: Error) -> Error {
    if error.code != Code::NotFound || !was_converted(client, cx, ticket, before).await {
        return error;
    }
    let message = format!("ticket {ticket} has been converted to another kind meanwhile; try again");
    Error { message, code: Code::Unavailable, ..error }.because("ticket_converted")
}

pub(crate) async fn search(client: &Client, cx: &Cx, request: SearchTicketsRequest) -> Result<Page<Ticket>, Error> {
    let kind = match request.filter.kind.as_deref() {
        None => Kind::Service,
        Some(name) => Kind::from_name(name).ok_or_else(|| {
            let message = "kind must be service or project";
            Error::invalid(message).field("/filter/kind", "option", message)
        })?,
    };
    if kind == Kind::Project && request.filter.external_reference.is_some() {
        return Err(no_place_for_marks("/filter/external_reference"));
    }
    let conditions = conditions::of_tickets(&request.filter)?;
    let mut query = Query::new();
    if !conditions.is_empty() {
        query.push(("conditions", conditions));
    }
    let order = if request.filter.newest_first { Order::Newest } else { Order::Oldest };
    let path = format!("{}/tickets", kind.name());
    let read = |record: Record<'_>| ticket_from(client, kind, record);
    let mut page = paging::list_by(order, client, cx, &path, query, &request.page, read).await?;
    page.items.retain(|ticket| fits(&request.filter, ticket));
    Ok(page)
}

/// Looked at again, in case a condition was ignored: a ticket found by its mark is taken for ours.
fn fits(filter: &TicketFilter, ticket: &Ticket) -> bool {
    let id = |text: &String| text.parse::<u64>().unwrap_or_default();
    let marked = filter.external_reference.is_none() || filter.external_reference == ticket.external_reference;
    marked && filter.made_after.as_ref().is_none_or(|after| id(&ticket.id) > id(after))
}

/// A ticket of theirs in our words.
pub(crate) fn ticket_from(client: &Client, kind: Kind, mut record: Record<'_>) -> Result<Ticket, Error> {
    let Some(id) = record.id("id") else {
        return Err(Error::new(Code::Unavailable, "ConnectWise answered with a ticket that has no id").because("shape"));
    };
    let [created_at, updated_at, created_by, updated_by] =
        record.infos(["dateEntered", "lastUpdated", "enteredBy", "updatedBy"]);
    Ok(Ticket {
        number: id.clone(),
        summary: record.text("summary").unwrap_or_default(),
        kind: Some(kind.name().to_owned()),
        board: record.reference("board"),
        status: record.status("status"),
        priority: record.reference("priority"),
        ticket_type: record.reference("type"),
        subtype: record.reference("subType"),
        item: record.reference("item"),
        source: record.reference("source"),
        custom_fields: record.children("customFields").unwrap_or_default().into_iter().map(custom_field).collect(),
        company: record.reference("company"),
        contact: record.reference("contact"),
        owner: record.reference("owner"),
        closed: record.known("closedFlag"),
        external_reference: record.text("externalXRef").filter(|text| !text.is_empty()),
        merged_into: record.reference("mergedParentTicket").map(|parent| parent.id),
        created_at,
        updated_at,
        created_by,
        updated_by,
        url: Some(format!("{}/v4_6_release/ConnectWise.aspx?routeTo=ServiceFV&recid={id}", client.settings.web)),
        id,
        raw: record.rest(),
    })
}

/// A field of the tenant's. The whole array stays in `raw`, because only the whole can be written. Source: facts 4.
fn custom_field(mut field: Record<'_>) -> CustomField {
    CustomField {
        id: field.id("id").unwrap_or_default(),
        name: field.text("caption"),
        value: field.value("value").unwrap_or_default(),
    }
}
