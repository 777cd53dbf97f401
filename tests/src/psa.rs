//! Another program at the PSA, with the same API keys: to look at what is kept, and to do what somebody else would.
//!
//! Leaves to others: what people do (the simulator's control door).

use base64::Engine as _;
use psa_simulator::Simulator;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Asks the interface, at the listener that speaks plain HTTP whatever the PSA does. The path begins below the base path.
pub fn ask(simulator: &Simulator, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let body = body.map(Value::to_string).unwrap_or_default();
    send(simulator, method, path, "application/json", body.as_bytes())
}

fn send(simulator: &Simulator, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, Value) {
    let address = simulator.text("control").trim_start_matches("http://");
    let [company, user, key, client] =
        ["company", "public_key", "private_key", "client_id"].map(|name| simulator.text(name));
    let login = base64::engine::general_purpose::STANDARD.encode(format!("{company}+{user}:{key}"));
    let mut stream = TcpStream::connect(address).expect("the simulator listens");
    write!(
        stream,
        "{method} /v4_6_release/apis/3.0/{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         authorization: Basic {login}\r\nclientid: {client}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .and_then(|()| stream.write_all(body))
    .expect("the simulator listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the simulator answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an answer has a status");
    (status, serde_json::from_str(body).unwrap_or_default())
}

/// The time entries of a ticket, oldest first.
pub fn times(simulator: &Simulator, ticket: u64) -> Vec<Value> {
    let path = format!("time/entries?pageSize=1000&conditions=chargeToId={ticket}");
    let (status, found) = ask(simulator, "GET", &path, None);
    assert_eq!(status, 200, "{found}");
    found.as_array().expect("a list").clone()
}

/// Puts a file to a ticket as another program would; its id.
pub fn upload(simulator: &Simulator, ticket: u64, name: &str, bytes: &[u8]) -> u64 {
    let part = |name: &str, value: &str| {
        format!("--bound\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let name = name.replace('\\', "\\\\");
    let mut body =
        [part("recordType", "Ticket"), part("recordId", &ticket.to_string()), part("title", "A file")].concat();
    body.push_str(&format!("--bound\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"));
    let body = [body.as_bytes(), bytes, b"\r\n--bound--\r\n"].concat();
    let (status, made) = send(simulator, "POST", "system/documents", "multipart/form-data; boundary=bound", &body);
    assert_eq!(status, 201, "{made}");
    made["id"].as_u64().expect("it has an id")
}
