//! The page that ends a connection: nothing is lost by a slip, and what stays elsewhere is named.

use psa_tests::browse::{Shown, Visitor};
use psa_tests::inbound::Inbound;
use psa_tests::scene::Scene;
use serde_json::{Value, json};

fn path(scene: &Scene, rest: &str) -> String {
    format!("/c/{}/remove{rest}", scene.connection)
}

/// Goes where a form has led.
fn follow(browser: &Visitor<'_>, page: &Shown) -> Shown {
    assert_eq!(page.status, 303, "{}", page.text());
    browser.get(page.header("location").unwrap())
}

fn connection(scene: &Scene) -> Option<Value> {
    scene.call("connections.get", json!({})).ok()
}

#[test]
fn the_page_says_what_depends_on_it_and_proposes_the_mildest() {
    let scene = Scene::new();
    let browser =
        Visitor::new(&scene.world.host).with("references", json!({ &scene.connection: ["Rule <b>Escalate</b>"] }));
    let page = browser.get(&path(&scene, ""));
    assert_eq!(page.status, 200);
    page.says("Ticket links 1")
        .says("Changes waiting 0")
        .says("Rule <b>Escalate</b>")
        .says("psabridge")
        .says("Delete for good");
    assert!(page.body.contains("value=\"pause\" checked"), "{}", page.body);
    assert!(!page.body.contains("<b>"), "{}", page.body);
    let done = browser.post(&path(&scene, "/pause"), &[("what", "pause")]);
    follow(&browser, &done).says("Paused");
    assert_eq!(connection(&scene).unwrap()["reason"], "paused");
}

#[test]
fn nothing_goes_before_its_name_is_typed_and_the_choice_is_clear() {
    let scene = Scene::new();
    let browser = Visitor::new(&scene.world.host);
    for (rest, fields, says) in [
        ("/disconnect", vec![("what", "disconnect"), ("confirm", "psabridg")], "Type “psabridge” exactly"),
        ("/delete", vec![("what", "delete"), ("waiting", "0"), ("confirm", "")], "Type “psabridge” exactly"),
        ("/delete", vec![("what", "pause"), ("waiting", "0"), ("confirm", "psabridge")], "Nothing was done"),
        ("/pause", vec![("what", "delete")], "Nothing was done"),
    ] {
        let page = browser.post(&path(&scene, rest), &fields);
        assert_eq!(page.status, 422, "{rest} {fields:?}");
        page.says(says);
        assert_eq!(connection(&scene).unwrap()["state"], "active");
    }
    let fields = [("what", "disconnect"), ("confirm", " psabridge ")];
    let done = browser.post(&path(&scene, "/disconnect"), &fields);
    follow(&browser, &done).says("Disconnected. Links and mappings are kept.");
    let gone = connection(&scene).unwrap();
    assert_eq!((&gone["reason"], &gone["secrets"]), (&json!("disabled"), &json!([])));
    // Who we were there is not known any more: the connection's own name is to be typed.
    browser.get(&path(&scene, "")).says("It is disconnected already.").says("ConnectWise PSA");
}

#[test]
fn deleting_needs_the_number_of_what_is_lost() {
    let scene = Scene::new();
    let browser = Visitor::new(&scene.world.host);
    scene.call("connections.pause", json!({})).unwrap();
    scene.hand_in("Waits.");
    let page = browser.get(&path(&scene, ""));
    page.says("1, lost if it is deleted");
    assert_eq!(page.value("waiting").as_deref(), Some("1"));
    let confirm = ("confirm", "psabridge");
    // One more was handed in since: the page comes again, with the number that is right now.
    scene.hand_in("Waits as well.");
    for waiting in [vec![("waiting", "1"), confirm], vec![confirm]] {
        let again = browser.post(&path(&scene, "/delete"), &waiting);
        assert_eq!(again.status, 409);
        again.says("Nothing was deleted").says("it is 2 now");
        assert_eq!(again.value("waiting").as_deref(), Some("2"));
    }
    assert!(connection(&scene).is_some());
    let done = browser.post(&path(&scene, "/delete"), &[("waiting", "2"), confirm, ("what", "delete")]);
    follow(&browser, &done).says("Deleted.").says("Nothing connected yet");
    assert!(connection(&scene).is_none());
}

#[test]
fn who_may_not_delete_is_told_and_refused_and_who_may_proves_who_they_are() {
    let scene = Scene::new();
    let limited = Visitor::new(&scene.world.host).may(&["view", "configure"]);
    let page = limited.get(&path(&scene, ""));
    page.says("You need the permission “Delete” for this.");
    assert!(!page.body.contains("Delete for good"), "{}", page.body);
    let fields = [("confirm", "psabridge"), ("waiting", "0")];
    for rest in ["/disconnect", "/delete"] {
        assert_eq!(limited.post(&path(&scene, rest), &fields).status, 403, "{rest}");
    }
    assert_eq!(Visitor::new(&scene.world.host).may(&["view"]).get(&path(&scene, "")).status, 403);
    let stranger = Visitor::new(&scene.world.host).with("tenant", json!("other"));
    assert_eq!(stranger.get(&path(&scene, "")).status, 404);
    assert_eq!(stranger.post(&path(&scene, "/delete"), &fields).status, 404);

    let asked = Visitor::new(&scene.world.host).with("step_up_url", json!("https://desk.example.com/prove"));
    let away = asked.post(&path(&scene, "/delete"), &fields);
    let to = away.header("location").unwrap();
    assert!(away.status == 303 && to.starts_with("https://desk.example.com/prove?next="), "{away:?}");
    assert!(connection(&scene).is_some());
    // The way back leads to a page that can be shown, with the choice that was made.
    let back = asked.get(&path(&scene, "/delete"));
    assert!(back.status == 200 && back.body.contains("value=\"delete\" checked"), "{back:?}");
}

#[test]
fn what_cannot_be_taken_back_is_named() {
    let scene = Inbound::new(&json!({}));
    scene.registered();
    let there = scene.simulator.control("GET", "callbacks", None).unwrap();
    let ours = |entry: &&Value| entry["url"].as_str().unwrap().starts_with(&scene.door.address);
    let ids: Vec<String> =
        there["items"].as_array().unwrap().iter().filter(ours).map(|entry| entry["id"].to_string()).collect();
    assert_eq!(ids.len(), 2);
    scene.simulator.fault(&json!({"endpoint": "list_callbacks", "fault": "forbidden", "times": 100})).unwrap();
    let browser = Visitor::new(&scene.host);
    let path = format!("/c/{}/remove/delete", scene.connection);
    let page = browser.post(&path, &[("confirm", "psabridge"), ("waiting", "0")]);
    assert_eq!(page.status, 200, "{page:?}");
    page.says("Deleted.").says("2 callbacks stay registered there").says(&ids[0]).says(&ids[1]);
}
