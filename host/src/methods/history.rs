//! Methods that read what was said and done at a ticket, and what has no word of ours.

use crate::core::Core;
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::model::{AuditEntry, ConversationEntry, Note, Page, PageRequest};
use psa_host_api::ops;
use schemars::JsonSchema;
use serde::Deserialize;

/// Parameters that name a ticket at the PSA.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfTicket {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The provider's id of the ticket.
    ticket: String,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

pub(crate) async fn conversation(
    core: &Core,
    params: OfTicket,
    context: &CallContext,
) -> Result<Page<ConversationEntry>, Error> {
    let OfTicket { tenant, connection, ticket, page } = params;
    let request = ops::ListConversationRequest { ticket, page };
    core.connections.run::<ops::ListConversation>(&Place { tenant, connection }, &request, context).await
}

pub(crate) async fn audit_trail(
    core: &Core,
    params: OfTicket,
    context: &CallContext,
) -> Result<Page<AuditEntry>, Error> {
    let OfTicket { tenant, connection, ticket, page } = params;
    let request = ops::ListAuditTrailRequest { ticket, page };
    core.connections.run::<ops::ListAuditTrail>(&Place { tenant, connection }, &request, context).await
}

/// Parameters of notes.get.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetNote {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The provider's id of the ticket.
    ticket: String,
    /// The provider's id of the note.
    note: String,
}

pub(crate) async fn note(core: &Core, params: GetNote, context: &CallContext) -> Result<Note, Error> {
    let GetNote { tenant, connection, ticket, note } = params;
    let request = ops::GetNoteRequest { ticket, note };
    core.connections.run::<ops::GetNote>(&Place { tenant, connection }, &request, context).await
}

/// Parameters of raw.read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadRaw {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// Below the provider's base path, without a leading slash.
    path: String,
    /// Names and values of the query, not yet encoded.
    #[serde(default)]
    query: Vec<(String, String)>,
}

pub(crate) async fn raw(core: &Core, params: ReadRaw, context: &CallContext) -> Result<ops::RawAnswer, Error> {
    let ReadRaw { tenant, connection, path, query } = params;
    let request = ops::RawRequest { path, query };
    core.connections.run::<ops::ReadRaw>(&Place { tenant, connection }, &request, context).await
}
