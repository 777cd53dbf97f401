//! Moving a ticket to another status.
//!
//! Promises: a status of another board is never sent; nothing is sent over a status nobody expected; one write; success
//! means that the answer shows the status.

use crate::client::{Client, Query, number, record};
use crate::map::Record;
use crate::tickets::{find, ticket_from};
use psa_host_api::error::SpeaksOf;
use psa_host_api::model::Ticket;
use psa_host_api::ops::SetTicketStatusRequest;
use psa_host_api::sdk::Cx;
use psa_host_api::{Code, Error};
use serde_json::{Map, Value, json};

pub(crate) async fn set(client: &Client, cx: &Cx, request: SetTicketStatusRequest) -> Result<Ticket, Error> {
    let ticket = number(&request.ticket, "ticket")?;
    let status = number(&request.status, "status")?;
    let expected = request.expected.as_deref().map(|expected| number(expected, "expected")).transpose()?;
    let (kind, before) = find(client, cx, ticket).await?;
    let was = reference(&before, "status");
    if was == Some(status) {
        return ticket_from(client, kind, Record::new(before));
    }
    if let Some(expected) = expected.filter(|expected| was != Some(*expected)) {
        return Err(superseded(ticket, expected, was));
    }
    let Some(board) = reference(&before, "board") else {
        let message = format!("ticket {ticket} shows no board, so it cannot be told which statuses it may have");
        return Err(Error::new(Code::Rejected, message).because("no_board").of(SpeaksOf::Operation));
    };
    check_is_of_board(client, cx, status, board).await?;
    // The whole reference: writing status/id may answer 200 and change nothing. Source: facts 4.
    let patch = json!([{"op": "replace", "path": "status", "value": {"id": status}}]);
    let after = record(client.write(cx, "PATCH", &kind.path(ticket), &patch).await?)?;
    match reference(&after, "status") {
        Some(now) if now == status => ticket_from(client, kind, Record::new(after)),
        now => Err(not_applied(ticket, status, was, now)),
    }
}

/// ConnectWise answered 200 and shows another status. Source: facts 4, "always compare".
fn not_applied(ticket: u64, wanted: u64, before: Option<u64>, got: Option<u64>) -> Error {
    let shows = shown(got);
    let message = format!(
        "ConnectWise accepted status {wanted} for ticket {ticket} and shows {shows}: a rule of the board or a workflow keeps it"
    );
    let mut error = Error::new(Code::Rejected, message).because("not_applied").of(SpeaksOf::Operation);
    // Whether it stayed or was moved on is told by the status before.
    error.details = Some(json!({"wanted": wanted.to_string(), "before": text(before), "got": text(got)}));
    error
}

/// Somebody has moved the ticket meanwhile: what was decided before is not sent over it.
fn superseded(ticket: u64, expected: u64, got: Option<u64>) -> Error {
    let shows = shown(got);
    let message = format!("ticket {ticket} was expected in status {expected} and is in {shows}; nothing was sent");
    let mut error = Error::new(Code::Rejected, message).because("superseded").of(SpeaksOf::Operation);
    error.details = Some(json!({"expected": expected.to_string(), "got": text(got)}));
    error
}

fn shown(status: Option<u64>) -> String {
    status.map_or("no status".to_owned(), |status| format!("status {status}"))
}

fn text(id: Option<u64>) -> Option<String> {
    id.map(|id| id.to_string())
}

/// Refuses a status that the board does not have, or has no longer, before anything is sent.
pub(crate) async fn check_is_of_board(client: &Client, cx: &Cx, status: u64, board: u64) -> Result<(), Error> {
    let query: Query = vec![("conditions", format!("id={status}")), ("pageSize", "1".to_owned())];
    let found = client.get(cx, &format!("service/boards/{board}/statuses"), &query).await?;
    // Looked at again, in case the condition was ignored.
    let found = found.as_array().into_iter().flatten().filter_map(Value::as_object);
    let Some(found) = found.into_iter().find(|entry| entry.get("id").and_then(Value::as_u64) == Some(status)) else {
        let message =
            format!("status {status} is not one of board {board}, where the ticket belongs; nothing was sent");
        return Err(refused("status_of_other_board", message));
    };
    if Record::new(found.clone()).flag("inactive") == Some(true) {
        return Err(refused(
            "status_inactive",
            format!("status {status} of board {board} is inactive; nothing was sent"),
        ));
    }
    Ok(())
}

fn refused(reason: &str, message: String) -> Error {
    Error::invalid(message.clone()).because(reason).of(SpeaksOf::Operation).field("/status", reason, message)
}

pub(crate) fn reference(record: &Map<String, Value>, name: &str) -> Option<u64> {
    record.get(name)?.get("id")?.as_u64()
}
