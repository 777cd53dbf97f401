//! Secrets, in the moment a request leaves.
//!
//! Holds: [`SecretSource`], and the filling of headers and body.
//! Promises: a secret is used only if its source allows it towards exactly this scheme, host and port; headers with
//! secrets are marked sensitive; buffers of ours that hold one are wiped when dropped; no error shows a value.
//! Leaves to others: where secrets are kept (the vault), taking them out of answers (`redact`).

use super::body::Piece;
use super::failure::Failure;
use super::redact::Redactor;
use super::request::{Chunk, Encoding, Header, Plan};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use psa_host_api::Code;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// The secrets of one connection.
pub trait SecretSource: Send + Sync {
    /// The value of a key; None: there is none.
    fn secret(&self, key: &str) -> Option<SecretString>;

    /// True if it may be sent there. `host` is in lower case, an IPv6 address without brackets; `port` is never left
    /// out.
    fn allowed(&self, key: &str, scheme: &str, host: &str, port: u16) -> bool;
}

/// A request as it goes out.
pub(super) struct Filled {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<Piece>,
    pub(super) redactor: Redactor,
}

/// What we call ourselves unless the plugin says otherwise.
const AGENT: &str = concat!("psa-bridge/", env!("CARGO_PKG_VERSION"));

pub(super) fn fill(plan: &Plan, source: &dyn SecretSource) -> Result<Filled, Failure> {
    let mut filling = Filling { plan, source, redactor: Redactor::default() };
    let mut headers = HeaderMap::new();
    for (name, header) in &plan.headers {
        headers.append(name, filling.header(name, header)?);
    }
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
    let mut body = Vec::with_capacity(plan.body.len());
    for chunk in &plan.body {
        body.push(filling.piece(chunk)?);
    }
    let length = |piece: &Piece| match piece {
        Piece::Bytes(bytes) => bytes.len() as u64,
        // It has a limit of its own.
        Piece::Input { .. } => 0,
    };
    let size: u64 = body.iter().map(length).sum();
    if size > plan.request_bytes_max {
        let message = format!(
            "{}: the request body has {size} bytes, {} are allowed (egress.request_bytes_max).",
            plan.origin(),
            plan.request_bytes_max
        );
        return Err(Failure::refused(Code::TooLarge, "request_too_large", message));
    }
    Ok(Filled { headers, body, redactor: filling.redactor })
}

struct Filling<'a> {
    plan: &'a Plan,
    source: &'a dyn SecretSource,
    redactor: Redactor,
}

impl Filling<'_> {
    fn secret(&mut self, key: &str) -> Result<SecretString, Failure> {
        let url = &self.plan.url;
        let host =
            url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let port = url.port_or_known_default().unwrap_or(0);
        // Asked first, so that a plugin cannot learn from the error which secrets exist.
        if !self.source.allowed(key, url.scheme(), &host, port) {
            let message = format!(
                "{}: the secret \"{key}\" may not be sent there. \
                 It may only go to the addresses that its form field names.",
                self.plan.origin()
            );
            return Err(Failure::refused(Code::Forbidden, "egress_host", message));
        }
        let Some(value) = self.source.secret(key) else {
            let message = format!(
                "{}: the secret \"{key}\" is not set. Enter it in the connection's settings.",
                self.plan.origin()
            );
            return Err(Failure::refused(Code::Unauthenticated, "secret_missing", message));
        };
        self.redactor.hide(value.expose_secret().as_bytes());
        Ok(value)
    }

    fn header(&mut self, name: &HeaderName, header: &Header) -> Result<HeaderValue, Failure> {
        let bad = |why: &str| {
            Failure::bad_request(format!(
                "header {name}: {why} cannot be sent in a header: it holds a line break or control character."
            ))
        };
        let Some(key) = &header.secret else {
            return HeaderValue::from_bytes(header.value.as_bytes()).map_err(|_| bad("its value"));
        };
        let secret = self.secret(key)?;
        let secret = secret.expose_secret().as_bytes();
        let mut line = Zeroizing::new(Vec::with_capacity(header.value.len() + 1 + secret.len()));
        line.extend_from_slice(header.value.as_bytes());
        if header.basic {
            line.push(b':');
        }
        line.extend_from_slice(secret);
        if line.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
            return Err(bad(&format!("the secret \"{key}\"")));
        }
        if header.basic {
            let credentials = Zeroizing::new(STANDARD.encode(&*line));
            self.redactor.hide(credentials.as_bytes());
            line = Zeroizing::new([b"Basic ", credentials.as_bytes()].concat());
        }
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(line)).map_err(|_| bad("its value"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn piece(&mut self, chunk: &Chunk) -> Result<Piece, Failure> {
        let (key, encoding) = match chunk {
            Chunk::Bytes(bytes) | Chunk::Encoded(bytes, _) => return Ok(Piece::Bytes(bytes.clone())),
            Chunk::Input(encoding) => return Ok(Piece::Input { base64: *encoding == Encoding::Base64 }),
            Chunk::Secret { key, encoding } => (key, encoding),
        };
        let secret = self.secret(key)?;
        Ok(Piece::Bytes(Bytes::from_owner(encode_secret(secret.expose_secret(), *encoding))))
    }
}

/// With room for the longest form from the start: growing would leave an unwiped copy behind.
fn encode_secret(secret: &str, encoding: Encoding) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(secret.len() * 6 + 4));
    match encoding {
        Encoding::Raw => out.extend_from_slice(secret.as_bytes()),
        Encoding::Base64 => out.extend_from_slice(Zeroizing::new(STANDARD.encode(secret)).as_bytes()),
        Encoding::Form => {
            for part in url::form_urlencoded::byte_serialize(secret.as_bytes()) {
                out.extend_from_slice(part.as_bytes());
            }
        }
        Encoding::JsonString => {
            // Writing a string into memory cannot fail.
            let _ = serde_json::to_writer(&mut *out, secret);
            out.pop();
            if !out.is_empty() {
                out.remove(0);
            }
        }
    }
    out
}
