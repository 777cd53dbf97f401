//! What an administrator can set about outgoing HTTP.
//!
//! Holds: [`EgressConfig`] and the errors of opening an [`Egress`](super::Egress) with it.
//! Promises: the defaults are the strict ones; a proxy's password is never printed.
//! Leaves to others: reading it from JSON (the host's config), judging addresses (`policy`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Outgoing HTTP.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EgressConfig {
    /// PEM files of authorities to trust besides those of the system.
    pub ca_files: Vec<PathBuf>,
    /// Allows http:// and https:// to this machine itself (127.0.0.0/8, ::1, localhost). For tests and simulators.
    pub allow_loopback_http: bool,
    /// Private destinations that may be reached over https: host names, addresses, or networks such as 10.0.0.0/8.
    pub allow_private: Vec<String>,
    /// Longest answer body that is read, in bytes. What goes to a call's output is not counted here.
    pub body_bytes_max: u64,
    /// Longest request body that is sent, in bytes. What comes from a call's input is not counted here.
    pub request_bytes_max: u64,
    /// Longest input of a call, in bytes. It is never in memory as a whole.
    pub input_bytes_max: u64,
    /// Longest output of a call, in bytes. It is never in memory as a whole.
    pub output_bytes_max: u64,
    /// Time for one request with its answer, unless the request says less or more, in milliseconds. One that carries
    /// the call's input or output has the call's own time.
    pub timeout_ms: u64,
    /// Time until a connection stands, name look-up and TLS included, in milliseconds.
    pub connect_timeout_ms: u64,
    /// An http:// or https:// proxy for everything except loopback. Environment variables are not read.
    pub proxy: Option<String>,
}

impl Default for EgressConfig {
    fn default() -> Self {
        EgressConfig {
            ca_files: Vec::new(),
            allow_loopback_http: false,
            allow_private: Vec::new(),
            body_bytes_max: 32 << 20,
            request_bytes_max: 32 << 20,
            input_bytes_max: 512 << 20,
            output_bytes_max: 512 << 20,
            timeout_ms: 30_000,
            connect_timeout_ms: 10_000,
            proxy: None,
        }
    }
}

impl std::fmt::Debug for EgressConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EgressConfig")
            .field("ca_files", &self.ca_files)
            .field("allow_loopback_http", &self.allow_loopback_http)
            .field("allow_private", &self.allow_private)
            .field("body_bytes_max", &self.body_bytes_max)
            .field("request_bytes_max", &self.request_bytes_max)
            .field("input_bytes_max", &self.input_bytes_max)
            .field("output_bytes_max", &self.output_bytes_max)
            .field("timeout_ms", &self.timeout_ms)
            .field("connect_timeout_ms", &self.connect_timeout_ms)
            // It may hold a password.
            .field("proxy", &self.proxy.as_ref().map(|_| "***"))
            .finish()
    }
}

/// Why outgoing HTTP could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// A certificate file is of no use.
    #[error("egress.ca_files: {path}: {why}. Name a readable PEM file with at least one CA certificate.")]
    CaFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// An entry that is no name, address or network.
    #[error(
        "egress.allow_private: \"{entry}\" is no host name, address or network. \
         Write psa.corp.local, 10.1.2.3 or 10.0.0.0/8."
    )]
    AllowPrivate {
        /// The entry.
        entry: String,
    },
    /// The proxy's URL.
    #[error("egress.proxy: {why}. Write http://host:port or https://host:port.")]
    Proxy {
        /// What is wrong with it.
        why: &'static str,
    },
    /// A number that makes every request fail.
    #[error("egress.{field} must be at least 1")]
    Zero {
        /// The field.
        field: &'static str,
    },
    /// The HTTP library refused.
    #[error("the HTTP client could not be built: {why}")]
    Client {
        /// What it said.
        why: String,
    },
}
