//! One operation: what it is, where it stands, what was tried, what a look has found, what comes next, and what a person can
//! decide.

use super::frame::{Framed, framed};
use super::linked::{self, chip, link_href, operation_href, what, why};
use super::step::{self, Step, StepField, StepOption};
use super::ticket::{error_of, states};
use crate::clock::unix_ms;
use crate::outbox::{Candidate, Next, candidates};
use crate::store::{AttemptEnd, Kind, LinkRow, Listed, State, StoredAttempt, StoredOperation};
use crate::web::ask::{Ask, Reply};
use crate::web::moment::Moment;
use crate::web::permission::Permission;
use crate::web::view::{Action, Body, Chip, Crumb, Fact, Link, Notice, Tone, View};
use psa_host_api::{Code, Error};
use serde::{Deserialize, Serialize};

/// How long is waited for what follows a decision, in milliseconds.
pub(crate) const WAIT_MS: u64 = 2_000;

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) operation: String,
    pub(crate) heading: String,
    pub(crate) chip: Chip,
    /// The link it belongs to.
    pub(crate) on: Link,
    /// Why it is held, refused or dropped; empty if it is none of it.
    pub(crate) why: String,
    /// What comes next.
    pub(crate) next: String,
    /// Something to be done elsewhere.
    pub(crate) actions: Vec<Action>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) story: Vec<Tried>,
    /// What looks have found at the PSA that may be it.
    pub(crate) candidates: Vec<Found>,
    pub(crate) steps: Vec<Step>,
}

/// Something that happened to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tried {
    pub(crate) tone: Tone,
    pub(crate) text: String,
    /// More, as whoever said it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
    pub(crate) when: Moment,
}

/// Something at the PSA that may be it. Never its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) remote: String,
    pub(crate) created: String,
    pub(crate) by: String,
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let (framed, row) = found(ask)?;
    ask.page(view(ask, &framed, &row)?)
}

/// The operation of the path, if it is one of the connection's.
fn found(ask: &Ask<'_>) -> Result<(Framed, StoredOperation), Error> {
    let framed = framed(ask)?;
    let row = ask.core.outbox.operation_of(&ask.who.tenant, ask.segment("operation"))?;
    if row.place != ask.place() {
        return Err(Error::new(Code::NotFound, "this connection has no such operation").because("operation_missing"));
    }
    Ok((framed, row))
}

fn view(ask: &Ask<'_>, framed: &Framed, row: &StoredOperation) -> Result<View, Error> {
    let connection = &row.place.connection;
    let link = ask.core.store.list_rows(&row.place, Listed::One(&row.link), None, 1)?.pop();
    let attempts = ask.core.store.attempts(&row.place.tenant, &row.operation)?;
    let found = candidates(row);
    let title = what(ask, row);
    let product = link.as_ref().map_or_else(|| row.link.clone(), |link| link.link.product_ticket.clone());
    let body = Operation {
        operation: row.operation.clone(),
        heading: ask.words.fill("operation.title", &[("what", &title), ("ticket", &product)]),
        chip: chip(ask, row),
        on: Link { label: product.clone(), href: link_href(ask, connection, &row.link) },
        why: if row.reason.is_some() { why(ask, row) } else { String::new() },
        next: next(ask, row),
        actions: actions(ask, row),
        facts: facts(ask, row, link.as_ref())?,
        story: story(ask, row, &attempts),
        candidates: found.iter().map(|candidate| shown(ask, candidate)).collect(),
        steps: steps(ask, row, &found),
    };
    let mut view = framed.view(ask, "tickets", Body::Operation(Box::new(body)));
    view.title = format!("{title} - {product}");
    if let Some(tickets) = view.crumbs.last_mut() {
        tickets.href = Some(ask.of_connection(connection, "/tickets"));
    }
    view.crumbs.push(Crumb { label: product, href: Some(link_href(ask, connection, &row.link)) });
    view.crumbs.push(Crumb { label: title, href: None });
    Ok(view)
}

fn shown(ask: &Ask<'_>, candidate: &Candidate) -> Found {
    let at = candidate.created_at.as_deref().and_then(unix_ms);
    Found {
        remote: candidate.remote.clone(),
        created: at.map_or_else(String::new, |at| ask.words.exact(at)),
        by: candidate.created_by.clone().unwrap_or_default(),
    }
}

fn next(ask: &Ask<'_>, row: &StoredOperation) -> String {
    let words = ask.words;
    match ask.core.outbox.next_of(row) {
        Next::Sends => words.say("operation.next.sends"),
        Next::Waits(until) => words.fill("operation.next.waits", &[("until", &words.exact(until))]),
        Next::Looks(quiet_ms) => {
            let at = words.ago(row.next_at.max(words.now()));
            words.fill("operation.next.looks", &[("span", &words.span(quiet_ms)), ("when", &at)])
        }
        Next::NeedsMapping => words.say("operation.next.mapping"),
        Next::NeedsTicket => words.say("operation.next.ticket"),
        Next::Person => words.say("operation.next.person"),
        Next::Ended => words.say("operation.next.ended"),
    }
}

fn actions(ask: &Ask<'_>, row: &StoredOperation) -> Vec<Action> {
    if row.reason.as_deref() != Some("needs_mapping") || row.state != State::Held {
        return Vec::new();
    }
    let evidence = linked::evidence(row);
    let scope = crate::web::ask::query(evidence["scope"].as_str().unwrap_or_default());
    let to = ask.of_connection(&row.place.connection, &format!("/map/statuses?scope={scope}"));
    ask.allowed(vec![Action::get("map", ask.words.say("tickets.map"), to, &[Permission::View, Permission::Map])])
}

fn facts(ask: &Ask<'_>, row: &StoredOperation, link: Option<&LinkRow>) -> Result<Vec<Fact>, Error> {
    let words = ask.words;
    let mut facts = Vec::new();
    let mut say = |key: &str, value: String, mono: bool| {
        facts.push(Fact { name: words.say(&format!("operation.fact.{key}")), value, mono, when: None });
    };
    say("what", linked::what_and_size(ask, row)?, false);
    let remote = link.and_then(linked::remote).map(|(number, _)| number);
    say("where", remote.unwrap_or_else(|| words.say("operation.no_ticket")), false);
    for wanted in ask.core.outbox.wanted_of(row)? {
        let value = wanted.value.unwrap_or_else(|| words.say("ticket.not_kept"));
        let name = words.say(&format!("field.{}", wanted.field));
        say("wants", words.fill("operation.wants", &[("field", &name), ("value", &value)]), false);
    }
    say("accepted", words.exact(row.accepted), false);
    if let Some(ended) = row.ended {
        say("ended", words.exact(ended), false);
    }
    say("attempts", words.number(u64::try_from(row.attempts).unwrap_or(0)), false);
    if let Some(outcome) = row.outcome {
        say("outcome", words.say(&format!("op.outcome.{}", outcome.word())), false);
    }
    if let Some(remote) = &row.remote {
        say("remote", remote.clone(), true);
    }
    if let Some(by) = &row.decided_by {
        say("decided_by", by.clone(), false);
    }
    let changes = ask.core.store.transitions(&row.place.tenant, &row.operation)?;
    say("states", states(ask, changes.iter()), false);
    say("id", row.operation.clone(), true);
    Ok(facts)
}

/// What was tried, in a sentence.
pub(crate) fn tried(ask: &Ask<'_>, attempt: &StoredAttempt) -> String {
    let word = attempt.outcome.map_or("open", AttemptEnd::word);
    let n = ask.words.number(u64::try_from(attempt.number).unwrap_or(0));
    let text = ask.words.fill(&format!("op.tried.{word}"), &[("n", &n)]);
    match error_of(attempt) {
        Some(error) => ask.words.fill("op.tried.why", &[("what", &text), ("why", &error)]),
        None => text,
    }
}

fn story(ask: &Ask<'_>, row: &StoredOperation, attempts: &[StoredAttempt]) -> Vec<Tried> {
    let words = ask.words;
    let event =
        |tone: Tone, text: String, detail: String, at: i64| Tried { tone, text, detail, when: words.moment(at) };
    let mut story = vec![event(Tone::Idle, words.say("op.accepted"), String::new(), row.accepted)];
    story.extend(attempts.iter().map(|attempt| {
        let tone = match attempt.outcome {
            None => Tone::Idle,
            Some(AttemptEnd::Delivered) => Tone::Ok,
            Some(AttemptEnd::Refused) => Tone::Bad,
            Some(AttemptEnd::Back | AttemptEnd::InDoubt) => Tone::Warn,
        };
        let word = attempt.outcome.map_or("open", AttemptEnd::word);
        let n = words.number(u64::try_from(attempt.number).unwrap_or(0));
        let text = words.fill(&format!("op.tried.{word}"), &[("n", &n)]);
        event(tone, text, error_of(attempt).unwrap_or_default(), attempt.ended.unwrap_or(attempt.opened))
    }));
    if let Some(ended) = row.ended {
        let by = row.decided_by.as_ref();
        let detail = by.map_or_else(String::new, |by| words.fill("op.decided_by", &[("by", by)]));
        story.push(event(chip(ask, row).tone, words.say(&format!("op.ended.{}", row.state.word())), detail, ended));
    }
    story
}

fn steps(ask: &Ask<'_>, row: &StoredOperation, found: &[Candidate]) -> Vec<Step> {
    let href = operation_href(ask, &row.place.connection, &row.operation);
    let to = |name: &str| format!("{href}/{name}");
    let what = what(ask, row);
    let values = [("what", what.as_str())];
    let steps = ask.core.outbox.decisions_of(row).into_iter().map(|decision| match decision {
        "retry" => {
            let step = Step::of(ask, "retry", to("retry"), &values);
            // Where something of it may be at the PSA it may be there twice afterwards.
            if row.doubts > 0 { step.sure(ask.words.say("step.retry.sure")) } else { step }
        }
        "adopt" => {
            let option = |candidate: &Candidate| {
                let Found { created, by, .. } = shown(ask, candidate);
                let help = [created, by].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
                StepOption { value: candidate.remote.clone(), label: candidate.remote.clone(), help }
            };
            let field = StepField {
                name: "other".to_owned(),
                label: ask.words.say(if found.is_empty() { "step.adopt.field" } else { "step.adopt.other" }),
                help: ask.words.say(if row.kind == Kind::Ticket {
                    "step.adopt.help.ticket"
                } else {
                    "step.adopt.help"
                }),
                value: ask.form.get("other").unwrap_or_default().to_owned(),
                required: found.is_empty(),
            };
            Step {
                options: found.iter().map(option).collect(),
                field: Some(field),
                ..Step::of(ask, "adopt", to("adopt"), &values)
            }
        }
        // What is queued is taken back, what is held is given up: the same to us, another word to people.
        _ => {
            let name = if row.state == State::Queued { "cancel" } else { "discard" };
            let step = Step::of(ask, name, to("discard"), &values).sure(ask.words.say("step.discard.sure"));
            Step { danger: true, ..step }
        }
    });
    step::allowed(ask, steps.collect())
}

/// The page again, with why nothing was done.
fn refused(ask: &Ask<'_>, error: Error) -> Result<Reply, Error> {
    if !step::is_about_it(&error) {
        return Err(error);
    }
    let (framed, row) = found(ask)?;
    let mut view = view(ask, &framed, &row)?;
    view.notices.push(Notice::bad(ask.words.say("refusal.title"), ask.words.told(&error)));
    Ok(Reply::View(step::status(&error), Box::new(view)))
}

/// The page, after what follows at once has followed.
async fn done(ask: &Ask<'_>, row: StoredOperation, word: &'static str) -> Result<Reply, Error> {
    let row = ask.core.outbox.wait_for_end(row, WAIT_MS, ask.context).await?;
    Ok(Reply::Done { to: operation_href(ask, &row.place.connection, &row.operation), word })
}

/// Sends it again.
pub(crate) async fn retry(ask: &Ask<'_>) -> Result<Reply, Error> {
    let (_, row) = found(ask)?;
    let work = async {
        if row.doubts > 0 {
            step::agreed(ask)?;
        }
        ask.core.outbox.retry(&row.place.tenant, &row.operation, &ask.by()).await
    };
    match work.await {
        Ok(row) => done(ask, row, "retried").await,
        Err(error) => refused(ask, error),
    }
}

/// It is there already.
pub(crate) async fn adopt(ask: &Ask<'_>) -> Result<Reply, Error> {
    let (_, row) = found(ask)?;
    // What is typed was meant; a choice may have been made before.
    let remote = ask.form.filled("other").or_else(|| ask.form.filled("remote")).unwrap_or_default();
    let work = async {
        crate::check::check_word("remote", remote)?;
        ask.core.outbox.adopt(&row.place.tenant, &row.operation, remote, &ask.by()).await
    };
    match work.await {
        Ok(row) => done(ask, row, "adopted").await,
        Err(error) => refused(ask, error),
    }
}

/// Drops it, or takes it back.
pub(crate) async fn discard(ask: &Ask<'_>) -> Result<Reply, Error> {
    let (_, row) = found(ask)?;
    let work = async {
        step::agreed(ask)?;
        ask.core.outbox.discard(&row.place.tenant, &row.operation, &ask.by()).await
    };
    match work.await {
        Ok(row) => done(ask, row, "discarded").await,
        Err(error) => refused(ask, error),
    }
}
