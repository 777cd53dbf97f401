//! Any client of a ConnectWise: it knows HTTP and the simulator's door, and nothing of ours.

use psa_simulator::Simulator;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

/// Status, head, body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.body))
    }

    pub(crate) fn ids(&self) -> Vec<u64> {
        self.json().as_array().unwrap().iter().map(|record| record["id"].as_u64().unwrap()).collect()
    }

    pub(crate) fn link(&self) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix("link: ").or(line.strip_prefix("link:")))
    }

    /// The code of an error, and of its first detail.
    pub(crate) fn error(&self) -> (u16, String) {
        let body = self.json();
        (
            self.status,
            format!("{} {}", body["code"].as_str().unwrap_or(""), body["errors"][0]["code"].as_str().unwrap_or(""))
                .trim()
                .to_owned(),
        )
    }
}

pub(crate) struct Client {
    pub(crate) simulator: Simulator,
    pub(crate) headers: String,
}

pub(crate) const BASE: &str = "/v4_6_release/apis/3.0";

impl Client {
    pub(crate) fn new() -> Client {
        Client::with(&[])
    }

    pub(crate) fn with(arguments: &[&str]) -> Client {
        let simulator = Simulator::start(Path::new(env!("CARGO_BIN_EXE_psa-simulator")), arguments).unwrap();
        let headers = headers(&simulator, simulator.text("company"), simulator.text("private_key"));
        Client { simulator, headers }
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Option<Answer> {
        let address = self.simulator.text("url").trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}").unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer { status, head: head.to_lowercase(), body: body.to_owned() })
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", &format!("{BASE}{path}"), &self.headers, "").unwrap()
    }

    pub(crate) fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = format!("{}content-type: application/json\r\n", self.headers);
        self.send(method, &format!("{BASE}{path}"), &headers, &body.to_string()).unwrap()
    }

    pub(crate) fn list(&self, path: &str) -> Vec<Value> {
        self.get(path).json().as_array().unwrap().clone()
    }

    /// Posts a ticket.
    pub(crate) fn ticket(&self, body: &Value) -> Answer {
        self.json("POST", "/service/tickets", body)
    }

    /// The same, when no answer may come.
    pub(crate) fn try_json(&self, method: &str, path: &str, body: &Value) -> Option<Answer> {
        let headers = format!("{}content-type: application/json\r\n", self.headers);
        self.send(method, &format!("{BASE}{path}"), &headers, &body.to_string())
    }

    /// Orders a fault that strikes once.
    pub(crate) fn fault(&self, endpoint: &str, fault: &str, mut more: Value) {
        more["endpoint"] = json!(endpoint);
        more["fault"] = json!(fault);
        more["times"] = json!(1);
        self.simulator.fault(&more).unwrap();
    }

    /// Asks the control door.
    pub(crate) fn door(&self, method: &str, door: &str, body: Value) -> Value {
        self.simulator.control(method, door, Some(&body)).unwrap()
    }

    pub(crate) fn note(&self, body: &Value) -> Answer {
        self.json("POST", "/service/tickets/1001/notes", body)
    }

    pub(crate) fn patch(&self, path: &str, value: Value) -> Answer {
        self.json("PATCH", "/service/tickets/1001", &json!([{"op": "replace", "path": path, "value": value}]))
    }
}

pub(crate) fn headers(simulator: &Simulator, company: &str, private_key: &str) -> String {
    headers_of(company, simulator.text("public_key"), private_key, simulator.text("client_id"))
}

/// Of any company.
pub(crate) fn headers_of(company: &str, public_key: &str, private_key: &str, client_id: &str) -> String {
    use base64::Engine as _;
    let token = base64::engine::general_purpose::STANDARD.encode(format!("{company}+{public_key}:{private_key}"));
    format!("authorization: Basic {token}\r\nclientid: {client_id}\r\n")
}
