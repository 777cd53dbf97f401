//! New tickets.

use crate::client::Client;
use serde_json::{Value, json};

/// The smallest ticket that is accepted, with more.
fn ticket(more: Value) -> Value {
    let mut body = json!({"summary": "Printer on fire", "company": {"id": 2}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_ticket_gets_its_defaults_and_its_description_becomes_the_first_note() {
    let client = Client::new();
    let made = client.ticket(&ticket(json!({
        "board": {"id": 2}, "status": {"name": "In Progress"}, "contact": {"id": 2}, "priority": {"id": 6}, "type": {"id": 21},
        "initialDescription": "It burns.", "initialInternalAnalysis": "Toner.", "externalXRef": "psa-1", "severity": "High",
        "poNumber": null,
    })));
    let record = made.json();
    assert_eq!(made.status, 201, "{}", made.body);
    for (path, value) in [
        ("/board/name", json!("Service Desk")),
        ("/status/id", json!(202)),
        ("/company", json!({"id": 2, "identifier": "Northwind", "name": "Northwind Dental"})),
        ("/contact", json!({"id": 2, "name": "Alex Sample"})),
        ("/priority/id", json!(6)),
        ("/type/id", json!(21)),
        ("/externalXRef", json!("psa-1")),
        ("/severity", json!("High")),
        ("/recordType", json!("ServiceTicket")),
        ("/_info/enteredBy", json!("psabridge")),
        ("/_info/updatedBy", json!("psabridge")),
    ] {
        assert_eq!(record.pointer(path), Some(&value), "{path}");
    }
    assert_eq!(record["_info"]["dateEntered"], record["_info"]["lastUpdated"]);
    assert!(record.get("initialDescription").is_none());
    let id = record["id"].as_u64().unwrap();
    assert_eq!(client.get("/service/tickets?conditions=externalXRef%3D%22psa-1%22").ids(), [id]);
    let newest = format!("/service/tickets?conditions=id%3E{}&orderBy=id%20desc&page=1", id - 1);
    assert_eq!(client.get(&newest).ids(), [id]);
    let notes = client.list(&format!("/service/tickets/{id}/notes"));
    let shown: Vec<_> =
        notes.iter().map(|note| (note["text"].as_str().unwrap(), &note["detailDescriptionFlag"])).collect();
    assert_eq!(shown, [("It burns.", &json!(true)), ("Toner.", &json!(false))]);
    assert_eq!(notes[0]["createdBy"], "psabridge");
    let entry = client.simulator.log().unwrap().swap_remove(0);
    assert!(entry["endpoint"] == "create_ticket" && entry["committed"] == true, "{entry}");
    // What is not said comes from the board; nobody has asked.
    let plain = client.ticket(&ticket(json!({"company": {"identifier": "Acorn"}}))).json();
    assert_eq!(
        (&plain["board"]["id"], &plain["status"]["id"], &plain["company"]["id"]),
        (&json!(1), &json!(101), &json!(6))
    );
    assert!(plain.get("contact").is_none());
}

#[test]
fn what_a_server_would_not_take_is_refused_and_nothing_is_kept() {
    let client = Client::new();
    let before = client.door("GET", "tickets", json!({}));
    for (more, error, part) in [
        (json!({"summary": ""}), "InvalidObject MissingRequiredField", "The summary field"),
        (json!({"company": null}), "InvalidObject MissingRequiredField", "The company field"),
        (json!({"summary": "x".repeat(101)}), "InvalidObject MaxLengthField", "field summary must"),
        (json!({"externalXRef": "x".repeat(101)}), "InvalidObject MaxLengthField", "field externalXRef must"),
        (json!({"enteredBy": "me"}), "ConnectWiseApi", "Could not find member 'enteredBy'"),
        (json!({"description": "me"}), "ConnectWiseApi", "Could not find member 'description'"),
        (json!({"company": 2}), "ConnectWiseApi", "Error converting value"),
        (json!({"summary": 2}), "ConnectWiseApi", "Error converting value"),
        (json!({"severity": "Severe"}), "ConnectWiseApi", "Error converting value"),
        (json!({"initialDescription": ["x"]}), "ConnectWiseApi", "Error converting value"),
        (json!({"processNotifications": "no"}), "ConnectWiseApi", "Error converting value"),
        (json!({"company": {"id": 99}}), "InvalidObject NotFound", "Company 99 not found"),
        (json!({"company": {"id": 9}}), "InvalidObject NotFound", "Company 9 not found"),
        (json!({"contact": {"id": 4}}), "InvalidObject NotFound", "Contact 4 not found for the company"),
        (json!({"board": {"id": 99}}), "InvalidObject NotFound", "Service Board 99 not found"),
        (json!({"board": {"id": 3}}), "InvalidObject NotFound", "Service Board 3 not found"),
        (json!({"board": {"id": 4}}), "InvalidObject NotFound", "Service Board 4 not found"),
        (json!({"status": {"id": 201}}), "InvalidObject NotFound", "Service Status 201 not found for Service Board 1"),
        (json!({"type": {"id": 20}}), "InvalidObject NotFound", "Service Type 20 not found for Service Board 1"),
        (json!({"priority": {"id": 1}}), "InvalidObject NotFound", "Priority 1 not found"),
    ] {
        let refused = client.ticket(&ticket(more.clone()));
        assert_eq!(refused.error(), (400, error.to_owned()), "{more}");
        assert!(refused.body.contains(part), "{more}: {}", refused.body);
    }
    assert_eq!(client.ticket(&json!([])).error(), (400, "ConnectWiseApi".to_owned()));
    assert_eq!(client.json("PUT", "/service/tickets/1001", &ticket(json!({}))).status, 405);
    let path = format!("{}/service/tickets", crate::client::BASE);
    assert_eq!(client.send("POST", &path, &client.headers, "{}").unwrap().status, 415);
    assert_eq!(client.door("GET", "tickets", json!({})), before);
    assert!(client.simulator.log().unwrap().iter().all(|entry| entry["committed"] == false));
}
