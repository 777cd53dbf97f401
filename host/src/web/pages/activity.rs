//! What happened with a connection: the entries of the activity, as a list, one by one, and as a file.
//!
//! Promises: of an entry's detail only the fields that its action lists are shown (`acts`); what people did is for those who
//! may audit.

mod acts;
mod csv;
mod told;

pub(crate) use csv::csv;
pub(crate) use told::{Entry, entry};

use super::frame::framed;
use super::linked::link_href;
use super::tickets::Choice;
use crate::activity::HOST;
use crate::store::{LeafAsk, Listed, Place, StoredEntry};
use crate::web::ask::{Ask, Reply, query};
use crate::web::moment::Moment;
use crate::web::permission::Permission;
use crate::web::view::{Action, Body, Chip, Look, Pager, Tone};
use acts::{Act, Class, act};
use psa_host_api::Error;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Entries on a page.
const PAGE: usize = 50;
/// Entries that are looked at for a page.
const SCAN: usize = 2_000;
/// Links whose tickets are looked for.
const LINKS: usize = 20;

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Activity {
    pub(crate) kinds: Vec<Choice>,
    /// "2026-08-22", or empty.
    pub(crate) from: String,
    pub(crate) find: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) pager: Pager,
    /// The same as a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) download: Option<Action>,
    /// What people did is left out.
    pub(crate) without_people: bool,
    /// Nothing fits.
    pub(crate) nothing: String,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) href: String,
    pub(crate) when: Moment,
    pub(crate) chip: Chip,
    pub(crate) what: String,
    pub(crate) text: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<String>,
    pub(crate) by: String,
}

/// Which entries are asked for, by its word in the query.
const KINDS: [&str; 5] = ["everything", "people", "sent", "received", "problems"];

/// Which entries are wanted.
pub(super) struct Filter {
    kind: &'static str,
    from: Option<i64>,
    /// In lower case.
    needle: String,
    /// Links of the tickets that are looked for.
    links: Vec<String>,
    people: bool,
}

impl Filter {
    /// That of a request.
    pub(super) fn of(ask: &Ask<'_>, place: &Place) -> Result<Filter, Error> {
        let asked = ask.query.get("kind").unwrap_or_default();
        let find = ask.query.filled("find").unwrap_or_default();
        let ticket = find.trim_start_matches('#');
        let rows = if ticket.is_empty() {
            Vec::new()
        } else {
            ask.core.store.list_rows(place, Listed::Found(ticket), None, LINKS)?
        };
        Ok(Filter {
            kind: KINDS.into_iter().find(|kind| *kind == asked).unwrap_or(KINDS[0]),
            from: ask.query.filled("from").and_then(|day| ask.words.day_begins(day)),
            needle: find.to_lowercase(),
            links: rows.into_iter().map(|row| row.link.link).collect(),
            people: ask.may(Permission::Audit),
        })
    }

    pub(super) fn wants(&self, entry: &StoredEntry) -> bool {
        let by_host = entry.actor == HOST;
        if !by_host && !self.people || self.from.is_some_and(|from| entry.at < from) {
            return false;
        }
        let known = act(&entry.action);
        let fits = match self.kind {
            "people" => !by_host,
            "sent" => known.class == Class::Sent,
            "received" => known.class == Class::Received,
            "problems" => tone(known, &allowed(entry)) >= Tone::Warn,
            _ => true,
        };
        fits && (self.needle.is_empty() || self.found_in(entry))
    }

    fn found_in(&self, entry: &StoredEntry) -> bool {
        let has = |text: &str| text.to_lowercase().contains(&self.needle);
        let mut fields = allowed(entry);
        let link = fields.get("link").and_then(Value::as_str).unwrap_or_default();
        let subject = entry.subject.as_deref().unwrap_or_default();
        if self.links.iter().any(|wanted| wanted == link || wanted == subject) {
            return true;
        }
        fields.extend(request_of(entry));
        has(&entry.actor) || has(&entry.action) || has(subject) || fields.values().any(|value| has(&said(value)))
    }
}

/// The fields of an entry's detail that its action lists.
fn allowed(entry: &StoredEntry) -> Map<String, Value> {
    let mut detail = detail_of(entry);
    let fields = act(&entry.action).fields;
    detail.retain(|name, value| fields.contains(&name.as_str()) && !value.is_null());
    detail
}

/// Where the request came from that made it.
fn request_of(entry: &StoredEntry) -> Map<String, Value> {
    match detail_of(entry).remove("request") {
        Some(Value::Object(mut request)) => {
            request.retain(|name, value| matches!(name.as_str(), "id" | "remote_addr") && !value.is_null());
            request
        }
        _ => Map::new(),
    }
}

fn detail_of(entry: &StoredEntry) -> Map<String, Value> {
    entry.detail.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// A value as a text.
fn said(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(said).collect::<Vec<_>>().join(", "),
        Value::Object(map) if map.contains_key("from") || map.contains_key("to") => {
            let part = |name: &str| map.get(name).map_or_else(String::new, said);
            format!("{} \u{2192} {}", part("from"), part("to"))
        }
        Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(name, value)| format!("{name}: {}", said(value))).collect();
            pairs.join("; ")
        }
        other => other.to_string(),
    }
}

/// How good it is. A pause is no trouble.
fn tone(act: &Act, fields: &Map<String, Value>) -> Tone {
    let paused = act.action == "connection.stopped" && fields.get("reason").is_some_and(|reason| reason == "paused");
    if paused { Tone::Idle } else { act.tone }
}

/// An entry in a sentence.
fn sentence(ask: &Ask<'_>, entry: &StoredEntry, fields: &Map<String, Value>) -> String {
    let key = format!("activity.{}", entry.action);
    if ask.words.find(&key).is_none() {
        return ask.words.fill("activity.other", &[("action", &entry.action)]);
    }
    let mut values: Vec<(String, String)> = act(&entry.action)
        .fields
        .iter()
        .map(|name| (*name).to_owned())
        .map(|name| {
            let value = fields.get(&name).map(said).unwrap_or_default();
            // A reason that people know by other words.
            let known = if name == "reason" { ask.words.find(&format!("standing.{value}")) } else { None };
            (name, known.unwrap_or(value))
        })
        .collect();
    values.push(("subject".to_owned(), entry.subject.clone().unwrap_or_default()));
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    ask.words.fill(&key, &values)
}

fn chip(ask: &Ask<'_>, tone: Tone) -> Chip {
    let word = match tone {
        Tone::Ok | Tone::Info => "ok",
        Tone::Idle => "change",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
    };
    Chip { tone, label: ask.words.say(&format!("activity.tone.{word}")) }
}

fn by(ask: &Ask<'_>, actor: &str) -> String {
    if actor == HOST { ask.words.say("activity.by.host") } else { actor.to_owned() }
}

/// A page about what an entry is about.
fn target(ask: &Ask<'_>, place: &Place, entry: &StoredEntry) -> Option<String> {
    let subject = entry.subject.as_deref().unwrap_or_default();
    let page = |rest: &str| Some(ask.of_connection(&place.connection, rest));
    match act(&entry.action).to {
        "operation" => page(&format!("/operations/{}", crate::web::ask::segment(subject))),
        "link" => Some(link_href(ask, &place.connection, subject)),
        "ticket" => page(&format!("/tickets?find={}", query(subject))),
        "" => None,
        rest => page(rest),
    }
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let place = ask.place();
    let filter = Filter::of(ask, &place)?;
    let before = ask.query.get("after").and_then(|after| after.parse().ok()).unwrap_or(i64::MAX);
    let wanted = |entry: &StoredEntry| filter.wants(entry);
    let leaf = ask.core.store.leaf(&place, &LeafAsk { before, limit: PAGE, scan: SCAN, wanted: &wanted })?;
    let from = ask.query.filled("from").filter(|_| filter.from.is_some()).unwrap_or_default().to_owned();
    let find = ask.query.filled("find").unwrap_or_default().to_owned();
    let same = format!("kind={}&from={}&find={}", filter.kind, query(&from), query(&find));
    let to = |after: String| ask.of_connection(&place.connection, &format!("/activity?{same}&after={after}"));
    let pager = Pager {
        shown: ask.words.count("activity.shown", leaf.entries.len() as u64),
        first: (before != i64::MAX).then(|| to(String::new())),
        next: leaf.next.map(|next| to(next.to_string())),
    };
    let download = Action::get(
        "download",
        ask.words.say("activity.download"),
        ask.of_connection(&place.connection, &format!("/activity.csv?{same}")),
        &[Permission::View, Permission::Audit],
    );
    let nothing = if leaf.next.is_some() { "activity.nothing.yet" } else { "activity.nothing" };
    let body = Activity {
        kinds: KINDS
            .into_iter()
            .map(|kind| Choice {
                value: kind.to_owned(),
                label: ask.words.say(&format!("activity.kind.{kind}")),
                chosen: kind == filter.kind,
            })
            .collect(),
        from,
        find,
        rows: leaf.entries.iter().map(|entry| row(ask, &place, entry)).collect(),
        pager,
        download: ask.allowed(vec![download.look(Look::Quiet)]).pop(),
        without_people: !filter.people,
        nothing: ask.words.say(nothing),
    };
    ask.page(framed.view(ask, "activity", Body::Activity(body)))
}

fn row(ask: &Ask<'_>, place: &Place, entry: &StoredEntry) -> Row {
    let fields = allowed(entry);
    let known = act(&entry.action);
    Row {
        seq: entry.seq,
        href: ask.of_connection(&place.connection, &format!("/activity/{}", entry.seq)),
        when: ask.words.moment(entry.at),
        chip: chip(ask, tone(known, &fields)),
        what: ask.words.say(&format!("activity.what.{}", known.what)),
        text: sentence(ask, entry, &fields),
        to: target(ask, place, entry),
        by: by(ask, &entry.actor),
    }
}
