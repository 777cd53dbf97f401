//! Reading linked tickets of which nothing was heard for long: for what no list of changes shows, such as a deletion.
//!
//! Promises: slow, so that it is in nobody's way; after callbacks that could not be kept one by one every link is read.

use super::Callbacks;
use crate::cache::Kind as CacheKind;
use crate::store::{ConnectionState, Cursor, DirtySource, LinkState, NewDirty, Place, StoredLink};
use psa_host_api::model::ChangeAction;
use psa_host_api::{Code, Error};

/// In one go.
const BATCH: usize = 20;
/// Parts into which the time of a sweep is cut.
const PARTS: i64 = 50;
/// How often is looked whether a reading has ended, in milliseconds.
const LOOK_EVERY_MS: u64 = 30;

impl Callbacks {
    /// Makes dirty some of what was not read for longest.
    pub(super) async fn sweep_due(&self, place: &Place) -> Result<(), Error> {
        let cursor = self.desk.store.cursor(place)?;
        let now = self.desk.clock.now_unix_ms();
        let every = self.desk.config.sweep_ms as i64;
        let step = (every / PARTS).max(1);
        if cursor.sweep_at > now && cursor.sweep_at <= now.saturating_add(2 * every) {
            return Ok(());
        }
        // Those that could not be kept one by one speak of anything: all is read that was read before they were counted.
        let counted = cursor.overflow > cursor.covered;
        let before = if counted { self.counted_since(place, cursor.overflow, now) } else { now.saturating_sub(every) };
        let unread = self.desk.store.unread_since(place, before, BATCH)?;
        let full = unread.len() == BATCH;
        let dirty: Vec<NewDirty> = unread.into_iter().filter_map(|view| view.link.ticket).map(linked_ticket).collect();
        if !dirty.is_empty() {
            self.desk.store.make_dirty(place, dirty, now, now).await?;
        }
        let covers = (counted && !full).then_some(cursor.overflow);
        if covers.is_some() {
            // They may have spoken of people too.
            let caches = &self.desk.connections.caches;
            caches.of(place.tenant.as_bytes(), &place.connection).invalidate_kind(CacheKind::Members);
            self.desk.store.make_stale(place, "members", "").await?;
        }
        // What is full goes on with the next round, behind what is dirty by then.
        let at = if full { now } else { now.saturating_add(step) };
        let next = Box::new(move |cursor: &mut Cursor| {
            cursor.sweep_at = at;
            cursor.covered = covers.unwrap_or(cursor.covered);
            true
        });
        Ok(self.desk.store.change_cursor(place, next).await?)
    }

    /// Since when it is known that so many were counted: who was read later was read behind all of them.
    fn counted_since(&self, place: &Place, overflow: i64, now: i64) -> i64 {
        let mut since = now;
        self.remember(place, |memory| match memory.counted {
            Some((known, at)) if known == overflow => since = at,
            _ => memory.counted = Some((overflow, now)),
        });
        since
    }

    /// A person wants to know what a linked ticket shows now: it is read as if a change had been announced. False: it was not
    /// read within this time, and will be.
    pub(crate) async fn read_now(&self, link: &StoredLink, wait_ms: u64) -> Result<bool, Error> {
        let (place, clock) = (&link.place, &self.desk.clock);
        let Some(ticket) = link.ticket.clone().filter(|_| link.state == LinkState::Linked) else {
            let message = format!("the link is {}; there is no ticket to be read", link.state.word());
            return Err(Error::new(Code::Conflict, message).because("not_linked"));
        };
        let stored = self.desk.connections.stored(place)?;
        if stored.state != ConnectionState::Active {
            let message = "the connection is not at work; nothing is read through it now";
            return Err(Error::new(Code::Conflict, message).because("not_active"));
        }
        let now = clock.now_unix_ms();
        let dirty = linked_ticket(ticket.clone());
        self.desk.store.make_dirty(place, vec![dirty], now, now).await?;
        self.wake();
        let until = clock.boot_ms().saturating_add(wait_ms);
        let tickets = [ticket];
        loop {
            let read = self.desk.store.views_of(place, &tickets)?.iter().any(|view| view.seen_at >= now);
            if read || clock.boot_ms() >= until {
                return Ok(read);
            }
            clock.sleep(LOOK_EVERY_MS).await;
        }
    }
}

fn linked_ticket(ticket: String) -> NewDirty {
    NewDirty {
        kind: "ticket".to_owned(),
        entity: ticket,
        action: ChangeAction::Updated,
        by: None,
        source: DirtySource::Sweep,
    }
}
