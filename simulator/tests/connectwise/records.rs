//! The audit trail, sites, devices, what tickets choose from, and what joins them.

use crate::client::{BASE, Client};
use serde_json::{Value, json};

#[test]
fn the_audit_trail_tells_what_was_changed_and_by_whom() {
    let client = Client::new();
    client.patch("status", json!({"id": 102}));
    client.patch("status", json!({"id": 102}));
    client.patch("summary", json!("New words"));
    client.patch("owner", json!({"id": 178}));
    client.note(&json!({"text": "x", "internalAnalysisFlag": true}));
    client.door("POST", "tickets/1001", json!({"status": 103}));
    let rows = client.list("/system/audittrail?type=Ticket&id=1001");
    let told: Vec<_> =
        rows.iter().map(|row| (row["auditSubType"].as_str().unwrap(), row["enteredBy"].as_str().unwrap())).collect();
    let kinds = [
        ("Status", "psabridge"),
        ("Summary", "psabridge"),
        ("Owner", "psabridge"),
        ("Note", "psabridge"),
        ("Status", "jdoe"),
    ];
    assert_eq!(told, kinds);
    assert!(rows[0]["text"].as_str().unwrap().contains("from \"New\" to \"In Progress\""), "{}", rows[0]);
    let headers = format!("{}pagination-type: forward-only\r\n", client.headers);
    let path = format!("{BASE}/system/audittrail?type=Ticket&id=1001&pageSize=2");
    assert!(client.send("GET", &path, &headers, "").unwrap().link().is_none());
    assert!(client.get("/system/audittrail?type=Ticket&id=1001&pageSize=2").link().unwrap().contains("page=2"));
    assert_eq!(client.get("/system/audittrail/count?type=Ticket&id=1001").json()["count"], 5);
    for query in ["", "?type=Ticket", "?id=1001", "?type=Tickets&id=1001", "?type=Ticket&id=x"] {
        assert_eq!(client.get(&format!("/system/audittrail{query}")).status, 400, "{query}");
    }
    assert!(client.list("/system/audittrail?type=Company&id=1001").is_empty());
    client.json("PATCH", "/project/tickets/1010", &json!([{"op": "replace", "path": "summary", "value": "y"}]));
    assert_eq!(client.list("/system/audittrail?type=ProjectTicket&id=1010").len(), 1);
}

#[test]
fn who_closed_a_ticket_and_when_follows_its_status() {
    let client = Client::new();
    let closed = client.patch("status", json!({"id": 105})).json();
    assert!(closed["closedFlag"] == true && closed["closedBy"] == "psabridge", "{closed}");
    assert_eq!(closed["closedDate"], closed["_info"]["lastUpdated"]);
    let open = client.patch("status", json!({"id": 101})).json();
    assert!(open["closedFlag"] == false && open.get("closedDate").is_none() && open.get("closedBy").is_none());
}

#[test]
fn sites_devices_and_addresses_are_found() {
    let client = Client::new();
    assert_eq!(client.get("/company/companies/2/sites").ids(), [20, 21]);
    assert_eq!(client.get("/company/companies/2/sites?conditions=primaryAddressFlag%3Dtrue").ids(), [20]);
    assert_eq!(client.get("/company/companies/2/sites?conditions=defaultFlag%3Dtrue").error().1, "ApiFindCondition");
    assert_eq!(client.get("/company/companies/99/sites").error(), (404, "NotFound".to_owned()));
    assert_eq!(client.get("/company/companies/3/sites/20").status, 404);
    let found = |conditions: &str| client.get(&format!("/company/configurations?conditions={conditions}")).ids();
    assert_eq!(found("company%2Fid%3D2"), [31, 32, 34]);
    assert_eq!(found("company%2Fid%3D2%20and%20status%2Fname%3D%22Active%22%20and%20type%2Fname%3D%22Laptop%22"), [31]);
    let answers = client.get("/company/configurations/31").json()["questions"].clone();
    let kinds = (answers[0]["answer"].is_string(), answers[1]["answer"].is_number(), answers[2]["answer"].is_boolean());
    assert_eq!(kinds, (true, true, true));
    let addresses = client.list("/company/contacts/3/communications");
    assert!(addresses.len() == 3 && addresses.iter().all(|one| one["contactId"] == 3), "{addresses:?}");
    assert_eq!(client.get("/company/contacts/99/communications").status, 404);
    for path in ["/company/companies/2", "/company/contacts/3", "/company/configurations/32"] {
        assert_eq!(client.get(path).status, 200, "{path}");
    }
}

#[test]
fn devices_of_a_ticket_are_linked_found_and_let_go() {
    let client = Client::new();
    let path = "/service/tickets/1001/configurations";
    let linked = client.json("POST", path, &json!({"id": 31}));
    assert_eq!((linked.status, &linked.json()["deviceIdentifier"]), (201, &json!("device-31")));
    for (body, part) in [
        (json!({}), "The id field"),
        (json!({"id": 31}), "attached already"),
        (json!({"id": 33}), "Configuration 33 not found"),
        (json!({"id": 99}), "Configuration 99 not found"),
        (json!({"id": 32, "name": "x"}), "Could not find member 'name'"),
    ] {
        let refused = client.json("POST", path, &body);
        assert!(refused.status == 400 && refused.body.contains(part), "{body}: {}", refused.body);
    }
    assert_eq!(client.get(path).ids(), [31]);
    let tickets = "/service/tickets?conditions=configuration%2Fid%3D31";
    assert_eq!(client.get(tickets).ids(), [1001]);
    assert!(client.list(tickets)[0].get("configuration").is_none());
    assert_eq!(client.get("/service/tickets/count?conditions=configuration%2Fid%3D31").json()["count"], 1);
    assert_eq!(client.get("/service/tickets?conditions=configurations%2Fid%3D31").error().1, "ApiFindCondition");
    let one = format!("{BASE}{path}/31");
    assert_eq!(client.send("GET", &one, &client.headers, "").unwrap().status, 200);
    assert_eq!(client.send("DELETE", &one, &client.headers, "").unwrap().status, 204);
    assert_eq!(client.send("DELETE", &one, &client.headers, "").unwrap().status, 404);
    assert!(client.get(tickets).ids().is_empty());
}

#[test]
fn the_lists_a_ticket_chooses_from_are_there() {
    let client = Client::new();
    for (path, ids) in [
        ("/service/boards/1/subtypes", vec![1000, 1001]),
        ("/service/boards/2/items", vec![2500, 2501]),
        ("/service/boards/1/teams", vec![25, 26]),
        ("/service/boards/1/typeSubTypeItemAssociations", vec![100_000, 100_001, 100_002]),
        ("/service/sources", vec![2, 3, 7]),
        ("/service/info/boards/active", vec![1, 2, 3]),
        ("/time/workTypes?conditions=inactiveFlag%3Dfalse", vec![3, 4]),
        ("/time/workRoles?conditions=inactiveFlag%3Dfalse", vec![11]),
        ("/system/userDefinedFields?conditions=screenId%3D%22sr100%22", vec![21, 22]),
        ("/system/members/MMiller", vec![]),
    ] {
        if ids.is_empty() {
            assert_eq!(client.get(path).json()["id"], 177, "{path}");
        } else {
            assert_eq!(client.get(path).ids(), ids, "{path}");
        }
    }
    assert_eq!(client.get("/system/userDefinedFields/22").json()["options"][0]["optionValue"], "West");
    assert_eq!(client.get("/service/boards/99/teams").error(), (404, "NotFound".to_owned()));
    assert_eq!(client.get("/system/members/nobody").error(), (404, "NotFound".to_owned()));
}

#[test]
fn tickets_are_merged_bundled_converted_and_deleted() {
    let client = Client::new();
    let post = |path: &str, body: Value| client.json("POST", &format!("/service/tickets/{path}"), &body);
    for (path, body, part) in [
        ("1001/merge", json!({"status": {"id": 105}}), "mergeTicketIds"),
        ("1001/merge", json!({"mergeTicketIds": [1003]}), "The status field"),
        ("1001/merge", json!({"mergeTicketIds": [1003], "status": {"id": 205}}), "Service Status 205 not found"),
        ("1001/merge", json!({"mergeTicketIds": [1001], "status": {"id": 105}}), "Ticket 1001 not found"),
        ("1001/merge", json!({"mergeTicketIds": [1003, 1010], "status": {"id": 105}}), "Ticket 1010 not found"),
        ("1001/merge", json!({"mergeTicketIds": ["1003"], "status": {"id": 105}}), "Error converting"),
        ("1001/merge", json!({"ids": [1003]}), "Could not find member 'ids'"),
        ("1001/attachChildren", json!({"childTicketIds": [99]}), "Ticket 99 not found"),
        ("1001/convert", json!({"wbsCode": "1"}), "The phase field"),
        ("1001/convert", json!({"phase": {"id": 1}}), "The wbsCode field"),
        ("1001/convert", json!({"phase": {"id": 9}, "wbsCode": "1"}), "Phase 9 not found"),
        ("1001/convert", json!({"phase": {"id": 3}, "project": {"id": 5}, "wbsCode": "1"}), "Phase 3 not found"),
    ] {
        let refused = post(path, body.clone());
        assert!(refused.status == 400 && refused.body.contains(part), "{path} {body}: {}", refused.body);
    }
    assert!(client.get("/service/tickets/1003").json().get("mergedParentTicket").is_none());
    assert_eq!(post("1001/merge", json!({"mergeTicketIds": [1003], "status": {"id": 105}})).json()["success"], true);
    let child = client.get("/service/tickets/1003").json();
    assert!(child["mergedParentTicket"]["id"] == 1001 && child["closedFlag"] == true, "{child}");
    assert_eq!(client.get("/service/tickets/1001").json()["hasMergedChildTicketFlag"], true);
    assert_eq!(post("1001/merge", json!({"mergeTicketIds": [1003], "status": {"id": 105}})).status, 400);
    assert_eq!(post("1001/attachChildren", json!({"childTicketIds": [1002]})).status, 200);
    assert_eq!(client.get("/service/tickets/1002").json()["parentTicketId"], 1001);
    assert_eq!(client.get("/service/tickets/1001").json()["hasChildTicket"], true);
    assert_eq!(post("1005/convert", json!({"phase": {"id": 2}, "wbsCode": "2.1"})).status, 200);
    assert_eq!(client.get("/service/tickets/1005").status, 404);
    let converted = client.get("/project/tickets/1005").json();
    assert!(converted["phase"]["name"] == "Rollout" && converted["wbsCode"] == "2.1", "{converted}");
    assert!(converted.get("team").is_none());
    let path = format!("{BASE}/service/tickets/1007");
    assert_eq!(client.send("DELETE", &path, &client.headers, "").unwrap().status, 204);
    assert_eq!(client.get("/service/tickets/1007").error(), (404, "NotFound".to_owned()));
    let told = client.simulator.control("GET", "tickets", None).unwrap();
    assert!(told["items"].as_array().unwrap().iter().any(|row| row["id"] == 1007 && row["deleted"] == true));
    assert_eq!(client.json("PUT", "/service/tickets/1001", &json!({})).status, 405);
    assert_eq!(client.get("/service/tickets/1001/merge").status, 405);
}
