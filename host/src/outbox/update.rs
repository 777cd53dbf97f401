//! Sending a change of a ticket.
//!
//! Promises: the ticket is read first; what is so already is not sent; what a rule of the PSA keeps as it was is refused
//! with its name. The values are the whole of it, so that what is sent twice is the same as what is sent once.

use super::answer::{Answer, judge};
use super::desk::Desk;
use super::gate::Pass;
use super::look::differing;
use super::next::Turn;
use super::reading;
use super::steps::{Delivery, Ready};
use super::trouble::Trouble;
use super::verdict::unapplied;
use crate::store::{Outcome, StoredConnection, StoredLink};
use psa_host_api::ops::{self, TicketChanges};

pub(super) async fn send(
    desk: &Desk,
    ready: Ready,
    link: &StoredLink,
    connection: &StoredConnection,
    changes: &TicketChanges,
    pass: &Pass,
) -> Result<Turn, Trouble> {
    let Some(ticket) = link.ticket.clone() else { return Ok(Turn::Again) };
    let Some((ready, found)) = reading::ticket(desk, ready, &ticket).await? else { return Ok(Turn::Again) };
    if differing(changes, &found).is_empty() {
        pass.worked();
        ready.delivered(desk, Delivery::of(Outcome::Already)).await?;
        return Ok(Turn::Again);
    }
    let request = ops::UpdateTicketRequest { ticket: ticket.clone(), changes: changes.clone() };
    let Some(sending) = ready.open(desk, found.updated_at).await? else { return Ok(Turn::Contested) };
    let context = desk.once(sending.opened_boot_ms);
    let place = sending.row.place.clone();
    let outcome = desk.connections.run::<ops::UpdateTicket>(&place, &request, &context).await;
    desk.fail_point("answered");
    desk.stale(&place, &ticket).await;
    match judge(outcome) {
        Answer::Applied(_) => {
            pass.worked();
            sending.delivered(desk, Delivery::of(Outcome::Applied)).await?;
            Ok(Turn::Again)
        }
        Answer::Refused(error) if error.reason.as_deref() == Some("not_applied") => {
            pass.worked();
            sending.refused(desk, "ignored", &error).await?;
            Ok(Turn::Again)
        }
        other => unapplied(desk, sending, other, pass, connection).await,
    }
}
