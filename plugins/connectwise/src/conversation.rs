//! What was said at a ticket: notes and time in one list.
//!
//! Promises: an entry's key is its kind and id together, because notes and time entries have ids of their own; nothing is
//! read as internal unless its flags say so; a cursor goes on where its page ended, in the list it is of.
//! Leaves to others: notes alone (`notes`), time with its hours (`time`).

use crate::client::{Client, Query, number};
use crate::map::Record;
use crate::notes::visibility_of;
use crate::paging::{self, Order};
use crate::tickets::{Kind, kind_of, was_converted};
use crate::{notes, time};
use psa_host_api::model::{
    Author, AuthorKind, ConversationEntry, ConversationKind, Note, Page, PageRequest, TimeEntry,
};
use psa_host_api::ops::ListConversationRequest;
use psa_host_api::sdk::Cx;
use psa_host_api::{Code, Error};
use serde_json::Value;

/// Which list a cursor is of: theirs of everything or, on servers that have none, notes and then time.
const ALL: &str = "all";
const NOTES: &str = "notes";
const TIME: &str = "time";

pub(crate) async fn list(
    client: &Client,
    cx: &Cx,
    request: ListConversationRequest,
) -> Result<Page<ConversationEntry>, Error> {
    let ticket = number(&request.ticket, "ticket")?;
    let (list, page) = part_of(&request.page)?;
    let mut kind = kind_of(client, cx, ticket).await?;
    match list {
        NOTES => return notes_of(client, cx, kind, ticket, &page).await,
        TIME => return time_of(client, cx, kind, ticket, &page).await,
        _ => {}
    }
    let mut outcome = all_of(client, cx, kind, ticket, &page).await;
    let missing = |code: Code| matches!(code, Code::NotFound | Code::Unsupported);
    if outcome.as_ref().is_err_and(|error| missing(error.code)) && was_converted(client, cx, ticket, kind).await {
        kind = kind_of(client, cx, ticket).await?;
        outcome = all_of(client, cx, kind, ticket, &page).await;
    }
    match outcome {
        // Older servers have no such list. Source: facts 7.1. In the middle of it that is an error like any other.
        Err(error) if missing(error.code) && page.cursor.is_none() => notes_of(client, cx, kind, ticket, &page).await,
        outcome => outcome,
    }
}

/// The list of a cursor, and the cursor within it.
fn part_of(page: &PageRequest) -> Result<(&'static str, PageRequest), Error> {
    let Some(cursor) = &page.cursor else { return Ok((ALL, page.clone())) };
    let found = cursor.split_once('/').and_then(|(name, rest)| {
        let list = [ALL, NOTES, TIME].into_iter().find(|list| *list == name)?;
        // Time begins without a cursor of its own.
        let inner = (list != TIME || !rest.is_empty()).then(|| rest.to_owned());
        Some((list, PageRequest { cursor: inner, limit: page.limit }))
    });
    found.ok_or_else(|| {
        let message = "this cursor is not from a page of this list; begin without one";
        Error::invalid(message).because("cursor").field("/page/cursor", "cursor", message)
    })
}

/// By page numbers: ids are of several ranges here, so none can be gone on from. Source: facts 7.1.
async fn all_of(
    client: &Client,
    cx: &Cx,
    kind: Kind,
    ticket: u64,
    page: &PageRequest,
) -> Result<Page<ConversationEntry>, Error> {
    let path = format!("{}/allNotes", kind.path(ticket));
    let read = |record: Record<'_>| entry_from(ticket, record);
    let page = paging::list_by(Order::OldestNumbered, client, cx, &path, Query::new(), page, read).await?;
    Ok(Page { items: in_order(page.items), next: page.next.map(|next| format!("{ALL}/{next}")) })
}

async fn notes_of(
    client: &Client,
    cx: &Cx,
    kind: Kind,
    ticket: u64,
    page: &PageRequest,
) -> Result<Page<ConversationEntry>, Error> {
    let notes = notes::page_of(client, cx, kind, ticket, None, page).await?;
    let next = notes.next.map_or(format!("{TIME}/"), |next| format!("{NOTES}/{next}"));
    Ok(Page { items: in_order(notes.items.into_iter().map(of_note).collect()), next: Some(next) })
}

async fn time_of(
    client: &Client,
    cx: &Cx,
    kind: Kind,
    ticket: u64,
    page: &PageRequest,
) -> Result<Page<ConversationEntry>, Error> {
    let time = time::page_of(client, cx, kind, ticket, None, page).await?;
    let items = time.items.into_iter().map(|entry| of_time(ticket, entry)).collect();
    Ok(Page { items: in_order(items), next: time.next.map(|next| format!("{TIME}/{next}")) })
}

/// An entry of theirs in our words. Source: facts 7.1, the model of `allNotes`.
fn entry_from(ticket: u64, mut record: Record<'_>) -> Result<ConversationEntry, Error> {
    let Some(id) = record.id("id") else {
        return Err(Error::new(Code::Unavailable, "ConnectWise answered with a note that has no id").because("shape"));
    };
    let kind = match record.text("noteType").as_deref() {
        Some("TimeEntryNote") => ConversationKind::Time,
        Some("MeetingNote") => ConversationKind::Meeting,
        _ => ConversationKind::Note,
    };
    let visibility = visibility_of(
        record.flag("detailDescriptionFlag"),
        record.flag("internalAnalysisFlag"),
        record.flag("resolutionFlag"),
    );
    let author = record.author(|record| record.text("originalAuthor"));
    // The copy of a bundle's other ticket came from there as well. Source: facts 6, "bundles".
    let merged = record.flag("mergedFlag") == Some(true);
    let bundled = record.flag("bundledFlag") == Some(true);
    Ok(ConversationEntry {
        kind,
        id,
        ticket: record.reference("ticket").map_or_else(|| ticket.to_string(), |ticket| ticket.id),
        text: record.text("text").unwrap_or_default(),
        visibility,
        author,
        merged: merged || bundled,
        created_at: record.info("dateEntered").or_else(|| record.text("dateCreated")),
        started_at: record.text("timeStart"),
        ended_at: record.text("timeEnd"),
        raw: record.rest(),
    })
}

fn of_note(note: Note) -> ConversationEntry {
    ConversationEntry {
        kind: ConversationKind::Note,
        id: note.id,
        ticket: note.ticket,
        text: note.text,
        visibility: note.visibility,
        author: note.author,
        merged: false,
        created_at: note.created_at,
        started_at: None,
        ended_at: None,
        raw: note.raw,
    }
}

fn of_time(ticket: u64, entry: TimeEntry) -> ConversationEntry {
    let flags = entry.raw.members();
    let flag = |name: &str| flags.get(name).and_then(Value::as_bool);
    let visibility = visibility_of(
        flag("addToDetailDescriptionFlag"),
        flag("addToInternalAnalysisFlag"),
        flag("addToResolutionFlag"),
    );
    let author = match entry.member {
        Some(member) => Author { kind: AuthorKind::Member, id: Some(member.id), name: member.name },
        None => Author { kind: AuthorKind::Unknown, id: None, name: entry.created_by },
    };
    ConversationEntry {
        kind: ConversationKind::Time,
        id: entry.id,
        ticket: ticket.to_string(),
        text: entry.notes,
        visibility,
        author,
        merged: false,
        created_at: entry.created_at,
        started_at: entry.started_at,
        ended_at: entry.ended_at,
        raw: entry.raw,
    }
}

/// Within a page by time; what says no time stays where it was, behind what came before it.
fn in_order(mut entries: Vec<ConversationEntry>) -> Vec<ConversationEntry> {
    let mut last = String::new();
    let mut times = Vec::with_capacity(entries.len());
    for entry in &entries {
        let time = entry.created_at.as_ref().or(entry.started_at.as_ref());
        last = time.cloned().unwrap_or(last);
        times.push(last.clone());
    }
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by(|left, right| times[*left].cmp(&times[*right]));
    let mut slots: Vec<Option<ConversationEntry>> = entries.drain(..).map(Some).collect();
    order.into_iter().filter_map(|index| slots[index].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use psa_host_api::model::Visibility;

    #[test]
    fn entries_say_their_kind_ticket_author_and_who_may_read_them() {
        let kept: Vec<Value> = serde_json::from_str(include_str!("../tests/kept/all-notes.json")).unwrap();
        let entries: Vec<_> =
            kept.into_iter().map(|value| entry_from(69, Record::of(value).unwrap()).unwrap()).collect();
        let found: Vec<_> = entries
            .iter()
            .map(|it| (it.kind, it.id.as_str(), it.ticket.as_str(), it.visibility, it.merged, it.author.kind))
            .collect();
        use {AuthorKind::*, ConversationKind::*, Visibility::*};
        assert_eq!(
            found,
            [
                (Note, "3", "69", Public, false, Contact),
                (Time, "3", "69", Internal, false, Member),
                (Note, "7", "42", Resolution, true, Unknown),
                (Meeting, "9", "69", Public, true, Member),
            ]
        );
        assert_eq!(entries[1].started_at.as_deref(), Some("2026-01-31T10:00:00Z"));
        assert_eq!(
            (entries[2].author.name.as_deref(), entries[2].raw.get("isMarkdownFlag")),
            (Some("old author"), Some(Value::Bool(true)))
        );
        let ordered: Vec<_> = in_order(entries).into_iter().map(|it| (it.kind, it.id)).collect();
        let expected = [(Time, "3"), (Note, "3"), (Note, "7"), (Meeting, "9")];
        assert_eq!(ordered, expected.map(|(kind, id)| (kind, id.to_owned())));
    }

    #[test]
    fn cursors_say_which_list_they_are_of() {
        let page = |cursor: &str| PageRequest { cursor: Some(cursor.into()), limit: Some(5) };
        let (list, inner) = part_of(&page("time/")).unwrap();
        assert_eq!((list, inner), (TIME, PageRequest { cursor: None, limit: Some(5) }));
        assert_eq!(part_of(&page("notes/after:3")).unwrap(), (NOTES, page("after:3")));
        assert_eq!(part_of(&page("all/page:2")).unwrap(), (ALL, page("page:2")));
        for foreign in ["", "after:3", "page:2", "files/page:2", "/"] {
            assert_eq!(part_of(&page(foreign)).unwrap_err().reason.as_deref(), Some("cursor"), "{foreign}");
        }
    }
}
