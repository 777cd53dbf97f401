//! Pages that are read while the product looks at the one before.

use psa_host::{CallOptions, Code, Error};
use psa_tests::inbound::Inbound;
use serde_json::{Value, json};

/// Tickets, seven to a page.
struct Sevens(Inbound);

impl Sevens {
    fn new() -> Sevens {
        Sevens(Inbound::new(&json!({})))
    }

    fn read(&self, cursor: &Value, ahead: bool) -> Result<Value, Error> {
        self.0.of("tickets.search", json!({"page": {"limit": 7, "cursor": cursor}, "ahead": ahead}))
    }

    /// The first page, and the one behind it is on its way or there.
    fn first(&self) -> Value {
        let before = self.asked();
        let first = self.read(&Value::Null, true).unwrap();
        self.0.until("the next page is asked for", || (self.asked() >= before + 2).then_some(()));
        first
    }

    fn asked(&self) -> usize {
        self.0.asked("search_tickets").len()
    }

    fn refuses(&self) {
        self.0.simulator.fault(&json!({"endpoint": "search_tickets", "fault": "forbidden"})).unwrap();
    }
}

#[test]
fn a_page_is_read_ahead_and_given_out_once() {
    let scene = Sevens::new();
    let first = scene.first();
    scene.refuses();
    // Only what was asked for before is to be had now.
    let second = scene.read(&first["next"], true).unwrap();
    assert_eq!(second["items"].as_array().unwrap().len(), 7);
    assert_ne!(second["items"], first["items"]);
    assert_eq!(scene.read(&first["next"], true).unwrap_err().code, Code::Forbidden);
    scene.0.simulator.control("DELETE", "faults", None).unwrap();
    assert_eq!(scene.read(&first["next"], false).unwrap(), second);
}

#[test]
fn nothing_that_was_read_ahead_is_for_who_does_not_ask_for_it() {
    let scene = Sevens::new();
    let first = scene.first();
    scene.refuses();
    assert_eq!(scene.read(&first["next"], false).unwrap_err().code, Code::Forbidden);
    let other_size = json!({"page": {"limit": 8, "cursor": first["next"]}, "ahead": true});
    assert_eq!(scene.0.of("tickets.search", other_size).unwrap_err().code, Code::Forbidden);
    assert!(scene.read(&first["next"], true).is_ok());
}

#[test]
fn nothing_is_read_ahead_unasked() {
    let scene = Sevens::new();
    let first = scene.read(&Value::Null, false).unwrap();
    scene.refuses();
    assert_eq!(scene.read(&first["next"], true).unwrap_err().code, Code::Forbidden);
}

#[test]
fn what_was_read_ahead_is_not_older_than_our_own_write() {
    let scene = Sevens::new();
    let plain = scene.read(&Value::Null, false).unwrap();
    let second = scene.read(&plain["next"], false).unwrap();
    let ticket = second["items"][0]["id"].as_str().unwrap();
    let link = scene.0.link(ticket.parse().unwrap());
    let first = scene.first();
    let changes = json!({"tenant": "t", "link": link, "changes": {"summary": "Quite another one"}, "wait_ms": 60_000});
    assert_eq!(scene.0.call("tickets.update", changes).unwrap()["state"], "delivered");
    assert_eq!(scene.read(&first["next"], true).unwrap()["items"][0]["summary"], "Quite another one");
}

#[test]
fn the_last_page_has_the_ticket_that_we_have_made_since() {
    let scene = Sevens::new();
    let read = |cursor: &Value| {
        scene.0.of("tickets.search", json!({"page": {"limit": 50, "cursor": cursor}, "ahead": true})).unwrap()
    };
    let first = read(&Value::Null);
    scene.0.until("the last page is asked for", || (scene.asked() >= 2).then_some(()));
    let ticket = json!({"product_ticket": "HD-1", "summary": "Quite a new one", "company": "2", "wait_ms": 60_000});
    assert_eq!(scene.0.of("tickets.create", ticket).unwrap()["state"], "delivered");
    let last = read(&first["next"]);
    assert_eq!(last["next"], Value::Null);
    assert_eq!(last["items"].as_array().unwrap().last().unwrap()["summary"], "Quite a new one");
}

#[test]
fn who_waits_for_what_is_read_ahead_ends_in_his_own_time() {
    let scene = Sevens::new();
    // The first page comes at once, the one behind it never.
    for (fault, times) in [("late_answer", 1), ("hang", 0)] {
        let order = json!({"endpoint": "search_tickets", "fault": fault, "ms": 1, "times": times});
        scene.0.simulator.fault(&order).unwrap();
    }
    let first = scene.first();
    let params = json!({"tenant": "t", "connection": scene.0.connection, "ahead": true,
                        "page": {"limit": 7, "cursor": first["next"]}});
    let options = CallOptions { timeout_ms: Some(200), ..CallOptions::default() };
    let error = scene.0.host.call("tickets.search", params.to_string().as_bytes(), options).unwrap_err();
    assert!(error.code == Code::Timeout && error.message.contains("another call was still reading"), "{error}");
}

#[test]
fn what_could_not_be_read_ahead_is_read_when_it_is_asked_for() {
    let scene = Sevens::new();
    // The first page comes late, which does no harm; the one behind it is refused.
    for (fault, ms) in [("late_answer", 1), ("forbidden", 0)] {
        let order = json!({"endpoint": "search_tickets", "fault": fault, "ms": ms, "times": 1});
        scene.0.simulator.fault(&order).unwrap();
    }
    let first = scene.first();
    // Who comes while it is being refused hears of it; nobody hears of it twice.
    let second = scene.read(&first["next"], true).or_else(|error| {
        assert_eq!(error.code, Code::Forbidden);
        scene.read(&first["next"], true)
    });
    assert_eq!(second.unwrap()["items"].as_array().unwrap().len(), 7);
}
