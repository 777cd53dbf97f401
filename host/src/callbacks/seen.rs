//! What a product is told of a ticket: a handful of fields, and how two readings differ.
//!
//! Promises: a field that the provider does not name is no change; what is told of a change is the value before and after.

use crate::clock::unix_ms;
use psa_host_api::model::{Known, Reference, StatusRef, Ticket};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The fields, as they are kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Seen {
    pub(crate) summary: String,
    pub(crate) board: Option<Reference>,
    pub(crate) status: Option<StatusRef>,
    pub(crate) priority: Option<Reference>,
    pub(crate) ticket_type: Option<Reference>,
    pub(crate) subtype: Option<Reference>,
    pub(crate) item: Option<Reference>,
    pub(crate) owner: Option<Reference>,
    pub(crate) company: Option<Reference>,
    pub(crate) contact: Option<Reference>,
    pub(crate) closed: Known,
    pub(crate) merged_into: Option<String>,
    /// The number people use, and a page for them at the PSA. Of what was read by an older version not known.
    pub(crate) number: Option<String>,
    pub(crate) url: Option<String>,
    /// As the provider says it.
    pub(crate) updated_at: Option<String>,
    /// What the provider's clock showed at least when this was read, in milliseconds since 1970; unknown: not known.
    pub(crate) read_at: Option<i64>,
}

impl Seen {
    pub(crate) fn of(ticket: &Ticket, read_at: Option<i64>) -> Seen {
        Seen {
            summary: ticket.summary.clone(),
            board: ticket.board.clone(),
            status: ticket.status.clone(),
            priority: ticket.priority.clone(),
            ticket_type: ticket.ticket_type.clone(),
            subtype: ticket.subtype.clone(),
            item: ticket.item.clone(),
            owner: ticket.owner.clone(),
            company: ticket.company.clone(),
            contact: ticket.contact.clone(),
            closed: ticket.closed,
            merged_into: ticket.merged_into.clone(),
            number: Some(ticket.number.clone()).filter(|number| !number.is_empty()),
            url: ticket.url.clone(),
            updated_at: ticket.updated_at.clone(),
            read_at,
        }
    }

    pub(crate) fn read(text: &str) -> Option<Seen> {
        serde_json::from_str(text).ok()
    }

    pub(crate) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The fields that a product is told of, by name.
    fn fields(&self) -> [(&'static str, Value); 12] {
        [
            ("summary", json!(self.summary)),
            ("board", json!(self.board)),
            ("status", json!(self.status)),
            ("priority", json!(self.priority)),
            ("ticket_type", json!(self.ticket_type)),
            ("subtype", json!(self.subtype)),
            ("item", json!(self.item)),
            ("owner", json!(self.owner)),
            ("company", json!(self.company)),
            ("contact", json!(self.contact)),
            ("closed", json!(self.closed)),
            ("merged_into", json!(self.merged_into)),
        ]
    }

    /// The fields that a product is told of, as an object.
    pub(super) fn shown(&self) -> Value {
        self.fields().into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
    }

    /// What is another now: `{"status": {"from": …, "to": …}}`; empty: nothing.
    pub(super) fn changes_to(&self, now: &Seen) -> Map<String, Value> {
        let pairs = self.fields().into_iter().zip(now.fields());
        pairs
            // Names are for people, and can be renamed: the id tells whether it is another one.
            .filter(|((_, before), (_, after))| identity(before) != identity(after))
            .map(|((name, before), (_, after))| (name.to_owned(), json!({"from": before, "to": after})))
            .collect()
    }

    /// Whether a record that the provider lists shows nothing that was not read: the same fields, and a last change that was
    /// over when it was read. Times are whole seconds there, so what happens within one is told apart by nothing else.
    pub(super) fn covers(&self, listed: &Seen) -> bool {
        let Some(read_at) = self.read_at else { return false };
        let same = self.changes_to(listed).is_empty() && self.updated_at == listed.updated_at;
        let changed = listed.updated_at.as_deref().and_then(unix_ms);
        same && changed.is_some_and(|changed| read_at >= changed.saturating_add(1_000))
    }
}

fn identity(value: &Value) -> &Value {
    value.get("id").unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(change: impl FnOnce(&mut Seen)) -> Seen {
        let mut seen = Seen {
            summary: "Printer".into(),
            status: Some(StatusRef { id: "101".into(), name: Some("New".into()) }),
            updated_at: Some("2026-01-31T12:00:00Z".into()),
            read_at: Some(1_769_860_801_000),
            ..Seen::default()
        };
        change(&mut seen);
        seen
    }

    #[test]
    fn a_change_names_what_was_and_what_is() {
        let before = seen(|_| {});
        let moved = seen(|seen| seen.status = Some(StatusRef { id: "102".into(), name: None }));
        let changes = before.changes_to(&moved);
        assert_eq!(
            Value::Object(changes),
            json!({"status": {"from": {"id": "101", "name": "New"}, "to": {"id": "102"}}})
        );
        // A status that was renamed is the same one, and when it was read is nobody's business.
        let renamed = seen(|seen| seen.status = Some(StatusRef { id: "101".into(), name: Some("Fresh".into()) }));
        assert!(before.changes_to(&renamed).is_empty());
        assert!(before.changes_to(&seen(|seen| seen.updated_at = None)).is_empty());
        assert_eq!(Seen::read(&before.write()), Some(before));
    }

    #[test]
    fn what_was_read_covers_only_what_was_over_then() {
        let listed = seen(|seen| seen.read_at = None);
        assert!(seen(|_| {}).covers(&listed));
        // Read within the second of the change: more may have happened in it.
        assert!(!seen(|seen| seen.read_at = Some(1_769_860_800_999)).covers(&listed));
        assert!(!seen(|seen| seen.read_at = None).covers(&listed));
        assert!(!seen(|seen| seen.updated_at = Some("2026-01-31T11:59:59Z".into())).covers(&listed));
        assert!(!seen(|seen| seen.summary = "x".into()).covers(&listed));
    }
}
