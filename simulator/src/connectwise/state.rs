//! The records of a tenant.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Which of the two kinds of ticket. Source: facts 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Service,
    Project,
}

/// A ticket and its notes.
pub(super) struct TicketRow {
    pub(super) kind: Kind,
    pub(super) record: Value,
    pub(super) notes: Vec<Value>,
}

/// All records.
#[derive(Default)]
pub(crate) struct State {
    pub(super) tickets: BTreeMap<u64, TicketRow>,
    pub(super) boards: Vec<Value>,
    /// Of all boards; each names its own.
    pub(super) statuses: Vec<Value>,
    pub(super) types: Vec<Value>,
    pub(super) priorities: Vec<Value>,
    pub(super) members: Vec<Value>,
    pub(super) next_note: u64,
    pub(super) next_ticket: u64,
}

/// The id in a record.
pub(super) fn id_of(record: &Value) -> u64 {
    record.get("id").and_then(Value::as_u64).unwrap_or_default()
}

/// `{id, name}` of a record.
pub(super) fn named(record: &Value) -> Value {
    json!({"id": record["id"], "name": record["name"]})
}

impl State {
    /// The statuses of a board.
    pub(super) fn statuses_of(&self, board: u64) -> impl Iterator<Item = &Value> {
        self.statuses.iter().filter(move |status| id_of(&status["board"]) == board)
    }

    pub(super) fn board(&self, id: u64) -> Option<&Value> {
        self.boards.iter().find(|board| id_of(board) == id)
    }

    /// The member a reference `{id}` or `{identifier}` means.
    pub(super) fn member(&self, reference: &Value) -> Option<&Value> {
        self.members.iter().find(|member| match (reference.get("id"), reference.get("identifier")) {
            (Some(id), _) => member["id"] == *id,
            (None, Some(identifier)) => member["identifier"] == *identifier,
            _ => false,
        })
    }

    /// For the control door.
    pub(crate) fn ticket_with_notes(&self, id: u64) -> Option<Value> {
        let row = self.tickets.get(&id)?;
        let kind = if row.kind == Kind::Service { "service" } else { "project" };
        Some(json!({"kind": kind, "ticket": row.record, "notes": row.notes}))
    }

    /// For the control door: ids and names, not whole records.
    pub(crate) fn summary(&self) -> Value {
        let tickets = self.tickets.iter().map(|(id, row)| {
            let kind = if row.kind == Kind::Service { "service" } else { "project" };
            json!({"id": id, "kind": kind, "board": row.record["board"]["id"], "status": row.record["status"]["id"], "notes": row.notes.len()})
        });
        let statuses = self.statuses.iter().map(|status| {
            json!({"id": status["id"], "name": status["name"], "board": status["board"]["id"], "closed": status["closedStatus"], "inactive": status["inactive"]})
        });
        let members = self.members.iter().map(|member| json!({"id": member["id"], "identifier": member["identifier"]}));
        json!({
            "boards": self.boards.iter().map(named).collect::<Vec<_>>(),
            "statuses": statuses.collect::<Vec<_>>(),
            "members": members.collect::<Vec<_>>(),
            "tickets": tickets.collect::<Vec<_>>(),
        })
    }

    /// Makes a ticket with a board's default status. `None`: no such board.
    pub(crate) fn new_ticket(&mut self, summary: &str, board: u64, project: bool, now: &str) -> Option<Value> {
        let board_record = named(self.board(board)?);
        let status = self.statuses_of(board).find(|status| status["defaultFlag"] == true)?;
        let status = named(status);
        let id = self.next_ticket;
        self.next_ticket += 1;
        let mut record = json!({
            "id": id,
            "summary": summary,
            "board": board_record,
            "status": status,
            "company": {"id": 2, "identifier": "Northwind", "name": "Northwind Dental"},
            "contact": {"id": 2, "name": "Alex Sample"},
            "priority": self.priorities.first().map(named),
            "type": self.types.iter().find(|kind| id_of(&kind["board"]) == board).map(named),
            "closedFlag": false,
            "customFields": [],
            "_info": {"lastUpdated": now, "updatedBy": "psabridge", "dateEntered": now, "enteredBy": "psabridge"},
        });
        let more = if project {
            json!({"isIssueFlag": false, "project": {"id": 5, "name": "Migration"}, "phase": {"id": 1, "name": "Planning"}, "wbsCode": "1.1"})
        } else {
            json!({"recordType": "ServiceTicket", "severity": "Medium", "impact": "Medium", "source": {"id": 2, "name": "Phone"},
                   "team": {"id": 25, "name": "First line"}})
        };
        extend(&mut record, &more);
        let kind = if project { Kind::Project } else { Kind::Service };
        self.tickets.insert(id, TicketRow { kind, record: record.clone(), notes: Vec::new() });
        Some(record)
    }
}

pub(super) fn extend(record: &mut Value, more: &Value) {
    if let (Value::Object(record), Value::Object(more)) = (record, more) {
        record.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>());
    }
}
