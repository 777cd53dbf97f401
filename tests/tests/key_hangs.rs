//! The PSA's door for signing keys hangs while callbacks rain: nobody waits for it but the proofs.

use psa_tests::inbound::Inbound;
use serde_json::{Value, json};

const CHANGES: u64 = 2_000;
const WAITING_MAX: u64 = 200;

fn health(scene: &Inbound) -> Value {
    scene.of("callbacks.list", json!({})).unwrap()["health"].clone()
}

#[test]
fn callbacks_are_kept_and_reading_goes_on_while_the_key_cannot_be_had() {
    let scene = Inbound::new(&json!({"callbacks": {"waiting_max": WAITING_MAX, "poll_ms": 200}}));
    scene.registered();
    let tickets: Vec<u64> = (1001..1021).collect();
    for ticket in &tickets {
        scene.link(*ticket);
    }
    scene.events("p");
    let shown = |ticket: u64| {
        let there = scene.simulator.control("GET", &format!("tickets/{ticket}"), None).unwrap();
        (
            there["ticket"]["summary"].clone(),
            there["ticket"]["status"]["id"].to_string(),
            there["ticket"]["owner"]["id"].to_string(),
        )
    };
    let before: Vec<_> = tickets.iter().map(|ticket| shown(*ticket)).collect();
    scene.simulator.switches(&json!({"delivery_scale": 1.0})).unwrap();
    scene.simulator.fault(&json!({"endpoint": "callback_key", "fault": "hang"})).unwrap();
    let order = json!({"changes": CHANGES, "tickets": tickets, "notes_percent": 10, "seed": 3});
    scene.simulator.control("POST", "tickets/churn", Some(&order)).unwrap();
    // Deliveries end although no proof has: a door that waited would be given up after five seconds.
    assert!(scene.simulator.settle_deliveries().unwrap(), "deliveries go on");
    let deliveries = scene.simulator.deliveries().unwrap();
    let to_us: Vec<&Value> = deliveries
        .iter()
        .filter(|one| one["url"].as_str().is_some_and(|url| url.starts_with(&scene.door.address)))
        .collect();
    assert!(to_us.len() as u64 >= CHANGES, "{}", to_us.len());
    assert!(to_us.iter().all(|one| one["status"] == 204), "each is answered without waiting");
    let asked = scene.simulator.log().unwrap().iter().filter(|entry| entry["endpoint"] == "callback_key").count();
    assert!((1..=10).contains(&asked), "the key is asked for {asked} times, whatever the number of callbacks");
    let now = health(&scene);
    assert_eq!((now["waiting"].as_u64(), now["overrun"].as_bool()), (Some(WAITING_MAX), Some(true)), "{now}");
    // Reading goes on: everything is found without a single proof.
    scene.until("all linked tickets were read behind what was counted", || {
        (health(&scene)["overrun"] == false).then_some(())
    });
    let mut notes: Vec<String> = Vec::new();
    let mut told = std::collections::BTreeMap::new();
    for event in scene.events("p") {
        match event["event"].as_str() {
            Some("note.added") => notes.push(event["note"].as_str().unwrap().to_owned()),
            Some("ticket.changed") => {
                for (field, change) in event["changes"].as_object().unwrap() {
                    told.insert((event["ticket"].as_str().unwrap().to_owned(), field.clone()), change["to"].clone());
                }
            }
            _ => {}
        }
    }
    let made = scene.simulator.control("GET", "notes", None).unwrap();
    let mut made: Vec<String> = made["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|note| note["createdBy"] == "jdoe")
        .map(|note| note["id"].to_string())
        .collect();
    made.sort();
    notes.sort();
    assert_eq!(notes, made, "each note is told once");
    for (ticket, (summary, status, owner)) in tickets.into_iter().zip(before) {
        let told = |field: &str| told.get(&(ticket.to_string(), field.to_owned())).cloned();
        let of = |field: &str| told(field).map(|value| value["id"].as_str().unwrap_or_default().to_owned());
        let known = (told("summary").unwrap_or(summary), of("status").unwrap_or(status), of("owner").unwrap_or(owner));
        assert_eq!(known, shown(ticket), "{ticket}");
    }
    assert_eq!(health(&scene)["waiting"], WAITING_MAX, "still nothing is proved");
}
