//! Notes.
//!
//! Promises: every flag that decides who reads a note or is mailed is sent, whatever its value; a note read back is
//! internal only if its flags say so clearly.

use crate::client::{Client, Query, number};
use crate::map::Record;
use crate::paging;
use crate::tickets::{Kind, converted, kind_of, was_converted};
use psa_host_api::model::{Note, Page, PageRequest, Visibility};
use psa_host_api::ops::{AddNoteRequest, GetNoteRequest, ListNotesRequest};
use psa_host_api::sdk::Cx;
use psa_host_api::{Code, Error};
use serde_json::{Value, json};

/// Longer texts are refused before anything is sent, in characters. Source: facts 7.4, no limit is documented.
pub(crate) const TEXT_CHARS_MAX: usize = 30_000;

pub(crate) async fn list(client: &Client, cx: &Cx, request: ListNotesRequest) -> Result<Page<Note>, Error> {
    let ticket = number(&request.ticket, "ticket")?;
    let after = request.after.as_deref().map(|after| number(after, "after")).transpose()?;
    let kind = kind_of(client, cx, ticket).await?;
    match page_of(client, cx, kind, ticket, after, &request.page).await {
        Err(error) if error.code == Code::NotFound && was_converted(client, cx, ticket, kind).await => {
            let now = kind_of(client, cx, ticket).await?;
            page_of(client, cx, now, ticket, after, &request.page).await
        }
        outcome => outcome,
    }
}

/// A page of the notes of a ticket of a kind. `after` is a condition, so that it holds with either kind of paging.
pub(crate) async fn page_of(
    client: &Client,
    cx: &Cx,
    kind: Kind,
    ticket: u64,
    after: Option<u64>,
    page: &PageRequest,
) -> Result<Page<Note>, Error> {
    let query = after.map_or(Query::new(), |after| vec![("conditions", format!("id>{after}"))]);
    let path = format!("{}/notes", kind.path(ticket));
    let mut page = paging::list(client, cx, &path, query, page, |record| note_from(ticket, record)).await?;
    // Looked at again, in case the condition was ignored.
    page.items.retain(|note| note.id.parse::<u64>().ok().is_none_or(|id| Some(id) > after));
    Ok(page)
}

pub(crate) async fn get(client: &Client, cx: &Cx, request: GetNoteRequest) -> Result<Note, Error> {
    let ticket = number(&request.ticket, "ticket")?;
    let note = number(&request.note, "note")?;
    let kind = kind_of(client, cx, ticket).await?;
    let path = |kind: Kind| format!("{}/notes/{note}", kind.path(ticket));
    let outcome = client.get(cx, &path(kind), &Query::new()).await;
    let found = match outcome {
        Err(error) if error.code == Code::NotFound && was_converted(client, cx, ticket, kind).await => {
            let now = kind_of(client, cx, ticket).await?;
            client.get(cx, &path(now), &Query::new()).await?
        }
        outcome => outcome?,
    };
    note_from(ticket, Record::of(found)?)
}

pub(crate) async fn add(client: &Client, cx: &Cx, request: AddNoteRequest) -> Result<Note, Error> {
    let ticket = number(&request.ticket, "ticket")?;
    let body = note_body(&request)?;
    let kind = kind_of(client, cx, ticket).await?;
    match client.write(cx, "POST", &format!("{}/notes", kind.path(ticket)), &body).await {
        Ok(answer) => note_from(ticket, Record::of(answer)?),
        Err(error) => Err(converted(client, cx, ticket, kind, error).await),
    }
}

/// The body of a new note. Source: facts 7.2 for the flags, 7.3 for the member.
pub(crate) fn note_body(request: &AddNoteRequest) -> Result<Value, Error> {
    let length = request.text.chars().count();
    if length == 0 || length > TEXT_CHARS_MAX {
        let message = format!("text has {length} characters; 1 to {TEXT_CHARS_MAX} can be sent");
        return Err(Error::invalid(message.clone()).field("/text", "length", message));
    }
    let visibility = request.visibility;
    let mut body = json!({
        "text": request.text,
        "detailDescriptionFlag": visibility == Visibility::Public,
        "internalAnalysisFlag": visibility == Visibility::Internal,
        "resolutionFlag": visibility == Visibility::Resolution,
        "processNotifications": visibility != Visibility::Internal,
        "customerUpdatedFlag": false,
    });
    if let Some(member) = &request.member {
        body["member"] = json!({"id": number(member, "member")?});
    }
    Ok(body)
}

/// Who may read it. Null counts as false; what is not clearly internal is public. Source: facts 7.2.
pub(crate) fn visibility_of(detail: Option<bool>, internal: Option<bool>, resolution: Option<bool>) -> Visibility {
    let said = |flag: Option<bool>| flag.unwrap_or(false);
    match (said(detail), said(internal), said(resolution)) {
        (false, true, false) => Visibility::Internal,
        (_, _, true) => Visibility::Resolution,
        _ => Visibility::Public,
    }
}

/// A note of theirs in our words.
pub(crate) fn note_from(ticket: u64, mut record: Record<'_>) -> Result<Note, Error> {
    let Some(id) = record.id("id") else {
        return Err(Error::new(Code::Unavailable, "ConnectWise answered with a note that has no id").because("shape"));
    };
    let visibility = visibility_of(
        record.flag("detailDescriptionFlag"),
        record.flag("internalAnalysisFlag"),
        record.flag("resolutionFlag"),
    );
    let created_by = record.text("createdBy");
    let author = record.author(|_| created_by.clone());
    Ok(Note {
        id,
        ticket: record.id("ticketId").unwrap_or_else(|| ticket.to_string()),
        text: record.text("text").unwrap_or_default(),
        visibility,
        author,
        created_by,
        created_at: record.text("dateCreated"),
        updated_at: record.info("lastUpdated"),
        raw: record.rest(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use psa_host_api::model::AuthorKind;

    #[test]
    fn only_clear_flags_are_read_as_internal() {
        for (detail, internal, resolution, visibility) in [
            (Some(false), Some(true), Some(false), Visibility::Internal),
            (None, Some(true), None, Visibility::Internal),
            (Some(true), Some(true), Some(false), Visibility::Public),
            (Some(true), Some(false), Some(false), Visibility::Public),
            (Some(false), Some(true), Some(true), Visibility::Resolution),
            (Some(true), Some(false), Some(true), Visibility::Resolution),
            (Some(false), Some(false), Some(false), Visibility::Public),
            (None, None, None, Visibility::Public),
        ] {
            let note = json!({"id": 3, "text": "x", "detailDescriptionFlag": detail, "internalAnalysisFlag": internal,
                              "resolutionFlag": resolution, "member": {}, "sentimentScore": 0.5});
            let note = note_from(69, Record::of(note).unwrap()).unwrap();
            assert_eq!(note.visibility, visibility, "{detail:?} {internal:?} {resolution:?}");
            // The empty member is nobody; what has no word of ours survives.
            assert_eq!((note.author.kind, note.ticket.as_str()), (AuthorKind::Unknown, "69"));
            assert_eq!(note.raw.get("sentimentScore"), Some(json!(0.5)));
        }
    }

    #[test]
    fn a_text_that_cannot_be_sent_is_refused_before() {
        let body = |text: String, member: Option<&str>| {
            let (ticket, member) = ("1".to_owned(), member.map(str::to_owned));
            note_body(&AddNoteRequest { ticket, visibility: Visibility::Internal, text, member })
        };
        assert!(body("é".repeat(TEXT_CHARS_MAX), None).is_ok());
        for (text, member, at) in [
            (String::new(), None, "/text"),
            ("x".repeat(TEXT_CHARS_MAX + 1), None, "/text"),
            ("x".to_owned(), Some("jdoe"), "/member"),
        ] {
            assert_eq!(body(text, member).unwrap_err().fields[0].at, at);
        }
    }
}
