//! The companies and contacts at the start: with deleted ones, shared addresses and people of no company.

use super::state::State;
use serde_json::{Value, json};

/// Id, identifier, name, deleted.
const COMPANIES: [(u64, &str, &str, bool); 9] = [
    (2, "Northwind", "Northwind Dental", false),
    (3, "Northgate", "Northgate Motors", false),
    (4, "Harborview", "Harborview Clinic", false),
    (5, "Pinecrest", "Pinecrest School District", false),
    (6, "Acorn", "Acorn Accounting", false),
    (7, "Bluestone", "Bluestone Logistics", false),
    (8, "Lighthouse", "Lighthouse Law", false),
    (9, "OldMill", "Old Mill Carpentry", true),
    (10, "Riverside", "Bäckerei Riverside", false),
];

type Person = (u64, &'static str, &'static str, u64, &'static [&'static str], bool);

/// Id, first, last, company (0: none), addresses (the main one first), inactive.
const CONTACTS: [Person; 13] = [
    (2, "Alex", "Sample", 2, &["alex.sample@example.com"], false),
    (3, "Robin", "Example", 2, &["robin@example.com", "r.example@example.org"], false),
    (4, "Sam", "Placeholder", 3, &["sam@example.com"], false),
    // Two people, one address. Source: facts 9.
    (5, "Dana", "Desk", 4, &["office@example.com"], false),
    (6, "Kit", "Desk", 5, &["office@example.com"], false),
    (7, "Ada", "Okafor", 5, &["ada_okafor+psa@example.com"], false),
    (8, "Jörg", "Ämter", 6, &["JOERG@Example.com"], false),
    (9, "Lee", "", 7, &["lee@example.com"], false),
    (10, "Nora", "Silent", 7, &[], false),
    (11, "Gil", "Gone", 8, &["gil.gone@example.com"], true),
    (12, "Walt", "Mill", 9, &["walt@example.com"], false),
    (13, "Freya", "Lance", 0, &["freya@example.com"], false),
    (14, "Bo", "Baker", 10, &["bo@example.com"], false),
];

impl State {
    pub(super) fn seed_companies(&mut self) {
        for (id, identifier, name, deleted) in COMPANIES {
            let status =
                if deleted { json!({"id": 2, "name": "Inactive"}) } else { json!({"id": 1, "name": "Active"}) };
            self.companies.push(json!({
                "id": id, "identifier": identifier, "name": name, "status": status, "city": "Tampa",
                "phoneNumber": format!("55501{id:05}"), "website": "www.example.com", "leadFlag": false,
                "unsubscribeFlag": false, "deletedFlag": deleted, "types": [{"id": 1, "name": "Client"}],
                "_info": {"lastUpdated": "2024-01-31T12:00:00Z", "updatedBy": "zadmin"},
            }));
        }
        for (id, first, last, company, addresses, inactive) in CONTACTS {
            let mut contact = json!({
                "id": id, "firstName": first, "lastName": last, "inactiveFlag": inactive, "portalSecurityLevel": 6,
                "disablePortalLoginFlag": true, "unsubscribeFlag": false, "defaultFlag": id == 2, "types": [],
                "communicationItems": items(id, addresses),
                "_info": {"lastUpdated": "2024-01-31T12:00:00Z", "updatedBy": "zadmin"},
            });
            if let Some((id, identifier, name, _)) = COMPANIES.iter().find(|(id, ..)| *id == company) {
                contact["company"] = json!({"id": id, "identifier": identifier, "name": name});
            }
            self.contacts.push(contact);
        }
    }
}

/// A phone first, then the addresses, the main one last: their order says nothing.
fn items(contact: u64, addresses: &[&str]) -> Value {
    let mut items = vec![json!({
        "id": contact * 10, "type": {"id": 2, "name": "Direct"}, "value": format!("55502{contact:05}"),
        "defaultFlag": true, "communicationType": "Phone",
    })];
    for (position, address) in addresses.iter().enumerate().rev() {
        items.push(json!({
            "id": contact * 10 + 1 + position as u64, "type": {"id": 1, "name": "Email"}, "value": address,
            "defaultFlag": position == 0, "communicationType": "Email",
            "domain": address.find('@').map(|at| &address[at..]),
        }));
    }
    json!(items)
}
