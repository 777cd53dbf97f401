//! Looking for time at the PSA.
//!
//! Promises: as for notes: complete or an error; equal times and words are claimed in the order of acceptance. A list of
//! time is empty, and no error, when its ticket is gone.

use super::{Look, PAGES_MAX, Search, is_ours};
use crate::outbox::trouble::Trouble;
use crate::store::Binding;
use psa_host_api::model::{PageRequest, TimeEntry};
use psa_host_api::ops::{self, AddTimeEntryRequest};
use psa_host_api::{Code, Error};
use serde_json::{Value, json};

impl Search<'_> {
    pub(super) async fn for_time(&self, ticket: &str, wanted: &AddTimeEntryRequest) -> Result<Look, Trouble> {
        let entries = match self.all_time(ticket).await {
            Ok(entries) => entries,
            Err(error) if error.code == Code::NotFound => return self.confirm_gone(ticket, error).await,
            Err(error) => return Err(error.into()),
        };
        let last = entries.last().map(|entry| entry.id.clone());
        let unbound = self.unbound_time(&entries)?;
        let mut alike: Vec<&TimeEntry> =
            unbound.iter().copied().filter(|entry| self.is_same_time(wanted, entry)).collect();
        if self.first {
            // Nothing was sent, as far as is known: only what is ours beyond question can have come of it.
            alike.retain(|entry| {
                let known = self.identity.is_some() && entry.created_by.is_some();
                known && self.made_since_acceptance(entry.created_at.as_deref())
            });
        }
        let claims = self.earlier_claims()?;
        if let Some(entry) = alike.get(claims) {
            let binding = Binding { kind: "time", remote: entry.id.clone(), ticket: Some(ticket.to_owned()) };
            let evidence = json!({"time": entry.id, "looked_at": entries.len()});
            return Ok(Look::Found { binding: Some(binding), ticket: None, shown: None, evidence });
        }
        // The same hours with other words may be ours, rewritten.
        let strange: Vec<Value> = unbound
            .iter()
            .filter(|entry| same_hours(wanted, entry) || alike.iter().any(|other| other.id == entry.id))
            .map(|entry| json!({"time": entry.id, "created_at": entry.created_at, "created_by": entry.created_by}))
            .collect();
        if !self.first && !strange.is_empty() {
            return Ok(Look::Near(json!({"near": strange, "claimed_by_earlier": claims})));
        }
        self.nothing_at(ticket, last).await
    }

    /// Entries behind the fence that belong to nobody and may be ours.
    fn unbound_time<'e>(&self, entries: &'e [TimeEntry]) -> Result<Vec<&'e TimeEntry>, Trouble> {
        let bound = self.bound("time", entries.iter().map(|entry| &entry.id))?;
        let fence = self.row.fence.as_deref().filter(|_| !self.first);
        let after = fence.and_then(|fence| entries.iter().position(|entry| entry.id == fence)).map_or(0, |at| at + 1);
        let free =
            |entry: &&TimeEntry| !bound.contains(&entry.id) && is_ours(self.identity, entry.created_by.as_deref());
        Ok(entries[after..].iter().filter(free).collect())
    }

    fn is_same_time(&self, wanted: &AddTimeEntryRequest, entry: &TimeEntry) -> bool {
        same_hours(wanted, entry) && self.is_same(&wanted.notes, &entry.notes)
    }

    /// Entries with equal hours and words beyond those that are bound, after a resend: second copies.
    pub(in crate::outbox) async fn time_copies(
        &self,
        ticket: &str,
        wanted: &AddTimeEntryRequest,
    ) -> Result<Vec<String>, Trouble> {
        let entries = self.all_time(ticket).await?;
        let copies = self.unbound_time(&entries)?.into_iter().filter(|entry| self.is_same_time(wanted, entry));
        Ok(copies.map(|entry| entry.id.clone()).collect())
    }

    async fn all_time(&self, ticket: &str) -> Result<Vec<TimeEntry>, Error> {
        let mut entries = Vec::new();
        let mut page = PageRequest::default();
        for _ in 0..PAGES_MAX {
            let request = ops::ListTimeEntriesRequest { ticket: ticket.to_owned(), after: None, page };
            let context = self.desk.fresh(self.lane);
            let found = self.desk.connections.run::<ops::ListTimeEntries>(self.place(), &request, &context).await?;
            entries.extend(found.items);
            match found.next {
                Some(next) => page = PageRequest { cursor: Some(next), limit: None },
                None => return Ok(entries),
            }
        }
        Err(Error::new(Code::Unavailable, format!("the time of ticket {ticket} has no end")).because("endless"))
    }
}

/// The same instants, however they are written.
fn same_hours(wanted: &AddTimeEntryRequest, entry: &TimeEntry) -> bool {
    let at = |text: Option<&str>| text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let same = |ours: &str, theirs: Option<&str>| at(Some(ours)).is_some() && at(Some(ours)) == at(theirs);
    same(&wanted.started_at, entry.started_at.as_deref()) && same(&wanted.ended_at, entry.ended_at.as_deref())
}
