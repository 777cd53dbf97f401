//! A helpdesk with a browser in front of it: the page as several people see it, the product's own doors, the PSA's control.
//!
//! Holds: one server. `/ann/…` is the page for Ann, `/viewer/…` for somebody who may only look, and so on (`people`);
//! `/hooks/psa/…` is the door for callbacks; `/-api/METHOD` calls the host, `/-sim/…` the simulator's control door.
//! Promises: a page that is drawn as a fragment stands in a product's own document, under the product's own policy.
//! Leaves to others: what there is to see (`states`).

pub mod states;

use crate::compile;
use crate::inbound::merge;
use crate::listen::{Asked, Handler, listen};
use psa_host::{CallOptions, Error, Hooks, Host, HttpAnswer, HttpRequest};
use psa_simulator::Simulator;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What the product's own policy lets run.
const NONCE: &str = "bm9uY2Utb2YtdGhlLWRlc2s=";

/// The host that answers now, if one does.
type Opened = Arc<Mutex<Option<Arc<Host>>>>;

/// The helpdesk. Its tenant is "t".
pub struct Desk {
    /// `http://127.0.0.1:…`
    pub base: String,
    /// The PSA.
    pub simulator: Arc<Simulator>,
    /// Data, keys and plugins.
    pub folder: tempfile::TempDir,
    host: Opened,
    config: Value,
}

/// Who can look, by the first segment of the path.
fn people(base: &str) -> Value {
    let all = crate::browse::ALL;
    let person = |name: &str, more: Value| {
        let mut who = json!({
            "tenant": "t", "actor": {"id": name, "name": format!("Person {name}")}, "permissions": all,
            "mount": format!("/{name}"), "public_origin": base, "session": format!("the-session-of-{name}-0000"),
        });
        merge(&mut who, &more);
        who
    };
    let people = [
        ("ann", json!({"actor": {"id": "ann", "name": "Ann Lee"}})),
        ("viewer", json!({"permissions": ["view"]})),
        ("german", json!({"locale": "de-AT", "time_zone": "Europe/Vienna"})),
        ("arabic", json!({"locale": "ar"})),
        ("compact", json!({"density": "compact"})),
        ("nobody", json!({"permissions": []})),
        ("newcomer", json!({"tenant": "of nobody yet"})),
        ("hasty", json!({})),
        ("product", json!({"render": "fragment", "nonce": NONCE})),
    ];
    people.into_iter().map(|(name, more)| (name.to_owned(), person(name, more))).collect()
}

impl Desk {
    /// Opens one with these plugins of ours and a simulator that speaks HTTPS.
    pub fn open(plugins: &[&str], more: &Value) -> Desk {
        let simulator = Simulator::start(&compile::target().join("psa-simulator"), &["--tls"]).expect("it starts");
        simulator.switches(&json!({"delivery_scale": 0.05})).expect("it listens");
        let (simulator, host) = (Arc::new(simulator), Opened::default());
        let mut base = String::new();
        listen(|at| {
            base = format!("http://{at}");
            handler(people(&base), host.clone(), simulator.clone())
        });
        let folder = tempfile::tempdir().expect("there is room");
        let plugins: Vec<PathBuf> = plugins.iter().map(|id| compile::shipped(id, folder.path())).collect();
        let mut config = json!({
            "data_dir": folder.path().join("data"),
            "plugins": plugins,
            "vault": {"key_file": folder.path().join("vault.keys")},
            "egress": {"ca_files": [simulator.text("ca")], "allow_private": ["127.0.0.1"], "allow_loopback_http": true},
            "callbacks": {"address": format!("{base}/hooks/psa")},
        });
        merge(&mut config, &crate::inbound::quick());
        merge(&mut config, more);
        let mut desk = Desk { base, simulator, folder, host, config };
        desk.reopen(&json!({}));
        desk
    }

    /// Opens the host anew, as after a restart.
    pub fn reopen(&mut self, more: &Value) {
        merge(&mut self.config, more);
        let mut host = self.host.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = host.take() {
            host.close(1_000).expect("it closes");
        }
        let opened =
            Host::open(self.config.to_string().as_bytes(), Hooks::default()).expect("the configuration is right");
        *host = Some(Arc::new(opened));
    }

    /// Calls a method for the tenant.
    pub fn call(&self, method: &str, params: Value) -> Result<Value, Error> {
        let host = self.host.lock().unwrap_or_else(PoisonError::into_inner).clone().expect("it is open");
        call(&host, method, params)
    }

    /// Calls a method for a connection.
    pub fn of(&self, connection: &str, method: &str, mut params: Value) -> Result<Value, Error> {
        params["connection"] = json!(connection);
        self.call(method, params)
    }
}

fn call(host: &Host, method: &str, mut params: Value) -> Result<Value, Error> {
    if params.get("tenant").is_none() {
        params["tenant"] = json!("t");
    }
    let json = host.call(method, params.to_string().as_bytes(), CallOptions::default())?;
    Ok(serde_json::from_str(&json).expect("results are JSON"))
}

fn handler(people: Value, host: Opened, simulator: Arc<Simulator>) -> Handler {
    Arc::new(move |asked| {
        if let Some(door) = asked.url.strip_prefix("/-sim/") {
            let body = serde_json::from_slice(&asked.body).ok();
            let answer = simulator.control(&asked.method, door, body.as_ref()).expect("the simulator answers");
            return answered(200, "application/json", answer.to_string());
        }
        let host = host.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(host) = host else { return answered(503, "text/plain", "the host is closed".to_owned()) };
        if let Some(method) = asked.url.strip_prefix("/-api/") {
            let params = serde_json::from_slice(&asked.body).unwrap_or_else(|_| json!({}));
            return match call(&host, method, params) {
                Ok(result) => answered(200, "application/json", result.to_string()),
                Err(error) => answered(400, "application/json", error.to_json()),
            };
        }
        if asked.url.starts_with("/hooks/psa") {
            let (headers, body) = (asked.headers(), &asked.body);
            let request = HttpRequest { method: &asked.method, url: &asked.url, headers: &headers, body };
            return host.callback(&request).unwrap_or_else(|_| answered(429, "text/plain", String::new()));
        }
        page(&people, &host, asked)
    })
}

fn answered(status: u16, kind: &str, body: String) -> HttpAnswer {
    HttpAnswer { status, headers: vec![("content-type".to_owned(), kind.to_owned())], body: body.into_bytes() }
}

/// The page, as the person of the first segment sees it.
fn page(people: &Value, host: &Host, asked: &Asked) -> HttpAnswer {
    let (name, url) = asked.url[1..].split_once('/').unwrap_or((&asked.url[1..], ""));
    let Some(who) = people.get(name) else { return answered(404, "text/plain", format!("nobody is called {name}")) };
    let url = format!("/{url}");
    let (headers, body) = (asked.headers(), &asked.body);
    let request = HttpRequest { method: &asked.method, url: &url, headers: &headers, body };
    let answer = host.page(who.to_string().as_bytes(), &request).expect("who is right");
    let is_html = answer.headers.iter().any(|(name, value)| name == "content-type" && value.starts_with("text/html"));
    if who["render"] == "fragment" && is_html { in_a_product(answer) } else { answer }
}

/// A fragment in the product's own document, under a policy as strict as ours.
fn in_a_product(answer: HttpAnswer) -> HttpAnswer {
    let fragment = String::from_utf8(answer.body).expect("pages are UTF-8");
    let document = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>The helpdesk</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"></head><body>{fragment}</body></html>"
    );
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'nonce-{NONCE}'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'"
    );
    let mut headers = answer.headers;
    headers.push(("content-security-policy".to_owned(), policy));
    HttpAnswer { status: answer.status, headers, body: document.into_bytes() }
}
