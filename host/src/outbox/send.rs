//! The turn of what is queued: what must be so before it is sent.
//!
//! Promises: what cannot be sent is held or refused with its reason; what fails before the send waits.

use super::desk::Desk;
use super::next::{LaneMemory, Turn};
use super::payload::Payload;
use super::steps::Ready;
use super::trouble::Trouble;
use super::{note, status, ticket, time, update, verdict};
use crate::store::{Kind, LinkState, StoredConnection, StoredLink, StoredOperation, Unless};
use psa_host_api::Error;

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
        if matches!(ready.row.kind, Kind::Status | Kind::Update) {
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
        Payload::Note { .. } => note::send(desk, ready, link, connection, &payload, &pass, memory).await,
        Payload::Status { .. } => status::send(desk, ready, link, connection, payload.clone(), &pass).await,
        Payload::Ticket(_) => ticket::send(desk, ready, link, connection, &payload, &pass).await,
        Payload::Update(changes) => update::send(desk, ready, link, connection, changes, &pass).await,
        Payload::Time { .. } => time::send(desk, ready, link, connection, &payload, &pass).await,
    };
    match turn {
        Ok(turn) => Ok(turn),
        Err(Trouble::Ours(error)) => Err(error),
        // A read before the send failed: nothing was sent, so it waits.
        Err(Trouble::Theirs(error)) => Ok(Turn::Failed(verdict::blame(desk, &pass, connection, &error).await)),
    }
}
