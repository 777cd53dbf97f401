//! What a caller wants sent, and the check of it.
//!
//! Holds: [`Request`] and its parts, and [`Plan`], the request after its check.
//! Promises: a plan has an absolute URL that the policy allows, a method that fits its kind, and no header that is
//! the sender's own business or could split the request.
//! Leaves to others: secrets (`fill`), sending.

use super::policy::Policy;
use super::{EgressConfig, Failure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use psa_host_api::Code;
use reqwest::Method;
use reqwest::header::HeaderName;
use std::fmt;
use url::Url;

/// What a request does at the PSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// GET, HEAD and OPTIONS read; all others write.
    #[default]
    ByMethod,
    /// Changes nothing, whatever its method: GET, HEAD, OPTIONS or POST.
    Read,
    /// Sent at most once.
    Write,
    /// Obtains a token: a read that is not repeated once it may have arrived.
    Auth,
}

/// One header. With `secret`, the secret's value follows `value`.
#[derive(Clone, Default)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value, or what stands before the secret.
    pub value: String,
    /// Key of a secret.
    pub secret: Option<String>,
    /// Sends "Basic " and the base64 of value, colon, secret.
    pub basic: bool,
}

/// How a piece of the body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// As it is.
    #[default]
    Raw,
    /// Base64 with padding, of this piece alone.
    Base64,
    /// application/x-www-form-urlencoded.
    Form,
    /// The inside of a JSON string; the piece must be UTF-8.
    JsonString,
}

/// One piece of the body; the pieces follow each other without anything between.
#[derive(Clone)]
pub enum Chunk {
    /// These bytes, as they are.
    Bytes(Bytes),
    /// These bytes, encoded.
    Encoded(Bytes, Encoding),
    /// A secret.
    Secret {
        /// Its key.
        key: String,
        /// How it is written.
        encoding: Encoding,
    },
    /// The whole input of the call, as it is or in base64; once, and in writes only.
    Input(Encoding),
}

/// One HTTP request as a plugin asks for it.
#[derive(Clone, Default)]
pub struct Request {
    /// What it does.
    pub kind: Kind,
    /// "GET".
    pub method: String,
    /// Absolute.
    pub url: String,
    /// In order; a repeated name is a repeated header.
    pub headers: Vec<Header>,
    /// The body's pieces.
    pub body: Vec<Chunk>,
    /// Time for it, in milliseconds; 0: the configured one.
    pub timeout_ms: u64,
    /// For the log only.
    pub trace_id: Option<String>,
    /// The body of a 2xx goes to the call's output.
    pub to_output: bool,
}

impl Request {
    /// True if the call's input is part of its body.
    pub fn wants_input(&self) -> bool {
        self.body.iter().any(|chunk| matches!(chunk, Chunk::Input(_)))
    }

    /// True if it may change something at the PSA.
    pub fn is_write(&self) -> bool {
        match self.kind {
            Kind::ByMethod => !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS"),
            Kind::Read | Kind::Auth => false,
            Kind::Write => true,
        }
    }
}

/// A checked request.
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) is_write: bool,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(HeaderName, Header)>,
    /// No `Encoded`: that is done already.
    pub(super) body: Vec<Chunk>,
    pub(super) timeout_ms: u64,
    pub(super) request_bytes_max: u64,
    pub(super) trace_id: Option<String>,
}

const URL_BYTES_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 100;

/// Headers that say how the message is carried: the sender's business. `accept-encoding` too: a packed answer could
/// not be searched for echoed secrets.
const OURS: [&str; 16] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "proxy-authorization",
    "proxy-authenticate",
    "proxy-connection",
    "http2-settings",
    "accept-encoding",
    "via",
    "forwarded",
];

impl Plan {
    pub(super) fn check(request: &Request, policy: &Policy, config: &EgressConfig) -> Result<Plan, Failure> {
        let method = check_method(request)?;
        let url = check_url(&request.url)?;
        policy.check_url(&url).map_err(|refusal| Failure::policy(&origin_of(&url), &refusal))?;
        check_input(request)?;
        Ok(Plan {
            kind: request.kind,
            is_write: request.is_write(),
            method,
            headers: check_headers(&request.headers)?,
            body: request.body.iter().map(encoded).collect::<Result<_, _>>()?,
            timeout_ms: if request.timeout_ms == 0 { config.timeout_ms } else { request.timeout_ms },
            request_bytes_max: config.request_bytes_max,
            trace_id: request.trace_id.clone(),
            url,
        })
    }

    /// Host and port, for messages.
    pub(super) fn origin(&self) -> String {
        origin_of(&self.url)
    }
}

/// Host and port, for messages.
pub(super) fn origin_of(url: &Url) -> String {
    let port = url.port_or_known_default().map_or(String::new(), |port| format!(":{port}"));
    format!("{}{port}", url.host_str().unwrap_or("?"))
}

fn check_method(request: &Request) -> Result<Method, Failure> {
    let name = request.method.as_str();
    let upper = !name.is_empty() && name.len() <= 32 && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    let method = Method::from_bytes(name.as_bytes()).ok().filter(|_| upper);
    let Some(method) = method.filter(|m| *m != Method::CONNECT && *m != Method::TRACE) else {
        return Err(Failure::bad_request(
            "the method is not allowed. Use GET, POST, PATCH, PUT, DELETE, HEAD or OPTIONS, in capitals.",
        ));
    };
    let claims_to_read = matches!(request.kind, Kind::Read | Kind::Auth);
    if claims_to_read && matches!(name, "PUT" | "PATCH" | "DELETE") {
        // A read is repeated; what these methods do must not be, whatever the plugin thinks.
        return Err(Failure::bad_request(format!("a {name} request cannot be a read. Send it as a write.")));
    }
    Ok(method)
}

fn check_url(text: &str) -> Result<Url, Failure> {
    if text.len() > URL_BYTES_MAX {
        return Err(Failure::bad_request("the URL is longer than 16 KiB. Put the data into the body."));
    }
    // The parser drops line breaks silently and cleans up spaces; a URL that needs it was put together wrongly.
    if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return Err(Failure::bad_request("the URL holds spaces or control characters. Percent-encode them."));
    }
    let url = Url::parse(text)
        .map_err(|_| Failure::bad_request("the URL is not absolute. Begin it with https:// and a host."))?;
    let why = if url.cannot_be_a_base() || url.host_str().is_none_or(str::is_empty) {
        "it names no host"
    } else if !url.username().is_empty() || url.password().is_some() {
        "it carries a user name or password; name a secret in a header instead"
    } else if url.fragment().is_some() {
        "it has a #fragment, which is never sent; encode # as %23"
    } else {
        return Ok(url);
    };
    Err(Failure::bad_request(format!("the URL is refused: {why}.")))
}

fn check_headers(headers: &[Header]) -> Result<Vec<(HeaderName, Header)>, Failure> {
    if headers.len() > HEADERS_MAX {
        return Err(Failure::bad_request(format!("more than {HEADERS_MAX} headers")));
    }
    headers.iter().enumerate().map(|(position, header)| check_header(position, header)).collect()
}

fn check_header(position: usize, header: &Header) -> Result<(HeaderName, Header), Failure> {
    let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| {
        Failure::bad_request(format!("header {position}: its name holds a character that names must not have."))
    })?;
    if OURS.contains(&name.as_str()) {
        return Err(Failure::bad_request(format!("header {name}: the host sets it. Leave it out.")));
    }
    if header.value.bytes().any(|byte| (byte < b' ' && byte != b'\t') || byte == 0x7f) {
        return Err(Failure::bad_request(format!("header {name}: its value holds a line break or control character.")));
    }
    if header.basic && header.secret.is_none() {
        return Err(Failure::bad_request(format!("header {name}: Basic needs a secret.")));
    }
    Ok((name, header.clone()))
}

/// A read may be repeated, and the input cannot: it is gone once it was taken.
fn check_input(request: &Request) -> Result<(), Failure> {
    let mut inputs = request.body.iter().filter_map(|chunk| match chunk {
        Chunk::Input(encoding) => Some(*encoding),
        _ => None,
    });
    let Some(encoding) = inputs.next() else { return Ok(()) };
    let why = if !matches!(encoding, Encoding::Raw | Encoding::Base64) {
        "it can be sent as it is or in base64"
    } else if inputs.next().is_some() {
        "it can be sent once"
    } else if !request.is_write() {
        "a read may be repeated, and the input can be taken once. Send it as a write"
    } else {
        return Ok(());
    };
    Err(Failure::bad_request(format!("the call's input in the body is refused: {why}.")))
}

fn encoded(chunk: &Chunk) -> Result<Chunk, Failure> {
    let Chunk::Encoded(bytes, encoding) = chunk else { return Ok(chunk.clone()) };
    Ok(Chunk::Bytes(match encoding {
        Encoding::Raw => bytes.clone(),
        Encoding::Base64 => STANDARD.encode(bytes).into(),
        Encoding::Form => url::form_urlencoded::byte_serialize(bytes).collect::<String>().into(),
        Encoding::JsonString => {
            let text = std::str::from_utf8(bytes)
                .map_err(|_| Failure::bad_request("a piece of the body is to be a JSON string but is not UTF-8."))?;
            let quoted = serde_json::to_string(text)
                .map_err(|e| Failure::refused(Code::Internal, "bad_request", e.to_string()))?;
            let end = quoted.len() - 1;
            Bytes::from(quoted).slice(1..end)
        }
    }))
}

impl fmt::Debug for Header {
    /// Without its value: a plugin may have put a token there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header").field("name", &self.name).field("secret", &self.secret).finish_non_exhaustive()
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Chunk::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Chunk::Encoded(bytes, encoding) => write!(f, "{} bytes as {encoding:?}", bytes.len()),
            Chunk::Secret { key, encoding } => write!(f, "secret {key} as {encoding:?}"),
            Chunk::Input(encoding) => write!(f, "input as {encoding:?}"),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = Url::parse(&self.url).map_or_else(|_| "?".into(), |url| origin_of(&url));
        f.debug_struct("Request")
            .field("kind", &self.kind)
            .field("method", &self.method)
            .field("to", &to)
            .field("headers", &self.headers)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("method", &self.method).field("to", &self.origin()).finish_non_exhaustive()
    }
}
