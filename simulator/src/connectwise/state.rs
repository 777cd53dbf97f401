//! The records of a tenant.

use super::audit;
use super::records::Records;
use crate::fault::Fault;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

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
    /// Each change of the status: from, to, by whom, and the board of the ticket from then on.
    pub(super) status_changes: Vec<Value>,
    /// What was done to it, as the audit trail tells it.
    pub(super) audit: Vec<Value>,
    /// Lists do not show it before.
    pub(super) listed_from: Option<Instant>,
    /// Searches by its reference do not find it before.
    pub(super) referable_from: Option<Instant>,
    /// Notes that lists do not show before: id and time.
    pub(super) notes_listed_from: Vec<(u64, Instant)>,
}

impl TicketRow {
    /// The kind's name.
    pub(super) fn kind_name(&self) -> &'static str {
        if self.kind == Kind::Service { "service" } else { "project" }
    }

    /// Takes a changed record over; a change of its status is written down.
    pub(super) fn replace(&mut self, mut record: Value, by: &str, now: &str) {
        let (from, to) = (id_of(&self.record["status"]), id_of(&record["status"]));
        if from != to {
            self.status_changes.push(json!({"from": from, "to": to, "by": by, "board": id_of(&record["board"])}));
        }
        self.audit.extend(audit::changes(&self.record, &record, by, now));
        audit::set_closed(&self.record, &mut record, by, now);
        record["_info"]["lastUpdated"] = json!(now);
        record["_info"]["updatedBy"] = json!(by);
        self.record = record;
    }

    /// Whether lists show it by now, or those that look for references.
    pub(super) fn is_listed(&self, by_reference: bool) -> bool {
        let now = Instant::now();
        let reached = |from: Option<Instant>| from.is_none_or(|from| from <= now);
        reached(self.listed_from) && (!by_reference || reached(self.referable_from))
    }

    /// The notes that lists show by now.
    pub(super) fn listed_notes(&self) -> impl Iterator<Item = &Value> {
        let now = Instant::now();
        let late =
            move |note: &&Value| self.notes_listed_from.iter().any(|(id, from)| *id == id_of(note) && *from > now);
        self.notes.iter().filter(move |note| !late(note))
    }
}

/// When lists begin to show what is made now: after the lag of all lists, or that of this fault if it is longer. In real
/// time: indexes do not follow a clock that is moved.
pub(super) fn listed_from(lag_ms: u64, fault: Option<&Fault>) -> Option<Instant> {
    let ms = if let Some(Fault::LateListing { ms }) = fault { lag_ms.max(*ms) } else { lag_ms };
    if ms == 0 { None } else { after(ms) }
}

/// When searches by reference begin to find a ticket that is made now.
pub(super) fn referable_from(fault: Option<&Fault>) -> Option<Instant> {
    let Some(Fault::LateReference { ms }) = fault else { return None };
    after(*ms)
}

fn after(ms: u64) -> Option<Instant> {
    Instant::now().checked_add(Duration::from_millis(ms))
}

/// All records.
#[derive(Default)]
pub(crate) struct State {
    pub(super) tickets: BTreeMap<u64, TicketRow>,
    /// Only the control door still shows them.
    pub(super) deleted: BTreeMap<u64, TicketRow>,
    pub(super) boards: Vec<Value>,
    /// Of all boards; each names its own.
    pub(super) statuses: Vec<Value>,
    pub(super) types: Vec<Value>,
    pub(super) priorities: Vec<Value>,
    pub(super) members: Vec<Value>,
    pub(super) companies: Vec<Value>,
    pub(super) contacts: Vec<Value>,
    pub(super) next_note: u64,
    pub(super) next_ticket: u64,
    pub(super) records: Records,
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

    /// The id of the member of this identifier.
    pub(crate) fn member_id(&self, identifier: &str) -> Option<u64> {
        self.member(&json!({"identifier": identifier})).map(id_of)
    }

    /// A ticket of either kind, without its notes.
    pub(crate) fn ticket(&self, id: u64) -> Option<&Value> {
        self.tickets.get(&id).map(|row| &row.record)
    }

    /// For the control door.
    pub(crate) fn ticket_with_notes(&self, id: u64) -> Option<Value> {
        let row = self.tickets.get(&id)?;
        Some(json!({"kind": row.kind_name(), "ticket": row.record, "notes": row.notes}))
    }

    /// For the control door: every note ever kept, in the order of making, also those that lists do not show yet.
    pub(crate) fn all_notes(&self) -> Value {
        let rows = self.tickets.iter().chain(&self.deleted);
        let mut notes: Vec<Value> = rows
            .flat_map(|(ticket, row)| row.notes.iter().map(move |note| (ticket, note)))
            .map(|(ticket, note)| {
                json!({
                    "id": note["id"], "ticket": ticket, "text": note["text"],
                    "detailDescriptionFlag": note["detailDescriptionFlag"],
                    "internalAnalysisFlag": note["internalAnalysisFlag"], "resolutionFlag": note["resolutionFlag"],
                    "createdBy": note["_info"]["updatedBy"], "member": note["member"]["id"],
                })
            })
            .collect();
        notes.sort_by_key(id_of);
        json!({"items": notes})
    }

    /// For the control door: every ticket ever made, in the order of making, and how its status has changed.
    pub(crate) fn all_tickets(&self) -> Value {
        let rows = self.tickets.iter().map(|row| (row, false)).chain(self.deleted.iter().map(|row| (row, true)));
        let mut tickets: Vec<Value> = rows
            .map(|((id, row), deleted)| {
                json!({
                    "id": id, "kind": row.kind_name(), "summary": row.record["summary"],
                    "externalXRef": row.record["externalXRef"], "status": row.record["status"]["id"],
                    "board": row.record["board"]["id"], "owner": row.record["owner"]["id"],
                    "closed": row.record["closedFlag"], "mergedInto": row.record["mergedParentTicket"]["id"],
                    "enteredBy": row.record["_info"]["enteredBy"], "deleted": deleted,
                    "status_changes": row.status_changes,
                })
            })
            .collect();
        tickets.sort_by_key(id_of);
        json!({"items": tickets})
    }

    /// For the control door: ids and names, not whole records.
    pub(crate) fn summary(&self) -> Value {
        let tickets = self.tickets.iter().map(|(id, row)| {
            json!({"id": id, "kind": row.kind_name(), "board": row.record["board"]["id"], "status": row.record["status"]["id"], "notes": row.notes.len()})
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
            "customFields": self.records.custom_fields(),
            "automaticEmailContactFlag": true,
            "automaticEmailResourceFlag": true,
            "automaticEmailCcFlag": false,
            "_info": {"lastUpdated": now, "updatedBy": "psabridge", "dateEntered": now, "enteredBy": "psabridge"},
        });
        let more = if project {
            project_members()
        } else {
            json!({"recordType": "ServiceTicket", "severity": "Medium", "impact": "Medium", "source": {"id": 2, "name": "Phone"},
                   "team": self.records.teams.iter().find(|team| team["boardId"] == board).map(named)})
        };
        extend(&mut record, &more);
        let kind = if project { Kind::Project } else { Kind::Service };
        let row = TicketRow {
            kind,
            record: record.clone(),
            notes: Vec::new(),
            status_changes: Vec::new(),
            audit: Vec::new(),
            listed_from: None,
            referable_from: None,
            notes_listed_from: Vec::new(),
        };
        self.tickets.insert(id, row);
        Some(record)
    }
}

/// What a project ticket has beyond others.
pub(super) fn project_members() -> Value {
    json!({"isIssueFlag": false, "project": {"id": 5, "name": "Migration"}, "phase": {"id": 1, "name": "Planning"}, "wbsCode": "1.1"})
}

pub(super) fn extend(record: &mut Value, more: &Value) {
    if let (Value::Object(record), Value::Object(more)) = (record, more) {
        record.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>());
    }
}
