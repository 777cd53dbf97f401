//! Sending a note.
//!
//! Promises: one send per attempt; before a lane's first send it is looked for; an internal note that others can read stops
//! the connection.

use super::answer::{Answer, judge};
use super::desk::Desk;
use super::gate::Pass;
use super::look::{Look, Search};
use super::next::{LaneMemory, Turn};
use super::payload::Payload;
use super::steps::{Delivery, Ready};
use super::trouble::Trouble;
use super::verdict::{check_visibility, learn_identity, unapplied};
use crate::store::{Binding, Outcome, StoredConnection, StoredLink};
use psa_host_api::model::Note;
use psa_host_api::ops;
use serde_json::json;

pub(super) async fn send(
    desk: &Desk,
    ready: Ready,
    link: &StoredLink,
    connection: &StoredConnection,
    payload: &Payload,
    pass: &Pass,
    memory: &mut LaneMemory,
) -> Result<Turn, Trouble> {
    let Payload::Note { text, visibility, member, agent } = payload else { return Ok(Turn::Again) };
    let Some(ticket) = link.ticket.clone() else { return Ok(Turn::Again) };
    let member = desk.member_for(&ready.row.place, member.as_ref(), agent.as_deref())?;
    // What was doubted and put back by a person is looked for again, whatever the lane knows.
    if !memory.looked || ready.row.doubts > 0 {
        match Search::before_send(desk, &ready.row, link, payload, connection).run().await? {
            Look::Found { binding, shown, evidence, .. } => {
                pass.worked();
                check_visibility(desk, connection, *visibility, shown, binding.as_ref()).await;
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
            Look::Nothing(last) => {
                pass.worked();
                memory.looked = true;
                memory.fence = last;
            }
        }
    }
    let request = ops::AddNoteRequest { ticket: ticket.clone(), visibility: *visibility, text: text.clone(), member };
    let Some(sending) = ready.open(desk, memory.fence.clone()).await? else { return Ok(Turn::Contested) };
    let context = desk.once(sending.opened_boot_ms);
    let place = sending.row.place.clone();
    let outcome = desk.connections.run::<ops::AddNote>(&place, &request, &context).await;
    desk.fail_point("answered");
    desk.stale(&place, &ticket).await;
    match judge(outcome) {
        Answer::Applied(Note { id, visibility: shown, created_by, text: kept, .. }) => {
            pass.worked();
            let binding = Binding { kind: "note", remote: id.clone(), ticket: Some(ticket) };
            check_visibility(desk, connection, *visibility, Some(shown), Some(&binding)).await;
            learn_identity(desk, connection, created_by).await;
            desk.learn_text(&place, text, &kept);
            memory.fence = Some(id);
            sending.delivered(desk, Delivery { binding: Some(binding), ..Delivery::of(Outcome::Applied) }).await?;
            Ok(Turn::Again)
        }
        other => {
            memory.looked = false;
            unapplied(desk, sending, other, pass, connection).await
        }
    }
}
