//! The records beside tickets at the start: sites, devices, and the lists a ticket chooses from.
//!
//! Promises: names repeat across boards and companies with other ids, as they do. Source: facts 6 and 9.

use super::records::Records;
use super::state::{State, id_of, named};
use serde_json::{Value, json};

/// Where and when all of it was entered.
const ENTERED: &str = "2024-01-31T12:00:00Z";

/// Id, name, type, company, serial number.
const CONFIGURATIONS: [(u64, &str, &str, u64, &str); 4] = [
    (31, "NW-LT-001", "Laptop", 2, "SN-0001"),
    (32, "NW-PRN-01", "Printer", 2, "SN-0002"),
    (33, "NG-SRV-01", "Server", 3, "SN-0003"),
    (34, "NW-LT-OLD", "Laptop", 2, ""),
];

fn info() -> Value {
    json!({"lastUpdated": ENTERED, "updatedBy": "zadmin"})
}

impl State {
    pub(super) fn seed_records(&mut self) {
        let mut records = Records { next_time: 5001, next_document: 701, ..Records::default() };
        for board in &self.boards {
            records.seed_board(board, &self.types);
        }
        for company in &self.companies {
            records.seed_company(company);
        }
        for configuration in CONFIGURATIONS {
            records.configurations.extend(seeded_configuration(configuration, &self.companies));
        }
        records.sources = vec![
            json!({"id": 2, "name": "Phone", "defaultFlag": true}),
            json!({"id": 3, "name": "Email Connector", "defaultFlag": false}),
            json!({"id": 7, "name": "Helpdesk", "defaultFlag": false}),
        ];
        records.fields = seeded_fields();
        records.work_types = vec![
            work_type(3, "Regular", "Billable", false),
            work_type(4, "After Hours", "Billable", false),
            work_type(5, "Retired", "NoCharge", true),
        ];
        records.work_roles = vec![work_role(11, "System Engineer", false), work_role(12, "Former Role", true)];
        records.phases = vec![
            json!({"id": 1, "name": "Planning", "project": {"id": 5, "name": "Migration"}}),
            json!({"id": 2, "name": "Rollout", "project": {"id": 5, "name": "Migration"}}),
            json!({"id": 3, "name": "Planning", "project": {"id": 6, "name": "New Office"}}),
        ];
        self.records = records;
    }
}

impl Records {
    /// Two subtypes, two items and a team or two; what goes with what is less than all combinations.
    fn seed_board(&mut self, board: &Value, types: &[Value]) {
        let id = id_of(board);
        let types: Vec<&Value> = types.iter().filter(|kind| id_of(&kind["board"]) == id).collect();
        let type_ids: Vec<u64> = types.iter().map(|kind| id_of(kind)).collect();
        let one = |id: u64, name: &str| json!({"id": id, "name": name, "inactiveFlag": false, "board": named(board), "_info": info()});
        for (position, name) in ["Repair", "Access"].into_iter().enumerate() {
            let mut sub_type = one(id * 1000 + position as u64, name);
            // The second goes with the second type only.
            sub_type["typeAssociationIds"] = json!(&type_ids[position.min(type_ids.len())..]);
            self.sub_types.push(sub_type);
        }
        for (position, name) in ["Fix it", "Replace it"].into_iter().enumerate() {
            self.items.push(one(id * 1000 + 500 + position as u64, name));
        }
        let associated = [(0, 0, Some(0)), (1, 0, Some(1)), (1, 1, None)];
        for (position, (kind, sub_type, item)) in associated.into_iter().enumerate() {
            let Some(kind) = types.get(kind) else { continue };
            let mut association = json!({
                "id": id * 100_000 + position as u64, "type": named(kind), "board": named(board),
                "subType": named(&self.sub_types[self.sub_types.len() - 2 + sub_type]), "_info": {},
            });
            if let Some(item) = item {
                association["item"] = named(&self.items[self.items.len() - 2 + item]);
            }
            self.associations.push(association);
        }
        // Board 1 has two teams, 25 and 26; the others one each.
        let teams: &[(u64, &str)] =
            if id == 1 { &[(25, "First line"), (26, "Network")] } else { &[(id * 100 + 25, "First line")] };
        for (position, (team, name)) in teams.iter().enumerate() {
            self.teams.push(json!({
                "id": team, "name": name, "boardId": id, "locationId": 2, "businessUnitId": 10, "members": [176, 177],
                "teamLeader": {"id": 177, "identifier": "mmiller", "name": "Mia Miller"}, "defaultFlag": position == 0,
                "notifyOnTicketDelete": false, "_info": info(),
            }));
        }
    }

    fn seed_company(&mut self, company: &Value) {
        let id = id_of(company);
        let names: &[&str] = if id == 2 { &["Main", "Branch"] } else { &["Main"] };
        for (position, name) in names.iter().enumerate() {
            let reference = json!({"id": id, "identifier": company["identifier"], "name": company["name"]});
            self.sites.push(json!({
                "id": id * 10 + position as u64, "name": name, "addressLine1": format!("{} Example Street", id * 10),
                "city": "Tampa", "stateReference": {"id": 9, "identifier": "FL", "name": "Florida"}, "zip": "33602",
                "phoneNumber": format!("55503{id:05}"), "primaryAddressFlag": position == 0, "inactiveFlag": false,
                "company": reference, "_info": info(),
            }));
        }
    }
}

/// An old one is inactive and has no serial number. Answers may be texts, numbers or flags. Source: facts 9.
fn seeded_configuration(
    (id, name, kind, company, serial): (u64, &str, &str, u64, &str),
    companies: &[Value],
) -> Option<Value> {
    let company = companies.iter().find(|one| id_of(one) == company)?;
    let active = !serial.is_empty();
    let status = if active { json!({"id": 1, "name": "Active"}) } else { json!({"id": 2, "name": "Inactive"}) };
    let question = |id: u64, text: &str, answer: Value| json!({"questionId": id, "question": text, "answer": answer, "requiredFlag": false});
    let mut made = json!({
        "id": id, "name": name, "type": {"id": kind.len(), "name": kind}, "status": status, "activeFlag": active,
        "company": {"id": company["id"], "identifier": company["identifier"], "name": company["name"]},
        "deviceIdentifier": format!("device-{id}"), "tagNumber": format!("TAG-{id}"), "macAddress": "",
        "questions": [question(1, "Room", json!("2.14")), question(2, "Age in years", json!(3)), question(3, "Leased", json!(true))],
        "_info": info(),
    });
    if active {
        made["serialNumber"] = json!(serial);
    }
    Some(made)
}

/// Two fields of tickets and one of contacts.
fn seeded_fields() -> Vec<Value> {
    let field = |id: u64, caption: &str, screen: (&str, &str), kind: (&str, &str)| {
        json!({
            "id": id, "podId": 3, "podDescription": "Overview", "caption": caption, "sequenceNumber": 1, "screenId": screen.0,
            "screenDescription": screen.1, "fieldTypeIdentifier": kind.0, "numberDecimals": 0, "entryTypeIdentifier": kind.1,
            "requiredFlag": false, "displayOnScreenFlag": true, "readOnlyFlag": false, "listViewFlag": true,
            "businessUnitIds": [], "locationIds": [], "dateCreated": ENTERED, "_info": {},
        })
    };
    let mut list = field(22, "Region", ("sr100", "Service Ticket"), ("Text", "List"));
    list["options"] = ["West", "East"]
        .iter()
        .enumerate()
        .map(|(position, value)| json!({"id": position + 5, "optionValue": value, "defaultFlag": false, "inactiveFlag": false, "sortOrder": position}))
        .collect();
    vec![
        field(21, "Helpdesk number", ("sr100", "Service Ticket"), ("Text", "EntryField")),
        list,
        field(15, "Nickname", ("ct300", "Contact"), ("Text", "EntryField")),
    ]
}

fn work_type(id: u64, name: &str, bill_time: &str, inactive: bool) -> Value {
    json!({
        "id": id, "name": name, "billTime": bill_time, "rateType": "Multiplier", "rate": 1, "hoursMin": 0, "hoursMax": 0,
        "roundBillHoursTo": 0.25, "inactiveFlag": inactive, "overallDefaultFlag": id == 3, "activityDefaultFlag": false,
        "utilizationFlag": true, "costMultiplier": 1, "_info": info(),
    })
}

fn work_role(id: u64, name: &str, inactive: bool) -> Value {
    json!({"id": id, "name": name, "hourlyRate": 100, "inactiveFlag": inactive, "locationIds": [2], "_info": info()})
}
