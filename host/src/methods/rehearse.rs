//! What a writing method would send.
//!
//! Promises: nothing is sent that changes anything, and nothing is kept.

use super::{changes, notes, tickets, time, typed};
use crate::core::Core;
use crate::plugin::{CallContext, Terms};
use crate::store::Place;
use psa_host_api::ops::{self, Operation};
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, PoisonError};

/// Parameters of rehearse.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rehearse {
    /// `notes.post`, `tickets.create`, `tickets.set_status`, `tickets.update` or `time.post`.
    method: String,
    /// As that method takes them.
    params: Map<String, Value>,
}

/// What would be sent.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Rehearsed {
    /// Each request: method, url, headers, body; secrets by their names.
    requests: Vec<Value>,
}

pub(crate) async fn run(core: &Core, params: Rehearse, context: &CallContext) -> Result<Rehearsed, Error> {
    let Rehearse { method, params } = params;
    let value = Value::Object(params);
    match method.as_str() {
        "notes.post" => {
            let notes::Post { tenant, link, visibility, text, member, agent, .. } = typed(value, "notes.post")?;
            crate::outbox::check_text("notes.post", "text", &text)?;
            let (place, ticket) = tickets::place_of(core, &tenant, &link)?;
            let member = member_for(core, &place, member, agent.as_deref())?;
            let request = ops::AddNoteRequest { ticket: there(ticket)?, visibility, text, member };
            one::<ops::AddNote>(core, &place, &request, context).await
        }
        "tickets.set_status" => {
            let tickets::SetStatus { tenant, link, status, value, base, .. } = typed(value, "tickets.set_status")?;
            let (place, ticket) = tickets::place_of(core, &tenant, &link)?;
            let ticket = there(ticket)?;
            let read = ops::GetTicketRequest { ticket: ticket.clone() };
            let found = core.connections.run::<ops::GetTicket>(&place, &read, context).await?;
            let scope = found.board.map(|board| board.id).unwrap_or_default();
            let mapped = match &value {
                Some(value) => core.store.mapped_status(&place, &scope, value)?,
                None => None,
            };
            let status = status.or(mapped).ok_or_else(|| {
                let message = format!("no status of board {scope} is mapped to this value");
                Error::new(Code::NotFound, message).because("needs_mapping")
            })?;
            let request = ops::SetTicketStatusRequest { ticket, status, expected: base };
            one::<ops::SetTicketStatus>(core, &place, &request, context).await
        }
        "tickets.create" => {
            let create: tickets::Create = typed(value, "tickets.create")?;
            let place = Place { tenant: create.tenant.clone(), connection: create.connection.clone() };
            let reference = Some("psa-bridge (a random token)".to_owned());
            let mut request = ops::CreateTicketRequest { external_reference: reference, ..create.request() };
            request.priority = changes::priority_of(core, &place, request.priority, create.priority_value.as_deref())?;
            one::<ops::CreateTicket>(core, &place, &request, context).await
        }
        "tickets.update" => {
            let update: changes::Update = typed(value, "tickets.update")?;
            let (place, ticket) = tickets::place_of(core, &update.tenant, &update.link)?;
            let request = ops::UpdateTicketRequest { ticket: there(ticket)?, changes: update.wanted(core, &place)? };
            one::<ops::UpdateTicket>(core, &place, &request, context).await
        }
        "time.post" => {
            let post: time::Post = typed(value, "time.post")?;
            let (place, ticket) = tickets::place_of(core, &post.tenant, &post.link)?;
            let entry = post.entry()?;
            let member = member_for(core, &place, entry.member.clone(), post.agent.as_deref())?;
            let request = ops::AddTimeEntryRequest { ticket: there(ticket)?, member, ..entry };
            one::<ops::AddTimeEntry>(core, &place, &request, context).await
        }
        _ => {
            let message =
                "rehearse: method must be notes.post, tickets.create, tickets.set_status, tickets.update or time.post";
            Err(Error::invalid(message).because("unknown_method").field("/method", "one_of", message))
        }
    }
}

fn member_for(
    core: &Core,
    place: &Place,
    member: Option<String>,
    agent: Option<&str>,
) -> Result<Option<String>, Error> {
    Ok(core.outbox.desk.member_for(place, member.as_ref(), agent)?)
}

fn there(ticket: Option<String>) -> Result<String, Error> {
    ticket.ok_or_else(|| Error::new(Code::Conflict, "its ticket is not there yet").because("ticket_missing"))
}

async fn one<O: Operation>(
    core: &Core,
    place: &Place,
    request: &O::Request,
    context: &CallContext,
) -> Result<Rehearsed, Error> {
    let noted = Arc::new(Mutex::new(Vec::new()));
    let terms = Terms { rehearsal: Some(noted.clone()), ..Terms::default() };
    let context = CallContext { terms, ..context.clone() };
    let outcome = core.connections.run::<O>(place, request, &context).await;
    let requests = std::mem::take(&mut *noted.lock().unwrap_or_else(PoisonError::into_inner));
    match outcome {
        // Nothing would be sent, because all is as wanted already.
        Ok(_) => Ok(Rehearsed { requests }),
        Err(_) if !requests.is_empty() => Ok(Rehearsed { requests }),
        Err(error) => Err(error),
    }
}
