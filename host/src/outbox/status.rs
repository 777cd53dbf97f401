//! Sending a change of status.
//!
//! Promises: the ticket is read first; a status that is not mapped for its board waits; one that somebody else has
//! changed meanwhile is left alone.

use super::answer::{Answer, judge};
use super::desk::Desk;
use super::gate::Pass;
use super::next::Turn;
use super::payload::Payload;
use super::reading;
use super::steps::{Delivery, Ready};
use super::trouble::Trouble;
use super::verdict::unapplied;
use crate::store::{Outcome, StoredConnection, StoredLink, Unless};
use psa_host_api::ops;
use serde_json::json;

pub(super) async fn send(
    desk: &Desk,
    ready: Ready,
    link: &StoredLink,
    connection: &StoredConnection,
    payload: Payload,
    pass: &Pass,
) -> Result<Turn, Trouble> {
    let Payload::Status { status, value } = &payload else { return Ok(Turn::Again) };
    let Some(ticket) = link.ticket.clone() else { return Ok(Turn::Again) };
    if desk.store.has_younger_status(&ready.row)? {
        // It waited for something, and what was wanted since is what is wanted.
        ready.refused(desk, "superseded", None).await?;
        return Ok(Turn::Again);
    }
    let Some((mut ready, found)) = reading::ticket(desk, ready, &ticket).await? else { return Ok(Turn::Again) };
    let scope = found.board.as_ref().map(|board| board.id.clone()).unwrap_or_default();
    let wanted = match (status, value) {
        (Some(status), _) => Some(status.clone()),
        (None, Some(value)) => desk.store.mapped_status(&ready.row.place, &scope, value)?,
        (None, None) => None,
    };
    let Some(wanted) = wanted else {
        let evidence = Some(json!({"scope": scope, "value": value}));
        let unless = value.clone().map(|value| Unless::Mapped { scope, value });
        ready.held_unless(desk, "needs_mapping", evidence, unless).await?;
        return Ok(Turn::Again);
    };
    let now = found.status.map(|status| status.id);
    if now.as_ref() == Some(&wanted) {
        pass.worked();
        ready.delivered(desk, Delivery::of(Outcome::Already)).await?;
        return Ok(Turn::Again);
    }
    if ready.row.base.is_some() && ready.row.base != now {
        pass.worked();
        ready.refused(desk, "superseded", None).await?;
        return Ok(Turn::Again);
    }
    ready.row.wanted = Some(wanted.clone());
    let request = ops::SetTicketStatusRequest { ticket: ticket.clone(), status: wanted, expected: now.clone() };
    let Some(sending) = ready.open(desk, now.clone()).await? else { return Ok(Turn::Contested) };
    let context = desk.once(sending.opened_boot_ms);
    let place = sending.row.place.clone();
    let outcome = desk.connections.run::<ops::SetTicketStatus>(&place, &request, &context).await;
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
            let got = error.details.as_ref().and_then(|details| details["got"].as_str()).map(str::to_owned);
            if got.is_some() && got != now {
                let evidence = Some(json!({"status": got}));
                let delivery = Delivery { evidence, ..Delivery::of(Outcome::AppliedThenChanged) };
                sending.delivered(desk, delivery).await?;
            } else {
                sending.refused(desk, "ignored", &error).await?;
            }
            Ok(Turn::Again)
        }
        other => unapplied(desk, sending, other, pass, connection).await,
    }
}
