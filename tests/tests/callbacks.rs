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
