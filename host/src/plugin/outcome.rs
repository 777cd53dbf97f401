//! What a call's end means, once what egress saw is taken into account.
//!
//! Holds: [`Wire`], what a call has sent, and [`judge`], which turns a plugin's word into the host's.
//! Promises: a write that may have been applied is never reported as safe to repeat, whatever the plugin says; a write
//! of which nothing left is never reported as in doubt.
//! Leaves to others: what to do about it (the methods; later the outbox).

use super::table::Operation;
use crate::egress::{Failure, Witness, WitnessState};
use crate::json;
use psa_host_api::abi::{PSA_OP_MANY_WRITES, PSA_OP_WRITE};
use psa_host_api::{Code, Error, sdk};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The reason of a refusal that the plugin read from a successful answer: the PSA took the request and shows that
/// nothing has changed. The one word of a plugin that stands after a 2xx.
pub const NOT_APPLIED: &str = "not_applied";

/// What a call has sent so far.
#[derive(Default)]
pub(super) struct Wire {
    /// Of each write, in order.
    pub(super) writes: Vec<Arc<Witness>>,
    /// The last request that got no answer, or was refused.
    pub(super) failure: Option<Error>,
    /// How long the last answer asked to wait, in milliseconds.
    pub(super) retry_after_ms: Option<u64>,
    /// What it was told to end by, if it was.
    pub(super) told: Option<Code>,
    /// Keys of the secrets it has used.
    pub(super) secrets: BTreeSet<String>,
}

/// The furthest that any write of a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    /// Nothing left.
    Nothing,
    /// An answer that says no.
    Refused,
    /// An answer that says yes, or one that may come after the deed.
    Answered,
    /// No answer.
    InDoubt,
}

impl Wire {
    pub(super) fn failed(&mut self, failure: Failure) {
        self.failure = Some(failure.into());
    }

    /// Whether the one write of a call was answered with success.
    fn succeeded_once(&self) -> bool {
        matches!(self.writes.as_slice(), [only] if matches!(only.state(), WitnessState::Answered(200..300)))
    }

    /// The status of the last write that was answered.
    fn status(&self) -> Option<u16> {
        self.writes.iter().rev().find_map(|witness| match witness.state() {
            WitnessState::Answered(status) => Some(status),
            WitnessState::NotSent | WitnessState::InDoubt => None,
        })
    }

    fn reached(&self) -> Reached {
        let of = |witness: &Arc<Witness>| match witness.seal() {
            WitnessState::NotSent => Reached::Nothing,
            WitnessState::InDoubt => Reached::InDoubt,
            // 408: the server gave up on reading, and does not say how far it came.
            WitnessState::Answered(408) => Reached::InDoubt,
            WitnessState::Answered(400..500) => Reached::Refused,
            // Also 3xx: "see other" is how some say that it is done.
            WitnessState::Answered(_) => Reached::Answered,
        };
        self.writes.iter().map(of).max().unwrap_or(Reached::Nothing)
    }
}

/// The result of a call that ended with `code` and `body`.
pub(super) fn judge(
    plugin: &str,
    operation: &Operation,
    wire: &Wire,
    code: i32,
    body: &[u8],
) -> Result<Vec<u8>, Error> {
    let reached = wire.reached();
    let said = match Code::from_number(code) {
        Code::Ok => read_answer(body),
        code => Err(explained(Error::from_body(code, body), wire)),
    };
    let said = said.map_err(|error| Error { retry_after_ms: error.retry_after_ms.or(wire.retry_after_ms), ..error });
    match said {
        Ok(_) if reached == Reached::InDoubt => {
            let error = Error::internal("it reported success without waiting for the answer to its write");
            Err(outranked(plugin, operation, error, wire, reached))
        }
        Ok(answer) => Ok(answer),
        Err(error) => Err(outranked(plugin, operation, error, wire, reached)),
    }
}

/// A copy of the result, which is the plugin's memory. Its shape is checked; its fields are when it is read.
fn read_answer(body: &[u8]) -> Result<Vec<u8>, Error> {
    if body.is_empty() {
        return Err(Error::internal("it reported success without a result").because("plugin_answer"));
    }
    match json::check(body, json::PAYLOAD_BYTES_MAX) {
        Ok(()) => Ok(body.to_vec()),
        Err(error) => Err(Error::internal(format!("its result is not valid: {error}")).because("plugin_answer")),
    }
}

/// An error without words, or one that only says that the host gave no answer, gets the host's own words.
fn explained(error: Error, wire: &Wire) -> Error {
    let silent = error.message.is_empty() || error.reason.as_deref() == Some(sdk::NO_ANSWER);
    match &wire.failure {
        Some(failure) if silent && failure.code == error.code => failure.clone(),
        _ if silent && wire.told == Some(error.code) => Error { reason: None, message: ended(error.code), ..error },
        _ if error.message.is_empty() => Error { message: "it gave no explanation".to_owned(), ..error },
        _ => error,
    }
}

/// Why the host has told a call to end, and what can be done about it.
pub(super) fn ended(told: Code) -> String {
    match told {
        Code::Closed => {
            "its connection was closed while it was under way: the host is being closed, or the connection was changed or \
             deleted. Call again once the host and the connection are there"
        }
        Code::Timeout => "its time was over before an answer came. Call again, and give it more time (timeout_ms)",
        _ => "it was cancelled by its caller",
    }
    .to_owned()
}

fn outranked(plugin: &str, operation: &Operation, mut error: Error, wire: &Wire, reached: Reached) -> Error {
    if operation.has(PSA_OP_WRITE | PSA_OP_MANY_WRITES) {
        let said = error.reason.as_deref() == Some(NOT_APPLIED) && error.code == Code::Rejected;
        let not_applied = said && wire.succeeded_once();
        let status = wire.status();
        let (code, wire) = match reached {
            Reached::Nothing if error.code == Code::OutcomeUnknown => (Code::NotSent, "nothing_sent"),
            Reached::Nothing => (error.code, "nothing_sent"),
            Reached::Refused => (error.code, "answered"),
            Reached::Answered if not_applied => (error.code, "answered"),
            Reached::Answered => (Code::OutcomeUnknown, "answered"),
            Reached::InDoubt => (Code::OutcomeUnknown, "in_doubt"),
        };
        error.code = code;
        let mut details = match error.details.take() {
            Some(Value::Object(details)) => details,
            Some(other) => Map::from_iter([("plugin".to_owned(), other)]),
            None => Map::new(),
        };
        details.insert("wire".to_owned(), json!(wire));
        if let Some(status) = status {
            details.insert("wire_status".to_owned(), json!(status));
        }
        error.details = Some(Value::Object(details));
    }
    named(plugin, &operation.name, error)
}

/// The error, saying whose it is.
pub(super) fn named(plugin: &str, operation: &str, mut error: Error) -> Error {
    error.message = format!("{plugin} {operation}: {}", error.message);
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::table::OPENING;
    use psa_host_api::abi::PSA_REJECTED;

    fn said(flags: u32, statuses: &[u16], code: i32, body: &[u8]) -> (Code, String) {
        let operation = Operation { flags, ..Operation::opening() };
        let answered = |status: &u16| {
            let witness = Arc::new(Witness::default());
            witness.seen(*status);
            witness
        };
        let wire = Wire { writes: statuses.iter().map(answered).collect(), ..Wire::default() };
        let error = judge("acme", &operation, &wire, code, body).unwrap_err();
        let wire = error.details.and_then(|details| details["wire"].as_str().map(str::to_owned));
        (error.code, wire.unwrap_or_default())
    }

    #[test]
    fn a_call_that_was_told_to_end_says_why_in_the_hosts_words() {
        let of = |told, code: Code, body: &[u8]| {
            let wire = Wire { told, ..Wire::default() };
            judge("acme", &Operation::opening(), &wire, code as i32, body).unwrap_err()
        };
        let silent = br#"{"reason":"no_answer","message":"the host answered closed to http"}"#;
        for (code, part) in [
            (Code::Closed, "the host is being closed, or the connection was changed"),
            (Code::Timeout, "its time was over"),
            (Code::Cancelled, "cancelled by its caller"),
        ] {
            let error = of(Some(code), code, silent);
            assert!(error.reason.is_none() && error.message.contains(part), "{error}");
            assert!(of(Some(code), code, b"").message.contains(part));
            // What the plugin itself has to say stays, and so does what it says of something else.
            assert!(of(Some(code), code, b"the queue was full").message.ends_with("the queue was full"));
            assert!(!of(Some(code), Code::Rejected, silent).message.contains(part));
            assert!(!of(None, code, silent).message.contains(part));
        }
    }

    #[test]
    fn what_was_answered_decides_what_a_refusal_is_worth() {
        let not_applied = br#"{"reason":"not_applied","message":"still the old one"}"#;
        for (flags, statuses, body, code) in [
            (PSA_OP_WRITE, &[400][..], &b"no"[..], Code::Rejected),
            (PSA_OP_WRITE, &[408], b"no", Code::OutcomeUnknown),
            (PSA_OP_WRITE, &[303], b"no", Code::OutcomeUnknown),
            (PSA_OP_WRITE, &[200], b"no", Code::OutcomeUnknown),
            (PSA_OP_WRITE, &[500], b"no", Code::OutcomeUnknown),
            (PSA_OP_WRITE, &[200], not_applied, Code::Rejected),
            (PSA_OP_WRITE, &[504], not_applied, Code::OutcomeUnknown),
            // The first of two was applied, whatever became of the second.
            (PSA_OP_MANY_WRITES, &[200, 200], not_applied, Code::OutcomeUnknown),
            (PSA_OP_MANY_WRITES, &[200, 400], b"no", Code::OutcomeUnknown),
            (OPENING, &[], b"no", Code::Rejected),
        ] {
            assert_eq!(said(flags, statuses, PSA_REJECTED, body).0, code, "{statuses:?} {flags}");
        }
        assert_eq!(said(PSA_OP_WRITE, &[400], PSA_REJECTED, b"no").1, "answered");
        assert_eq!(said(PSA_OP_WRITE, &[], PSA_REJECTED, b"no").1, "nothing_sent");
    }
}
