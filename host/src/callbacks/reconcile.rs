//! Looking for changes without being told: windows of time on the PSA's own clock.
//!
//! Promises: a window's bounds are fixed when it is opened, and end before the PSA's present; the watermark moves only after
//! its last page; a process that dies goes on with the page it was at; a list that was cut short is never called complete.

use super::Callbacks;
use super::seen::Seen;
use crate::clock::{rfc3339, unix_ms};
use crate::store::{Cursor, DirtySource, NewDirty, Place, Record};
use psa_host_api::model::{ChangeAction, PageRequest, Ticket};
use psa_host_api::ops::{
    ChangedTickets, ChangedTicketsRequest, DesireSubscriptions, DesiredSubscriptionsRequest, ListChangedTickets,
};
use psa_host_api::{Code, Error};
use serde_json::json;
use std::collections::HashSet;

/// Looks that come sooner are this part of the usual time apart, at least.
const GAPS: u64 = 12;
/// How often a connection may want to be looked at, in milliseconds.
const EVERY_MS: (u64, u64) = (1_000, 24 * 3_600_000);
/// A page of a window.
const PAGE: u32 = 1_000;
/// A window that goes on for ever is none.
const PAGES_MAX: usize = 10_000;
/// A window that would end so long before the watermark tells that the clock was put back, in milliseconds.
const PUT_BACK_MS: i64 = 10_000;
/// Two clocks drift apart by less than this while nobody compares them, in milliseconds.
const DRIFT_MS: i64 = 60_000;

impl Callbacks {
    /// What the PSA's clock shows now, at least, in milliseconds since 1970.
    pub(super) fn server_ms(&self, place: &Place) -> Option<i64> {
        let boot = i64::try_from(self.desk.clock.boot_ms()).unwrap_or(i64::MAX);
        self.memory(place).ahead_ms.map(|ahead| boot.saturating_add(ahead))
    }

    /// What it showed, at least, when our wall clock showed `at`. Unknown too if that was put back since.
    pub(super) fn server_ms_at(&self, place: &Place, at: i64) -> Option<i64> {
        let ago = self.desk.clock.now_unix_ms().saturating_sub(at);
        self.server_ms(place).filter(|_| ago >= 0).map(|now| now.saturating_sub(ago))
    }

    /// An answer to what was asked at `asked`, by boottime, has shown the PSA's clock.
    fn learn_time(&self, place: &Place, asked: u64, shown: i64) {
        let answered = self.desk.clock.boot_ms();
        self.remember(place, |memory| memory.ahead_ms = Some(ahead_ms(memory.ahead_ms, asked, answered, shown)));
    }

    /// Reads the window that is open, or the next one, if it is time.
    pub(super) async fn poll_due(&self, place: &Place) -> Result<(), Error> {
        let mut cursor = self.desk.store.cursor(place)?;
        let now = self.desk.clock.now_unix_ms();
        let longest = self.longest_look_ms().max(cursor.poll_ms.unwrap_or_default().saturating_mul(2));
        if cursor.poll_at > now && cursor.poll_at <= now.saturating_add(longest) {
            return Ok(());
        }
        // Whoever can call the door may say that something has changed; how often is asked is not theirs to say.
        let boot = self.desk.clock.boot_ms();
        let rest = self.memory(place).polled_boot.map_or(0, |polled| (polled + self.gap_ms()).saturating_sub(boot));
        if rest > 0 && cursor.window_until.is_none() {
            return self.next_poll(place, cursor.poll_ms, rest as i64).await;
        }
        self.remember(place, |memory| memory.polled_boot = Some(boot));
        self.learn_period(place, &mut cursor).await?;
        let (every, period) = (cursor.poll_ms, self.period(&cursor));
        let outcome = self.poll(place, cursor).await;
        match outcome {
            Err(error) if error.code == Code::Unsupported => {
                // A provider that cannot be asked so: callbacks and sweeps are all there is.
                self.next_poll(place, every, period).await
            }
            outcome => outcome,
        }
    }

    /// How long from one look to the next.
    fn period(&self, cursor: &Cursor) -> i64 {
        cursor.poll_ms.unwrap_or(self.desk.config.poll_ms as i64)
    }

    /// Asks the plugin how often its connection wants to be looked at: it knows the settings.
    async fn learn_period(&self, place: &Place, cursor: &mut Cursor) -> Result<(), Error> {
        let request = DesiredSubscriptionsRequest { address: self.desk.config.pattern() };
        let wanted = match self.run::<DesireSubscriptions>(place, &request).await {
            Ok(wanted) => wanted.poll_every_ms,
            // A plugin that is not asked about subscriptions has no opinion here either.
            Err(error) if error.code == Code::Unsupported => None,
            Err(error) => return Err(error),
        };
        let poll_ms = wanted.map(|wanted| wanted.clamp(EVERY_MS.0, EVERY_MS.1) as i64);
        if poll_ms != cursor.poll_ms {
            cursor.poll_ms = poll_ms;
            let learnt = Box::new(move |cursor: &mut Cursor| {
                cursor.poll_ms = poll_ms;
                true
            });
            self.desk.store.change_cursor(place, learnt).await?;
        }
        Ok(())
    }

    /// Settings have changed: what is registered, and how often is looked, may be another matter now.
    pub(crate) async fn look_anew(&self, place: &Place) -> Result<(), Error> {
        // Not 0: a round that is under way began with that, and must see that it is another time now.
        let now = self.desk.clock.now_unix_ms();
        let anew = Box::new(move |cursor: &mut Cursor| {
            (cursor.poll_at, cursor.poll_ms, cursor.ensure_at) = (now, None, now);
            true
        });
        Ok(self.desk.store.change_cursor(place, anew).await?)
    }

    /// No look is put off for longer: a time that is further away was written by a wrong clock.
    pub(super) fn longest_look_ms(&self) -> i64 {
        self.desk.config.poll_ms.saturating_mul(2) as i64
    }

    /// Between two looks, whatever anybody says.
    fn gap_ms(&self) -> u64 {
        self.desk.config.poll_ms / GAPS
    }

    async fn next_poll(&self, place: &Place, every: Option<i64>, wait: i64) -> Result<(), Error> {
        let at = self.desk.clock.now_unix_ms().saturating_add(wait);
        let later = Box::new(move |cursor: &mut Cursor| {
            put_off(cursor, every, at);
            true
        });
        Ok(self.desk.store.change_cursor(place, later).await?)
    }

    async fn poll(&self, place: &Place, cursor: Cursor) -> Result<(), Error> {
        let (every, period) = (cursor.poll_ms, self.period(&cursor));
        let (since, until, mut page) = match (cursor.watermark, cursor.window_until) {
            (Some(since), Some(until)) => (since, until, cursor.window_page),
            (watermark, _) => {
                let until = self.window_end(place).await?;
                let since = match watermark {
                    Some(known) => self.behind(known, &until),
                    None => match self.first_watermark(place)?.filter(|since| *since < until) {
                        Some(since) => since,
                        // Nothing is linked, or it is so new that the next window has all of it.
                        None => return self.close_window(place, until, every, period).await,
                    },
                };
                if until <= since {
                    return self.next_poll(place, every, period).await;
                }
                self.set_watermark(place, since.clone()).await?;
                self.open_window(place, until.clone()).await?;
                (since, until, None)
            }
        };
        let mut seen = HashSet::new();
        let mut changed = 0;
        let mut safe = until.clone();
        for number in 0..PAGES_MAX {
            let request = ChangedTicketsRequest {
                since: since.clone(),
                until: Some(until.clone()),
                page: PageRequest { cursor: page.clone(), limit: Some(PAGE) },
            };
            let asked = self.desk.clock.boot_ms();
            let ChangedTickets { items, next, server_time } = self.run::<ListChangedTickets>(place, &request).await?;
            let shown = time_of(&server_time)?;
            self.learn_time(place, asked, shown);
            if number == 0 {
                // The clock was believed to be further on than it was: what is newer belongs to the next window.
                safe = safe.min(self.end_at(shown));
            }
            changed += self.take(place, &since, items).await?;
            match next {
                None => {
                    if changed >= self.desk.config.mass_change {
                        self.many_changed(place, changed).await?;
                    }
                    return self.close_window(place, safe.max(since), every, period).await;
                }
                Some(next) if !seen.insert(next.clone()) => break,
                Some(next) => {
                    self.turn_page(place, next.clone()).await?;
                    page = Some(next);
                }
            }
            if self.is_closing() || !self.claim(place).await? {
                return Ok(());
            }
        }
        // Begun anew next time.
        self.open_window(place, until).await?;
        Err(Error::new(Code::Unavailable, "the list of changed tickets has no end").because("endless"))
    }

    /// Where a window that is opened now ends.
    async fn window_end(&self, place: &Place) -> Result<String, Error> {
        if let Some(shown) = self.server_ms(place) {
            return Ok(self.end_at(shown));
        }
        let since = rfc3339_seconds(self.desk.clock.now_unix_ms());
        let request = ChangedTicketsRequest { since, until: None, page: PageRequest::default() };
        let asked = self.desk.clock.boot_ms();
        let shown = time_of(&self.run::<ListChangedTickets>(place, &request).await?.server_time)?;
        self.learn_time(place, asked, shown);
        Ok(self.end_at(shown))
    }

    /// Where the first window begins: when that was read which nobody has read since for longest. What changed between then and
    /// the first look may have been told by nobody. `None`: nothing is linked.
    fn first_watermark(&self, place: &Place) -> Result<Option<String>, Error> {
        let Some(oldest) = self.desk.store.oldest_reading(place)? else { return Ok(None) };
        // With a clock of ours that was put back: what is older is for the sweep.
        let swept = || self.server_ms(place).map(|now| now.saturating_sub(self.desk.config.sweep_ms as i64));
        let since = self.server_ms_at(place, oldest).map(|since| since.saturating_sub(DRIFT_MS));
        Ok(since.or_else(swept).map(rfc3339_seconds))
    }

    /// Where a window begins: at the watermark, unless the PSA's clock was put back. Then what has changed since has times of
    /// before the watermark, and the times of two looks are read once more.
    fn behind(&self, watermark: String, until: &str) -> String {
        let (Some(known), Some(end)) = (unix_ms(&watermark), unix_ms(until)) else { return watermark };
        if end.saturating_add(PUT_BACK_MS) >= known {
            return watermark;
        }
        rfc3339_seconds(end.saturating_sub(2 * self.desk.config.poll_ms as i64))
    }

    async fn set_watermark(&self, place: &Place, since: String) -> Result<(), Error> {
        let set = Box::new(move |cursor: &mut Cursor| {
            let other = cursor.watermark.as_ref() != Some(&since);
            cursor.watermark = Some(since);
            other
        });
        Ok(self.desk.store.change_cursor(place, set).await?)
    }

    fn end_at(&self, shown: i64) -> String {
        rfc3339_seconds(shown.saturating_sub(self.desk.config.window_ms as i64))
    }

    async fn open_window(&self, place: &Place, until: String) -> Result<(), Error> {
        let open = Box::new(move |cursor: &mut Cursor| {
            (cursor.window_until, cursor.window_page) = (Some(until), None);
            true
        });
        Ok(self.desk.store.change_cursor(place, open).await?)
    }

    async fn turn_page(&self, place: &Place, next: String) -> Result<(), Error> {
        let turn = Box::new(move |cursor: &mut Cursor| {
            cursor.window_page = Some(next);
            true
        });
        Ok(self.desk.store.change_cursor(place, turn).await?)
    }

    /// Everything up to `until` is known.
    async fn close_window(&self, place: &Place, until: String, every: Option<i64>, period: i64) -> Result<(), Error> {
        let at = self.desk.clock.now_unix_ms().saturating_add(period);
        let close = Box::new(move |cursor: &mut Cursor| {
            cursor.watermark = Some(until);
            (cursor.window_until, cursor.window_page) = (None, None);
            put_off(cursor, every, at);
            true
        });
        Ok(self.desk.store.change_cursor(place, close).await?)
    }

    /// Makes dirty what a page shows and nobody has read; how many linked tickets that were.
    async fn take(&self, place: &Place, since: &str, tickets: Vec<Ticket>) -> Result<usize, Error> {
        let ids: Vec<String> = tickets.iter().map(|ticket| ticket.id.clone()).collect();
        let views = self.desk.store.views_of(place, &ids)?;
        let mut dirty = Vec::new();
        let mut missed = 0;
        for ticket in tickets {
            let view = views.iter().find(|view| view.link.ticket.as_ref() == Some(&ticket.id));
            let action = match view {
                Some(view) => {
                    let known = view.seen.as_deref().and_then(Seen::read);
                    if known.is_some_and(|known| known.covers(&Seen::of(&ticket, None))) {
                        continue;
                    }
                    missed += 1;
                    ChangeAction::Updated
                }
                // New since the last look; of others that nobody has linked nothing is told.
                None if ticket.created_at.as_deref().and_then(unix_ms) >= unix_ms(since) => ChangeAction::Added,
                None => continue,
            };
            let Ticket { id, updated_by, .. } = ticket;
            let source = DirtySource::Poll;
            dirty.push(NewDirty { kind: "ticket".to_owned(), entity: id, action, by: updated_by, source });
        }
        if missed > 0 {
            let more = missed as i64;
            let miss = Box::new(move |cursor: &mut Cursor| {
                cursor.missed = cursor.missed.saturating_add(more);
                true
            });
            self.desk.store.change_cursor(place, miss).await?;
        }
        if !dirty.is_empty() {
            // Like what a callback says: of those that have come by now, and are not proved yet, none makes it be read again.
            let now = self.desk.clock.now_unix_ms();
            let read_at = now.saturating_add(self.desk.config.settle_ms as i64);
            self.desk.store.make_dirty(place, dirty, read_at, now).await?;
        }
        Ok(missed)
    }

    async fn many_changed(&self, place: &Place, changed: usize) -> Result<(), Error> {
        let body = json!({"connection": place.connection, "changed": changed, "what": "tickets_changed"});
        let event = self.desk.scribe.event(&place.tenant, "connection.mass_change", body);
        Ok(self.desk.store.note(Record { entries: Vec::new(), events: vec![event] }).await?)
    }
}

/// By how much the PSA's clock is ahead of ours, at least, now that an answer has shown it in whole seconds. The answer was
/// made between the question and its arrival: whatever a slow one shows, it is lower than what was known only if it would be
/// so even for an answer made at once. Then the clock was put back.
fn ahead_ms(known: Option<i64>, asked: u64, answered: u64, shown: i64) -> i64 {
    let boot = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    let least = shown.saturating_sub(boot(answered));
    let most = shown.saturating_add(1_000).saturating_sub(boot(asked));
    known.filter(|known| *known < most).map_or(least, |known| known.max(least))
}

/// The next look is then, unless settings have changed since this one learnt how often to look.
fn put_off(cursor: &mut Cursor, every: Option<i64>, at: i64) {
    if cursor.poll_ms == every {
        cursor.poll_at = at;
    }
}

fn time_of(text: &str) -> Result<i64, Error> {
    unix_ms(text).ok_or_else(|| {
        Error::new(Code::Internal, format!("the plugin names the PSA's time as \"{text}\", which is no time"))
            .because("plugin_answer")
    })
}

/// Without fractions, which not every provider reads.
fn rfc3339_seconds(unix_ms: i64) -> String {
    rfc3339(unix_ms.div_euclid(1_000).saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A slow list was once taken for a clock that was put back. Then what had just been read did not count as read after its
    /// change, and each window read it again.
    #[test]
    fn a_slow_answer_is_no_clock_that_was_put_back() {
        const PSA: i64 = 1_790_000_000_000;
        // Asked and answered at so many seconds of ours; the second that was shown; what is known then.
        for (known, asked, answered, shown, ahead) in [
            (None, 10, 12, 11, -1_000),
            // It took half a minute, and its time is that of the answer, or that of the question.
            (Some(0), 10, 40, 40, 0),
            (Some(0), 10, 40, 10, 0),
            // The lower bound was too low.
            (Some(-2_000), 50, 50, 50, 0),
            // No answer to this question could have shown so little.
            (Some(0), 60, 60, 58, -2_000),
            (Some(0), 60, 90, 58, -32_000),
        ] {
            let [asked, answered] = [asked, answered].map(|second: u64| second * 1_000);
            let found = ahead_ms(known.map(|known: i64| PSA + known), asked, answered, PSA + shown * 1_000);
            assert_eq!(found - PSA, ahead, "{known:?} {asked} {answered} {shown}");
        }
    }
}
