//! What ConnectWise itself has recorded of a ticket's changes.

use crate::client::{Client, Query, number};
use crate::map::Record;
use crate::paging::{self, Order};
use psa_host_api::Error;
use psa_host_api::model::{AuditEntry, Page};
use psa_host_api::ops::ListAuditTrailRequest;
use psa_host_api::sdk::Cx;

/// Read with page numbers only, and the lines have no ids. Source: facts 10.3.
pub(crate) async fn list(client: &Client, cx: &Cx, request: ListAuditTrailRequest) -> Result<Page<AuditEntry>, Error> {
    let ticket = number(&request.ticket, "ticket")?;
    let query: Query = vec![("type", "Ticket".to_owned()), ("id", ticket.to_string())];
    let read = |record: Record<'_>| Ok(entry_from(record));
    paging::list_by(Order::Dated, client, cx, "system/audittrail", query, &request.page, read).await
}

fn entry_from(mut record: Record<'_>) -> AuditEntry {
    AuditEntry {
        text: record.text("text").unwrap_or_default(),
        at: record.text("enteredDate"),
        by: record.text("enteredBy").filter(|by| !by.is_empty()),
        kind: record.text("auditType").filter(|kind| !kind.is_empty()),
        raw: record.rest(),
    }
}
