//! All ticket links of a connection, and how each stands.

use super::frame::framed;
use super::linked::{LATELY_MS, Stand, Way, link_href, operation_href, remote, seen_of, stand, stand_by_operation};
use crate::clock::unix_ms;
use crate::store::{LinkCounts, LinkRow, Listed, Position};
use crate::web::ask::{Ask, Reply, cursor, key_of, query};
use crate::web::moment::Moment;
use crate::web::permission::Permission;
use crate::web::view::{Action, Body, Chip, Look, Pager};
use psa_host_api::Error;
use serde::{Deserialize, Serialize};

/// Links on a page.
const PAGE: usize = 50;
/// Operations that are tried again in one go.
const RETRIED_MAX: usize = 200;

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tickets {
    /// What is looked for.
    pub(crate) find: String,
    pub(crate) states: Vec<Choice>,
    pub(crate) rows: Vec<Row>,
    pub(crate) pager: Pager,
    /// Tries all again that can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry: Option<Action>,
    /// Nothing is linked at all.
    pub(crate) empty: bool,
    /// The plugin, as the heading of its column.
    pub(crate) provider: String,
}

/// One of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) link: String,
    pub(crate) href: String,
    pub(crate) product_ticket: String,
    /// "#48213"; none while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<String>,
    /// A page of the PSA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// As it was seen last.
    pub(crate) summary: String,
    pub(crate) board: String,
    pub(crate) chip: Chip,
    pub(crate) text: String,
    pub(crate) changed: Moment,
    pub(crate) action: Action,
}

/// Which links are asked for, by its word in the query.
const STATES: [&str; 7] = ["all", "waiting", "doubt", "held", "refused", "unlinked", "gone"];

fn listed(word: &str, since: i64) -> Listed<'static> {
    match word {
        "waiting" => Listed::Waiting,
        "doubt" => Listed::Doubt,
        "held" => Listed::Held,
        "refused" => Listed::Refused(since),
        "unlinked" => Listed::Apart,
        "gone" => Listed::Gone,
        _ => Listed::All,
    }
}

fn counted(word: &str, counts: &LinkCounts) -> u64 {
    match word {
        "waiting" => counts.waiting,
        "doubt" => counts.doubt,
        "held" => counts.held,
        "refused" => counts.refused,
        "unlinked" => counts.apart,
        "gone" => counts.gone,
        _ => counts.all,
    }
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let place = ask.place();
    let since = ask.words.now().saturating_sub(LATELY_MS);
    let counts = ask.core.store.count_rows(&place, since)?;
    // Whoever looks for one ticket wants it whatever its state is.
    let find = ask.query.filled("find").map(|find| find.trim_start_matches('#')).unwrap_or_default();
    let asked = ask.query.get("state").unwrap_or_default();
    let state = STATES.into_iter().find(|word| *word == asked && find.is_empty()).unwrap_or(STATES[0]);
    let which = if find.is_empty() { listed(state, since) } else { Listed::Found(find) };
    let after = ask.query.get("after").and_then(position).filter(|_| find.is_empty());
    let mut rows = ask.core.store.list_rows(&place, which, after.as_ref(), PAGE + 1)?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let pager = pager(ask, state, find, &rows, more, counted(state, &counts), after.is_none());
    let choices = STATES.into_iter().map(|word| choice(ask, word, word == state, &counts));
    let body = Tickets {
        find: find.to_owned(),
        states: choices.collect(),
        rows: rows.iter().map(|row| self::row(ask, row, state == "refused")).collect(),
        pager,
        retry: retry_all(ask, &counts),
        empty: counts.all == 0,
        provider: super::frame::plugin_name(ask, &framed.summary.connection.plugin).name,
    };
    ask.page(framed.view(ask, "tickets", Body::Tickets(body)))
}

fn choice(ask: &Ask<'_>, word: &str, chosen: bool, counts: &LinkCounts) -> Choice {
    let label = ask.words.say(&format!("tickets.state.{word}"));
    let n = counted(word, counts);
    let number = ask.words.number(n);
    let label = match (word, n) {
        ("all", _) | (_, 0) => label,
        _ => ask.words.fill("tickets.state", &[("state", &label), ("n", &number)]),
    };
    Choice { value: word.to_owned(), label, chosen }
}

fn row(ask: &Ask<'_>, row: &LinkRow, by_operation: bool) -> Row {
    let connection = &row.link.place.connection;
    let Stand { chip, text, way } = if by_operation { stand_by_operation(ask, row) } else { stand(ask, row) };
    let href = link_href(ask, connection, &row.link.link);
    let seen = seen_of(row);
    let (ticket, url) = remote(row).map_or((None, None), |(number, url)| (Some(number), url));
    let details = || Action::get("details", ask.words.say("tickets.details"), href.clone(), &[Permission::View]);
    let operate = [Permission::View, Permission::Operate];
    let wanted = match way {
        Way::Details => details(),
        Way::Retry => Action::post("retry", ask.words.say("tickets.retry"), format!("{href}/retry"), &operate)
            .field("from", "list"),
        Way::Decide(operation) => {
            let to = operation_href(ask, connection, &operation);
            Action::get("decide", ask.words.say("tickets.decide"), to, &operate)
        }
        Way::Map(scope) => {
            let to = ask.of_connection(connection, &format!("/map/statuses?scope={}", query(&scope)));
            Action::get("map", ask.words.say("tickets.map"), to, &[Permission::View, Permission::Map])
        }
        Way::Again => Action::get("again", ask.words.say("tickets.again"), format!("{href}#relink"), &operate),
    };
    let action = ask.allowed(vec![wanted]).pop().unwrap_or_else(details);
    Row {
        link: row.link.link.clone(),
        product_ticket: row.link.product_ticket.clone(),
        ticket,
        url,
        summary: seen.as_ref().map(|seen| seen.summary.clone()).unwrap_or_default(),
        board: seen.and_then(|seen| seen.board).map(|board| board.name.unwrap_or(board.id)).unwrap_or_default(),
        chip,
        text,
        changed: ask.words.moment(changed(row)),
        action: action.look(Look::Small).of(&row.link.product_ticket),
        href,
    }
}

/// When something happened to a link last: to itself, to its operation, or to its ticket.
pub(crate) fn changed(row: &LinkRow) -> i64 {
    let operation = row.operation.as_ref().map_or(0, |operation| operation.ended.unwrap_or(operation.accepted));
    let remote = seen_of(row).and_then(|seen| seen.updated_at).and_then(|text| unix_ms(&text));
    operation.max(remote.unwrap_or(0)).max(row.link.changed).max(row.gone_at.unwrap_or(0))
}

fn retry_all(ask: &Ask<'_>, counts: &LinkCounts) -> Option<Action> {
    if counts.retryable == 0 {
        return None;
    }
    let href = ask.of_connection(&ask.place().connection, "/tickets/retry");
    let label = ask.words.count("tickets.retry.all", counts.retryable);
    ask.allowed(vec![
        Action::post("retry_all", label, href, &[Permission::View, Permission::Operate]).look(Look::Small),
    ])
    .pop()
}

fn pager(ask: &Ask<'_>, state: &str, find: &str, rows: &[LinkRow], more: bool, all: u64, first: bool) -> Pager {
    let connection = ask.place().connection;
    let to = |after: &str| ask.of_connection(&connection, &format!("/tickets?state={state}&after={after}"));
    let number = ask.words.number(rows.len() as u64);
    if !find.is_empty() {
        let key = if more { "tickets.found.more" } else { "tickets.found" };
        return Pager { shown: ask.words.count_fill(key, rows.len() as u64, &[]), first: None, next: None };
    }
    let next = rows.last().filter(|_| more).map(|row| {
        let Position { at, id } = &row.position;
        to(&cursor(&serde_json::json!([at, id])))
    });
    let shown = ask.words.count_links("pager.of", all, &[("shown", &number)]);
    Pager { shown, first: (!first).then(|| to("")), next }
}

/// Behind which row.
fn position(cursor: &str) -> Option<Position> {
    let (at, id) = key_of(cursor)?;
    Some(Position { at, id })
}

/// Tries again what is held and can be without anything being there twice.
pub(crate) async fn retry(ask: &Ask<'_>) -> Result<Reply, Error> {
    let place = ask.place();
    ask.core.connections.exists(&place)?;
    for operation in ask.core.store.retryable(&place, RETRIED_MAX)? {
        match ask.core.outbox.retry(&place.tenant, &operation, &ask.by()).await {
            // Somebody else has decided meanwhile: then there is nothing to try.
            Err(error) if error.code == psa_host_api::Code::Conflict => {}
            retried => drop(retried?),
        }
    }
    Ok(Reply::Done { to: ask.of_connection(&place.connection, "/tickets"), word: "retried_all" })
}
