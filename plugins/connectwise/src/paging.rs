//! Lists, page by page to their end.
//!
//! Promises: a cursor continues exactly where its page ended; an endpoint that only knows page numbers is read by
//! them, in the order of ids; a cursor that is not ours, or of a list in another order, is refused.

use crate::client::{Client, Query};
use crate::map::Record;
use psa_host_api::json::look_through;
use psa_host_api::model::{Page, PageRequest};
use psa_host_api::sdk::{Cx, Response};
use psa_host_api::{Code, Error};
use serde_json::Value;

/// What a page holds unless the caller says. Source: facts 3.5, at most 1000.
const PAGE_SIZE: u32 = 100;
const PAGE_SIZE_MAX: u32 = 1000;

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cursor {
    /// Behind this id. Source: facts 3.6.
    After(u64),
    /// Page number, from 1.
    Page(u32),
    /// The same of a list whose newest record comes first.
    Newest(u32),
}

/// The order of a list, and by which kind of paging it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By id, forward-only where the endpoint can.
    Oldest,
    /// By id, with page numbers from the first: for lists on which forward-only paging is faulty. Source: facts 3.6.
    OldestNumbered,
    /// By the date of making, with page numbers: for records that have no id.
    Dated,
    /// By id from the end. Forward-only paging has one order only. Source: facts 3.6. What is made while one pages moves
    /// records to later pages: they may come twice, none is left out.
    Newest,
}

impl Order {
    fn first(self) -> Cursor {
        match self {
            Order::Oldest => Cursor::After(0),
            Order::OldestNumbered | Order::Dated => Cursor::Page(1),
            Order::Newest => Cursor::Newest(1),
        }
    }

    fn has(self, cursor: Cursor) -> bool {
        match cursor {
            Cursor::After(_) => self == Order::Oldest,
            Cursor::Page(_) => self != Order::Newest,
            Cursor::Newest(_) => self == Order::Newest,
        }
    }
}

impl Cursor {
    fn read(text: &str, order: Order) -> Result<Cursor, Error> {
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let page = |text| number(text).and_then(|page| u32::try_from(page).ok()).filter(|page| *page > 0);
        let cursor = text.split_once(':').and_then(|(kind, rest)| match kind {
            "after" => number(rest).map(Cursor::After),
            "page" => page(rest).map(Cursor::Page),
            "newest" => page(rest).map(Cursor::Newest),
            _ => None,
        });
        cursor.filter(|cursor| order.has(*cursor)).ok_or_else(|| {
            let message = "this cursor is not from a page of this list; begin without one";
            Error::invalid(message).because("cursor").field("/page/cursor", "cursor", message)
        })
    }

    fn write(self) -> String {
        match self {
            Cursor::After(id) => format!("after:{id}"),
            Cursor::Page(page) => format!("page:{page}"),
            Cursor::Newest(page) => format!("newest:{page}"),
        }
    }
}

/// A page of the records below `path`, the oldest first, each as `read` makes it.
pub(crate) async fn list<T>(
    client: &Client,
    cx: &Cx,
    path: &str,
    query: Query,
    page: &PageRequest,
    read: impl Fn(Record<'_>) -> Result<T, Error> + Send,
) -> Result<Page<T>, Error> {
    list_by(Order::Oldest, client, cx, path, query, page, read).await
}

/// A page of the records below `path`.
pub(crate) async fn list_by<T>(
    order: Order,
    client: &Client,
    cx: &Cx,
    path: &str,
    mut query: Query,
    page: &PageRequest,
    read: impl Fn(Record<'_>) -> Result<T, Error> + Send,
) -> Result<Page<T>, Error> {
    let cursor = page.cursor.as_deref().map_or(Ok(order.first()), |cursor| Cursor::read(cursor, order))?;
    let size = page.limit.unwrap_or(PAGE_SIZE).clamp(1, PAGE_SIZE_MAX);
    query.push(("pageSize", size.to_string()));
    let mut headers: &[(&str, &str)] = &[];
    match cursor {
        Cursor::After(id) => {
            headers = &[("pagination-type", "forward-only")];
            if id > 0 {
                query.push(("pageId", id.to_string()));
            }
        }
        Cursor::Page(number) | Cursor::Newest(number) => {
            let way = match order {
                Order::Newest => "id desc",
                Order::Dated => "enteredDate asc",
                Order::Oldest | Order::OldestNumbered => "id asc",
            };
            query.push(("orderBy", way.to_owned()));
            query.push(("page", number.to_string()));
        }
    }
    let response = client.read(cx, path, &query, headers).await?;
    let items = records(&response, read)?;
    let next = next(cursor, &response, items.len(), size);
    Ok(Page { items, next: next.map(Cursor::write) })
}

/// The records of a list, each as `read` makes it.
pub(crate) fn records<T>(response: &Response, read: impl Fn(Record<'_>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    if let Some(records) = as_written(&response.body) {
        return records.into_iter().map(read).collect();
    }
    // Slower: it mends what can be mended, and says what is wrong with the rest.
    let Value::Array(items) = response.json()? else {
        let message = "ConnectWise answered with something that is no list";
        return Err(Error::new(Code::Unavailable, message).because("shape"));
    };
    items.into_iter().map(|item| read(Record::of(item)?)).collect()
}

/// Records whose values can be handed on as they are.
fn as_written(body: &[u8]) -> Option<Vec<Record<'_>>> {
    let text = std::str::from_utf8(body).ok()?;
    look_through(text).ok()?;
    serde_json::from_str(text).ok()
}

fn next(cursor: Cursor, response: &Response, found: usize, size: u32) -> Option<Cursor> {
    let full = found >= size as usize;
    match cursor {
        Cursor::Page(number) => full.then(|| Cursor::Page(number.saturating_add(1))),
        Cursor::Newest(number) => full.then(|| Cursor::Newest(number.saturating_add(1))),
        Cursor::After(id) => match response.header("link") {
            // Only the id is taken from their address. Source: facts 1.3 and 3.6.
            Some(link) if !link.contains("rel=\"next\"") => None,
            Some(link) if page_id(link).is_some() => {
                page_id(link).filter(|next| *next > id && found > 0).map(Cursor::After)
            }
            // The endpoint does not know this kind of paging: what came is page 1. Source: facts 3.6.
            Some(_) | None => (full && id == 0).then_some(Cursor::Page(2)),
        },
    }
}

fn page_id(link: &str) -> Option<u64> {
    link_value(link, "pageId")
}

/// A number in the query of the link to the next page.
pub(crate) fn link_value(link: &str, name: &str) -> Option<u64> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let address = next.split('<').nth(1)?.split('>').next()?;
    let query = address.split_once('?')?.1;
    let value = query.split('&').find_map(|pair| {
        let (found, value) = pair.split_once('=')?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })?;
    value.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_in_the_link_and_nothing_else_is_taken_from_it() {
        let link = "<https://elsewhere.example/v2025_1//apis/3.0/service/tickets?pageSize=2&pageId=1002>; rel=\"next\"";
        assert_eq!(page_id(link), Some(1002));
        assert_eq!(page_id("<https://x/y?page=7>; rel=\"last\", <https://x/y?pageid=3>; rel=\"next\""), Some(3));
        for none in ["", "<https://x/y?page=2>; rel=\"next\"", "<https://x/y?pageId=x>; rel=\"next\"", "rel=\"next\""] {
            assert_eq!(page_id(none), None, "{none}");
        }
    }

    #[test]
    fn foreign_cursors_are_refused() {
        for (order, cursor) in [
            (Order::Oldest, Cursor::After(1002)),
            (Order::Oldest, Cursor::Page(2)),
            (Order::OldestNumbered, Cursor::Page(2)),
            (Order::Newest, Cursor::Newest(2)),
        ] {
            assert_eq!(Cursor::read(&cursor.write(), order).unwrap(), cursor);
        }
        for foreign in ["", "1002", "after:", "after:x", "after:-1", "page:0", "page:99999999999", "after:1&x=y"] {
            assert_eq!(Cursor::read(foreign, Order::Oldest).unwrap_err().code, Code::InvalidArgument, "{foreign}");
        }
        // Of a list in another order: what was read would be read again, or never.
        for (order, foreign) in [
            (Order::Oldest, "newest:2"),
            (Order::OldestNumbered, "after:1002"),
            (Order::OldestNumbered, "newest:2"),
            (Order::Newest, "page:2"),
            (Order::Newest, "after:1002"),
            (Order::Newest, "newest:0"),
        ] {
            assert!(Cursor::read(foreign, order).is_err(), "{foreign}");
        }
    }
}
