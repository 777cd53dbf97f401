//! The PSA's door for signing keys hangs while callbacks rain: nobody waits for it but the proofs, and what waits is bounded
//! on disk and in memory.
//!
//! `PSA_KEY_HANGS=100000` makes that many changes; how long the answers took is printed and not asserted.

use psa_tests::inbound::Inbound;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const WAITING_MAX: u64 = 200;
/// What the process may grow by: if each callback were held, its text and what belongs to it, it would be more.
const GROWTH_BYTES_MAX: u64 = 64 << 20;

fn health(scene: &Inbound) -> Value {
    scene.of("callbacks.list", json!({})).unwrap()["health"].clone()
}

/// What this process has in memory, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// What the product knows, from what it was told.
struct Known {
    /// Summary, status and owner by ticket, as they were before.
    fields: BTreeMap<u64, [Value; 3]>,
    notes: Vec<String>,
}

impl Known {
    fn hear(&mut self, scene: &Inbound) {
        for event in scene.events("p") {
            match event["event"].as_str() {
                Some("note.added") => self.notes.push(event["note"].as_str().unwrap().to_owned()),
                Some("ticket.changed") => {
                    let known = self.fields.get_mut(&event["ticket"].as_str().unwrap().parse().unwrap()).unwrap();
                    for (place, field) in ["summary", "status", "owner"].iter().enumerate() {
                        let Some(to) = event["changes"].get(field).map(|change| &change["to"]) else { continue };
                        known[place] = if place == 0 { to.clone() } else { json!(to["id"].as_str().unwrap_or("null")) };
                    }
                }
                _ => {}
            }
        }
    }

    /// What is known is what the PSA shows, and each note of others was told once.
    fn is_what_the_psa_shows(&self, scene: &Inbound) {
        for (ticket, known) in &self.fields {
            assert_eq!(*known, shown(scene, *ticket), "{ticket}");
        }
        let made = scene.simulator.control("GET", "notes", None).unwrap();
        let made = made["items"].as_array().unwrap().iter().filter(|note| note["createdBy"] == "jdoe");
        let mut made: Vec<String> = made.map(|note| note["id"].to_string()).collect();
        let mut told = self.notes.clone();
        made.sort();
        told.sort();
        assert_eq!(told, made, "each note is told once");
    }
}

fn shown(scene: &Inbound, ticket: u64) -> [Value; 3] {
    let there = scene.simulator.control("GET", &format!("tickets/{ticket}"), None).unwrap()["ticket"].clone();
    let id = |of: &str| json!(there[of]["id"].to_string());
    [there["summary"].clone(), id("status"), id("owner")]
}

#[test]
fn callbacks_are_kept_and_reading_goes_on_while_the_key_cannot_be_had() {
    let changes: u64 = std::env::var("PSA_KEY_HANGS").map_or(2_000, |changes| changes.parse().unwrap());
    let scene = Inbound::new(&json!({"callbacks": {"waiting_max": WAITING_MAX, "poll_ms": 200}}));
    scene.registered();
    let tickets: Vec<u64> = (1001..1021).collect();
    for ticket in &tickets {
        scene.link(*ticket);
    }
    scene.events("p");
    let fields = tickets.iter().map(|ticket| (*ticket, shown(&scene, *ticket))).collect();
    let mut known = Known { fields, notes: Vec::new() };
    scene.simulator.switches(&json!({"delivery_scale": 1.0})).unwrap();
    scene.simulator.fault(&json!({"endpoint": "callback_key", "fault": "hang"})).unwrap();
    let before = resident();
    // As many notes however many changes, so that what grows is the door's and not the lists' that are read.
    let notes_percent = 20_000.0 / changes as f64;
    let order = json!({"changes": changes, "tickets": tickets, "notes_percent": notes_percent, "seed": 3});
    scene.simulator.control("POST", "tickets/churn", Some(&order)).unwrap();
    // Deliveries end although no proof has: a door that waited would be given up after five seconds.
    scene.until("all are delivered", || scene.simulator.settle_deliveries().unwrap().then_some(()));
    let grown = resident().saturating_sub(before);
    let answers = scene.door.answers();
    println!("{answers}; the process grew by {} KiB", grown / 1024);
    assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes more are in memory");
    let deliveries = scene.simulator.deliveries().unwrap();
    let to_us: Vec<&Value> = deliveries
        .iter()
        .filter(|one| one["url"].as_str().is_some_and(|url| url.starts_with(&scene.door.address)))
        .collect();
    assert!(to_us.len() as u64 >= changes, "{}", to_us.len());
    assert!(to_us.iter().all(|one| one["status"] == 204), "each is answered without waiting");
    let asked = scene.asked("callback_key").len();
    assert!(asked >= 1 && asked as u64 <= 10 + changes / 2_000, "it is asked for by the clock: {asked} times");
    assert_eq!(health(&scene)["waiting"], WAITING_MAX);
    let counted = to_us.len() as u64 - WAITING_MAX;
    assert_eq!(rows(&scene), (WAITING_MAX, counted), "what is not kept one by one is counted");
    // Reading goes on: everything is found without a single proof.
    scene.until("all linked tickets were read behind what was counted", || {
        (health(&scene)["overrun"] == false).then_some(())
    });
    known.hear(&scene);
    known.is_what_the_psa_shows(&scene);
    assert_eq!(health(&scene)["waiting"], WAITING_MAX, "still nothing is proved");
    // The key can be had again: what waited is proved, and there is nothing to tell.
    scene.simulator.control("DELETE", "faults", None).unwrap();
    scene.until("all are proved", || (health(&scene)["waiting"] == 0).then_some(()));
    scene.person(1001, &json!({"summary": "The last change."}));
    while known.fields[&1001][0] != "The last change." {
        let event = scene.event("last", "ticket.changed");
        if event["changes"]["summary"]["to"] == "The last change." {
            known.hear(&scene);
        }
    }
    known.is_what_the_psa_shows(&scene);
}

/// Deliveries that are rows, judged or not, and those that are counted only.
fn rows(scene: &Inbound) -> (u64, u64) {
    let db = rusqlite::Connection::open(scene.folder.path().join("data/store.db")).unwrap();
    let both = "SELECT (SELECT count(*) FROM callbacks), (SELECT overflow FROM cursors)";
    db.query_row(both, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}
