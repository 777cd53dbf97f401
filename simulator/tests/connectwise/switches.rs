//! How the PSA behaves as a whole.

use crate::client::{BASE, Client};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection that is to be used again and again.
struct Kept {
    stream: BufReader<TcpStream>,
    headers: String,
}

impl Kept {
    fn new(client: &Client) -> Kept {
        let stream = TcpStream::connect(client.simulator.text("url").trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Kept { stream: BufReader::new(stream), headers: client.headers.clone() }
    }

    /// The head in lower case, and the body. Nothing: the connection was closed instead.
    fn ask(&mut self, path: &str) -> Option<(String, String)> {
        write!(self.stream.get_mut(), "GET {BASE}{path} HTTP/1.1\r\nhost: x\r\n{}\r\n", self.headers).ok()?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        Some((head, String::from_utf8(body).unwrap()))
    }

    fn is_at_its_end(&mut self) -> bool {
        self.stream.read(&mut [0]).unwrap() == 0
    }
}

#[test]
fn a_connection_is_closed_behind_an_answer_that_has_not_said_so() {
    // Enough for an answer that does not leave in one piece.
    let client = Client::with(&["--tickets", "1000"]);
    let mut kept = Kept::new(&client);
    assert!(kept.ask("/service/tickets/1001").is_some() && kept.ask("/service/tickets/1001").is_some());
    client.door("POST", "switches", json!({"close_after_answer": true}));
    for path in ["/service/tickets/1001", "/service/tickets?pageSize=1000", "/service/tickets/999999"] {
        let mut kept = Kept::new(&client);
        let (head, body) = kept.ask(path).unwrap();
        assert!(head.starts_with("http/1.1 ") && !head.contains("\r\nconnection:"), "{head}");
        assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok(), "{path}");
        assert!(kept.is_at_its_end());
        assert!(kept.ask(path).is_none());
    }
    // One that was open before.
    assert!(kept.ask("/service/tickets/1001").is_some() && kept.ask("/service/tickets/1001").is_none());
    let asked = client.simulator.log().unwrap().len();
    assert_eq!(asked, 6, "what was written into a closed connection is never read");
    client.door("POST", "switches", json!({"close_after_answer": false}));
    let mut kept = Kept::new(&client);
    assert!(kept.ask("/service/tickets/1001").is_some() && kept.ask("/service/tickets/1001").is_some());
}

#[test]
fn all_lists_can_lag_behind_what_is_made() {
    let client = Client::new();
    let lists = || {
        let tickets = client.get("/service/tickets/count").json()["count"].as_u64().unwrap();
        (tickets, client.list("/service/tickets/1001/notes").len())
    };
    let note = json!({"text": "x", "internalAnalysisFlag": true});
    let ticket = json!({"summary": "x", "company": {"id": 2}, "initialDescription": "y"});
    let (tickets, notes) = lists();
    client.door("POST", "switches", json!({"listing_lag_ms": 600_000}));
    let made = client.note(&note).json()["id"].clone();
    client.door("POST", "tickets/1001", json!({"note": {"text": "of a person"}}));
    let new = client.ticket(&ticket).json()["id"].clone();
    client.door("POST", "tickets", json!({"summary": "of a person"}));
    // The longer one counts.
    client.fault("add_note", "late_listing", json!({"ms": 1}));
    client.note(&note);
    assert_eq!(lists(), (tickets, notes));
    assert_eq!(client.get(&format!("/service/tickets/1001/notes/{made}")).status, 200);
    assert_eq!(client.get(&format!("/service/tickets/{new}")).status, 200);
    assert!(client.list(&format!("/service/tickets/{new}/notes")).is_empty());
    client.door("POST", "switches", json!({"listing_lag_ms": 1}));
    client.note(&note);
    client.ticket(&ticket);
    while lists() != (tickets + 1, notes + 1) {
        std::thread::yield_now();
    }
    client.door("POST", "switches", json!({"listing_lag_ms": 0}));
    client.note(&note);
    client.ticket(&ticket);
    assert_eq!(lists(), (tickets + 2, notes + 2));
}

#[test]
fn switches_are_listed_with_their_meanings_and_refuse_what_they_are_not() {
    let client = Client::new();
    let switches = client.simulator.control("GET", "switches", None).unwrap();
    let value = |name: &str| {
        let items = switches["items"].as_array().unwrap();
        items.iter().find(|item| item["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!(
        (value("close_after_answer"), value("listing_lag_ms"), value("null_members")),
        (json!(false), json!(0), json!(false))
    );
    for order in [
        json!({"close_after_answer": 1}),
        json!({"listing_lag_ms": -1}),
        json!({"listing_lag_ms": true}),
        json!({"x": 1}),
    ] {
        assert!(client.simulator.control("POST", "switches", Some(&order)).is_err(), "{order}");
    }
}
