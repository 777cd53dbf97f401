//! Callbacks that a test makes: sent through the real door, and what the host made of them.

use crate::inbound::Inbound;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// One forged or damaged callback: its name, how the simulator is to send it, and why it is not believed.
pub type Row = (&'static str, Value, &'static str);

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Message {
    /// Path and query.
    pub url: String,
    /// As they came.
    pub headers: Vec<(String, String)>,
    /// Byte for byte.
    pub body: Vec<u8>,
}

impl Message {
    /// The value of its signature.
    pub fn signature(&self) -> String {
        let found = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-content-signature"));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// What a process is asked to hand to its door.
    pub fn params(&self) -> Value {
        json!({"url": self.url, "headers": self.headers, "body": String::from_utf8_lossy(&self.body)})
    }
}

/// A server that answers 204 and keeps what it gets; a trap, if nothing may ever come.
pub struct Recorder {
    /// `http://127.0.0.1:port/hooks`.
    pub address: String,
    /// Its port alone.
    pub port: u16,
    touched: Arc<Mutex<usize>>,
    got: Arc<Mutex<Vec<Message>>>,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder::open()
    }
}

impl Recorder {
    /// Listens on a free port.
    pub fn open() -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let (touched, got): (Arc<Mutex<usize>>, Arc<Mutex<Vec<Message>>>) = Default::default();
        let (counts, keeps) = (touched.clone(), got.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                *counts.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                let keeps = keeps.clone();
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(&stream);
                    while let Some(message) = request(&mut reader) {
                        keeps.lock().unwrap_or_else(PoisonError::into_inner).push(message);
                        if (&stream).write_all(b"HTTP/1.1 204 x\r\ncontent-length: 0\r\n\r\n").is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Recorder { address: format!("http://127.0.0.1:{port}/hooks"), port, touched, got }
    }

    /// How often somebody has connected.
    pub fn touched(&self) -> usize {
        *self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has come so far.
    pub fn got(&self) -> Vec<Message> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for so many messages.
    pub fn wait(&self, count: usize) -> Vec<Message> {
        for _ in 0..12_000 {
            let got = self.got();
            if got.len() >= count {
                return got;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("only {} of {count} messages came", self.got().len());
    }
}

fn request(reader: &mut impl std::io::BufRead) -> Option<Message> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let url = line.split_whitespace().nth(1)?.to_owned();
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Message { url, headers, body })
}

/// Sends a request of any shape to an address and answers with status and headers, in lower case.
pub fn raw(address: &str, method: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> (u16, String) {
    let host = address.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let mut stream = TcpStream::connect(host).expect("the door is open");
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length")) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("the door reads");
    let mut answer = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && answer.read_line(&mut head).is_ok_and(|read| read > 0) {}
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, head.to_lowercase())
}

/// A connection with a linked ticket, at rest, and a trap that nobody may walk into.
pub struct Forge {
    /// Everything.
    pub scene: Inbound,
    /// The address of the callback for tickets, as it is registered.
    pub url: String,
    /// Where the key of the connection's company is.
    pub key_url: String,
    /// Forged addresses name it.
    pub trap: Recorder,
}

impl Default for Forge {
    fn default() -> Forge {
        Forge::new()
    }
}

impl Forge {
    /// Everything as it is by default.
    pub fn new() -> Forge {
        Forge::of(Inbound::new(&json!({})))
    }

    /// With a scene that was made before.
    pub fn of(scene: Inbound) -> Forge {
        let token = scene.registered();
        scene.link(1001);
        scene.settled();
        scene.events("forge");
        scene.simulator.control("DELETE", "log", None).expect("it works in this scene");
        let url = format!("{}/{token}?recordId=", scene.door.address);
        let key_url = key_url(&scene, 0);
        Forge { scene, url, key_url, trap: Recorder::open() }
    }

    /// Sends one by order; the status that the door has answered.
    pub fn send(&self, order: &Value) -> Option<u64> {
        let mut order = order.clone();
        if order["url"].is_null() {
            order["url"] = json!(self.url);
        }
        let sent = self.scene.simulator.control("POST", "callbacks/send", Some(&order)).expect("it can be sent");
        sent["statuses"][0].as_u64()
    }

    /// A true message, rightly signed, as it goes over the wire.
    pub fn genuine(&self) -> Message {
        let recorder = Recorder::open();
        self.send(&json!({"url": format!("{}?recordId=", recorder.address)}));
        recorder.wait(1).remove(0)
    }

    /// The newest deliveries as they were judged, oldest first.
    pub fn judged(&self, count: usize) -> Vec<Value> {
        let mut judged: Vec<Value> = self.scene.settled().into_iter().take(count).collect();
        judged.reverse();
        judged
    }

    /// Sends them all: none may be believed, make anything be read or told, or lead anywhere.
    pub fn all_refused(&self, rows: &[Row]) {
        let before = self.scene.settled().len();
        for (name, order, _) in rows {
            assert_eq!(self.send(order), Some(204), "{name}");
        }
        assert_eq!(self.scene.settled().len(), before + rows.len(), "each is listed");
        let mut wrong = Vec::new();
        for ((name, _, reason), judged) in rows.iter().zip(self.judged(rows.len())) {
            let state = if matches!(*reason, "key_unknown" | "too_many_keys") { "unverified" } else { "refused" };
            let told = judged["detail"].as_str().is_some_and(|detail| detail.ends_with('.') && detail.contains(' '));
            if judged["state"] != state || judged["reason"] != *reason || !told {
                wrong.push(format!("{name}: wanted {reason}, came {judged}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        self.nothing_came_of_it();
    }

    /// No event, nothing read, and no address asked but that of the company's own key.
    pub fn nothing_came_of_it(&self) {
        let store = self.scene.folder.path().join("data/store.db");
        let dirty: u64 = rusqlite::Connection::open(store)
            .and_then(|db| db.query_row("SELECT count(*) FROM dirty", [], |row| row.get(0)))
            .expect("the store can be read");
        assert_eq!(dirty, 0, "nothing is to be read again");
        let log = self.scene.simulator.log().expect("it works in this scene");
        let read: Vec<&Value> = log.iter().filter(|entry| entry["endpoint"] == "get_ticket").collect();
        assert!(read.is_empty(), "{read:#?}");
        let own = format!("companyName={}&", self.scene.simulator.text("company"));
        let elsewhere = log.iter().filter(|entry| entry["endpoint"] == "callback_key");
        let elsewhere: Vec<&Value> =
            elsewhere.filter(|entry| !entry["query"].as_str().is_some_and(|query| query.starts_with(&own))).collect();
        assert!(elsewhere.is_empty(), "{elsewhere:#?}");
        assert_eq!(self.trap.touched(), 0, "an address from outside was called");
        let events = self.scene.events("forge");
        assert!(events.is_empty(), "{events:#?}");
    }
}

/// Where the current key of a company is: 0 is the connection's own, others are its neighbours.
pub fn key_url(scene: &Inbound, company: usize) -> String {
    let keys = scene.simulator.control("GET", "key", None).expect("it works in this scene");
    let last = keys["items"][company]["keys"].as_array().and_then(|keys| keys.last()).expect("it has a key").clone();
    // The double slash is of recorded messages; here it is in the way.
    last["key_url"].as_str().expect("a text").replacen("//system", "/system", 1)
}
