//! A window of changes that is interrupted goes on where it was; one whose list is cut short is never called complete.

use psa_tests::inbound::Inbound;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Pages have a thousand tickets, so there are two, and one of project tickets.
const TICKETS: u64 = 2_000;

fn quiet() -> Value {
    // No callbacks: only windows find anything. They are read at once and end in the present.
    json!({"callbacks": {"poll_ms": 100, "window_ms": 0, "address": null, "tick_ms": 10, "backoff_ms": 20, "backoff_max_ms": 50}})
}

fn watermark(scene: &Inbound) -> String {
    scene.of("callbacks.list", json!({})).unwrap()["health"]["known_until"].as_str().unwrap_or_default().to_owned()
}

/// A scene whose first look is over, with links on the first page, on the second one and on that of project tickets.
fn scene() -> (Inbound, Vec<u64>) {
    let count = TICKETS.to_string();
    let scene = Inbound::with(&["--tls", "--tickets", &count], &quiet(), None);
    scene.until("the first look is over", || (!watermark(&scene).is_empty()).then_some(()));
    let linked = vec![1001, 1002, 1500, 2500, 2999, 1010];
    for ticket in &linked {
        scene.link(*ticket);
    }
    scene.events("p");
    (scene, linked)
}

fn change_all(scene: &Inbound) {
    let tickets: Vec<u64> = (1001..1001 + TICKETS).collect();
    let order = json!({"changes": TICKETS, "tickets": tickets, "each": true, "same_second": true});
    scene.simulator.control("POST", "tickets/churn", Some(&order)).unwrap();
}

fn heard(scene: &Inbound, linked: &[u64]) {
    let mut missing: BTreeSet<u64> = linked.iter().copied().collect();
    let mut told = BTreeSet::new();
    scene.until("each linked ticket is told of", || {
        for event in scene.events("p").iter().filter(|event| event["event"] == "ticket.changed") {
            let ticket: u64 = event["ticket"].as_str().unwrap().parse().unwrap();
            assert!(told.insert(ticket), "told twice: {event:#}");
            missing.remove(&ticket);
        }
        missing.is_empty().then_some(())
    });
}

/// The lists of changes that were answered, as id conditions: `None` is a first page.
fn pages(scene: &Inbound) -> Vec<(String, u64)> {
    let log = scene.simulator.log().unwrap();
    let lists = log.iter().filter(|entry| entry["endpoint"] == "search_tickets");
    lists
        .map(|entry| {
            let query = entry["query"].as_str().unwrap();
            let after = query.split("id%3E").nth(1).and_then(|rest| rest.split(['&', '%', '+']).next()?.parse().ok());
            (entry["path"].as_str().unwrap().to_owned(), after.unwrap_or(0))
        })
        .collect()
}

#[test]
fn a_list_that_is_cut_short_on_any_page_never_moves_the_watermark() {
    for (fault, page) in [("truncated_json", 0), ("html_200", 1), ("error_500_before_commit", 2), ("truncated_json", 1)]
    {
        let (scene, linked) = scene();
        change_all(&scene);
        let before = watermark(&scene);
        // The pages before it pass: faults strike in turn, and the first ones do no harm.
        scene.simulator.control("DELETE", "log", None).unwrap();
        if page > 0 {
            let harmless = json!({"endpoint": "search_tickets", "fault": "latency", "ms": 1, "times": page});
            scene.simulator.fault(&harmless).unwrap();
        }
        scene.simulator.fault(&json!({"endpoint": "search_tickets", "fault": fault})).unwrap();
        scene.until("it was cut short some times", || {
            let log = scene.simulator.log().unwrap();
            (log.iter().filter(|entry| entry["fault"] == fault).count() >= 3).then_some(())
        });
        let stands = watermark(&scene);
        let closed = scene.simulator.log().unwrap().iter().any(|entry| {
            entry["fault"].is_null() && entry["path"].as_str().is_some_and(|path| path.ends_with("/project/tickets"))
        });
        // A window that was over before the fault came may have moved it once; afterwards it stands.
        assert!(closed || page > 0 || stands == before, "{fault} on page {page}: {before} {stands}");
        scene.until("it was cut short some more times", || {
            let log = scene.simulator.log().unwrap();
            (log.iter().filter(|entry| entry["fault"] == fault).count() >= 6).then_some(())
        });
        assert_eq!(watermark(&scene), stands, "{fault} on page {page}");
        scene.simulator.control("DELETE", "faults", None).unwrap();
        heard(&scene, &linked);
        scene.until("windows go on", || (watermark(&scene) > stands).then_some(()));
    }
}

#[test]
fn a_host_that_ends_on_any_page_goes_on_with_that_page() {
    for page in 1..3_u64 {
        let (mut scene, linked) = scene();
        // The page hangs: the host ends while it waits for it.
        let hold = json!({"endpoint": "search_tickets", "fault": "hang"});
        scene.simulator.fault(&hold).unwrap();
        let hung = |scene: &Inbound| scene.simulator.log().unwrap().iter().any(|entry| entry["fault"] == "hang");
        scene.until("it waits", || hung(&scene).then_some(()));
        scene.host.close(0).unwrap();
        change_all(&scene);
        scene.simulator.control("DELETE", "faults", None).unwrap();
        scene.simulator.control("DELETE", "log", None).unwrap();
        let pass = json!({"endpoint": "search_tickets", "fault": "latency", "ms": 1, "times": page + 2});
        scene.simulator.fault(&pass).unwrap();
        scene.simulator.fault(&hold).unwrap();
        scene.reopen(&json!({}));
        scene.until("it waits again", || hung(&scene).then_some(()));
        let before = pages(&scene);
        let (path, after) = before.last().unwrap().clone();
        scene.host.close(0).unwrap();
        scene.simulator.control("DELETE", "faults", None).unwrap();
        scene.simulator.control("DELETE", "log", None).unwrap();
        scene.reopen(&json!({}));
        scene.until("it goes on", || (!pages(&scene).is_empty()).then_some(()));
        assert_eq!(
            pages(&scene)[0],
            (path, after),
            "page {page}: it goes on with the page it was at; before: {before:?}"
        );
        heard(&scene, &linked);
    }
}
