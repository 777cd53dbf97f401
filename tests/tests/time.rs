//! Time on tickets: each entry once, as its words and hours say, whatever happens to the answer.

use psa_host::Code;
use psa_tests::psa;
use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

fn scene() -> Scene {
    let mut config = fast();
    config["outbox"]["watch_ms"] = json!([1_000, 2_000, 4_000, 8_000, 16_000]);
    Scene::with(&["--tls"], config)
}

fn hour(start: u32, words: &str) -> Value {
    json!({"started_at": format!("2026-01-31T{start:02}:00:00Z"), "ended_at": format!("2026-01-31T{start:02}:45:00Z"),
           "notes": words})
}

fn hand_in(scene: &Scene, mut entry: Value) -> Value {
    entry["tenant"] = json!("t");
    entry["link"] = json!(scene.link);
    scene.world.call("time.post", entry).unwrap()
}

/// The words at the simulator, in the order of making.
fn words(scene: &Scene) -> Vec<String> {
    let entries = psa::times(&scene.simulator, 1001);
    entries.iter().map(|entry| entry["notes"].as_str().unwrap().to_owned()).collect()
}

fn by_somebody(scene: &Scene, start: u32, words: &str) {
    let entry = json!({"chargeToId": 1001, "chargeToType": "ServiceTicket", "notes": words,
        "timeStart": format!("2026-01-31T{start:02}:00:00Z"), "timeEnd": format!("2026-01-31T{start:02}:45:00Z")});
    let (status, made) = psa::ask(&scene.simulator, "POST", "time/entries", Some(&entry));
    assert_eq!(status, 201, "{made}");
}

#[test]
fn time_is_delivered_with_all_that_was_said_of_it() {
    let scene = scene();
    let mut entry = hour(10, "Checked the fuser.");
    entry["internal_notes"] = json!("A spare one is in the car.");
    entry["billable"] = json!("do_not_bill");
    (entry["work_type"], entry["work_role"], entry["member"]) = (json!("4"), json!("11"), json!("177"));
    let posted = scene.end("time.post", entry);
    assert_eq!((posted["state"].as_str(), posted["outcome"].as_str()), (Some("delivered"), Some("applied")));
    let kept = psa::times(&scene.simulator, 1001);
    assert_eq!(kept.len(), 1);
    assert_eq!(posted["remote"], kept[0]["id"].to_string());
    assert_eq!(
        json!([kept[0]["notes"], kept[0]["internalNotes"], kept[0]["billableOption"], kept[0]["actualHours"]]),
        json!(["Checked the fuser.", "A spare one is in the car.", "DoNotBill", 0.75])
    );
    assert_eq!(
        json!([kept[0]["workType"]["id"], kept[0]["workRole"]["id"], kept[0]["member"]["id"]]),
        json!([4, 11, 177])
    );
    let listed = scene.call("time.list", json!({"ticket": "1001"})).unwrap();
    assert_eq!((listed["items"][0]["hours"].as_f64(), &listed["items"][0]["id"]), (Some(0.75), &posted["remote"]));
    let told =
        scene.world.call("operations.explain", json!({"tenant": "t", "operation": posted["operation"]})).unwrap();
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("Time for ticket 1001") && text.contains("the PSA confirmed it"), "{text}");
}

#[test]
fn whatever_happens_to_the_answer_there_is_one_entry_and_the_order_stays() {
    for (fault, more, outcome) in [
        ("reset_before_commit", json!({}), "applied"),
        ("reset_after_commit", json!({}), "found"),
        ("error_500_before_commit", json!({}), "applied"),
        ("error_500_after_commit", json!({}), "found"),
        ("late_commit", json!({"ms": 1_200, "listing_ms": 300}), "found"),
        ("truncated_json", json!({}), "found"),
    ] {
        let scene = scene();
        scene.fault("add_time_entry", fault, more);
        let handed_in: Vec<Value> =
            (8..11).map(|start| hand_in(&scene, hour(start, &format!("Work that began at {start}.")))).collect();
        let ended: Vec<Value> = handed_in.iter().map(|operation| scene.until(operation, "delivered")).collect();
        assert_eq!(ended[0]["outcome"], outcome, "{fault}");
        assert!(ended[1..].iter().all(|operation| operation["outcome"] == "applied"), "{fault}: {ended:#?}");
        let expected: Vec<String> = (8..11).map(|start| format!("Work that began at {start}.")).collect();
        assert_eq!(words(&scene), expected, "{fault}");
    }
}

#[test]
fn what_a_gateway_swallowed_with_a_good_status_is_held_and_never_sent_again() {
    let scene = scene();
    scene.fault("add_time_entry", "html_200", json!({}));
    let posted = scene.end("time.post", hour(10, "Checked the fuser."));
    // The answer said that it is done: a second one would be the host's doing.
    assert_eq!((posted["state"].as_str(), posted["reason"].as_str()), (Some("held"), Some("doubt_expired")));
    assert_eq!(scene.seen("add_time_entry").len(), 1);
    let of = json!({"tenant": "t", "operation": posted["operation"], "by": "Ann"});
    scene.world.call("operations.retry", of).unwrap();
    scene.until(&posted, "delivered");
    assert_eq!(words(&scene), ["Checked the fuser."]);
}

#[test]
fn two_equal_entries_are_two_also_when_an_answer_is_lost() {
    for (fault, more) in
        [("reset_after_commit", json!({})), ("late_commit", json!({"ms": 1_000})), ("reset_before_commit", json!({}))]
    {
        let scene = scene();
        scene.fault("add_time_entry", fault, more);
        let both = [(); 2].map(|()| hand_in(&scene, hour(10, "The same words.")));
        let ended = both.map(|operation| scene.until(&operation, "delivered"));
        assert_ne!(ended[0]["remote"], ended[1]["remote"], "{fault}");
        assert_eq!(words(&scene), ["The same words.", "The same words."], "{fault}");
    }
}

#[test]
fn the_same_hours_with_other_words_by_us_are_shown_to_a_person() {
    let scene = scene();
    scene.fault("add_time_entry", "reset_before_commit", json!({}));
    let operation = hand_in(&scene, hour(10, "Checked the fuser of the printer."));
    scene.until(&operation, "in_doubt");
    by_somebody(&scene, 10, "Something else entirely.");
    let held = scene.until(&operation, "held");
    assert_eq!(held["reason"], "near_match");
    let other = psa::times(&scene.simulator, 1001)[0]["id"].to_string();
    assert_eq!(held["evidence"]["near"][0]["time"], other);
    let told =
        scene.world.call("operations.explain", json!({"tenant": "t", "operation": operation["operation"]})).unwrap();
    assert_eq!(told["decisions"], json!(["retry", "adopt", "discard"]));
    assert!(told["text"].as_str().unwrap().contains("near"), "{told}");
    let adopt = json!({"tenant": "t", "operation": operation["operation"], "remote": other, "by": "Ann"});
    assert_eq!(scene.world.call("operations.adopt", adopt).unwrap()["outcome"], "adopted");
    assert_eq!(scene.seen("add_time_entry").iter().filter(|entry| entry["fault"].is_null()).count(), 1);
}

#[test]
fn an_entry_that_was_there_before_is_not_taken_for_a_new_one() {
    let scene = scene();
    by_somebody(&scene, 10, "Something else entirely.");
    by_somebody(&scene, 11, "Checked the fuser of the printer.");
    assert_eq!(scene.end("time.post", hour(10, "Checked the fuser of the printer."))["outcome"], "applied");
    // Before a fence they are nobody's near match either.
    scene.fault("add_time_entry", "reset_after_commit", json!({}));
    assert_eq!(scene.end("time.post", hour(12, "Checked it again, all is well."))["outcome"], "found");
    assert_eq!(words(&scene).len(), 4);
}

#[test]
fn a_second_copy_after_a_resend_is_reported() {
    let scene = scene();
    scene.fault("add_time_entry", "reset_before_commit", json!({}));
    let operation = hand_in(&scene, hour(10, "Checked the fuser of the printer."));
    let ended = scene.until(&operation, "delivered");
    assert_eq!(ended["attempts"], 2);
    // As if the first one had come very late.
    by_somebody(&scene, 10, "Checked the fuser of the printer.");
    let told = scene.events_until("time.duplicated").pop().unwrap();
    let copy = psa::times(&scene.simulator, 1001)[1]["id"].to_string();
    assert_eq!((&told["operation"], &told["copies"]), (&ended["operation"], &json!([copy])));
}

#[test]
fn wrong_times_and_words_are_refused_by_their_field_and_nothing_is_accepted() {
    let scene = scene();
    for (change, at) in [
        (json!({"started_at": "yesterday"}), "/started_at"),
        (json!({"started_at": "2026-02-30T10:00:00Z"}), "/started_at"),
        (json!({"ended_at": "2026-01-31 10:45"}), "/ended_at"),
        (json!({"ended_at": "2026-01-31T10:00:00Z"}), "/ended_at"),
        (json!({"ended_at": "2026-01-31T09:00:00Z"}), "/ended_at"),
        (json!({"ended_at": "2026-03-31T10:00:00Z"}), "/ended_at"),
        (json!({"notes": " \n"}), "/notes"),
        (json!({"notes": "a\u{7}b"}), "/notes"),
        (json!({"internal_notes": "a\u{7}b"}), "/internal_notes"),
    ] {
        let mut entry = hour(10, "Checked the fuser.");
        entry.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        (entry["tenant"], entry["link"]) = (json!("t"), json!(scene.link));
        let error = scene.world.call("time.post", entry).unwrap_err();
        assert_eq!((error.code, error.fields[0].at.as_str()), (Code::InvalidArgument, at), "{change}: {error}");
        assert!(error.message.contains("time.post") || !error.message.contains("notes.post"), "{error}");
    }
    let all = scene.world.call("operations.list", json!({"tenant": "t"})).unwrap();
    assert_eq!(all["items"], json!([]));
}

#[test]
fn milliseconds_and_offsets_become_whole_seconds_of_utc() {
    let scene = scene();
    let entry =
        json!({"started_at": "2026-01-31T11:00:00.999+01:00", "ended_at": "2026-01-31T10:30:00.5Z", "notes": "x y z"});
    scene.fault("add_time_entry", "reset_after_commit", json!({}));
    assert_eq!(scene.end("time.post", entry)["outcome"], "found");
    let kept = psa::times(&scene.simulator, 1001);
    assert_eq!(
        json!([kept[0]["timeStart"], kept[0]["timeEnd"]]),
        json!(["2026-01-31T10:00:00Z", "2026-01-31T10:30:00Z"])
    );
}
