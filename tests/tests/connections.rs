//! The life of a connection: what stops it, what starts it, and what is no way around either.

use psa_host::Code;
use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

fn scene() -> Scene {
    Scene::with(&["--tls"], fast())
}

fn standing(scene: &Scene) -> (String, String) {
    let connection = scene.call("connections.get", json!({})).unwrap();
    let word = |name: &str| connection[name].as_str().unwrap_or_default().to_owned();
    (word("state"), word("reason"))
}

fn is(state: &str, reason: &str) -> (String, String) {
    (state.to_owned(), reason.to_owned())
}

#[test]
fn pausing_is_no_way_around_a_refusal_or_a_disconnection() {
    let scene = scene();
    let by = json!({"by": "Ann"});
    scene.call("connections.pause", by.clone()).unwrap();
    assert_eq!(standing(&scene), is("stopped", "paused"));
    scene.call("connections.resume", by.clone()).unwrap();
    assert_eq!(standing(&scene), is("active", ""));
    scene.simulator.fault(&json!({"endpoint": "get_ticket", "fault": "unauthorized"})).unwrap();
    assert_eq!(scene.get().unwrap_err().code, Code::Unauthenticated);
    // A read was refused: nobody goes on knocking, reads neither.
    assert_eq!(standing(&scene), is("stopped", "sign_in"));
    let asked = scene.simulator.log().unwrap().len();
    assert_eq!(scene.get().unwrap_err().reason.as_deref(), Some("stopped"));
    assert_eq!(scene.call("tickets.search", json!({})).unwrap_err().reason.as_deref(), Some("stopped"));
    assert_eq!(scene.simulator.log().unwrap().len(), asked);
    scene.call("connections.pause", by.clone()).unwrap();
    assert_eq!(standing(&scene), is("stopped", "sign_in"));
    assert_eq!(scene.call("connections.resume", by.clone()).unwrap_err().reason.as_deref(), Some("credentials_needed"));
    scene.simulator.control("DELETE", "faults", None).unwrap();
    // The same credentials work again: their test says so.
    assert_eq!(scene.call("connections.test", json!({})).unwrap()["passed"], true);
    assert_eq!(standing(&scene), is("active", ""));
    scene.call("connections.disconnect", by.clone()).unwrap();
    assert_eq!(scene.call("connections.get", json!({})).unwrap()["secrets"], json!([]));
    scene.call("connections.pause", by.clone()).unwrap();
    assert_eq!(scene.call("connections.resume", by).unwrap_err().reason.as_deref(), Some("credentials_needed"));
    assert_eq!(standing(&scene), is("stopped", "disabled"));
    let note = json!({"tenant": "t", "link": scene.link, "visibility": "internal", "text": "x"});
    assert_eq!(scene.world.call("notes.post", note).unwrap_err().reason.as_deref(), Some("disconnected"));
    let secrets = json!({"secrets": scene.simulator.secrets()});
    assert_eq!(scene.call("connections.update_credentials", secrets).unwrap()["passed"], true);
    assert_eq!(scene.post("Back again.")["outcome"], "applied");
}

#[test]
fn what_a_person_has_to_look_at_is_not_covered_by_anything_else() {
    let scene = scene();
    scene.fault("add_note", "wrong_visibility", json!({}));
    scene.post("Only for us.");
    assert_eq!(standing(&scene), is("stopped", "visibility"));
    let secrets = json!({"secrets": scene.simulator.secrets()});
    assert_eq!(scene.call("connections.update_credentials", secrets.clone()).unwrap()["passed"], true);
    assert_eq!(standing(&scene), is("stopped", "visibility"));
    scene.call("connections.update", json!({"name": "Another name", "secrets": scene.simulator.secrets()})).unwrap();
    scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
    assert_eq!(scene.call("connections.test", json!({})).unwrap()["passed"], true);
    assert_eq!(standing(&scene), is("stopped", "visibility"));
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    assert_eq!(standing(&scene), is("active", ""));
}

#[test]
fn a_connection_that_leads_elsewhere_sends_nothing_before_its_test() {
    let scene = scene();
    let mut settings = scene.simulator.settings();
    settings["client_id"] = json!("11111111-2222-4333-8444-555555555555");
    let changed = scene.call("connections.update", json!({"settings": settings})).unwrap();
    assert_eq!(changed["state"], "setup", "{changed}");
    let note = json!({"tenant": "t", "link": scene.link, "visibility": "internal", "text": "x", "wait_ms": 200});
    let note: Value = scene.world.call("notes.post", note).unwrap();
    assert_eq!(note["state"], "queued");
    assert!(scene.seen("add_note").is_empty());
    settings["client_id"] = scene.simulator.settings()["client_id"].clone();
    scene.call("connections.update", json!({"settings": settings})).unwrap();
    assert_eq!(scene.call("connections.test", json!({})).unwrap()["passed"], true);
    scene.until(&note, "delivered");
    let error = scene.call("connections.update", json!({"name": "with\u{7}bell"})).unwrap_err();
    assert_eq!(error.fields[0].at, "/name");
}

#[test]
fn what_was_read_under_other_settings_is_not_given_again() {
    let scene = scene();
    let get = || scene.call("tickets.get", json!({"ticket": "1001"}));
    get().unwrap();
    let reads = scene.seen("get_ticket").len();
    get().unwrap();
    assert_eq!(scene.seen("get_ticket").len(), reads);
    scene.call("connections.update", json!({"secrets": scene.simulator.secrets()})).unwrap();
    get().unwrap();
    assert_eq!(scene.seen("get_ticket").len(), reads + 1);
}
