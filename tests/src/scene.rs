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

    /// What the simulator has seen at an endpoint.
    pub fn seen(&self, endpoint: &str) -> Vec<Value> {
        self.simulator
            .log()
            .expect("it works in this scene")
            .into_iter()
            .filter(|entry| entry["endpoint"] == endpoint)
            .collect()
    }
}

/// What egress saw of a write that failed.
pub fn wire(error: &Error) -> &str {
    error.details.as_ref().and_then(|details| details["wire"].as_str()).unwrap_or("?")
}
