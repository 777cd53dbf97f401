//! What was told, added up, beside what the PSA shows.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What has been told.
#[derive(Debug, Default)]
pub(super) struct Told {
    fields: BTreeMap<(u64, String), Value>,
    /// How often each note was told.
    pub(super) notes: BTreeMap<u64, u64>,
    pub(super) tellings: u64,
    pub(super) events: u64,
    /// The last event about a ticket: its id, and the ticket.
    last: (u64, u64),
}

impl Told {
    pub(super) fn hear(&mut self, event: &Value) {
        let (kind, ticket) = (event["event"].as_str().unwrap_or_default(), number(&event["ticket"]));
        match kind {
            "ticket.changed" => {
                for (name, change) in event["changes"].as_object().into_iter().flatten() {
                    let at = (ticket, name.clone());
                    if let Some(known) = self.fields.get(&at) {
                        assert_eq!(
                            *known,
                            plain(&change["from"]),
                            "what was before is what was told before: {event:#}"
                        );
                    }
                    self.fields.insert(at, plain(&change["to"]));
                }
            }
            "note.added" => *self.notes.entry(number(&event["note"])).or_default() += 1,
            _ => return,
        }
        let id = event["id"].as_u64().unwrap_or_default();
        self.events += 1;
        // A reading tells a change of the ticket first, and once.
        self.tellings += u64::from(kind == "ticket.changed" || self.last != (id.saturating_sub(1), ticket));
        self.last = (id, ticket);
    }

    /// The same tickets with everything told since.
    pub(super) fn folded(&self, before: &BTreeMap<u64, Value>) -> BTreeMap<u64, Value> {
        let mut now = before.clone();
        for ((ticket, name), value) in &self.fields {
            if let Some(shown) = now.get_mut(ticket) {
                shown[name.as_str()] = value.clone();
            }
        }
        now
    }
}

/// An id where there is one, else the value.
fn plain(value: &Value) -> Value {
    match value.get("id") {
        Some(Value::Number(id)) => json!(id.to_string()),
        Some(id) => id.clone(),
        None => value.clone(),
    }
}

fn number(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// What a ticket of the PSA shows of what people change here, in our words.
pub(super) fn shown(row: &Value) -> Value {
    let id = |name: &str| row[name].as_u64().map(|id| id.to_string());
    let closed = if row["closed"] == true { "yes" } else { "no" };
    json!({"summary": row["summary"], "status": id("status"), "owner": id("owner"), "closed": closed})
}

/// Ends with everything that is not as it should be.
pub(super) fn explain(
    told: &BTreeMap<u64, Value>,
    shown: &BTreeMap<u64, Value>,
    told_notes: &BTreeMap<u64, u64>,
    notes: &BTreeMap<u64, u64>,
    log: &[String],
) -> ! {
    let fields: Vec<String> = shown
        .iter()
        .filter(|(ticket, shows)| told.get(ticket) != Some(shows))
        .map(|(ticket, shows)| format!("{ticket}: told {}, shown {shows}", told[ticket]))
        .collect();
    let missing: Vec<&u64> = notes.keys().filter(|note| !told_notes.contains_key(note)).collect();
    let wrong: Vec<(&u64, &u64)> = told_notes.iter().filter(|(note, n)| notes.get(note) != Some(n)).collect();
    let log = &log[log.len().saturating_sub(40)..];
    panic!("after five minutes: {fields:#?}; notes never told {missing:?}; notes told wrongly {wrong:?}; log {log:#?}");
}
