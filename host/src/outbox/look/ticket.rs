//! Looking for a new ticket at the PSA.
//!
//! Promises: its mark is proof. A kind of tickets that has no place for marks is looked through by company, summary and
//! creator, and what is not clearly ours goes to a person.

use super::{Look, Search, is_ours};
use crate::outbox::canonical::{Likeness, compare};
use crate::outbox::trouble::Trouble;
use crate::store::Binding;
use psa_host_api::model::{Ticket, TicketFilter};
use psa_host_api::{Code, Error, ops};
use serde_json::json;

/// How many of the newest tickets can hold one that was made since the acceptance, where no mark tells.
const NEWEST: u32 = 100;

impl Search<'_> {
    pub(super) async fn for_ticket(&self, request: &ops::CreateTicketRequest) -> Result<Look, Trouble> {
        let reference = &self.link.reference;
        let marked = self.marked(request).await?;
        if let Some(found) = marked.iter().flatten().find(|found| found.external_reference.as_ref() == Some(reference))
        {
            return Ok(ticket_found(found, "reference"));
        }
        if self.first {
            let newest = TicketFilter { newest_first: true, ..like(request) };
            let newest = self.page_of(newest, Some(if marked.is_some() { 1 } else { NEWEST })).await?;
            let last = newest.first().map(|ticket| ticket.id.clone());
            return match marked {
                Some(_) => Ok(Look::Nothing(last)),
                None => self.made_before(request, newest, last),
            };
        }
        // Looked for a second time in another way: a search by reference may be late, or not there.
        let after = TicketFilter { made_after: self.row.fence.clone(), ..like(request) };
        let found = self.some_tickets(after).await?;
        // Its own mark is proof, though the search by it did not find it yet.
        if let Some(found) = found.iter().find(|found| found.external_reference.as_ref() == Some(reference)) {
            return Ok(ticket_found(found, "company and reference"));
        }
        let alike = self.alike(request, &found)?;
        match alike.as_slice() {
            [] => Ok(Look::Nothing(None)),
            // Another creation with this summary may have made it, and will say so.
            _ if self.desk.store.has_rivals(self.row)? => Ok(Look::Unclear),
            [only] if self.is_known(only) => Ok(ticket_found(only, "company and summary")),
            several => {
                let near: Vec<&String> = several.iter().map(|ticket| &ticket.id).collect();
                Ok(Look::Near(json!({"near": near})))
            }
        }
    }

    /// Nothing was sent, as far as is known; without a mark only what is ours beyond question can have come of it.
    fn made_before(
        &self,
        request: &ops::CreateTicketRequest,
        mut newest: Vec<Ticket>,
        last: Option<String>,
    ) -> Result<Look, Trouble> {
        newest.reverse();
        let mut alike = self.alike(request, &newest)?;
        alike.retain(|ticket| self.is_known(ticket) && self.made_since_acceptance(ticket.created_at.as_deref()));
        let claims = self.earlier_claims()?;
        Ok(alike.get(claims).map_or(Look::Nothing(last), |found| ticket_found(found, "company and summary")))
    }

    /// Tickets of nobody that may be ours, and have the summary.
    fn alike<'t>(&self, request: &ops::CreateTicketRequest, found: &'t [Ticket]) -> Result<Vec<&'t Ticket>, Trouble> {
        let bound = self.bound("ticket", found.iter().map(|ticket| &ticket.id))?;
        let alike = found.iter().filter(|ticket| {
            !bound.contains(&ticket.id)
                && is_ours(self.identity, ticket.created_by.as_deref())
                // The mark of another operation says whose it is.
                && ticket.external_reference.is_none()
                && compare(&request.summary, &ticket.summary) == Likeness::Same
        });
        Ok(alike.collect())
    }

    fn is_known(&self, ticket: &Ticket) -> bool {
        self.identity.is_some() && ticket.created_by.is_some()
    }

    /// Those with our mark. `None`: tickets of this kind have no place for one.
    async fn marked(&self, request: &ops::CreateTicketRequest) -> Result<Option<Vec<Ticket>>, Error> {
        let reference = Some(self.link.reference.clone());
        let (kind, rest) = (request.kind.clone(), TicketFilter::default());
        match self.some_tickets(TicketFilter { external_reference: reference, kind, ..rest }).await {
            Err(error) if error.code == Code::InvalidArgument && error.reason.as_deref() == Some(ops::NO_MARKS) => {
                Ok(None)
            }
            found => found.map(Some),
        }
    }

    /// Second copies of a created ticket: by its mark or, where there is none, as a doubt looks for it.
    pub(in crate::outbox) async fn ticket_copies(
        &self,
        request: &ops::CreateTicketRequest,
    ) -> Result<Vec<String>, Trouble> {
        if let Some(found) = self.marked(request).await? {
            let bound = self.bound("ticket", found.iter().map(|ticket| &ticket.id))?;
            return Ok(found.into_iter().map(|ticket| ticket.id).filter(|id| !bound.contains(id)).collect());
        }
        let after = TicketFilter { made_after: self.row.fence.clone(), ..like(request) };
        let found = self.some_tickets(after).await?;
        Ok(self.alike(request, &found)?.into_iter().map(|ticket| ticket.id.clone()).collect())
    }
}

/// Where a ticket like this would be.
fn like(request: &ops::CreateTicketRequest) -> TicketFilter {
    let company = Some(request.company.clone()).filter(|company| !company.is_empty());
    TicketFilter { company, kind: request.kind.clone(), ..TicketFilter::default() }
}

fn ticket_found(ticket: &Ticket, by: &str) -> Look {
    let binding = Binding { kind: "ticket", remote: ticket.id.clone(), ticket: Some(ticket.id.clone()) };
    let evidence = json!({"ticket": ticket.id, "found_by": by});
    Look::Found { binding: Some(binding), ticket: Some(ticket.id.clone()), shown: None, evidence }
}
