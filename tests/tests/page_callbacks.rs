//! The page about callbacks: how well they work, what came in, and putting them right.

use psa_tests::browse::Visitor;
use psa_tests::forge::raw;
use psa_tests::inbound::Inbound;
use psa_tests::scene::Scene;
use serde_json::{Value, json};

fn path(scene: &Inbound, rest: &str) -> String {
    format!("/c/{}/callbacks{rest}", scene.connection)
}

#[test]
fn what_is_registered_and_what_came_in_is_shown() {
    let scene = Inbound::new(&json!({}));
    let token = scene.registered();
    let browser = Visitor::new(&scene.host);
    browser.get(&path(&scene, "")).says("Registered; the first one is still to come").says("Nothing has come in yet.");
    scene.link(1001);
    scene.person(1001, &json!({"status": 102}));
    let settled = scene.settled();
    let page = browser.get(&path(&scene, ""));
    page.says("Healthy").says("ticket").says("Applied").says("Details");
    assert!(page.body.contains(&scene.door.address), "{}", page.body);
    // The address is shown, its secret never.
    assert!(!page.body.contains(&token), "{}", page.body);
    let id = settled[0]["id"].to_string();
    let one = browser.get(&path(&scene, &format!("/{id}")));
    one.says(&format!("Delivery {id}")).says("Received").says("Registration");
    for missing in ["/999999", "/0", "/x", "/-1"] {
        assert_eq!(browser.get(&path(&scene, missing)).status, 404, "{missing}");
    }
}

#[test]
fn what_was_switched_off_is_put_to_work_again_and_told() {
    let scene = Inbound::new(&json!({}));
    scene.registered();
    let browser = Visitor::new(&scene.host);
    browser.post(&path(&scene, "/compare"), &[]).says("Everything is registered as it should be");
    let rows = scene.of("callbacks.list", json!({})).unwrap();
    let remote = rows["items"][0]["remote"].as_str().unwrap().to_owned();
    let (status, answer) = psa_tests::psa::ask(&scene.simulator, "DELETE", &format!("system/callbacks/{remote}"), None);
    assert!(status < 300, "{status} {answer}");
    let compared = browser.post(&path(&scene, "/compare"), &[]);
    compared.says("This differs from what should be registered").says("Register ticket owner");
    let healed = browser.post(&path(&scene, "/register"), &[]);
    assert_eq!(healed.status, 200);
    healed.says("This was put right").says("Register ticket owner");
    browser.post(&path(&scene, "/compare"), &[]).says("Everything is registered as it should be");
    browser.post(&path(&scene, "/rotate"), &[]).says("The tokens were renewed").says("Replaced");
}

#[test]
fn a_stranger_at_the_door_is_seen_and_harmless() {
    let scene = Inbound::new(&json!({}));
    let token = scene.registered();
    let body = br#"{"ID": 1001, "Action": "<script>alert(1)</script>", "Type": "ticket"}"#;
    let url = format!("/hooks/psa/{token}");
    let (status, _) = raw(&scene.door.address, "POST", &url, &[("host".to_owned(), "x".to_owned())], body);
    assert_eq!(status, 204);
    scene.settled();
    let page = Visitor::new(&scene.host).get(&path(&scene, ""));
    assert!(page.text().contains("Refused") || page.text().contains("Not proved"), "{}", page.text());
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
}

#[test]
fn without_an_address_it_says_so() {
    let scene = Scene::new();
    let page = Visitor::new(&scene.world.host).get(&format!("/c/{}/callbacks", scene.connection));
    page.says("None registered").says("No address is configured (callbacks.address)").says("Nothing is registered.");
}

#[test]
fn a_provider_that_fails_is_part_of_the_page_and_who_may_not_changes_nothing() {
    let scene = Inbound::new(&json!({}));
    scene.registered();
    scene.simulator.fault(&json!({"endpoint": "list_callbacks", "fault": "forbidden", "times": 1})).unwrap();
    let failed = Visitor::new(&scene.host).post(&path(&scene, "/compare"), &[]);
    assert_eq!(failed.status, 503, "{failed:?}");
    failed.says("That did not work").says("Registered at");
    let viewer = Visitor::new(&scene.host).may(&["view"]);
    let page = viewer.get(&path(&scene, ""));
    assert!(page.status == 200 && !page.body.contains("<form"), "{}", page.body);
    for rest in ["/register", "/compare", "/rotate"] {
        assert_eq!(viewer.post(&path(&scene, rest), &[]).status, 403, "{rest}");
        let stranger = Visitor::new(&scene.host).with("tenant", json!("other"));
        assert_eq!(stranger.post(&path(&scene, rest), &[]).status, 404, "{rest}");
    }
    let before: Vec<Value> = scene.of("callbacks.list", json!({})).unwrap()["items"].as_array().unwrap().clone();
    assert_eq!(before.len(), 2);
}
