//! What is not believed at once: a ticket that is not there, a proof that cannot be had, a mass of changes.

use psa_host::clock::VirtualClock;
use psa_tests::inbound::Inbound;
use serde_json::{Value, json};
use std::sync::Arc;

const HOUR_MS: u64 = 3_600_000;

/// Nothing is read but what a callback says.
fn only_callbacks() -> Value {
    let far = 1_000 * 24 * HOUR_MS;
    json!({"callbacks": {"poll_ms": far, "ensure_ms": far, "sweep_ms": far}})
}

fn linked(more: &Value, clock: Option<Arc<VirtualClock>>) -> Inbound {
    let scene = Inbound::with(&["--tls"], more, clock);
    scene.registered();
    scene.link(1001);
    scene.settled();
    scene.events("p");
    scene
}

#[test]
fn a_ticket_that_is_missing_once_is_looked_for_again_before_anything_is_told() {
    let scene = linked(&only_callbacks(), None);
    scene.simulator.fault(&json!({"endpoint": "get_ticket", "fault": "not_found", "times": 1})).unwrap();
    scene.person(1001, &json!({"status": 102}));
    let told = scene.event("p", "ticket.changed");
    assert_eq!(told["changes"]["status"]["to"]["id"], "102", "it never was gone: {told:#}");
}

#[test]
fn a_ticket_is_not_gone_while_nobody_is_signed_in() {
    let scene = linked(&only_callbacks(), None);
    // The gateway of a site answers so when the keys are no good any more.
    scene.simulator.fault(&json!({"endpoint": "get_ticket", "fault": "not_found"})).unwrap();
    scene.simulator.fault(&json!({"endpoint": "member_me", "fault": "unauthorized"})).unwrap();
    scene.simulator.fault(&json!({"endpoint": "system_info", "fault": "unauthorized"})).unwrap();
    scene.person(1001, &json!({"status": 102}));
    let told = scene.host.next_event("p", 60_000).unwrap().unwrap();
    assert!(told.json.contains("\"connection.stopped\"") && told.json.contains("sign_in"), "{}", told.json);
    assert!(scene.events("p").iter().all(|event| event["event"] != "ticket.gone"));
}

#[test]
fn what_cannot_be_proved_is_asked_by_the_clock_and_given_up_after_a_day() {
    let clock = VirtualClock::at(1_790_000_000_000);
    let moving = clock.clone();
    let moves = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let on = moves.clone();
    let hand = std::thread::spawn(move || {
        while on.load(std::sync::atomic::Ordering::SeqCst) {
            moving.advance(5);
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    let mut more = only_callbacks();
    more["stall_grace_ms"] = json!(1_000 * 24 * HOUR_MS);
    more["callbacks"]["backoff_ms"] = json!(60_000);
    more["callbacks"]["backoff_max_ms"] = json!(60_000);
    let scene = linked(&more, Some(clock.clone()));
    scene.simulator.fault(&json!({"endpoint": "callback_key", "fault": "error_500_before_commit"})).unwrap();
    scene.simulator.fault(&json!({"endpoint": "search_tickets", "fault": "error_500_before_commit"})).unwrap();
    let before = scene.asked("callback_key").len();
    scene.person(1001, &json!({"status": 102}));
    scene.until("the key was asked for", || (scene.asked("callback_key").len() > before).then_some(()));
    moves.store(false, std::sync::atomic::Ordering::SeqCst);
    hand.join().unwrap();
    // A minute's rest has begun: no other callback makes the key be asked for, however long it takes by the wall clock.
    let resting = scene.asked("callback_key").len();
    for status in [103, 101, 102] {
        scene.person(1001, &json!({"status": status}));
    }
    assert!(scene.simulator.settle_deliveries().unwrap());
    (0..20).for_each(|_| clock.advance(10));
    assert_eq!(scene.asked("callback_key").len(), resting, "a proof that failed rests");
    let listed = scene.of("callbacks.deliveries", json!({})).unwrap()["items"].clone();
    let waiting = listed.as_array().unwrap().iter().filter(|one| one["state"] == "received").count();
    assert_eq!(waiting, 4, "{listed:#}");
    clock.advance(25 * HOUR_MS);
    scene.until("they are given up", || {
        clock.advance(1_000);
        let listed = scene.of("callbacks.deliveries", json!({})).unwrap()["items"].clone();
        listed.as_array().unwrap().iter().all(|one| one["state"] != "received").then_some(())
    });
    let listed = scene.of("callbacks.deliveries", json!({})).unwrap()["items"].clone();
    let given_up = listed.as_array().unwrap().iter().filter(|one| one["state"] == "unverified").count();
    assert_eq!(given_up, 4, "{listed:#}");
    let told = scene.events("p");
    assert!(told.iter().all(|event| event["event"] != "ticket.changed"), "{told:#?}");
}

#[test]
fn words_that_a_ticket_of_ours_began_with_are_not_told_as_a_note() {
    let scene = linked(&json!({}), None);
    let create = json!({"product_ticket": "HD-9", "summary": "New one", "description": "It began so.", "company": "2",
                        "board": "1", "wait_ms": 60_000});
    let made = scene.of("tickets.create", create).unwrap();
    assert_eq!(made["state"], "delivered", "{made:#}");
    let ticket: u64 = made["remote"].as_str().unwrap().parse().unwrap();
    scene.settled();
    scene.person(ticket, &json!({"note": {"text": "By a person."}}));
    let mut notes = Vec::new();
    scene.until("the person's note is told", || {
        notes.extend(scene.events("p").into_iter().filter(|event| event["event"] == "note.added"));
        notes.iter().any(|note| note["author"] == "John Doe" || note["caused_by"]["provider"] == "jdoe").then_some(())
    });
    let of_made = notes.iter().filter(|note| note["ticket"] == made["remote"]).count();
    assert_eq!(of_made, 1, "{notes:#?}");
}
