//! Time on tickets: whose it is, who sees it, and what the PSA refuses.

use psa_tests::psa;
use psa_tests::scene::{Scene, fast};
use psa_tests::shared::{Shared, call, wait_until_all_ended};
use serde_json::{Value, json};

fn scene() -> Scene {
    Scene::with(&["--tls"], fast())
}

fn entry(words: &str) -> Value {
    json!({"started_at": "2026-01-31T10:00:00Z", "ended_at": "2026-01-31T10:45:00Z", "notes": words})
}

#[test]
fn where_the_text_is_shown_is_one_flag_on_the_wire_and_nobody_is_mailed() {
    let scene = scene();
    for (show_as, flags) in [
        (Value::Null, [false, false, false]),
        (json!("public"), [true, false, false]),
        (json!("internal"), [false, true, false]),
        (json!("resolution"), [false, false, true]),
    ] {
        let mut time = entry(&format!("Shown as {show_as}."));
        time["show_as"] = show_as.clone();
        assert_eq!(scene.end("time.post", time)["outcome"], "applied", "{show_as}");
        let sent = scene.seen("add_time_entry").pop().unwrap()["body"].clone();
        let names = ["addToDetailDescriptionFlag", "addToInternalAnalysisFlag", "addToResolutionFlag"];
        assert_eq!(names.map(|name| sent[name].clone()), flags.map(Value::Bool), "{show_as}");
        for flag in ["emailContactFlag", "emailResourceFlag", "emailCcFlag"] {
            assert_eq!(sent[flag], false, "{flag}");
        }
        // What is shown somewhere is part of what was said; what is not, is not.
        let said = scene.call("tickets.conversation", json!({"ticket": "1001"})).unwrap();
        let shown = said["items"].as_array().unwrap().iter().find(|one| one["text"] == format!("Shown as {show_as}."));
        assert_eq!(shown.map_or(&Value::Null, |one| &one["visibility"]), &show_as);
    }
    assert_eq!(scene.simulator.control("GET", "mails", None).unwrap()["count"], 0);
}

#[test]
fn the_member_is_the_one_that_was_said_else_the_agents_else_the_account() {
    let scene = scene();
    let map = json!({"items": [{"agent": "agent-7", "member": "178"}], "by": "Ann"});
    scene.call("members.map", map).unwrap();
    for (member, agent, expected) in [
        (Value::Null, Value::Null, 180),
        (Value::Null, json!("agent-7"), 178),
        (json!("177"), json!("agent-7"), 177),
        (Value::Null, json!("nobody"), 180),
    ] {
        let mut time = entry(&format!("By {member} and {agent}."));
        (time["member"], time["agent"]) = (member, agent);
        assert_eq!(scene.end("time.post", time)["outcome"], "applied");
        assert_eq!(psa::times(&scene.simulator, 1001).last().unwrap()["member"]["id"], expected);
    }
    // A look finds what is another member's as well: who entered it is still the account.
    scene.fault("add_time_entry", "reset_after_commit", json!({}));
    let mut time = entry("Work of somebody, its answer lost.");
    time["agent"] = json!("agent-7");
    assert_eq!(scene.end("time.post", time)["outcome"], "found");
}

#[test]
fn a_refusal_of_the_psa_ends_it_with_its_words() {
    let scene = scene();
    scene.simulator.switches(&json!({"time_closed_before": "2026-02-01"})).unwrap();
    let refused = scene.end("time.post", entry("Too long ago."));
    assert_eq!((refused["state"].as_str(), refused["attempts"].as_i64()), (Some("refused"), Some(1)));
    let words = refused["error"]["message"].as_str().unwrap();
    assert!(words.contains("There is no open report period for this date."), "{words}");
    let told =
        scene.world.call("operations.explain", json!({"tenant": "t", "operation": refused["operation"]})).unwrap();
    assert!(told["text"].as_str().unwrap().contains("There is no open report period"), "{told}");
    // The next one goes on.
    scene.simulator.switches(&json!({"time_closed_before": ""})).unwrap();
    assert_eq!(scene.end("time.post", entry("Open again."))["outcome"], "applied");
    for change in [json!({"member": "9999"}), json!({"work_type": "5"}), json!({"work_role": "x"})] {
        let mut time = entry("With something that is not there.");
        time.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(scene.end("time.post", time)["state"], "refused", "{change}");
    }
    assert_eq!(psa::times(&scene.simulator, 1001).len(), 1);
}

#[test]
fn a_ticket_that_goes_away_or_into_another_ends_it() {
    for (act, state, reason) in
        [(json!({"delete": true}), "refused", "ticket_gone"), (json!({"merge_into": 1003}), "held", "ticket_merged")]
    {
        let scene = scene();
        scene.fault("add_time_entry", "reset_before_commit", json!({}));
        let time = json!({"tenant": "t", "link": scene.link, "started_at": "2026-01-31T10:00:00Z",
                          "ended_at": "2026-01-31T10:45:00Z", "notes": "Checked the fuser."});
        let operation = scene.world.call("time.post", time).unwrap();
        scene.until(&operation, "in_doubt");
        scene.person(act.clone());
        let of = json!({"tenant": "t", "operation": operation["operation"]});
        let ended = loop {
            let now = scene.world.call("operations.get", of.clone()).unwrap();
            if now["state"] != "in_doubt" {
                break now;
            }
        };
        assert_eq!((ended["state"].as_str(), ended["reason"].as_str()), (Some(state), Some(reason)), "{act}");
        assert_eq!(scene.seen("add_time_entry").len(), 1, "{act}");
    }
}

#[test]
fn time_of_a_ticket_that_was_gone_merged_or_converted_before_it_was_sent() {
    let gone = scene();
    gone.person(json!({"delete": true}));
    let refused = gone.end("time.post", entry("Too late."));
    assert_eq!(
        (refused["state"].as_str(), refused["reason"].as_str()),
        (Some("refused"), Some("ticket_gone")),
        "{refused:#}"
    );
    let merged = scene();
    merged.person(json!({"merge_into": 1003}));
    let held = merged.end("time.post", entry("For the wrong one."));
    assert_eq!((held["state"].as_str(), held["reason"].as_str()), (Some("held"), Some("ticket_merged")), "{held:#}");
    let converted = scene();
    converted.get().unwrap();
    converted.person(json!({"convert": "project"}));
    assert_eq!(converted.end("time.post", entry("On a project now."))["outcome"], "applied");
    assert_eq!(psa::times(&converted.simulator, 1001)[0]["chargeToType"], "ProjectTicket");
}

#[test]
fn a_restored_database_does_not_send_its_time_twice() {
    let shared = Shared::new();
    let host = shared.open(json!({"outbox": {"deliver": false}})).unwrap();
    let (connection, link) = shared.link(&host);
    let of = json!({"tenant": "t", "connection": connection, "ticket": "1001"});
    for number in 0..12 {
        let mut time = entry(&format!("Entry {} of the queue.", number % 10));
        (time["tenant"], time["link"]) = (json!("t"), json!(link));
        call(&host, "time.post", time).unwrap();
    }
    let copy = shared.folder.path().join("copy.db");
    call(&host, "store.backup", json!({"path": copy})).unwrap();
    host.close(1000).unwrap();
    let kept = |host: &psa_host::Host| {
        let found = call(host, "time.list", of.clone()).unwrap();
        found["items"].as_array().unwrap().iter().map(|one| one["notes"].clone()).collect::<Vec<_>>()
    };
    // Queued work survives a restart.
    let host = shared.open(json!({})).unwrap();
    wait_until_all_ended(&host);
    let first = kept(&host);
    assert_eq!(first.len(), 12);
    host.close(1000).unwrap();
    let data = shared.folder.path().join("data");
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    std::fs::copy(&copy, data.join("store.db")).unwrap();
    let host = shared.open(json!({})).unwrap();
    let ended = wait_until_all_ended(&host);
    assert!(ended.iter().all(|operation| operation["outcome"] == "found"), "{ended:#?}");
    assert_eq!(kept(&host), first);
}
