//! New tickets with all that can be said of them, of both kinds, and what would be sent of each write.

use psa_tests::psa;
use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

fn scene() -> Scene {
    let mut config = fast();
    config["outbox"]["watch_ms"] = json!([1_000, 2_000, 4_000, 8_000, 16_000]);
    Scene::with(&["--tls"], config)
}

fn project(number: u32, summary: &str) -> Value {
    json!({"product_ticket": format!("HD-p{number}"), "kind": "project", "company": "", "summary": summary,
           "fields": {"phase": {"id": 2}}})
}

fn create(scene: &Scene, mut ticket: Value) -> Value {
    ticket["wait_ms"] = json!(60_000);
    scene.call("tickets.create", ticket).unwrap()
}

/// Project tickets at the PSA with a summary.
fn kept(scene: &Scene, summary: &str) -> Vec<Value> {
    let all = scene.simulator.control("GET", "tickets", None).unwrap();
    let all = all["items"].as_array().unwrap().iter();
    all.filter(|ticket| ticket["summary"] == summary && ticket["kind"] == "project").cloned().collect()
}

#[test]
fn a_service_ticket_has_all_that_was_said_of_it() {
    let scene = scene();
    let ticket = json!({"product_ticket": "HD-1", "summary": "Printer on fire", "company": "2", "contact": "3", "board": "1",
        "status": "102", "priority": "6", "ticket_type": "11", "subtype": "1000", "item": "1501", "source": "7", "owner": "177",
        "description": "It burns.", "internal_description": "Told by phone.", "fields": {"severity": "High"},
        "custom_fields": [{"id": "22", "value": "West"}]});
    let made = create(&scene, ticket);
    assert_eq!((made["state"].as_str(), made["outcome"].as_str()), (Some("delivered"), Some("applied")), "{made:#}");
    let id = made["remote"].as_str().unwrap();
    let ticket = scene.call("tickets.get", json!({"ticket": id})).unwrap();
    for (name, expected) in [
        ("contact", "3"),
        ("board", "1"),
        ("status", "102"),
        ("priority", "6"),
        ("ticket_type", "11"),
        ("subtype", "1000"),
        ("item", "1501"),
        ("source", "7"),
        ("owner", "177"),
    ] {
        assert_eq!(ticket[name]["id"], expected, "{name}");
    }
    assert_eq!(json!([ticket["custom_fields"][1]["value"], ticket["raw"]["severity"]]), json!(["West", "High"]));
    let notes = scene.call("notes.list", json!({"ticket": id})).unwrap();
    let notes: Vec<_> =
        notes["items"].as_array().unwrap().iter().map(|note| json!([note["text"], note["visibility"]])).collect();
    assert_eq!(notes, [json!(["It burns.", "public"]), json!(["Told by phone.", "internal"])]);
}

#[test]
fn a_project_ticket_is_made_and_linked_though_it_has_no_place_for_a_mark() {
    let scene = scene();
    let made = create(&scene, project(1, "Roll out the printers"));
    assert_eq!((made["state"].as_str(), made["outcome"].as_str()), (Some("delivered"), Some("applied")), "{made:#}");
    let ticket = scene.call("tickets.get", json!({"ticket": made["remote"]})).unwrap();
    assert_eq!((ticket["kind"].as_str(), &ticket["raw"]["phase"]["id"]), (Some("project"), &json!(2)));
    let note =
        json!({"tenant": "t", "link": made["link"], "visibility": "internal", "text": "Goes on.", "wait_ms": 60_000});
    assert_eq!(scene.world.call("notes.post", note).unwrap()["outcome"], "applied");
}

#[test]
fn a_project_ticket_whose_answer_was_lost_is_found_by_what_it_says_and_not_made_twice() {
    for (fault, more, outcome) in [
        ("reset_before_commit", json!({}), "applied"),
        ("reset_after_commit", json!({}), "found"),
        ("error_500_after_commit", json!({}), "found"),
        ("late_commit", json!({"ms": 1_200}), "found"),
        ("truncated_json", json!({}), "found"),
    ] {
        let scene = scene();
        scene.fault("create_ticket", fault, more);
        let made = create(&scene, project(1, "Roll out the printers"));
        assert_eq!(
            (made["state"].as_str(), made["outcome"].as_str()),
            (Some("delivered"), Some(outcome)),
            "{fault} {made:#}"
        );
        let kept = kept(&scene, "Roll out the printers");
        assert_eq!(
            (kept.len(), kept[0]["id"].to_string()),
            (1, made["remote"].as_str().unwrap().to_owned()),
            "{fault}"
        );
    }
}

#[test]
fn a_second_copy_of_a_project_ticket_is_reported() {
    let scene = scene();
    scene.fault("create_ticket", "reset_before_commit", json!({}));
    let made = create(&scene, project(1, "Roll out the printers"));
    assert_eq!(made["attempts"], 2, "{made:#}");
    let copy = json!({"summary": "Roll out the printers", "phase": {"id": 2}});
    let (status, copy) = psa::ask(&scene.simulator, "POST", "project/tickets", Some(&copy));
    assert_eq!(status, 201, "{copy}");
    let told = scene.events_until("ticket.duplicated").pop().unwrap();
    assert_eq!((&told["operation"], &told["copies"]), (&made["operation"], &json!([copy["id"].to_string()])));
}

#[test]
fn every_writing_method_shows_what_it_would_send_and_sends_nothing() {
    let scene = scene();
    scene.call("priorities.map", json!({"items": [{"value": "urgent", "priority": "6"}], "by": "Ann"})).unwrap();
    let link = json!({"tenant": "t", "link": scene.link});
    let with = |mut params: Value, more: &Value| {
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        params
    };
    let of = json!({"tenant": "t", "connection": scene.connection});
    let times = json!({"started_at": "2026-01-31T10:00:00Z", "ended_at": "2026-01-31T10:45:00Z", "notes": "Done."});
    let new =
        json!({"product_ticket": "HD-9", "summary": "Fire", "company": "2", "board": "1", "priority_value": "urgent"});
    for (method, params, verb, path, at, value) in [
        (
            "notes.post",
            with(link.clone(), &json!({"visibility": "public", "text": "Hello."})),
            "POST",
            "/service/tickets/1001/notes",
            "/text",
            json!("Hello."),
        ),
        (
            "tickets.set_status",
            with(link.clone(), &json!({"status": "104"})),
            "PATCH",
            "/service/tickets/1001",
            "/0/value/id",
            json!(104),
        ),
        (
            "tickets.update",
            with(link.clone(), &json!({"changes": {"summary": "Ice"}})),
            "PATCH",
            "/service/tickets/1001",
            "/0/value",
            json!("Ice"),
        ),
        ("time.post", with(link, &times), "POST", "/time/entries", "/notes", json!("Done.")),
        ("tickets.create", with(of.clone(), &new), "POST", "/service/tickets", "/priority/id", json!(6)),
        ("tickets.create", with(of, &project(9, "Roll out")), "POST", "/project/tickets", "/phase/id", json!(2)),
    ] {
        let shown = scene.world.call("rehearse", json!({"method": method, "params": params})).unwrap();
        let request = shown["requests"].as_array().unwrap().last().unwrap();
        assert_eq!(request["method"], verb, "{method}: {request}");
        assert!(request["url"].as_str().unwrap().ends_with(path), "{method}: {request}");
        let body = match &request["body"] {
            Value::String(text) => serde_json::from_str(text).unwrap(),
            body => body.clone(),
        };
        assert_eq!(body.pointer(at), Some(&value), "{method}: {request}");
        assert!(!shown.to_string().contains(scene.simulator.text("private_key")), "{method}");
    }
    assert!(scene.simulator.log().unwrap().iter().all(|entry| entry["committed"] == false));
    assert_eq!(scene.world.call("operations.list", json!({"tenant": "t"})).unwrap()["items"], json!([]));
}
