//! How things stand with an operation, for programs and for people.

use super::Outbox;
use super::desk::Desk;
use crate::clock::rfc3339;
use crate::store::marks;
use crate::store::{AttemptEnd, Kind, Outcome, State, StoredAttempt, StoredOperation};
use psa_host_api::Error;
use psa_host_api::model::Visibility;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// An operation as the product sees it. Its body is not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OperationView {
    /// Its id.
    pub operation: String,
    /// Through which connection.
    pub connection: String,
    /// On which link.
    pub link: String,
    /// What it does.
    pub kind: Kind,
    /// Where it is.
    pub state: State,
    /// Why it is held, refused or discarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it came to be delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The provider's id of what it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// Of a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// Of a status: the provider's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Of an update: the fields that become others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub fields: Vec<String>,
    /// How often it was sent.
    pub attempts: i64,
    /// The last error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// What looks have found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Value>,
    /// When a second copy is looked for next, because it was sent more than once; RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<String>,
    /// RFC 3339 UTC.
    pub accepted: String,
    /// RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// Who decided it, if a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
}

/// One try at an operation.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Attempt {
    /// Counts from 1.
    pub number: i64,
    /// RFC 3339 UTC.
    pub opened: String,
    /// RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// How; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AttemptEnd>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
}

/// All of it in one text, and in parts.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Explanation {
    /// The operation.
    pub operation: OperationView,
    /// For people: what, where, each attempt, what was seen, what happens next, what one can do.
    pub text: String,
    /// Each attempt.
    pub attempts: Vec<Attempt>,
    /// What a person can do now: `retry`, `adopt`, `discard`.
    pub decisions: Vec<&'static str>,
}

impl From<&StoredOperation> for OperationView {
    fn from(row: &StoredOperation) -> OperationView {
        let json = |text: &Option<String>| text.as_ref().and_then(|text| serde_json::from_str(text).ok());
        OperationView {
            operation: row.operation.clone(),
            connection: row.place.connection.clone(),
            link: row.link.clone(),
            kind: row.kind,
            state: row.state,
            reason: row.reason.clone(),
            outcome: row.outcome,
            remote: row.remote.clone(),
            visibility: row.visibility,
            status: row.wanted.clone().filter(|_| row.kind == Kind::Status),
            fields: row.wanted.as_deref().filter(|_| row.kind == Kind::Update).map(fields).unwrap_or_default(),
            attempts: row.attempts,
            error: json(&row.error),
            evidence: json(&row.evidence),
            watch: row.watch_at.map(rfc3339),
            accepted: rfc3339(row.accepted),
            ended: row.ended.map(rfc3339),
            decided_by: row.decided_by.clone(),
        }
    }
}

fn fields(text: &str) -> Vec<String> {
    marks::read(text).map(|(name, _)| name.to_owned()).collect()
}

impl From<StoredAttempt> for Attempt {
    fn from(attempt: StoredAttempt) -> Attempt {
        Attempt {
            number: attempt.number,
            opened: rfc3339(attempt.opened),
            ended: attempt.ended.map(rfc3339),
            outcome: attempt.outcome,
            error: attempt.error.and_then(|text| serde_json::from_str(&text).ok()),
        }
    }
}

impl Outbox {
    /// Tells all of an operation. `foreign`: why nothing of this database is sent here, if so.
    pub(crate) fn explain(&self, row: &StoredOperation, foreign: Option<String>) -> Result<Explanation, Error> {
        let attempts: Vec<Attempt> =
            self.desk.store.attempts(&row.place.tenant, &row.operation)?.into_iter().map(Attempt::from).collect();
        let link = self.desk.store.get_link(&row.place.tenant, &row.link)?;
        let ticket = link.as_ref().and_then(|link| link.ticket.clone());
        let mut lines = vec![what(row, ticket.as_deref())];
        lines.extend(attempts.iter().map(tried));
        if let Some(evidence) = &row.evidence {
            lines.push(format!("What a look at the PSA has found: {evidence}."));
        }
        let next = next(row, &self.desk);
        lines.push(said(next));
        if !matches!(next, Next::Ended | Next::Person)
            && let Some(connection) = self.desk.store.get(&row.place)?
        {
            let (state, reason) = (connection.state, connection.reason);
            let halts = self.halts(&connection.plugin, state, reason, connection.detail.as_deref(), foreign);
            lines.extend(halts.into_iter().map(|halt| halt.message));
        }
        let decisions = decisions(row);
        if !decisions.is_empty() {
            lines.push(format!("A person can decide: {}.", decisions.join(", ")));
        }
        Ok(Explanation { operation: row.into(), text: lines.join("\n"), attempts, decisions })
    }
}

/// What a person can do with an operation now.
pub(super) fn decisions(row: &StoredOperation) -> Vec<&'static str> {
    match (row.state, row.kind) {
        (State::Held, Kind::Status | Kind::Update) => vec!["retry", "discard"],
        (State::Held, _) => vec!["retry", "adopt", "discard"],
        (State::Queued, _) if row.attempt.is_none() => vec!["discard"],
        _ => Vec::new(),
    }
}

fn what(row: &StoredOperation, ticket: Option<&str>) -> String {
    let what = match (row.kind, row.visibility) {
        (Kind::Note, Some(visibility)) => format!("A note ({})", format!("{visibility:?}").to_lowercase()),
        (Kind::Note, None) => "A note".to_owned(),
        (Kind::Ticket, _) => "A new ticket".to_owned(),
        (Kind::Status, _) => format!("The status {}", row.wanted.as_deref().unwrap_or("of a mapping")),
        (Kind::Update, _) => format!("A change of {}", fields(row.wanted.as_deref().unwrap_or("nothing")).join(",")),
        (Kind::Time, _) => "Time".to_owned(),
    };
    let place = match ticket {
        Some(ticket) => format!("ticket {ticket}"),
        None => "a ticket that is not there yet".to_owned(),
    };
    let reason = row.reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
    let accepted = rfc3339(row.accepted);
    format!("{what} for {place}, accepted at {accepted}, is {}{reason}.", row.state.word())
}

fn tried(attempt: &Attempt) -> String {
    let ended = match attempt.outcome {
        None => "it has not ended yet",
        Some(AttemptEnd::Delivered) => "the PSA confirmed it",
        Some(AttemptEnd::Refused) => "the PSA refused it",
        Some(AttemptEnd::Back) => "nothing was applied",
        Some(AttemptEnd::InDoubt) => "it is not known whether it was applied",
    };
    let why = attempt.error.as_ref().and_then(|error| error["message"].as_str()).unwrap_or_default();
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    format!("Attempt {} at {}: {ended}{why}.", attempt.number, attempt.opened)
}

/// What the host will do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is being sent; only its time limit can end that.
    Sends,
    /// It waits for its turn, until then at the latest, milliseconds since 1970.
    Waits(i64),
    /// It is looked for; only two complete looks so far apart, in milliseconds, that find nothing let it be sent again.
    Looks(u64),
    /// It goes on once a mapping is there.
    NeedsMapping,
    /// It goes on once its ticket is there.
    NeedsTicket,
    /// Nothing: a person has to decide.
    Person,
    /// Nothing: it has ended.
    Ended,
}

impl Outbox {
    /// What comes next for an operation.
    pub(crate) fn next_of(&self, row: &StoredOperation) -> Next {
        next(row, &self.desk)
    }
}

fn next(row: &StoredOperation, desk: &Desk) -> Next {
    match (row.state, row.reason.as_deref()) {
        (State::Queued, _) if row.attempt.is_some() => Next::Sends,
        (State::Queued, _) => Next::Waits(row.not_after),
        (State::InDoubt, _) => Next::Looks(desk.config.quiet_ms),
        (State::Held, Some("needs_mapping")) => Next::NeedsMapping,
        (State::Held, Some("ticket_missing")) => Next::NeedsTicket,
        (State::Held, _) => Next::Person,
        _ => Next::Ended,
    }
}

/// The same in words.
fn said(next: Next) -> String {
    match next {
        Next::Sends => "It is being sent now; only its time limit can end that.".into(),
        Next::Waits(until) => {
            format!("It waits for its turn and the connection, until {} at the latest.", rfc3339(until))
        }
        Next::Looks(quiet_ms) => format!(
            "The host looks for it at the PSA again and again. It is sent a second time only after two complete looks, \
             at least {} s apart, have found nothing.",
            quiet_ms / 1000
        ),
        Next::NeedsMapping => "It goes on by itself once the status is mapped for that board.".into(),
        Next::NeedsTicket => "It goes on by itself once the ticket is there.".into(),
        Next::Person => "The host does nothing more by itself.".into(),
        Next::Ended => "It has ended.".into(),
    }
}
