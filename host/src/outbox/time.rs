//! Sending time.
//!
//! Promises: it is looked for before every send; one send per attempt.

use super::answer::{Answer, judge};
use super::desk::Desk;
use super::gate::Pass;
use super::look::{Look, Search};
use super::next::Turn;
use super::payload::Payload;
use super::steps::{Delivery, Ready};
use super::trouble::Trouble;
use super::verdict::{learn_identity, unapplied};
use crate::store::{Binding, Outcome, StoredConnection, StoredLink};
use psa_host_api::model::TimeEntry;
use psa_host_api::ops::{self, AddTimeEntryRequest};
use serde_json::json;

pub(super) async fn send(
    desk: &Desk,
    ready: Ready,
    link: &StoredLink,
    connection: &StoredConnection,
    payload: &Payload,
    pass: &Pass,
) -> Result<Turn, Trouble> {
    let Payload::Time { entry, agent } = payload else { return Ok(Turn::Again) };
    let Some(ticket) = link.ticket.clone() else { return Ok(Turn::Again) };
    let fence = match Search::before_send(desk, &ready.row, link, payload, connection).run().await? {
        Look::Found { binding, evidence, .. } => {
            pass.worked();
            let delivery = Delivery { binding, evidence: Some(evidence), ..Delivery::of(Outcome::Found) };
            ready.delivered(desk, delivery).await?;
            return Ok(Turn::Again);
        }
        Look::Near(evidence) => {
            ready.held(desk, "near_match", Some(evidence)).await?;
            return Ok(Turn::Again);
        }
        Look::Gone => {
            ready.refused(desk, "ticket_gone", None).await?;
            return Ok(Turn::Again);
        }
        Look::Merged(other) => {
            ready.held(desk, "ticket_merged", Some(json!({"merged_into": other}))).await?;
            return Ok(Turn::Again);
        }
        Look::Overtaken | Look::Unclear => return Ok(Turn::Later(desk.config.poll_ms)),
        Look::Nothing(last) => last,
    };
    let member = desk.member_for(&ready.row.place, entry.member.as_ref(), agent.as_deref())?;
    let request = AddTimeEntryRequest { ticket: ticket.clone(), member, ..AddTimeEntryRequest::clone(entry) };
    let Some(sending) = ready.open(desk, fence).await? else { return Ok(Turn::Contested) };
    let context = desk.once(sending.opened_boot_ms);
    let place = sending.row.place.clone();
    let outcome = desk.connections.run::<ops::AddTimeEntry>(&place, &request, &context).await;
    desk.fail_point("answered");
    desk.stale(&place, &ticket).await;
    match judge(outcome) {
        Answer::Applied(TimeEntry { id, created_by, .. }) => {
            pass.worked();
            learn_identity(desk, connection, created_by).await;
            let binding = Some(Binding { kind: "time", remote: id, ticket: Some(ticket) });
            sending.delivered(desk, Delivery { binding, ..Delivery::of(Outcome::Applied) }).await?;
            Ok(Turn::Again)
        }
        other => unapplied(desk, sending, other, pass, connection).await,
    }
}
