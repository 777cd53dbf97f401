//! What goes wrong on purpose.
//!
//! Holds: the faults by name, and which endpoints have one pending.
//! Promises: a fault strikes as often as it was ordered, oldest first.
//! Leaves to others: doing it (`server`).

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
    /// Cuts the connection and does it later.
    LateCommit { ms: u64 },
    /// 429 with `Retry-After` in seconds.
    RateLimitedSeconds { retry_after: u64 },
    /// 429 with `Retry-After` as a date.
    RateLimitedDate { retry_after: u64 },
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
    /// A note is kept as visible to the customer, whatever its flags.
    WrongVisibility,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// So many bytes of an answer.
    HugeBody { bytes: usize },
    /// Bytes that are not UTF-8 in a text.
    InvalidUtf8,
    /// Never answers.
    Hang,
}

impl Fault {
    /// Its name, as it was ordered.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Fault::Latency { .. } => "latency",
            Fault::ResetBeforeCommit => "reset_before_commit",
            Fault::ResetAfterCommit => "reset_after_commit",
            Fault::LateCommit { .. } => "late_commit",
            Fault::RateLimitedSeconds { .. } => "rate_limited_seconds",
            Fault::RateLimitedDate { .. } => "rate_limited_date",
            Fault::Error500BeforeCommit => "error_500_before_commit",
            Fault::Error500AfterCommit => "error_500_after_commit",
            Fault::Html503 => "html_503",
            Fault::Html200 => "html_200",
            Fault::CannotRoute => "cannot_route",
            Fault::TruncatedJson => "truncated_json",
            Fault::IgnoredPatch => "ignored_patch",
            Fault::WrongVisibility => "wrong_visibility",
            Fault::Unauthorized => "unauthorized",
            Fault::Forbidden => "forbidden",
            Fault::HugeBody { .. } => "huge_body",
            Fault::InvalidUtf8 => "invalid_utf8",
            Fault::Hang => "hang",
        }
    }
}

#[derive(Debug)]
struct Pending {
    endpoint: String,
    fault: Fault,
    /// `None`: until cleared.
    times: Option<u64>,
}

/// The pending ones.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pending: Vec<Pending>,
}

impl Faults {
    /// Orders a fault: `{"endpoint", "fault", "times"?, …}`. `*` strikes everywhere.
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
        self.pending.push(Pending { endpoint, fault, times });
        Ok(())
    }

    /// The fault that strikes now, if any.
    pub(crate) fn take(&mut self, endpoint: &str) -> Option<Fault> {
        let strikes = |pending: &Pending| pending.endpoint == endpoint || pending.endpoint == "*";
        let position = self.pending.iter().position(strikes)?;
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
        let items = items.map(|one| json!({"endpoint": one.endpoint, "fault": one.fault.name(), "times": one.times}));
        json!({"items": items.collect::<Vec<_>>()})
    }
}
