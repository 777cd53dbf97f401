//! Time entries.

use crate::client::{BASE, Client};
use serde_json::{Value, json};

/// An hour on ticket 1001, with more.
fn hour(more: Value) -> Value {
    let mut body = json!({
        "chargeToId": 1001, "chargeToType": "ServiceTicket", "timeStart": "2024-02-01T10:00:00Z",
        "timeEnd": "2024-02-01T11:00:00Z", "notes": "Checked the fuser",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn replace(client: &Client, id: &Value, operations: &[(&str, Value)]) -> crate::client::Answer {
    let operations: Vec<Value> =
        operations.iter().map(|(path, value)| json!({"op": "replace", "path": path, "value": value})).collect();
    client.json("PATCH", &format!("/time/entries/{id}"), &json!(operations))
}

#[test]
fn hours_follow_from_start_and_end_whatever_else_is_said() {
    let client = Client::new();
    let made = client.json("POST", "/time/entries", &hour(json!({"actualHours": 7, "hoursDeduct": 0.25})));
    let entry = made.json();
    assert_eq!(made.status, 201, "{}", made.body);
    for (path, value) in [
        ("/actualHours", json!(0.75)),
        ("/member/identifier", json!("psabridge")),
        ("/company/id", json!(2)),
        ("/ticket/id", json!(1001)),
        ("/billableOption", json!("Billable")),
        ("/workType/name", json!("Regular")),
        ("/status", json!("Open")),
        ("/enteredBy", json!("psabridge")),
        ("/addToDetailDescriptionFlag", json!(false)),
    ] {
        assert_eq!(entry.pointer(path), Some(&value), "{path}");
    }
    // Ignored while both are there; answered with success all the same.
    let changed = replace(&client, &entry["id"], &[("actualHours", json!(3)), ("enteredBy", json!("me"))]).json();
    assert_eq!((&changed["actualHours"], &changed["enteredBy"]), (&json!(0.75), &json!("psabridge")));
    let changed = replace(&client, &entry["id"], &[("/timeEnd", json!("2024-02-01T12:00:00Z"))]).json();
    assert_eq!(changed["actualHours"], json!(1.75));
    // Without an end they are what is said.
    let open = json!({"timeEnd": null, "actualHours": 0.5, "member": {"identifier": "mmiller"}});
    let open = client.json("POST", "/time/entries", &hour(open)).json();
    assert_eq!((&open["actualHours"], &open["member"]["id"]), (&json!(0.5), &json!(177)));
    let company = client.json(
        "POST",
        "/time/entries",
        &json!({"timeStart": "2024-02-01T10:00:00Z", "actualHours": 1, "company": {"id": 6}}),
    );
    assert_eq!((&company.json()["chargeToType"], &company.json()["company"]["id"]), (&json!("Company"), &json!(6)));
}

#[test]
fn time_that_a_server_would_not_take_is_refused() {
    let client = Client::new();
    for (more, error, part) in [
        (json!({"timeStart": null}), "InvalidObject MissingRequiredField", "The timeStart field is required"),
        (json!({"timeEnd": null}), "InvalidObject MissingRequiredField", "actualHours"),
        (json!({"timeStart": "2024-02-01T10:00:00.123Z"}), "ConnectWiseApi", "Unsupported format applied to timeStart"),
        (json!({"timeEnd": "2024-02-01T11:00:00+00:00"}), "ConnectWiseApi", "Unsupported format applied to timeEnd"),
        (json!({"timeEnd": "2024-02-01T09:00:00Z"}), "InvalidObject InvalidField", "after the start"),
        (json!({"hoursDeduct": 2}), "InvalidObject InvalidField", "after the start"),
        (json!({"hours": 2}), "ConnectWiseApi", "Could not find member 'hours'"),
        (json!({"member": 177}), "ConnectWiseApi", "Error converting value"),
        (json!({"billableOption": "Free"}), "ConnectWiseApi", "Error converting value"),
        (json!({"chargeToType": "Ticket"}), "ConnectWiseApi", "Error converting value"),
        (json!({"emailContactFlag": "no"}), "ConnectWiseApi", "Error converting value"),
        (json!({"notes": 5}), "ConnectWiseApi", "Error converting value"),
        (json!({"chargeToType": null}), "InvalidObject MissingRequiredField", "chargeToType"),
        (json!({"chargeToId": null}), "InvalidObject MissingRequiredField", "chargeToId"),
        (json!({"chargeToId": 1010}), "InvalidObject NotFound", "Ticket 1010 not found"),
        (json!({"chargeToType": "ProjectTicket"}), "InvalidObject NotFound", "Ticket 1001 not found"),
        (json!({"chargeToType": "Activity"}), "InvalidObject NotFound", "Activity 1001 not found"),
        (json!({"member": {"id": 4711}}), "InvalidObject NotFound", "Member 4711 not found"),
        (json!({"workType": {"id": 5}}), "InvalidObject NotFound", "Work Type 5 not found"),
        (json!({"workRole": {"id": 99}}), "InvalidObject NotFound", "Work Role 99 not found"),
    ] {
        let refused = client.json("POST", "/time/entries", &hour(more.clone()));
        assert_eq!(refused.error(), (400, error.to_owned()), "{more}");
        assert!(refused.body.contains(part), "{more}: {}", refused.body);
    }
    client.door("POST", "switches", json!({"time_end_required": true, "time_closed_before": "2024-02-01"}));
    let refused = client.json("POST", "/time/entries", &hour(json!({"timeEnd": null, "actualHours": 1})));
    assert!(refused.status == 400 && refused.body.contains("The timeEnd field is required"), "{}", refused.body);
    let refused = client.json("POST", "/time/entries", &hour(json!({"timeStart": "2024-01-31T23:59:59Z"})));
    assert!(refused.status == 400 && refused.body.contains("report period"), "{}", refused.body);
    assert!(client.list("/time/entries").is_empty());
    let made = client.json("POST", "/time/entries", &hour(json!({}))).json();
    for (path, value, part) in [
        ("billableOption", json!(null), "The billableOption field"),
        ("timeStart", json!(null), "The timeStart field"),
        ("timeStart", json!("2024-01-01T10:00:00Z"), "report period"),
        ("texts", json!("x"), "Could not find member 'texts'"),
    ] {
        let refused = replace(&client, &made["id"], &[("notes", json!("changed")), (path, value)]);
        assert!(refused.status == 400 && refused.body.contains(part), "{path}: {}", refused.body);
    }
    assert_eq!(client.get(&format!("/time/entries/{}", made["id"])).json(), made);
    assert_eq!(client.json("PATCH", &format!("/time/entries/{}", made["id"]), &json!({})).status, 400);
}

#[test]
fn time_is_found_by_what_it_is_charged_to_and_can_be_deleted() {
    let client = Client::new();
    let mine = client.json("POST", "/time/entries", &hour(json!({"member": {"id": 177}}))).json()["id"].clone();
    let other = client.json("POST", "/time/entries", &hour(json!({"chargeToId": 1003}))).json()["id"].clone();
    let project = json!({"chargeToId": 1010, "chargeToType": "ProjectTicket"});
    let project = client.json("POST", "/time/entries", &hour(project)).json()["id"].clone();
    let found = |conditions: &str| json!(client.get(&format!("/time/entries?conditions={conditions}")).ids());
    assert_eq!(found("chargeToId%3D1001%20and%20chargeToType%3D%22ServiceTicket%22"), json!([mine]));
    assert_eq!(found("chargeToType%3D%22ProjectTicket%22"), json!([project]));
    assert_eq!(found("member%2Fid%3D180%20and%20timeStart%3E%5B2024-01-31%5D"), json!([other, project]));
    assert_eq!(client.get("/time/entries/count?conditions=member%2Fid%3D177").json()["count"], 1);
    assert_eq!(client.get("/time/entries?conditions=hours%3D1").error().1, "ApiFindCondition");
    assert_eq!(json!(client.list("/service/tickets/1001/timeentries")), json!([{"id": mine}]));
    assert_eq!(client.get("/service/tickets/1001/timeentries/count").json()["count"], 1);
    let path = format!("{BASE}/time/entries/{mine}");
    assert_eq!(client.send("DELETE", &path, &client.headers, "").unwrap().status, 204);
    assert_eq!(client.get(&format!("/time/entries/{mine}")).error(), (404, "NotFound".to_owned()));
    // A ticket that becomes one of a project takes its time along.
    client.door("POST", "tickets/1003", json!({"convert": "project"}));
    assert_eq!(found("chargeToType%3D%22ProjectTicket%22"), json!([other, project]));
}

#[test]
fn the_flags_of_time_are_tabs_and_actions() {
    let client = Client::new();
    let mails = || client.simulator.control("GET", "mails", None).unwrap();
    let shown = || {
        let all = client.list("/service/tickets/1001/allNotes");
        all.into_iter().filter(|note| note["noteType"] == "TimeEntryNote").collect::<Vec<_>>()
    };
    client.json("POST", "/time/entries", &hour(json!({})));
    assert!(shown().is_empty() && mails()["count"] == 0);
    let made = client.json(
        "POST",
        "/time/entries",
        &hour(json!({"addToInternalAnalysisFlag": true, "emailResourceFlag": true})),
    );
    let notes = shown();
    assert_eq!(notes.len(), 1);
    for (path, value) in [
        ("/id", made.json()["id"].clone()),
        ("/text", json!("Checked the fuser")),
        ("/internalAnalysisFlag", json!(true)),
        ("/detailDescriptionFlag", json!(false)),
        ("/resolutionFlag", json!(false)),
        ("/timeStart", json!("2024-02-01T10:00:00Z")),
        ("/timeEnd", json!("2024-02-01T11:00:00Z")),
        ("/ticket/id", json!(1001)),
        ("/originalAuthor", json!("PSA Bridge")),
    ] {
        assert_eq!(notes[0].pointer(path), Some(&value), "{path}");
    }
    assert_eq!(mails()["items"], json!([{"ticket": 1001, "cause": "time", "to": "resource"}]));
    assert_eq!(made.json()["emailResourceFlag"], false, "an action is not kept");
    replace(&client, &made.json()["id"], &[("notes", json!("other"))]);
    assert_eq!(mails()["count"], 1);
    replace(&client, &made.json()["id"], &[("emailContactFlag", json!(true))]);
    assert_eq!(mails()["items"][1]["to"], "contact");
    assert!(client.list("/service/tickets/1001/notes").iter().all(|note| note["text"] != "other"));
}

#[test]
fn faults_strike_time_as_they_strike_notes() {
    let client = Client::new();
    let count = || client.get("/time/entries/count").json()["count"].as_u64().unwrap();
    for (fault, more, status, kept) in [
        ("reset_before_commit", json!({}), None, 0),
        ("reset_after_commit", json!({}), None, 1),
        ("error_500_after_commit", json!({}), Some(500), 1),
        ("error_500_before_commit", json!({}), Some(500), 0),
        ("late_listing", json!({"ms": 600_000}), Some(201), 0),
    ] {
        let before = count();
        client.fault("add_time_entry", fault, more);
        let answer = client.try_json("POST", "/time/entries", &hour(json!({})));
        assert_eq!(answer.map(|answer| answer.status), status, "{fault}");
        assert_eq!(count() - before, kept, "{fault}");
    }
    client.fault("list_time_entries", "html_503", json!({}));
    assert_eq!(client.get("/service/tickets/1001/timeentries").status, 503);
    let before = count();
    client.fault("add_time_entry", "late_commit", json!({"ms": 1}));
    assert!(client.try_json("POST", "/time/entries", &hour(json!({}))).is_none());
    while count() == before {
        std::thread::yield_now();
    }
    client.fault("add_time_entry", "wrong_visibility", json!({}));
    let made = client.json("POST", "/time/entries", &hour(json!({}))).json();
    assert_eq!(made["addToDetailDescriptionFlag"], true);
    client.fault("add_time_entry", "rewrite", json!({"how": "escape"}));
    let made = client.json("POST", "/time/entries", &hour(json!({"notes": "a < b"}))).json();
    assert_eq!(made["notes"], "a &lt; b");
}
