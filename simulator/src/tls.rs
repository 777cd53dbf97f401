//! A certificate authority for one run, and a server certificate from it.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// What the server shows to its clients.
pub(crate) struct Identity {
    acceptor: TlsAcceptor,
    ca_file: PathBuf,
    /// Removed with its content at the end.
    _folder: tempfile::TempDir,
}

impl Identity {
    pub(crate) fn new() -> Result<Identity> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // A name of its own: two authorities of one name would be mistaken for each other.
        let name = format!("psa-simulator {:08x}, for tests only", rand::random::<u32>());
        params.distinguished_name.push(DnType::CommonName, name);
        let ca =
            CertifiedIssuer::self_signed(params, KeyPair::generate().map_err(Error::other)?).map_err(Error::other)?;
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let key = KeyPair::generate().map_err(Error::other)?;
        let params = CertificateParams::new(names).map_err(Error::other)?;
        let leaf = params.signed_by(&key, &ca).map_err(Error::other)?;
        let folder = tempfile::Builder::new().prefix("psa-simulator-").tempdir()?;
        let ca_file = folder.path().join("ca.pem");
        std::fs::write(&ca_file, ca.pem())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .map_err(Error::other)?;
        Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)), ca_file, _folder: folder })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// The CA's certificate, PEM.
    pub(crate) fn ca_file(&self) -> &Path {
        &self.ca_file
    }
}
