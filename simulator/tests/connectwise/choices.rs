//! What a ticket is made of beyond summary and status.

use crate::client::{Answer, Client};
use serde_json::{Value, json};

fn patch(client: &Client, operations: &[(&str, Value)]) -> Answer {
    let operations: Vec<Value> =
        operations.iter().map(|(path, value)| json!({"op": "replace", "path": path, "value": value})).collect();
    client.json("PATCH", "/service/tickets/1001", &json!(operations))
}

#[test]
fn a_ticket_chooses_from_its_board_and_company() {
    let client = Client::new();
    let made = client.ticket(&json!({
        "summary": "x", "company": {"id": 2}, "type": {"id": 11}, "subType": {"name": "Repair"}, "item": {"id": 1501},
        "team": {"id": 26}, "source": {"id": 7}, "site": {"id": 21}, "owner": {"identifier": "mmiller"}, "impact": "High",
        "integratorTags": ["psa"], "customFields": [{"id": 22, "value": "West"}],
    }));
    let ticket = made.json();
    assert_eq!(made.status, 201, "{}", made.body);
    for (path, value) in [
        ("/subType/id", json!(1000)),
        ("/item/name", json!("Replace it")),
        ("/team/name", json!("Network")),
        ("/source/name", json!("Helpdesk")),
        ("/site/name", json!("Branch")),
        ("/owner/id", json!(177)),
        ("/impact", json!("High")),
        ("/integratorTags/0", json!("psa")),
        ("/customFields/0/value", json!(null)),
        ("/customFields/1/caption", json!("Region")),
        ("/customFields/1/value", json!("West")),
    ] {
        assert_eq!(ticket.pointer(path), Some(&value), "{path}");
    }
    let moved = patch(
        &client,
        &[
            ("type", json!({"id": 11})),
            ("subType", json!({"id": 1001})),
            ("team", json!({"id": 25})),
            ("severity", json!("Low")),
            ("integratorTags", json!(["a", "b"])),
        ],
    );
    let ticket = moved.json();
    assert_eq!(moved.status, 200, "{}", moved.body);
    assert!(ticket["subType"]["name"] == "Access" && ticket["integratorTags"] == json!(["a", "b"]), "{ticket}");
    let gone = client.json("PATCH", "/service/tickets/1001", &json!([{"op": "remove", "path": "owner"}])).json();
    assert!(gone["owner"].is_null());
}

#[test]
fn what_is_not_of_the_board_or_does_not_go_together_is_refused() {
    let client = Client::new();
    let before = client.get("/service/tickets/1001").json();
    for (operations, part) in [
        (vec![("subType", json!({"id": 2000}))], "Service SubType 2000 not found for Service Board 1"),
        (vec![("item", json!({"id": 1500}))], "Service Item 1500 needs"),
        (vec![("subType", json!({"id": 1001}))], "Service SubType 1001 not found for Service Type 10"),
        (
            vec![("subType", json!({"id": 1000})), ("item", json!({"id": 1501}))],
            "Service Item 1501 not found for Service SubType 1000",
        ),
        (vec![("item", json!({"id": 2500}))], "Service Item 2500 not found for Service Board 1"),
        (vec![("team", json!({"id": 225}))], "Service Team 225 not found for Service Board 1"),
        (vec![("source", json!({"id": 99}))], "Service Source 99 not found"),
        (vec![("site", json!({"id": 30}))], "Site 30 not found"),
        (vec![("owner", json!({"id": 99}))], "Member 99 not found"),
        (vec![("impact", json!("Huge"))], "Error converting"),
        (vec![("summary", json!(" "))], "The summary field is required"),
        (vec![("automaticEmailCcFlag", json!("yes"))], "Error converting"),
        (vec![("processNotifications", json!("no"))], "Error converting"),
        (vec![("integratorTags", json!("psa"))], "Error converting"),
        (vec![("phase", json!({"id": 1}))], "Could not find member 'phase'"),
        (vec![("customFields", json!([{"id": 21, "value": "x"}]))], "every field once"),
        (vec![("customFields", json!([{"id": 21}, {"id": 22}, {"id": 22}]))], "every field once"),
        (vec![("customFields", json!([{"id": 21}, {"id": 22}, {"id": 15}]))], "Custom Field 15 not found"),
        (vec![("customFields", json!([{"id": 21, "value": {"x": 1}}, {"id": 22}]))], "Error converting"),
        (vec![("customFields", json!({"id": 21}))], "Error converting"),
    ] {
        let refused = patch(&client, &operations);
        assert!(refused.status == 400 && refused.body.contains(part), "{operations:?}: {}", refused.body);
    }
    assert_eq!(client.get("/service/tickets/1001").json(), before);
    let new = |more: (&str, Value)| {
        let mut body = json!({"summary": "x", "company": {"id": 2}});
        body[more.0] = more.1;
        client.ticket(&body)
    };
    // The board's default type counts when none is said.
    assert_eq!(new(("subType", json!({"id": 1000}))).status, 201);
    assert_eq!(new(("subType", json!({"id": 1001}))).status, 400);
    assert_eq!(new(("customFields", json!([{"id": 99}]))).status, 400);
    assert_eq!(new(("site", json!({"id": 30}))).status, 400);
}

#[test]
fn custom_fields_are_replaced_as_a_whole_and_read_back() {
    let client = Client::new();
    let fields = json!([{"id": 22, "value": "East"}, {"id": 21, "value": "4711"}]);
    let changed = patch(&client, &[("customFields", fields)]).json();
    assert_eq!(
        (&changed["customFields"][0]["value"], &changed["customFields"][1]["value"]),
        (&json!("4711"), &json!("East"))
    );
    // Success, and nothing is changed.
    let below = patch(&client, &[("customFields/0/value", json!("x"))]);
    assert_eq!((below.status, &below.json()["customFields"][0]["value"]), (200, &json!("4711")));
    assert_eq!(
        client.get("/service/tickets?customFieldConditions=caption%3D%22Region%22%20AND%20value%3D%22East%22").ids(),
        [1001]
    );
    // What is read only is ignored.
    assert_eq!(patch(&client, &[("resources", json!("x")), ("closedFlag", json!(true))]).json()["closedFlag"], false);
}

#[test]
fn a_project_ticket_needs_a_summary_and_a_phase() {
    let client = Client::new();
    let post = |body: Value| client.json("POST", "/project/tickets", &body);
    for (body, part) in [
        (json!({"phase": {"id": 1}}), "The summary field"),
        (json!({"summary": "x"}), "The phase field"),
        (json!({"summary": "x", "phase": 1}), "Error converting"),
        (json!({"summary": "x", "phase": {"id": 9}}), "Project Phase 9 not found"),
        (json!({"summary": "x", "phase": {"id": 3}, "project": {"id": 5}}), "Project Phase 3 not found"),
        (json!({"summary": "x", "phase": {"id": 1}, "board": {"id": 1}}), "Project Board 1 not found"),
        (json!({"summary": "x", "phase": {"id": 1}, "severity": "Low"}), "Could not find member 'severity'"),
        (json!({"summary": "x", "phase": {"id": 1}, "externalXRef": "y"}), "Could not find member 'externalXRef'"),
        (json!({"summary": "x".repeat(101), "phase": {"id": 1}}), "maximum length of 100"),
        (json!([]), "Unexpected character"),
    ] {
        let refused = post(body.clone());
        assert!(refused.status == 400 && refused.body.contains(part), "{body}: {}", refused.body);
    }
    let made = post(json!({"summary": "x", "phase": {"id": 3}, "initialDescription": "d", "company": {"id": 3}}));
    let ticket = made.json();
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(ticket["project"]["name"] == "New Office" && ticket["company"]["id"] == 3 && ticket["status"]["id"] == 301);
    let path = format!("/project/tickets/{}", ticket["id"]);
    assert_eq!(client.list(&format!("{path}/notes"))[0]["text"], "d");
    let change = |name: &str, value: Value| {
        client.json("PATCH", &path, &json!([{"op": "replace", "path": name, "value": value}]))
    };
    assert_eq!(change("phase", json!({"id": 2})).json()["project"]["name"], "Migration");
    assert_eq!(change("status", json!({"id": 302})).json()["status"]["name"], "In Progress");
    assert_eq!(change("phase", json!({"id": 9})).status, 400);
    assert_eq!(change("team", json!({"id": 25})).status, 400);
    assert_eq!(client.get(&format!("/service/tickets/{}", ticket["id"])).status, 404);
}
