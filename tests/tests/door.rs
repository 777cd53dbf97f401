//! The door answers 2xx for what is on disk, 429 for what it cannot keep, and nothing that anybody could use.

use psa_tests::compile;
use psa_tests::forge::{Message, Recorder, raw};
use psa_tests::inbound::{Inbound, quick};
use psa_tests::process::Product;
use psa_tests::shared::{Shared, call};
use serde_json::{Value, json};

/// The path of the callback for tickets.
fn path(scene: &Inbound) -> String {
    format!("/hooks/psa/{}?recordId=1001&action=updated", scene.registered())
}

#[test]
fn who_is_not_expected_is_told_so_and_nothing_is_kept() {
    let scene = Inbound::new(&json!({}));
    let path = path(&scene);
    let before = scene.settled().len();
    let send = |method: &str, path: &str| raw(&scene.door.address, method, path, &[], b"{}");
    for method in ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "X"] {
        let (status, head) = send(method, &path);
        assert_eq!((status, head.contains("\r\nallow: post\r\n")), (405, true), "{method}: {head}");
    }
    let token = "0123456789abcdef0123456789abcdef01234567";
    let own = path.split('?').next().unwrap();
    for unknown in [
        format!("/hooks/psa/{token}"),
        format!("/hooks/psa/{token}?recordId=1001&action=updated"),
        format!("/hooks/psa?token={}", own.rsplit('/').next().unwrap()),
        format!("{own}x"),
        format!("{own}/x"),
        own.to_uppercase(),
        "/".to_owned(),
        "/hooks/psa".to_owned(),
        "/hooks/psa/../../etc/passwd".to_owned(),
    ] {
        let (status, head) = send("POST", &unknown);
        assert_eq!(status, 410, "{unknown}: {head}");
        assert!(head.contains("cache-control: no-store"), "{head}");
    }
    assert_eq!(scene.settled().len(), before, "nothing of it is kept");
    assert_eq!(send("POST", &path).0, 204, "the true address still works");
    // Whoever goes takes the address along.
    let waiting = scene.of("connections.disconnect", json!({})).unwrap();
    assert_ne!(waiting["state"], "active");
    assert_eq!(send("POST", &path).0, 410, "disconnected");
}

#[test]
fn a_deleted_connection_expects_nothing_any_more() {
    let scene = Inbound::new(&json!({}));
    let path = path(&scene);
    assert_eq!(raw(&scene.door.address, "POST", &path, &[], b"{}").0, 204);
    scene.of("connections.delete", json!({})).unwrap();
    assert_eq!(raw(&scene.door.address, "POST", &path, &[], b"{}").0, 410);
}

#[test]
fn a_host_that_is_closed_asks_the_psa_to_come_again() {
    let scene = Inbound::new(&json!({}));
    let path = path(&scene);
    scene.host.close(1_000).unwrap();
    assert_eq!(raw(&scene.door.address, "POST", &path, &[], b"{}").0, 429);
}

/// Several processes on one folder; what the PSA delivers is recorded and handed in by hand.
struct Many {
    shared: Shared,
    recorder: Recorder,
    connection: String,
}

impl Many {
    /// A connection with these tickets linked, and one true message about each.
    fn new(tickets: &[u64]) -> (Many, Vec<Message>) {
        let (shared, recorder) = (Shared::new(), Recorder::open());
        let mut many = Many { shared, recorder, connection: String::new() };
        let host = many.shared.open(many.config(json!({}))).unwrap();
        let made = call(&host, "connections.create", many.shared.create()).unwrap();
        many.connection = made["connection"].as_str().unwrap().to_owned();
        assert_eq!(call(&host, "connections.test", many.of(json!({}))).unwrap()["passed"], true);
        for ticket in tickets {
            let link = json!({"product_ticket": format!("HD-{ticket}"), "ticket": ticket.to_string()});
            call(&host, "links.create", many.of(link)).unwrap();
        }
        while !call(&host, "callbacks.list", many.of(json!({}))).unwrap()["items"]
            .as_array()
            .is_some_and(|all| all.len() == 2 && all.iter().all(|one| one["state"] == "active"))
        {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        host.close(1_000).unwrap();
        for ticket in tickets {
            many.person(*ticket);
        }
        let messages = many.recorder.wait(tickets.len());
        (many, messages)
    }

    fn person(&self, ticket: u64) {
        let act = json!({"note": {"text": format!("Said on {ticket}.")}});
        self.shared.simulator.control("POST", &format!("tickets/{ticket}"), Some(&act)).unwrap();
    }

    fn config(&self, more: Value) -> Value {
        let mut config = quick();
        config["callbacks"]["address"] = json!(self.recorder.address);
        for (name, value) in more.as_object().unwrap() {
            config["callbacks"][name] = value.clone();
        }
        config["egress"] = json!({"allow_loopback_http": true});
        config
    }

    fn start(&self, more: Value) -> Product {
        Product::start(&self.shared.config(self.config(more)), None).unwrap().unwrap()
    }

    fn of(&self, mut params: Value) -> Value {
        params["tenant"] = json!("t");
        params["connection"] = json!(self.connection);
        params
    }

    /// Hands a message to a process; the status it answers.
    fn hand_in(&self, product: &mut Product, message: &Message) -> u64 {
        product.call("callback", &message.params()).unwrap().unwrap()["status"].as_u64().unwrap()
    }

    /// Tickets of which the product was told that a note was added, in the order of telling, until so many came.
    fn told(&self, count: usize) -> Vec<(String, String)> {
        let host = self.shared.open(self.config(json!({}))).unwrap();
        let mut told = Vec::new();
        while told.len() < count {
            let event = host.next_event("p", 60_000).unwrap().expect("it comes");
            host.ack_event("p", event.id).unwrap();
            let event: Value = serde_json::from_str(&event.json).unwrap();
            if event["event"] == "note.added" {
                let word = |name: &str| event[name].as_str().unwrap().to_owned();
                told.push((word("ticket"), word("heard")));
            }
        }
        while call(&host, "health", json!({"tenant": "t"})).unwrap()["connections"]["items"][0]["callbacks"]["waiting"]
            != 0
        {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(host.next_event("p", 300).unwrap().is_none_or(|event| !event.json.contains("note.added")));
        host.close(1_000).unwrap();
        told
    }
}

#[test]
fn what_was_answered_is_on_disk_though_the_process_is_killed_at_once() {
    let (many, messages) = Many::new(&[1001]);
    let mut product = many.start(json!({"work": false}));
    assert_eq!(many.hand_in(&mut product, &messages[0]), 204);
    product.kill();
    assert_eq!(many.told(1), [("1001".to_owned(), "callback".to_owned())]);
}

#[test]
fn two_processes_on_one_folder_tell_each_change_once() {
    let tickets = [1001, 1002, 1003, 1004, 1005, 1006];
    let (many, messages) = Many::new(&tickets);
    let mut products = [many.start(json!({})), many.start(json!({}))];
    let asked: Vec<_> = messages
        .iter()
        .flat_map(|message| {
            products.iter_mut().map(|product| product.ask("callback", &message.params())).collect::<Vec<_>>()
        })
        .collect();
    for answer in asked {
        assert_eq!(answer.recv().unwrap()["result"]["status"], 204);
    }
    // The sweep may be quicker than a callback; then the callback finds nothing new.
    let mut told: Vec<_> = many.told(tickets.len()).into_iter().map(|(ticket, _)| ticket).collect();
    told.sort();
    assert_eq!(told, tickets.map(|ticket| ticket.to_string()));
    for product in products {
        product.end();
    }
}

/// Lets a process write no file any further, or again.
fn limit_files(product: &Product, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    compile::run(std::process::Command::new("prlimit").args(["--pid", &product.id().to_string(), &limit]));
}

#[test]
fn what_cannot_be_kept_is_429_and_comes_again() {
    let (many, messages) = Many::new(&[1001]);
    let mut product = many.start(json!({}));
    limit_files(&product, "0");
    let answer = product.call("callback", &messages[0].params()).unwrap().unwrap();
    assert_eq!(answer["status"], 429, "{answer}");
    assert!(answer["headers"].to_string().contains("retry-after"), "{answer}");
    limit_files(&product, "unlimited");
    assert_eq!(many.hand_in(&mut product, &messages[0]), 204);
    assert_eq!(many.told(1), [("1001".to_owned(), "callback".to_owned())]);
}

#[test]
fn on_a_disk_that_is_read_only_nothing_is_claimed_and_nothing_is_lost() {
    let (many, messages) = Many::new(&[1001]);
    let aside = tempfile::tempdir().unwrap();
    let library = compile::read_only(aside.path());
    let data = many.shared.folder.path().join("data");
    let mark = aside.path().join("mark");
    let variables = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("PSA_READ_ONLY_FOLDER", data.to_str().unwrap()),
        ("PSA_READ_ONLY_MARK", mark.to_str().unwrap()),
    ];
    let config = many.shared.config(many.config(json!({})));
    let counts = || {
        let db = rusqlite::Connection::open(data.join("store.db")).unwrap();
        let rows: u64 = db.query_row("SELECT count(*) FROM callbacks", [], |row| row.get(0)).unwrap();
        let counted: u64 = db.query_row("SELECT sum(overflow) FROM cursors", [], |row| row.get(0)).unwrap();
        (rows, counted)
    };
    let before = counts();
    let mut product = Product::start_with(&config, &variables).unwrap().unwrap();
    std::fs::write(&mark, "").unwrap();
    for _ in 0..3 {
        let answer = product.call("callback", &messages[0].params()).unwrap().unwrap();
        assert_eq!(answer["status"], 429, "{answer}");
        assert!(answer["headers"].to_string().contains("retry-after"), "{answer}");
    }
    assert_eq!(counts(), before, "neither kept nor counted");
    std::fs::remove_file(&mark).unwrap();
    assert_eq!(many.hand_in(&mut product, &messages[0]), 204);
    product.end();
    assert_eq!(many.told(1), [("1001".to_owned(), "callback".to_owned())]);
    // Who opens it in this state is told so, and nothing is changed.
    std::fs::write(&mark, "").unwrap();
    let error = Product::start_with(&config, &variables).unwrap().err().expect("it cannot be opened");
    assert_eq!(error.code, psa_host::Code::Storage, "{error}");
}

#[test]
fn a_copy_of_another_environment_keeps_and_sends_nothing() {
    let (many, messages) = Many::new(&[1001]);
    many.shared.simulator.control("DELETE", "log", None).unwrap();
    let entries = || many.shared.simulator.control("GET", "callbacks", None).unwrap();
    let before = entries();
    let mut config = many.config(json!({"address": "http://127.0.0.1:9/staging"}));
    config["environment"] = json!("staging");
    let mut product = Product::start(&many.shared.config(config), None).unwrap().unwrap();
    assert_eq!(many.hand_in(&mut product, &messages[0]), 204);
    for method in ["callbacks.heal", "callbacks.rotate"] {
        let error = product.call(method, &many.of(json!({}))).unwrap().unwrap_err();
        assert_eq!(error.reason.as_deref(), Some("environment"), "{method}: {error}");
    }
    let steps = product.call("callbacks.compare", &many.of(json!({}))).unwrap().unwrap()["steps"].clone();
    assert!(steps.to_string().contains("replace"), "it is said what would be done: {steps}");
    product.call("connections.disconnect", &many.of(json!({}))).unwrap().unwrap();
    product.end();
    assert_eq!(entries(), before, "the registrations of the real one stay");
    let log = many.shared.simulator.log().unwrap();
    let written: Vec<&Value> = log.iter().filter(|entry| entry["method"] != "GET").collect();
    assert!(written.is_empty(), "{written:#?}");
}

#[test]
fn a_flood_is_counted_and_everything_is_read_in_the_end() {
    let scene = Inbound::new(&json!({"callbacks": {"waiting_max": 5, "sweep_ms": 600_000}}));
    scene.registered();
    let tickets: Vec<u64> = (1001..1013).filter(|ticket| ticket % 10 != 0).collect();
    for ticket in &tickets {
        scene.link(*ticket);
    }
    scene.events("p");
    // The site does not say its key: what comes has to wait. Nor does it show tickets, or all would be read at once.
    for endpoint in ["callback_key", "get_ticket"] {
        scene.simulator.fault(&json!({"endpoint": endpoint, "fault": "error_500_before_commit"})).unwrap();
    }
    for ticket in &tickets {
        scene.person(*ticket, &json!({"note": {"text": "More.", "internal": true}}));
    }
    assert!(scene.simulator.settle_deliveries().unwrap());
    let health = scene.of("callbacks.list", json!({})).unwrap()["health"].clone();
    assert_eq!(health["waiting"], 5, "{health}");
    // The mark is there, or what it stands for is noted already: every linked ticket is to be read.
    let noted = health["to_read"].as_u64() == Some(tickets.len() as u64);
    assert!(health["overrun"] == true || noted, "{health}");
    let statuses: Vec<Value> = scene.simulator.deliveries().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert!(statuses.iter().all(|status| *status == 204), "{statuses:?}");
    scene.simulator.control("DELETE", "faults", None).unwrap();
    let mut told = Vec::new();
    while told.len() < tickets.len() {
        told.push(scene.event("p", "note.added")["ticket"].as_str().unwrap().parse::<u64>().unwrap());
    }
    told.sort_unstable();
    assert_eq!(told, tickets);
    scene.until("the mark goes", || {
        let health = scene.of("callbacks.list", json!({})).unwrap()["health"].clone();
        (health["overrun"] == false && health["waiting"] == 0).then_some(())
    });
    assert!(scene.events("p").is_empty(), "nothing is told twice");
}
