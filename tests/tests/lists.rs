//! Lists that lie, and looks that come more often than they may.

use psa_tests::inbound::Inbound;
use psa_tests::time::Time;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const MINUTE: u64 = 60_000;

/// A scene in which time passes only when it is let pass, with these tickets linked.
fn stopped(callbacks: &Value, tickets: std::ops::Range<u64>) -> (Inbound, Time) {
    let (scene, time) = Time::stopped("60", &json!({"callbacks": callbacks}), 0);
    tickets.for_each(|ticket| drop(scene.link(ticket)));
    scene.events("p");
    (scene, time)
}

#[test]
fn a_list_of_notes_without_an_end_is_not_taken_for_the_notes() {
    let far = 1_000 * 24 * 60 * MINUTE;
    let scene = Inbound::new(&json!({"callbacks": {"poll_ms": far, "ensure_ms": far, "sweep_ms": far}}));
    scene.registered();
    scene.link(1001);
    scene.settled();
    scene.events("p");
    scene.simulator.fault(&json!({"endpoint": "list_notes", "fault": "endless"})).unwrap();
    scene.person(1001, &json!({"note": {"text": "By a person."}}));
    scene.person(1001, &json!({"status": 102}));
    scene.until("the reading is given up", || {
        let trouble = scene.of("callbacks.list", json!({})).unwrap()["health"].to_string();
        let logged = scene.log.lock().unwrap().iter().any(|line| line.contains("have no end"));
        (logged || trouble.contains("have no end")).then_some(())
    });
    assert_eq!(scene.events("p"), Vec::<Value>::new());
    scene.simulator.control("DELETE", "faults", None).unwrap();
    assert_eq!(scene.event("p", "ticket.changed")["changes"]["status"]["to"]["id"], "102");
    scene.settled();
    let notes = scene.events("all").into_iter().filter(|event| event["event"] == "note.added").count();
    assert_eq!(notes, 1, "each note is told once");
}

#[test]
fn a_list_that_was_cut_short_is_read_again_and_moves_nothing() {
    let (scene, mut time) = stopped(&json!({"poll_ms": 2 * MINUTE}), 1001..1003);
    time.pass(&scene, 4 * MINUTE);
    scene.simulator.switches(&json!({"callback_lose_percent": 100.0})).unwrap();
    let until_look = |time: &mut Time| {
        let before = scene.asked("search_tickets").len();
        let looked = || scene.asked("search_tickets").len() > before;
        assert!(
            (0..600).any(|_| looked() || {
                time.pass(&scene, 1_000);
                false
            }),
            "there was no look within ten minutes"
        );
    };
    // Right after a look, which is two lists, so that the change is within the window of the next one: that one is cut short.
    until_look(&mut time);
    time.pass(&scene, 5_000);
    scene.simulator.fault(&json!({"endpoint": "search_tickets", "fault": "truncated_json", "times": 1})).unwrap();
    scene.person(1001, &json!({"status": 102}));
    until_look(&mut time);
    assert!(scene.events("p").iter().all(|event| event["event"] != "ticket.changed"));
    let told = std::iter::repeat_with(|| {
        time.pass(&scene, MINUTE);
        scene.events("p").into_iter().find(|event| event["event"] == "ticket.changed")
    });
    let told = told.take(10).flatten().next().expect("the next window has it");
    assert_eq!(told["changes"]["status"]["to"]["id"], "102");
}

/// A look may find a thousand tickets, and reading them takes a while in which callbacks come for some of them.
#[test]
fn what_a_look_has_found_is_read_once_with_what_callbacks_say_meanwhile() {
    let (scene, mut time) = stopped(&json!({"poll_ms": 2 * MINUTE, "settle_ms": 10_000}), 1001..1002);
    time.pass(&scene, 4 * MINUTE);
    scene.simulator.switches(&json!({"callback_lose_percent": 100.0})).unwrap();
    scene.person(1001, &json!({"summary": "Nobody heard of it"}));
    let read = || scene.asked("get_ticket").len();
    let before = read();
    let to_read = || scene.of("callbacks.list", json!({})).unwrap()["health"]["to_read"].clone();
    for _ in 0..600 {
        time.pass(&scene, 1_000);
        if to_read() == 1 {
            break;
        }
    }
    assert_eq!((to_read(), read()), (json!(1), before), "the look has found it, and it is not read yet");
    scene.simulator.switches(&json!({"callback_lose_percent": 0.0})).unwrap();
    scene.person(1001, &json!({"summary": "A callback tells of it"}));
    assert!(scene.simulator.settle_deliveries().unwrap());
    time.pass(&scene, MINUTE);
    let changed =
        |event: &Value| (event["event"] == "ticket.changed").then(|| event["changes"]["summary"]["to"].clone());
    let told: Vec<Value> = scene.events("p").iter().filter_map(changed).collect();
    assert_eq!((told, read()), (vec![json!("A callback tells of it")], before + 1));
}

#[test]
fn many_changes_in_one_window_are_told_as_a_matter_for_people_too() {
    let (scene, mut time) = stopped(&json!({"poll_ms": 2 * MINUTE, "mass_change": 3}), 1001..1005);
    time.pass(&scene, 4 * MINUTE);
    scene.simulator.switches(&json!({"callback_lose_percent": 100.0})).unwrap();
    let mut mass = |tickets: &[u64], status: u64| {
        tickets.iter().for_each(|ticket| scene.person(*ticket, &json!({"summary": format!("Now {status}")})));
        let (mut changed, mut mass) = (BTreeSet::new(), Vec::new());
        for _ in 0..20 {
            time.pass(&scene, MINUTE);
            for event in scene.events("p") {
                match event["event"].as_str() {
                    Some("ticket.changed") => drop(changed.insert(event["ticket"].to_string())),
                    Some("connection.mass_change") => mass.push((event["what"].clone(), event["changed"].clone())),
                    _ => {}
                }
            }
            if changed.len() == tickets.len() {
                return mass;
            }
        }
        panic!("only {changed:?} were told");
    };
    assert_eq!(mass(&[1001, 1002], 1), vec![]);
    assert_eq!(mass(&[1001, 1002, 1003], 2), vec![(json!("tickets_changed"), json!(3))]);
    assert_eq!(mass(&[1004], 3), vec![], "once");
}

#[test]
fn whoever_calls_the_door_makes_the_next_look_come_sooner_but_not_more_often() {
    let (scene, mut time) = stopped(&json!({"poll_ms": 12 * MINUTE, "waiting_max": 1}), 1001..1046);
    time.pass(&scene, 15 * MINUTE);
    scene.simulator.fault(&json!({"endpoint": "callback_key", "fault": "error_500_before_commit"})).unwrap();
    let looks = || scene.asked("search_tickets").len();
    let read = || -> BTreeSet<String> {
        scene.asked("get_ticket").iter().filter_map(|entry| entry["path"].as_str().map(str::to_owned)).collect()
    };
    let change = |to: u64| {
        scene.person(1001, &json!({"summary": format!("Summary {to}")}));
        assert!(scene.simulator.settle_deliveries().unwrap());
    };
    // What waits for its proof would make the steps of `Time` short for ever.
    let pass = |ms: u64| {
        for _ in 0..ms / 250 {
            scene.clock().advance(250);
            scene.simulator.control("POST", "clock", Some(&json!({"advance_ms": 250}))).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    };
    // One waits, and the next one is counted: a look comes at once, not after the rest of twelve minutes.
    let before = looks();
    change(1);
    change(2);
    pass(10_000);
    let sooner = looks();
    assert!(sooner > before, "{before} {sooner}");
    // A twelfth of the time goes by in any case.
    for to in 3..8 {
        change(to);
        pass(5_000);
    }
    assert_eq!(looks(), sooner, "how often is looked is not theirs to say");
    pass(MINUTE);
    assert!(looks() > sooner);
    // They may have spoken of any ticket, also of those that do not fit into one round.
    scene.simulator.control("DELETE", "log", None).unwrap();
    change(9);
    for _ in 0..300 {
        pass(2_000);
        if read().len() == 45 {
            break;
        }
    }
    assert_eq!(read().len(), 45, "every linked ticket is read behind what was counted");
    assert_eq!(scene.of("callbacks.list", json!({})).unwrap()["health"]["overrun"], false);
}
