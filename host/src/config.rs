//! The configuration a product opens a host with.
//!
//! Holds: [`Config`] and reading it from JSON.
//! Promises: an unknown or mistyped field is an error that names it.
//! Leaves to others: what the parts mean (`plugin::Source`, `EgressConfig`).

use crate::callbacks::CallbackConfig;
use crate::egress::EgressConfig;
use crate::json;
use crate::outbox::OutboxConfig;
use crate::plugin::Source;
use psa_host_api::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How a host is opened.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Private folder of the host; made with rights 0700 if it is not there.
    pub data_dir: PathBuf,
    /// Plugin files and folders of them. A file must load, or opening fails; what a folder holds is tried.
    #[serde(default)]
    pub plugins: Vec<PluginEntry>,
    /// Outgoing HTTP.
    #[serde(default)]
    pub egress: EgressConfig,
    /// How long a method may take unless its caller says, in milliseconds. One that is told to wait (`wait_ms`,
    /// `timeout_ms` of events.next) waits as long as it is told.
    #[serde(default = "call_timeout_ms")]
    pub call_timeout_ms: u64,
    /// How long a plugin may go on after it was told to end, in milliseconds.
    #[serde(default = "stall_grace_ms")]
    pub stall_grace_ms: u64,
    /// Threads for plugins' code.
    #[serde(default = "work_threads")]
    pub work_threads: usize,
    /// Where the keys come from that seal credentials and bodies.
    #[serde(default)]
    pub vault: VaultConfig,
    /// How operations are delivered.
    #[serde(default)]
    pub outbox: OutboxConfig,
    /// How changes at the PSA are heard of.
    #[serde(default)]
    pub callbacks: CallbackConfig,
    /// What fields of new connections hold when nothing is entered, by the names that forms ask for:
    /// `{"acme.client_id": "…"}`.
    #[serde(default)]
    pub form_defaults: BTreeMap<String, String>,
    /// The label of this installation. A database that carries another one is a copy: nothing is sent from it.
    #[serde(default = "environment")]
    pub environment: String,
}

/// Where the keys come from. The hook `vault_keys` comes first, then this, then the variable `PSA_KEY`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VaultConfig {
    /// A file of Fernet keys, the newest first; made with rights 0600 if it is not there. Not below `data_dir`: who
    /// copies one must not have the other.
    pub key_file: Option<PathBuf>,
}

fn environment() -> String {
    "default".to_owned()
}

fn call_timeout_ms() -> u64 {
    60_000
}

fn stall_grace_ms() -> u64 {
    2_000
}

fn work_threads() -> usize {
    2
}

/// A plugin: a path, or a path and what the file must be.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a path, or {\"path\", \"sha256\"}")]
pub enum PluginEntry {
    /// A file or folder.
    Path(PathBuf),
    /// A file with its digest.
    Pinned(Pinned),
}

/// A file and what it must be.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// The file.
    pub path: PathBuf,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
}

impl Config {
    /// Reads and checks a configuration.
    pub fn read(bytes: &[u8]) -> Result<Config, Error> {
        let object = json::object(bytes, 1 << 20)
            .map_err(|error| Error::invalid(format!("the configuration is not valid: {error}")).because("not_json"))?;
        let config: Config = crate::methods::typed(Value::Object(object), "the configuration")?;
        for (field, value) in
            [("call_timeout_ms", config.call_timeout_ms), ("work_threads", config.work_threads as u64)]
        {
            if value == 0 {
                return Err(Error::invalid(format!("the configuration: {field} must be at least 1")).field(
                    format!("/{field}"),
                    "minimum",
                    "must be at least 1",
                ));
            }
        }
        config.check_times()?;
        config.callbacks.check()?;
        Ok(config)
    }

    /// Q must be longer than the longest time in which a request of ours can still be on its way.
    fn check_times(&self) -> Result<(), Error> {
        let OutboxConfig { quiet_ms, start_limit_ms, in_flight, .. } = &self.outbox;
        let longest = start_limit_ms.saturating_add(self.egress.timeout_ms);
        if *quiet_ms <= longest {
            let message = format!(
                "outbox.quiet_ms ({quiet_ms}) must be more than outbox.start_limit_ms and egress.timeout_ms together \
                 ({longest})"
            );
            return Err(Error::invalid(message.clone()).field("/outbox/quiet_ms", "minimum", message));
        }
        if *in_flight == 0 {
            let message = "must be at least 1";
            let text = format!("the configuration: outbox.in_flight {message}");
            return Err(Error::invalid(text).field("/outbox/in_flight", "minimum", message));
        }
        Ok(())
    }

    /// Where plugins come from.
    pub(crate) fn sources(&self) -> Vec<Source> {
        let source = |entry: &PluginEntry| match entry {
            PluginEntry::Path(path) => Source { path: path.clone(), sha256: None },
            PluginEntry::Pinned(pinned) => Source { path: pinned.path.clone(), sha256: Some(pinned.sha256.clone()) },
        };
        self.plugins.iter().map(source).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use psa_host_api::Code;

    #[test]
    fn an_unknown_or_mistyped_field_is_named() {
        for (text, reason, at) in [
            (r#"{"data_dir":"/x","plugin":[]}"#, "unknown_field", "/plugin"),
            (r#"{"data_dir":"/x","egress":{"ca_fils":[]}}"#, "unknown_field", "/egress/ca_fils"),
            (r#"{"data_dir":"/x","call_timeout_ms":"long"}"#, "wrong_type", "/call_timeout_ms"),
            (r#"{"data_dir":"/x","plugins":[1]}"#, "wrong_type", "/plugins/0"),
            (r#"{}"#, "missing_field", "/data_dir"),
            (r#"{"data_dir":"/x","data_dir":"/y"}"#, "not_json", ""),
            (r#"["#, "not_json", ""),
        ] {
            let error = Config::read(text.as_bytes()).unwrap_err();
            assert_eq!((error.code, error.reason.as_deref()), (Code::InvalidArgument, Some(reason)), "{text}: {error}");
            let found = error.fields.first().map_or("", |field| field.at.as_str());
            assert_eq!(found, at, "{error:?}");
        }
        assert!(Config::read(br#"{"data_dir":"/x","work_threads":0}"#).is_err());
        let config = Config::read(br#"{"data_dir":"/x","plugins":["/a.so",{"path":"/b.so","sha256":"00"}]}"#).unwrap();
        assert_eq!(config.sources()[1].sha256.as_deref(), Some("00"));
    }
}
