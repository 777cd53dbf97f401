//! The turn of what is in doubt: look, wait, look again.

use super::desk::Desk;
use super::look::{Look, Search};
use super::payload::Payload;
use super::send;
use super::steps::{Delivery, Doubtful};
use super::turn::Turn;
use crate::store::{Kind, Outcome, StoredConnection, StoredLink, StoredOperation};
use psa_host_api::Error;

/// How often an operation may be doubted before a person must look.
const DOUBTS_MAX: i64 = 4;
/// The same for a ticket: it is sent a second time, and never a third time.
const TICKET_DOUBTS_MAX: i64 = 2;
/// A look in between, as a part of Q.
const LOOKS_PER_QUIET: u64 = 4;

/// A turn of a head that is in doubt.
pub(super) async fn turn(
    desk: &Desk,
    row: StoredOperation,
    connection: &StoredConnection,
    link: &StoredLink,
) -> Result<Turn, Error> {
    let Some(doubtful) = Doubtful::take(desk, row).await? else { return Ok(Turn::Contested) };
    let quiet = desk.quiet(&doubtful.row);
    let limit = desk.config.quiet_ms;
    let Some(payload) = Payload::open(&desk.vault, &doubtful.row)? else {
        doubtful.held(desk, "payload_unreadable", None).await?;
        return Ok(Turn::Again);
    };
    if quiet > limit.saturating_mul(2).saturating_add(desk.config.doubt_ms) {
        // Its lane has waited long enough.
        doubtful.held(desk, "doubt_expired", None).await?;
        return Ok(Turn::Again);
    }
    let empty_at = doubtful.row.empty_at.and_then(|at| u64::try_from(at).ok());
    let boot = desk.clock.boot_ms();
    let gate = desk.gate(&doubtful.row.place);
    let pass = match gate.enter(boot, connection.credential_version).await {
        Ok(pass) => pass,
        Err(until) => {
            let wait = until.saturating_sub(boot).max(1);
            doubtful.waits(desk, quiet, empty_at, wait).await?;
            return Ok(Turn::Later(wait));
        }
    };
    let search = Search {
        desk,
        row: &doubtful.row,
        link,
        payload: &payload,
        identity: connection.identity.as_deref(),
        first: false,
    };
    let looked = search.run().await;
    desk.fail_point("looked");
    match looked {
        Err(error) => {
            let turn = send::failed_before(desk, &pass, connection, error).await?;
            let wait = if let Turn::Later(wait) = turn { wait } else { 1 };
            doubtful.waits(desk, quiet, empty_at, wait).await?;
            Ok(Turn::Later(wait))
        }
        Ok(look) => {
            pass.worked();
            follow(desk, doubtful, connection, &payload, look, (quiet, empty_at)).await
        }
    }
}

async fn follow(
    desk: &Desk,
    doubtful: Doubtful,
    connection: &StoredConnection,
    payload: &Payload,
    look: Look,
    (quiet, empty_at): (u64, Option<u64>),
) -> Result<Turn, Error> {
    let operation = doubtful.row.operation.clone();
    match look {
        Look::Found { binding, ticket, shown, evidence } => {
            if let Payload::Note { visibility, .. } = payload {
                send::check_visibility(desk, connection, *visibility, shown, binding.as_ref()).await;
            }
            let delivery = Delivery { binding, ticket, evidence: Some(evidence), ..Delivery::of(Outcome::Found) };
            doubtful.delivered(desk, delivery).await?;
        }
        Look::Near(evidence) => {
            doubtful.held(desk, "near_match", Some(evidence)).await?;
        }
        Look::Gone => {
            doubtful.refused(desk, "ticket_gone").await?;
        }
        Look::Merged(other) => {
            let evidence = serde_json::json!({"merged_into": other});
            doubtful.held(desk, "ticket_merged", Some(evidence)).await?;
        }
        Look::Overtaken => {
            doubtful.refused(desk, "superseded").await?;
        }
        Look::Nothing(_) => return nothing(desk, doubtful, quiet, empty_at).await,
    }
    desk.forget(&operation);
    Ok(Turn::Again)
}

/// Nothing was found: enough to send again, or not yet.
async fn nothing(desk: &Desk, doubtful: Doubtful, quiet: u64, empty_at: Option<u64>) -> Result<Turn, Error> {
    let limit = desk.config.quiet_ms;
    let first_empty = empty_at.unwrap_or(quiet);
    // Applied up to Q after we stopped waiting, and listed up to Q after that: decision 0006.
    let enough = first_empty.saturating_add(limit).max(limit.saturating_mul(2));
    if quiet < enough || empty_at.is_none() {
        let wait = enough.saturating_sub(quiet).min((limit / LOOKS_PER_QUIET).max(1)).max(1);
        doubtful.waits(desk, quiet, Some(first_empty), wait).await?;
        return Ok(Turn::Later(wait));
    }
    let most = if doubtful.row.kind == Kind::Ticket { TICKET_DOUBTS_MAX } else { DOUBTS_MAX };
    let operation = doubtful.row.operation.clone();
    if doubtful.row.never_resend {
        // The PSA said that it is done, and does not show it.
        doubtful.held(desk, "doubt_expired", None).await?;
    } else if doubtful.row.doubts >= most {
        doubtful.held(desk, "second_doubt", None).await?;
    } else {
        doubtful.resend(desk).await?;
    }
    desk.forget(&operation);
    Ok(Turn::Again)
}
