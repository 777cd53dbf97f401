//! Writes survive what happens to a database and its machine: copies, frozen processes, clocks, full disks.

use psa_host::{Code, Hooks, Host};
use psa_tests::compile;
use psa_tests::process::Product;
use psa_tests::shared::{Shared, call, note, wait_until_all_ended};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

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
    let told = (error.code, error.reason.as_deref());
    assert_eq!(told, (Code::InvalidArgument, Some("backup_target")), "nothing is overwritten: {error}");
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

/// A link that was made after the backup is not in it, and what was sent through it is found all the same.
#[test]
fn what_is_handed_in_again_after_a_restore_is_found() {
    let shared = Shared::new();
    let data = shared.folder.path().join("data");
    for outcome in ["applied", "found"] {
        let host = shared.open(json!({})).unwrap();
        let (_, link) = shared.link(&host);
        note(&host, &link, "The printer is on its way.").unwrap();
        assert_eq!(wait_until_all_ended(&host).last().unwrap()["outcome"], outcome);
        host.close(1000).unwrap();
        assert_eq!(shared.words().len(), 1);
        // As empty as the oldest backup there is.
        std::fs::remove_dir_all(&data).unwrap();
    }
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
    note(&host, &link, "Of the copy.").unwrap();
    let waiting = call(&host, "operations.list", json!({"tenant": "t"})).unwrap()["items"][1]["operation"].clone();
    let explained = call(&host, "operations.explain", json!({"tenant": "t", "operation": waiting})).unwrap();
    let text = explained["text"].as_str().unwrap();
    assert!(text.contains("belongs to environment \"default\", this is \"staging\""), "{text}");
    let halted = &health["connections"]["items"][0]["halted"];
    assert_eq!(halted[0]["reason"], "environment", "{health}");
    assert!(text.lines().any(|line| halted[0]["message"] == line), "{text}\n{health}");
    // Reading is harmless.
    let of = json!({"tenant": "t", "connection": connection, "ticket": "1001"});
    assert_eq!(call(&host, "tickets.get", of).unwrap()["id"], "1001");
    host.close(1000).unwrap();
    assert!(shared.words().is_empty());
}

#[test]
fn a_frozen_sender_sends_nothing_when_it_wakes() {
    let shared = Shared::new();
    // Nothing else writes there: who is stopped within a commit keeps the database locked.
    let config = shared.config(json!({"outbox": {"lease_ms": 100}, "callbacks": {"work": false}}));
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

#[test]
fn a_sender_that_was_held_up_begins_no_more() {
    let shared = Shared::new();
    let host = shared.open(json!({"outbox": {"deliver": false}})).unwrap();
    let (_, link) = shared.link(&host);
    // A request may take long, so that only the limit of its beginning can stop it.
    let more = json!({"egress": {"timeout_ms": 10_000}, "outbox": {"quiet_ms": 20_000}});
    let mut product = Product::start(&shared.config(more), Some("attempt_open:1:stop")).unwrap().unwrap();
    let params = json!({"tenant": "t", "link": link, "visibility": "internal", "text": "Said once."});
    let answer = product.ask("notes.post", &params);
    let list = || call(&host, "operations.list", json!({"tenant": "t"})).unwrap()["items"].clone();
    while list()[0]["attempts"] != 1 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // Longer than start_limit_ms.
    std::thread::sleep(std::time::Duration::from_millis(700));
    product.wake();
    answer.recv().unwrap();
    let ended = wait_until_all_ended(&host);
    assert_eq!((ended[0]["outcome"].as_str(), ended[0]["attempts"].as_i64()), (Some("applied"), Some(2)), "{ended:#?}");
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
    for number in 0..15 {
        clock.0.store([0, hour, -hour][number % 3], Ordering::SeqCst);
        note(&host, &link, &format!("Note {number} at an odd hour.")).unwrap();
    }
    while call(&host, "health", json!({"tenant": "t"})).unwrap()["connections"]["items"][0]["queued"] != 0 {
        clock.0.fetch_add(hour, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(50));
        clock.0.store(0, Ordering::SeqCst);
    }
    wait_until_all_ended(&host);
    let expected: Vec<String> = (0..15).map(|number| format!("Note {number} at an odd hour.")).collect();
    assert_eq!(shared.words(), expected);
    // Two hours back everything opens as before.
    clock.0.store(-2 * hour, Ordering::SeqCst);
    note(&host, &link, "Two hours back.").unwrap();
    wait_until_all_ended(&host);
    assert_eq!(shared.words().len(), 16);
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
fn a_changed_password_stops_many_lanes_of_two_hosts_at_once_and_locks_nobody_out() {
    let shared = Shared::new();
    let [first, second] = [shared.open(json!({})).unwrap(), shared.open(json!({})).unwrap()];
    let (connection, link) = shared.link(&first);
    let all = shared.simulator.control("GET", "tickets", None).unwrap();
    let tickets: Vec<u64> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|ticket| ticket["kind"] == "service" && ticket["id"] != 1001)
        .filter_map(|ticket| ticket["id"].as_u64())
        .take(39)
        .collect();
    let mut links = vec![link];
    for id in tickets {
        let id = id.to_string();
        let link = json!({"tenant": "t", "connection": connection, "product_ticket": id, "ticket": id});
        links.push(call(&first, "links.create", link).unwrap()["link"].as_str().unwrap().to_owned());
    }
    // Both are warm: their gates are wide open.
    for (number, link) in links.iter().enumerate() {
        note([&first, &second][number % 2], link, "Before.").unwrap();
    }
    wait_until_all_ended(&first);
    shared.simulator.fault(&json!({"endpoint": "*", "fault": "unauthorized"})).unwrap();
    let before = shared.simulator.log().unwrap().len();
    for (number, link) in links.iter().enumerate() {
        note([&first, &second][number % 2], link, "Meanwhile.").unwrap();
    }
    let of = json!({"tenant": "t", "connection": connection});
    while call(&second, "connections.get", of.clone()).unwrap()["reason"] != "sign_in" {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    // Those that were under way when the first refusal came, in two processes of eight slots; nothing after that.
    let refused = shared.simulator.log().unwrap().len() - before;
    assert!(refused <= 2 * 2 * 8, "{refused}");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(shared.simulator.log().unwrap().len() - before, refused);
    shared.simulator.control("DELETE", "faults", None).unwrap();
    let secrets = json!({"tenant": "t", "connection": connection, "secrets": shared.simulator.secrets()});
    assert_eq!(call(&second, "connections.update_credentials", secrets).unwrap()["passed"], true);
    let ended = wait_until_all_ended(&first);
    assert!(ended.iter().all(|operation| operation["state"] == "delivered"), "{ended:#?}");
    let notes = shared.simulator.control("GET", "notes", None).unwrap();
    let count = |text: &str| notes["items"].as_array().unwrap().iter().filter(|note| note["text"] == text).count();
    assert_eq!((count("Before."), count("Meanwhile.")), (40, 40));
}
