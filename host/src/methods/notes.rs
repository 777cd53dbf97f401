//! Methods of notes.

use crate::connections::ConnectionRoom;
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::model::{Note, Page, PageRequest, Visibility};
use psa_host_api::ops;
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Parameters of notes.post.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Post {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The provider's id of the ticket.
    ticket: String,
    /// Who may read it.
    visibility: Visibility,
    /// Plain text.
    text: String,
    /// The provider's id of the member shown as the author; the connection's account if left out.
    #[serde(default)]
    member: Option<String>,
}

pub(crate) async fn post(room: &ConnectionRoom, params: Post, context: &CallContext) -> Result<Note, Error> {
    let Post { tenant, connection, ticket, visibility, text, member } = params;
    if text.trim().is_empty() {
        let message = "a note needs a text";
        return Err(Error::invalid(format!("notes.post: {message}")).field("/text", "required", message));
    }
    let request = ops::AddNoteRequest { ticket, visibility, text, member };
    let note = room.run::<ops::AddNote>(&Place { tenant, connection }, &request, context).await?;
    if note.visibility == visibility { Ok(note) } else { Err(shown_otherwise(&note, visibility)) }
}

/// The note is there, and others may read it than were meant: neither a success nor something to repeat.
fn shown_otherwise(note: &Note, wanted: Visibility) -> Error {
    let word = |visibility: Visibility| format!("{visibility:?}").to_lowercase();
    let (wanted, got) = (word(wanted), word(note.visibility));
    let message = format!(
        "note {} was posted as {wanted} and the PSA shows it as {got}. Do not post it again: look at it in the PSA",
        note.id
    );
    let mut error = Error::new(Code::OutcomeUnknown, message).because("visibility_differs");
    error.details = Some(json!({"note": note.id, "wanted": wanted, "got": got, "wire": "answered"}));
    error
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
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

pub(crate) async fn list(room: &ConnectionRoom, params: List, context: &CallContext) -> Result<Page<Note>, Error> {
    let List { tenant, connection, ticket, page } = params;
    let request = ops::ListNotesRequest { ticket, page };
    room.run::<ops::ListNotes>(&Place { tenant, connection }, &request, context).await
}
