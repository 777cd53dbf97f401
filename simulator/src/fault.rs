//! What goes wrong on purpose.
//!
//! Holds: the faults by name, and which endpoints have one pending.
//! Promises: a fault strikes as often as it was ordered, oldest first; one that strikes by chance leaves the request to
//! the next one when it does not; the same seed and requests have the same luck.
//! Leaves to others: doing it (`server`).

use rand::Rng;
use serde::Deserialize;
use serde_json::{Value, json};

/// An ordered fault.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub(crate) enum Fault {
    /// Waits before it answers.
    Latency { ms: u64 },
    /// Cuts the connection; nothing was done.
    ResetBeforeCommit,
    /// Does it, then cuts the connection.
    ResetAfterCommit,
    /// Cuts the connection and does it later; lists show what was made so much later still.
    LateCommit {
        ms: u64,
        #[serde(default)]
        listing_ms: u64,
    },
    /// Does it and tells it, and answers so much later.
    LateAnswer { ms: u64 },
    /// Does it and answers; lists show what was made only later.
    LateListing { ms: u64 },
    /// Makes a ticket, then cuts the connection; searches by reference do not find it before.
    LateReference { ms: u64 },
    /// 429 with `Retry-After` in seconds.
    RateLimitedSeconds { retry_after: u64 },
    /// 429 with `Retry-After` as a date.
    RateLimitedDate { retry_after: u64 },
    /// 429 as a page of some proxy.
    RateLimitedHtml { retry_after: u64 },
    /// 500 with the text of a time-out of the database; nothing was done.
    #[serde(rename = "error_500_timeout")]
    Error500Timeout,
    /// 500; nothing was done.
    #[serde(rename = "error_500_before_commit")]
    Error500BeforeCommit,
    /// Does it, then answers 500.
    #[serde(rename = "error_500_after_commit")]
    Error500AfterCommit,
    /// A page of some proxy, 503.
    #[serde(rename = "html_503")]
    Html503,
    /// A page, 200.
    #[serde(rename = "html_200")]
    Html200,
    /// The cloud's gateway does not know the tenant.
    CannotRoute,
    /// The answer's JSON ends in the middle.
    TruncatedJson,
    /// PATCH answers 200 and changes nothing.
    IgnoredPatch,
    /// A PATCH of the status is applied, and a workflow moves the ticket on before the answer.
    WorkflowMoves,
    /// A note is kept with another text than was sent.
    Rewrite { how: Rewriting },
    /// A note is kept as visible to the customer, whatever its flags.
    WrongVisibility,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404, as of a record that is not there.
    NotFound,
    /// So many bytes of an answer.
    HugeBody { bytes: usize },
    /// Bytes that are not UTF-8 in a text.
    InvalidUtf8,
    /// A list read page by page shows its first page for ever, and always one more behind it.
    Endless,
    /// Never answers.
    Hang,
}

/// What happens to the text of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rewriting {
    /// All white space becomes single blanks.
    Trim,
    /// `&`, `<` and `>` become HTML entities.
    Escape,
    /// Only the beginning is kept.
    Cut,
    /// Emoji are left out.
    StripEmoji,
    /// Addresses become Markdown links.
    Link,
}

impl Fault {
    /// Its name, as it was ordered.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Fault::Latency { .. } => "latency",
            Fault::ResetBeforeCommit => "reset_before_commit",
            Fault::ResetAfterCommit => "reset_after_commit",
            Fault::LateCommit { .. } => "late_commit",
            Fault::LateAnswer { .. } => "late_answer",
            Fault::LateListing { .. } => "late_listing",
            Fault::LateReference { .. } => "late_reference",
            Fault::RateLimitedSeconds { .. } => "rate_limited_seconds",
            Fault::RateLimitedDate { .. } => "rate_limited_date",
            Fault::RateLimitedHtml { .. } => "rate_limited_html",
            Fault::Error500Timeout => "error_500_timeout",
            Fault::Error500BeforeCommit => "error_500_before_commit",
            Fault::Error500AfterCommit => "error_500_after_commit",
            Fault::Html503 => "html_503",
            Fault::Html200 => "html_200",
            Fault::CannotRoute => "cannot_route",
            Fault::TruncatedJson => "truncated_json",
            Fault::IgnoredPatch => "ignored_patch",
            Fault::WorkflowMoves => "workflow_moves",
            Fault::Rewrite { .. } => "rewrite",
            Fault::WrongVisibility => "wrong_visibility",
            Fault::NotFound => "not_found",
            Fault::Unauthorized => "unauthorized",
            Fault::Forbidden => "forbidden",
            Fault::HugeBody { .. } => "huge_body",
            Fault::InvalidUtf8 => "invalid_utf8",
            Fault::Endless => "endless",
            Fault::Hang => "hang",
        }
    }
}

#[derive(Debug)]
struct Pending {
    endpoint: String,
    fault: Fault,
    /// How often it still strikes; `None`: until cleared.
    times: Option<u64>,
    /// Of a hundred requests; `None`: all.
    percent: Option<f64>,
}

/// The pending ones.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pending: Vec<Pending>,
}

impl Faults {
    /// Orders a fault: `{"endpoint", "fault", "times"?, "percent"?, …}`. `*` strikes everywhere.
    pub(crate) fn order(&mut self, order: &Value) -> Result<(), String> {
        let endpoint = order.get("endpoint").and_then(Value::as_str).ok_or("endpoint must be a text")?.to_owned();
        if endpoint != "*" && !crate::connectwise::ENDPOINTS.contains(&endpoint.as_str()) {
            return Err(format!(
                "there is no endpoint \"{endpoint}\"; there are {}",
                crate::connectwise::ENDPOINTS.join(", ")
            ));
        }
        let fault = serde_json::from_value(order.clone()).map_err(|error| error.to_string())?;
        let times = order.get("times").and_then(Value::as_u64).filter(|times| *times > 0);
        let percent = match order.get("percent") {
            None | Some(Value::Null) => None,
            Some(percent) => {
                let percent = percent.as_f64().filter(|percent| *percent > 0.0 && *percent <= 100.0);
                Some(percent.ok_or("percent must be a number above 0 and at most 100")?)
            }
        };
        self.pending.push(Pending { endpoint, fault, times, percent });
        Ok(())
    }

    /// The fault that strikes now, if any: those for this endpoint are tried in turn.
    pub(crate) fn take(&mut self, endpoint: &str, random: &mut impl Rng) -> Option<Fault> {
        let mut strikes = |pending: &Pending| {
            (pending.endpoint == endpoint || pending.endpoint == "*")
                && pending.percent.is_none_or(|percent| random.random_range(0.0..100.0) < percent)
        };
        let position = self.pending.iter().position(&mut strikes)?;
        let pending = &mut self.pending[position];
        let fault = pending.fault.clone();
        match &mut pending.times {
            Some(1) => drop(self.pending.remove(position)),
            Some(times) => *times -= 1,
            None => {}
        }
        Some(fault)
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }

    pub(crate) fn list(&self) -> Value {
        let items = self.pending.iter();
        let items = items.map(|one| {
            json!({"endpoint": one.endpoint, "fault": one.fault.name(), "times": one.times, "percent": one.percent})
        });
        json!({"items": items.collect::<Vec<_>>()})
    }
}
