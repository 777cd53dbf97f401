//! What is sealed: found nowhere, opened in its place only, with keys that are lost, changed and different.

use psa_host::{Code, Hooks, Host};
use psa_tests::compile;
use psa_tests::scene::{Scene, fast};
use psa_tests::shared::{Shared, call, note, wait_until_all_ended};
use psa_tests::world::World;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

#[test]
fn a_lost_key_stops_what_needs_it_and_destroys_nothing() {
    let shared = Shared::new();
    let keys = shared.folder.path().join("vault.keys");
    let host = shared.open(json!({})).unwrap();
    let (connection, link) = shared.link(&host);
    host.close(1000).unwrap();
    let away = shared.folder.path().join("away");
    std::fs::rename(&keys, &away).unwrap();
    let host = shared.open(json!({})).unwrap();
    let of = json!({"tenant": "t", "connection": connection});
    let error = call(&host, "connections.test", of.clone()).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Unreadable, Some("vault_key_missing")), "{error}");
    assert_eq!(note(&host, &link, "x").unwrap_err().code, Code::Unreadable);
    let missing = call(&host, "vault.status", json!({})).unwrap()["missing"][0].as_str().unwrap().to_owned();
    assert!(error.message.contains(&missing), "{error}");
    std::fs::rename(&away, &keys).unwrap();
    assert_eq!(call(&host, "connections.test", of).unwrap()["passed"], true);
    host.close(1000).unwrap();
    let inside = json!({"vault": {"key_file": shared.folder.path().join("data/vault.keys")}});
    assert_eq!(shared.open(inside).map(drop).unwrap_err().reason.as_deref(), Some("key_beside_data"));
}

#[test]
fn rotation_under_writing_threads_loses_nothing_in_either_of_two_hosts() {
    let shared = Shared::new();
    let hosts = [shared.open(json!({})).unwrap(), shared.open(json!({"outbox": {"deliver": false}})).unwrap()];
    let (connection, link) = shared.link(&hosts[0]);
    let first = call(&hosts[0], "vault.status", json!({})).unwrap()["sealing_key"].as_str().unwrap().to_owned();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (host, link) = (&hosts[thread % 2], &link);
            scope.spawn(move || {
                for number in 0..10 {
                    note(host, link, &format!("Note {number} of thread {thread}.")).unwrap();
                }
            });
        }
        for _ in 0..3 {
            call(&hosts[0], "vault.rotate", json!({})).unwrap();
        }
    });
    let ended = wait_until_all_ended(&hosts[0]);
    assert!(ended.len() == 80 && ended.iter().all(|operation| operation["state"] == "delivered"), "{ended:#?}");
    let mut words = shared.words();
    words.sort();
    words.dedup();
    assert_eq!(words.len(), 80);
    // Both have gone over to the new key, so the first one can go.
    call(&hosts[0], "vault.rotate", json!({})).unwrap();
    note(&hosts[1], &link, "With the new key.").unwrap();
    let status = call(&hosts[0], "vault.retire", json!({"key": first})).unwrap();
    assert!(!status["keys"].as_array().unwrap().contains(&json!(first)), "{status}");
    let of = json!({"tenant": "t", "connection": connection});
    assert_eq!(call(&hosts[1], "connections.test", of).unwrap()["passed"], true);
}

#[test]
fn two_hosts_with_different_keyrings_do_not_harm_each_other() {
    let shared = Shared::new();
    let old = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    let new = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";
    let with = |keys: String| {
        let hook: psa_host::KeyHook = Arc::new(move || Ok(keys.clone().into()));
        let hooks = Hooks { vault_keys: Some(hook), ..Hooks::default() };
        Host::open(shared.config(json!({})).to_string().as_bytes(), hooks).unwrap()
    };
    let before = with(old.to_owned());
    let (connection, link) = shared.link(&before);
    let after = with(format!("{new}\n{old}"));
    let status = call(&after, "vault.status", json!({})).unwrap();
    assert_eq!(status["keys"].as_array().unwrap().len(), 2);
    let error = call(&after, "vault.rotate", json!({})).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("key_needed"), "{error}");
    call(&after, "vault.rotate", json!({"key": status["keys"][0]})).unwrap();
    // The one that was not told seals nothing, and says what it lacks.
    let error = note(&before, &link, "x").unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Unreadable, Some("vault_key_missing")), "{error}");
    assert!(error.message.contains(status["keys"][0].as_str().unwrap()), "{error}");
    let of = json!({"tenant": "t", "connection": connection});
    assert_eq!(call(&after, "connections.test", of).unwrap()["passed"], true);
    note(&after, &link, "y").unwrap();
    wait_until_all_ended(&after);
}

#[test]
fn the_same_account_is_connected_once_and_other_addresses_want_the_secret_again() {
    let scene = Scene::with(&["--tls"], fast());
    let second = scene.world.connect("connectwise", scene.simulator.settings(), scene.simulator.secrets());
    let of = json!({"tenant": "t", "connection": second});
    let error = scene.world.call("connections.test", of).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("same_account"), "{error}");
    let mut settings = scene.simulator.settings();
    settings["host"] = json!("https://psa.elsewhere.example");
    let moved = scene.call("connections.update", json!({"settings": settings, "by": "Ann"})).unwrap();
    assert_eq!((moved["state"].as_str(), moved["reason"].as_str()), (Some("stopped"), Some("settings")), "{moved}");
    let error = scene.call("connections.test", json!({})).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Unreadable, Some("settings")), "{error}");
    // Back at the old address, with the secret entered again, all is well.
    let back = json!({"settings": scene.simulator.settings(), "secrets": scene.simulator.secrets()});
    assert_eq!(scene.call("connections.update", back).unwrap()["state"], "setup");
    assert_eq!(scene.call("connections.test", json!({})).unwrap()["passed"], true);
    assert_eq!(scene.post("Still here.")["outcome"], "applied");
}

#[test]
fn a_secret_is_found_nowhere() {
    let scene = Scene::with(&["--tls"], fast());
    let canary = scene.simulator.text("private_key").to_owned();
    let body = "A body that nobody but the PSA may read: 4711-0815.";
    scene.post(body);
    scene.fault("add_note", "unauthorized", json!({}));
    scene.hand_in(body);
    let mut said = scene.world.log().join("\n");
    for method in ["tenant.export", "activity.list", "health", "operations.list", "connections.list"] {
        said += &scene.world.call(method, json!({"tenant": "t"})).unwrap().to_string();
    }
    said += &scene.world.call("plugins.list", json!({})).unwrap().to_string();
    while let Some(event) = scene.world.host.next_event("all", 0).unwrap() {
        said += &event.json;
        scene.world.host.ack_event("all", event.id).unwrap();
    }
    let copy = scene.world.folder.path().join("copy.db");
    scene.world.call("store.backup", json!({"path": copy})).unwrap();
    let found = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(!found(said.as_bytes(), &canary) && !found(said.as_bytes(), "4711-0815"));
    let mut files = 0;
    for file in all_files(scene.world.folder.path()) {
        if file.file_name().is_some_and(|name| name == "vault.keys" || name == "psa_connectwise.so") {
            continue;
        }
        let bytes = std::fs::read(&file).unwrap();
        assert!(!found(&bytes, &canary) && !found(&bytes, "4711-0815"), "{}", file.display());
        files += 1;
    }
    assert!(files >= 3, "database, log and copy");
}

fn all_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_world_without_a_key_says_how_to_get_one() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = compile::shipped("connectwise", folder.path());
    let world = World::open(folder, &[&plugin], json!({"vault": {}})).unwrap();
    let settings = json!({"site": "na", "company_id": "acme", "public_key": "k", "client_id": "c"});
    let create = json!({"tenant": "t", "plugin": "connectwise", "settings": settings, "secrets": {"private_key": "x"}});
    let error = world.call("connections.create", create).unwrap_err();
    assert!(matches!(error.reason.as_deref(), Some("vault_no_key" | "settings")), "{error}");
}

#[test]
fn hosts_that_rotate_at_once_lose_no_key() {
    let shared = Shared::new();
    let hosts = [shared.open(json!({})).unwrap(), shared.open(json!({"outbox": {"deliver": false}})).unwrap()];
    let (connection, link) = shared.link(&hosts[0]);
    std::thread::scope(|scope| {
        for host in &hosts {
            scope.spawn(|| {
                for _ in 0..5 {
                    call(host, "vault.rotate", json!({})).unwrap();
                }
            });
        }
        for number in 0..20 {
            note(&hosts[number % 2], &link, &format!("Note {number}.")).unwrap();
        }
    });
    call(&hosts[0], "vault.rotate", json!({})).unwrap();
    let status = call(&hosts[1], "vault.status", json!({})).unwrap();
    assert_eq!(
        (status["missing"].as_array().unwrap().len(), status["sealed"].as_array().unwrap().len()),
        (0, 1),
        "{status}"
    );
    let of = json!({"tenant": "t", "connection": connection});
    for host in &hosts {
        assert_eq!(call(host, "connections.test", of.clone()).unwrap()["passed"], true);
    }
    assert!(wait_until_all_ended(&hosts[0]).iter().all(|operation| operation["state"] == "delivered"));
    assert_eq!(call(&hosts[0], "activity.verify", json!({"tenant": "t"})).unwrap()["whole"], true);
}

#[test]
fn a_rotation_without_the_present_key_changes_nothing() {
    let shared = Shared::new();
    let keys = shared.folder.path().join("vault.keys");
    let host = shared.open(json!({})).unwrap();
    shared.link(&host);
    let before = call(&host, "vault.status", json!({})).unwrap();
    host.close(1000).unwrap();
    let away = shared.folder.path().join("away");
    std::fs::rename(&keys, &away).unwrap();
    let host = shared.open(json!({})).unwrap();
    let error = call(&host, "vault.rotate", json!({})).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("vault_key_missing"), "{error}");
    assert!(!keys.exists(), "no wrong file is made");
    std::fs::rename(&away, &keys).unwrap();
    let after = call(&host, "vault.status", json!({})).unwrap();
    assert_eq!(after["sealing_key"], before["sealing_key"]);
    assert_eq!(call(&host, "vault.rotate", json!({})).unwrap()["unreadable"], 0);
}
