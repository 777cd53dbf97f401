//! Starting a simulator from a test or a demo, and its control door.
//!
//! Holds: [`Simulator`].
//! Promises: the process ends with the value, also when its owner is killed.
//! Leaves to others: the simulated PSA itself, which is the program of this crate.
#![forbid(unsafe_code)]

use serde_json::Value;
use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running simulator.
#[derive(Debug)]
pub struct Simulator {
    child: Child,
    /// The line it has printed: url, ca, company, public_key, private_key, client_id.
    pub ready: Value,
}

impl Simulator {
    /// Starts `program` for ConnectWise with further arguments and waits until it listens.
    pub fn start(program: &Path, arguments: &[&str]) -> Result<Simulator> {
        let mut child = Command::new(program)
            .args(["connectwise", "--until-stdin-closes"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Error::other(format!("{}: {error}", program.display())))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let ready = serde_json::from_str(&line).map_err(|_| Error::other("the simulator did not start"))?;
        Ok(Simulator { child, ready })
    }

    /// A text of the ready line.
    pub fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_default()
    }

    /// The settings of a connection to it.
    pub fn settings(&self) -> Value {
        serde_json::json!({
            "site": "custom",
            "host": self.text("url"),
            "company_id": self.text("company"),
            "client_id": self.text("client_id"),
            "public_key": self.text("public_key"),
        })
    }

    /// Its secrets.
    pub fn secrets(&self) -> Value {
        serde_json::json!({"private_key": self.text("private_key")})
    }

    /// Asks the control door: `("GET", "log", None)`.
    pub fn control(&self, method: &str, door: &str, body: Option<&Value>) -> Result<Value> {
        let address = self.text("control").trim_start_matches("http://");
        let mut stream = TcpStream::connect(address)?;
        let body = body.map(Value::to_string).unwrap_or_default();
        write!(
            stream,
            "{method} /_sim/{door} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) =
            answer.split_once("\r\n\r\n").ok_or_else(|| Error::other("no answer at the control door"))?;
        let value: Value = serde_json::from_str(body)?;
        if head.split(' ').nth(1).is_some_and(|status| status.starts_with('2')) {
            return Ok(value);
        }
        Err(Error::other(format!("{method} /_sim/{door}: {value}")))
    }

    /// Orders a fault: `{"endpoint", "fault", "times"?, …}`.
    pub fn fault(&self, order: &Value) -> Result<()> {
        self.control("POST", "faults", Some(order)).map(drop)
    }

    /// Sets switches: `{"name": value, …}`.
    pub fn switches(&self, switches: &Value) -> Result<()> {
        self.control("POST", "switches", Some(switches)).map(drop)
    }

    /// Waits until no callback waits, is under way or will be tried again. False: some still did after 30 s.
    pub fn settle_deliveries(&self) -> Result<bool> {
        Ok(self.control("POST", "deliveries/settle", None)?["settled"] == true)
    }

    /// The attempts at sending callbacks so far.
    pub fn deliveries(&self) -> Result<Vec<Value>> {
        match self.control("GET", "deliveries", None)?["items"].take() {
            Value::Array(items) => Ok(items),
            _ => Err(Error::other("the deliveries are no list")),
        }
    }

    /// What was asked and answered so far.
    pub fn log(&self) -> Result<Vec<Value>> {
        match self.control("GET", "log", None)?["entries"].take() {
            Value::Array(entries) => Ok(entries),
            _ => Err(Error::other("the log is no list")),
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // Its input ends, so it ends and removes its files; killed if it does not.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
