//! Posting to somebody's server.
//!
//! Holds: the kept connections, and whom to trust on TLS.
//! Promises: HTTP/1.1 only; no redirect is followed; a request that may have left is never sent again by this file; an
//! answer is read to a bound. System roots are read once, and only when an https URL is called.
//! Leaves to others: time-outs and retries (`deliver`).

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Kept connections to one host.
const IDLE_MAX: usize = 64;
/// More of an answer is not read: its connection is given up instead.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

type Sender = SendRequest<Full<Bytes>>;

/// The client side.
pub(crate) struct Wire {
    idle: Mutex<HashMap<String, Vec<Sender>>>,
    /// PEM; the system's roots without one.
    ca_file: Option<PathBuf>,
    tls: OnceLock<Result<TlsConnector, String>>,
}

impl Wire {
    pub(crate) fn new(ca_file: Option<PathBuf>) -> Wire {
        Wire { idle: Mutex::default(), ca_file, tls: OnceLock::new() }
    }

    /// The status of the answer. An error says what went wrong on the way.
    pub(crate) async fn post(&self, url: &str, headers: &[(String, String)], body: &Bytes) -> Result<u16, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
        let place = place(&uri).ok_or_else(|| format!("{url} is no absolute URL"))?;
        let mut request = request(&uri, &place, headers, body)?;
        while let Some(mut kept) = self.kept(&place.key) {
            if kept.ready().await.is_err() {
                continue;
            }
            match kept.try_send_request(request).await {
                Ok(answer) => return self.finish(&place, kept, answer).await,
                // Handed back: nothing of it has left.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(error.into_error().to_string()),
                },
            }
        }
        let mut sender = self.connect(&place).await?;
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        self.finish(&place, sender, answer).await
    }

    fn kept(&self, key: &str) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.get_mut(key)?.pop()
    }

    async fn finish(
        &self,
        place: &Place,
        sender: Sender,
        answer: hyper::Response<hyper::body::Incoming>,
    ) -> Result<u16, String> {
        let status = answer.status().as_u16();
        if Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await.is_ok() && !sender.is_closed() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = idle.entry(place.key.clone()).or_default();
            if kept.len() < IDLE_MAX {
                kept.push(sender);
            }
        }
        Ok(status)
    }

    async fn connect(&self, place: &Place) -> Result<Sender, String> {
        let stream = TcpStream::connect((place.host.as_str(), place.port)).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        if !place.tls {
            return handshake(stream).await;
        }
        let connector = self.tls.get_or_init(|| trusting(self.ca_file.as_deref())).clone()?;
        let name = ServerName::try_from(place.host.clone()).map_err(|error| error.to_string())?;
        handshake(connector.connect(name, stream).await.map_err(|error| error.to_string())?).await
    }
}

/// Where a request goes.
struct Place {
    tls: bool,
    host: String,
    port: u16,
    /// As the `Host` header says it.
    authority: String,
    /// Of its kept connections.
    key: String,
}

fn place(uri: &Uri) -> Option<Place> {
    let tls = match uri.scheme_str()? {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let authority = uri.authority()?.as_str().rsplit('@').next().unwrap_or_default().to_owned();
    Some(Place { tls, key: format!("{tls} {host} {port}"), host, port, authority })
}

fn request(
    uri: &Uri,
    place: &Place,
    headers: &[(String, String)],
    body: &Bytes,
) -> Result<Request<Full<Bytes>>, String> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::post(target).header("host", &place.authority);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(Full::new(body.clone())).map_err(|error| error.to_string())
}

async fn handshake(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Sender, String> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        // Ends with the sender, or with the other side: whoever waits for an answer is told by then.
        let _ = connection.await;
    });
    Ok(sender)
}

fn trusting(ca_file: Option<&std::path::Path>) -> Result<TlsConnector, String> {
    let mut roots = rustls::RootCertStore::empty();
    match ca_file {
        Some(file) => {
            let shown = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
            for certificate in CertificateDer::pem_file_iter(file).map_err(|error| shown(&error))? {
                let certificate = certificate.map_err(|error| shown(&error))?;
                roots.add(certificate).map_err(|error| shown(&error))?;
            }
        }
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
