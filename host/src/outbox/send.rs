//! The turn of what is queued: from the first look to the answer.
//!
//! Promises: one send per attempt; what an answer means is decided by what left this machine first, by the provider's
//! word second, and errs towards a doubt.

use super::answer::{Answer, judge};
use super::desk::Desk;
use super::gate::Pass;
use super::look::{Look, Search};
use super::payload::Payload;
use super::steps::{Delivery, Ready, Sending};
use super::trouble::Trouble;
use super::turn::{LaneMemory, Turn};
use super::{status, ticket};
use crate::egress::Lane;
use crate::store::{
    Binding, Kind, LinkState, MappingState, Outcome, StopReason, StoredConnection, StoredLink, StoredOperation, Unless,
};
use psa_host_api::model::{Note, Visibility};
use psa_host_api::ops;
use psa_host_api::{Code, Error};
use serde_json::json;

/// A turn of a queued head.
pub(super) async fn turn(
    desk: &Desk,
    row: StoredOperation,
    connection: &StoredConnection,
    link: &StoredLink,
    memory: &mut LaneMemory,
) -> Result<Turn, Error> {
    let ready = Ready { row };
    if ready.row.not_after <= desk.clock.now_unix_ms() {
        // A status that comes too late would overwrite what happened since; a note can still be wanted.
        if ready.row.kind == Kind::Status {
            ready.refused(desk, "too_old", None).await?;
        } else {
            ready.held(desk, "expired", None).await?;
        }
        return Ok(Turn::Again);
    }
    if ready.row.kind != Kind::Ticket && link.ticket.is_none() {
        if link.state == LinkState::Creating {
            ready.held_unless(desk, "ticket_missing", None, Some(Unless::TicketIsThere)).await?;
        } else {
            ready.refused(desk, "ticket_gone", None).await?;
        }
        return Ok(Turn::Again);
    }
    let Some(payload) = Payload::open(&desk.vault, &ready.row)? else {
        ready.held(desk, "payload_unreadable", None).await?;
        return Ok(Turn::Again);
    };
    let pass = match desk.gate(&ready.row.place).enter(&*desk.clock, connection.credential_version).await {
        Ok(pass) => pass,
        Err(wait) => return Ok(Turn::Later(wait)),
    };
    let turn = match &payload {
        Payload::Note { .. } => note(desk, ready, link, connection, &payload, &pass, memory).await,
        Payload::Status { .. } => status::send(desk, ready, link, connection, payload.clone(), &pass).await,
        Payload::Ticket(_) => ticket::send(desk, ready, link, connection, &payload, &pass).await,
    };
    match turn {
        Ok(turn) => Ok(turn),
        Err(Trouble::Ours(error)) => Err(error),
        // A read before the send failed: nothing was sent, so it waits.
        Err(Trouble::Theirs(error)) => Ok(Turn::Failed(blame(desk, &pass, connection, &error).await)),
    }
}

/// Closes the gate, or stops the connection, for an error that is about it. How long to wait, in milliseconds.
pub(super) async fn blame(desk: &Desk, pass: &Pass, connection: &StoredConnection, error: &Error) -> u64 {
    let boot = desk.clock.boot_ms();
    let until = pass.failed(boot, error.retry_after_ms);
    let reason = match (error.code, error.reason.as_deref()) {
        (Code::Unauthenticated, _) => Some(StopReason::SignIn),
        (_, Some("plugin_missing")) => Some(StopReason::PluginMissing),
        (_, Some("plugin_stalled")) => Some(StopReason::PluginStalled),
        (Code::Unreadable, Some("settings")) => Some(StopReason::Settings),
        (Code::Unreadable, _) => Some(StopReason::Unreadable),
        _ => None,
    };
    if let Some(reason) = reason {
        let version = Some(connection.credential_version);
        desk.stop(&connection.place, reason, error.message.clone(), version).await;
    }
    until.saturating_sub(boot).max(1)
}

pub(super) fn search<'a>(
    desk: &'a Desk,
    row: &'a StoredOperation,
    link: &'a StoredLink,
    payload: &'a Payload,
    connection: &'a StoredConnection,
) -> Search<'a> {
    let first = row.doubts == 0;
    Search { desk, row, link, payload, identity: connection.identity.as_deref(), first, lane: Lane::Delivery }
}

async fn note(
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
    let member = match (member, agent) {
        (Some(member), _) => Some(member.clone()),
        (None, Some(agent)) => desk
            .store
            .member_mapping(&ready.row.place, agent)?
            .filter(|mapping| mapping.state == MappingState::Mapped)
            .and_then(|mapping| mapping.member),
        (None, None) => None,
    };
    // What was doubted and put back by a person is looked for again, whatever the lane knows.
    if !memory.looked || ready.row.doubts > 0 {
        match search(desk, &ready.row, link, payload, connection).run().await? {
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

/// An internal note that others can read stops the connection before anything else is sent through it.
pub(super) async fn check_visibility(
    desk: &Desk,
    connection: &StoredConnection,
    wanted: Visibility,
    shown: Option<Visibility>,
    binding: Option<&Binding>,
) {
    let Some(shown) = shown.filter(|shown| *shown != wanted) else { return };
    let id = binding.map_or("?", |binding| &binding.remote);
    let body = json!({"connection": connection.place.connection, "note": id, "wanted": wanted, "shown": shown});
    let event = desk.scribe.event(&connection.place.tenant, "note.visibility", body);
    let told = desk.store.note(crate::store::Record { entries: Vec::new(), events: vec![event] }).await;
    if let Err(error) = told {
        desk.log.error("host", &format!("the visibility of note {id} could not be reported: {error}"));
    }
    if wanted == Visibility::Internal {
        let detail = format!(
            "Note {id} was posted as internal and the PSA shows it to others. Nothing more is sent until a person has \
             looked and resumes the connection."
        );
        desk.stop(&connection.place, StopReason::Visibility, detail, None).await;
    }
}

/// Who the PSA says has made what we made, if it could not be known before.
pub(super) async fn learn_identity(desk: &Desk, connection: &StoredConnection, created_by: Option<String>) {
    let Some(name) = created_by.filter(|_| connection.identity.is_none()) else { return };
    let change = Box::new(move |row: &mut StoredConnection| {
        let unknown = row.identity.is_none();
        row.identity.get_or_insert(name);
        unknown
    });
    let kept = desk.store.change(&connection.place, change, Default::default(), Default::default()).await;
    if let Err(error) = kept {
        desk.log.warn("host", &format!("who we are at the PSA could not be kept: {error}"));
    }
}

/// What follows when the answer does not show it.
pub(super) async fn unapplied<T>(
    desk: &Desk,
    sending: Sending,
    answer: Answer<T>,
    pass: &Pass,
    connection: &StoredConnection,
) -> Result<Turn, Trouble> {
    match answer {
        Answer::Applied(_) => Ok(Turn::Again),
        Answer::Refused(error) => {
            pass.worked();
            let reason = error.reason.clone().unwrap_or_else(|| error.code.name().to_owned());
            sending.refused(desk, &reason, &error).await?;
            Ok(Turn::Again)
        }
        Answer::Back(error) => {
            let wait = blame(desk, pass, connection, &error).await;
            sending.back(desk, &error).await?;
            Ok(Turn::Failed(wait))
        }
        Answer::Doubt(error, never_resend) => {
            pass.lost(desk.clock.boot_ms());
            sending.doubted(desk, Some(&error), never_resend).await?;
            Ok(Turn::Again)
        }
    }
}
