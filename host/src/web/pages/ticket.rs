//! One ticket link: both tickets side by side, and everything that was sent through it.

use super::frame::{Framed, framed};
use super::linked::{self, Stand, Way, chip, link_href, operation_href, what_and_size, why};
use super::step::{self, Step, StepField};
use crate::callbacks::Seen;
use crate::clock::unix_ms;
use crate::connections::connection_missing;
use crate::outbox::Wanted;
use crate::store::{LinkRow, LinkState, Listed, State, StoredAttempt, StoredOperation, Transition};
use crate::web::ask::{Ask, Reply};
use crate::web::moment::Moment;
use crate::web::permission::Permission;
use crate::web::told::Told;
use crate::web::view::{Action, Body, Chip, Crumb, Link, Notice, Pager, Tone, View};
use psa_host_api::{Code, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Operations on a page.
const PAGE: usize = 50;
/// How long is waited for a reading, in milliseconds.
const READ_MS: u64 = 4_000;

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) link: String,
    pub(crate) product_ticket: String,
    pub(crate) chip: Chip,
    pub(crate) text: String,
    /// The plugin, as the heading of its column.
    pub(crate) provider: String,
    pub(crate) fields: Vec<Compared>,
    /// Some field of the PSA's ticket is not as our last operation wanted it.
    pub(crate) differs: bool,
    /// When the PSA's ticket was read last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) read: Option<Moment>,
    /// The PSA's own page of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remote: Option<Link>,
    pub(crate) timeline: Vec<Event>,
    pub(crate) pager: Pager,
    pub(crate) actions: Vec<Action>,
    pub(crate) steps: Vec<Step>,
}

/// A field of both tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Compared {
    /// Stable.
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) ours: String,
    pub(crate) theirs: String,
    pub(crate) differs: bool,
}

/// An operation of the link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) tone: Tone,
    pub(crate) title: String,
    pub(crate) href: String,
    pub(crate) chip: Chip,
    /// Its states, one after the other.
    pub(crate) states: String,
    pub(crate) lines: Vec<String>,
    pub(crate) when: Moment,
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let (framed, row) = found(ask)?;
    ask.page(view(ask, &framed, &row)?)
}

/// The link of the path, if it is one of the connection's.
fn found(ask: &Ask<'_>) -> Result<(Framed, LinkRow), Error> {
    let framed = framed(ask)?;
    let place = ask.place();
    let row = ask.core.store.list_rows(&place, Listed::One(ask.segment("link")), None, 1)?.pop();
    // The same answer as for what is somebody else's.
    Ok((framed, row.ok_or_else(|| connection_missing(&place))?))
}

fn view(ask: &Ask<'_>, framed: &Framed, row: &LinkRow) -> Result<View, Error> {
    let connection = &row.link.place.connection;
    let before = ask.query.get("before").and_then(|before| before.parse().ok()).unwrap_or(i64::MAX);
    let mut operations = ask.core.store.operations_of(&ask.who.tenant, &row.link.link, before, PAGE + 1)?;
    let more = operations.len() > PAGE;
    operations.truncate(PAGE);
    let Stand { chip, text, way } = linked::stand(ask, row);
    // Also on a later page both tickets are compared by what came last.
    let newest = match before {
        i64::MAX => None,
        _ => Some(ask.core.store.operations_of(&ask.who.tenant, &row.link.link, i64::MAX, PAGE)?),
    };
    let fields = compared(ask, row, newest.as_ref().unwrap_or(&operations))?;
    let href = link_href(ask, connection, &row.link.link);
    let pager = Pager {
        shown: ask.words.count("ticket.operations", operations.len() as u64),
        first: (before != i64::MAX).then(|| href.clone()),
        next: operations.last().filter(|_| more).map(|last| format!("{href}?before={}", last.seq)),
    };
    let body = Ticket {
        link: row.link.link.clone(),
        product_ticket: row.link.product_ticket.clone(),
        chip,
        text,
        provider: super::frame::plugin_name(ask, &framed.summary.connection.plugin).name,
        differs: fields.iter().any(|field| field.differs),
        fields,
        read: Some(row.seen_at).filter(|at| *at > 0).map(|at| ask.words.moment(at)),
        remote: linked::remote_link(row),
        timeline: timeline(ask, &operations)?,
        pager,
        actions: actions(ask, row, &way, &href),
        steps: steps(ask, row, &href),
    };
    let name = row.link.product_ticket.clone();
    let mut view = framed.view(ask, "tickets", Body::Ticket(Box::new(body)));
    view.title = format!("{name} - {}", framed.summary.connection.name);
    if let Some(tickets) = view.crumbs.last_mut() {
        tickets.href = Some(ask.of_connection(connection, "/tickets"));
    }
    view.crumbs.push(Crumb { label: name, href: None });
    Ok(view)
}

fn actions(ask: &Ask<'_>, row: &LinkRow, way: &Way, href: &str) -> Vec<Action> {
    let connection = &row.link.place.connection;
    let operate = [Permission::View, Permission::Operate];
    let mut actions = Vec::new();
    match way {
        Way::Decide(operation) => {
            let to = operation_href(ask, connection, operation);
            actions.push(Action::get("decide", ask.words.say("tickets.decide"), to, &operate));
        }
        Way::Map(scope) => {
            let to = ask.of_connection(connection, &format!("/map/statuses?scope={}", crate::web::ask::query(scope)));
            actions.push(Action::get("map", ask.words.say("tickets.map"), to, &[Permission::View, Permission::Map]));
        }
        Way::Retry => {
            actions.push(Action::post("retry", ask.words.say("tickets.retry"), format!("{href}/retry"), &operate));
        }
        Way::Details | Way::Again => {}
    }
    if row.link.state == LinkState::Linked {
        actions.push(Action::post("read", ask.words.say("ticket.read_now"), format!("{href}/read"), &operate));
    }
    ask.allowed(actions)
}

fn steps(ask: &Ask<'_>, row: &LinkRow, href: &str) -> Vec<Step> {
    let product = row.link.product_ticket.as_str();
    let ticket = row.link.ticket.as_deref().unwrap_or_default();
    let values = [("product_ticket", product), ("ticket", ticket)];
    let apart = matches!(row.link.state, LinkState::Unlinked | LinkState::Failed);
    let mut steps = Vec::new();
    if row.link.state == LinkState::Linked || (apart && !row.followed) {
        let name = if apart { "again" } else { "relink" };
        let field = StepField {
            name: "ticket".to_owned(),
            label: ask.words.say("step.relink.field"),
            help: ask.words.say("step.relink.help"),
            // The same ticket once more is the most likely wish for what is apart.
            value: ask
                .form
                .get("ticket")
                .map_or_else(|| if apart { ticket.to_owned() } else { String::new() }, str::to_owned),
            required: true,
        };
        steps.push(Step {
            name: "relink".to_owned(),
            field: Some(field),
            ..Step::of(ask, name, format!("{href}/relink"), &values)
        });
    }
    if row.link.state == LinkState::Linked {
        let step = Step::of(ask, "unlink", format!("{href}/unlink"), &values).sure(ask.words.say("step.unlink.sure"));
        steps.push(Step { danger: true, ..step });
    }
    step::allowed(ask, steps)
}

/// What both tickets show, as far as it is known here.
fn compared(ask: &Ask<'_>, row: &LinkRow, operations: &[StoredOperation]) -> Result<Vec<Compared>, Error> {
    let seen = linked::seen_of(row).unwrap_or_default();
    let wanted = last_wanted(ask, operations)?;
    let known = row.seen.is_some() && row.gone_at.is_none();
    let field = |field: &str, value: Value| {
        let ours = wanted.iter().find(|wanted| wanted.field == field);
        let differs = known && ours.is_some_and(|ours| ours.differs(&value));
        let same = ours.is_some() && !differs;
        Compared {
            field: field.to_owned(),
            name: ask.words.say(&format!("field.{field}")),
            ours: match ours.map(|ours| ours.value.as_deref()) {
                // The same value, by the name that the PSA has for it.
                Some(_) if same && known => named(&value),
                Some(Some(value)) => value.to_owned(),
                Some(None) => ask.words.say("ticket.not_kept"),
                None => String::new(),
            },
            theirs: named(&value),
            differs,
        }
    };
    let mut fields = vec![Compared {
        ours: row.link.product_ticket.clone(),
        theirs: linked::remote(row).map_or_else(String::new, |(number, _)| number),
        ..field("ticket", Value::Null)
    }];
    let Seen { summary, status, board, priority, owner, company, updated_at, .. } = seen;
    fields.extend([
        field("summary", json!(summary)),
        field("status", json!(status)),
        field("board", json!(board)),
        field("priority", json!(priority)),
        field("owner", json!(owner)),
        field("company", json!(company)),
    ]);
    let last = operations.first().map(|last| ask.words.exact(last.ended.unwrap_or(last.accepted)));
    let theirs = updated_at.and_then(|text| unix_ms(&text));
    fields.push(Compared {
        ours: last.unwrap_or_default(),
        theirs: theirs.map_or_else(String::new, |at| ask.words.exact(at)),
        ..field("changed", Value::Null)
    });
    Ok(fields)
}

/// What our last operations wanted, each field once. What was dropped or overtaken wants nothing any more.
fn last_wanted(ask: &Ask<'_>, operations: &[StoredOperation]) -> Result<Vec<Wanted>, Error> {
    let mut all: Vec<Wanted> = Vec::new();
    for operation in operations {
        let overtaken = operation.reason.as_deref() == Some("superseded");
        if operation.state == State::Discarded || overtaken {
            continue;
        }
        for wanted in ask.core.outbox.wanted_of(operation)? {
            if all.iter().all(|known| known.field != wanted.field) {
                all.push(wanted);
            }
        }
    }
    Ok(all)
}

/// "Working (102)".
fn named(value: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match (value["name"].as_str(), value["id"].as_str()) {
        (Some(name), Some(id)) if name != id => format!("{name} ({id})"),
        (_, Some(id)) => id.to_owned(),
        _ => text(value),
    }
}

fn timeline(ask: &Ask<'_>, operations: &[StoredOperation]) -> Result<Vec<Event>, Error> {
    let ids: Vec<String> = operations.iter().map(|row| row.operation.clone()).collect();
    let transitions = ask.core.store.transitions_of(&ask.who.tenant, &ids)?;
    let attempts = ask.core.store.attempts_of(&ask.who.tenant, &ids)?;
    operations
        .iter()
        .map(|row| {
            let of = |(operation, _): &&(String, Transition)| *operation == row.operation;
            let changes = transitions.iter().filter(of).map(|(_, transition)| transition);
            let tried = attempts.iter().filter(|(operation, _)| *operation == row.operation);
            let mut lines: Vec<String> = tried.map(|(_, attempt)| super::operation::tried(ask, attempt)).collect();
            let reason = why(ask, row);
            if !reason.is_empty() && row.reason.is_some() {
                lines.push(reason);
            }
            if let Some(by) = &row.decided_by {
                lines.push(ask.words.fill("op.decided_by", &[("by", by)]));
            }
            let chip = chip(ask, row);
            Ok(Event {
                tone: chip.tone,
                title: what_and_size(ask, row)?,
                href: operation_href(ask, &row.place.connection, &row.operation),
                chip,
                states: states(ask, changes),
                lines,
                when: ask.words.moment(row.accepted),
            })
        })
        .collect()
}

/// "Waiting, being sent, in doubt, delivered".
pub(crate) fn states<'t>(ask: &Ask<'_>, changes: impl Iterator<Item = &'t Transition>) -> String {
    let word =
        |state: State, open: bool| ask.words.say(&format!("op.state.{}", if open { "sending" } else { state.word() }));
    let mut all = vec![word(State::Queued, false)];
    all.extend(changes.map(|change| word(change.to, change.to_attempt.is_some())));
    all.join(" \u{2192} ")
}

/// The page again, with why nothing was done.
fn refused(ask: &Ask<'_>, error: Error) -> Result<Reply, Error> {
    if !step::is_about_it(&error) {
        return Err(error);
    }
    let (framed, row) = found(ask)?;
    let mut view = view(ask, &framed, &row)?;
    // What the PSA does not have is no page of ours that is missing.
    let text = match error.code {
        Code::NotFound => Told::ours(ask.words.say("refusal.no_ticket")),
        _ => ask.words.told(&error),
    };
    view.notices.push(Notice::bad(ask.words.say("refusal.title"), text));
    Ok(Reply::View(step::status(&error), Box::new(view)))
}

fn here(ask: &Ask<'_>, link: &str, word: &'static str) -> Reply {
    Reply::Done { to: link_href(ask, &ask.place().connection, link), word }
}

pub(crate) async fn unlink(ask: &Ask<'_>) -> Result<Reply, Error> {
    let (_, row) = found(ask)?;
    let work = async {
        step::agreed(ask)?;
        crate::links::unlink(ask.core, &ask.who.tenant, &row.link.link, &ask.by()).await
    };
    match work.await {
        Ok(link) => Ok(here(ask, &link.link, "unlinked")),
        Err(error) => refused(ask, error),
    }
}

pub(crate) async fn relink(ask: &Ask<'_>) -> Result<Reply, Error> {
    let (_, row) = found(ask)?;
    // As people write it: with its sign.
    let ticket = ask.form.filled("ticket").unwrap_or_default().trim_start_matches('#').to_owned();
    let work = async {
        crate::check::check_word("ticket", &ticket)?;
        crate::links::relink(ask.core, row.link, ticket.clone(), &ask.by(), ask.context).await
    };
    match work.await {
        Ok(link) => Ok(here(ask, &link.link, "relinked")),
        Err(error) => refused(ask, error),
    }
}

/// Reads the PSA's ticket now.
pub(crate) async fn read(ask: &Ask<'_>) -> Result<Reply, Error> {
    let (_, row) = found(ask)?;
    match ask.core.callbacks.read_now(&row.link, READ_MS).await {
        Ok(true) => Ok(here(ask, &row.link.link, "read")),
        Ok(false) => Ok(here(ask, &row.link.link, "reading")),
        Err(error) => refused(ask, error),
    }
}

/// Tries what waits now; what is held is tried again only where a person has said so on its own page.
pub(crate) async fn retry(ask: &Ask<'_>) -> Result<Reply, Error> {
    let (_, row) = found(ask)?;
    ask.core.outbox.try_now(&row.link.place);
    if let Some(operation) = row.operation.filter(|operation| operation.state == State::Queued) {
        ask.core.outbox.wait_for_end(operation, super::operation::WAIT_MS, ask.context).await?;
    }
    let to = match ask.form.get("from") {
        Some("list") => ask.of_connection(&ask.place().connection, "/tickets"),
        _ => link_href(ask, &ask.place().connection, &row.link.link),
    };
    Ok(Reply::Done { to, word: "tried" })
}

/// How an attempt failed, in the words of whoever said it.
pub(crate) fn error_of(attempt: &StoredAttempt) -> Option<String> {
    let error: Value = serde_json::from_str(attempt.error.as_deref()?).ok()?;
    error["message"].as_str().map(str::to_owned)
}
