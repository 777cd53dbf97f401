//! Methods that change a linked ticket in other ways than by its status.

use super::{links, waiting};
use crate::core::Core;
use crate::lists::whole_catalog;
use crate::outbox::{NewStatus, OperationView};
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::model::{CatalogEntry, CatalogKind, Known, Status};
use psa_host_api::ops::{self, TicketChanges};
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Parameters of tickets.update.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Update {
    /// Whose.
    pub(super) tenant: String,
    /// On which link.
    pub(super) link: String,
    /// What becomes another; an empty text takes a value away.
    pub(super) changes: TicketChanges,
    /// Instead of `changes.priority`: the product's value; a mapping says which priority that is.
    #[serde(default)]
    priority_value: Option<String>,
    /// Your own key: handed in twice with the same content it is done once.
    #[serde(default)]
    client_key: Option<String>,
    /// How long to wait for its end, in milliseconds, also longer than `call_timeout_ms`; it is safe on disk either way.
    #[serde(default)]
    wait_ms: u64,
}

impl Update {
    /// What the provider is asked for.
    pub(super) fn wanted(&self, core: &Core, place: &Place) -> Result<TicketChanges, Error> {
        let mut changes = self.changes.clone();
        if changes.status.is_some() && changes.board.is_none() {
            let message = "a status alone is given to tickets.set_status, which looks what it was before";
            return Err(Error::invalid(format!("tickets.update: {message}")).field(
                "/changes/status",
                "elsewhere",
                message,
            ));
        }
        let priority = priority_of(core, place, changes.priority.take(), self.priority_value.as_deref())?;
        changes.priority = priority;
        Ok(changes)
    }
}

/// The provider's priority: the one that was said, or the one that stands for the product's value.
pub(super) fn priority_of(
    core: &Core,
    place: &Place,
    priority: Option<String>,
    value: Option<&str>,
) -> Result<Option<String>, Error> {
    let (None, Some(value)) = (&priority, value) else {
        if value.is_some() {
            let message = "give either priority or priority_value";
            return Err(Error::invalid(message).field("/priority_value", "one_of", message));
        }
        return Ok(priority);
    };
    let mapped = core.store.mapped_priority(place, value)?;
    mapped.map(Some).ok_or_else(|| {
        let message = format!("no priority is mapped to \"{value}\"; map it with priorities.map");
        Error::new(Code::Conflict, message.clone()).because("needs_mapping").field(
            "/priority_value",
            "unmapped",
            message,
        )
    })
}

pub(crate) async fn update(core: &Core, params: Update, context: &CallContext) -> Result<OperationView, Error> {
    let place = links::stored(core, &params.tenant, &params.link)?.place;
    let changes = params.wanted(core, &place)?;
    let Update { tenant, link, client_key, wait_ms, .. } = params;
    let row = core.outbox.accept_update(&tenant, &link, changes, client_key.as_deref()).await?;
    waiting::for_end(core, row, wait_ms, context).await
}

/// Parameters of tickets.close.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Close {
    /// Whose.
    tenant: String,
    /// On which link.
    link: String,
    /// The status the user saw: if the ticket is in another one by then, nothing is changed.
    #[serde(default)]
    base: Option<String>,
    /// Your own key: handed in twice it is done once.
    #[serde(default)]
    client_key: Option<String>,
    /// How long to wait for its end, in milliseconds, also longer than `call_timeout_ms`; it is safe on disk either way.
    #[serde(default)]
    wait_ms: u64,
}

pub(crate) async fn close(core: &Core, params: Close, context: &CallContext) -> Result<OperationView, Error> {
    let Close { tenant, link, base, client_key, wait_ms } = params;
    let stored = links::stored(core, &tenant, &link)?;
    let Some(ticket) = stored.ticket.clone() else {
        return Err(Error::new(Code::Conflict, "its ticket is not there yet").because("ticket_missing"));
    };
    let request = ops::GetTicketRequest { ticket };
    let found = core.connections.run::<ops::GetTicket>(&stored.place, &request, context).await?;
    let status = closing_status(core, &stored.place, found.board.map(|board| board.id), context).await?;
    let status = NewStatus { status: Some(status), value: None, base, not_after: None };
    let row = core.outbox.accept_status(&tenant, &link, status, client_key.as_deref()).await?;
    waiting::for_end(core, row, wait_ms, context).await
}

/// The one status of a board that closes. Which of several is meant only the product can say.
async fn closing_status(
    core: &Core,
    place: &Place,
    scope: Option<String>,
    context: &CallContext,
) -> Result<String, Error> {
    let all = whole_catalog(core, place, CatalogKind::Statuses, scope.as_deref(), context).await?;
    let closing: Vec<Status> = all
        .into_iter()
        .filter_map(|entry| match entry {
            CatalogEntry::Status(status) if status.closed == Known::Yes && !status.inactive => Some(status),
            _ => None,
        })
        .collect();
    match closing.as_slice() {
        [only] => Ok(only.id.clone()),
        several => {
            let names: Vec<String> =
                several.iter().map(|status| format!("{} (id {})", status.name, status.id)).collect();
            let message = match names.as_slice() {
                [] => "the ticket's board has no status that closes; set one with tickets.set_status".to_owned(),
                names => format!(
                    "several statuses of the ticket's board close it: {}. Say which with tickets.set_status",
                    names.join(", ")
                ),
            };
            let mut error = Error::new(Code::Conflict, message).because("which_status");
            error.details = Some(json!({"statuses": several.iter().map(|status| &status.id).collect::<Vec<_>>()}));
            Err(error)
        }
    }
}
