//! Changes at the PSA: heard of by callbacks through a real socket, read again, told once.

use psa_tests::inbound::Inbound;
use serde_json::{Value, json};

/// Events of a kind about a ticket.
fn kinds(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["event"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_a_person_does_at_the_psa_is_told_once_with_what_was_before() {
    let scene = Inbound::new(&json!({}));
    scene.registered();
    scene.link(1001);
    scene.events("p");
    scene.person(1001, &json!({"status": 102}));
    let told = scene.event("p", "ticket.changed");
    assert_eq!(
        told["changes"]["status"],
        json!({"from": {"id": "101", "name": "New"}, "to": {"id": "102", "name": "In Progress"}})
    );
    assert_eq!((told["product_ticket"].as_str(), told["heard"].as_str()), (Some("HD-1001"), Some("callback")));
    assert_eq!(told["caused_by"], json!({"provider": "jdoe"}));
    scene.person(1001, &json!({"note": {"text": "Where is it?", "internal": true}}));
    let told = scene.event("p", "note.added");
    assert_eq!((told["visibility"].as_str(), told["ticket"].as_str()), (Some("internal"), Some("1001")));
    assert!(!told.to_string().contains("Where is it?"), "what people write is not kept in clear");
    let note = scene.of("notes.get", json!({"ticket": "1001", "note": told["note"]})).unwrap();
    assert_eq!(note["text"], "Where is it?");
    let deliveries = scene.settled();
    assert!(deliveries.iter().all(|one| one["state"] == "verified"), "{deliveries:#?}");
    assert_eq!(kinds(&scene.events("p")), Vec::<String>::new(), "nothing is told twice");
}

#[test]
fn what_we_write_comes_back_as_ours_or_not_at_all() {
    let scene = Inbound::new(&json!({}));
    scene.registered();
    let link = scene.link(1001);
    scene.events("p");
    let own = |method: &str, mut params: Value| {
        params["tenant"] = json!("t");
        params["link"] = json!(link);
        params["wait_ms"] = json!(60_000);
        let operation = scene.call(method, params).unwrap();
        assert_eq!(operation["state"], "delivered", "{operation:#}");
        operation["operation"].clone()
    };
    own("notes.post", json!({"visibility": "internal", "text": "Checked the fuser."}));
    own(
        "time.post",
        json!({"started_at": "2026-01-31T12:00:00Z", "ended_at": "2026-01-31T13:00:00Z", "notes": "Fuser."}),
    );
    let status = own("tickets.set_status", json!({"status": "102"}));
    let told = scene.event("p", "ticket.changed");
    assert_eq!(told["caused_by"], json!({"operations": [status]}), "{told:#}");
    let update = own("tickets.update", json!({"changes": {"summary": "Fuser is worn out"}}));
    let told = scene.event("p", "ticket.changed");
    assert_eq!(told["caused_by"], json!({"operations": [update]}), "{told:#}");
    // Somebody changes the same field once more before it is read: that is theirs.
    let operation = own("tickets.set_status", json!({"status": "103"}));
    scene.person(1001, &json!({"status": 101}));
    scene.person(1001, &json!({"status": 102}));
    scene.person(1001, &json!({"status": 101}));
    let told = scene.event("p", "ticket.changed");
    let last = if told["changes"]["status"]["to"]["id"] == "103" { scene.event("p", "ticket.changed") } else { told };
    assert_eq!(last["caused_by"]["provider"], "jdoe", "{last:#} {operation}");
    // A ticket that we make is known when its callback comes.
    let create =
        json!({"product_ticket": "HD-9", "summary": "New one", "company": "2", "board": "1", "wait_ms": 60_000});
    let made = scene.of("tickets.create", create).unwrap();
    assert_eq!(made["state"], "delivered", "{made:#}");
    scene.settled();
    scene.person(1001, &json!({"note": {"text": "The end."}}));
    let mut events = Vec::new();
    while events.last().is_none_or(|event: &Value| event["event"] != "note.added") {
        let event = scene.host.next_event("p", 60_000).unwrap().expect("the note is told");
        scene.host.ack_event("p", event.id).unwrap();
        events.push(serde_json::from_str(&event.json).unwrap());
    }
    let about_made = events.iter().filter(|event| event["ticket"] == made["remote"]).count();
    assert_eq!(about_made, 0, "{events:#?}");
}

#[test]
fn a_ticket_that_goes_away_is_told_and_many_at_once_are_not_believed() {
    let scene = Inbound::new(&json!({}));
    scene.registered();
    for ticket in 1001..=1014 {
        scene.link(ticket);
    }
    scene.events("p");
    scene.person(1001, &json!({"merge_into": 1002}));
    let told = scene.event("p", "ticket.merged");
    assert_eq!((told["ticket"].as_str(), told["merged_into"].as_str()), (Some("1001"), Some("1002")));
    for ticket in 1003..=1014 {
        scene.person(ticket, &json!({"delete": true}));
    }
    let mut gone = 0;
    loop {
        let event = scene.host.next_event("p", 60_000).unwrap().expect("the mass is told");
        scene.host.ack_event("p", event.id).unwrap();
        let event: Value = serde_json::from_str(&event.json).unwrap();
        match event["event"].as_str() {
            Some("ticket.gone") => gone += 1,
            Some("connection.mass_change") => break assert_eq!(event["what"], "tickets_gone"),
            _ => {}
        }
    }
    assert!(gone <= 10, "{gone}");
    let health = scene.call("health", json!({"tenant": "t"})).unwrap();
    let trouble = health["connections"]["items"][0]["callbacks"]["trouble"]["tickets"].clone();
    assert!(trouble.as_str().is_some_and(|text| text.contains("have vanished")), "{health:#}");
}

#[test]
fn a_clock_that_was_wrong_and_is_set_right_hides_nothing() {
    let looks = json!({"callbacks": {"poll_ms": 400, "window_ms": 1_000}});
    let scene = Inbound::new(&looks);
    scene.registered();
    scene.link(1001);
    scene.events("p");
    scene.simulator.switches(&json!({"callbacks_off": true})).unwrap();
    for (skew, status) in [(420_000, 102), (0, 103), (-420_000, 101)] {
        scene.simulator.control("POST", "clock", Some(&json!({"skew_ms": skew}))).unwrap();
        scene.person(1001, &json!({"status": status}));
        let told = scene.event("p", "ticket.changed");
        assert_eq!(told["heard"], "poll");
        assert_eq!(told["changes"]["status"]["to"]["id"], status.to_string(), "{skew}");
    }
    let health = scene.call("health", json!({"tenant": "t"})).unwrap();
    assert_eq!(health["connections"]["items"][0]["callbacks"]["missed"], 3, "{health:#}");
}
