//! Faults that strike by chance, and those that strike what was written.

use crate::client::Client;
use serde_json::{Value, json};

fn note(text: &str) -> Value {
    json!({"text": text, "internalAnalysisFlag": true})
}

/// Ids of the notes of ticket 1001 with this text, as a client sees them.
fn listed(client: &Client, text: &str) -> usize {
    client.list("/service/tickets/1001/notes?pageSize=1000").iter().filter(|note| note["text"] == text).count()
}

#[test]
fn a_share_of_the_requests_is_struck_and_the_same_share_for_the_same_seed() {
    let statuses = |seed: &str| -> Vec<u16> {
        let client = Client::with(&["--seed", seed]);
        let order = |fault: &str, percent: u64, times: u64| {
            let order = json!({"endpoint": "get_ticket", "fault": fault, "percent": percent, "times": times});
            client.simulator.fault(&order).unwrap();
        };
        order("html_503", 20, 1000);
        order("forbidden", 50, 3);
        order("html_200", 100, 0);
        (0..100).map(|_| client.get("/service/tickets/1001").status).collect()
    };
    let of_seven = statuses("7");
    assert_eq!(of_seven, statuses("7"));
    assert_ne!(of_seven, statuses("8"));
    let count = |status: u16| of_seven.iter().filter(|found| **found == status).count();
    // The second one is tried when the first does not strike, and its times are what it has struck.
    assert!((5..45).contains(&count(503)) && count(403) == 3 && count(200) > 50, "{of_seven:?}");
    let client = Client::new();
    for percent in [json!(0), json!(101), json!("5"), json!(-1)] {
        let order = json!({"endpoint": "*", "fault": "hang", "percent": percent});
        assert!(client.simulator.fault(&order).is_err(), "{order}");
    }
    client.simulator.fault(&json!({"endpoint": "*", "fault": "hang", "percent": 0.5})).unwrap();
    assert_eq!(client.simulator.control("GET", "faults", None).unwrap()["items"][0]["percent"], 0.5);
}

#[test]
fn what_is_listed_late_is_there_at_once_by_its_id() {
    let client = Client::new();
    // Longer than this test can take; lists of others go on.
    client.fault("add_note", "late_listing", json!({"ms": 600_000}));
    let made = client.note(&note("late"));
    assert_eq!(made.status, 201);
    let id = &made.json()["id"];
    assert_eq!(listed(&client, "late"), 0);
    assert_eq!(client.get(&format!("/service/tickets/1001/notes/{id}")).status, 200);
    client.fault("create_ticket", "late_listing", json!({"ms": 600_000}));
    let made = client.ticket(&json!({"summary": "late", "company": {"id": 2}, "externalXRef": "psa-1"}));
    let id = made.json()["id"].as_u64().unwrap();
    assert!(client.get("/service/tickets?conditions=externalXRef%3D%22psa-1%22").ids().is_empty());
    assert_eq!(client.get("/service/tickets/count?conditions=externalXRef%3D%22psa-1%22").json()["count"], 0);
    assert_eq!(client.get(&format!("/service/tickets/{id}")).status, 200);
    let notes = client.door("GET", "notes", json!({}));
    assert_eq!(notes["items"].as_array().unwrap().last().unwrap()["text"], "late");
    client.fault("add_note", "late_listing", json!({"ms": 1}));
    assert_eq!(client.note(&note("soon")).status, 201);
    while listed(&client, "soon") == 0 {
        std::thread::yield_now();
    }
}

#[test]
fn what_is_committed_late_can_be_listed_later_still() {
    let client = Client::new();
    client.fault("create_ticket", "late_commit", json!({"ms": 1, "listing_ms": 600_000}));
    let body = json!({"summary": "late", "company": {"id": 2}, "externalXRef": "psa-1"});
    assert!(client.try_json("POST", "/service/tickets", &body).is_none());
    let made = || client.door("GET", "tickets", json!({}))["items"].as_array().unwrap().last().unwrap().clone();
    while made()["externalXRef"] != "psa-1" {
        std::thread::yield_now();
    }
    assert!(client.get("/service/tickets?conditions=externalXRef%3D%22psa-1%22").ids().is_empty());
    assert_eq!(client.get(&format!("/service/tickets/{}", made()["id"])).json()["summary"], "late");
    client.fault("add_note", "late_commit", json!({"ms": 1}));
    assert!(client.try_json("POST", "/service/tickets/1001/notes", &note("late")).is_none());
    while listed(&client, "late") == 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_search_by_reference_does_not_find_at_first_what_other_searches_find() {
    let client = Client::new();
    client.fault("create_ticket", "late_reference", json!({"ms": 600_000}));
    let body = json!({"summary": "late", "company": {"id": 2}, "externalXRef": "psa-1"});
    assert!(client.try_json("POST", "/service/tickets", &body).is_none());
    let entry = client.simulator.log().unwrap().pop().unwrap();
    assert!(entry["fault"] == "late_reference" && entry["committed"] == true && entry["status"].is_null(), "{entry}");
    let searched = |conditions: &str| {
        let body = json!({"CONDITIONS": conditions});
        client.json("POST", "/service/tickets/search", &body).ids().len()
    };
    for by_reference in ["externalXRef=\"psa-1\"", "id>1000 and (ExternalXref like 'psa-*' or summary='late')"] {
        assert_eq!(searched(by_reference), 0, "{by_reference}");
    }
    assert_eq!(searched("summary='late'"), 1);
    let others = "/service/tickets?conditions=summary%3D%22late%22&orderBy=externalXRef";
    let found = client.get(others).json();
    assert_eq!(found[0]["externalXRef"], "psa-1");
    assert_eq!(client.get("/service/tickets/count?conditions=externalXRef%3D%22psa-1%22").json()["count"], 0);
    assert_eq!(client.get(&format!("/service/tickets/{}", found[0]["id"])).status, 200);
    client.fault("create_ticket", "late_reference", json!({"ms": 1}));
    let body = json!({"summary": "soon", "company": {"id": 2}, "externalXRef": "psa-2"});
    assert!(client.try_json("POST", "/service/tickets", &body).is_none());
    while searched("externalXRef='psa-2'") == 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_new_ticket_is_struck_as_a_note_is() {
    for (fault, status, committed) in [
        ("reset_before_commit", None, false),
        ("reset_after_commit", None, true),
        ("error_500_before_commit", Some(500), false),
        ("error_500_after_commit", Some(500), true),
        ("truncated_json", Some(201), true),
        ("forbidden", Some(403), false),
    ] {
        let client = Client::new();
        client.fault("create_ticket", fault, json!({}));
        let body = json!({"summary": "x", "company": {"id": 2}, "externalXRef": "psa-1"});
        let answer = client.try_json("POST", "/service/tickets", &body);
        assert_eq!(answer.map(|answer| answer.status), status, "{fault}");
        let found = client.get("/service/tickets?conditions=externalXRef%3D%22psa-1%22").ids().len();
        assert_eq!(found, usize::from(committed), "{fault}");
        let entry = client.simulator.log().unwrap().swap_remove(0);
        assert!(entry["fault"] == fault && entry["committed"] == committed, "{entry}");
    }
}

#[test]
fn a_workflow_moves_a_ticket_on_before_the_answer() {
    let client = Client::new();
    client.fault("patch_ticket", "workflow_moves", json!({}));
    let moved = client.patch("status", json!({"id": 102})).json();
    assert_eq!((&moved["status"]["id"], &moved["_info"]["updatedBy"]), (&json!(103), &json!("workflow")));
    let tickets = client.door("GET", "tickets", json!({}));
    assert_eq!(
        tickets["items"][0]["status_changes"],
        json!([
            {"from": 101, "to": 102, "by": "psabridge", "board": 1}, {"from": 102, "to": 103, "by": "workflow", "board": 1}
        ])
    );
    // A change that is none leaves no trace.
    client.patch("status", json!({"id": 103}));
    assert_eq!(client.door("GET", "tickets", json!({}))["items"][0]["status_changes"].as_array().unwrap().len(), 2);
}

#[test]
fn a_text_is_kept_as_ordered_and_answered_as_kept() {
    let client = Client::new();
    for (how, text, kept) in [
        ("trim", " a\n\n b ", "a b"),
        ("escape", "a < b & c", "a &lt; b &amp; c"),
        ("strip_emoji", "fire 🔥!", "fire !"),
        ("link", "see https://example.com/x.", "see [https://example.com/x.](https://example.com/x.)"),
    ] {
        client.fault("add_note", "rewrite", json!({"how": how}));
        assert_eq!(client.note(&note(text)).json()["text"], kept, "{how}");
        assert_eq!(listed(&client, kept), 1, "{how}");
    }
    client.fault("add_note", "rewrite", json!({"how": "cut"}));
    assert_eq!(client.note(&note(&"x".repeat(600))).json()["text"].as_str().unwrap().len(), 500);
    client.fault("create_ticket", "rewrite", json!({"how": "trim"}));
    let body = json!({"summary": "x", "company": {"id": 2}, "initialDescription": "a\n b"});
    let id = client.ticket(&body).json()["id"].clone();
    assert_eq!(client.list(&format!("/service/tickets/{id}/notes"))[0]["text"], "a b");
    for order in [
        json!({"endpoint": "add_note", "fault": "rewrite"}),
        json!({"endpoint": "add_note", "fault": "rewrite", "how": "x"}),
    ] {
        assert!(client.simulator.fault(&order).is_err(), "{order}");
    }
}
