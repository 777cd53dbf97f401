//! Tickets that have changed within a window of ConnectWise's own time.
//!
//! Promises: the window is complete at its last page, however many tickets have one time; its ends are ConnectWise's
//! clock, never ours.
//! Leaves to others: overlaps and what to do with the tickets (the host).

use crate::client::{Client, Query};
use crate::tickets::{Kind, ticket_from};
use crate::{paging, times};
use psa_host_api::model::Ticket;
use psa_host_api::ops::{ChangedTickets, ChangedTicketsRequest};
use psa_host_api::sdk::{Cx, Response};
use psa_host_api::{Code, Error};

/// Source: facts 3.5, at most 1000.
const PAGE_SIZE: u32 = 100;
const PAGE_SIZE_MAX: u32 = 1000;

/// Where a page begins: behind this id, among tickets of this kind. Service tickets come first.
///
/// Not a page number: a ticket that changes again leaves the window, and those behind it would move forward, over a
/// number that has been read. Source: facts 3.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    kind: Kind,
    after: u64,
}

impl Cursor {
    fn read(text: &str) -> Result<Cursor, Error> {
        let cursor = text.split_once(":after:").and_then(|(kind, id)| {
            let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
            Some(Cursor { kind: Kind::from_name(kind)?, after: id.parse().ok().filter(|_| digits)? })
        });
        cursor.ok_or_else(|| {
            let message = "this cursor is not from a page of this list; begin without one";
            Error::invalid(message).because("cursor").field("/page/cursor", "cursor", message)
        })
    }

    fn write(self) -> String {
        format!("{}:after:{}", self.kind.name(), self.after)
    }
}

/// A window in seconds, both ends in it.
#[derive(Debug, Clone, Copy)]
struct Window {
    since: i64,
    until: i64,
}

impl Window {
    fn has(self, time: &str) -> bool {
        // A time that cannot be read is theirs to explain; leaving the ticket out could lose it.
        times::seconds(time).is_none_or(|time| (self.since..=self.until).contains(&time))
    }
}

pub(crate) async fn tickets(client: &Client, cx: &Cx, request: ChangedTicketsRequest) -> Result<ChangedTickets, Error> {
    let since = moment(&request.since, "since")?;
    let Some(until) = &request.until else {
        return Ok(ChangedTickets { items: Vec::new(), next: None, server_time: server_time(client, cx).await? });
    };
    let window = Window { since, until: moment(until, "until")? };
    if window.until < window.since {
        let message = "until must not be before since";
        return Err(Error::invalid(message).field("/until", "order", message));
    }
    let first = Cursor { kind: Kind::Service, after: 0 };
    let cursor = request.page.cursor.as_deref().map_or(Ok(first), Cursor::read)?;
    let size = request.page.limit.unwrap_or(PAGE_SIZE).clamp(1, PAGE_SIZE_MAX);
    let query = query(&request.since, until, cursor.after, size);
    let path = format!("{}/tickets", cursor.kind.name());
    let response = match client.read(cx, &path, &query, &[]).await {
        // Who may not see project tickets has none. Source: facts 2.3.
        Err(error) if error.code == Code::Forbidden && cursor.kind == Kind::Project => {
            let server_time = server_time(client, cx).await?;
            return Ok(ChangedTickets { items: Vec::new(), next: None, server_time });
        }
        outcome => outcome?,
    };
    let server_time = time_of(&response)?;
    let mut items = paging::records(&response, |record| ticket_from(client, cursor.kind, record))?;
    let next = next(cursor, &items, size)?;
    // Looked at again: conditions on dates are odd on some servers. Source: facts 13, 19.
    items.retain(|ticket| ticket.updated_at.as_deref().is_none_or(|time| window.has(time)));
    Ok(ChangedTickets { items, next: next.map(Cursor::write), server_time })
}

/// Source: facts 3.3; with page numbers, because in forward-only paging the order cannot be said.
fn query(since: &str, until: &str, after: u64, size: u32) -> Query {
    let mut conditions = format!("lastUpdated>=[{since}] and lastUpdated<=[{until}]");
    if after > 0 {
        conditions.push_str(&format!(" and id>{after}"));
    }
    vec![
        ("conditions", conditions),
        ("orderBy", "id asc".to_owned()),
        ("pageSize", size.to_string()),
        ("page", "1".to_owned()),
    ]
}

fn next(cursor: Cursor, found: &[Ticket], size: u32) -> Result<Option<Cursor>, Error> {
    let last = found.iter().filter_map(|ticket| ticket.id.parse().ok()).max().unwrap_or(0);
    if found.len() >= size as usize {
        // Else the same page would come again and again.
        return match last > cursor.after {
            true => Ok(Some(Cursor { after: last, ..cursor })),
            false => {
                let message = "ConnectWise did not look at the condition on ids, so the list has no end";
                Err(Error::new(Code::Unavailable, message).because("shape"))
            }
        };
    }
    Ok((cursor.kind == Kind::Service).then_some(Cursor { kind: Kind::Project, after: 0 }))
}

/// ConnectWise's clock, by the cheapest read there is. Source: facts 2.1.
async fn server_time(client: &Client, cx: &Cx) -> Result<String, Error> {
    time_of(&client.read(cx, "system/info", &Query::new(), &[]).await?)
}

/// Source: samples, response-headers.
fn time_of(response: &Response) -> Result<String, Error> {
    response.header("date").and_then(times::of_http_date).ok_or_else(|| {
        let message = "ConnectWise's answer does not say what time it is there, so no window can be closed";
        Error::new(Code::Unavailable, message).because("no_date")
    })
}

fn moment(text: &str, at: &str) -> Result<i64, Error> {
    times::seconds(text).ok_or_else(|| {
        let message = format!("{at} must be a time in UTC and whole seconds such as 2026-01-31T12:00:00Z");
        Error::invalid(message.clone()).field(format!("/{at}"), "time", message)
    })
}
