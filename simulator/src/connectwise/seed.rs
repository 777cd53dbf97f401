//! The records at the start. The same seed makes the same ones.

use super::state::{State, extend, id_of, named};
use crate::world::time_text;
use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use serde_json::{Value, json};

/// Id, name, is for projects.
const BOARDS: [(u64, &str, bool); 4] =
    [(1, "Help Desk", false), (2, "Service Desk", false), (3, "Projects", true), (4, "Old Board", false)];
/// The id of the first board beyond those.
const FIRST_FURTHER: u64 = 5;

/// Name, closed, inactive, default. Every board has all of them, each with an id of its own.
const STATUSES: [(&str, bool, bool, bool); 6] = [
    ("New", false, false, true),
    ("In Progress", false, false, false),
    ("Waiting Customer", false, false, false),
    ("Completed", true, false, false),
    ("Closed", true, false, false),
    ("Escalated (old)", false, true, false),
];

const PRIORITIES: [(u64, &str, &str); 4] = [
    (4, "Priority 3 - Normal Response", "Blue"),
    (5, "Priority 2 - Quick Response", "Yellow"),
    (6, "Priority 1 - Emergency Response", "Red"),
    (8, "Priority 4 - Scheduled", "White"),
];

/// Id, identifier, first, last, e-mail, license, inactive.
/// An address may be shared, or missing; an inactive member has little more than a name. Source: facts 9.
const MEMBERS: [(u64, &str, &str, &str, &str, &str, bool); 6] = [
    (176, "User1", "Training", "User1", "tech@example.com", "F", false),
    (177, "mmiller", "Mia", "Miller", "mia.miller@example.com", "F", false),
    (178, "jdoe", "Jo", "Doe", "jo.doe@example.com", "X", false),
    (179, "gone", "Gil", "Gone", "gil@example.com", "F", true),
    (180, "psabridge", "PSA", "Bridge", "", "A", false),
    (181, "cvega", "Cleo", "Vega", "Tech@Example.com", "C", false),
];

const THINGS: [&str; 6] = ["Printer", "VPN", "Mailbox", "Laptop", "Phone", "Server room door"];
const TROUBLES: [&str; 6] =
    ["is out of order", "is slow", "needs an update", "cannot be reached", "makes noise", "was moved"];

impl State {
    /// `amounts`: of tickets, and of further boards.
    pub(crate) fn seeded(random: &mut impl Rng, amounts: (usize, u64), now: Timestamp) -> State {
        let (tickets, boards) = amounts;
        let further = (0..boards).map(|number| (FIRST_FURTHER + number, BOARDS[(number % 2) as usize].1, false));
        let mut state = State { next_note: 5001, next_ticket: 1001, ..State::default() };
        for (id, name, project) in BOARDS.into_iter().chain(further) {
            state.boards.push(json!({
                "id": id, "name": name, "location": {"id": 2, "name": "Tampa Office"},
                "department": {"id": 10, "identifier": "Services", "name": "Professional Services"},
                "inactiveFlag": name == "Old Board", "projectFlag": project, "billTime": "NoDefault",
                "sendToContactFlag": true, "sendToResourceFlag": true, "sendToCCFlag": false,
            }));
            for (position, (status, closed, inactive, default)) in STATUSES.iter().enumerate() {
                state.statuses.push(json!({
                    "id": id * 100 + position as u64 + 1, "name": status, "board": {"id": id, "name": name},
                    "sortOrder": position, "displayOnBoard": true, "inactive": inactive, "closedStatus": closed,
                    "defaultFlag": default, "timeEntryNotAllowed": false, "escalationStatus": "NotResponded",
                }));
            }
            for (position, kind) in ["Admin", "Incident"].iter().enumerate() {
                state.types.push(json!({
                    "id": id * 10 + position as u64, "name": kind, "category": "Reactive", "defaultFlag": position == 0,
                    "inactiveFlag": false, "requestForChangeFlag": false, "board": {"id": id, "name": name},
                }));
            }
        }
        for (position, (id, name, color)) in PRIORITIES.iter().enumerate() {
            let first = position == 0;
            state
                .priorities
                .push(json!({"id": id, "name": name, "color": color, "sortOrder": position + 1, "defaultFlag": first}));
        }
        for (id, identifier, first, last, email, license, inactive) in MEMBERS {
            let mut member = json!({
                "id": id, "identifier": identifier, "firstName": first, "lastName": last, "licenseClass": license,
                "inactiveFlag": inactive,
            });
            if !inactive {
                let more = json!({"officeEmail": email, "defaultEmail": "Office", "securityRole": {"id": 63, "name": "Admin"}});
                extend(&mut member, &more);
            }
            state.members.push(member);
        }
        state.seed_companies();
        state.seed_records();
        for number in 0..tickets {
            state.seed_ticket(random, number, boards, now);
        }
        state
    }

    /// The first one is an open service ticket on the help desk; every tenth is a project ticket.
    fn seed_ticket(&mut self, random: &mut impl Rng, number: usize, further: u64, now: Timestamp) {
        let project = number % 10 == 9;
        let board = if project { 3 } else { seeded_board(number as u64, further) };
        let summary = format!("{} {}", THINGS[random.random_range(0..6)], TROUBLES[random.random_range(0..6)]);
        let age = SignedDuration::from_mins(random.random_range(60..60 * 24 * 90));
        let entered = time_text(now - age);
        let Some(made) = self.new_ticket(&summary, board, project, &entered) else { return };
        let id = id_of(&made);
        let status = if number == 0 { 0 } else { random.random_range(0..5) };
        let status = self.statuses_of(board).nth(status).cloned();
        let member = self.members[random.random_range(0..3)].clone();
        let note = self.next_note;
        self.next_note += 1;
        let Some(row) = self.tickets.get_mut(&id) else { return };
        if let Some(status) = status {
            row.record["status"] = named(&status);
            row.record["closedFlag"] = status["closedStatus"].clone();
        }
        row.record["owner"] = reference(&member);
        let mut first = json!({
            "id": note, "ticketId": id, "text": format!("{summary}. Please help."), "detailDescriptionFlag": true,
            "internalAnalysisFlag": false, "resolutionFlag": false, "issueFlag": false,
            "contact": {"id": 2, "name": "Alex Sample"}, "customerUpdatedFlag": false,
            "internalFlag": false, "externalFlag": true, "_info": {"lastUpdated": entered, "updatedBy": "psabridge"},
        });
        // Notes of project tickets have neither. Source: facts 7.1.
        if !project {
            first["dateCreated"] = json!(entered);
            first["createdBy"] = json!("psabridge");
        }
        row.notes.push(first);
    }
}

/// In turn. Project tickets are not counted when there are further boards, or some boards might never have their turn.
fn seeded_board(number: u64, further: u64) -> u64 {
    if further == 0 {
        return 1 + number % 2;
    }
    match (number - number / 10) % (2 + further) {
        turn @ (0 | 1) => 1 + turn,
        turn => FIRST_FURTHER + turn - 2,
    }
}

/// A person as other records show them; contacts have no identifier.
pub(super) fn reference(member: &Value) -> Value {
    let name = format!(
        "{} {}",
        member["firstName"].as_str().unwrap_or_default(),
        member["lastName"].as_str().unwrap_or_default()
    );
    match member.get("identifier") {
        Some(identifier) => json!({"id": member["id"], "identifier": identifier, "name": name.trim()}),
        None => json!({"id": member["id"], "name": name.trim()}),
    }
}
