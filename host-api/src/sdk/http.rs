//! Requests and answers.
//!
//! Holds: [`Request`], a value that tests compare; [`Response`]; [`Http`], which sends.
//! Promises: a request names secrets and never holds one; an answer that is not JSON is an error with an excerpt.
//! Leaves to others: retries, deadlines, limits, redirects: the host does them, because it knows reads from writes.

use super::Cx;
use super::cx::{refused, service};
use crate::abi::*;
use crate::json::look_through;
use crate::{Code, Error};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::ffi::c_void;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// One header; the secret, if it names one, is put in by the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value, or what stands before the secret.
    pub value: String,
    /// Key of the secret.
    pub secret: Option<String>,
    /// Send `Basic` and base64 of value, colon, secret.
    pub basic: bool,
}

/// A piece of a request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A secret, form-encoded: for token requests.
    FormSecret(String),
    /// A secret inside a JSON string: for token requests.
    JsonSecret(String),
    /// The whole input of the call, which streams past the plugin.
    Input,
    /// The same in base64.
    InputBase64,
}

/// One request, as a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    kind: u32,
    method: &'static str,
    url: String,
    headers: Vec<Header>,
    body: Vec<Body>,
    flags: u32,
    timeout_ms: u32,
}

impl Request {
    /// A request of any method.
    pub fn new(method: &'static str, url: impl Into<String>) -> Request {
        let (headers, body) = (Vec::new(), Vec::new());
        Request { kind: PSA_HTTP_BY_METHOD, method, url: url.into(), headers, body, flags: 0, timeout_ms: 0 }
    }

    /// GET.
    pub fn get(url: impl Into<String>) -> Request {
        Request::new("GET", url)
    }

    /// POST: a write, unless [`Request::as_read`] says otherwise.
    pub fn post(url: impl Into<String>) -> Request {
        Request::new("POST", url)
    }

    /// PATCH.
    pub fn patch(url: impl Into<String>) -> Request {
        Request::new("PATCH", url)
    }

    /// Changes nothing at the PSA, whatever its method.
    pub fn as_read(mut self) -> Request {
        self.kind = PSA_HTTP_READ;
        self
    }

    /// Obtains a token.
    pub fn as_auth(mut self) -> Request {
        self.kind = PSA_HTTP_AUTH;
        self
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Request {
        self.headers.push(Header { name: name.into(), value: value.into(), secret: None, basic: false });
        self
    }

    /// With a header whose value ends in a secret: `("authorization", "Bearer ", "token")`.
    pub fn secret_header(mut self, name: &str, before: &str, secret: &str) -> Request {
        self.headers.push(Header {
            name: name.into(),
            value: before.into(),
            secret: Some(secret.into()),
            basic: false,
        });
        self
    }

    /// With `authorization: Basic`, the password being a secret.
    pub fn basic(mut self, user: &str, secret: &str) -> Request {
        let name = "authorization".into();
        self.headers.push(Header { name, value: user.into(), secret: Some(secret.into()), basic: true });
        self
    }

    /// With a JSON body.
    pub fn json(mut self, value: &impl serde::Serialize) -> Request {
        // Our own wire types always serialise: their maps have string keys.
        self.body = vec![Body::Bytes(serde_json::to_vec(value).unwrap_or_default())];
        self.header("content-type", "application/json")
    }

    /// With a body of several pieces.
    pub fn body(mut self, pieces: Vec<Body>) -> Request {
        self.body = pieces;
        self
    }

    /// The body of a 2xx answer goes to the call's output, unseen here.
    pub fn to_output(mut self) -> Request {
        self.flags |= PSA_HTTP_TO_OUTPUT;
        self
    }

    /// With a time limit of its own; the call's deadline holds in any case.
    pub fn timeout_ms(mut self, ms: u32) -> Request {
        self.timeout_ms = ms;
        self
    }

    /// The method.
    pub fn method(&self) -> &str {
        self.method
    }

    /// The address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers.
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// The body as JSON, for tests; null if it is not JSON.
    pub fn body_json(&self) -> Value {
        match self.body.as_slice() {
            [Body::Bytes(bytes)] => serde_json::from_slice(bytes).unwrap_or_default(),
            _ => Value::Null,
        }
    }
}

/// One answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// 200.
    pub status: u16,
    /// Names are lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// True for 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; of another shape: `unavailable`, with the place and an excerpt. A name that is there twice counts as
    /// it is said last: nothing that the host would refuse gets into an answer by way of `Raw`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let plain = std::str::from_utf8(&self.body).is_ok_and(|text| look_through(text).is_ok());
        let read = match plain {
            true => serde_json::from_slice(&self.body),
            false => serde_json::from_slice::<Value>(&self.body).and_then(serde_json::from_value),
        };
        read.map_err(|error| {
            let text = format!(
                "the PSA answered {} with something that does not fit: {error}. It begins: {}",
                self.status,
                self.excerpt()
            );
            Error::new(Code::Unavailable, text).because("not_json")
        })
    }

    /// The beginning of the body, for messages.
    pub fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(480)]);
        let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let line: String = words.collect::<Vec<_>>().join(" ").chars().take(120).collect();
        if line.is_empty() { "(an empty body)".into() } else { line }
    }
}

/// Sends requests for a call.
#[derive(Debug, Clone, Copy)]
pub struct Http<'a> {
    cx: &'a Cx,
}

impl<'a> Http<'a> {
    pub(super) fn new(cx: &'a Cx) -> Self {
        Http { cx }
    }

    /// Sends it. `Ok` is an answer of any status; `Err` means that none came, with the host's reason.
    pub fn send(self, request: Request) -> Sending {
        let shared = Arc::new(Shared::default());
        let data = Arc::into_raw(shared.clone()).cast_mut().cast::<c_void>();
        let code = self.pass(&request, psa_then { data, run: Some(answered) });
        if code != PSA_OK {
            // SAFETY: refused, so the host will never give it back; it came from into_raw above.
            drop(unsafe { Arc::from_raw(data.cast_const().cast::<Shared>()) });
            shared.put(Err(refused(code, &format!("{} {}", request.method, request.url))));
        }
        Sending { shared }
    }

    fn pass(self, request: &Request, then: psa_then) -> psa_code {
        let text = |text: &str| psa_bytes::of(text.as_bytes());
        let headers: Vec<psa_header> = request
            .headers
            .iter()
            .map(|header| psa_header {
                name: text(&header.name),
                value: text(&header.value),
                secret: header.secret.as_deref().map_or(psa_bytes::EMPTY, text),
                flags: if header.basic { PSA_HEADER_BASIC } else { 0 },
                reserved: 0,
            })
            .collect();
        let body: Vec<psa_chunk> = request
            .body
            .iter()
            .map(|piece| match piece {
                Body::Bytes(bytes) => chunk(bytes, PSA_FROM_BYTES, PSA_RAW),
                Body::FormSecret(key) => chunk(key.as_bytes(), PSA_FROM_SECRET, PSA_FORM),
                Body::JsonSecret(key) => chunk(key.as_bytes(), PSA_FROM_SECRET, PSA_JSON_STRING),
                Body::Input => chunk(&[], PSA_FROM_INPUT, PSA_RAW),
                Body::InputBase64 => chunk(&[], PSA_FROM_INPUT, PSA_BASE64),
            })
            .collect();
        let passed = psa_http_request {
            size: size_of::<psa_http_request>() as u32,
            kind: request.kind,
            flags: request.flags,
            timeout_ms: request.timeout_ms,
            method: text(request.method),
            url: text(&request.url),
            headers: headers.as_ptr(),
            header_count: headers.len(),
            body: body.as_ptr(),
            body_count: body.len(),
        };
        service!(self.cx, http(self.cx.call(), &passed, then))
    }
}

fn chunk(bytes: &[u8], source: u32, encoding: u32) -> psa_chunk {
    psa_chunk { bytes: psa_bytes::of(bytes), source, encoding }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<Result<Response, Error>>,
    waker: Option<Waker>,
}

impl Shared {
    fn put(&self, outcome: Result<Response, Error>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.outcome = Some(outcome);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A request under way.
#[derive(Debug)]
#[must_use = "nothing waits for the answer unless it is awaited"]
pub struct Sending {
    shared: Arc<Shared>,
}

impl Future for Sending {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

unsafe extern "C" fn answered(data: *mut c_void, code: psa_code, response: *const psa_http_response) {
    super::guard::guard_alone(|| {
        // SAFETY: from Arc::into_raw in send(); an accepted callback runs exactly once.
        let shared = unsafe { Arc::from_raw(data.cast_const().cast::<Shared>()) };
        // SAFETY: with PSA_OK an answer of the header's shape that lives until we return; else NULL.
        let outcome = match unsafe { response.as_ref() } {
            // SAFETY: as above.
            Some(response) if code == PSA_OK => Ok(unsafe { copy(response) }),
            _ => Err(refused(if code == PSA_OK { PSA_INTERNAL } else { code }, "an HTTP request")),
        };
        shared.put(outcome);
    });
}

/// # Safety
/// `response` and all it points to are alive, as the header promises for the length of the callback.
unsafe fn copy(response: &psa_http_response) -> Response {
    let headers = if response.headers.is_null() || response.header_count == 0 {
        &[][..]
    } else {
        // SAFETY: header_count headers, see above.
        unsafe { std::slice::from_raw_parts(response.headers, response.header_count) }
    };
    // SAFETY: bytes of the answer, see above.
    let text = |bytes: psa_bytes| String::from_utf8_lossy(unsafe { bytes.as_slice() }).into_owned();
    Response {
        status: u16::try_from(response.status).unwrap_or(0),
        headers: headers.iter().map(|header| (text(header.name), text(header.value))).collect(),
        // SAFETY: as above.
        body: unsafe { response.body.as_slice() }.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Raw;

    #[test]
    fn what_the_host_would_refuse_is_mended_or_refused_here() {
        let read = |body: &str| Response { body: body.into(), ..Response::default() }.json::<Raw>();
        assert_eq!(format!("{:?}", read(r#"{"b":1.50,"a":1}"#).unwrap()), r#"{"b":1.50,"a":1}"#);
        let mended = read(r#"{"b":{"x":1,"x":1.50},"a":0,"a":1}"#).unwrap();
        assert_eq!(format!("{mended:?}"), r#"{"a":1,"b":{"x":1.5}}"#);
        for body in [r#"{"a":1e999}"#, r#"{"a":"\ud800"}"#, "{", "[]", ""] {
            let error = read(body).unwrap_err();
            assert_eq!((error.code, error.reason.as_deref()), (Code::Unavailable, Some("not_json")), "{body}");
        }
    }
}
