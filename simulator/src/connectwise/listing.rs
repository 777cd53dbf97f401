//! Lists: filters, order, pages, counts. Source: facts 3.3 to 3.7.

use super::query::{self, Filter, Names, Order};
use super::reply;
use super::state::id_of;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt::Write as _;

/// Larger pages are cut to this, silently. Source: facts 3.5.
const PAGE_SIZE_MAX: usize = 1000;
const PAGE_SIZE: usize = 25;

/// What a list is asked for, wherever it was said.
struct Wanted {
    filters: Vec<Filter>,
    order: Option<Order>,
    fields: String,
}

impl Wanted {
    /// `body` is that of a `/search`; else all is in the query.
    fn read(asked: &Asked, body: Option<&Value>, names: &Names) -> Result<Wanted, Reply> {
        let said = |name: &str| said(asked, body, name);
        let refuse = |error| reply::condition(&error);
        let mut filters = Vec::new();
        if let Some(text) = said("conditions") {
            let filter = Filter::parse(&text).map_err(refuse)?;
            filter.check(names).map_err(refuse)?;
            filters.push(filter);
        }
        if let Some(text) = said("childConditions") {
            let filter = Filter::parse_child(&text).map_err(refuse)?;
            filter.check(names).map_err(refuse)?;
            filters.push(filter);
        }
        if let Some(text) = said("customFieldConditions") {
            let filter = Filter::parse_custom_field(&text).map_err(refuse)?;
            filter.check(names).map_err(refuse)?;
            filters.push(filter);
        }
        let fields = asked.parameter("fields").unwrap_or_default();
        query::check_fields(&fields, names).map_err(refuse)?;
        let order = match said("orderBy") {
            Some(text) => {
                let order = Order::parse(&text).map_err(refuse)?;
                order.check(names).map_err(refuse)?;
                Some(order)
            }
            None => None,
        };
        Ok(Wanted { filters, order, fields })
    }

    fn matches(&self, record: &Value) -> bool {
        self.filters.iter().all(|filter| filter.matches(record))
    }
}

/// A parameter of a list, in the body of a `/search`, else in the query.
fn said(asked: &Asked, body: Option<&Value>, name: &str) -> Option<String> {
    match body {
        // The specification spells two of them in lower case. Source: facts 3.7.
        Some(body) => {
            let value = body.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1;
            value.as_str().map(str::to_owned)
        }
        None => asked.parameter(name),
    }
}

/// Whether the conditions of a list are about this member.
pub(super) fn conditions_use(asked: &Asked, body: Option<&Value>, name: &str) -> bool {
    let filter = said(asked, body, "conditions").and_then(|text| Filter::parse(&text).ok());
    filter.is_some_and(|filter| filter.uses(name))
}

/// Whether the other kind of paging is asked for. Source: facts 3.6.
pub(super) fn is_forward(asked: &Asked) -> bool {
    asked.header("pagination-type").is_some_and(|kind| kind.eq_ignore_ascii_case("forward-only"))
}

/// A list of records.
pub(super) fn list<'a>(
    world: &World,
    asked: &Asked,
    names: &Names,
    body: Option<&Value>,
    records: impl Iterator<Item = &'a Value>,
) -> Reply {
    let forward = is_forward(asked) && world.switches.forward_only;
    answered(world, asked, (names, body), records, forward)
}

/// A list that knows page numbers only; to the other kind of paging it answers without `Link`. Source: facts 3.6.
pub(super) fn numbered<'a>(
    world: &World,
    asked: &Asked,
    names: &Names,
    records: impl Iterator<Item = &'a Value>,
) -> Reply {
    let mut answer = answered(world, asked, (names, None), records, false);
    if is_forward(asked) {
        answer.headers.retain(|(name, _)| name != "link");
    }
    answer
}

fn answered<'a>(
    world: &World,
    asked: &Asked,
    (names, body): (&Names, Option<&Value>),
    records: impl Iterator<Item = &'a Value>,
    forward: bool,
) -> Reply {
    let wanted = match Wanted::read(asked, body, names) {
        Ok(wanted) => wanted,
        Err(refusal) => return refusal,
    };
    let found: Vec<&Value> = records.filter(|record| wanted.matches(record)).collect();
    let size = asked.parameter("pageSize").and_then(|size| size.parse().ok()).filter(|size| *size > 0);
    let size = size.unwrap_or(PAGE_SIZE).min(PAGE_SIZE_MAX);
    let (page, link) = if forward {
        if wanted.order.is_some() {
            return reply::not_read("orderBy is not allowed with forward-only pagination.");
        }
        forward_page(world, asked, found, size)
    } else {
        numbered_page(world, asked, &wanted, found, size)
    };
    let page: Vec<_> = page.iter().map(|record| shown(world, record, &wanted.fields)).collect();
    let answer = Reply::json(200, &page);
    match link {
        Some(link) => answer.header("link", link),
        None => answer,
    }
}

/// Always a `Link`, empty when nothing is left. Source: facts 3.6.
fn forward_page<'a>(
    world: &World,
    asked: &Asked,
    mut found: Vec<&'a Value>,
    size: usize,
) -> (Vec<&'a Value>, Option<String>) {
    found.sort_by_cached_key(|record| id_of(record));
    let after = asked.parameter("pageId").and_then(|id| id.parse().ok()).unwrap_or(0);
    let from = found.partition_point(|record| id_of(record) <= after);
    let page: Vec<&Value> = found[from..].iter().take(size).copied().collect();
    let more = from + page.len() < found.len();
    let last = page.last().map_or(0, |record| id_of(record));
    let link = if more {
        format!("<{}?pageSize={size}&pageId={last}>; rel=\"next\"", href(world, asked))
    } else {
        String::new()
    };
    (page, Some(link))
}

/// A `Link` only where there is such a page. Source: facts 3.5.
fn numbered_page<'a>(
    world: &World,
    asked: &Asked,
    wanted: &Wanted,
    mut found: Vec<&'a Value>,
    size: usize,
) -> (Vec<&'a Value>, Option<String>) {
    if let Some(order) = &wanted.order {
        order.sort(&mut found);
    }
    let number: usize =
        asked.parameter("page").and_then(|page| page.parse().ok()).filter(|page| *page > 0).unwrap_or(1);
    let pages = found.len().div_ceil(size).max(1);
    let from = (number - 1).saturating_mul(size).min(found.len());
    let page = found[from..].iter().take(size).copied().collect();
    let mut link = String::new();
    let mut add = |rel: &str, to: usize| {
        let comma = if link.is_empty() { "" } else { ", " };
        let _ = write!(link, "{comma}<{}?pageSize={size}&page={to}>; rel=\"{rel}\"", href(world, asked));
    };
    if number < pages {
        add("next", number + 1);
        add("last", pages);
    }
    if number > 1 {
        add("first", 1);
        add("prev", number - 1);
    }
    (page, (!link.is_empty()).then_some(link))
}

/// Not the host that was called: clients must not follow it. Source: facts 1.3.
fn href(world: &World, asked: &Asked) -> String {
    let path = asked.path.split_once("/apis/").map_or("", |(_, rest)| rest);
    format!("https://servername/{}//apis/{path}", world.switches.codebase)
}

/// Members that a wire shows as null where the record lacks them, if the server shows such.
const NULL_MEMBERS: [&str; 5] = ["poNumber", "agreement", "budgetHours", "subType", "item"];

/// A record as it is answered: itself, unless something of it is answered otherwise.
pub(super) fn shown<'a>(world: &World, record: &'a Value, fields: &str) -> Cow<'a, Value> {
    let with_nulls = world.switches.null_members && fields.is_empty();
    // Only there for conditions. Source: facts 3.3.
    let has_hidden = record.get("configuration").is_some();
    let mut shown = match fields {
        "" if !has_hidden && !with_nulls => return Cow::Borrowed(record),
        "" => record.clone(),
        fields => query::project(record, fields),
    };
    if let Value::Object(members) = &mut shown {
        members.remove("configuration");
        for name in NULL_MEMBERS.iter().filter(|_| with_nulls) {
            members.entry(*name).or_insert(Value::Null);
        }
    }
    Cow::Owned(shown)
}

/// `{"count": n}`.
pub(super) fn count<'a>(asked: &Asked, names: &Names, records: impl Iterator<Item = &'a Value>) -> Reply {
    match Wanted::read(asked, None, names) {
        Ok(wanted) => Reply::json(200, &json!({"count": records.filter(|record| wanted.matches(record)).count()})),
        Err(refusal) => refusal,
    }
}
