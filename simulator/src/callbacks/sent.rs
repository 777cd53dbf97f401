//! What was sent, for tests to look at.
//!
//! Promises: one row per attempt, in the order in which they ended; what was lost on purpose is counted, not listed.

use super::Delivery;
use serde_json::{Value, json};

/// One attempt.
struct Row {
    at: String,
    company: String,
    entry: Option<u64>,
    url: String,
    message_id: String,
    kind: String,
    id: u64,
    action: String,
    attempt: u32,
    outcome: Result<u16, String>,
}

/// The list, oldest first.
#[derive(Default)]
pub(crate) struct Sent {
    rows: Vec<Row>,
    /// Lost by switch, or because too many waited.
    pub(crate) lost: u64,
}

impl Sent {
    pub(crate) fn add(&mut self, at: String, delivery: &Delivery, attempt: u32, outcome: Result<u16, String>) {
        self.rows.push(Row {
            at,
            company: delivery.company.clone(),
            entry: delivery.entry,
            url: delivery.url.clone(),
            message_id: delivery.message_id.clone(),
            kind: delivery.kind.clone(),
            id: delivery.id,
            action: delivery.action.clone(),
            attempt,
            outcome,
        });
    }

    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.lost = 0;
    }

    pub(crate) fn list(&self, open: usize) -> Value {
        let items = self.rows.iter().enumerate().map(|(index, row)| {
            json!({
                "n": index + 1, "at": row.at, "company": row.company, "entry": row.entry, "url": row.url,
                "message_id": row.message_id, "type": row.kind, "id": row.id, "action": row.action,
                "attempt": row.attempt, "status": row.outcome.as_ref().ok(), "error": row.outcome.as_ref().err(),
            })
        });
        json!({"items": items.collect::<Vec<_>>(), "lost": self.lost, "open": open})
    }
}
