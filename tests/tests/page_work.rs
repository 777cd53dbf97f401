//! Long work on the page: it goes on by itself, says how far it is, is never done twice at once, and stays done.

use psa_tests::browse::{Shown, Visitor};
use psa_tests::filled::fields;
use psa_tests::scene::Scene;
use serde_json::{Value, json};

/// A connection with an agent whose address a member has.
fn scene() -> Scene {
    let scene = Scene::new();
    let members = scene.call("members.list", json!({})).unwrap();
    let member = members["items"].as_array().unwrap().iter().find(|one| one["id"] == "177").unwrap().clone();
    let rows = json!([{"id": "a", "name": "An agent", "email": member["emails"][0]}, {"id": "b", "name": "Another"}]);
    let values = json!({"tenant": "t", "kind": "agent", "rev": 1, "rows": rows});
    scene.world.call("product.set_values", values).unwrap();
    scene
}

/// The list is asked for anew, and is long in coming.
fn slow(scene: &Scene, ms: u64) {
    let mut secrets = json!({"secrets": scene.simulator.secrets(), "force": true});
    secrets["by"] = json!("x");
    scene.call("connections.update_credentials", secrets).unwrap();
    scene.simulator.fault(&json!({"endpoint": "list_members", "fault": "latency", "ms": ms, "times": 1})).unwrap();
}

fn path(scene: &Scene, rest: &str) -> String {
    format!("/c/{}{rest}", scene.connection)
}

fn seen(visitor: &Visitor<'_>, url: &str) -> Value {
    visitor.with("render", json!("json")).get(url).json()
}

/// Looks again until it has ended.
fn ended(visitor: &Visitor<'_>, url: &str) -> Shown {
    while seen(visitor, url)["running"] == true {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    visitor.get(url)
}

#[test]
fn matching_that_takes_long_goes_on_by_itself_and_says_how_far_it_is() {
    let scene = scene();
    let ann = Visitor::new(&scene.world.host);
    assert_eq!(ann.get(&path(&scene, "/progress/match")).status, 404, "nothing was begun");
    slow(&scene, 4_000);
    let read = scene.seen("list_members").len();
    let begun = ann.post(&path(&scene, "/map/members/match"), &[]);
    assert_eq!(
        begun.header("location"),
        Some(format!("/desk/psa{}?done=working", path(&scene, "/progress/match")).as_str())
    );
    let page = ann.get(begun.header("location").unwrap());
    page.says("It goes on by itself")
        .says("Matching members by e-mail")
        .says("Members read so far: 0")
        .says("Look again");
    // With the script it stays fresh; without it there is a link, and nothing that turns the page by itself.
    assert!(page.body.contains("data-refresh=\"2\"") && page.body.contains("<progress"), "{}", page.body);
    page.hides("http-equiv");
    ann.get(&path(&scene, "")).says("Matching members by e-mail").says("See how far it is");
    // Who may only look sees it too, and of another tenant nobody does.
    assert_eq!(ann.may(&["view"]).get(&path(&scene, "/progress/match")).status, 200);
    assert_eq!(ann.with("tenant", json!("other")).get(&path(&scene, "/progress/match")).status, 404);
    // A second start joins the first.
    let began = seen(&ann, &path(&scene, "/progress/match"))["began"]["at"].clone();
    assert_eq!(ann.post(&path(&scene, "/map/members/match"), &[]).status, 303);
    let done = ended(&ann, &path(&scene, "/progress/match"));
    assert_eq!(scene.seen("list_members").len(), read + 1, "the list is read once, also right after other credentials");
    done.says("Done").says("1 agent was matched.").says("To the members").hides("data-refresh");
    assert_eq!(seen(&ann, &path(&scene, "/progress/match"))["began"]["at"], began);
    let kept = scene.call("members.mappings", json!({})).unwrap();
    assert_eq!((&kept["items"][0]["agent"], &kept["items"][0]["member"]), (&json!("a"), &json!("177")));
    ann.get(&path(&scene, "")).hides("See how far it is");
    // Another one goes on with what is left, which is nothing.
    ann.post_and_follow(&path(&scene, "/map/members/match"), &[]).says("1 of 2 mapped");
    ann.with("locale", json!("de")).get(&path(&scene, "/progress/match")).says("0 Bearbeiter wurden zugeordnet.");
}

#[test]
fn work_that_fails_says_why_and_can_be_begun_again() {
    let scene = scene();
    let ann = Visitor::new(&scene.world.host);
    slow(&scene, 0);
    scene.simulator.control("DELETE", "faults", None).unwrap();
    scene.simulator.fault(&json!({"endpoint": "list_members", "fault": "forbidden"})).unwrap();
    let failed = ann.post(&path(&scene, "/map/members/match"), &[]);
    assert_eq!(failed.status, 503, "{}", failed.text());
    ann.get(&path(&scene, "/progress/match")).says("Did not work").hides("data-refresh");
    assert_eq!(scene.call("members.mappings", json!({})).unwrap()["items"], json!([]));
    scene.simulator.control("DELETE", "faults", None).unwrap();
    ann.post_and_follow(&path(&scene, "/map/members/match"), &[]).says("1 of 2 mapped");
    ann.get(&path(&scene, "/progress/match")).says("1 agent was matched.");
}

#[test]
fn a_new_connection_is_looked_at_and_its_overview_says_what_was_found() {
    let scene = scene();
    let ann = Visitor::new(&scene.world.host);
    // The last step of setting up, once more.
    let sent = fields(&ann, &path(&scene, "/setup/3"), &[]);
    let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let before = scene.seen("list_statuses").len();
    ann.post_and_follow(&path(&scene, "/setup/3"), &sent).says("Connected.");
    ended(&ann, &path(&scene, "/progress/import")).says("First look").says("1 agent has the address of a member");
    ann.get(&path(&scene, "")).says("1 agent has the address of a member").says("To the members");
    // Each board's statuses are here before anybody asks.
    let read = scene.seen("list_statuses").len();
    assert!(read > before, "{read}");
    ann.get(&path(&scene, "/map/statuses?scope=2")).says("Service Desk");
    assert_eq!(scene.seen("list_statuses").len(), read);
}
