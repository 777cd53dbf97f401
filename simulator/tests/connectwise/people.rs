//! What people do at the PSA meanwhile, and what the control door tells of it.

use crate::client::Client;
use serde_json::json;

#[test]
fn a_person_changes_a_ticket_in_their_own_name() {
    let client = Client::new();
    let moved = client.door("POST", "tickets/1001", json!({"status": 102}));
    assert_eq!(
        (&moved["ticket"]["status"]["id"], &moved["ticket"]["_info"]["updatedBy"]),
        (&json!(102), &json!("jdoe"))
    );
    client.door(
        "POST",
        "tickets/1001",
        json!({"note": {"text": "From the PSA", "createdBy": "mmiller", "internal": true}}),
    );
    let noted = client.door("POST", "tickets/1001", json!({"note": {"text": "To the customer"}}));
    let notes = noted["notes"].as_array().unwrap();
    let [.., internal, public] = notes.as_slice() else { panic!("{noted}") };
    assert_eq!((&internal["createdBy"], &internal["member"]["id"]), (&json!("mmiller"), &json!(177)));
    assert!(internal["internalAnalysisFlag"] == true && internal["detailDescriptionFlag"] == false, "{internal}");
    assert_eq!((&public["createdBy"], &public["detailDescriptionFlag"]), (&json!("jdoe"), &json!(true)));
    let told = client.door("GET", "notes", json!({}));
    let told = told["items"].as_array().unwrap();
    assert!(told.windows(2).all(|pair| pair[0]["id"].as_u64() < pair[1]["id"].as_u64()));
    assert_eq!((&told.last().unwrap()["ticket"], &told.last().unwrap()["createdBy"]), (&json!(1001), &json!("jdoe")));
    for order in [
        json!({}),
        json!({"status": 201}),
        json!({"status": 102, "delete": true}),
        json!({"delete": false}),
        json!({"convert": "service"}),
        json!({"merge_into": 1001}),
        json!({"merge_into": 999_999}),
        json!({"note": {}}),
    ] {
        assert!(client.simulator.control("POST", "tickets/1001", Some(&order)).is_err(), "{order}");
    }
    assert!(client.simulator.control("POST", "tickets/999999", Some(&json!({"status": 101}))).is_err());
}

#[test]
fn a_merged_ticket_is_closed_and_names_its_parent() {
    let client = Client::new();
    client.door("POST", "tickets/1001", json!({"merge_into": 1003}));
    let child = client.get("/service/tickets/1001").json();
    assert_eq!((&child["mergedParentTicket"]["id"], &child["closedFlag"]), (&json!(1003), &json!(true)));
    assert_eq!(client.get("/service/tickets/1003").json()["hasMergedChildTicketFlag"], true);
    let told = client.door("GET", "tickets", json!({}))["items"][0].clone();
    assert_eq!((&told["mergedInto"], &told["status_changes"][0]["by"]), (&json!(1003), &json!("jdoe")));
}

#[test]
fn a_converted_ticket_is_found_under_the_other_path() {
    let client = Client::new();
    client.door("POST", "tickets/1001", json!({"convert": "project"}));
    assert_eq!(client.get("/service/tickets/1001").status, 404);
    let project = client.get("/project/tickets/1001").json();
    assert!(project["phase"]["name"] == "Planning" && project.get("recordType").is_none(), "{project}");
    assert!(client.list("/project/tickets/1001/notes").iter().all(|note| note.get("createdBy").is_none()));
}

#[test]
fn a_deleted_ticket_is_gone_for_clients_and_its_notes_are_still_told() {
    let client = Client::new();
    client.note(&json!({"text": "Before the end", "internalAnalysisFlag": true}));
    client.door("POST", "tickets/1001", json!({"delete": true}));
    assert_eq!(client.get("/service/tickets/1001").error(), (404, "NotFound".to_owned()));
    assert_eq!(client.note(&json!({"text": "After it", "internalAnalysisFlag": true})).status, 404);
    let told = client.door("GET", "tickets", json!({}));
    assert_eq!((&told["items"][0]["id"], &told["items"][0]["deleted"]), (&json!(1001), &json!(true)));
    let notes = client.door("GET", "notes", json!({})).to_string();
    assert!(notes.contains("Before the end") && !notes.contains("After it"));
}

#[test]
fn members_are_of_every_license_and_their_addresses_are_shared_or_missing() {
    let client = Client::new();
    let members = client.list("/system/members");
    let of = |license: &str| members.iter().filter(|member| member["licenseClass"] == license).count();
    assert!(["A", "C", "F", "X"].iter().all(|license| of(license) > 0), "{members:?}");
    let address = |member: &&serde_json::Value| member["officeEmail"].as_str().unwrap_or_default().to_lowercase();
    assert_eq!(members.iter().filter(|member| address(member) == "tech@example.com").count(), 2);
    assert!(members.iter().any(|member| member["officeEmail"] == ""));
    let gone = members.iter().find(|member| member["inactiveFlag"] == true).unwrap();
    assert!(gone.get("officeEmail").is_none() && gone["lastName"] == "Gone", "{gone}");
    // A system member writes and is not in the list. Source: facts 9.
    let hidden = json!({"note": {"text": "By a rule", "createdBy": "zadmin"}});
    let noted = client.door("POST", "tickets/1001", hidden);
    let note = noted["notes"].as_array().unwrap().last().unwrap().clone();
    assert!(note["createdBy"] == "zadmin" && note["member"].is_null(), "{note}");
    assert_eq!(client.get("/system/members/zadmin").status, 404);
    // A status that is no longer offered stays on old tickets.
    let old = client.door("POST", "tickets/1001", json!({"status": 106}));
    assert_eq!(old["ticket"]["status"]["name"], "Escalated (old)");
}
