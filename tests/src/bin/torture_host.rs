//! A product in a process of its own: opens a host and calls what it is told on standard input.
//!
//! One JSON object per line in (`id`, `method`, `params`), one out (`id`, `result` or `error`). It closes its host when
//! its input ends, and kills itself at a named fail point if it is told to (`PSA_FAIL_AT=name:count`), or stops there
//! until it is woken (`PSA_FAIL_AT=name:count:stop`).
#![forbid(unsafe_code)]

use psa_host::{CallOptions, FailPoint, Hooks, Host, HttpRequest};
use serde_json::{Value, json};
use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

fn main() {
    let config = std::env::args().nth(1).expect("the configuration is the argument");
    let log: psa_host::LogHook = Arc::new(|level, target, text| {
        if level <= 2 || std::env::var_os("PSA_VERBOSE").is_some() {
            eprintln!("{} {level} {target}: {text}", std::process::id());
        }
    });
    let hooks = Hooks { log: Some(log), fail_point: fail_point(), ..Hooks::default() };
    let host = match Host::open(config.as_bytes(), hooks) {
        Ok(host) => Arc::new(host),
        Err(error) => {
            say(&json!({"id": 0, "error": error}));
            return;
        }
    };
    say(&json!({"id": 0, "result": {}}));
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let asked: Value = serde_json::from_str(&line).expect("the parent speaks JSON");
        let id = asked["id"].clone();
        let method = asked["method"].as_str().expect("a method").to_owned();
        if method == "next_event" {
            let event = host.next_event("torture", 2000);
            let event = event.map(|event| event.map(|event| serde_json::from_str::<Value>(&event.json).expect("JSON")));
            if let Ok(Some(event)) = &event {
                let _ = host.ack_event("torture", event["id"].as_u64().expect("an id"));
            }
            match event {
                Ok(event) => say(&json!({"id": id, "result": event})),
                Err(error) => say(&json!({"id": id, "error": error})),
            }
            continue;
        }
        if method == "callback" {
            match callback(&host, &asked["params"]) {
                Ok(answer) => say(&json!({"id": id, "result": answer})),
                Err(error) => say(&json!({"id": id, "error": error})),
            }
            continue;
        }
        let failed = id.clone();
        let done = Box::new(move |_, outcome: Result<String, psa_host::Error>| match outcome {
            Ok(json) => {
                let result: Value = serde_json::from_str(&json).expect("results are JSON");
                say(&json!({"id": id, "result": result}));
            }
            Err(error) => say(&json!({"id": id, "error": error})),
        });
        let params = asked["params"].to_string();
        if let Err(error) = host.submit(&method, params.as_bytes(), CallOptions::default(), done) {
            say(&json!({"id": failed, "error": error}));
        }
    }
    let _ = host.close(2000);
}

/// A request to the door: `url`, `headers` as pairs, `body`.
fn callback(host: &Host, params: &Value) -> Result<Value, psa_host::Error> {
    let pairs: Vec<(String, String)> = serde_json::from_value(params["headers"].clone()).expect("headers are pairs");
    let headers: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    let url = params["url"].as_str().expect("a url");
    let body = params["body"].as_str().expect("a body").as_bytes();
    let answer = host.callback(&HttpRequest { method: "POST", url, headers: &headers, body })?;
    Ok(json!({"status": answer.status, "headers": answer.headers}))
}

fn say(value: &Value) {
    let mut out = std::io::stdout().lock();
    // A parent that is gone wants no answer.
    let _ = writeln!(out, "{value}").and_then(|()| out.flush());
}

/// Dies like a process that is killed, in the middle of its work.
fn fail_point() -> Option<FailPoint> {
    let order = std::env::var("PSA_FAIL_AT").ok()?;
    let mut words = order.split(':');
    let (name, count) = (words.next()?.to_owned(), words.next()?.parse::<u64>().ok()?);
    let signal =
        if words.next() == Some("stop") { rustix::process::Signal::STOP } else { rustix::process::Signal::KILL };
    let seen = AtomicU64::new(0);
    Some(Arc::new(move |at| {
        if at == name && seen.fetch_add(1, Ordering::SeqCst) + 1 == count {
            let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
        }
    }))
}
