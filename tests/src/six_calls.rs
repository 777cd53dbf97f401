//! A product in another language, from its start to the change that it hears of.
//!
//! Holds: the scene of one program that gets configuration and connection as JSON, links ticket 1001, posts a note to it,
//! prints `note delivered`, serves the callback address, prints `callback STATUS` and `event KIND`, and ends after
//! `note.added`.
//! Promises: the simulator is asked what really came.

use crate::compile;
use crate::embedded::Embedded;
use psa_host::{CallOptions, Hooks, Host};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Signed, and more bytes than letters: who changes the body on its way is found out.
const WRITTEN: &str = "Grüße aus 東京 – ready ✓";

/// A product, and the address at which it is to serve callbacks.
pub struct SixCalls {
    embedded: Embedded,
    address: String,
}

impl Default for SixCalls {
    fn default() -> SixCalls {
        SixCalls::new()
    }
}

impl SixCalls {
    /// Starts the PSA; a port is chosen at which the program is to serve callbacks.
    pub fn new() -> SixCalls {
        let embedded = Embedded::new();
        embedded.simulator.switches(&json!({"delivery_scale": 0.05})).expect("the simulator answers");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port();
        SixCalls { embedded, address: format!("http://127.0.0.1:{port}/hooks/psa") }
    }

    /// The library, as a path.
    pub fn library(&self) -> String {
        compile::target().join("libpsa_host.so").to_string_lossy().into_owned()
    }

    /// The host's configuration.
    pub fn config(&self) -> Value {
        self.embedded.config_with(&json!({
            "egress": {"allow_loopback_http": true},
            "callbacks": {"address": self.address, "settle_ms": 20, "tick_ms": 10, "backoff_ms": 20},
        }))
    }

    /// Parameters of `connections.create`.
    pub fn create(&self) -> Value {
        self.embedded.create()
    }

    /// Data, keys, plugin and what is compiled.
    pub fn folder(&self) -> &TempDir {
        &self.embedded.folder
    }

    /// Runs the program to its end and panics unless it did all of it; what it printed.
    pub fn run(&self, program: &mut Command, note: &str) -> String {
        let shown = format!("{program:?}");
        let mut child =
            program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap_or_else(|e| panic!("{shown}: {e}"));
        let mut errors = child.stderr.take().expect("it is piped");
        let said = std::thread::spawn(move || {
            let mut said = String::new();
            errors.read_to_string(&mut said).map(|_| said)
        });
        let mut printed = String::new();
        for line in BufReader::new(child.stdout.take().expect("it is piped")).lines() {
            let line = line.expect("it prints text");
            printed.push_str(&format!("{line}\n"));
            if line == "note delivered" {
                self.a_person_writes();
            }
        }
        let status = child.wait().expect("it ends");
        let said = said.join().expect("no panic").expect("it prints text");
        assert!(status.success(), "{shown}: {status}\n{printed}\n{said}");
        assert_eq!(said, "", "{shown} complains\n{printed}");
        let lines: Vec<&str> = printed.lines().collect();
        for line in ["note delivered", "event connection.created", "callback 204"] {
            assert!(lines.contains(&line), "{line}\n{printed}");
        }
        assert_eq!(lines.last(), Some(&"event note.added"), "{printed}");
        self.embedded.note_is_there(note);
        self.callbacks_were_proved();
        printed
    }

    /// Runs the program with a configuration that is wrong; what it said on both outputs.
    pub fn run_wrongly(&self, program: &mut Command) -> String {
        let output = program.output().expect("it starts");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!output.status.success(), "{text}");
        text
    }

    /// Somebody at the PSA writes a note, once what is to tell of it is registered.
    fn a_person_writes(&self) {
        let registered = || {
            let entries = self.embedded.simulator.control("GET", "callbacks", None).expect("the simulator answers");
            let ours = |entry: &&Value| entry["url"].as_str().is_some_and(|url| url.starts_with(&self.address));
            entries["items"].as_array().is_some_and(|items| items.iter().filter(ours).count() == 2)
        };
        for _ in 0..6_000 {
            if registered() {
                let note = json!({"note": {"text": WRITTEN, "internal": true}});
                self.embedded.simulator.control("POST", "tickets/1001", Some(&note)).expect("the simulator answers");
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the callbacks were never registered");
    }

    /// What came in was believed: the bytes that were handed on are the bytes that were signed.
    fn callbacks_were_proved(&self) {
        let host =
            Host::open(self.config().to_string().as_bytes(), Hooks::default()).expect("the program has closed it");
        let call = |method: &str, params: Value| -> Value {
            let json = host.call(method, params.to_string().as_bytes(), CallOptions::default()).expect("it is there");
            serde_json::from_str(&json).expect("results are JSON")
        };
        let connections = call("connections.list", json!({"tenant": "t"}));
        let connection = &connections["items"][0]["connection"];
        let listed = call("callbacks.deliveries", json!({"tenant": "t", "connection": connection}));
        let states: Vec<&str> =
            listed["items"].as_array().expect("a list").iter().filter_map(|one| one["state"].as_str()).collect();
        assert!(states.contains(&"verified") && !states.contains(&"refused"), "{listed:#}");
        host.close(1_000).expect("nothing hangs");
    }
}
