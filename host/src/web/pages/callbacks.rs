//! What the provider tells us: where to, how well that works, and what came in.
//!
//! Promises: health is measured, never assumed; the address that is shown has no token in it; what is compared, mended or
//! renewed is shown with what was found and done.

use super::frame::{Framed, framed, plugin_name};
use crate::callbacks::{CallbackState, Comparison, Doing, state_of};
use crate::store::{CallbackState as Judgement, StoredCallback, StoredSubscription, SubscriptionState};
use crate::web::ask::{Ask, Reply};
use crate::web::moment::Moment;
use crate::web::permission::Permission;
use crate::web::told::Told;
use crate::web::view::{Action, Body, Chip, Crumb, Fact, Look, Notice, Pager, Tone};
use psa_host_api::Error;
use serde::{Deserialize, Serialize};

/// Deliveries on a page.
const PAGE: usize = 50;
/// What is counted of each subscription, in milliseconds.
const COUNTED_MS: i64 = 7 * 24 * 3_600_000;

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Callbacks {
    /// Whose the other side is, "Acme PSA".
    pub(crate) provider: String,
    /// Where the provider's callbacks go; none: nothing can be delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    pub(crate) chip: Chip,
    pub(crate) text: String,
    pub(crate) facts: Vec<Fact>,
    pub(crate) actions: Vec<Action>,
    pub(crate) subscriptions: Vec<Subscribed>,
    /// What was just found or done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) found: Option<Found>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) pager: Pager,
}

/// A registration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Subscribed {
    pub(crate) subscription: String,
    /// "ticket".
    pub(crate) kind: String,
    /// "owner 1": which of them.
    pub(crate) of: String,
    pub(crate) chip: Chip,
    pub(crate) text: String,
    /// The provider's id.
    pub(crate) remote: String,
    pub(crate) since: Moment,
    /// "412 good, 0 refused".
    pub(crate) counted: String,
}

/// What a comparison has found, or a repair has done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) title: String,
    pub(crate) steps: Vec<String>,
    /// Registrations that lead here and are not ours.
    pub(crate) strays: Vec<String>,
}

/// A callback that came in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) id: i64,
    pub(crate) href: String,
    pub(crate) when: Moment,
    /// Through which registration.
    pub(crate) through: String,
    /// "ticket 1001 updated".
    pub(crate) about: String,
    pub(crate) chip: Chip,
    #[serde(flatten)]
    pub(crate) told: Told,
}

/// One delivery, closely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeliveryPage {
    pub(crate) chip: Chip,
    #[serde(flatten)]
    pub(crate) told: Told,
    pub(crate) facts: Vec<Fact>,
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let body = page(ask, &framed, None)?;
    ask.page(framed.view(ask, "callbacks", Body::Callbacks(Box::new(body))))
}

fn page(ask: &Ask<'_>, framed: &Framed, found: Option<Found>) -> Result<Callbacks, Error> {
    let place = ask.place();
    let rows = ask.core.store.subscriptions(&place)?;
    let waiting = ask.core.store.count_waiting(&place)?;
    let since = ask.words.now().saturating_sub(COUNTED_MS);
    let counted = ask.core.store.judged_since(&place, since)?;
    let before = ask.query.get("before").and_then(|before| before.parse().ok()).unwrap_or(0);
    let mut deliveries = ask.core.store.list_callbacks(&place, before, PAGE + 1)?;
    let more = deliveries.len() > PAGE;
    deliveries.truncate(PAGE);
    let state = state_of(&framed.summary.inbound, ask.words.now());
    let last = deliveries.last().filter(|_| more).map(|row| row.id);
    let href = |before: i64| ask.of_connection(&place.connection, &format!("/callbacks?before={before}#deliveries"));
    let number = deliveries.len() as u64;
    Ok(Callbacks {
        provider: plugin_name(ask, &framed.summary.connection.plugin).name,
        address: ask.core.callbacks.address().map(str::to_owned),
        chip: Chip { tone: tone(state), label: ask.words.say(&format!("callbacks.state.{}", word(state))) },
        text: ask.words.say(&format!("callbacks.meaning.{}", word(state))),
        facts: facts(ask, framed, waiting),
        actions: actions(ask),
        subscriptions: rows.iter().map(|row| subscribed(ask, row, state, &counted)).collect(),
        found,
        pager: Pager {
            shown: ask.words.count("callbacks.shown", number),
            first: (before > 0).then(|| href(0)),
            next: last.map(href),
        },
        deliveries: deliveries.iter().map(|row| delivery(ask, row, &rows)).collect(),
    })
}

const fn word(state: CallbackState) -> &'static str {
    match state {
        CallbackState::Off => "off",
        CallbackState::Waiting => "waiting",
        CallbackState::Good => "good",
        CallbackState::Silent => "silent",
        CallbackState::Flapping => "flapping",
        CallbackState::Failing => "failing",
    }
}

const fn tone(state: CallbackState) -> Tone {
    match state {
        CallbackState::Good => Tone::Ok,
        CallbackState::Off | CallbackState::Waiting => Tone::Idle,
        CallbackState::Silent | CallbackState::Failing => Tone::Warn,
        CallbackState::Flapping => Tone::Bad,
    }
}

fn facts(ask: &Ask<'_>, framed: &Framed, waiting: u64) -> Vec<Fact> {
    let inbound = &framed.summary.inbound;
    let mut facts = Vec::new();
    let mut say = |key: &str, value: String, when: Option<Moment>| {
        facts.push(Fact { name: ask.words.say(key), value, mono: false, when });
    };
    match inbound.heard {
        Some(at) => say("callbacks.heard", ask.words.ago(at), Some(ask.words.moment(at))),
        None => say("callbacks.heard", ask.words.say("callbacks.never"), None),
    }
    // What comes together says nothing about a rhythm.
    if let Some(usual) = inbound.usual.and_then(|usual| u64::try_from(usual).ok()).filter(|usual| *usual >= 1_000) {
        say("callbacks.usual", ask.words.span(usual), None);
    }
    if inbound.missed > 0 {
        let missed = u64::try_from(inbound.missed).unwrap_or(0);
        say("callbacks.missed", ask.words.count("callbacks.missed.value", missed), None);
    }
    if waiting > 0 {
        say("callbacks.waiting", ask.words.number(waiting), None);
    }
    facts
}

fn actions(ask: &Ask<'_>) -> Vec<Action> {
    let may = [Permission::View, Permission::Operate];
    let action = |name: &str, label: String| {
        Action::post(name, label, ask.of_connection(ask.segment("connection"), &format!("/callbacks/{name}")), &may)
    };
    let register = action("register", ask.words.say("callbacks.register")).look(Look::Primary);
    let compare = action("compare", ask.words.say("callbacks.compare"));
    let rotate = action("rotate", ask.words.say("callbacks.rotate"));
    // Without an address nothing is registered, and what is left is taken away.
    let actions = match ask.core.callbacks.address() {
        Some(_) => vec![register, compare, rotate],
        None => vec![compare],
    };
    ask.allowed(actions)
}

fn subscribed(
    ask: &Ask<'_>,
    row: &StoredSubscription,
    all: CallbackState,
    counted: &[(String, Judgement, u64)],
) -> Subscribed {
    let (tone, key) = match row.state {
        SubscriptionState::Wanted => (Tone::Idle, "callbacks.one.wanted"),
        SubscriptionState::Replaced => (Tone::Idle, "callbacks.one.replaced"),
        SubscriptionState::Flapping => (Tone::Bad, "callbacks.one.flapping"),
        SubscriptionState::Active if all == CallbackState::Silent => (Tone::Warn, "callbacks.one.silent"),
        SubscriptionState::Active if row.heard.is_none() => (Tone::Idle, "callbacks.one.waiting"),
        SubscriptionState::Active => (Tone::Ok, "callbacks.one.good"),
    };
    let mut text = Vec::new();
    text.extend(row.heard.map(|at| ask.words.fill("callbacks.one.heard", &[("ago", &ask.words.ago(at))])));
    if !row.revived.is_empty() {
        text.push(ask.words.count("callbacks.one.revived", row.revived.len() as u64));
    }
    text.extend(row.disabled_by.as_ref().map(|by| ask.words.fill("callbacks.one.disabled", &[("name", by)])));
    let count = |wanted: &[Judgement]| -> u64 {
        counted
            .iter()
            .filter(|(id, state, _)| *id == row.subscription && wanted.contains(state))
            .map(|(_, _, n)| n)
            .sum()
    };
    let good = ask.words.number(count(&[Judgement::Verified]));
    let bad = ask.words.number(count(&[Judgement::Refused, Judgement::Unverified]));
    Subscribed {
        subscription: row.subscription.clone(),
        kind: row.kind.clone(),
        of: format!("{} {}", row.level, row.object),
        chip: Chip { tone, label: ask.words.say(key) },
        text: text.join(" "),
        remote: row.remote.clone().unwrap_or_default(),
        since: ask.words.moment(row.created),
        counted: ask.words.fill("callbacks.one.counted", &[("good", &good), ("bad", &bad)]),
    }
}

/// How a delivery was judged: a state, and why.
fn judged(ask: &Ask<'_>, row: &StoredCallback) -> (Chip, Told) {
    let repeat = row.reason.as_deref() == Some("repeat");
    let (tone, key) = match row.state {
        Judgement::Verified if repeat => (Tone::Idle, "callbacks.judged.repeat"),
        Judgement::Verified => (Tone::Ok, "callbacks.judged.verified"),
        Judgement::Received => (Tone::Idle, "callbacks.judged.received"),
        Judgement::Unverified => (Tone::Warn, "callbacks.judged.unverified"),
        Judgement::Refused => (Tone::Bad, "callbacks.judged.refused"),
    };
    let why = row.detail.clone().or_else(|| row.reason.clone().filter(|_| !repeat)).unwrap_or_default();
    (Chip { tone, label: ask.words.say(key) }, ask.words.of_others(&why, 1_000))
}

fn about(ask: &Ask<'_>, row: &StoredCallback) -> String {
    let (Some(entity), Some(remote)) = (&row.entity, &row.remote) else { return String::new() };
    let action = match row.action.as_deref() {
        Some("added") => "callbacks.action.added",
        Some("deleted") => "callbacks.action.deleted",
        _ => "callbacks.action.updated",
    };
    ask.words.fill(action, &[("what", entity), ("id", remote)])
}

fn delivery(ask: &Ask<'_>, row: &StoredCallback, rows: &[StoredSubscription]) -> Delivery {
    let (chip, told) = judged(ask, row);
    let through = rows.iter().find(|known| known.subscription == row.subscription);
    Delivery {
        id: row.id,
        href: ask.of_connection(ask.segment("connection"), &format!("/callbacks/{}", row.id)),
        when: ask.words.moment(row.received),
        through: through.map_or_else(String::new, |known| format!("{} {} {}", known.kind, known.level, known.object)),
        about: about(ask, row),
        chip,
        told,
    }
}

/// One delivery. What was in it beyond this is not kept.
pub(crate) async fn one(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let id: Option<i64> = ask.segment("delivery").parse().ok().filter(|id| *id > 0);
    let Some(row) = (match id {
        Some(id) => ask.core.store.list_callbacks(&ask.place(), id.saturating_add(1), 1)?.pop(),
        None => None,
    })
    .filter(|row| Some(row.id) == id) else {
        return Err(Error::new(psa_host_api::Code::NotFound, "there is no such delivery").because("delivery_missing"));
    };
    let (chip, told) = judged(ask, &row);
    let mut facts = Vec::new();
    let mut say = |key: &str, value: Option<String>, mono: bool| {
        let fact = |value| Fact { name: ask.words.say(key), value, mono, when: None };
        facts.extend(value.filter(|value| !value.is_empty()).map(fact));
    };
    say("callbacks.delivery.received", Some(ask.words.exact(row.received)), false);
    say("callbacks.delivery.about", Some(about(ask, &row)), false);
    say("callbacks.delivery.through", Some(row.subscription.clone()), true);
    say("callbacks.delivery.message", row.message.clone(), true);
    say("callbacks.delivery.reason", row.reason.clone(), true);
    say("callbacks.delivery.tries", (row.tries > 0).then(|| row.tries.to_string()), false);
    let mut view = framed.view(ask, "callbacks", Body::Delivery(DeliveryPage { chip, told, facts }));
    let title = ask.words.fill("callbacks.delivery", &[("id", &row.id.to_string())]);
    if let Some(last) = view.crumbs.last_mut() {
        last.href = Some(ask.of_connection(ask.segment("connection"), "/callbacks"));
    }
    view.crumbs.push(Crumb { label: title, href: None });
    ask.page(view)
}

pub(crate) async fn compare(ask: &Ask<'_>) -> Result<Reply, Error> {
    let place = ask.place();
    ask.core.connections.exists(&place)?;
    let compared = ask.core.callbacks.compare(&place).await;
    result(ask, compared, "callbacks.compared")
}

pub(crate) async fn register(ask: &Ask<'_>) -> Result<Reply, Error> {
    ask.core.environment.check_registering()?;
    let healed = ask.core.callbacks.heal(&ask.place(), &ask.by()).await;
    result(ask, healed, "callbacks.registered")
}

pub(crate) async fn rotate(ask: &Ask<'_>) -> Result<Reply, Error> {
    ask.core.environment.check_registering()?;
    let rotated = ask.core.callbacks.rotate(&ask.place(), &ask.by()).await;
    result(ask, rotated, "callbacks.rotated")
}

/// The page with what was found or done. An error of the provider's is part of the page, not a page of its own.
fn result(ask: &Ask<'_>, outcome: Result<Comparison, Error>, key: &str) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let (found, failed) = match outcome {
        Ok(comparison) => (Some(found(ask, &comparison, key)), None),
        Err(error) => (None, Some(error)),
    };
    let body = page(ask, &framed, found)?;
    let mut view = framed.view(ask, "callbacks", Body::Callbacks(Box::new(body)));
    if let Some(error) = failed {
        view.notices.push(Notice::bad(ask.words.say("callbacks.failed"), ask.words.told(&error)));
        return Ok(Reply::View(503, Box::new(view)));
    }
    ask.page(view)
}

fn found(ask: &Ask<'_>, comparison: &Comparison, key: &str) -> Found {
    let step = |doing: &Doing| {
        let mut text = ask.words.fill(&format!("callbacks.step.{}", doing.what), &[("of", &doing.of)]);
        if let Some(by) = &doing.by {
            text.push(' ');
            text.push_str(&ask.words.fill("callbacks.one.disabled", &[("name", by)]));
        }
        text
    };
    let strays = comparison.registered.iter().filter(|one| one.subscription.is_none());
    let title = if comparison.doing.is_empty() { "callbacks.fine" } else { key };
    Found {
        title: ask.words.say(title),
        steps: comparison.doing.iter().map(step).collect(),
        strays: strays
            .map(|one| {
                let of = format!("{} {} {}", one.kind, one.level, one.object);
                ask.words.fill("callbacks.stray", &[("id", &one.remote), ("of", &of)])
            })
            .collect(),
    }
}
