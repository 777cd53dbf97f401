//! Sending a new ticket.
//!
//! Promises: it carries the random mark of its link; it is looked for before every send.

use super::answer::{Answer, judge};
use super::desk::Desk;
use super::gate::Pass;
use super::look::{Look, Search};
use super::next::Turn;
use super::payload::Payload;
use super::steps::{Delivery, Ready};
use super::trouble::Trouble;
use super::verdict::{learn_identity, unapplied};
use crate::callbacks::Seen;
use crate::store::{Binding, NoteFence, Outcome, StoredConnection, StoredLink};
use psa_host_api::model::Ticket;
use psa_host_api::ops;

pub(super) async fn send(
    desk: &Desk,
    ready: Ready,
    link: &StoredLink,
    connection: &StoredConnection,
    payload: &Payload,
    pass: &Pass,
) -> Result<Turn, Trouble> {
    let Payload::Ticket(request) = payload else { return Ok(Turn::Again) };
    let fence = match Search::before_send(desk, &ready.row, link, payload, connection).run().await? {
        Look::Found { binding, ticket, evidence, .. } => {
            pass.worked();
            let delivery = Delivery { binding, ticket, evidence: Some(evidence), ..Delivery::of(Outcome::Found) };
            ready.delivered(desk, delivery).await?;
            return Ok(Turn::Again);
        }
        Look::Near(evidence) => {
            ready.held(desk, "near_match", Some(evidence)).await?;
            return Ok(Turn::Again);
        }
        Look::Nothing(last) => last.or_else(|| ready.row.fence.clone()),
        Look::Unclear => return Ok(Turn::Later(desk.config.poll_ms)),
        Look::Gone | Look::Merged(_) | Look::Overtaken => ready.row.fence.clone(),
    };
    let request = ops::CreateTicketRequest {
        external_reference: Some(link.reference.clone()),
        ..ops::CreateTicketRequest::clone(request)
    };
    let Some(sending) = ready.open(desk, fence).await? else { return Ok(Turn::Contested) };
    let context = desk.once(sending.opened_boot_ms);
    let place = sending.row.place.clone();
    let outcome = desk.connections.run::<ops::CreateTicket>(&place, &request, &context).await;
    desk.fail_point("answered");
    // However it ended: no list that was read before has it.
    desk.stale(&place, "").await;
    match judge(outcome) {
        Answer::Applied(made) => {
            pass.worked();
            let Ticket { id, created_by, .. } = made.clone();
            learn_identity(desk, connection, created_by).await;
            let binding = Some(Binding { kind: "ticket", remote: id.clone(), ticket: Some(id.clone()) });
            let delivery = Delivery { binding, ticket: Some(id), ..Delivery::of(Outcome::Applied) };
            sending.delivered(desk, delivery).await?;
            // What we have made so is no news when it is read again.
            let (seen, now) = (Seen::of(&made, None).write(), desk.clock.now_unix_ms());
            desk.store.first_view(&place, &link.link, Some(seen), NoteFence::default(), now).await?;
            Ok(Turn::Again)
        }
        other => unapplied(desk, sending, other, pass, connection).await,
    }
}
