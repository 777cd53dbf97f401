//! Whom TLS trusts.
//!
//! Holds: the TLS configuration: the system's authorities plus the configured files.
//! Promises: a configured file that is of no use is an error that names it; validity is judged by the host's
//! [`Clock`]; no early data, which could deliver a request twice.
//! Leaves to others: the words for a failed handshake (`failure`).

use super::EgressError;
use crate::clock::Clock;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// One configuration for both clients, so that they resume each other's sessions.
pub(super) fn tls_config(ca_files: &[PathBuf], clock: Arc<dyn Clock>) -> Result<ClientConfig, EgressError> {
    let mut roots = RootCertStore::empty();
    // What cannot be read of the system's store is skipped: a machine without one still reaches its own PSA.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for path in ca_files {
        add_file(&mut roots, path).map_err(|why| EgressError::CaFile { path: path.display().to_string(), why })?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_details(provider, Arc::new(ClockTime(clock)));
    let builder =
        builder.with_safe_default_protocol_versions().map_err(|e| EgressError::Client { why: e.to_string() })?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| e.to_string())? {
        let certificate = certificate.map_err(|e| e.to_string())?;
        roots.add(certificate).map_err(|e| e.to_string())?;
    }
    if roots.len() == before { Err("it holds no certificate".into()) } else { Ok(()) }
}

struct ClockTime(Arc<dyn Clock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let now = u64::try_from(self.0.now_unix_ms()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(now)))
    }
}

impl std::fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClockTime")
    }
}
