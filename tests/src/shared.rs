//! Several hosts on one data folder.

use crate::compile;
use crate::scene::fast;
use psa_host::{CallOptions, Error, Hooks, Host};
use psa_simulator::Simulator;
use serde_json::{Value, json};

/// A configuration for several hosts on one folder.
pub struct Shared {
    /// The PSA.
    pub simulator: Simulator,
    /// Data, keys and plugin.
    pub folder: tempfile::TempDir,
}

impl Default for Shared {
    fn default() -> Shared {
        Shared::new()
    }
}

impl Shared {
    /// A simulator and a folder with the plugin.
    pub fn new() -> Shared {
        let simulator =
            Simulator::start(&compile::target().join("psa-simulator"), &["--tls"]).expect("it works in this scene");
        let folder = tempfile::tempdir().expect("it works in this scene");
        compile::shipped("connectwise", folder.path());
        Shared { simulator, folder }
    }

    /// The configuration of a host, with more of it.
    pub fn config(&self, more: Value) -> Value {
        let mut config = fast();
        config["data_dir"] = json!(self.folder.path().join("data"));
        config["plugins"] = json!([self.folder.path().join("psa_connectwise.so")]);
        config["vault"] = json!({"key_file": self.folder.path().join("vault.keys")});
        config["egress"]["ca_files"] = json!([self.simulator.text("ca")]);
        config["egress"]["allow_private"] = json!(["127.0.0.1"]);
        for (name, value) in more.as_object().expect("it works in this scene") {
            match (config[name].as_object_mut(), value) {
                (Some(known), Value::Object(more)) => known.extend(more.clone()),
                (_, value) => config[name] = value.clone(),
            }
        }
        config
    }

    /// Opens a host.
    pub fn open(&self, more: Value) -> Result<Host, Error> {
        Host::open(self.config(more).to_string().as_bytes(), Hooks::default())
    }

    /// Parameters of connections.create.
    pub fn create(&self) -> Value {
        json!({"tenant": "t", "plugin": "connectwise", "settings": self.simulator.settings(),
               "secrets": self.simulator.secrets()})
    }

    /// A tested connection and a link of ticket 1001.
    pub fn link(&self, host: &Host) -> (String, String) {
        let connection =
            call(host, "connections.create", self.create()).expect("it works in this scene")["connection"].clone();
        let of = json!({"tenant": "t", "connection": connection});
        call(host, "connections.test", of).expect("it works in this scene");
        let link = json!({"tenant": "t", "connection": connection, "product_ticket": "HD-1", "ticket": "1001"});
        let link = call(host, "links.create", link).expect("it works in this scene");
        (
            connection.as_str().expect("it works in this scene").to_owned(),
            link["link"].as_str().expect("it works in this scene").to_owned(),
        )
    }

    /// Words of our notes on ticket 1001.
    pub fn words(&self) -> Vec<String> {
        let all = self.simulator.control("GET", "notes", None).expect("it works in this scene");
        let ours = all["items"].as_array().expect("it works in this scene").iter();
        let ours = ours.filter(|note| note["ticket"] == 1001 && note["createdBy"] == "psabridge");
        let words = ours.map(|note| note["text"].as_str().expect("it works in this scene").to_owned());
        words.filter(|text| !text.ends_with("Please help.")).collect()
    }
}

/// Calls a method.
pub fn call(host: &Host, method: &str, params: Value) -> Result<Value, Error> {
    let json = host.call(method, params.to_string().as_bytes(), CallOptions::default())?;
    Ok(serde_json::from_str(&json).expect("it works in this scene"))
}

/// Hands in an internal note.
pub fn note(host: &Host, link: &str, text: &str) -> Result<Value, Error> {
    let params = json!({"tenant": "t", "link": link, "visibility": "internal", "text": text});
    call(host, "notes.post", params)
}

/// Waits until no operation waits; all of them.
pub fn wait_until_all_ended(host: &Host) -> Vec<Value> {
    loop {
        let all = call(host, "operations.list", json!({"tenant": "t", "page": {"limit": 1000}}))
            .expect("it works in this scene");
        let all = all["items"].as_array().expect("it works in this scene").clone();
        if all.iter().all(|operation| operation["ended"].is_string()) {
            return all;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
