//! How a connection stands, in the words of the page.
//!
//! Promises: the state is worked out from what is known now, never set; the worst comes first.

use crate::callbacks::{CallbackState, state_of};
use crate::outbox::HaltReason;
use crate::store::{ConnectionState, StopReason, Summary};
use crate::web::ask::Ask;
use crate::web::view::{Chip, Link, Tone};

/// What needs a person, and where that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) tone: Tone,
    pub(crate) text: String,
    pub(crate) link: Option<Link>,
}

/// How a connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) chip: Chip,
    /// The worst first; empty if all is well.
    pub(crate) needs: Vec<Need>,
}

/// Works it out. `agents`: how many the product has.
pub(crate) fn standing(ask: &Ask<'_>, summary: &Summary, agents: u64) -> Standing {
    let mut needs = Vec::new();
    let connection = &summary.connection;
    let id = &connection.place.connection;
    let label = match (connection.state, connection.reason) {
        (ConnectionState::Setup, _) => {
            let link = link(ask, "standing.setup.link", ask.of_connection(id, "/settings"));
            needs.push(Need { tone: Tone::Idle, text: ask.words.say("standing.setup.text"), link: Some(link) });
            (Tone::Idle, "standing.setup".to_owned())
        }
        (ConnectionState::Stopped, Some(reason)) => {
            needs.push(stopped(ask, summary, reason));
            (tone_of(reason), format!("standing.{}", reason.word()))
        }
        _ => {
            needs.extend(halted(ask, summary));
            at_work(ask, summary, agents, &mut needs);
            let tone = needs.iter().map(|need| need.tone).max().filter(|tone| *tone >= Tone::Warn);
            match tone {
                Some(tone) => (tone, "standing.attention".to_owned()),
                None => (Tone::Ok, "standing.connected".to_owned()),
            }
        }
    };
    needs.sort_by_key(|need| std::cmp::Reverse(need.tone));
    Standing { chip: Chip { tone: label.0, label: ask.words.say(&label.1) }, needs }
}

fn tone_of(reason: StopReason) -> Tone {
    match reason {
        StopReason::Paused | StopReason::Disabled => Tone::Idle,
        StopReason::Environment => Tone::Warn,
        _ => Tone::Bad,
    }
}

fn stopped(ask: &Ask<'_>, summary: &Summary, reason: StopReason) -> Need {
    let connection = &summary.connection;
    let id = &connection.place.connection;
    let waiting = summary.queued + summary.in_doubt + summary.held;
    // What a person wrote stays; what the host found is in English, and said in the reader's own words elsewhere.
    let mut text = match &connection.detail {
        Some(detail) if reason == StopReason::Paused || ask.words.are_of_others() => detail.clone(),
        _ => ask.words.say(&format!("standing.{}.text", reason.word())),
    };
    if waiting > 0 {
        text.push(' ');
        text.push_str(&ask.words.count("standing.waiting", waiting));
    }
    let link = match reason {
        StopReason::SignIn | StopReason::Unreadable | StopReason::Settings | StopReason::Disabled => {
            Some(link(ask, "standing.credentials.link", ask.of_connection(id, "/reauth")))
        }
        StopReason::PluginMissing | StopReason::PluginStalled => Some(about_plugin(ask, &connection.plugin)),
        StopReason::Visibility => Some(link(ask, "standing.operations.link", ask.of_connection(id, "/tickets"))),
        StopReason::Paused | StopReason::Environment => None,
    };
    Need { tone: tone_of(reason), text, link }
}

/// Why nothing is sent through a connection that is in use, as `health` has it.
fn halted(ask: &Ask<'_>, summary: &Summary) -> Vec<Need> {
    let connection = &summary.connection;
    let foreign = ask.core.environment.foreign();
    let halts = ask.core.outbox.halts(&connection.plugin, connection.state, connection.reason, None, foreign);
    let need = |tone, key: &str, link| Need { tone, text: ask.words.say(key), link };
    let needs = halts.into_iter().filter_map(|halt| match halt.reason {
        HaltReason::Environment => Some(need(Tone::Warn, "standing.environment.text", None)),
        HaltReason::Store => Some(need(Tone::Bad, "standing.store.text", None)),
        HaltReason::PluginMissing => {
            Some(need(Tone::Bad, "standing.plugin_missing.text", Some(about_plugin(ask, &connection.plugin))))
        }
        // Another process sends: a page is often drawn by one that does not.
        HaltReason::NotDelivering => None,
        // Not of a connection that is in use.
        HaltReason::Setup | HaltReason::Stopped => None,
    });
    needs.collect()
}

fn about_plugin(ask: &Ask<'_>, plugin: &str) -> Link {
    link(ask, "standing.plugin.link", ask.href(&format!("/plugins/{}", crate::web::ask::segment(plugin))))
}

/// What is not as it should be with a connection that is in use.
fn at_work(ask: &Ask<'_>, summary: &Summary, agents: u64, needs: &mut Vec<Need>) {
    let id = &summary.connection.place.connection;
    if summary.held > 0 {
        let link = link(ask, "standing.held.link", ask.of_connection(id, "/tickets?state=held"));
        needs.push(Need { tone: Tone::Warn, text: ask.words.count("standing.held", summary.held), link: Some(link) });
    }
    let callbacks = match state_of(&summary.inbound, ask.words.now()) {
        CallbackState::Silent => Some("standing.callbacks.silent"),
        CallbackState::Flapping => Some("standing.callbacks.flapping"),
        CallbackState::Failing => Some("standing.callbacks.failing"),
        CallbackState::Off | CallbackState::Waiting | CallbackState::Good => None,
    };
    if let Some(key) = callbacks {
        let link = link(ask, "standing.callbacks.link", ask.of_connection(id, "/callbacks"));
        needs.push(Need { tone: Tone::Warn, text: ask.words.say(key), link: Some(link) });
    }
    let unmapped = agents.saturating_sub(summary.agents_settled);
    if unmapped > 0 {
        let link = link(ask, "standing.members.link", ask.of_connection(id, "/map/members"));
        needs.push(Need { tone: Tone::Info, text: ask.words.count("standing.members", unmapped), link: Some(link) });
    }
}

fn link(ask: &Ask<'_>, key: &str, href: String) -> Link {
    Link { label: ask.words.say(key), href }
}
