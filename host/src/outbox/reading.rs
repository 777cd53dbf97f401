//! Reading a ticket before a change of it is sent.
//!
//! Promises: a ticket that is gone or went into another one ends the operation here.

use super::desk::Desk;
use super::steps::Ready;
use super::trouble::Trouble;
use crate::egress::Lane;
use psa_host_api::Code;
use psa_host_api::model::Ticket;
use psa_host_api::ops;
use serde_json::json;

/// The ticket as it is now. `None`: the operation has come to its end.
pub(super) async fn ticket(desk: &Desk, ready: Ready, ticket: &str) -> Result<Option<(Ready, Ticket)>, Trouble> {
    let request = ops::GetTicketRequest { ticket: ticket.to_owned() };
    let read = desk.connections.run::<ops::GetTicket>(&ready.row.place, &request, &desk.fresh(Lane::Delivery)).await;
    let found = match read {
        Err(error) if error.code == Code::NotFound => {
            ready.refused(desk, "ticket_gone", Some(&error)).await?;
            return Ok(None);
        }
        found => found?,
    };
    if let Some(other) = &found.merged_into {
        ready.held(desk, "ticket_merged", Some(json!({"merged_into": other}))).await?;
        return Ok(None);
    }
    Ok(Some((ready, found)))
}
