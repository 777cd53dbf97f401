//! Reading again what has changed, and telling the product what is another now.
//!
//! Promises: what is told is what was read, not what was announced; while a write of ours is on its way to a ticket, or may
//! have arrived without our knowing, nothing of that ticket is told; many tickets that vanish at once are not believed.

use super::seen::Seen;
use super::{Callbacks, is_ending, is_of_connection};
use crate::cache::Kind as CacheKind;
use crate::store::{
    Applied, Cursor, Dirty, GoneLimit, NewEvent, NewView, NoteFence, Outcomes, Place, Record, StoredLink, StoredView,
};
use psa_host_api::model::{ChangeAction, Note, PageRequest, Ticket};
use psa_host_api::ops::{AccountOf, GetTicket, GetTicketRequest, ListNotes, ListNotesRequest, Nothing};
use psa_host_api::{Code, Error};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Taken up in one go.
const BATCH: usize = 64;
/// A list that goes on for ever is not a list.
const PAGES_MAX: usize = 500;
/// The largest page of notes.
const NOTES_AT_ONCE: u32 = 1_000;
/// How long what is in the way is waited for, in milliseconds: at first, and at most.
const IN_THE_WAY_MS: u64 = 500;
const IN_THE_WAY_MAX_MS: u64 = 30_000;
/// A note may be listed later than a younger one: readings overlap by this, in milliseconds.
const OVERLAP_MS: i64 = 10 * 60_000;
/// A ticket that is not there is looked for once more after this, in milliseconds.
const GONE_AGAIN_MS: u64 = 5_000;
/// So many tickets may vanish within an hour, or this part of all; more are a matter of rights.
const GONE_MAX: u64 = 10;
const GONE_PART: u64 = 20;
const HOUR_MS: i64 = 3_600_000;

/// When a reading began: by our clock, and by the provider's as far as it is known.
#[derive(Debug, Clone, Copy)]
struct Began {
    at: i64,
    server_ms: Option<i64>,
    /// The last callback that had settled by then.
    heard: i64,
}

impl Callbacks {
    /// Reads everything that is due, a few at a time. The first error that is about the connection ends it.
    pub(super) async fn apply_due(self: &Arc<Self>, place: &Place) -> Result<(), Error> {
        loop {
            let due = self.desk.store.dirty_due(place, self.desk.clock.now_unix_ms(), BATCH)?;
            if due.is_empty() || self.is_closing() || !self.claim(place).await? {
                return Ok(());
            }
            let mut waiting = due.into_iter();
            let mut reading = JoinSet::new();
            loop {
                while reading.len() < self.desk.config.in_flight
                    && let Some(dirty) = waiting.next()
                {
                    let callbacks = self.clone();
                    reading.spawn(async move { callbacks.apply(dirty).await });
                }
                match reading.join_next().await {
                    None => break,
                    Some(Ok(outcome)) => outcome?,
                    Some(Err(_)) => return Err(Error::internal("a reading ended without an outcome")),
                }
            }
        }
    }

    async fn apply(&self, dirty: Dirty) -> Result<(), Error> {
        let outcome = match dirty.kind.as_str() {
            "ticket" => self.ticket(&dirty).await,
            "member" => self.member(&dirty).await,
            // Of what nothing is kept, nothing can be old.
            _ => self.done(&dirty, None, None, Record::default()).await.map(drop),
        };
        let Err(error) = outcome else { return Ok(()) };
        if is_ending(&error) {
            return Err(error);
        }
        let tries = u32::try_from(dirty.tries).unwrap_or(u32::MAX);
        if !is_of_connection(&error) {
            // One record that cannot be read must not keep the others from being read.
            let wait = self.desk.config.backoff_ms.saturating_mul(1 << tries.min(16)).min(HOUR_MS as u64);
            let what = format!("connection {}: {} {} cannot be read: {error}", dirty.place, dirty.kind, dirty.entity);
            self.desk.log.warn("host", &what);
            return Ok(self.desk.store.dirty_later(&dirty, self.in_ms(wait)).await?);
        }
        self.desk.store.dirty_later(&dirty, self.in_ms(self.backoff(tries))).await?;
        Err(error)
    }

    fn in_ms(&self, ms: u64) -> i64 {
        self.desk.clock.now_unix_ms().saturating_add(i64::try_from(ms).unwrap_or(i64::MAX))
    }

    /// People have changed: what is remembered of them is old.
    async fn member(&self, dirty: &Dirty) -> Result<(), Error> {
        let place = &dirty.place;
        self.desk.connections.caches.of(place.tenant.as_bytes(), &place.connection).invalidate_kind(CacheKind::Members);
        self.desk.store.make_stale(place, "members", "").await?;
        let body = json!({"connection": place.connection, "member": dirty.entity, "action": dirty.action});
        let event = self.desk.scribe.event(&place.tenant, "member.changed", body);
        self.done(dirty, None, None, Record { entries: Vec::new(), events: vec![event] }).await.map(drop)
    }

    async fn done(
        &self,
        dirty: &Dirty,
        view: Option<NewView>,
        new_ticket: Option<NewEvent>,
        record: Record,
    ) -> Result<Outcomes, Error> {
        let now = self.desk.clock.now_unix_ms();
        let applied = Applied { dirty: dirty.clone(), view, new_ticket, now, record };
        Ok(self.desk.store.applied(applied).await?)
    }

    async fn ticket(&self, dirty: &Dirty) -> Result<(), Error> {
        let place = &dirty.place;
        self.desk
            .connections
            .caches
            .of(place.tenant.as_bytes(), &place.connection)
            .invalidate(CacheKind::Ticket, &dirty.entity);
        let view = self.desk.store.views_of(place, std::slice::from_ref(&dirty.entity))?.into_iter().next();
        let Some(view) = view else {
            let event = (dirty.action == ChangeAction::Added).then(|| self.new_ticket(dirty));
            return self.done(dirty, None, event, Record::default()).await.map(drop);
        };
        self.desk.store.make_stale(place, "ticket", &dirty.entity).await?;
        let at = self.desk.clock.now_unix_ms();
        let heard = self.desk.store.heard_until(place, at.saturating_sub(self.desk.config.settle_ms as i64))?;
        let began = Began { at, server_ms: self.server_ms(place), heard };
        let request = GetTicketRequest { ticket: dirty.entity.clone() };
        let new = match self.run::<GetTicket>(place, &request).await {
            Ok(ticket) => {
                if dirty.tries > 0 {
                    self.trouble(place, "tickets", None, Record::default()).await?;
                }
                self.changed(dirty, &view, &ticket, began).await?
            }
            Err(error) if error.code == Code::NotFound => match self.gone(dirty, &view, began).await? {
                Some(gone) => gone,
                None => return Ok(()),
            },
            Err(error) => return Err(error),
        };
        let is_gone = new.gone.is_some();
        match self.done(dirty, Some(new), None, Record::default()).await? {
            Outcomes::Done if is_gone => self.trouble(place, "tickets", None, Record::default()).await,
            Outcomes::Done => Ok(()),
            Outcomes::TooMany => self.too_many_gone(dirty).await,
            Outcomes::Again => {
                let wait = IN_THE_WAY_MS.saturating_mul(1 << dirty.tries.clamp(0, 8)).min(IN_THE_WAY_MAX_MS);
                Ok(self.desk.store.dirty_later(dirty, self.in_ms(wait)).await?)
            }
        }
    }

    /// A ticket that nobody has linked is only told of when it is new.
    fn new_ticket(&self, dirty: &Dirty) -> NewEvent {
        let Place { tenant, connection } = &dirty.place;
        let body = json!({"connection": connection, "ticket": dirty.entity, "by": dirty.by});
        self.desk.scribe.event(tenant, "ticket.added", body)
    }

    /// What a linked ticket shows now, and what of it is to be told.
    async fn changed(&self, dirty: &Dirty, view: &StoredView, ticket: &Ticket, began: Began) -> Result<NewView, Error> {
        let now = Seen::of(ticket, began.server_ms);
        let before = view.seen.as_deref().and_then(Seen::read);
        // Of a ticket that was never read all that it shows is new.
        let changes = before.unwrap_or_default().changes_to(&now);
        let identity = self.desk.connections.stored(&dirty.place)?.identity;
        let (notes, added) = self.notes(dirty, view, identity.as_deref()).await?;
        let is_us = |name: &str| identity.as_deref().is_some_and(|us| us.to_lowercase() == name.to_lowercase());
        let event = self.ticket_changed(dirty, view, ticket, changes);
        Ok(NewView {
            seen: Some(now.write()),
            notes,
            changed: Some(event),
            shown: now.shown(),
            by_us: ticket.updated_by.as_deref().is_some_and(is_us),
            added,
            ..view.read_again(began.at, began.heard)
        })
    }

    fn ticket_changed(
        &self,
        dirty: &Dirty,
        view: &StoredView,
        ticket: &Ticket,
        changes: Map<String, Value>,
    ) -> NewEvent {
        let kind = match (view.gone_at, changes.contains_key("merged_into")) {
            (Some(_), _) => "ticket.returned",
            (None, true) => "ticket.merged",
            (None, false) => "ticket.changed",
        };
        let mut body = self.about(view, dirty);
        body["changes"] = Value::Object(changes);
        body["merged_into"] = json!(ticket.merged_into);
        body["updated_at"] = json!(ticket.updated_at);
        body["caused_by"] = json!({"provider": ticket.updated_by.as_ref().or(dirty.by.as_ref())});
        self.desk.scribe.event(&dirty.place.tenant, kind, body)
    }

    fn about(&self, view: &StoredView, dirty: &Dirty) -> Value {
        let link = &view.link;
        json!({
            "connection": link.place.connection, "link": link.link, "product_ticket": link.product_ticket,
            "ticket": link.ticket, "heard": dirty.source,
        })
    }

    /// Notes that are not known, oldest first, and how far they are known then.
    async fn notes(
        &self,
        dirty: &Dirty,
        view: &StoredView,
        identity: Option<&str>,
    ) -> Result<(NoteFence, Vec<(String, NewEvent)>), Error> {
        let place = &dirty.place;
        let fence = view.notes.fence.clone();
        let after = fence.clone().filter(|fence| !fence.is_empty());
        let notes = self.notes_after(place, &dirty.entity, after).await?;
        // A ticket that we have made begins with words of ours, which no operation of their own has posted.
        let first = fence.is_none();
        let ours = |note: &Note| first && note.created_by.is_some() && note.created_by.as_deref() == identity;
        let told = notes.iter().filter(|note| !ours(note));
        let added = told.map(|note| (note.id.clone(), self.note_added(dirty, view, note))).collect();
        Ok((self.next_fence(view, notes.last().map(|note| note.id.clone())), added))
    }

    /// The fence moves on to what was the last one a good while ago.
    fn next_fence(&self, view: &StoredView, newest: Option<String>) -> NoteFence {
        let now = self.desk.clock.now_unix_ms();
        let NoteFence { fence, fence_at, last, last_at } = view.notes.clone();
        let fence = fence.unwrap_or_default();
        let newest = newest.or_else(|| last.clone());
        if now.saturating_sub(last_at) < OVERLAP_MS && last_at != 0 {
            return NoteFence { fence: Some(fence), fence_at, last, last_at };
        }
        NoteFence { fence: Some(last.unwrap_or(fence)), fence_at: last_at, last: newest, last_at: now }
    }

    async fn notes_after(&self, place: &Place, ticket: &str, after: Option<String>) -> Result<Vec<Note>, Error> {
        let mut notes = Vec::new();
        let mut page = PageRequest { cursor: None, limit: Some(NOTES_AT_ONCE) };
        for _ in 0..PAGES_MAX {
            let request = ListNotesRequest { ticket: ticket.to_owned(), after: after.clone(), page };
            let found = self.run::<ListNotes>(place, &request).await?;
            notes.extend(found.items);
            match found.next {
                Some(next) => page = PageRequest { cursor: Some(next), limit: Some(NOTES_AT_ONCE) },
                None => return Ok(notes),
            }
        }
        Err(Error::new(Code::Unavailable, format!("the notes of ticket {ticket} have no end")).because("endless"))
    }

    /// Without its text: what people write is not kept in clear.
    fn note_added(&self, dirty: &Dirty, view: &StoredView, note: &Note) -> NewEvent {
        let mut body = self.about(view, dirty);
        body["note"] = json!(note.id);
        body["visibility"] = json!(note.visibility);
        body["author"] = json!(note.author);
        body["created_at"] = json!(note.created_at);
        body["caused_by"] = json!({"provider": note.created_by});
        self.desk.scribe.event(&dirty.place.tenant, "note.added", body)
    }

    /// The ticket is not there. `None`: that is not believed yet, and it is looked for again.
    async fn gone(&self, dirty: &Dirty, view: &StoredView, began: Began) -> Result<Option<NewView>, Error> {
        if view.gone_at.is_none() && dirty.tries == 0 {
            self.desk.store.dirty_later(dirty, self.in_ms(GONE_AGAIN_MS)).await?;
            return Ok(None);
        }
        let place = &dirty.place;
        // A gateway answers so too when the credentials are no good; then this fails.
        self.run::<AccountOf>(place, &Nothing {}).await?;
        let since = self.desk.clock.now_unix_ms().saturating_sub(HOUR_MS);
        let (linked, _) = self.desk.store.count_gone(place, since)?;
        // One that is gone already is no news.
        let most = if view.gone_at.is_none() { GONE_MAX.max(linked / GONE_PART) } else { u64::MAX };
        let event = view.gone_at.is_none().then(|| {
            let body = self.about(view, dirty);
            self.desk.scribe.event(&place.tenant, "ticket.gone", body)
        });
        Ok(Some(NewView {
            gone: Some(GoneLimit { since, most }),
            changed: event,
            ..view.read_again(began.at, began.heard)
        }))
    }

    /// Records outside a role's reach look as if they were deleted: a person has to say which it is.
    async fn too_many_gone(&self, dirty: &Dirty) -> Result<(), Error> {
        let place = &dirty.place;
        let since = self.desk.clock.now_unix_ms().saturating_sub(HOUR_MS);
        let (linked, gone) = self.desk.store.count_gone(place, since)?;
        self.desk.store.dirty_later(dirty, self.in_ms(HOUR_MS as u64)).await?;
        let trouble = format!(
            "{gone} of {linked} linked tickets have vanished within an hour, and more cannot be read. Look whether the \
             account may still see them; nothing more is told as gone meanwhile."
        );
        let body = json!({"connection": place.connection, "linked": linked, "gone": gone, "what": "tickets_gone"});
        let event = self.desk.scribe.event(&place.tenant, "connection.mass_change", body);
        self.trouble(place, "tickets", Some(trouble), Record { entries: Vec::new(), events: vec![event] }).await
    }

    /// A ticket was linked: what it shows then, and the notes that are there, are known and not told.
    pub(crate) async fn linked(&self, link: &StoredLink, ticket: &Ticket) -> Result<(), Error> {
        let place = &link.place;
        // The ticket was read after the link's time, and nobody knows how much: what happens since then may not be in it.
        let began = link.created;
        let seen = Seen::of(ticket, self.server_ms_at(place, began)).write();
        let last = self.notes_after(place, &ticket.id, None).await?.pop().map(|note| note.id);
        let now = self.desk.clock.now_unix_ms();
        let notes = NoteFence { fence: Some(last.clone().unwrap_or_default()), fence_at: now, last, last_at: now };
        Ok(self.desk.store.first_view(place, &link.link, Some(seen), notes, began).await?)
    }

    /// The same could not be found out.
    pub(crate) fn unread(&self, link: &StoredLink, error: &Error) {
        let what = "its ticket's notes could not be read when it was linked";
        self.desk.log.warn("host", &format!("connection {} link {}: {what}: {error}", link.place, link.link));
    }

    /// Notes what is wrong about something, or that it is right again; the record goes with what is new.
    pub(super) async fn trouble(
        &self,
        place: &Place,
        about: &'static str,
        trouble: Option<String>,
        record: Record,
    ) -> Result<(), Error> {
        let mut all = troubles(self.desk.store.cursor(place)?.trouble.as_deref());
        let before = match &trouble {
            Some(text) => all.insert(about.to_owned(), text.clone()),
            None => all.remove(about),
        };
        if before == trouble {
            return Ok(());
        }
        let written = (!all.is_empty()).then(|| json!(all).to_string());
        let change = Box::new(move |cursor: &mut Cursor| {
            cursor.trouble = written;
            true
        });
        self.desk.store.change_cursor(place, change).await?;
        Ok(self.desk.store.note(record).await?)
    }
}

/// What is wrong, by what it is about.
pub(super) fn troubles(trouble: Option<&str>) -> BTreeMap<String, String> {
    trouble.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
