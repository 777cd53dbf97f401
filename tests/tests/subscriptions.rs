//! What is registered at the PSA is what is wanted: once each, whatever becomes of an answer or of the process; and nobody
//! else's. Who switches ours off, and who may not register, is in `healing`.

use psa_simulator::Simulator;
use psa_tests::forge::raw;
use psa_tests::inbound::{Inbound, quick};
use psa_tests::process::Product;
use psa_tests::shared::{Shared, call};
use serde_json::{Value, json};

/// Entries at the PSA that lead to an address.
fn entries(simulator: &Simulator, address: &str) -> Vec<Value> {
    let all = simulator.control("GET", "callbacks", None).unwrap();
    let leads = |entry: &&Value| entry["url"].as_str().unwrap().starts_with(address);
    all["items"].as_array().unwrap().iter().filter(leads).cloned().collect()
}

/// Everything that leads elsewhere.
fn others(scene: &Inbound) -> Vec<Value> {
    let all = scene.simulator.control("GET", "callbacks", None).unwrap();
    let foreign = |entry: &&Value| !entry["url"].as_str().unwrap().contains("/hooks/");
    all["items"].as_array().unwrap().iter().filter(foreign).cloned().collect()
}

/// Type and level of each, sorted.
fn kinds(entries: &[Value]) -> Vec<String> {
    let mut kinds: Vec<String> =
        entries.iter().map(|entry| format!("{} {}", entry["type"], entry["level"]).replace('"', "")).collect();
    kinds.sort();
    kinds
}

const BOTH: [&str; 2] = ["member owner", "ticket owner"];

/// How often the PSA was asked to make one.
fn creations(simulator: &Simulator) -> usize {
    simulator.log().unwrap().iter().filter(|entry| entry["endpoint"] == "create_callback").count()
}

/// Waits until exactly one of each kind leads to us, and the host knows them.
fn settled(scene: &Inbound) -> Vec<Value> {
    scene.until("one of each kind is registered", || {
        let listed = scene.of("callbacks.list", json!({})).unwrap()["items"].clone();
        let known: Vec<&Value> = listed.as_array().unwrap().iter().filter(|one| one["state"] == "active").collect();
        let found = entries(&scene.simulator, &scene.door.address);
        let same = known.len() == 2
            && known
                .iter()
                .all(|one| found.iter().any(|entry| one["remote"].as_str() == Some(&*entry["id"].to_string())));
        (same && kinds(&found) == BOTH).then_some(found)
    })
}

/// A scene whose first registrations go wrong.
fn with_fault(fault: &str, more: &Value) -> Inbound {
    let address = "http://127.0.0.1:9/nobody";
    // Nothing is registered before the fault is ordered.
    let mut scene = Inbound::new(&json!({"callbacks": {"address": address, "work": false}}));
    let mut order = json!({"endpoint": "create_callback", "fault": fault, "times": 2, "ms": 150, "listing_ms": 150});
    order["retry_after"] = json!(0);
    scene.simulator.fault(&order).unwrap();
    let mut more = more.clone();
    more["callbacks"]["address"] = json!(scene.door.address);
    more["callbacks"]["work"] = json!(true);
    more["callbacks"]["ensure_ms"] = json!(100);
    scene.reopen(&more);
    scene
}

#[test]
fn an_answer_that_is_lost_registers_nothing_twice() {
    for fault in ["reset_after_commit", "error_500_after_commit"] {
        let scene = with_fault(fault, &json!({}));
        settled(&scene);
        assert_eq!(creations(&scene.simulator), 2, "{fault}: each was asked for once");
    }
    for fault in ["late_commit", "reset_before_commit", "error_500_before_commit", "rate_limited_seconds"] {
        let scene = with_fault(fault, &json!({}));
        settled(&scene);
        let struck = scene.simulator.log().unwrap().iter().filter(|entry| entry["fault"] == fault).count();
        assert!(struck >= 2, "{fault}");
        // What came late is found, and taken away.
        scene.until("one of each kind stays", || {
            let open = scene.of("callbacks.compare", json!({})).unwrap()["steps"].as_array().unwrap().is_empty();
            (open && kinds(&entries(&scene.simulator, &scene.door.address)) == BOTH).then_some(())
        });
    }
}

#[test]
fn a_process_that_dies_while_it_registers_leaves_nothing_behind() {
    for fault in ["reset_after_commit", "late_commit", "hang"] {
        let shared = Shared::new();
        let address = "http://127.0.0.1:9/hooks";
        let host = shared.open(json!({"callbacks": {"work": false}})).unwrap();
        let made = call(&host, "connections.create", shared.create()).unwrap();
        let of = json!({"tenant": "t", "connection": made["connection"]});
        assert_eq!(call(&host, "connections.test", of.clone()).unwrap()["passed"], true);
        host.close(1_000).unwrap();
        let order = json!({"endpoint": "create_callback", "fault": fault, "times": 1, "ms": 100, "listing_ms": 0});
        shared.simulator.fault(&order).unwrap();
        let mut more = quick();
        more["callbacks"]["address"] = json!(address);
        more["callbacks"]["ensure_ms"] = json!(100);
        let mut product = Product::start(&shared.config(more.clone()), None).unwrap().unwrap();
        while creations(&shared.simulator) == 0 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        product.kill();
        let host = shared.open(more).unwrap();
        loop {
            let steps = call(&host, "callbacks.compare", of.clone()).unwrap()["steps"].clone();
            let late = fault == "late_commit" && creations(&shared.simulator) < 3;
            if steps.as_array().is_some_and(Vec::is_empty) && !late {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let found = entries(&shared.simulator, address);
        assert_eq!(kinds(&found), BOTH, "{fault}");
        let marks = found.iter().filter(|entry| entry["description"].as_str().unwrap().starts_with("psa-bridge st_"));
        assert_eq!(marks.count(), 2);
        host.close(1_000).unwrap();
    }
}

#[test]
fn two_hosts_at_once_register_one_of_each_kind() {
    let shared = Shared::new();
    let address = "http://127.0.0.1:9/hooks";
    let host = shared.open(json!({"callbacks": {"work": false}})).unwrap();
    let made = call(&host, "connections.create", shared.create()).unwrap();
    let of = json!({"tenant": "t", "connection": made["connection"]});
    assert_eq!(call(&host, "connections.test", of.clone()).unwrap()["passed"], true);
    host.close(1_000).unwrap();
    shared.simulator.fault(&json!({"endpoint": "create_callback", "fault": "latency", "ms": 100})).unwrap();
    let mut more = quick();
    more["callbacks"]["address"] = json!(address);
    more["callbacks"]["ensure_ms"] = json!(50);
    let mut products: Vec<Product> =
        (0..2).map(|_| Product::start(&shared.config(more.clone()), None).unwrap().unwrap()).collect();
    // People who press the button meanwhile, in both.
    let asked: Vec<_> = (0..6).map(|number| products[number % 2].ask("callbacks.heal", &of)).collect();
    for answer in asked {
        let answer = answer.recv().unwrap();
        assert!(answer["error"].is_null() || answer["error"]["reason"] == "busy", "{answer}");
    }
    loop {
        let listed = products[0].call("callbacks.list", &of).unwrap().unwrap()["items"].clone();
        if listed.as_array().is_some_and(|all| all.iter().filter(|one| one["state"] == "active").count() >= 2) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(creations(&shared.simulator), 2);
    assert_eq!(kinds(&entries(&shared.simulator, address)), BOTH);
}

#[test]
fn two_connections_to_one_company_leave_each_other_alone() {
    let scene = Inbound::new(&json!({"callbacks": {"ensure_ms": 30}}));
    scene.registered();
    let first = settled(&scene);
    let create = json!({"tenant": "u", "plugin": "connectwise", "settings": scene.simulator.settings(),
                        "secrets": scene.simulator.secrets()});
    let other = scene.call("connections.create", create).unwrap()["connection"].clone();
    let of = json!({"tenant": "u", "connection": other});
    assert_eq!(scene.call("connections.test", of.clone()).unwrap()["passed"], true);
    scene.until("the other one is registered", || {
        let listed = scene.call("callbacks.list", of.clone()).unwrap()["items"].clone();
        listed.as_array().filter(|all| all.len() == 2 && all.iter().all(|one| one["state"] == "active")).map(drop)
    });
    for of in [&of, &json!({"tenant": "t", "connection": scene.connection})] {
        let compared = scene.call("callbacks.compare", of.clone()).unwrap();
        assert_eq!(compared["steps"], json!([]), "{compared:#}");
    }
    let all = entries(&scene.simulator, &scene.door.address);
    assert_eq!(all.len(), 4);
    assert!(first.iter().all(|entry| all.contains(entry)), "{all:#?}");
    assert_eq!(creations(&scene.simulator), 4);
}

#[test]
fn an_address_that_changes_replaces_and_the_old_one_counts_for_a_while() {
    let mut scene = Inbound::new(&json!({"callbacks": {"replaced_ms": 86_400_000_u64}}));
    let token = scene.registered();
    let old = entries(&scene.simulator, &scene.door.address);
    scene.link(1001);
    let path = scene.door.address.trim_start_matches("http://").split_once('/').unwrap().1.to_owned();
    let site = scene.door.address.trim_end_matches(&path).to_owned();
    let moved = format!("{site}other/hooks");
    scene.reopen(&json!({"callbacks": {"address": moved, "ensure_ms": 50}}));
    scene.until("both are registered", || (kinds(&entries(&scene.simulator, &moved)) == BOTH).then_some(()));
    assert_eq!(entries(&scene.simulator, &scene.door.address), old, "the old ones are as they were");
    let states = |state: &str| {
        let listed = scene.of("callbacks.list", json!({})).unwrap()["items"].clone();
        listed.as_array().unwrap().iter().filter(|one| one["state"] == state).count()
    };
    scene.until("the host knows that they are", || ((states("active"), states("replaced")) == (2, 2)).then_some(()));
    scene.settled();
    scene.events("p");
    // What comes through the old one alone still counts.
    scene.simulator.switches(&json!({"callbacks_off": true})).unwrap();
    scene.person(1001, &json!({"status": 102}));
    let order = json!({"url": format!("{}/{token}?recordId=", scene.door.address)});
    let sent = scene.simulator.control("POST", "callbacks/send", Some(&order)).unwrap();
    assert_eq!(sent["statuses"], json!([204]));
    assert_eq!(scene.event("p", "ticket.changed")["heard"], "callback");
    // Its time is over.
    scene.reopen(&json!({"callbacks": {"replaced_ms": 1}}));
    scene.until("the old ones go", || entries(&scene.simulator, &scene.door.address).is_empty().then_some(()));
    assert_eq!(kinds(&entries(&scene.simulator, &moved)), BOTH);
    scene.until("they are forgotten", || {
        let listed = scene.of("callbacks.list", json!({})).unwrap()["items"].clone();
        (listed.as_array().unwrap().len() == 2).then_some(())
    });
    assert_eq!(raw(&site, "POST", &format!("/{path}/{token}"), &[], b"{}").0, 410);
}

#[test]
fn what_was_kept_through_a_registration_that_goes_is_read_all_the_same() {
    let mut scene = Inbound::new(&json!({}));
    scene.registered();
    scene.link(1001);
    scene.settled();
    scene.events("p");
    scene.simulator.fault(&json!({"endpoint": "callback_key", "fault": "error_500_before_commit"})).unwrap();
    // A change of long ago as far as lists go: only the callback, and a sweep, know of it.
    scene.person(1001, &json!({"note": {"text": "More.", "internal": true}}));
    assert!(scene.simulator.settle_deliveries().unwrap());
    // Its registration is taken away while the proof waits, and no list of changes is answered.
    scene.simulator.fault(&json!({"endpoint": "search_tickets", "fault": "error_500_before_commit"})).unwrap();
    scene.reopen(&json!({"callbacks": {"address": null, "ensure_ms": 20}}));
    scene.until("all are taken away", || {
        let listed = scene.of("callbacks.list", json!({})).unwrap();
        listed["items"].as_array().unwrap().is_empty().then_some(())
    });
    assert_eq!(scene.of("callbacks.list", json!({})).unwrap()["health"]["overrun"], true, "it is not forgotten");
    scene.simulator.control("DELETE", "faults", None).unwrap();
    assert_eq!(scene.event("p", "note.added")["ticket"], "1001");
}

#[test]
fn rotating_gives_new_tokens_and_lets_the_old_ones_run_out() {
    let scene = Inbound::new(&json!({"callbacks": {"replaced_ms": 86_400_000_u64}}));
    scene.registered();
    let old = entries(&scene.simulator, &scene.door.address);
    let foreign = others(&scene);
    let done = scene.of("callbacks.rotate", json!({"by": "ann"})).unwrap();
    assert_eq!(done["steps"].as_array().unwrap().len(), 2, "{done:#}");
    let all = entries(&scene.simulator, &scene.door.address);
    assert_eq!(all.len(), 4);
    assert!(old.iter().all(|entry| all.contains(entry)));
    let urls: std::collections::BTreeSet<_> = all.iter().map(|entry| entry["url"].to_string()).collect();
    assert_eq!(urls.len(), 4, "each has its own token");
    assert_eq!(others(&scene), foreign);
    // Once more: the first ones are replaced already.
    scene.of("callbacks.rotate", json!({})).unwrap();
    assert_eq!(entries(&scene.simulator, &scene.door.address).len(), 6);
    let listed = scene.of("callbacks.list", json!({})).unwrap()["items"].clone();
    let active = listed.as_array().unwrap().iter().filter(|one| one["state"] == "active").count();
    assert_eq!((listed.as_array().unwrap().len(), active), (6, 2));
}

#[test]
fn what_nobody_wants_is_taken_away_and_only_that() {
    let mut scene = Inbound::new(&json!({}));
    scene.registered();
    let foreign = others(&scene);
    assert_eq!(foreign.len(), 2);
    scene.reopen(&json!({"callbacks": {"address": null, "ensure_ms": 50}}));
    scene.until("ours are gone", || entries(&scene.simulator, &scene.door.address).is_empty().then_some(()));
    assert_eq!(others(&scene), foreign);
    scene.until("that is said", || {
        let health = scene.of("callbacks.list", json!({})).unwrap()["health"].clone();
        (health["state"] == "off").then_some(())
    });
}

#[test]
fn disconnecting_and_deleting_take_ours_away_also_those_whose_answer_was_lost() {
    for method in ["connections.disconnect", "connections.delete"] {
        let scene = Inbound::new(&json!({"callbacks": {"ensure_ms": 600_000}}));
        scene.registered();
        let foreign = others(&scene);
        scene.of(method, json!({})).unwrap();
        assert!(entries(&scene.simulator, &scene.door.address).is_empty(), "{method}");
        assert_eq!(others(&scene), foreign, "{method}");
    }
    let scene =
        with_fault("reset_after_commit", &json!({"callbacks": {"backoff_ms": 600_000, "backoff_max_ms": 600_000}}));
    scene.until("one is there whose answer was lost", || {
        (!entries(&scene.simulator, &scene.door.address).is_empty()).then_some(())
    });
    scene.of("connections.disconnect", json!({})).unwrap();
    assert!(entries(&scene.simulator, &scene.door.address).is_empty());
}
