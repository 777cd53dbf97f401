//! A host in a folder of its own, with its log.

use psa_host::{CallOptions, Code, Error, Hooks, Host};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// An opened host and what belongs to it.
pub struct World {
    /// The host.
    pub host: Host,
    /// Its data folder, and the plugins compiled for it.
    pub folder: TempDir,
    log: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// Opens a host with these plugins; `more` is merged into the configuration.
    pub fn open(folder: TempDir, plugins: &[&Path], more: Value) -> Result<World, Error> {
        let mut config = json!({
            "data_dir": folder.path().join("data"),
            "plugins": plugins,
            "vault": {"key_file": folder.path().join("vault.keys")},
            "stall_grace_ms": 200,
            "egress": {"allow_loopback_http": true},
        });
        if let (Some(config), Value::Object(more)) = (config.as_object_mut(), more) {
            config.extend(more);
        }
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = log.clone();
        let hook = move |level: u32, target: &str, text: &str| {
            lines.lock().expect("no test panics while it logs").push(format!("{level} {target} {text}"));
        };
        let hooks = Hooks { log: Some(Arc::new(hook)), ..Hooks::default() };
        let host = Host::open(config.to_string().as_bytes(), hooks)?;
        Ok(World { host, folder, log })
    }

    /// The lines logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("no test panics while it logs").clone()
    }

    /// Calls a method with the default options.
    pub fn call(&self, method: &str, params: Value) -> Result<Value, Error> {
        self.call_with(method, params, CallOptions::default())
    }

    /// Calls a method with a time limit.
    pub fn call_within(&self, method: &str, params: Value, timeout_ms: u32) -> Result<Value, Error> {
        self.call_with(method, params, CallOptions { timeout_ms: Some(timeout_ms), ..CallOptions::default() })
    }

    /// Calls a method.
    pub fn call_with(&self, method: &str, params: Value, options: CallOptions) -> Result<Value, Error> {
        let json = self.host.call(method, params.to_string().as_bytes(), options)?;
        Ok(serde_json::from_str(&json).expect("results are JSON"))
    }

    /// A new connection of tenant "t".
    pub fn connect(&self, plugin: &str, settings: Value, secrets: Value) -> String {
        let params = json!({"tenant": "t", "plugin": plugin, "settings": settings, "secrets": secrets});
        let connection = self.call("connections.create", params).expect("the settings are right");
        connection["connection"].as_str().expect("it has an id").to_owned()
    }

    /// Hands in a write and waits for the outcome of its first attempt: the operation, or what went wrong.
    pub fn outcome(&self, method: &str, params: Value) -> Result<Value, Error> {
        let operation = self.call(method, params)?;
        let of = json!({"tenant": "t", "operation": operation["operation"]});
        loop {
            let now = self.call("operations.get", of.clone())?;
            // First: what went wrong may have been put right already.
            if let Ok(error) = serde_json::from_value::<Error>(now["error"].clone()) {
                return Err(error);
            }
            if now["state"] == "delivered" {
                return Ok(now);
            }
            if now["state"] == "refused" || now["state"] == "held" {
                let reason = now["reason"].as_str().unwrap_or_default();
                return Err(Error::new(Code::Rejected, format!("{now}")).because(reason));
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// A connection that was tested, and a link to a ticket.
    pub fn link(&self, connection: &str, ticket: &str) -> String {
        let of = json!({"tenant": "t", "connection": connection});
        self.call("connections.test", of).expect("the connection works");
        let link = json!({"tenant": "t", "connection": connection, "product_ticket": format!("HD-{ticket}"), "ticket": ticket});
        let link = self.call("links.create", link).expect("the ticket is there");
        link["link"].as_str().expect("it has an id").to_owned()
    }
}
