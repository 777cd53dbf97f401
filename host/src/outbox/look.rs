//! Looking for an operation at the PSA.
//!
//! Holds: [`Search`], and [`Look`], what it can find.
//! Promises: a look is complete or it is an error; it reads from the PSA itself; what belongs to another operation is
//! never taken; what may be ours and is not clearly so goes to a person.
//! Leaves to others: what follows (`send`, `recover`).

mod ticket;
mod time;
mod update;

pub(super) use update::{differing, named};

use super::canonical::canonical;
use super::desk::Desk;
use super::payload::Payload;
use super::trouble::Trouble;
use crate::egress::Lane;
use crate::store::{Binding, LaneId, Place, StoredConnection, StoredLink, StoredOperation};
use psa_host_api::model::{Note, PageRequest, Ticket, TicketFilter, Visibility};
use psa_host_api::ops;
use psa_host_api::{Code, Error};
use serde_json::{Value, json};
use std::collections::HashSet;

/// A list that goes on for ever is not a list.
const PAGES_MAX: usize = 500;
/// How far the PSA's clock, or ours, may be wrong when something found before the first send is to be ours.
const CLOCKS_MS: i64 = 2 * 3_600_000;

/// What a look can find.
pub(super) enum Look {
    /// It is there. `shown`: who may read a note.
    Found { binding: Option<Binding>, ticket: Option<String>, shown: Option<Visibility>, evidence: Value },
    /// Something that may be it; both are shown to a person.
    Near(Value),
    /// A status: somebody else moved the ticket.
    Overtaken,
    /// Nothing. The last entity of the list, for the fence.
    Nothing(Option<String>),
    /// Something that may be it, or another operation's that has not ended: look again.
    Unclear,
    /// The ticket is not there any more.
    Gone,
    /// The ticket went into another one.
    Merged(String),
}

/// What a look needs to know.
pub(super) struct Search<'a> {
    pub(super) desk: &'a Desk,
    pub(super) row: &'a StoredOperation,
    pub(super) link: &'a StoredLink,
    pub(super) payload: &'a Payload,
    /// What the PSA writes as the creator of what we make, if known.
    pub(super) identity: Option<&'a str>,
    /// Nothing was sent yet: only what was made after the acceptance can be it.
    pub(super) first: bool,
    /// Who waits for it.
    pub(super) lane: Lane,
}

impl<'a> Search<'a> {
    /// Of what is about to be sent.
    pub(super) fn before_send(
        desk: &'a Desk,
        row: &'a StoredOperation,
        link: &'a StoredLink,
        payload: &'a Payload,
        connection: &'a StoredConnection,
    ) -> Search<'a> {
        let (identity, first) = (connection.identity.as_deref(), row.doubts == 0);
        Search { desk, row, link, payload, identity, first, lane: Lane::Delivery }
    }
}

impl Search<'_> {
    pub(super) async fn run(&self) -> Result<Look, Trouble> {
        match (self.payload, &self.link.ticket) {
            (Payload::Note { text, visibility, .. }, Some(ticket)) => self.for_note(ticket, text, *visibility).await,
            (Payload::Status { .. }, Some(ticket)) => self.for_status(ticket).await,
            (Payload::Ticket(request), _) => self.for_ticket(request).await,
            (Payload::Update(changes), Some(ticket)) => self.for_update(ticket, changes).await,
            (Payload::Time { entry, .. }, Some(ticket)) => self.for_time(ticket, entry).await,
            (_, None) => Ok(Look::Gone),
        }
    }

    /// Which of these ids belong to operations already, whichever ticket they were found on.
    fn bound<'a>(&self, kind: &str, ids: impl Iterator<Item = &'a String>) -> Result<HashSet<String>, Trouble> {
        let ids: Vec<String> = ids.cloned().collect();
        Ok(self.desk.store.bound_among(self.place(), kind, &ids)?.into_iter().collect())
    }

    fn is_same(&self, ours: &str, theirs: &str) -> bool {
        self.desk.is_same_text(self.place(), ours, theirs)
    }

    fn place(&self) -> &Place {
        &self.row.place
    }

    async fn for_note(&self, ticket: &str, text: &str, visibility: Visibility) -> Result<Look, Trouble> {
        let notes = match self.all_notes(ticket).await {
            Ok(notes) => notes,
            Err(error) if error.code == Code::NotFound => return self.confirm_gone(ticket, error).await,
            Err(error) => return Err(error.into()),
        };
        let last = notes.last().map(|note| note.id.clone());
        let bound = self.bound("note", notes.iter().map(|note| &note.id))?;
        let fence = self.row.fence.as_deref().filter(|_| !self.first);
        let after = fence.and_then(|fence| notes.iter().position(|note| note.id == fence)).map_or(0, |at| at + 1);
        let unbound: Vec<&Note> =
            notes[after..].iter().filter(|note| !bound.contains(&note.id) && self.may_be_ours(note)).collect();
        let mut alike: Vec<&Note> = unbound.iter().copied().filter(|note| self.is_same(text, &note.text)).collect();
        if self.first {
            // Nothing was sent, as far as is known: only what is ours beyond question can have come of it.
            let ours = |note: &Note| self.identity.is_some() && note.created_by.is_some();
            alike.retain(|note| {
                ours(note) && note.visibility == visibility && self.made_since_acceptance(note.created_at.as_deref())
            });
        }
        // The same visibility first: of an internal and a public one with equal words, each finds its own.
        alike.sort_by_key(|note| note.visibility != visibility);
        let claims = self.earlier_claims()?;
        if let Some(note) = alike.get(claims) {
            let binding = Binding { kind: "note", remote: note.id.clone(), ticket: Some(ticket.to_owned()) };
            let evidence = json!({"note": note.id, "created_at": note.created_at, "looked_at": notes.len()});
            let shown = Some(note.visibility);
            return Ok(Look::Found { binding: Some(binding), ticket: None, shown, evidence });
        }
        // A note with the words of one that is bound is a second copy of that one, which its watch reports.
        let known: HashSet<String> =
            notes.iter().filter(|note| bound.contains(&note.id)).map(|note| canonical(&note.text)).collect();
        let strange = |note: &&&Note| alike.contains(*note) || !known.contains(&canonical(&note.text));
        if !self.first && unbound.iter().any(|note| strange(&note)) {
            let near: Vec<Value> = unbound
                .iter()
                .filter(strange)
                .map(|note| json!({"note": note.id, "created_at": note.created_at, "created_by": note.created_by}))
                .collect();
            return Ok(Look::Near(json!({"near": near, "alike": alike.len(), "claimed_by_earlier": claims})));
        }
        self.nothing_at(ticket, last).await
    }

    /// Nothing is there. A list can be empty because the ticket went away, or into another one, where nobody would look for
    /// what is sent now.
    async fn nothing_at(&self, ticket: &str, last: Option<String>) -> Result<Look, Trouble> {
        match self.read_ticket(ticket).await {
            Err(error) if error.code == Code::NotFound => Ok(Look::Gone),
            found => Ok(found?.merged_into.map_or(Look::Nothing(last), Look::Merged)),
        }
    }

    /// Operations before this one with equal texts that may be in the PSA too: they come first.
    fn earlier_claims(&self) -> Result<usize, Trouble> {
        let Some(likeness) = &self.row.likeness else { return Ok(0) };
        let lane = LaneId { place: self.place().clone(), link: self.row.link.clone() };
        let alike = self.desk.store.alike(&lane, likeness)?;
        Ok(alike.iter().filter(|other| other.seq < self.row.seq).count())
    }

    /// A creator that is not said may be anybody, also us.
    fn may_be_ours(&self, note: &Note) -> bool {
        is_ours(self.identity, note.created_by.as_deref())
    }

    fn made_since_acceptance(&self, created_at: Option<&str>) -> bool {
        let created = created_at.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        created.is_some_and(|created| created.as_millisecond() >= self.row.accepted - CLOCKS_MS)
    }

    async fn all_notes(&self, ticket: &str) -> Result<Vec<Note>, Error> {
        let mut notes = Vec::new();
        let mut page = PageRequest::default();
        for _ in 0..PAGES_MAX {
            let request = ops::ListNotesRequest { ticket: ticket.to_owned(), after: None, page };
            let context = self.desk.fresh(self.lane);
            let found = self.desk.connections.run::<ops::ListNotes>(self.place(), &request, &context).await?;
            notes.extend(found.items);
            match found.next {
                Some(next) => page = PageRequest { cursor: Some(next), limit: None },
                None => return Ok(notes),
            }
        }
        Err(Error::new(Code::Unavailable, format!("the notes of ticket {ticket} have no end")).because("endless"))
    }

    async fn read_ticket(&self, ticket: &str) -> Result<Ticket, Error> {
        let request = ops::GetTicketRequest { ticket: ticket.to_owned() };
        self.desk.connections.run::<ops::GetTicket>(self.place(), &request, &self.desk.fresh(self.lane)).await
    }

    /// A list that is missing may be one of an endpoint; only the ticket's own absence counts.
    async fn confirm_gone(&self, ticket: &str, first: Error) -> Result<Look, Trouble> {
        match self.read_ticket(ticket).await {
            Err(error) if error.code == Code::NotFound => Ok(Look::Gone),
            Err(error) => Err(error.into()),
            Ok(found) => match found.merged_into {
                Some(other) => Ok(Look::Merged(other)),
                None => Err(Error::new(Code::Unavailable, first.message).because("notes_missing").into()),
            },
        }
    }

    async fn for_status(&self, ticket: &str) -> Result<Look, Trouble> {
        let found = match self.read_ticket(ticket).await {
            Err(error) if error.code == Code::NotFound => return Ok(Look::Gone),
            found => found?,
        };
        if let Some(other) = found.merged_into {
            return Ok(Look::Merged(other));
        }
        let now = found.status.map(|status| status.id);
        if now == self.row.wanted {
            let evidence = json!({"status": now, "updated_by": found.updated_by});
            return Ok(Look::Found { binding: None, ticket: None, shown: None, evidence });
        }
        // Before the attempt the fence is the status that was read then.
        let before = self.row.fence.clone().filter(|_| !self.first).or_else(|| self.row.base.clone());
        let by_us = is_ours(self.identity, found.updated_by.as_deref());
        let moved = before.is_some() && now != before;
        if moved || (!self.first && !by_us && self.changed_since_acceptance(found.updated_at.as_deref())) {
            return Ok(Look::Overtaken);
        }
        Ok(Look::Nothing(now))
    }

    fn changed_since_acceptance(&self, updated_at: Option<&str>) -> bool {
        let updated = updated_at.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        updated.is_some_and(|updated| updated.as_millisecond() >= self.row.accepted)
    }

    async fn some_tickets(&self, filter: TicketFilter) -> Result<Vec<Ticket>, Error> {
        let mut tickets = Vec::new();
        let mut page = PageRequest::default();
        for _ in 0..PAGES_MAX {
            let request = ops::SearchTicketsRequest { filter: filter.clone(), page };
            let context = self.desk.fresh(self.lane);
            let found = self.desk.connections.run::<ops::SearchTickets>(self.place(), &request, &context).await?;
            tickets.extend(found.items);
            match found.next {
                Some(next) => page = PageRequest { cursor: Some(next), limit: None },
                None => return Ok(tickets),
            }
        }
        Err(Error::new(Code::Unavailable, "a list of tickets has no end").because("endless"))
    }

    async fn page_of(&self, filter: TicketFilter, limit: Option<u32>) -> Result<Vec<Ticket>, Error> {
        let request = ops::SearchTicketsRequest { filter, page: PageRequest { cursor: None, limit } };
        let context = self.desk.fresh(self.lane);
        Ok(self.desk.connections.run::<ops::SearchTickets>(self.place(), &request, &context).await?.items)
    }

    /// Notes with equal words beyond those that are bound, after a resend: second copies.
    pub(super) async fn copies(&self, ticket: &str, text: &str) -> Result<Vec<String>, Trouble> {
        let notes = self.all_notes(ticket).await?;
        let bound = self.bound("note", notes.iter().map(|note| &note.id))?;
        let fence = self.row.fence.as_deref();
        let after = fence.and_then(|fence| notes.iter().position(|note| note.id == fence)).map_or(0, |at| at + 1);
        let copies = notes[after..]
            .iter()
            .filter(|note| !bound.contains(&note.id) && self.may_be_ours(note) && self.is_same(text, &note.text));
        Ok(copies.map(|note| note.id.clone()).collect())
    }
}

fn is_ours(identity: Option<&str>, creator: Option<&str>) -> bool {
    match (identity, creator) {
        (Some(identity), Some(creator)) => identity.eq_ignore_ascii_case(creator),
        _ => true,
    }
}
