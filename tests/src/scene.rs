//! A ConnectWise connection with everything that belongs to it.

use crate::compile;
use crate::world::World;
use psa_host::Error;
use psa_simulator::Simulator;
use serde_json::{Value, json};

/// A host with the ConnectWise plugin and one connection, of tenant "t", to a simulator that speaks HTTPS.
pub struct Scene {
    /// The host.
    pub world: World,
    /// The PSA.
    pub simulator: Simulator,
    /// The connection's id.
    pub connection: String,
    /// The link of ticket 1001.
    pub link: String,
}

impl Default for Scene {
    fn default() -> Scene {
        Scene::new()
    }
}

impl Scene {
    /// Everything as it is by default.
    pub fn new() -> Scene {
        Scene::with(&["--tls"], json!({}))
    }

    /// With other arguments of the simulator and more configuration of the host.
    pub fn with(arguments: &[&str], more: Value) -> Scene {
        let simulator =
            Simulator::start(&compile::target().join("psa-simulator"), arguments).expect("it works in this scene");
        let mut config = json!({"egress": {"ca_files": [simulator.text("ca")], "allow_private": ["127.0.0.1"]}});
        for (name, value) in more.as_object().expect("it works in this scene").clone() {
            match (config[&name].as_object_mut(), value) {
                (Some(known), Value::Object(more)) => known.extend(more),
                (_, value) => config[&name] = value,
            }
        }
        let folder = tempfile::tempdir().expect("it works in this scene");
        let plugin = compile::shipped("connectwise", folder.path());
        let world = World::open(folder, &[&plugin], config).expect("it works in this scene");
        let connection = world.connect("connectwise", simulator.settings(), simulator.secrets());
        let link = world.link(&connection, "1001");
        Scene { world, simulator, connection, link }
    }

    /// Calls a method for the connection.
    pub fn call(&self, method: &str, mut params: Value) -> Result<Value, Error> {
        params["tenant"] = json!("t");
        params["connection"] = json!(self.connection);
        self.world.call(method, params)
    }

    /// Orders a fault that strikes once.
    pub fn fault(&self, endpoint: &str, fault: &str, mut more: Value) {
        more["endpoint"] = json!(endpoint);
        more["fault"] = json!(fault);
        more["times"] = json!(1);
        self.simulator.fault(&more).expect("it works in this scene");
    }

    /// Reads ticket 1001.
    pub fn get(&self) -> Result<Value, Error> {
        self.call("tickets.get", json!({"ticket": "1001", "fresh": true}))
    }

    /// Posts a note on ticket 1001 and waits for the outcome of its first attempt.
    pub fn note(&self, visibility: &str) -> Result<Value, Error> {
        self.write("notes.post", json!({"visibility": visibility, "text": "Words of a note."}))
    }

    /// Hands in a write for ticket 1001 and waits for the outcome of its first attempt.
    pub fn write(&self, method: &str, mut params: Value) -> Result<Value, Error> {
        params["tenant"] = json!("t");
        params["link"] = json!(self.link);
        self.world.outcome(method, params)
    }

    /// The operation of an id, as it is now.
    pub fn operation(&self, operation: &Value) -> Value {
        let of = json!({"tenant": "t", "operation": operation["operation"]});
        self.world.call("operations.get", of).expect("it works in this scene")
    }

    /// Hands in a write for ticket 1001 and waits until it has ended or needs a person.
    pub fn end(&self, method: &str, mut params: Value) -> Value {
        params["tenant"] = json!("t");
        params["link"] = json!(self.link);
        params["wait_ms"] = json!(60_000);
        self.world.call(method, params).expect("it works in this scene")
    }

    /// Posts an internal note with these words on ticket 1001 and waits for its end.
    pub fn post(&self, text: &str) -> Value {
        self.end("notes.post", json!({"visibility": "internal", "text": text}))
    }

    /// Hands in an internal note with these words on ticket 1001.
    pub fn hand_in(&self, text: &str) -> Value {
        let note = json!({"tenant": "t", "link": self.link, "visibility": "internal", "text": text});
        self.world.call("notes.post", note).expect("it works in this scene")
    }

    /// Waits until an operation is in a state.
    pub fn until(&self, operation: &Value, state: &str) -> Value {
        loop {
            let now = self.operation(operation);
            if now["state"] == state {
                return now;
            }
            let ended = ["delivered", "refused", "discarded"].iter().any(|end| now["state"] == *end);
            assert!(!ended, "{now:#}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Somebody does something to ticket 1001 at the PSA.
    pub fn person(&self, act: Value) {
        self.simulator.control("POST", "tickets/1001", Some(&act)).expect("it works in this scene");
    }

    /// The words of all notes on ticket 1001 that the API member has made, in order.
    pub fn words(&self) -> Vec<String> {
        let all = self.simulator.control("GET", "notes", None).expect("it works in this scene");
        let ours = all["items"].as_array().expect("a list").iter();
        let ours = ours.filter(|note| note["ticket"] == 1001 && note["createdBy"] == "psabridge");
        let words = ours.map(|note| note["text"].as_str().unwrap_or_default().to_owned());
        // The ticket's own description came the same way.
        words.filter(|text| !text.ends_with("Please help.")).collect()
    }

    /// The next events, until one of this kind has come.
    pub fn events_until(&self, kind: &str) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.world.host.next_event("scene", 60_000).expect("events can be read").expect("it comes");
            self.world.host.ack_event("scene", event.id).expect("events can be read");
            events.push(serde_json::from_str::<Value>(&event.json).expect("events are JSON"));
            if events.last().is_some_and(|event| event["event"] == kind) {
                return events;
            }
        }
    }

    /// How many notes of ours are on ticket 1001.
    pub fn notes(&self) -> usize {
        let ticket = self.simulator.control("GET", "tickets/1001", None).expect("it works in this scene");
        ticket["notes"]
            .as_array()
            .expect("it works in this scene")
            .iter()
            .filter(|note| note["text"] == "Words of a note.")
            .count()
    }

    /// What the simulator has seen at an endpoint, without the empty records by which a test of the connection asks whether
    /// it may write.
    pub fn seen(&self, endpoint: &str) -> Vec<Value> {
        self.simulator
            .log()
            .expect("it works in this scene")
            .into_iter()
            .filter(|entry| entry["endpoint"] == endpoint && entry["body"] != json!({}))
            .collect()
    }
}

/// Times scaled down: for scenarios that wait for looks and back-offs.
pub fn fast() -> Value {
    json!({
        "egress": {"timeout_ms": 1_500},
        "outbox": {"quiet_ms": 2_000, "start_limit_ms": 400, "backoff_ms": 10, "backoff_max_ms": 100, "poll_ms": 10,
                   "watch_ms": [1_000, 2_000]},
    })
}

/// What egress saw of a write that failed.
pub fn wire(error: &Error) -> &str {
    error.details.as_ref().and_then(|details| details["wire"].as_str()).unwrap_or("?")
}
