//! How a link and its operations stand, in words that the list, the detail and the operation's own page share.

use crate::callbacks::Seen;
use crate::store::{Kind, LinkRow, LinkState, State, StoredOperation};
use crate::web::ask::{Ask, segment};
use crate::web::view::{Chip, Link, Tone};
use psa_host_api::Error;
use psa_host_api::model::Visibility;
use serde_json::Value;

/// What was refused so long ago is no news, in milliseconds.
pub(crate) const LATELY_MS: i64 = 7 * 86_400_000;

/// How much of an error a list shows, in characters.
const SAID_CHARS_MAX: usize = 140;

/// How a link stands.
pub(crate) struct Stand {
    pub(crate) chip: Chip,
    /// More; empty if the chip says it all.
    pub(crate) text: String,
    pub(crate) way: Way,
}

/// What is to be done about a link first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// Nothing.
    Details,
    /// What waits can be tried now.
    Retry,
    /// A person decides on this operation.
    Decide(String),
    /// A status has to be mapped in this scope.
    Map(String),
    /// The tickets can be linked again.
    Again,
}

/// What was seen of a link's ticket.
pub(crate) fn seen_of(row: &LinkRow) -> Option<Seen> {
    row.seen.as_deref().and_then(Seen::read)
}

/// How a link stands: by what is open, else by the link itself, else by what came last.
pub(crate) fn stand(ask: &Ask<'_>, row: &LinkRow) -> Stand {
    let open = row.operation.as_ref().filter(|operation| !operation.state.is_terminal());
    if let Some(operation) = open {
        return of_open(ask, row, operation);
    }
    let say = |tone: Tone, key: &str, text: String, way: Way| Stand {
        chip: Chip { tone, label: ask.words.say(key) },
        text,
        way,
    };
    let again = if row.followed { Way::Details } else { Way::Again };
    let last = row.operation.as_ref();
    match row.link.state {
        LinkState::Unlinked => {
            return say(Tone::Idle, "link.unlinked", ask.words.ago(row.link.changed), again);
        }
        LinkState::Failed => {
            return say(Tone::Bad, "link.failed", last.map_or_else(String::new, |last| why(ask, last)), again);
        }
        LinkState::Creating => return say(Tone::Idle, "link.creating", String::new(), Way::Details),
        LinkState::Linked => {}
    }
    if let Some(at) = row.gone_at {
        return say(
            Tone::Bad,
            "link.gone",
            ask.words.fill("link.gone.text", &[("ago", &ask.words.ago(at))]),
            Way::Details,
        );
    }
    if let Some(other) = seen_of(row).and_then(|seen| seen.merged_into) {
        let text = ask.words.fill("link.merged.text", &[("ticket", &other)]);
        return say(Tone::Warn, "link.merged", text, Way::Details);
    }
    let lately = ask.words.now().saturating_sub(LATELY_MS);
    match last.filter(|last| last.state == State::Refused && last.ended.is_some_and(|ended| ended >= lately)) {
        Some(last) => say(Tone::Bad, "link.refused", why(ask, last), Way::Details),
        None => say(Tone::Ok, "link.ok", String::new(), Way::Details),
    }
}

/// How a link stands whose filter is about one of its operations, whatever else there is.
pub(crate) fn stand_by_operation(ask: &Ask<'_>, row: &LinkRow) -> Stand {
    match row.operation.as_ref().filter(|operation| operation.state == State::Refused) {
        Some(refused) => Stand {
            chip: Chip { tone: Tone::Bad, label: ask.words.say("link.refused") },
            text: why(ask, refused),
            way: Way::Details,
        },
        None => stand(ask, row),
    }
}

fn of_open(ask: &Ask<'_>, row: &LinkRow, operation: &StoredOperation) -> Stand {
    let creating = row.link.state == LinkState::Creating;
    match operation.state {
        State::Held => match (operation.reason.as_deref(), evidence(operation)["scope"].as_str()) {
            (Some("needs_mapping"), scope) => Stand {
                chip: Chip { tone: Tone::Warn, label: ask.words.say("link.mapping") },
                text: why(ask, operation),
                way: Way::Map(scope.unwrap_or_default().to_owned()),
            },
            _ => Stand {
                chip: Chip { tone: Tone::Bad, label: ask.words.say("link.held") },
                text: why(ask, operation),
                way: Way::Decide(operation.operation.clone()),
            },
        },
        State::InDoubt => Stand {
            chip: Chip { tone: Tone::Warn, label: ask.words.say("link.doubt") },
            text: ask
                .words
                .fill("link.doubt.text", &[("when", &ask.words.ago(operation.next_at.max(ask.words.now())))]),
            way: Way::Details,
        },
        _ if operation.attempt.is_some() => Stand {
            chip: Chip { tone: Tone::Idle, label: ask.words.say("link.sending") },
            text: String::new(),
            way: Way::Details,
        },
        // Nothing has gone wrong with it: it has its turn before it.
        _ if operation.error.is_none() => {
            let key = if creating { "link.creating" } else { "link.waiting" };
            let text = waits(ask, row);
            Stand { chip: Chip { tone: Tone::Idle, label: ask.words.say(key) }, text, way: Way::Details }
        }
        _ => {
            let next = ask.words.number(u64::try_from(operation.attempts).unwrap_or(0) + 1);
            let mut text = clipped(&failure(operation).unwrap_or_default());
            let waits = waits(ask, row);
            if !waits.is_empty() {
                text = format!("{text} {waits}");
            }
            let label = ask.words.fill("link.waiting.try", &[("n", &next)]);
            Stand { chip: Chip { tone: Tone::Warn, label }, text, way: Way::Retry }
        }
    }
}

/// The beginning of what somebody else has said: all of it stands with its attempt on the operation's own page.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(SAID_CHARS_MAX) {
        Some((end, _)) => format!("{}\u{2026}", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// When it is tried next, if the whole connection rests.
fn waits(ask: &Ask<'_>, row: &LinkRow) -> String {
    let limited = ask.core.outbox.limited_ms(&row.link.place);
    limited.map_or_else(String::new, |wait| {
        let at = ask.words.now().saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
        ask.words.fill("link.next", &[("when", &ask.words.ago(at)), ("clock", &ask.words.clock(at))])
    })
}

/// What a look has found, or what is waited for.
pub(crate) fn evidence(operation: &StoredOperation) -> Value {
    operation.evidence.as_ref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The last error in the words of whoever said it.
pub(crate) fn failure(operation: &StoredOperation) -> Option<String> {
    let error: Value = serde_json::from_str(operation.error.as_deref()?).ok()?;
    error["message"].as_str().map(str::to_owned)
}

/// Why an operation is held, refused or dropped.
pub(crate) fn why(ask: &Ask<'_>, operation: &StoredOperation) -> String {
    let Some(reason) = &operation.reason else { return failure(operation).unwrap_or_default() };
    let evidence = evidence(operation);
    let named = |name: &str| evidence[name].as_str().unwrap_or_default().to_owned();
    let (value, scope, ticket) = (named("value"), named("scope"), named("merged_into"));
    match ask.words.find(&format!("reason.{reason}")) {
        Some(_) => {
            let values = [("value", value.as_str()), ("scope", scope.as_str()), ("ticket", ticket.as_str())];
            ask.words.fill(&format!("reason.{reason}"), &values)
        }
        // A reason of the plugin's: its own words say more than the bare name.
        None => failure(operation).map_or_else(|| reason.clone(), |said| clipped(&said)),
    }
}

/// What an operation does: "Note, internal".
pub(crate) fn what(ask: &Ask<'_>, operation: &StoredOperation) -> String {
    let word = match (operation.kind, operation.visibility) {
        (Kind::Note, Some(Visibility::Internal)) => "note_internal",
        (Kind::Note, Some(Visibility::Public)) => "note_public",
        (Kind::Note, Some(Visibility::Resolution)) => "note_resolution",
        (kind, _) => kind.word(),
    };
    ask.words.say(&format!("op.kind.{word}"))
}

/// The same with how large it is.
pub(crate) fn what_and_size(ask: &Ask<'_>, operation: &StoredOperation) -> Result<String, Error> {
    let size = ask.core.outbox.size_of(operation)?;
    Ok(match size {
        Some(bytes) => {
            ask.words.fill("op.sized", &[("what", &what(ask, operation)), ("size", &bytes_said(ask, bytes))])
        }
        None => what(ask, operation),
    })
}

fn bytes_said(ask: &Ask<'_>, bytes: usize) -> String {
    let (key, n) = if bytes < 2048 { ("op.bytes", bytes) } else { ("op.kilobytes", bytes / 1024) };
    ask.words.count(key, n as u64)
}

/// The state of an operation.
pub(crate) fn chip(ask: &Ask<'_>, operation: &StoredOperation) -> Chip {
    let tone = match operation.state {
        State::Delivered => Tone::Ok,
        State::Queued | State::Discarded => Tone::Idle,
        State::InDoubt | State::Held => Tone::Warn,
        State::Refused => Tone::Bad,
    };
    let sending = operation.attempt.is_some();
    let word = if sending { "sending" } else { operation.state.word() };
    Chip { tone, label: ask.words.say(&format!("op.state.{word}")) }
}

/// A link to an operation's page.
pub(crate) fn operation_href(ask: &Ask<'_>, connection: &str, operation: &str) -> String {
    ask.of_connection(connection, &format!("/operations/{}", segment(operation)))
}

/// A link to a ticket link's page.
pub(crate) fn link_href(ask: &Ask<'_>, connection: &str, link: &str) -> String {
    ask.of_connection(connection, &format!("/tickets/{}", segment(link)))
}

/// The PSA's ticket as it is named: its number, and a page there if it is said and can be linked to.
pub(crate) fn remote(row: &LinkRow) -> Option<(String, Option<String>)> {
    let seen = seen_of(row);
    let number = seen.as_ref().and_then(|seen| seen.number.clone()).or_else(|| row.link.ticket.clone())?;
    let url = seen.and_then(|seen| seen.url).filter(|url| is_https(url));
    Some((format!("#{number}"), url))
}

/// Only what leads to another site in the open.
fn is_https(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| url.scheme() == "https" && url.username().is_empty() && url.password().is_none())
}

/// The same as one link, where there is one.
pub(crate) fn remote_link(row: &LinkRow) -> Option<Link> {
    remote(row).and_then(|(label, href)| Some(Link { label, href: href? }))
}

#[cfg(test)]
mod tests {
    use super::is_https;

    #[test]
    fn only_plain_https_is_linked_to() {
        assert!(is_https("https://na.example.net/x?id=1"));
        for odd in
            ["http://na.example.net/", "javascript:alert(1)", "//x", "https://a:b@x.example/", "data:text/html,x", ""]
        {
            assert!(!is_https(odd), "{odd}");
        }
    }
}
