//! Days that pass in seconds: the host's clock is moved by hand.

use psa_host::clock::VirtualClock;
use psa_host::{CallOptions, Hooks, Host};
use psa_simulator::Simulator;
use psa_tests::compile;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

/// A host whose time goes by in steps: so many milliseconds for each one of ours.
struct World {
    host: Host,
    simulator: Simulator,
    step: Arc<AtomicU64>,
    connection: Value,
    _folder: tempfile::TempDir,
}

/// As fast as time may go while requests are answered: 30 s are longer than any of them takes.
const WORKING: u64 = 100;
const HOUR: u64 = 3_600_000;

impl World {
    fn new() -> World {
        let simulator = Simulator::start(&compile::target().join("psa-simulator"), &["--tls"]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = json!({
            "data_dir": folder.path().join("data"),
            "plugins": [compile::shipped("connectwise", folder.path())],
            "vault": {"key_file": folder.path().join("vault.keys")},
            "egress": {"ca_files": [simulator.text("ca")], "allow_private": ["127.0.0.1"]},
            // All times are those of a product, but for a plugin's: it lives in real time, and minutes of the other one
            // go by while it thinks.
            "stall_grace_ms": 100 * 24 * HOUR,
        });
        let clock = VirtualClock::at(1_790_000_000_000);
        let step = Arc::new(AtomicU64::new(WORKING));
        let (moved, steps) = (Arc::downgrade(&clock), step.clone());
        std::thread::spawn(move || {
            while let Some(clock) = moved.upgrade() {
                clock.advance(steps.load(Ordering::SeqCst));
                drop(clock);
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        });
        let hooks = Hooks { clock: Some(clock), ..Hooks::default() };
        let host = Host::open(config.to_string().as_bytes(), hooks).unwrap();
        let mut world = World { host, simulator, step, connection: Value::Null, _folder: folder };
        let create = json!({"tenant": "t", "plugin": "connectwise", "settings": world.simulator.settings(),
                            "secrets": world.simulator.secrets()});
        world.connection = world.call("connections.create", create)["connection"].take();
        let of = json!({"tenant": "t", "connection": world.connection});
        assert_eq!(world.call("connections.test", of)["passed"], true);
        world
    }

    fn call(&self, method: &str, params: Value) -> Value {
        let json = self.host.call(method, params.to_string().as_bytes(), CallOptions::default()).unwrap();
        serde_json::from_str(&json).unwrap()
    }

    /// Starts a call; its result comes through the channel.
    fn submit(&self, method: &str, params: Value, timeout_ms: Option<u32>) -> mpsc::Receiver<Value> {
        let (told, results) = mpsc::channel();
        let done = move |_, result: Result<String, psa_host::Error>| {
            told.send(serde_json::from_str(&result.unwrap()).unwrap()).unwrap();
        };
        let options = CallOptions { timeout_ms, ..CallOptions::default() };
        self.host.submit(method, params.to_string().as_bytes(), options, Box::new(done)).unwrap();
        results
    }

    fn link(&self, ticket: u64) -> Value {
        let link = json!({"tenant": "t", "connection": self.connection, "product_ticket": ticket.to_string(),
                          "ticket": ticket.to_string()});
        self.call("links.create", link)["link"].take()
    }

    fn note(&self, link: &Value, text: &str) -> Value {
        self.call("notes.post", json!({"tenant": "t", "link": link, "visibility": "internal", "text": text}))
    }

    /// Lets so much time go by, so many milliseconds for each of ours.
    fn pass(&self, time: u64, step: u64) {
        self.step.store(step, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(time / step));
        self.step.store(WORKING, Ordering::SeqCst);
    }

    fn all_ended(&self) -> Vec<Value> {
        loop {
            let all = self.call("operations.list", json!({"tenant": "t", "page": {"limit": 1000}}));
            let all = all["items"].as_array().unwrap().clone();
            if all.iter().all(|operation| operation["ended"].is_string() || operation["state"] == "held") {
                return all;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

#[test]
fn sixty_hours_without_the_psa_cost_a_probe_now_and_then_and_lose_nothing() {
    let world = World::new();
    let links: Vec<Value> = (1001..1006).map(|ticket| world.link(ticket)).collect();
    world.simulator.fault(&json!({"endpoint": "*", "fault": "html_503"})).unwrap();
    let before = world.simulator.log().unwrap().len();
    for number in 0..40 {
        world.note(&links[number % links.len()], &format!("Note number {number} of many."));
    }
    world.pass(60 * HOUR, 30_000);
    let probes = world.simulator.log().unwrap().len() - before;
    let all = world.call("operations.list", json!({"tenant": "t", "page": {"limit": 1000}}));
    assert!(all["items"].as_array().unwrap().iter().all(|operation| operation["state"] == "queued"), "{all:#}");
    // One read, tried three times at most, per back-off of five minutes; and the few before it had grown so far.
    assert!(probes < 3 * (60 * 12 + 20), "{probes}");
    world.simulator.control("DELETE", "faults", None).unwrap();
    let all = world.all_ended();
    assert!(all.iter().all(|operation| operation["outcome"] == "applied"), "{all:#?}");
    let notes = world.simulator.control("GET", "notes", None).unwrap();
    for (position, ticket) in (1001..1006).enumerate() {
        let found: Vec<&str> = notes["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|note| note["ticket"] == ticket)
            .filter_map(|note| note["text"].as_str().filter(|text| text.starts_with("Note number")))
            .collect();
        let expected: Vec<String> = (0..8).map(|n| format!("Note number {} of many.", n * 5 + position)).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn what_is_too_old_is_held_and_a_person_can_still_let_it_go() {
    let world = World::new();
    let (link, other) = (world.link(1001), world.link(1002));
    world.simulator.fault(&json!({"endpoint": "*", "fault": "html_503"})).unwrap();
    let note = world.note(&link, "A week is long.");
    let status = world.call("tickets.set_status", json!({"tenant": "t", "link": other, "status": "102"}));
    world.pass(12 * 24 * HOUR, 100_000);
    world.simulator.control("DELETE", "faults", None).unwrap();
    let all = world.all_ended();
    let of = |operation: &Value| all.iter().find(|one| one["operation"] == operation["operation"]).unwrap().clone();
    assert_eq!((of(&note)["state"].as_str(), of(&note)["reason"].as_str()), (Some("held"), Some("expired")));
    assert_eq!((of(&status)["state"].as_str(), of(&status)["reason"].as_str()), (Some("refused"), Some("too_old")));
    world.call("operations.retry", json!({"tenant": "t", "operation": note["operation"], "by": "Ann"}));
    let all = world.all_ended();
    assert_eq!(all[0]["outcome"], "applied", "{all:#?}");
    // And its body goes a week after its end.
    world.pass(12 * 24 * HOUR, 100_000);
    let explained = world.call("operations.explain", json!({"tenant": "t", "operation": note["operation"]}));
    assert!(explained["text"].as_str().unwrap().contains("It has ended."), "{explained}");
}

#[test]
fn with_the_times_of_a_product_a_lost_note_is_sent_again_after_four_minutes() {
    let world = World::new();
    let link = world.link(1001);
    let order = json!({"endpoint": "add_note", "fault": "reset_before_commit", "times": 1});
    world.simulator.fault(&order).unwrap();
    let note = world.note(&link, "The printer on the second floor jams.");
    let all = world.all_ended();
    assert_eq!((all[0]["outcome"].as_str(), all[0]["attempts"].as_i64()), (Some("applied"), Some(2)), "{all:#?}");
    let explained = world.call("operations.explain", json!({"tenant": "t", "operation": note["operation"]}));
    let time = |at: &Value| at.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    let attempts = explained["attempts"].as_array().unwrap();
    let between = time(&attempts[1]["opened"]) - time(&attempts[0]["ended"]);
    assert!((240..400).contains(&between), "{between} s");
}

#[test]
fn a_call_that_is_told_to_wait_waits_longer_than_calls_may_take() {
    let world = World::new();
    let link = world.link(1001);
    let of = json!({"tenant": "t", "connection": world.connection});
    world.call("connections.pause", of.clone());
    while let Some(event) = world.host.next_event("desk", 0).unwrap() {
        world.host.ack_event("desk", event.id).unwrap();
    }
    let event = world.submit("events.next", json!({"consumer": "desk", "timeout_ms": 24 * HOUR}), None);
    let note =
        json!({"tenant": "t", "link": link, "visibility": "internal", "text": "In a while.", "wait_ms": 24 * HOUR});
    let note = world.submit("notes.post", note, None);
    // Ten minutes; a call has one.
    world.pass(HOUR / 6, 1_000);
    world.call("connections.resume", of);
    assert_eq!(event.recv().unwrap()["event"]["event"], "connection.resumed");
    assert_eq!(note.recv().unwrap()["state"], "delivered");
    // Who gives the call itself less time has said so.
    let hours = json!({"consumer": "other", "timeout_ms": 24 * HOUR});
    while let Some(event) = world.host.next_event("other", 0).unwrap() {
        world.host.ack_event("other", event.id).unwrap();
    }
    assert_eq!(world.submit("events.next", hours, Some(1_000)).recv().unwrap(), json!({}));
}

#[test]
fn closing_does_not_wait_for_calls_that_are_told_to_wait() {
    let world = World::new();
    let link = world.link(1001);
    world.call("connections.pause", json!({"tenant": "t", "connection": world.connection}));
    let note = json!({"tenant": "t", "link": link, "visibility": "internal", "text": "Later.",
                      "wait_ms": 10_000_000_000_u64});
    let note = world.submit("notes.post", note, None);
    // Not before it is accepted: then it waits, for months.
    while world.call("operations.list", json!({"tenant": "t"}))["items"].as_array().unwrap().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    world.host.close(60_000).unwrap();
    assert_eq!(note.recv().unwrap()["state"], "queued");
}
