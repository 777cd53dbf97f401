//! Methods of notes.

use super::waiting;
use crate::core::Core;
use crate::outbox::{NewNote, OperationView};
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::model::{Note, Page, PageRequest, Visibility};
use psa_host_api::ops;
use schemars::JsonSchema;
use serde::Deserialize;

/// Parameters of notes.post.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Post {
    /// Whose.
    pub(super) tenant: String,
    /// On which link.
    pub(super) link: String,
    /// Who may read it.
    pub(super) visibility: Visibility,
    /// Plain text.
    pub(super) text: String,
    /// The provider's id of the member shown as the author.
    #[serde(default)]
    pub(super) member: Option<String>,
    /// The product's id of the author; the member mapped to it is shown. Without either, and for an agent that no
    /// member stands for, the connection's account is.
    #[serde(default)]
    pub(super) agent: Option<String>,
    /// Your own key: handed in twice with the same content it is posted once.
    #[serde(default)]
    pub(super) client_key: Option<String>,
    /// How long to wait for its end, in milliseconds, also longer than `call_timeout_ms`; it is safe on disk either way.
    #[serde(default)]
    pub(super) wait_ms: u64,
}

pub(crate) async fn post(core: &Core, params: Post, context: &CallContext) -> Result<OperationView, Error> {
    let Post { tenant, link, visibility, text, member, agent, client_key, wait_ms } = params;
    let note = NewNote { text, visibility, member, agent };
    let row = core.outbox.accept_note(&tenant, &link, note, client_key.as_deref()).await?;
    waiting::for_end(core, row, wait_ms, context).await
}

/// Parameters of notes.list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The provider's id of the ticket.
    ticket: String,
    /// Only notes made after the one with this id.
    #[serde(default)]
    after: Option<String>,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

pub(crate) async fn list(core: &Core, params: List, context: &CallContext) -> Result<Page<Note>, Error> {
    let List { tenant, connection, ticket, after, page } = params;
    let request = ops::ListNotesRequest { ticket, after, page };
    core.connections.run::<ops::ListNotes>(&Place { tenant, connection }, &request, context).await
}
