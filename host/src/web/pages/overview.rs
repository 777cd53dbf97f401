//! How a connection does.

use super::frame::{Framed, framed};
use crate::callbacks::{CallbackState, state_of};
use crate::store::{self, Passed, Place, State};
use crate::web::ask::{Ask, Reply};
use crate::web::permission::Permission;
use crate::web::told::Told;
use crate::web::view::{Action, Body, Fact, Link, Look, Mark, Notice, Tone};
use crate::works::Kind;
use psa_host_api::Error;
use psa_host_api::abi::PSA_OP_WRITE;
use serde::{Deserialize, Serialize};

const HOUR_MS: i64 = 3_600_000;
const HOURS: i64 = 24;

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Overview {
    /// What can be done through the connection, and how well.
    pub(crate) works: Vec<Mark>,
    /// The last 24 hours, an hour each, the oldest first: what was sent and received.
    pub(crate) hours: Vec<Hour>,
    /// The same in words, for those who cannot see the bars.
    pub(crate) hours_said: String,
    pub(crate) totals: Vec<Total>,
    pub(crate) about: Vec<Fact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remove: Option<Action>,
}

/// An hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hour {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// A number of the last 24 hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Total {
    pub(crate) name: String,
    pub(crate) value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<Link>,
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let place = ask.place();
    let since = ask.words.now().saturating_sub(HOURS * HOUR_MS);
    let passed = ask.core.store.passed(&place, since, HOUR_MS)?;
    let heard = ask.core.store.heard(&place, since, HOUR_MS)?;
    let mut hours = vec![Hour::default(); HOURS as usize];
    // What ends in this very moment is of the last hour.
    let of_bucket = |bucket: i64| usize::try_from(bucket.clamp(0, HOURS - 1)).unwrap_or(0);
    for row in passed.iter().filter(|row| row.state == State::Delivered) {
        hours[of_bucket(row.bucket)].sent += row.count;
    }
    for (bucket, count) in &heard {
        hours[of_bucket(*bucket)].received += count;
    }
    let (sent, received) = hours.iter().fold((0, 0), |(s, r), hour| (s + hour.sent, r + hour.received));
    let refused = passed.iter().filter(|row| row.state == State::Refused).map(|row| row.count).sum();
    let body = Overview {
        works: works(ask, &framed, &passed),
        hours_said: ask.words.fill(
            "overview.hours.said",
            &[("sent", &ask.words.number(sent)), ("received", &ask.words.number(received))],
        ),
        hours,
        totals: totals(ask, &framed, sent, received, refused),
        about: about(ask, &framed),
        remove: remove(ask, &framed),
    };
    let mut view = framed.view(ask, "overview", Body::Overview(body));
    view.notices = framed
        .standing
        .needs
        .iter()
        .filter(|need| need.tone != Tone::Info)
        .map(|need| Notice {
            tone: need.tone,
            title: Some(framed.standing.chip.label.clone()),
            told: Told::ours(need.text.clone()),
            links: need.link.clone().into_iter().collect(),
            alert: false,
        })
        .collect();
    view.notices.extend(Kind::ALL.into_iter().filter_map(|kind| at_it(ask, &place, kind)));
    ask.page(view)
}

/// A work that goes on, and what a first look has found.
fn at_it(ask: &Ask<'_>, place: &Place, kind: Kind) -> Option<Notice> {
    let progress = ask.core.works.of(place, kind)?;
    let link = |label: &str, rest: String| Link {
        label: ask.words.say(label),
        href: ask.of_connection(&place.connection, &rest),
    };
    let (text, link) = match (&progress.ended, kind) {
        (None, _) => {
            let text = ask.words.say(&format!("work.{}", kind.word()));
            (text, link("work.look", format!("/progress/{}", kind.word())))
        }
        (Some(Ok(n)), Kind::Import) if *n > 0 => {
            (ask.words.count("work.import.done", *n), link("work.next", "/map/members".to_owned()))
        }
        _ => return None,
    };
    Some(Notice { tone: Tone::Info, title: None, told: Told::ours(text), links: vec![link], alert: false })
}

fn works(ask: &Ask<'_>, framed: &Framed, passed: &[Passed]) -> Vec<Mark> {
    let connection = &framed.summary.connection;
    let id = &connection.place.connection;
    let offered: Vec<String> = match ask.core.connections.plugin(&connection.plugin) {
        Ok(plugin) => plugin.operations().map(str::to_owned).collect(),
        Err(_) => Vec::new(),
    };
    let offers = |names: &[&str]| names.iter().all(|name| offered.iter().any(|known| known == name));
    let last = |kinds: &[store::Kind]| {
        let ends = passed.iter().filter(|row| row.state == State::Delivered && kinds.contains(&row.kind));
        ends.map(|row| row.last).max()
    };
    let sending = |key: &str, names: &[&str], kinds: &[store::Kind]| {
        let title = ask.words.say(&format!("works.{key}"));
        if !offers(names) {
            return mark(ask, Tone::Idle, title, ask.words.say("works.not_offered"), None);
        }
        let text = match last(kinds) {
            Some(at) => ask.words.fill("works.last", &[("ago", &ask.words.ago(at))]),
            None => ask.words.say("works.none_lately"),
        };
        let stopped = framed.standing.chip.tone == Tone::Bad;
        mark(ask, if stopped { Tone::Bad } else { Tone::Ok }, title, text, None)
    };
    let mut marks = vec![
        sending(
            "tickets",
            &["create_ticket", "update_ticket"],
            &[store::Kind::Ticket, store::Kind::Update, store::Kind::Status],
        ),
        sending("notes", &["add_note", "list_notes"], &[store::Kind::Note]),
        sending("time", &["add_time_entry"], &[store::Kind::Time]),
    ];
    let settled = framed.summary.agents_settled.min(framed.agents);
    let numbers = [("settled", ask.words.number(settled)), ("all", ask.words.number(framed.agents))];
    let numbers: Vec<(&str, &str)> = numbers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let members = ask.words.say("works.members");
    let link = Link { label: ask.words.say("standing.members.link"), href: ask.of_connection(id, "/map/members") };
    marks.push(if framed.agents == 0 {
        mark(ask, Tone::Idle, members, ask.words.say("works.members.unknown"), None)
    } else if settled < framed.agents {
        mark(ask, Tone::Warn, members, ask.words.fill("works.members.some", &numbers), Some(link))
    } else {
        mark(ask, Tone::Ok, members, ask.words.fill("works.members.all", &numbers), None)
    });
    marks.push(callbacks(ask, framed, offers(&["receive_callback"])));
    let files = offers(&["add_attachment", "get_attachment"]);
    let (tone, key) = if files { (Tone::Ok, "works.offered") } else { (Tone::Idle, "works.not_offered") };
    marks.push(mark(ask, tone, ask.words.say("works.attachments"), ask.words.say(key), None));
    marks
}

fn callbacks(ask: &Ask<'_>, framed: &Framed, offered: bool) -> Mark {
    let title = ask.words.say("works.callbacks");
    if !offered {
        return mark(ask, Tone::Idle, title, ask.words.say("works.not_offered"), None);
    }
    let (tone, key) = match state_of(&framed.summary.inbound, ask.words.now()) {
        CallbackState::Good => (Tone::Ok, "works.callbacks.good"),
        CallbackState::Waiting => (Tone::Ok, "works.callbacks.waiting"),
        CallbackState::Off => (Tone::Idle, "works.callbacks.off"),
        CallbackState::Silent => (Tone::Warn, "works.callbacks.silent"),
        CallbackState::Flapping => (Tone::Warn, "works.callbacks.flapping"),
        CallbackState::Failing => (Tone::Warn, "works.callbacks.failing"),
    };
    let ago = framed.summary.inbound.heard.map(|at| ask.words.ago(at)).unwrap_or_default();
    let href = ask.of_connection(&framed.summary.connection.place.connection, "/callbacks");
    let link = Link { label: ask.words.say("standing.callbacks.link"), href };
    mark(ask, tone, title, ask.words.fill(key, &[("ago", &ago)]), (tone == Tone::Warn).then_some(link))
}

fn mark(ask: &Ask<'_>, tone: Tone, title: String, text: String, link: Option<Link>) -> Mark {
    let said = ask.words.say(match tone {
        Tone::Ok | Tone::Info => "mark.ok",
        Tone::Warn => "mark.warn",
        Tone::Bad => "mark.bad",
        Tone::Idle => "mark.idle",
    });
    Mark { tone, said, title, told: Told::ours(text), aside: String::new(), links: link.into_iter().collect() }
}

fn totals(ask: &Ask<'_>, framed: &Framed, sent: u64, received: u64, refused: u64) -> Vec<Total> {
    let id = &framed.summary.connection.place.connection;
    let number = |n: u64| ask.words.number(n);
    let waiting = framed.summary.queued + framed.summary.in_doubt;
    let review = |n: u64, state: &str| {
        let href = ask.of_connection(id, &format!("/tickets?state={state}"));
        (n > 0).then(|| Link { label: ask.words.say("overview.review"), href })
    };
    let total = |key: &str, n: u64, link: Option<Link>| Total { name: ask.words.say(key), value: number(n), link };
    vec![
        total("overview.sent", sent, None),
        total("overview.received", received, None),
        total("overview.waiting", waiting, review(waiting, "waiting")),
        total("overview.held", framed.summary.held, review(framed.summary.held, "held")),
        total("overview.refused", refused, review(refused, "refused")),
    ]
}

fn about(ask: &Ask<'_>, framed: &Framed) -> Vec<Fact> {
    let connection = &framed.summary.connection;
    let mut facts = Vec::new();
    let mut say = |key: &str, value: String, mono: bool| {
        facts.push(Fact { name: ask.words.say(key), value, mono, when: None });
    };
    if let Some(identity) = &connection.identity {
        say("about.identity", identity.clone(), false);
    }
    if let Ok(plugin) = ask.core.connections.plugin(&connection.plugin) {
        say("about.plugin", format!("{} {}", plugin.manifest.name, plugin.manifest.version), false);
        let writes = plugin
            .operations()
            .filter(|name| psa_host_api::ops::find(name).is_some_and(|row| row.flags & PSA_OP_WRITE != 0));
        say("about.operations", ask.words.count("about.operations.value", writes.count() as u64), false);
    }
    say("about.id", connection.place.connection.clone(), true);
    let created = ask.words.moment(connection.created);
    facts.push(Fact {
        name: ask.words.say("about.created"),
        value: ask.words.day(connection.created),
        mono: false,
        when: Some(created),
    });
    facts
}

fn remove(ask: &Ask<'_>, framed: &Framed) -> Option<Action> {
    let href = ask.of_connection(&framed.summary.connection.place.connection, "/remove");
    let action =
        Action::get("remove", ask.words.say("overview.remove"), href, &[Permission::View, Permission::Configure]);
    ask.allowed(vec![action.look(Look::Danger)]).pop()
}

pub(crate) async fn pause(ask: &Ask<'_>) -> Result<Reply, Error> {
    let place = ask.place();
    ask.core.connections.exists(&place)?;
    let detail = ask.words.fill("paused.by", &[("name", &ask.by())]);
    ask.core.connections.stop(&place, crate::store::StopReason::Paused, detail, None, &ask.by()).await?;
    Ok(Reply::Done { to: ask.of_connection(&place.connection, ""), word: "paused" })
}

pub(crate) async fn resume(ask: &Ask<'_>) -> Result<Reply, Error> {
    let place = ask.place();
    let resumed = ask.core.connections.resume(&place, &ask.by()).await;
    ask.core.outbox.rested(&place);
    resumed?;
    Ok(Reply::Done { to: ask.of_connection(&place.connection, ""), word: "resumed" })
}
