//! The records beside tickets: time, documents, sites, configurations, and the lists a ticket chooses from.
//!
//! Holds: [`Records`] and how late lists show a time entry.
//! Leaves to others: what is there at the start (`seed_records`), the rules of each resource, in its own file.

use super::state::id_of;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Instant;

/// A time entry, and from when on lists show it.
pub(super) struct TimeRow {
    pub(super) record: Value,
    pub(super) listed_from: Option<Instant>,
}

/// A document, with its bytes and what it belongs to.
pub(super) struct DocumentRow {
    pub(super) record: Value,
    pub(super) record_type: String,
    pub(super) record_id: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) listed_from: Option<Instant>,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Records {
    pub(super) times: Vec<TimeRow>,
    pub(super) documents: Vec<DocumentRow>,
    pub(super) sites: Vec<Value>,
    pub(super) configurations: Vec<Value>,
    /// Ticket and configuration.
    pub(super) links: Vec<(u64, u64)>,
    pub(super) sub_types: Vec<Value>,
    pub(super) items: Vec<Value>,
    pub(super) teams: Vec<Value>,
    pub(super) associations: Vec<Value>,
    pub(super) sources: Vec<Value>,
    pub(super) fields: Vec<Value>,
    pub(super) work_types: Vec<Value>,
    pub(super) work_roles: Vec<Value>,
    /// Each with its `project`.
    pub(super) phases: Vec<Value>,
    pub(super) mails: Vec<Value>,
    /// What the role of the API member lacks.
    pub(super) denied: BTreeSet<&'static str>,
    pub(super) next_time: u64,
    pub(super) next_document: u64,
}

impl TimeRow {
    pub(super) fn is_listed(&self) -> bool {
        is_reached(self.listed_from)
    }

    pub(super) fn is_of_ticket(&self, ticket: u64) -> bool {
        charged_ticket(&self.record) == Some(ticket)
    }
}

/// The ticket whose time it is, if it is that of one. Source: facts 10.1, a project issue is charged as a project ticket.
pub(super) fn charged_ticket(time: &Value) -> Option<u64> {
    let is_of_ticket = ["ServiceTicket", "ProjectTicket"].iter().any(|kind| time["chargeToType"] == *kind);
    time["chargeToId"].as_u64().filter(|_| is_of_ticket)
}

impl DocumentRow {
    pub(super) fn is_listed(&self) -> bool {
        is_reached(self.listed_from)
    }

    pub(super) fn is_of(&self, record_type: &str, record_id: u64) -> bool {
        self.record_type.eq_ignore_ascii_case(record_type) && self.record_id == record_id
    }
}

fn is_reached(from: Option<Instant>) -> bool {
    from.is_none_or(|from| from <= Instant::now())
}

impl Records {
    /// A time entry, also one that lists do not show yet.
    pub(super) fn time(&self, id: u64) -> Option<&Value> {
        self.times.iter().map(|row| &row.record).find(|record| id_of(record) == id)
    }

    /// The configurations of a ticket.
    pub(super) fn configurations_of(&self, ticket: u64) -> impl Iterator<Item = &Value> {
        let linked = move |one: &&Value| self.links.contains(&(ticket, id_of(one)));
        self.configurations.iter().filter(linked)
    }

    /// The custom fields of a new ticket, empty.
    pub(super) fn custom_fields(&self) -> Value {
        let of_tickets = self.fields.iter().filter(|field| field["screenId"] == "sr100");
        let empty = of_tickets.map(|field| {
            json!({"id": field["id"], "caption": field["caption"], "type": field["fieldTypeIdentifier"],
                   "entryMethod": field["entryTypeIdentifier"], "numberOfDecimals": field["numberDecimals"], "value": null})
        });
        json!(empty.collect::<Vec<_>>())
    }
}
