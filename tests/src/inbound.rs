//! A connection that hears of changes: simulator, door, host.

use crate::compile;
use crate::door::Door;
use psa_host::clock::VirtualClock;
use psa_host::{CallOptions, Error, Hooks, Host};
use psa_simulator::Simulator;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// Everything together. The host hears through a real socket.
pub struct Inbound {
    /// The host.
    pub host: Arc<Host>,
    /// The PSA.
    pub simulator: Simulator,
    /// The product's server.
    pub door: Door,
    /// The connection's id.
    pub connection: String,
    /// The lines logged so far.
    pub log: Arc<Mutex<Vec<String>>>,
    /// Data, keys and plugin.
    pub folder: tempfile::TempDir,
    config: Value,
    clock: Option<Arc<VirtualClock>>,
}

/// Times scaled down, for what does not move the clock by hand.
pub fn quick() -> Value {
    json!({
        "callbacks": {"settle_ms": 20, "poll_ms": 600_000, "window_ms": 1_000, "ensure_ms": 600_000, "tick_ms": 10,
                      "backoff_ms": 20, "backoff_max_ms": 200},
    })
}

pub(crate) fn merge(config: &mut Value, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        match (config.get_mut(name).and_then(Value::as_object_mut), value) {
            (Some(known), Value::Object(more)) => known.extend(more.clone()),
            _ => config[name] = value.clone(),
        }
    }
}

impl Inbound {
    /// A tested connection that has registered its callbacks.
    pub fn new(more: &Value) -> Inbound {
        Inbound::with(&["--tls"], more, None)
    }

    /// The same with arguments of the simulator and a clock of the host's own.
    pub fn with(arguments: &[&str], more: &Value, clock: Option<Arc<VirtualClock>>) -> Inbound {
        let simulator =
            Simulator::start(&compile::target().join("psa-simulator"), arguments).expect("it works in this scene");
        simulator.switches(&json!({"delivery_scale": 0.05})).expect("it works in this scene");
        let door = Door::open();
        let folder = tempfile::tempdir().expect("it works in this scene");
        let mut config = json!({
            "data_dir": folder.path().join("data"),
            "plugins": [compile::shipped("connectwise", folder.path())],
            "vault": {"key_file": folder.path().join("vault.keys")},
            "egress": {"ca_files": [simulator.text("ca")], "allow_private": ["127.0.0.1"], "allow_loopback_http": true},
            "callbacks": {"address": door.address},
        });
        merge(&mut config, &quick());
        merge(&mut config, more);
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let host = open(&config, &log, clock.clone());
        door.lead_to(&host);
        let mut scene = Inbound { host, simulator, door, connection: String::new(), log, folder, config, clock };
        let create = json!({"tenant": "t", "plugin": "connectwise", "settings": scene.simulator.settings(),
                            "secrets": scene.simulator.secrets()});
        let made = scene.call("connections.create", create).expect("it works in this scene");
        scene.connection = made["connection"].as_str().expect("it works in this scene").to_owned();
        let report = scene.of("connections.test", json!({})).expect("it works in this scene");
        assert_eq!(report["passed"], true, "{report:#}");
        scene
    }

    /// The host's clock, in a scene that was given one.
    pub fn clock(&self) -> &VirtualClock {
        self.clock.as_deref().expect("it has a clock of its own")
    }

    /// Opens the host anew, as after a restart.
    pub fn reopen(&mut self, more: &Value) {
        self.host.close(1_000).expect("it works in this scene");
        merge(&mut self.config, more);
        self.host = open(&self.config, &self.log, self.clock.clone());
        self.door.lead_to(&self.host);
    }

    /// Calls a method.
    pub fn call(&self, method: &str, params: Value) -> Result<Value, Error> {
        let json = self.host.call(method, params.to_string().as_bytes(), CallOptions::default())?;
        Ok(serde_json::from_str(&json).expect("results are JSON"))
    }

    /// Calls a method for the connection.
    pub fn of(&self, method: &str, mut params: Value) -> Result<Value, Error> {
        params["tenant"] = json!("t");
        params["connection"] = json!(self.connection);
        self.call(method, params)
    }

    /// Links a ticket; the id of the link.
    pub fn link(&self, ticket: u64) -> String {
        let link = json!({"product_ticket": format!("HD-{ticket}"), "ticket": ticket.to_string()});
        let link = self.of("links.create", link).expect("it works in this scene");
        link["link"].as_str().expect("it works in this scene").to_owned()
    }

    /// What an endpoint of the PSA was asked so far.
    pub fn asked(&self, endpoint: &str) -> Vec<Value> {
        let log = self.simulator.log().expect("it works in this scene");
        log.into_iter().filter(|entry| entry["endpoint"] == endpoint).collect()
    }

    /// Waits until the callbacks are registered; the token of the one for tickets.
    pub fn registered(&self) -> String {
        self.until("the callbacks are registered", || {
            let entries = self.simulator.control("GET", "callbacks", None).expect("it works in this scene");
            let found = entries["items"].as_array().expect("it works in this scene").iter().find_map(|entry| {
                let url = entry["url"].as_str().filter(|url| url.starts_with(&self.door.address))?;
                (entry["type"] == "ticket").then(|| url.to_owned())
            })?;
            let listed = self.of("callbacks.list", json!({})).expect("it works in this scene");
            let active = listed["items"]
                .as_array()
                .is_some_and(|all| all.len() == 2 && all.iter().all(|one| one["state"] == "active"));
            let token =
                found.trim_start_matches(&self.door.address).trim_start_matches('/').split('?').next()?.to_owned();
            active.then_some(token)
        })
    }

    /// A person does something to a ticket at the PSA.
    pub fn person(&self, ticket: u64, act: &Value) {
        self.simulator.control("POST", &format!("tickets/{ticket}"), Some(act)).expect("it works in this scene");
    }

    /// All events so far for a consumer, each once.
    pub fn events(&self, consumer: &str) -> Vec<Value> {
        let mut events = Vec::new();
        while let Some(event) = self.host.next_event(consumer, 0).expect("it works in this scene") {
            self.host.ack_event(consumer, event.id).expect("it works in this scene");
            events.push(serde_json::from_str(&event.json).expect("events are JSON"));
        }
        events
    }

    /// Waits for an event of a kind; those before it are passed over.
    pub fn event(&self, consumer: &str, kind: &str) -> Value {
        loop {
            let event = self.host.next_event(consumer, 60_000).expect("it works in this scene");
            let event = event.unwrap_or_else(|| panic!("no {kind} came; the log: {:#?}", self.log.lock()));
            self.host.ack_event(consumer, event.id).expect("it works in this scene");
            let event: Value = serde_json::from_str(&event.json).expect("events are JSON");
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// Waits for a state.
    pub fn until<T>(&self, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
        for _ in 0..12_000 {
            if let Some(found) = found() {
                return found;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("it never came to this: {what}; the log: {:#?}", self.log.lock());
    }

    /// Waits until nothing waits to be judged or read; the newest deliveries.
    pub fn settled(&self) -> Vec<Value> {
        assert!(self.simulator.settle_deliveries().expect("it works in this scene"), "deliveries go on");
        self.until("everything is judged", || {
            let listed =
                self.of("callbacks.deliveries", json!({"page": {"limit": 1000}})).expect("it works in this scene");
            let items = listed["items"].as_array().expect("it works in this scene").clone();
            items.iter().all(|one| one["state"] != "received").then_some(items)
        })
    }
}

fn open(config: &Value, log: &Arc<Mutex<Vec<String>>>, clock: Option<Arc<VirtualClock>>) -> Arc<Host> {
    let lines = log.clone();
    let hook = move |level: u32, target: &str, text: &str| {
        lines.lock().expect("no test panics while it logs").push(format!("{level} {target} {text}"));
    };
    let clock = clock.map(|clock| -> Arc<dyn psa_host::clock::Clock> { clock });
    let hooks = Hooks { log: Some(Arc::new(hook)), clock, ..Hooks::default() };
    Arc::new(Host::open(config.to_string().as_bytes(), hooks).expect("it works in this scene"))
}
