//! What is done now and then: second copies, old bodies, old events.

use super::Outbox;
use super::look::Search;
use super::payload::Payload;
use super::trouble::Trouble;
use crate::egress::Lane;
use crate::store::{Binding, ConnectionState, Kind, Record, StoredOperation};
use psa_host_api::{Code, Error};
use serde_json::json;

/// Operations that are watched in one round.
const WATCHED_AT_ONCE: usize = 50;
/// When a look that failed is tried again, in milliseconds.
const RETRY_MS: i64 = 60_000;
/// How often, at most, in milliseconds.
const EVERY_MAX_MS: u64 = 30_000;

impl Outbox {
    pub(super) fn upkeep_every_ms(&self) -> u64 {
        (self.desk.config.quiet_ms / 4).clamp(50, EVERY_MAX_MS)
    }

    /// One round.
    pub(super) async fn upkeep(&self) {
        let desk = &self.desk;
        let now = desk.clock.now_unix_ms();
        if let Err(error) = self.watch(now).await {
            desk.log.warn("host", &format!("second copies could not be looked for: {error}"));
        }
        let ended_before = now.saturating_sub(desk.config.body_ms as i64);
        let dropped = desk.store.drop_bodies(ended_before).await;
        let trimmed = desk.store.trim_events(desk.config.events_kept).await;
        // Who closes meanwhile closes the store: the next one who opens it drops them.
        if let Err(error) = dropped.map(drop).and(trimmed)
            && !self.is_closing()
        {
            desk.log.warn("host", &format!("old rows could not be dropped: {error}"));
        }
        desk.connections.sweep();
        desk.forget_old(desk.clock.boot_ms());
    }

    async fn watch(&self, now: i64) -> Result<(), Error> {
        for row in self.desk.store.watch_due(now, WATCHED_AT_ONCE)? {
            match self.watch_one(&row, now).await {
                Ok(()) => {}
                Err(Trouble::Ours(error)) => return Err(error),
                Err(Trouble::Theirs(error)) => {
                    // One that cannot be looked at must not hide the others; what is gone has no second copy.
                    let gone = error.code == Code::NotFound;
                    let later = (!gone).then(|| now.saturating_add(RETRY_MS));
                    self.desk.store.watched(&row, row.watched, later, Vec::new(), now, Record::default()).await?;
                }
            }
        }
        Ok(())
    }

    /// Looks for a second copy of something that was sent more than once.
    async fn watch_one(&self, row: &StoredOperation, now: i64) -> Result<(), Trouble> {
        let desk = &self.desk;
        let done = row.watched + 1;
        let stage = usize::try_from(done).unwrap_or(usize::MAX);
        let next = desk.config.watch_ms.get(stage).map(|wait| row.ended.unwrap_or(now).saturating_add(*wait as i64));
        let (Some(connection), Some(link)) =
            (desk.store.get(&row.place)?, desk.store.get_link(&row.place.tenant, &row.link)?)
        else {
            return Ok(());
        };
        if connection.state != ConnectionState::Active {
            // Looked for when the connection is back.
            return Ok(());
        }
        let Some(payload) = Payload::open(&desk.vault, row)? else {
            desk.store.watched(row, done, None, Vec::new(), now, Record::default()).await?;
            return Ok(());
        };
        let identity = connection.identity.as_deref();
        let search = Search { desk, row, link: &link, payload: &payload, identity, first: false, lane: Lane::Bulk };
        let copies = match (&payload, &link.ticket) {
            (Payload::Note { text, .. }, Some(ticket)) => search.copies(ticket, text).await?,
            (Payload::Ticket(request), _) => search.ticket_copies(request).await?,
            (Payload::Time { entry, .. }, Some(ticket)) => search.time_copies(ticket, entry).await?,
            _ => Vec::new(),
        };
        let (kind, name) = match row.kind {
            Kind::Ticket => ("ticket", "ticket.duplicated"),
            Kind::Time => ("time", "time.duplicated"),
            _ => ("note", "note.duplicated"),
        };
        let ticket = link.ticket.clone();
        let bindings =
            copies.iter().map(|remote| Binding { kind, remote: remote.clone(), ticket: ticket.clone() }).collect();
        let mut record = Record::default();
        if !copies.is_empty() {
            let body = json!({"operation": row.operation, "connection": row.place.connection, "link": row.link,
                "remote": row.remote, "copies": copies});
            record = desk.scribe.both(&row.place, crate::activity::HOST, name, Some(&row.operation), body)?;
        }
        desk.store.watched(row, done, next, bindings, now, record).await?;
        Ok(())
    }
}
