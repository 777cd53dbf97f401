//! Ending a connection: pausing, disconnecting, deleting.
//!
//! Promises: the mildest is chosen unless somebody chooses otherwise; what takes something away needs its name typed, and
//! deleting what waits needs the number of it; what stays registered at the provider is named.

use super::frame::{Framed, framed};
use super::overview;
use crate::removal::{self, Left};
use crate::store::{ConnectionState, Dependents, StopReason};
use crate::web::ask::{Ask, Reply};
use crate::web::permission::Permission;
use crate::web::view::{Body, Crumb, Fact, Link, Notice, View};
use psa_host_api::{Code, Error};
use serde::{Deserialize, Serialize};

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Remove {
    pub(crate) heading: String,
    /// From the mildest on.
    pub(crate) ways: Vec<Way>,
    /// The one that is chosen.
    pub(crate) chosen: What,
    pub(crate) depends: Vec<Fact>,
    /// What of the product depends on it, as the product says.
    pub(crate) references: Vec<String>,
    /// What has to be typed.
    pub(crate) confirm: String,
    /// What is wrong with what was typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// How many operations have not ended; sent in with a deletion.
    pub(crate) waiting: u64,
    pub(crate) keep: Link,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    Pause,
    Disconnect,
    Delete,
}

impl What {
    const ALL: [What; 3] = [What::Pause, What::Disconnect, What::Delete];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            What::Pause => "pause",
            What::Disconnect => "disconnect",
            What::Delete => "delete",
        }
    }
}

/// One way, with what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Way {
    pub(crate) what: What,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) button: String,
    pub(crate) href: String,
    /// Why it cannot be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) closed: Option<String>,
}

/// It is done, and something stays at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Removed {
    pub(crate) heading: String,
    pub(crate) text: String,
    pub(crate) why: String,
    pub(crate) left: Vec<String>,
    pub(crate) next: Link,
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    page(ask, What::Pause, None, Vec::new(), 200)
}

/// Where who had to prove who they are comes back to: nothing is done yet.
pub(crate) async fn show_disconnect(ask: &Ask<'_>) -> Result<Reply, Error> {
    page(ask, What::Disconnect, None, Vec::new(), 200)
}

/// The same, for deleting.
pub(crate) async fn show_delete(ask: &Ask<'_>) -> Result<Reply, Error> {
    page(ask, What::Delete, None, Vec::new(), 200)
}

fn page(ask: &Ask<'_>, chosen: What, error: Option<String>, notices: Vec<Notice>, status: u16) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let place = ask.place();
    let depends = ask.core.store.dependents(&place)?;
    let connection = &framed.summary.connection;
    let references = ask.who.references.get(&place.connection).cloned().unwrap_or_default();
    let title = ask.words.fill("remove.title", &[("name", &connection.name)]);
    let ways: Vec<Way> = What::ALL.into_iter().map(|what| way(ask, &framed, what)).collect();
    let open = ways.iter().any(|way| way.what == chosen && way.closed.is_none());
    let body = Remove {
        chosen: if open { chosen } else { What::Pause },
        ways,
        depends: facts(ask, &framed, &depends),
        references,
        confirm: confirm(&framed),
        error,
        waiting: depends.waiting,
        keep: Link { label: ask.words.say("remove.keep"), href: ask.of_connection(&place.connection, "") },
        heading: title.clone(),
    };
    let crumbs = vec![
        Crumb { label: ask.words.say("index.title"), href: Some(ask.href("/")) },
        Crumb { label: connection.name.clone(), href: Some(ask.of_connection(&place.connection, "")) },
        Crumb { label: ask.words.say("overview.remove"), href: None },
    ];
    let view = View { title, crumbs, frame: None, notices, body: Body::Remove(Box::new(body)) };
    Ok(Reply::View(status, Box::new(view)))
}

/// Who we are there; the connection's name where that is not known.
fn confirm(framed: &Framed) -> String {
    let connection = &framed.summary.connection;
    let known = connection.identity.clone().filter(|identity| !identity.trim().is_empty());
    known.unwrap_or_else(|| connection.name.clone()).trim().to_owned()
}

fn way(ask: &Ask<'_>, framed: &Framed, what: What) -> Way {
    let connection = &framed.summary.connection;
    let (name, reason) = (what.word(), connection.reason);
    let needs = match what {
        What::Pause => Permission::Configure,
        What::Disconnect | What::Delete => Permission::Delete,
    };
    let stopped = connection.state == ConnectionState::Stopped;
    let closed = if !ask.may(needs) {
        let named = ask.words.say(&format!("permission.{}", needs.word()));
        Some(ask.words.fill("remove.may_not", &[("permission", &named)]))
    } else if what == What::Disconnect && reason == Some(StopReason::Disabled) {
        Some(ask.words.say("remove.disconnected"))
    } else if what == What::Pause && stopped {
        Some(ask.words.say("remove.stopped"))
    } else {
        None
    };
    Way {
        what,
        title: ask.words.say(&format!("remove.{name}")),
        text: ask.words.say(&format!("remove.{name}.text")),
        button: ask.words.say(&format!("remove.{name}.button")),
        href: ask.of_connection(&connection.place.connection, &format!("/remove/{name}")),
        closed,
    }
}

fn facts(ask: &Ask<'_>, framed: &Framed, depends: &Dependents) -> Vec<Fact> {
    let fact = |key: &str, value: String| Fact { name: ask.words.say(key), value, mono: false, when: None };
    let inbound = &framed.summary.inbound;
    let callbacks = inbound.active + inbound.flapping;
    let mut facts = vec![
        fact("remove.links", ask.words.number(depends.links)),
        fact("remove.mappings", ask.words.number(depends.mappings)),
        fact(
            "remove.waiting",
            match depends.waiting {
                0 => ask.words.number(0),
                waiting => ask.words.count("remove.waiting.value", waiting),
            },
        ),
        fact("remove.operations", ask.words.number(depends.operations)),
    ];
    if callbacks > 0 {
        facts.push(fact("remove.callbacks", ask.words.count("remove.callbacks.value", callbacks)));
    }
    facts
}

/// The button and what was chosen above it must say the same.
fn disagrees(ask: &Ask<'_>, what: What) -> bool {
    ask.form.filled("what").is_some_and(|chosen| chosen != what.word())
}

pub(crate) async fn pause(ask: &Ask<'_>) -> Result<Reply, Error> {
    if disagrees(ask, What::Pause) {
        return unclear(ask, What::Pause);
    }
    overview::pause(ask).await
}

pub(crate) async fn disconnect(ask: &Ask<'_>) -> Result<Reply, Error> {
    if let Some(again) = doubted(ask, What::Disconnect)? {
        return Ok(again);
    }
    let place = ask.place();
    let (_, left) = removal::disconnect(ask.core, &place, &ask.by()).await?;
    let to = ask.of_connection(&place.connection, "");
    gone(ask, &left, "disconnected", to)
}

pub(crate) async fn delete(ask: &Ask<'_>) -> Result<Reply, Error> {
    if let Some(again) = doubted(ask, What::Delete)? {
        return Ok(again);
    }
    let Some(waiting) = ask.form.filled("waiting").and_then(|number| number.parse::<u64>().ok()) else {
        return recount(ask);
    };
    match removal::delete(ask.core, &ask.place(), waiting, &ask.by()).await {
        Ok((_, left)) => gone(ask, &left, "deleted", ask.href("/")),
        // Something was handed in or has ended since the page was drawn: the number on it is not the right one.
        Err(error) if error.code == Code::Conflict && error.reason.as_deref() == Some("waiting") => recount(ask),
        Err(error) => Err(error),
    }
}

/// Why it is not done yet, if it is not.
fn doubted(ask: &Ask<'_>, what: What) -> Result<Option<Reply>, Error> {
    if disagrees(ask, what) {
        return unclear(ask, what).map(Some);
    }
    let wanted = confirm(&framed(ask)?);
    if ask.form.get("confirm").unwrap_or_default().trim() == wanted {
        return Ok(None);
    }
    let error = ask.words.fill("remove.confirm.wrong", &[("text", &wanted)]);
    page(ask, what, Some(error), Vec::new(), 422).map(Some)
}

/// The choice is what was meant: a key pressed in a field presses the first button.
fn unclear(ask: &Ask<'_>, pressed: What) -> Result<Reply, Error> {
    let marked = What::ALL.into_iter().find(|what| ask.form.filled("what") == Some(what.word())).unwrap_or(pressed);
    let name = |what: What| ask.words.say(&format!("remove.{}", what.word()));
    let text = ask.words.fill("remove.unclear.text", &[("pressed", &name(pressed)), ("marked", &name(marked))]);
    page(ask, marked, None, vec![Notice::bad(ask.words.say("remove.unclear"), text)], 422)
}

fn recount(ask: &Ask<'_>) -> Result<Reply, Error> {
    let now = ask.core.store.dependents(&ask.place())?.waiting;
    let text = ask.words.count("remove.recount.text", now);
    page(ask, What::Delete, None, vec![Notice::bad(ask.words.say("remove.recount"), text)], 409)
}

/// Onwards, unless there is something to tell.
fn gone(ask: &Ask<'_>, left: &Left, word: &'static str, to: String) -> Result<Reply, Error> {
    if left.items.is_empty() {
        return Ok(Reply::Done { to, word });
    }
    let title = ask.words.say(&format!("done.{word}"));
    let line = |(of, id): &(String, String)| ask.words.fill("removed.one", &[("id", id), ("of", of)]);
    let body = Removed {
        heading: title.clone(),
        text: ask.words.count("removed.left", left.items.len() as u64),
        why: left.why.clone().unwrap_or_default(),
        left: left.items.iter().map(line).collect(),
        next: Link { label: ask.words.say("removed.next"), href: to },
    };
    let crumbs = vec![
        Crumb { label: ask.words.say("index.title"), href: Some(ask.href("/")) },
        Crumb { label: title.clone(), href: None },
    ];
    ask.page(View { title, crumbs, frame: None, notices: Vec::new(), body: Body::Removed(body) })
}
