//! Methods of files at tickets.
//!
//! Holds: listing them, fetching one into the call's output, adding one from the call's input.
//! Promises: a file is sent once; if its answer was lost, it is looked for, and only one that nobody can mistake is taken
//! for it; otherwise the doubt stays, with what was seen.
//! Leaves to others: moving the bytes (`streams`). Why this is no operation of the outbox: decision 0010.

use crate::core::Core;
use crate::egress::Lane;
use crate::lists::Walk;
use crate::plugin::{CallContext, Terms};
use crate::store::{ConnectionState, Place, Record};
use psa_host_api::model::{Attachment, AttachmentContent, Page, PageRequest};
use psa_host_api::{Code, Error, ops};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Parameters of attachments.list.
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

pub(crate) async fn list(core: &Core, params: List, context: &CallContext) -> Result<Page<Attachment>, Error> {
    let List { tenant, connection, ticket, page } = params;
    let request = ops::ListAttachmentsRequest { ticket, page };
    core.connections.run::<ops::ListAttachments>(&Place { tenant, connection }, &request, context).await
}

/// Parameters of attachments.get.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Get {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The provider's id of the attachment.
    attachment: String,
}

pub(crate) async fn get(core: &Core, params: Get, context: &CallContext) -> Result<AttachmentContent, Error> {
    let Get { tenant, connection, attachment } = params;
    let request = ops::GetAttachmentRequest { attachment };
    let place = Place { tenant, connection };
    core.connections.run::<ops::GetAttachment>(&place, &request, &slowly(context)).await
}

/// Parameters of attachments.add.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Add {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The provider's id of the ticket.
    ticket: String,
    /// What people will call it.
    title: String,
    /// The file's name, without any folder.
    file_name: String,
    /// Whether the customer may see it: no default.
    public: bool,
    /// The media type; `application/octet-stream` if left out.
    #[serde(default)]
    content_type: Option<String>,
    /// Who does it, for the activity.
    #[serde(default = "super::product")]
    by: String,
}

pub(crate) async fn add(core: &Core, params: Add, context: &CallContext) -> Result<Attachment, Error> {
    check(&params)?;
    let Add { tenant, connection, ticket, title, file_name, public, content_type, by } = params;
    let place = Place { tenant, connection };
    may_write(core, &place)?;
    let before = all(core, &place, &ticket, context).await?;
    let detail = json!({"ticket": &ticket, "title": &title, "file_name": &file_name, "public": public});
    let entry = core.scribe.entry(&place, &by, "attachment.sent", Some(&ticket), &detail)?;
    core.store.note(Record { entries: vec![entry], events: Vec::new() }).await?;
    let request = ops::AddAttachmentRequest { ticket, title, file_name, public, content_type };
    let sent = core.connections.run::<ops::AddAttachment>(&place, &request, &slowly(context)).await;
    let whole = context.streams.input().is_some_and(|input| input.was_taken_whole());
    let error = match sent {
        Ok(attachment) if whole => return Ok(attachment),
        Ok(_) => {
            let message = "the PSA said that it has the file before it had all of it. Look at the ticket.";
            Error::new(Code::OutcomeUnknown, message).because("input_not_taken")
        }
        Err(error) if error.code == Code::OutcomeUnknown => error,
        Err(error) => return Err(error),
    };
    // A file that did not leave whole is not ours to find, even if one of its name is there.
    let size = context.streams.input().and_then(|input| input.len());
    let found = all(core, &place, &request.ticket, context).await;
    found_again(error, whole, &before, found, |one| is_it(one, &request, size))
}

/// Whether something at the PSA is what was sent, as far as it shows.
fn is_it(one: &Attachment, sent: &ops::AddAttachmentRequest, size: Option<u64>) -> bool {
    let named = one.file_name.as_ref().is_none_or(|name| alike(name, &sent.file_name));
    let sized = one.size.zip(size).is_none_or(|(there, sent)| there == sent);
    alike(&one.title, &sent.title) && named && sized
}

/// The same name. What could end a header or lead to a folder may have been replaced on its way.
fn alike(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    one == other || (!plain(one).is_empty() && plain(one) == plain(other))
}

/// The one new attachment that is it, or the doubt with what was seen.
fn found_again(
    mut error: Error,
    whole: bool,
    before: &[Attachment],
    found: Result<Vec<Attachment>, Error>,
    is_it: impl Fn(&Attachment) -> bool,
) -> Result<Attachment, Error> {
    let known: HashSet<&str> = before.iter().map(|one| one.id.as_str()).collect();
    let seen = match found {
        Err(why) => json!({"look": "failed", "why": why.message}),
        Ok(found) => {
            let new: Vec<Attachment> = found.into_iter().filter(|one| !known.contains(one.id.as_str())).collect();
            let mut ours = new.iter().filter(|one| is_it(one));
            if let (Some(one), None, true) = (ours.next(), ours.next(), whole) {
                return Ok(one.clone());
            }
            let shown = |one: &Attachment| json!({"id": one.id, "title": one.title, "file_name": one.file_name, "size": one.size});
            json!({"look": "done", "new": new.iter().map(shown).collect::<Vec<Value>>()})
        }
    };
    let mut details = match error.details.take() {
        Some(Value::Object(details)) => details,
        _ => Map::new(),
    };
    details.insert("seen".to_owned(), seen);
    error.details = Some(Value::Object(details));
    Err(error)
}

/// All attachments of a ticket, from the PSA itself.
async fn all(core: &Core, place: &Place, ticket: &str, context: &CallContext) -> Result<Vec<Attachment>, Error> {
    let mut items = Vec::new();
    let (mut page, mut walk) = (PageRequest::default(), Walk::default());
    loop {
        let request = ops::ListAttachmentsRequest { ticket: ticket.to_owned(), page };
        let found = core.connections.run::<ops::ListAttachments>(place, &request, context).await?;
        items.extend(found.items);
        match walk.next(found.next)? {
            Some(next) => page = next,
            None => return Ok(items),
        }
    }
}

/// A file may take minutes: it does not hold the place that is kept for a person who waits for a ticket.
fn slowly(context: &CallContext) -> CallContext {
    CallContext { terms: Terms { lane: Lane::Bulk, ..context.terms.clone() }, ..context.clone() }
}

/// What holds for every write: ours to send, and through a connection that is in use.
fn may_write(core: &Core, place: &Place) -> Result<(), Error> {
    let state = core.connections.stored(place)?.state;
    if !core.environment.is_ours() {
        let message = "the database belongs to another environment, so nothing is sent";
        return Err(Error::new(Code::Conflict, message).because("environment"));
    }
    if state != ConnectionState::Active {
        let message = "the connection is not in use, so nothing is sent. Test it, or resume it";
        return Err(Error::new(Code::Conflict, message).because("not_active"));
    }
    Ok(())
}

fn check(params: &Add) -> Result<(), Error> {
    super::check_word("title", &params.title)?;
    super::check_word("file_name", &params.file_name)?;
    let refuse = |field: &str, code: &str, message: &str| {
        Err(Error::invalid(format!("attachments.add: {field} {message}")).field(format!("/{field}"), code, message))
    };
    if params.file_name.contains(['/', '\\']) || matches!(params.file_name.as_str(), "." | "..") {
        return refuse("file_name", "file_name", "must be a file's name, without any folder");
    }
    let is_type =
        |text: &String| text.contains('/') && text.len() <= 128 && text.bytes().all(|b| (b' '..0x7f).contains(&b));
    if params.content_type.as_ref().is_some_and(|text| !is_type(text)) {
        return refuse("content_type", "media_type", "must be a media type like image/png");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_the_psa(id: &str, size: Option<u64>) -> Attachment {
        let (title, file_name) = ("Log".to_owned(), Some("log.txt".to_owned()));
        Attachment { id: id.to_owned(), title, file_name, size, ..Attachment::default() }
    }

    fn look(whole: bool, found: Result<Vec<Attachment>, Error>) -> Result<Attachment, Error> {
        let sent = ops::AddAttachmentRequest {
            ticket: "1".into(),
            title: "Log".into(),
            file_name: "log.txt".into(),
            public: false,
            content_type: None,
        };
        let error = Error { details: Some(json!({"wire": "in_doubt"})), ..Error::new(Code::OutcomeUnknown, "lost") };
        found_again(error, whole, &[at_the_psa("1", None)], found, |one| is_it(one, &sent, Some(7)))
    }

    #[test]
    fn exactly_one_new_file_of_that_name_and_size_is_the_one() {
        let found = vec![at_the_psa("1", None), at_the_psa("2", Some(7)), at_the_psa("3", Some(8))];
        assert_eq!(look(true, Ok(found)).unwrap().id, "2");
        assert_eq!(look(true, Ok(vec![at_the_psa("4", None)])).unwrap().id, "4", "a PSA that tells no size");
    }

    #[test]
    fn none_several_half_of_it_or_no_look_at_all_leave_the_doubt_with_what_was_seen() {
        let two = vec![at_the_psa("2", Some(7)), at_the_psa("3", Some(7))];
        let other = Attachment { title: "Other".into(), ..at_the_psa("5", Some(7)) };
        for (whole, found, new) in [
            (true, vec![at_the_psa("1", None)], json!([])),
            (true, two, json!(["2", "3"])),
            (true, vec![other], json!(["5"])),
            (false, vec![at_the_psa("2", Some(7))], json!(["2"])),
        ] {
            let error = look(whole, Ok(found)).unwrap_err();
            let details = error.details.unwrap();
            let ids: Vec<Value> =
                details["seen"]["new"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
            assert_eq!((error.code, json!(ids), &details["wire"]), (Code::OutcomeUnknown, new, &json!("in_doubt")));
        }
        let error = look(true, Err(Error::new(Code::Timeout, "late"))).unwrap_err();
        assert_eq!(error.details.unwrap()["seen"], json!({"look": "failed", "why": "late"}));
    }
}
