//! The turn of what is in doubt: look, wait, look again.

use super::desk::Desk;
use super::look::{Look, Search};
use super::next::Turn;
use super::payload::Payload;
use super::steps::{Delivery, Doubtful};
use super::trouble::Trouble;
use super::verdict;
use crate::egress::Lane;
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
    let boot = desk.clock.boot_ms();
    let quiet = desk.watching().quiet(&doubtful.row, boot);
    let Some(payload) = Payload::open(&desk.vault, &doubtful.row)? else {
        doubtful.held(desk, "payload_unreadable", None).await?;
        return Ok(Turn::Again);
    };
    let empty_at = doubtful.row.empty_at.and_then(|at| u64::try_from(at).ok());
    let pass = match desk.gate(&doubtful.row.place).enter(&*desk.clock, connection.credential_version).await {
        Ok(pass) => pass,
        Err(wait) => {
            doubtful.waits(desk, (quiet, boot), empty_at, wait).await?;
            return Ok(Turn::Later(wait));
        }
    };
    let identity = connection.identity.as_deref();
    let search =
        Search { desk, row: &doubtful.row, link, payload: &payload, identity, first: false, lane: Lane::Delivery };
    let looked = search.run().await;
    desk.fail_point("looked");
    match looked {
        Ok(look) => {
            pass.worked();
            follow(desk, doubtful, connection, &payload, look, Quiet { time: quiet, boot, empty_at }).await
        }
        Err(Trouble::Ours(error)) => Err(error),
        Err(Trouble::Theirs(error)) => {
            let wait = verdict::blame(desk, &pass, connection, &error).await;
            doubtful.waits(desk, (quiet, boot), empty_at, wait).await?;
            Ok(Turn::Failed(wait))
        }
    }
}

/// How long nothing of ours can have been on its way, when the look began.
#[derive(Debug, Clone, Copy)]
struct Quiet {
    time: u64,
    boot: u64,
    empty_at: Option<u64>,
}

async fn follow(
    desk: &Desk,
    doubtful: Doubtful,
    connection: &StoredConnection,
    payload: &Payload,
    look: Look,
    quiet: Quiet,
) -> Result<Turn, Error> {
    let operation = doubtful.row.operation.clone();
    match look {
        Look::Found { binding, ticket, shown, evidence } => {
            if let Payload::Note { visibility, .. } = payload {
                verdict::check_visibility(desk, connection, *visibility, shown, binding.as_ref()).await;
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
        Look::Nothing(_) => return nothing(desk, doubtful, quiet).await,
        Look::Unclear => return again(desk, doubtful, quiet, quiet.empty_at, u64::MAX).await,
    }
    desk.watching().forget(&operation);
    Ok(Turn::Again)
}

/// Looks again later, unless its lane has waited long enough.
async fn again(desk: &Desk, doubtful: Doubtful, quiet: Quiet, empty_at: Option<u64>, most: u64) -> Result<Turn, Error> {
    let limit = desk.config.quiet_ms;
    if quiet.time > limit.saturating_mul(2).saturating_add(desk.config.doubt_ms) {
        let operation = doubtful.row.operation.clone();
        doubtful.held(desk, "doubt_expired", None).await?;
        desk.watching().forget(&operation);
        return Ok(Turn::Again);
    }
    let wait = (limit / LOOKS_PER_QUIET).min(most).max(1);
    doubtful.waits(desk, (quiet.time, quiet.boot), empty_at, wait).await?;
    Ok(Turn::Later(wait))
}

/// Nothing was found: enough to send again, or not yet.
async fn nothing(desk: &Desk, doubtful: Doubtful, quiet: Quiet) -> Result<Turn, Error> {
    let limit = desk.config.quiet_ms;
    let first_empty = quiet.empty_at.unwrap_or(quiet.time);
    // Applied up to Q after we stopped waiting, and listed up to Q after that: decision 0006.
    let enough = first_empty.saturating_add(limit).max(limit.saturating_mul(2));
    if quiet.time < enough || quiet.empty_at.is_none() {
        let missing = enough.saturating_sub(quiet.time);
        return again(desk, doubtful, quiet, Some(first_empty), missing).await;
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
    desk.watching().forget(&operation);
    Ok(Turn::Again)
}
