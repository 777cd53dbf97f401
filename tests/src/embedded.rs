//! A product that embeds the library: what it is given to open a host and to connect to the simulated PSA.

use crate::compile;
use crate::inbound::merge;
use psa_simulator::Simulator;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A simulator, and a folder for data and programs.
pub struct Embedded {
    /// The PSA.
    pub simulator: Simulator,
    /// Data, keys, plugin and what is compiled.
    pub folder: TempDir,
    plugin: PathBuf,
}

impl Default for Embedded {
    fn default() -> Embedded {
        Embedded::new()
    }
}

impl Embedded {
    /// With the plugin that cargo has built.
    pub fn new() -> Embedded {
        Embedded::with_plugin(&compile::target().join("libpsa_connectwise.so"))
    }

    /// With a plugin from somewhere else, copied to where only we may write.
    pub fn with_plugin(from: &Path) -> Embedded {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let plugin = compile::private(from, "connectwise", folder.path());
        let program = compile::target().join("psa-simulator");
        let simulator = Simulator::start(&program, &["--tls"]).expect("cargo has built the simulator");
        Embedded { simulator, folder, plugin }
    }

    /// A configuration that reaches the PSA, with more in it.
    pub fn config_with(&self, more: &Value) -> Value {
        let mut config = json!({
            "data_dir": self.folder.path().join("data"),
            "plugins": [self.plugin],
            "vault": {"key_file": self.folder.path().join("vault.keys")},
            "egress": {"ca_files": [self.simulator.text("ca")], "allow_private": ["127.0.0.1"]},
        });
        merge(&mut config, more);
        config
    }

    /// The host's configuration.
    pub fn config(&self) -> Value {
        // Under valgrind, on a busy machine, a handshake takes many seconds.
        self.config_with(&json!({
            "call_timeout_ms": 300_000,
            "egress": {"timeout_ms": 200_000, "connect_timeout_ms": 100_000},
            "outbox": {"quiet_ms": 400_000},
        }))
    }

    /// Parameters of connections.create.
    pub fn create(&self) -> Value {
        json!({"tenant": "t", "plugin": "connectwise", "settings": self.simulator.settings(), "secrets": self.simulator.secrets()})
    }

    /// What the example in C is started with.
    pub fn arguments(&self) -> [String; 3] {
        [self.config().to_string(), self.create().to_string(), "102".to_owned()]
    }

    /// Fails unless what the example in C says, and what it has done at the PSA, is right.
    pub fn c_example_did_its_job(&self, printed: &str) {
        for line in [
            "connections.test: label = acme as psabridge",
            "notes.post: state = delivered",
            "tickets.set_status: outcome = applied",
            "event: connection.created",
            "tickets.get failed: not_found: connectwise get_ticket: It is not there, or the API member may not see it. ConnectWise says 404: Ticket 999999 not found",
        ] {
            assert!(printed.contains(line), "{line}\n{printed}");
        }
        self.note_is_there("Posted from C.");
        let ticket = self.simulator.control("GET", "tickets/1001", None).expect("the simulator answers");
        assert_eq!(ticket["ticket"]["status"]["id"], 102);
    }

    /// Fails unless a note of the examples is at the PSA.
    pub fn note_is_there(&self, text: &str) {
        let ticket = self.simulator.control("GET", "tickets/1001", None).expect("the simulator answers");
        let notes = ticket["notes"].as_array().expect("a ticket has notes");
        let note = notes.iter().find(|note| note["text"] == text).unwrap_or_else(|| panic!("{notes:?}"));
        assert_eq!(note["internalAnalysisFlag"], true);
        assert_eq!(note["detailDescriptionFlag"], false);
    }
}
