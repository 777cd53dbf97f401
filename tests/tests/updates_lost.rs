//! Changes whose answer was lost, or that somebody else was quicker with; and closing.

use psa_host::Code;
use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

fn scene() -> Scene {
    Scene::with(&["--tls"], fast())
}

fn hand_in(scene: &Scene, changes: &Value) -> Value {
    scene.world.call("tickets.update", json!({"tenant": "t", "link": scene.link, "changes": changes})).unwrap()
}

/// Waits until it is not in doubt any more.
fn settled(scene: &Scene, operation: &Value) -> Value {
    loop {
        let now = scene.operation(operation);
        if now["state"] != "in_doubt" && now["state"] != "queued" {
            return now;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn committed(scene: &Scene) -> usize {
    scene.seen("patch_ticket").iter().filter(|entry| entry["committed"] == true).count()
}

#[test]
fn a_change_whose_answer_was_lost_is_one_change() {
    for (fault, more, outcome, requests) in [
        ("reset_before_commit", json!({}), "applied", 2),
        ("reset_after_commit", json!({}), "found", 1),
        ("error_500_before_commit", json!({}), "applied", 2),
        ("error_500_after_commit", json!({}), "found", 1),
        ("late_commit", json!({"ms": 1_200}), "found", 1),
        ("truncated_json", json!({}), "found", 1),
    ] {
        let scene = scene();
        scene.fault("patch_ticket", fault, more);
        let first = hand_in(&scene, &json!({"owner": "177", "priority": "6"}));
        let second = hand_in(&scene, &json!({"priority": "5"}));
        let (first, second) = (scene.until(&first, "delivered"), scene.until(&second, "delivered"));
        assert_eq!(
            (first["outcome"].as_str(), second["outcome"].as_str()),
            (Some(outcome), Some("applied")),
            "{fault}"
        );
        let ticket = scene.get().unwrap();
        // In the order of acceptance.
        assert_eq!((&ticket["owner"]["id"], &ticket["priority"]["id"]), (&json!("177"), &json!("5")), "{fault}");
        // What comes late is a second line of the log.
        let requests = requests + usize::from(fault == "late_commit");
        assert_eq!((scene.seen("patch_ticket").len(), committed(&scene)), (requests + 1, 2), "{fault}");
    }
}

#[test]
fn what_somebody_else_has_done_meanwhile_is_not_overwritten() {
    let scene = scene();
    scene.fault("patch_ticket", "reset_before_commit", json!({}));
    let operation = hand_in(&scene, &json!({"priority": "6"}));
    scene.until(&operation, "in_doubt");
    // Within the same second as the acceptance: theirs are whole ones.
    scene.person(json!({"status": 102}));
    let ended = settled(&scene, &operation);
    assert_eq!((ended["state"].as_str(), ended["reason"].as_str()), (Some("refused"), Some("superseded")), "{ended:#}");
    assert_eq!(committed(&scene), 0);
}

#[test]
fn what_somebody_else_had_done_before_is_no_reason_not_to_send() {
    let scene = scene();
    scene.person(json!({"status": 102}));
    scene.fault("patch_ticket", "reset_before_commit", json!({}));
    let operation = hand_in(&scene, &json!({"priority": "6"}));
    assert_eq!(scene.until(&operation, "delivered")["attempts"], 2);
    assert_eq!(committed(&scene), 1);
}

#[test]
fn a_change_that_waited_too_long_is_refused() {
    let mut config = fast();
    config["outbox"]["max_age_ms"] = json!(300);
    let scene = Scene::with(&["--tls"], config);
    scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
    let operation = hand_in(&scene, &json!({"priority": "6"}));
    std::thread::sleep(std::time::Duration::from_millis(400));
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    let ended = settled(&scene, &operation);
    assert_eq!((ended["state"].as_str(), ended["reason"].as_str()), (Some("refused"), Some("too_old")), "{ended:#}");
    assert!(scene.seen("patch_ticket").is_empty());
}

#[test]
fn a_ticket_that_went_away_into_another_or_to_another_kind() {
    for (act, state, reason) in
        [(json!({"delete": true}), "refused", "ticket_gone"), (json!({"merge_into": 1003}), "held", "ticket_merged")]
    {
        // Before it is sent, and while it is in doubt.
        for doubted in [false, true] {
            let scene = scene();
            let operation = if doubted {
                scene.fault("patch_ticket", "reset_before_commit", json!({}));
                let operation = hand_in(&scene, &json!({"priority": "6"}));
                scene.until(&operation, "in_doubt");
                scene.person(act.clone());
                operation
            } else {
                scene.person(act.clone());
                hand_in(&scene, &json!({"priority": "6"}))
            };
            let ended = settled(&scene, &operation);
            assert_eq!(
                (ended["state"].as_str(), ended["reason"].as_str()),
                (Some(state), Some(reason)),
                "{doubted} {act}"
            );
            assert_eq!(scene.seen("patch_ticket").len(), usize::from(doubted), "{doubted} {act}");
        }
    }
    let scene = scene();
    scene.get().unwrap();
    scene.person(json!({"convert": "project"}));
    let operation = hand_in(&scene, &json!({"priority": "6"}));
    assert_eq!(settled(&scene, &operation)["outcome"], "applied");
}

#[test]
fn a_note_to_a_ticket_that_was_merged_before_it_was_sent_is_held() {
    let scene = scene();
    scene.person(json!({"merge_into": 1003}));
    let before = scene.words();
    let held = scene.post("For the wrong one.");
    assert_eq!((held["state"].as_str(), held["reason"].as_str()), (Some("held"), Some("ticket_merged")));
    assert_eq!(scene.words(), before);
}

#[test]
fn closing_takes_the_one_status_that_closes_and_lists_several() {
    let scene = scene();
    let close = || {
        let params = json!({"tenant": "t", "link": scene.link, "wait_ms": 60_000});
        scene.world.call("tickets.close", params)
    };
    let error = close().unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Conflict, Some("which_status")));
    assert!(error.message.contains("Completed (id 104)") && error.message.contains("Closed (id 105)"), "{error}");
    assert_eq!(error.details.unwrap()["statuses"], json!(["104", "105"]));
    assert!(scene.seen("patch_ticket").is_empty());
    // An inactive one is none that could be meant.
    scene.simulator.control("POST", "statuses/104", Some(&json!({"inactive": true}))).unwrap();
    let other = Scene::with(&["--tls"], fast());
    other.simulator.control("POST", "statuses/104", Some(&json!({"inactive": true}))).unwrap();
    let params = json!({"wait_ms": 60_000});
    let closed = other.end("tickets.close", params);
    assert_eq!((closed["outcome"].as_str(), closed["status"].as_str()), (Some("applied"), Some("105")), "{closed:#}");
    assert_eq!(other.get().unwrap()["closed"], "yes");
    assert_eq!(other.end("tickets.close", json!({}))["outcome"], "already");
    assert_eq!(other.seen("patch_ticket").len(), 1);
    // One board has none at all.
    let none = Scene::with(&["--tls"], fast());
    for status in [104, 105] {
        none.simulator.control("POST", &format!("statuses/{status}"), Some(&json!({"closedStatus": false}))).unwrap();
    }
    let params = json!({"tenant": "t", "link": none.link});
    assert!(none.world.call("tickets.close", params).unwrap_err().message.contains("no status that closes"));
}

#[test]
fn closing_what_somebody_else_has_moved_is_refused() {
    let scene = scene();
    scene.simulator.control("POST", "statuses/104", Some(&json!({"inactive": true}))).unwrap();
    scene.person(json!({"status": 102}));
    let refused = scene.end("tickets.close", json!({"base": "101"}));
    assert_eq!((refused["state"].as_str(), refused["reason"].as_str()), (Some("refused"), Some("superseded")));
    assert!(scene.seen("patch_ticket").is_empty());
}
