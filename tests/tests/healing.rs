//! Registrations that the PSA switches off, that people take away, or that may not be made: mended as far as that goes,
//! told to people where it does not, and in nobody's way.

use psa_tests::inbound::Inbound;
use serde_json::{Value, json};

/// Entries at the PSA that lead to us.
fn entries(scene: &Inbound) -> Vec<Value> {
    let all = scene.simulator.control("GET", "callbacks", None).unwrap();
    let ours = |entry: &&Value| entry["url"].as_str().unwrap().starts_with(&scene.door.address);
    all["items"].as_array().unwrap().iter().filter(ours).cloned().collect()
}

fn disable(scene: &Inbound, id: &Value) {
    scene.simulator.control("POST", "callbacks/disable", Some(&json!({"id": id}))).unwrap();
}

/// The subscription for tickets as the host shows it, and how callbacks do.
fn tickets(scene: &Inbound) -> (Value, Value) {
    let listed = scene.of("callbacks.list", json!({})).unwrap();
    let items = listed["items"].as_array().unwrap();
    let row = items.iter().find(|one| one["kind"] == "ticket").cloned().unwrap_or_default();
    (row, listed["health"].clone())
}

fn entry_for_tickets(scene: &Inbound) -> Value {
    entries(scene).into_iter().find(|entry| entry["type"] == "ticket").unwrap()
}

#[test]
fn what_the_psa_has_switched_off_works_again_and_it_is_said_who_did_it() {
    let scene = Inbound::new(&json!({"callbacks": {"ensure_ms": 30}}));
    scene.registered();
    scene.link(1001);
    scene.events("p");
    let entry = entry_for_tickets(&scene);
    disable(&scene, &entry["id"]);
    // What happens meanwhile is told by nobody.
    let told = scene.event("p", "subscription.revived");
    assert_eq!(told["disabled_by"], "CallbackService", "{told:#}");
    assert_eq!(entry_for_tickets(&scene)["inactiveFlag"], false);
    let (row, health) = tickets(&scene);
    assert_eq!(
        (row["state"].as_str(), row["disabled_by"].as_str()),
        (Some("active"), Some("CallbackService")),
        "{row}"
    );
    assert_eq!(row["revived"], 1);
    assert_ne!(health["state"], "flapping");
    assert_eq!(entry_for_tickets(&scene)["id"], entry["id"], "it is the same one");
    scene.person(1001, &json!({"status": 102}));
    assert_eq!(scene.event("p", "ticket.changed")["heard"], "callback");
}

#[test]
fn what_is_switched_off_again_and_again_is_left_to_a_person_who_ends_it() {
    let scene = Inbound::new(&json!({"callbacks": {"ensure_ms": 20}}));
    scene.registered();
    scene.events("p");
    let id = entry_for_tickets(&scene)["id"].clone();
    for number in 1..=5 {
        disable(&scene, &id);
        scene.until("it works again", || (tickets(&scene).0["revived"] == number).then_some(()));
        scene.until("it is on", || (entry_for_tickets(&scene)["inactiveFlag"] == false).then_some(()));
    }
    disable(&scene, &id);
    let told = scene.event("p", "subscription.flapping");
    assert_eq!(
        (told["disabled_by"].as_str(), told["kind"].as_str()),
        (Some("CallbackService"), Some("ticket")),
        "{told:#}"
    );
    let (row, health) = tickets(&scene);
    assert_eq!((row["state"].as_str(), health["state"].as_str()), (Some("flapping"), Some("flapping")));
    // Nobody puts it to work any more: the PSA is looked at, and left alone.
    let looked = |endpoint: &str| scene.asked(endpoint).len();
    let (lists, updates) = (looked("list_callbacks"), looked("update_callback"));
    scene.until("it was looked at a few times", || (looked("list_callbacks") >= lists + 5).then_some(()));
    assert_eq!(looked("update_callback"), updates);
    assert_eq!(entry_for_tickets(&scene)["inactiveFlag"], true);
    // The other one goes on.
    let listed = scene.of("callbacks.list", json!({})).unwrap()["items"].clone();
    assert!(listed.as_array().unwrap().iter().any(|one| one["kind"] == "member" && one["state"] == "active"));
    let done = scene.of("callbacks.heal", json!({"by": "ann"})).unwrap();
    assert!(done["steps"].to_string().contains("CallbackService"), "{done:#}");
    assert_eq!(entry_for_tickets(&scene)["inactiveFlag"], false);
    let (row, health) = tickets(&scene);
    assert_eq!((row["state"].as_str(), row["revived"].as_u64()), (Some("active"), Some(1)), "{row}");
    assert_ne!(health["state"], "flapping");
}

#[test]
fn what_a_person_takes_away_is_registered_again_also_while_the_psa_still_remembers_it() {
    let scene = Inbound::new(&json!({"callbacks": {"ensure_ms": 30}}));
    scene.registered();
    scene.simulator.switches(&json!({"delete_lag_ms": 600_000})).unwrap();
    let before = entries(&scene);
    let subscription = tickets(&scene).0["subscription"].clone();
    remove(&scene, &entry_for_tickets(&scene)["id"]);
    let again = scene.until("it is there again", || {
        entries(&scene).into_iter().find(|entry| entry["type"] == "ticket" && !before.contains(entry))
    });
    assert_ne!(again["url"], before.iter().find(|entry| entry["type"] == "ticket").unwrap()["url"], "a new token");
    scene.until("the host knows it", || (tickets(&scene).0["state"] == "active").then_some(()));
    assert_eq!(entries(&scene).len(), 2);
    assert_eq!(tickets(&scene).0["subscription"], subscription);
    // And a lookout that is late disturbs no rotation.
    scene.of("callbacks.rotate", json!({})).unwrap();
    assert_eq!(entries(&scene).len(), 4);
}

/// The PSA's own door, as its API member.
fn at_the_psa(scene: &Inbound, method: &str, path: &str, body: &Value) -> Value {
    let text = |name: &str| scene.simulator.text(name);
    let user = format!("{}+{}:{}", text("company"), text("public_key"), text("private_key"));
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail-with-body", "--cacert", text("ca"), "--user", &user, "-X", method]);
    curl.args(["-H", &format!("clientId: {}", text("client_id")), "-H", "Content-Type: application/json"]);
    if !body.is_null() {
        curl.args(["--data", &body.to_string()]);
    }
    let answer = psa_tests::compile::run(curl.arg(format!("{}/v4_6_release/apis/3.0/{path}", text("url"))));
    serde_json::from_str(&answer).unwrap_or_default()
}

fn remove(scene: &Inbound, id: &Value) {
    at_the_psa(scene, "DELETE", &format!("system/callbacks/{id}"), &Value::Null);
}

#[test]
fn strays_are_shown_without_their_secrets_and_what_is_not_ours_is_never_touched() {
    let scene = Inbound::new(&json!({"callbacks": {"ensure_ms": 30}}));
    scene.registered();
    let secret = "0123456789abcdef0123456789abcdef01234567";
    let add = |url: &str, description: &str, kind: &str| {
        let entry = json!({"url": url, "description": description, "type": kind, "level": "owner", "objectId": 1});
        at_the_psa(&scene, "POST", "system/callbacks", &entry)["id"].clone()
    };
    let door = &scene.door.address;
    let stray = add(&format!("{door}/{secret}?recordId="), "psa-bridge st_other s_1", "ticket");
    let nameless = add(&format!("{door}/{secret}/deep?recordId="), "", "company");
    let foreign = add("https://shop.example/psa?key=hush&recordId=", "Shop", "ticket");
    let wanted = |compared: &Value, id: &Value| {
        let id = id.to_string();
        compared["registered"].as_array().unwrap().iter().find(|one| one["remote"] == id).cloned()
    };
    let compared = scene.of("callbacks.compare", json!({})).unwrap();
    for id in [&stray, &nameless] {
        let shown = wanted(&compared, id).unwrap_or_else(|| panic!("{id}: {compared:#}"));
        assert!(shown["subscription"].is_null(), "{shown}");
    }
    assert_eq!(wanted(&compared, &foreign), None, "others are nobody's business");
    assert_eq!(compared["registered"].as_array().unwrap().len(), 4);
    for word in [secret, "hush", "not-yours", "shop.example", "billing.example"] {
        assert!(!compared.to_string().contains(word), "{word}: {compared:#}");
        assert!(!scene.log.lock().unwrap().iter().any(|line| line.contains(word)), "{word}");
    }
    assert_eq!(compared["steps"], json!([]));
    let before = scene.simulator.control("GET", "callbacks", None).unwrap();
    let lists = || scene.asked("list_callbacks").len();
    let looked = lists();
    scene.until("it was looked at a few times", || (lists() >= looked + 4).then_some(()));
    scene.of("callbacks.heal", json!({})).unwrap();
    assert_eq!(scene.simulator.control("GET", "callbacks", None).unwrap(), before);
    // Ours say so within what a description may hold, and no address shows the token's neighbours.
    for entry in entries(&scene).iter().filter(|entry| entry["id"] != stray && entry["id"] != nameless) {
        let description = entry["description"].as_str().unwrap();
        assert!(description.starts_with("psa-bridge st_") && description.len() <= 100, "{description}");
        assert!(entry["url"].as_str().unwrap().ends_with("?recordId="), "{entry}");
    }
}

#[test]
fn without_the_right_reading_goes_on_and_with_it_everything_is_registered() {
    let mut scene = Inbound::new(&json!({"callbacks": {"work": false}}));
    scene.simulator.control("POST", "rights", Some(&json!({"deny": ["callbacks"]}))).unwrap();
    scene.link(1001);
    scene.reopen(&json!({"callbacks": {"work": true, "ensure_ms": 50, "poll_ms": 50, "window_ms": 0}}));
    let health = scene.until("it is said", || Some(tickets(&scene).1).filter(|health| health["state"] == "failing"));
    assert!(health["trouble"]["subscriptions"].as_str().unwrap().contains("cannot be registered"), "{health}");
    scene.person(1001, &json!({"status": 102}));
    assert_eq!(scene.event("p", "ticket.changed")["heard"], "poll");
    scene.simulator.control("POST", "rights", Some(&json!({"deny": []}))).unwrap();
    scene.registered();
    let health = scene.until("it is well", || Some(tickets(&scene).1).filter(|health| health["state"] != "failing"));
    assert!(health["trouble"]["subscriptions"].is_null(), "{health}");
}

#[test]
fn a_psa_that_cannot_list_its_callbacks_does_not_stop_reading() {
    let mut scene = Inbound::new(&json!({"callbacks": {"work": false}}));
    scene.simulator.fault(&json!({"endpoint": "list_callbacks", "fault": "error_500_before_commit"})).unwrap();
    scene.link(1001);
    scene.reopen(&json!({"callbacks": {"work": true, "ensure_ms": 50, "poll_ms": 50, "window_ms": 0}}));
    scene.person(1001, &json!({"status": 102}));
    assert_eq!(scene.event("p", "ticket.changed")["heard"], "poll");
    scene.simulator.control("DELETE", "faults", None).unwrap();
    scene.registered();
}

#[test]
fn who_connects_again_is_registered_again() {
    let scene = Inbound::new(&json!({}));
    scene.registered();
    scene.of("connections.disconnect", json!({})).unwrap();
    assert!(entries(&scene).is_empty());
    scene.of("connections.update_credentials", json!({"secrets": scene.simulator.secrets()})).unwrap();
    scene.of("connections.test", json!({})).unwrap();
    scene.registered();
}
