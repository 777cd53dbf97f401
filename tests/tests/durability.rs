//! The database: copied, restored, shared, damaged, full, under wrong keys; and clocks that jump.

use psa_host::{CallOptions, Code, Hooks, Host};
use psa_simulator::Simulator;
use psa_tests::compile;
use psa_tests::process::Product;
use psa_tests::scene::{Scene, fast};
use psa_tests::world::World;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A configuration for several hosts on one folder.
struct Shared {
    simulator: Simulator,
    folder: tempfile::TempDir,
}

impl Shared {
    fn new() -> Shared {
        let simulator = Simulator::start(&compile::target().join("psa-simulator"), &["--tls"]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        compile::shipped("connectwise", folder.path());
        Shared { simulator, folder }
    }

    fn config(&self, more: Value) -> Value {
        let mut config = fast();
        config["data_dir"] = json!(self.folder.path().join("data"));
        config["plugins"] = json!([self.folder.path().join("psa_connectwise.so")]);
        config["vault"] = json!({"key_file": self.folder.path().join("vault.keys")});
        config["egress"]["ca_files"] = json!([self.simulator.text("ca")]);
        config["egress"]["allow_private"] = json!(["127.0.0.1"]);
        for (name, value) in more.as_object().unwrap() {
            match (config[name].as_object_mut(), value) {
                (Some(known), Value::Object(more)) => known.extend(more.clone()),
                (_, value) => config[name] = value.clone(),
            }
        }
        config
    }

    fn open(&self, more: Value) -> Result<Host, psa_host::Error> {
        Host::open(self.config(more).to_string().as_bytes(), Hooks::default())
    }

    fn create(&self) -> Value {
        json!({"tenant": "t", "plugin": "connectwise", "settings": self.simulator.settings(),
               "secrets": self.simulator.secrets()})
    }

    /// A tested connection and a link of ticket 1001.
    fn link(&self, host: &Host) -> (String, String) {
        let connection = call(host, "connections.create", self.create()).unwrap()["connection"].clone();
        let of = json!({"tenant": "t", "connection": connection});
        call(host, "connections.test", of).unwrap();
        let link = json!({"tenant": "t", "connection": connection, "product_ticket": "HD-1", "ticket": "1001"});
        let link = call(host, "links.create", link).unwrap();
        (connection.as_str().unwrap().to_owned(), link["link"].as_str().unwrap().to_owned())
    }

    /// Words of our notes on ticket 1001.
    fn words(&self) -> Vec<String> {
        let all = self.simulator.control("GET", "notes", None).unwrap();
        let ours = all["items"].as_array().unwrap().iter();
        let ours = ours.filter(|note| note["ticket"] == 1001 && note["createdBy"] == "psabridge");
        let words = ours.map(|note| note["text"].as_str().unwrap().to_owned());
        words.filter(|text| !text.ends_with("Please help.")).collect()
    }
}

fn call(host: &Host, method: &str, params: Value) -> Result<Value, psa_host::Error> {
    let json = host.call(method, params.to_string().as_bytes(), CallOptions::default())?;
    Ok(serde_json::from_str(&json).unwrap())
}

fn note(host: &Host, link: &str, text: &str) -> Result<Value, psa_host::Error> {
    let params = json!({"tenant": "t", "link": link, "visibility": "internal", "text": text});
    call(host, "notes.post", params)
}

fn wait_until_all_ended(host: &Host) -> Vec<Value> {
    loop {
        let all = call(host, "operations.list", json!({"tenant": "t", "page": {"limit": 1000}})).unwrap();
        let all = all["items"].as_array().unwrap().clone();
        if all.iter().all(|operation| operation["ended"].is_string()) {
            return all;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn a_restored_backup_does_not_send_its_queue_twice() {
    let shared = Shared::new();
    let host = shared.open(json!({"outbox": {"deliver": false}})).unwrap();
    let (_, link) = shared.link(&host);
    for number in 0..40 {
        note(&host, &link, &format!("Note {} of the queue.", number % 38)).unwrap();
    }
    let copy = shared.folder.path().join("copy.db");
    call(&host, "store.backup", json!({"path": copy})).unwrap();
    let error = call(&host, "store.backup", json!({"path": copy})).unwrap_err();
    assert_eq!(error.code, Code::Storage, "nothing is overwritten: {error}");
    host.close(1000).unwrap();
    let host = shared.open(json!({})).unwrap();
    wait_until_all_ended(&host);
    host.close(1000).unwrap();
    assert_eq!(shared.words().len(), 40);
    // As an administrator would: the database goes back to where it was.
    let data = shared.folder.path().join("data");
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    std::fs::copy(&copy, data.join("store.db")).unwrap();
    let host = shared.open(json!({})).unwrap();
    let ended = wait_until_all_ended(&host);
    assert!(ended.iter().all(|operation| operation["outcome"] == "found"), "{ended:#?}");
    assert_eq!(shared.words().len(), 40);
    // And goes on as ever.
    note(&host, &link, "After the restore.").unwrap();
    assert_eq!(wait_until_all_ended(&host).last().unwrap()["outcome"], "applied");
}

#[test]
fn a_copy_of_another_environment_sends_nothing() {
    let shared = Shared::new();
    let host = shared.open(json!({"outbox": {"deliver": false}})).unwrap();
    let (connection, link) = shared.link(&host);
    note(&host, &link, "Of the real one.").unwrap();
    host.close(1000).unwrap();
    let host = shared.open(json!({"environment": "staging"})).unwrap();
    let health = call(&host, "health", json!({"tenant": "t"})).unwrap();
    assert_eq!(health["sends"], false);
    // Reading is harmless.
    let of = json!({"tenant": "t", "connection": connection, "ticket": "1001"});
    assert_eq!(call(&host, "tickets.get", of).unwrap()["id"], "1001");
    host.close(1000).unwrap();
    assert!(shared.words().is_empty());
}

#[test]
fn a_frozen_sender_sends_nothing_when_it_wakes() {
    let shared = Shared::new();
    let config = shared.config(json!({"outbox": {"lease_ms": 100}}));
    let (link, mut frozen) = {
        let host = shared.open(json!({"outbox": {"deliver": false}})).unwrap();
        let (_, link) = shared.link(&host);
        host.close(1000).unwrap();
        (link, Product::start(&config, Some("attempt_open:1:stop")).unwrap().unwrap())
    };
    let params = json!({"tenant": "t", "link": link, "visibility": "internal", "text": "Said once."});
    let _answer = frozen.ask("notes.post", &params);
    let host = shared.open(json!({"outbox": {"lease_ms": 100}})).unwrap();
    let ended = loop {
        let all = call(&host, "operations.list", json!({"tenant": "t"})).unwrap()["items"].clone();
        if all[0]["ended"].is_string() {
            break all[0].clone();
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    // The other one never came to the network, so this one has sent it, after its looks.
    assert_eq!((ended["outcome"].as_str(), ended["attempts"].as_i64()), (Some("applied"), Some(2)), "{ended:#}");
    frozen.wake();
    // It lives, and says something only after it has tried.
    frozen.call("operations.list", &json!({"tenant": "t"})).unwrap().unwrap();
    frozen.end();
    assert_eq!(shared.words(), ["Said once."]);
}

/// The machine's clock, off by as much as a test says.
struct Shifted(AtomicI64);

impl psa_host::clock::Clock for Shifted {
    fn now_unix_ms(&self) -> i64 {
        psa_host::clock::SystemClock.now_unix_ms() + self.0.load(Ordering::SeqCst)
    }

    fn boot_ms(&self) -> u64 {
        psa_host::clock::SystemClock.boot_ms()
    }

    fn sleep(&self, ms: u64) -> psa_host::clock::Wait {
        psa_host::clock::SystemClock.sleep(ms)
    }
}

#[test]
fn a_clock_that_jumps_an_hour_ahead_and_back_loses_and_doubles_nothing() {
    let shared = Shared::new();
    let clock = Arc::new(Shifted(AtomicI64::new(0)));
    let hooks = Hooks { clock: Some(clock.clone()), ..Hooks::default() };
    let host = Host::open(shared.config(json!({})).to_string().as_bytes(), hooks).unwrap();
    let (_, link) = shared.link(&host);
    shared.simulator.fault(&json!({"endpoint": "add_note", "fault": "reset_after_commit", "percent": 20})).unwrap();
    shared.simulator.fault(&json!({"endpoint": "add_note", "fault": "reset_before_commit", "percent": 10})).unwrap();
    let hour = 3_600_000;
    for number in 0..30 {
        clock.0.store([0, hour, -hour][number % 3], Ordering::SeqCst);
        note(&host, &link, &format!("Note {number} at an odd hour.")).unwrap();
    }
    while call(&host, "health", json!({"tenant": "t"})).unwrap()["connections"]["items"][0]["queued"] != 0 {
        clock.0.fetch_add(hour, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(50));
        clock.0.store(0, Ordering::SeqCst);
    }
    wait_until_all_ended(&host);
    let expected: Vec<String> = (0..30).map(|number| format!("Note {number} at an odd hour.")).collect();
    assert_eq!(shared.words(), expected);
    // Two hours back everything opens as before.
    clock.0.store(-2 * hour, Ordering::SeqCst);
    note(&host, &link, "Two hours back.").unwrap();
    wait_until_all_ended(&host);
    assert_eq!(shared.words().len(), 31);
}

#[test]
fn an_old_library_writes_nothing_once_a_newer_one_has_migrated() {
    let shared = Shared::new();
    let host = shared.open(json!({})).unwrap();
    let (_, link) = shared.link(&host);
    let db = rusqlite::Connection::open(shared.folder.path().join("data/store.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    db.execute("UPDATE meta SET value = '2' WHERE name = 'min_writer'", []).unwrap();
    let error = note(&host, &link, "Too old.").unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Storage, Some("store_newer")), "{error}");
    host.close(1000).unwrap();
    // A newer set of migrations is refused, and left as it is.
    let sql = "INSERT INTO refinery_schema_history VALUES (7, 'later', '2030-01-01T00:00:00Z', '1')";
    db.execute(sql, []).unwrap();
    let error = shared.open(json!({})).map(drop).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("store_newer"), "{error}");
    let count: i64 = db.query_row("SELECT count(*) FROM refinery_schema_history", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 7);
}

#[test]
fn opening_at_once_and_dying_while_opening_leave_a_whole_database() {
    let shared = Shared::new();
    let config = shared.config(json!({}));
    let program = compile::target().join("psa-torture-host");
    for delay in 0..12 {
        let start = || {
            let mut command = std::process::Command::new(&program);
            command.arg(config.to_string()).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
            command.spawn().unwrap()
        };
        let mut both = [start(), start()];
        // Somewhere in the middle of opening; which moment it is does not matter, and all are tried.
        std::thread::sleep(std::time::Duration::from_millis(3 * delay));
        for child in &mut both {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
    let host = shared.open(json!({})).unwrap();
    shared.link(&host);
    host.close(1000).unwrap();
    assert_eq!(psa_host::doctor(&shared.folder.path().join("data")).unwrap(), Vec::<String>::new());
}

#[test]
fn a_damaged_database_and_a_folder_that_cannot_be_written_are_told_clearly() {
    let shared = Shared::new();
    let data = shared.folder.path().join("data");
    shared.open(json!({})).unwrap().close(1000).unwrap();
    std::fs::write(data.join("store.db"), b"this is no database, whatever its name says, and it is long enough")
        .unwrap();
    let error = shared.open(json!({})).map(drop).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Storage, Some("damaged")), "{error}");
    assert_eq!(psa_host::doctor(&data).unwrap_err().reason.as_deref(), Some("damaged"));
    assert!(std::fs::read(data.join("store.db")).unwrap().starts_with(b"this is no database"), "it is left as it is");
}

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
fn a_consumer_that_was_away_is_told_what_it_has_missed() {
    let shared = Shared::new();
    let host = shared.open(json!({"outbox": {"events_kept": 5}})).unwrap();
    let (_, link) = shared.link(&host);
    for number in 0..10 {
        note(&host, &link, &format!("Note {number}.")).unwrap();
    }
    wait_until_all_ended(&host);
    let gap = loop {
        let event = host.next_event("slow", 10_000).unwrap().unwrap();
        let body: Value = serde_json::from_str(&event.json).unwrap();
        if body["event"] == "gap" {
            host.ack_event("slow", event.id).unwrap();
            break body;
        }
        // Not trimmed yet: it comes again, because it is not acknowledged.
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert_eq!(gap["from"], 1);
    let event = host.next_event("slow", 10_000).unwrap().unwrap();
    assert_eq!(event.id, gap["to"].as_u64().unwrap() + 1);
    // Until it is acknowledged it comes again, also to the same consumer elsewhere, which waits for its turn.
    assert_eq!(host.next_event("slow", 10_000).unwrap().unwrap(), event);
    let other = shared.open(json!({})).unwrap();
    assert_eq!(other.next_event("slow", 50).unwrap(), None);
    assert_eq!(other.next_event("other", 10_000).unwrap().map(|event| event.json.contains("gap")), Some(true));
    host.ack_event("slow", event.id).unwrap();
    assert_ne!(other.next_event("slow", 10_000).unwrap().unwrap().id, event.id);
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
fn what_happened_is_chained_and_a_tenant_can_be_taken_out_and_erased() {
    let scene = Scene::with(&["--tls"], fast());
    scene.post("Of this tenant.");
    let head = scene.world.call("activity.head", json!({"tenant": "t"})).unwrap();
    let verify = |head: &Value| scene.world.call("activity.verify", json!({"tenant": "t", "head": head})).unwrap();
    assert_eq!(verify(&head)["whole"], true);
    let db = rusqlite::Connection::open(scene.world.folder.path().join("data/store.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    for (change, back) in [
        ("UPDATE activity SET actor = 'nobody' WHERE seq = 1", "UPDATE activity SET actor = 'product' WHERE seq = 1"),
        (
            "UPDATE activity SET detail = detail || ' ' WHERE seq = 1",
            "UPDATE activity SET detail = trim(detail) WHERE seq = 1",
        ),
        ("UPDATE activity SET seq = 100 WHERE seq = 2", "UPDATE activity SET seq = 2 WHERE seq = 100"),
    ] {
        assert_eq!(db.execute(change, []).unwrap(), 1);
        assert_eq!(verify(&head)["whole"], false, "{change}");
        db.execute(back, []).unwrap();
        assert_eq!(verify(&head)["whole"], true, "{back}");
    }
    // The end was cut off: only a head kept elsewhere tells.
    let last = head["seq"].as_i64().unwrap();
    let copy = scene.world.folder.path().join("copy.db");
    scene.world.call("store.backup", json!({"path": copy})).unwrap();
    let export = scene.world.call("tenant.export", json!({"tenant": "t"})).unwrap();
    let tables: Vec<&str> =
        export["rows"].as_array().unwrap().iter().map(|row| row["table"].as_str().unwrap()).collect();
    for table in ["connections", "ticket_links", "operations", "notes", "activity", "events"] {
        assert!(tables.contains(&table), "{table}");
    }
    let wrong = scene.world.call("tenant.erase", json!({"tenant": "t", "confirm": "u", "by": "Ann"})).unwrap_err();
    assert_eq!(wrong.code, Code::InvalidArgument);
    scene.world.call("tenant.erase", json!({"tenant": "t", "confirm": "t", "by": "Ann"})).unwrap();
    let left = scene.world.call("tenant.export", json!({"tenant": "t"})).unwrap();
    let left: Vec<&str> = left["rows"].as_array().unwrap().iter().map(|row| row["table"].as_str().unwrap()).collect();
    assert!(left.iter().all(|table| ["activity", "events"].contains(table)), "{left:?}");
    let after = verify(&head);
    assert!(after["whole"] == true && after["entries"].as_i64() > Some(last), "{after}");
    db.execute("DELETE FROM activity WHERE seq >= ?1", [last]).unwrap();
    assert_eq!(verify(&head)["whole"], false);
}

#[test]
fn input_without_sense_is_refused_and_loses_nothing() {
    let scene = Scene::with(&["--tls"], fast());
    let post = |text: &str| {
        let params = json!({"tenant": "t", "link": scene.link, "visibility": "internal", "text": text});
        scene.world.call("notes.post", params)
    };
    for (text, code, rule) in [
        ("x".repeat(10 << 20).as_str(), Code::TooLarge, "max_length"),
        ("with a bell \u{7}", Code::InvalidArgument, "control_character"),
        (" \n ", Code::InvalidArgument, "required"),
    ] {
        let error = post(text).unwrap_err();
        assert_eq!((error.code, error.fields[0].code.as_str()), (code, rule), "{}", error.message);
    }
    for (method, params, code) in [
        (
            "notes.post",
            json!({"tenant": "u", "link": scene.link, "visibility": "internal", "text": "x"}),
            Code::NotFound,
        ),
        ("links.get", json!({"tenant": "u", "link": scene.link}), Code::NotFound),
        ("operations.get", json!({"tenant": "t", "operation": "o_1"}), Code::NotFound),
        ("operations.list", json!({"tenant": "t", "page": {"cursor": "%%%"}}), Code::InvalidArgument),
        ("tickets.set_status", json!({"tenant": "t", "link": scene.link}), Code::InvalidArgument),
        (
            "links.create",
            json!({"tenant": "t", "connection": scene.connection, "product_ticket": "", "ticket": "1"}),
            Code::InvalidArgument,
        ),
        (
            "links.create",
            json!({"tenant": "t", "connection": scene.connection, "product_ticket": "x", "ticket": "999999"}),
            Code::NotFound,
        ),
        (
            "links.create",
            json!({"tenant": "t", "connection": scene.connection, "product_ticket": "HD-1001", "ticket": "1002"}),
            Code::Conflict,
        ),
        ("store.backup", json!({"path": "/nowhere/at/all.db"}), Code::Storage),
        ("vault.retire", json!({"key": "no such key"}), Code::Ok),
    ] {
        match scene.world.call(method, params.clone()) {
            Ok(_) => assert_eq!(code, Code::Ok, "{method} {params}"),
            Err(error) => assert_eq!(error.code, code, "{method} {params}: {error}"),
        }
    }
    assert_eq!(scene.post("Still here.")["outcome"], "applied");
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

/// Lets a process write no file any further, or again.
fn limit_files(product: &Product, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    compile::run(std::process::Command::new("prlimit").args(["--pid", &product.id().to_string(), &limit]));
}

#[test]
fn a_disk_that_is_full_when_the_answer_comes_sends_nothing_twice() {
    let shared = Shared::new();
    let host = shared.open(json!({"outbox": {"deliver": false}})).unwrap();
    let (_, link) = shared.link(&host);
    let mut product = Product::start(&shared.config(json!({})), Some("answered:1:stop")).unwrap().unwrap();
    let params = json!({"tenant": "t", "link": link, "visibility": "internal", "text": "Said once."});
    let accepted = product.call("notes.post", &params).unwrap().unwrap();
    // The PSA has it; the process stands still before it can write that down.
    while shared.words().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::thread::sleep(std::time::Duration::from_millis(50));
    limit_files(&product, "0");
    product.wake();
    let error = product.call("notes.post", &params).unwrap().unwrap_err();
    assert_eq!(error.code, Code::Storage, "{error}");
    let of = json!({"tenant": "t", "operation": accepted["operation"]});
    // Read by the other host: nothing was recorded, so the attempt is still open.
    let now = call(&host, "operations.get", of.clone()).unwrap();
    assert_eq!(now["state"], "queued", "{now:#}");
    assert_eq!(now["transitions"].as_array().unwrap().last().unwrap()["to_attempt"], 1, "{now:#}");
    limit_files(&product, "unlimited");
    loop {
        let now = call(&host, "operations.get", of.clone()).unwrap();
        if now["state"] == "delivered" {
            assert_eq!((now["outcome"].as_str(), now["attempts"].as_i64()), (Some("found"), Some(1)), "{now:#}");
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(shared.words(), ["Said once."]);
    // And it takes what comes.
    product.call("notes.post", &params).unwrap().unwrap();
}

#[test]
fn a_hundred_thousand_links_are_listed_page_by_page_and_found_at_once() {
    let shared = Shared::new();
    let host = shared.open(json!({})).unwrap();
    let (connection, _) = shared.link(&host);
    let mut db = rusqlite::Connection::open(shared.folder.path().join("data/store.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    let rows = db.transaction().unwrap();
    {
        let mut insert = rows
            .prepare(
                "INSERT INTO ticket_links (tenant, link, connection, product_ticket, ticket, state, reference, created,
                 changed) VALUES ('t', ?1, ?2, ?3, ?4, 'linked', ?1, 0, 0)",
            )
            .unwrap();
        for number in 0..100_000 {
            let id = format!("l_{number:06}");
            insert.execute([&id, &connection, &format!("many {number}"), &format!("many {number}")]).unwrap();
        }
    }
    rows.commit().unwrap();
    let (mut cursor, mut count, mut pages) = (Value::Null, 0, 0);
    loop {
        let page = if cursor.is_null() { json!({"limit": 1000}) } else { json!({"limit": 1000, "cursor": cursor}) };
        let mut found = call(&host, "links.list", json!({"tenant": "t", "page": page})).unwrap();
        count += found["items"].as_array().unwrap().len();
        pages += 1;
        cursor = found["next"].take();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!((count, pages), (100_001, 101));
    let one = json!({"tenant": "t", "product_ticket": "many 77777"});
    assert_eq!(call(&host, "links.list", one).unwrap()["items"][0]["link"], "l_077777");
    let dependents = call(&host, "connections.delete", json!({"tenant": "t", "connection": connection})).unwrap();
    assert_eq!(dependents["links"], 100_001);
}

#[test]
fn a_write_of_one_host_makes_the_ticket_old_in_the_cache_of_another() {
    let shared = Shared::new();
    let [first, second] =
        [shared.open(json!({})).unwrap(), shared.open(json!({"outbox": {"deliver": false}})).unwrap()];
    let (connection, link) = shared.link(&first);
    let get = |host: &Host| {
        let of = json!({"tenant": "t", "connection": connection, "ticket": "1001"});
        call(host, "tickets.get", of).unwrap()["status"]["id"].as_str().unwrap().to_owned()
    };
    let reads = || {
        let log = shared.simulator.log().unwrap();
        log.iter().filter(|entry| entry["endpoint"] == "get_ticket").count()
    };
    let before = get(&second);
    let counted = reads();
    assert_eq!(get(&second), before);
    assert_eq!(reads(), counted, "the second read is from the cache");
    let other = if before == "102" { "103" } else { "102" };
    let set = json!({"tenant": "t", "link": link, "status": other, "wait_ms": 60_000});
    assert_eq!(call(&first, "tickets.set_status", set).unwrap()["state"], "delivered");
    assert_eq!((get(&first).as_str(), get(&second).as_str()), (other, other));
    let health = call(&second, "health", json!({"tenant": "t"})).unwrap();
    assert!(health["connections"]["items"][0]["cache"]["hits"].as_u64() > Some(0), "{health}");
}
