//! Rights that the role of the API member lacks: the test of the connection names them, and the rest goes on.

use psa_host::Code;
use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

fn deny(scene: &Scene, right: &str) {
    scene.simulator.control("POST", "rights", Some(&json!({"deny": [right]}))).unwrap();
}

/// The failed steps, with what they disable.
fn failed(scene: &Scene) -> (bool, Vec<Value>) {
    scene.simulator.control("DELETE", "log", None).unwrap();
    let report = scene.call("connections.test", json!({})).unwrap();
    let log = scene.simulator.log().unwrap();
    assert!(!log.is_empty() && log.iter().all(|entry| entry["committed"] == false), "a test wrote something: {log:#?}");
    let steps = report["steps"].as_array().unwrap().iter().filter(|step| step["state"] == "failed");
    (report["passed"] == true, steps.cloned().collect())
}

#[test]
fn a_missing_right_is_named_with_what_it_disables_and_where_it_is_given() {
    let scene = Scene::with(&["--tls"], fast());
    let tickets = scene.simulator.control("GET", "tickets", None).unwrap();
    for (right, step, disables, needs, usable) in [
        ("tickets", "tickets", json!(["tickets", "notes"]), "Service Tickets: inquire", false),
        ("boards", "boards", json!(["status_mapping"]), "Table Setup", true),
        ("member_info", "members", json!(["member_mapping"]), "Member Maintenance", true),
        ("add_note", "write_notes", json!(["notes"]), "Service Tickets: add", true),
        ("add_ticket", "write_reference", json!(["external_reference", "new_tickets"]), "Service Tickets: add", true),
        ("callbacks", "callbacks", json!(["callbacks"]), "Table Setup", true),
    ] {
        deny(&scene, right);
        let (passed, steps) = failed(&scene);
        assert_eq!(steps.len(), 1, "{right}: {steps:#?}");
        assert_eq!(
            (passed, steps[0]["step"].as_str(), &steps[0]["disables"]),
            (usable, Some(step), &disables),
            "{right}"
        );
        assert_eq!(steps[0]["code"], "forbidden", "{right}");
        assert!(steps[0]["message"].as_str().unwrap().contains(needs), "{right}: {}", steps[0]["message"]);
    }
    scene.simulator.control("POST", "rights", Some(&json!({"deny": []}))).unwrap();
    assert_eq!(failed(&scene), (true, Vec::new()));
    assert_eq!(scene.simulator.control("GET", "tickets", None).unwrap(), tickets);
}

#[test]
fn what_one_right_forbids_keeps_nothing_else_from_going_on() {
    let scene = Scene::with(&["--tls"], fast());
    let ticket = json!({"ticket": "1001"});
    for (right, method, params) in [
        ("time", "time.list", ticket.clone()),
        ("documents", "attachments.list", ticket.clone()),
        ("configurations", "configurations.list", json!({})),
        ("companies", "companies.search", json!({})),
        ("contacts", "contacts.search", json!({})),
        ("setup", "tickets.catalog", json!({"kind": "sources"})),
        ("audit_trail", "tickets.audit_trail", ticket.clone()),
        ("notes", "notes.list", ticket),
    ] {
        // What is remembered needs no right, so catalogues are not read before.
        if method != "tickets.catalog" {
            scene.call(method, params.clone()).unwrap();
        }
        deny(&scene, right);
        let error = scene.call(method, params).unwrap_err();
        assert_eq!(error.code, Code::Forbidden, "{right}: {error}");
        assert_eq!(scene.get().unwrap()["id"], "1001", "{right}");
        assert_eq!(scene.call("connections.get", json!({})).unwrap()["state"], "active", "{right}");
    }
}

#[test]
fn a_write_that_a_right_forbids_is_refused_and_the_next_one_is_sent() {
    let scene = Scene::with(&["--tls"], fast());
    let time = json!({"started_at": "2026-01-31T10:00:00Z", "ended_at": "2026-01-31T10:45:00Z", "notes": "Done."});
    let note = json!({"visibility": "internal", "text": "Words of a note."});
    for (right, method, params) in [
        ("add_note", "notes.post", note.clone()),
        ("add_time", "time.post", time),
        ("update_ticket", "tickets.update", json!({"changes": {"priority": "6"}})),
        ("update_ticket_reference", "tickets.update", json!({"changes": {"external_reference": "HD-1"}})),
        ("update_ticket", "tickets.set_status", json!({"status": "102"})),
    ] {
        deny(&scene, right);
        let refused = scene.end(method, params.clone());
        assert_eq!(
            (refused["state"].as_str(), refused["reason"].as_str()),
            (Some("refused"), Some("forbidden")),
            "{right}"
        );
        deny(&scene, "delete_ticket");
        assert_eq!(scene.end(method, params)["outcome"], "applied", "{right}");
    }
}

#[test]
fn members_are_listed_in_their_short_form_where_the_long_one_is_forbidden() {
    let scene = Scene::with(&["--tls"], fast());
    deny(&scene, "members");
    scene.simulator.control("DELETE", "log", None).unwrap();
    let found = scene.call("members.list", json!({})).unwrap();
    assert!(found["items"].as_array().unwrap().iter().any(|member| member["id"] == "177"), "{found:#}");
    assert_eq!(scene.seen("list_members").len(), 2, "the long form was tried, then the short one was read");
    scene.simulator.control("POST", "rights", Some(&json!({"deny": ["members", "member_info"]}))).unwrap();
    assert_eq!(scene.call("members.list", json!({"page": {"limit": 7}})).unwrap_err().code, Code::Forbidden);
}
