//! Making a service ticket.
//!
//! Promises: one POST; what ConnectWise would refuse and we can tell is refused before; a status of another board is
//! never sent.
//! Leaves to others: what the answer says (`tickets`), whether a lost answer meant a ticket (the host, by our mark).

use crate::client::{Client, number, record};
use crate::conditions::mark;
use crate::notes::TEXT_CHARS_MAX;
use crate::statuses::check_is_of_board;
use crate::tickets::{Kind, ticket_from};
use psa_host_api::Error;
use psa_host_api::model::Ticket;
use psa_host_api::ops::CreateTicketRequest;
use psa_host_api::sdk::Cx;
use serde_json::{Map, Value, json};

/// Counted in UTF-16 units; longer is refused, not cut. Source: facts 6.
const SUMMARY_MAX: usize = 100;

/// Their names of what has a field of ours: `fields` cannot say it a second time, in another way.
const OURS: [&str; 9] =
    ["summary", "company", "board", "contact", "status", "priority", "type", "initialDescription", "externalXRef"];

pub(crate) async fn ticket(client: &Client, cx: &Cx, request: CreateTicketRequest) -> Result<Ticket, Error> {
    let body = ticket_body(&request)?;
    if let (Some(status), Some(board)) = (&request.status, &request.board) {
        check_is_of_board(client, cx, number(status, "status")?, number(board, "board")?).await?;
    }
    let made = record(client.write(cx, "POST", "service/tickets", &body).await?)?;
    ticket_from(client, Kind::Service, made)
}

/// The body of a new ticket. Source: facts 6; the description becomes the first note, one the customer can read.
pub(crate) fn ticket_body(request: &CreateTicketRequest) -> Result<Value, Error> {
    let length = request.summary.encode_utf16().count();
    if request.summary.trim().is_empty() || length > SUMMARY_MAX {
        let message = format!("summary has {length} characters; 1 to {SUMMARY_MAX} can be sent");
        return Err(Error::invalid(message.clone()).field("/summary", "length", message));
    }
    if request.status.is_some() && request.board.is_none() {
        let message = "status needs the board it is of: names and ids of statuses belong to one";
        return Err(Error::invalid(message).field("/status", "board_required", message));
    }
    let mut body = Map::new();
    body.insert("summary".to_owned(), json!(request.summary));
    let references = [
        ("company", "company", Some(&request.company)),
        ("board", "board", request.board.as_ref()),
        ("contact", "contact", request.contact.as_ref()),
        ("status", "status", request.status.as_ref()),
        ("priority", "priority", request.priority.as_ref()),
        ("type", "ticket_type", request.ticket_type.as_ref()),
    ];
    for (theirs, ours, id) in references {
        if let Some(id) = id {
            body.insert(theirs.to_owned(), json!({"id": number(id, ours)?}));
        }
    }
    // An empty member would be a note without words.
    if let Some(text) = request.description.as_ref().filter(|text| !text.trim().is_empty()) {
        let length = text.chars().count();
        if length > TEXT_CHARS_MAX {
            let message = format!("description has {length} characters; {TEXT_CHARS_MAX} can be sent");
            return Err(Error::invalid(message.clone()).field("/description", "length", message));
        }
        body.insert("initialDescription".to_owned(), json!(text));
    }
    if let Some(reference) = &request.external_reference {
        body.insert("externalXRef".to_owned(), json!(mark(reference, "/external_reference")?));
    }
    for (name, value) in &request.fields {
        // In any case: their reader does not tell them apart.
        if OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name)) {
            let message = format!("fields names {name}, which has a field of its own in the request");
            return Err(Error::invalid(message.clone()).field(format!("/fields/{name}"), "ours", message));
        }
        body.insert(name.clone(), value.clone());
    }
    Ok(Value::Object(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(change: impl FnOnce(&mut CreateTicketRequest)) -> CreateTicketRequest {
        let mut request =
            CreateTicketRequest { summary: "Printer on fire".into(), company: "2".into(), ..Default::default() };
        change(&mut request);
        request
    }

    #[test]
    fn every_field_has_its_place_and_nothing_else_is_sent() {
        assert_eq!(ticket_body(&request(|_| {})).unwrap(), json!({"summary": "Printer on fire", "company": {"id": 2}}));
        let full = request(|request| {
            request.board = Some("1".into());
            request.description = Some("It burns.".into());
            request.contact = Some("3".into());
            request.status = Some("101".into());
            request.priority = Some("4".into());
            request.ticket_type = Some("10".into());
            request.external_reference = Some("psa-1".into());
            request.fields.insert("severity".into(), json!("High"));
        });
        assert_eq!(
            ticket_body(&full).unwrap(),
            json!({"summary": "Printer on fire", "company": {"id": 2}, "board": {"id": 1}, "contact": {"id": 3},
                   "status": {"id": 101}, "priority": {"id": 4}, "type": {"id": 10},
                   "initialDescription": "It burns.", "externalXRef": "psa-1", "severity": "High"})
        );
        let blank = ticket_body(&request(|request| request.description = Some(" \n".into()))).unwrap();
        assert!(blank.get("initialDescription").is_none());
        assert!(ticket_body(&request(|request| request.summary = "é".repeat(100))).is_ok());
    }

    #[test]
    fn what_cannot_be_kept_is_refused_by_its_field() {
        type Change = fn(&mut CreateTicketRequest);
        let rows: [(Change, &str); 13] = [
            (|request| request.summary = " ".into(), "/summary"),
            (|request| request.summary = "x".repeat(101), "/summary"),
            // Two UTF-16 units each.
            (|request| request.summary = "🔥".repeat(51), "/summary"),
            (|request| request.company = String::new(), "/company"),
            (|request| request.company = "Northwind".into(), "/company"),
            (|request| request.contact = Some("0".into()), "/contact"),
            (|request| request.ticket_type = Some("x".into()), "/ticket_type"),
            (|request| request.status = Some("101".into()), "/status"),
            (|request| request.description = Some("x".repeat(TEXT_CHARS_MAX + 1)), "/description"),
            (|request| request.external_reference = Some("x".repeat(101)), "/external_reference"),
            // It could not be found again.
            (|request| request.external_reference = Some("a\"b".into()), "/external_reference"),
            (|request| drop(request.fields.insert("externalXRef".into(), json!("x"))), "/fields/externalXRef"),
            (|request| drop(request.fields.insert("Summary".into(), json!("x"))), "/fields/Summary"),
        ];
        for (change, at) in rows {
            assert_eq!(ticket_body(&request(change)).unwrap_err().fields[0].at, at);
        }
    }
}
