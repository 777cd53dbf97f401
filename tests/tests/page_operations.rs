//! The page of an operation: what is known of it, and each decision of a person.

use psa_tests::browse::Visitor;
use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

fn scene() -> Scene {
    Scene::with(&["--tls"], fast())
}

fn page(scene: &Scene, operation: &Value) -> String {
    format!("/c/{}/operations/{}", scene.connection, operation["operation"].as_str().expect("it has an id"))
}

fn steps(visitor: &Visitor<'_>, url: &str) -> Vec<String> {
    let view = visitor.with("render", json!("json")).get(url).json();
    let steps = view["steps"].as_array().unwrap_or_else(|| panic!("{view:#}")).iter();
    steps.map(|step| step["name"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A note of which nobody knows whether it arrived, and another one of ours with other words.
fn near_match(scene: &Scene) -> Value {
    scene.fault("add_note", "reset_before_commit", json!({}));
    let note = scene.hand_in("The printer on the second floor jams.");
    scene.until(&note, "in_doubt");
    scene
        .person(json!({"note": {"text": "Quite other words altogether.", "createdBy": "psabridge", "internal": true}}));
    assert_eq!(scene.until(&note, "held")["reason"], "near_match");
    note
}

#[test]
fn what_was_found_can_be_chosen_and_no_words_are_shown() {
    let scene = scene();
    let ann = Visitor::new(&scene.world.host);
    let note = near_match(&scene);
    let here = page(&scene, &note);
    let remote = scene.operation(&note)["evidence"]["near"][0]["note"].as_str().unwrap().to_owned();
    assert_eq!(steps(&ann, &here), ["retry", "adopt", "discard"]);
    let shown = ann.get(&here);
    shown.says("Internal note for HD-1001").says("Needs a decision").says("Something that may be it").says(&remote);
    shown.says("not known whether it was applied").says("Nothing more happens by itself");
    let json = ann.with("render", json!("json")).get(&here).body;
    for words in ["The printer on the second floor", "Quite other words"] {
        shown.hides(words);
        assert!(!json.contains(words), "{json}");
    }
    // Nothing chosen, nothing typed.
    let refused = ann.post(&format!("{here}/adopt"), &[]);
    assert_eq!(refused.status, 422);
    refused.says("Nothing was done");
    let adopted = ann.post_and_follow(&format!("{here}/adopt"), &[("remote", &remote), ("other", "")]);
    adopted.says("Noted: it is there.").says("Delivered").says("Somebody said which one it is").says("Ann Lee (u1)");
    assert_eq!(scene.operation(&note)["remote"], remote.as_str());
    assert!(steps(&ann, &here).is_empty());
    // What has ended stays ended, and the page says so.
    let late = ann.post(&format!("{here}/discard"), &[("sure", "on")]);
    assert_eq!(late.status, 409);
    late.says("It has ended meanwhile");
    // The same entity is never two things.
    let other = near_match_again(&scene);
    let taken = ann.post(&format!("{}/adopt", page(&scene, &other)), &[("other", &remote)]);
    assert_eq!(taken.status, 409, "{}", taken.text());
    taken.says("belongs to another change");
}

fn near_match_again(scene: &Scene) -> Value {
    scene.fault("add_note", "reset_before_commit", json!({}));
    let note = scene.hand_in("The other printer jams too.");
    scene.until(&note, "in_doubt");
    scene.person(json!({"note": {"text": "Still other words.", "createdBy": "psabridge", "internal": true}}));
    scene.until(&note, "held");
    note
}

#[test]
fn what_may_double_or_lose_something_is_asked_twice() {
    let scene = scene();
    let ann = Visitor::new(&scene.world.host);
    let note = near_match(&scene);
    let here = page(&scene, &note);
    for way in ["retry", "discard"] {
        let refused = ann.post(&format!("{here}/{way}"), &[]);
        assert_eq!(refused.status, 422, "{way}");
        refused.says("Tick the box");
        assert_eq!(scene.operation(&note)["state"], "held", "{way}");
    }
    ann.get(&here).says("It may have arrived before.").says("It is lost here for good.");
    // It is looked for first, and the other note is still there.
    ann.post_and_follow(&format!("{here}/retry"), &[("sure", "on")]).says("It goes on.");
    assert_eq!(scene.until(&note, "held")["reason"], "near_match");
    assert_eq!(scene.seen("add_note").len(), 1);
    ann.post_and_follow(&format!("{here}/discard"), &[("sure", "on")]).says("Dropped.").says("Decided by Ann Lee (u1)");
    assert_eq!(scene.operation(&note)["state"], "discarded");
    let activity = scene.world.call("activity.list", json!({"tenant": "t"})).unwrap();
    let entries = activity["items"].as_array().unwrap();
    for action in ["operation.retried", "operation.discarded"] {
        let entry = entries.iter().find(|entry| entry["action"] == action).unwrap();
        assert_eq!(
            (entry["actor"].as_str(), entry["detail"]["request"]["id"].as_str()),
            (Some("Ann Lee (u1)"), Some("r-1"))
        );
    }
}

#[test]
fn what_waits_can_be_taken_back_and_what_is_in_doubt_cannot() {
    let mut times = fast();
    times["outbox"]["quiet_ms"] = json!(60_000);
    let scene = Scene::with(&["--tls"], times);
    let ann = Visitor::new(&scene.world.host);
    scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
    let note = scene.hand_in("Never mind.");
    let here = page(&scene, &note);
    assert_eq!(steps(&ann, &here), ["cancel"]);
    ann.get(&here).says("It waits for its turn").says("Take it back").hides("Never mind");
    ann.post_and_follow(&format!("{here}/discard"), &[("sure", "on")]).says("Dropped.");
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    scene.fault("add_note", "reset_before_commit", json!({}));
    let note = scene.hand_in("On its way.");
    scene.until(&note, "in_doubt");
    let here = page(&scene, &note);
    assert!(steps(&ann, &here).is_empty());
    ann.get(&here).says("In doubt").says("looked for again and again").says("If it cannot be told, you are asked");
    for (way, words) in [("retry", "not held any more"), ("discard", "being sent or looked for")] {
        let refused = ann.post(&format!("{here}/{way}"), &[("sure", "on")]);
        assert_eq!(refused.status, 409, "{way}");
        refused.says(words);
    }
}

#[test]
fn a_missing_mapping_is_said_and_leads_to_where_it_is_made() {
    let scene = scene();
    let ann = Visitor::new(&scene.world.host);
    let values = json!({"tenant": "t", "kind": "status", "rev": 1, "rows": [{"id": "working", "name": "Working"}]});
    scene.world.call("product.set_values", values).unwrap();
    let status = json!({"tenant": "t", "link": scene.link, "value": "working"});
    let held = scene.world.call("tickets.set_status", status).unwrap();
    scene.until(&held, "held");
    let here = page(&scene, &held);
    // A change of a ticket is no thing of its own that could be there already.
    assert_eq!(steps(&ann, &here), ["retry", "discard"]);
    let shown = ann.get(&here);
    shown.says("“working” is mapped to no status of board 1").says("once the status is mapped").says("Status: working");
    assert!(shown.body.contains("/map/statuses?scope=1"), "{}", shown.body);
    // Nothing of it was sent, so nothing is asked.
    ann.post_and_follow(&format!("{here}/retry"), &[]).says("It goes on.");
    assert_eq!(scene.until(&held, "held")["reason"], "needs_mapping");
    let items = json!([{"value": "working", "status": "102"}]);
    scene.call("statuses.map", json!({"scope": "1", "items": items, "by": "Ann"})).unwrap();
    scene.until(&held, "delivered");
    ann.get(&here).says("Delivered").says("It has ended.");
}

#[test]
fn what_waited_too_long_is_tried_again_all_at_once() {
    let mut times = fast();
    times["outbox"]["max_age_ms"] = json!(1_500);
    let scene = Scene::with(&["--tls"], times);
    let ann = Visitor::new(&scene.world.host);
    scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
    let notes = [scene.hand_in("One."), scene.hand_in("Two.")];
    std::thread::sleep(std::time::Duration::from_millis(1_600));
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    for note in &notes {
        assert_eq!(scene.until(note, "held")["reason"], "expired");
    }
    let list = format!("/c/{}/tickets", scene.connection);
    ann.get(&list).says("Retry all 2 that are held").says("waited too long");
    ann.may(&["view"]).get(&list).hides("tickets/retry");
    ann.post_and_follow(&format!("{list}/retry"), &[]).says("They are tried again.");
    for note in &notes {
        scene.until(note, "delivered");
    }
    assert_eq!(scene.words(), ["One.", "Two."]);
    ann.get(&list).hides("tickets/retry");
}

#[test]
fn who_may_not_is_refused_and_who_is_elsewhere_finds_nothing() {
    let scene = scene();
    let ann = Visitor::new(&scene.world.host);
    let note = near_match(&scene);
    let here = page(&scene, &note);
    let bo = ann.may(&["view", "configure", "secrets", "map", "delete", "audit"]);
    bo.get(&here).says("Needs a decision").hides("/retry\"").hides("/adopt\"").hides("/discard\"");
    assert!(steps(&bo, &here).is_empty());
    let other = ann.with("tenant", json!("other"));
    assert_eq!(other.get(&here).status, 404);
    for way in ["retry", "adopt", "discard"] {
        let fields = [("sure", "on"), ("other", "1")];
        assert_eq!(bo.post(&format!("{here}/{way}"), &fields).status, 403, "{way}");
        assert_eq!(other.post(&format!("{here}/{way}"), &fields).status, 404, "{way}");
        // From another site's page.
        let mut tricked = ann.clone();
        tricked.headers = vec![("Sec-Fetch-Site", "cross-site")];
        assert_eq!(tricked.post(&format!("{here}/{way}"), &fields).status, 403, "{way}");
        assert_eq!(ann.get(&format!("{here}/{way}")).status, 405, "{way}");
    }
    assert_eq!(scene.operation(&note)["state"], "held");
    let activity = scene.world.call("activity.list", json!({"tenant": "t"})).unwrap();
    let refused: Vec<&Value> =
        activity["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "page.refused").collect();
    let reasons = |reason: &str| refused.iter().filter(|entry| entry["detail"]["reason"] == reason).count();
    assert_eq!((reasons("operate"), reasons("csrf")), (3, 3), "{refused:#?}");
    // Of a connection that it is not of.
    assert_eq!(ann.get(&here.replace(&scene.connection, "c_other")).status, 404);
}
