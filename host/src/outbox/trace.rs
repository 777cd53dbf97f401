//! What pages tell of an operation beside its state: how large it is, what it wanted of its ticket, what a look has found.
//!
//! Promises: the words of a note, of time or of a new ticket's description never leave this file; what does is what the
//! ticket itself shows to everybody who may see it.

use super::Outbox;
use super::explain::decisions;
use super::payload::Payload;
use crate::store::{Kind, StoredOperation, marks};
use psa_host_api::Error;
use serde_json::Value;

/// What an operation wanted a field of its ticket to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) field: String,
    /// The value; none if it is not kept any more.
    pub(crate) value: Option<String>,
    /// What tells whether the ticket shows it: none if that is not known.
    mark: Option<String>,
}

impl Wanted {
    fn of(field: &str, value: &str) -> Wanted {
        let mark = marks::of(&Value::String(value.to_owned()));
        Wanted { field: field.to_owned(), value: Some(value.to_owned()), mark: Some(mark) }
    }

    /// Whether the ticket shows something else. `shown`: its value, or its id where it has one.
    pub(crate) fn differs(&self, shown: &Value) -> bool {
        self.mark.as_ref().is_some_and(|mark| *mark != marks::of(shown))
    }
}

/// Something at the PSA that may be it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The provider's id.
    pub(crate) remote: String,
    /// As the provider says them.
    pub(crate) created_at: Option<String>,
    pub(crate) created_by: Option<String>,
}

/// What looks have found that may be an operation.
pub(crate) fn candidates(row: &StoredOperation) -> Vec<Candidate> {
    let evidence: Option<Value> = row.evidence.as_ref().and_then(|text| serde_json::from_str(text).ok());
    let near = evidence.as_ref().and_then(|evidence| evidence["near"].as_array());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let candidate = |found: &Value| {
        let remote = ["note", "time", "ticket"].iter().find_map(|name| text(&found[*name])).or_else(|| text(found))?;
        Some(Candidate { remote, created_at: text(&found["created_at"]), created_by: text(&found["created_by"]) })
    };
    near.into_iter().flatten().filter_map(candidate).collect()
}

impl Outbox {
    /// What a person can do with an operation now: `retry`, `adopt`, `discard`.
    pub(crate) fn decisions_of(&self, row: &StoredOperation) -> Vec<&'static str> {
        decisions(row)
    }

    /// The size of a text in bytes; none if it is no text, or not kept any more.
    pub(crate) fn size_of(&self, row: &StoredOperation) -> Result<Option<usize>, Error> {
        if !matches!(row.kind, Kind::Note | Kind::Time) {
            return Ok(None);
        }
        Ok(Payload::open(&self.desk.vault, row)?.and_then(|payload| match payload {
            Payload::Note { text, .. } => Some(text.len()),
            Payload::Time { entry, .. } => Some(entry.notes.len()),
            Payload::Status { .. } | Payload::Ticket(_) | Payload::Update(_) => None,
        }))
    }

    /// What an operation wants its ticket to show.
    pub(crate) fn wanted_of(&self, row: &StoredOperation) -> Result<Vec<Wanted>, Error> {
        match row.kind {
            Kind::Note | Kind::Time => return Ok(Vec::new()),
            Kind::Status if row.wanted.is_some() => {
                return Ok(row.wanted.iter().map(|status| Wanted::of("status", status)).collect());
            }
            Kind::Status | Kind::Ticket | Kind::Update => {}
        }
        let marked = || {
            let known = row.wanted.as_deref().filter(|_| row.kind == Kind::Update).unwrap_or_default();
            let fields = marks::read(known).filter(|(field, _)| !field.is_empty());
            let wanted = |(field, mark): (&str, Option<&str>)| Wanted {
                field: field.to_owned(),
                value: None,
                mark: mark.map(str::to_owned),
            };
            fields.map(wanted).collect()
        };
        let Some(payload) = Payload::open(&self.desk.vault, row)? else { return Ok(marked()) };
        Ok(match payload {
            Payload::Note { .. } | Payload::Time { .. } => Vec::new(),
            // What the mapping makes of it is not known before it is sent.
            Payload::Status { value, .. } => {
                vec![Wanted { field: "status".to_owned(), value, mark: None }]
            }
            Payload::Ticket(request) => {
                let request = *request;
                let mut wanted = vec![Wanted::of("summary", &request.summary), Wanted::of("company", &request.company)];
                for (field, value) in [
                    ("board", request.board),
                    ("status", request.status),
                    ("priority", request.priority),
                    ("owner", request.owner),
                ] {
                    wanted.extend(value.map(|value| Wanted::of(field, &value)));
                }
                wanted
            }
            Payload::Update(changes) => {
                let changes = *changes;
                let fields = [
                    ("summary", changes.summary),
                    ("board", changes.board),
                    ("status", changes.status),
                    ("priority", changes.priority),
                    ("owner", changes.owner),
                    ("company", changes.company),
                ];
                let wanted = fields.into_iter().filter_map(|(field, value)| Some(Wanted::of(field, &value?)));
                wanted.collect()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_ticket_shows_what_was_wanted_by_id_and_whatever_its_white_space() {
        let status = Wanted::of("status", "102");
        assert!(!status.differs(&json!({"id": "102", "name": "Working"})) && status.differs(&json!({"id": "103"})));
        assert!(status.differs(&Value::Null));
        assert!(!Wanted::of("summary", "a  b").differs(&json!("a b")));
        assert!(!Wanted::of("owner", "").differs(&Value::Null));
        let unknown = Wanted { field: "status".into(), value: Some("open".into()), mark: None };
        assert!(!unknown.differs(&json!("x")));
    }
}
