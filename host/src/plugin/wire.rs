//! Between the C structs of HTTP and the ones of `egress`.
//!
//! Holds: reading a `psa_http_request`, and [`Response`], an answer with the C struct that describes it.
//! Promises: everything is copied before a service returns; numbers out of range and text that is not UTF-8 are
//! refused with a sentence.
//! Leaves to others: what may be sent (`services`, `egress`).

use crate::egress::{Answer, Chunk, Encoding, Header, Kind, Request};
use bytes::Bytes;
use psa_host_api::abi::*;

/// More than this in one request is a plugin's mistake.
const PARTS_MAX: usize = 10_000;

/// Reads a plugin's request.
///
/// # Safety
/// `request` is NULL or points to a request as psa_plugin.h describes it, alive and unchanged meanwhile.
pub(super) unsafe fn read_request(request: *const psa_http_request) -> Result<Request, String> {
    // SAFETY: NULL or valid, by the caller's promise.
    let Some(request) = (unsafe { request.as_ref() }) else { return Err("the request is NULL".to_owned()) };
    if (request.size as usize) < size_of::<psa_http_request>() {
        return Err(format!(
            "the request's size is {}, at least {} was expected",
            request.size,
            size_of::<psa_http_request>()
        ));
    }
    // SAFETY: counts and pointers of a valid request belong together.
    let headers = unsafe { parts(request.headers, request.header_count, "headers") }?;
    // SAFETY: as above.
    let body = unsafe { parts(request.body, request.body_count, "pieces of body") }?;
    Ok(Request {
        kind: read_kind(request.kind)?,
        // SAFETY: the bytes of a valid request are readable.
        method: unsafe { text(request.method, "method") }?,
        // SAFETY: as above.
        url: unsafe { text(request.url, "URL") }?,
        // SAFETY: as above.
        headers: headers.iter().map(|header| unsafe { read_header(header) }).collect::<Result<_, _>>()?,
        // SAFETY: as above.
        body: body.iter().map(|chunk| unsafe { read_chunk(chunk) }).collect::<Result<Vec<_>, _>>()?,
        timeout_ms: u64::from(request.timeout_ms),
        trace_id: None,
        to_output: request.flags & PSA_HTTP_TO_OUTPUT != 0,
    })
}

/// Keys of the secrets that a request names.
pub(super) fn secrets_of(request: &Request) -> impl Iterator<Item = &str> {
    let in_headers = request.headers.iter().filter_map(|header| header.secret.as_deref());
    let in_body = request.body.iter().filter_map(|chunk| match chunk {
        Chunk::Secret { key, .. } => Some(key.as_str()),
        _ => None,
    });
    in_headers.chain(in_body)
}

fn read_kind(kind: u32) -> Result<Kind, String> {
    match kind {
        PSA_HTTP_BY_METHOD => Ok(Kind::ByMethod),
        PSA_HTTP_READ => Ok(Kind::Read),
        PSA_HTTP_WRITE => Ok(Kind::Write),
        PSA_HTTP_AUTH => Ok(Kind::Auth),
        other => Err(format!("the request's kind is {other}, which means nothing")),
    }
}

/// # Safety
/// `first` points to `count` structs, or is NULL, or `count` is 0.
unsafe fn parts<'a, T>(first: *const T, count: usize, what: &str) -> Result<&'a [T], String> {
    if count == 0 {
        return Ok(&[]);
    }
    if first.is_null() || count > PARTS_MAX {
        return Err(format!("{count} {what} at {}", if first.is_null() { "NULL" } else { "once; that is too many" }));
    }
    // SAFETY: not NULL, a plausible count, and the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(first, count) })
}

/// # Safety
/// The bytes are readable.
unsafe fn text(bytes: psa_bytes, what: &str) -> Result<String, String> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes.as_slice() };
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| format!("the {what} is not UTF-8"))
}

/// # Safety
/// The header's bytes are readable.
unsafe fn read_header(header: &psa_header) -> Result<Header, String> {
    // SAFETY: the caller's promise, three times.
    let (name, value, secret) = unsafe {
        (
            text(header.name, "name of a header")?,
            text(header.value, "value of a header")?,
            text(header.secret, "key of a secret")?,
        )
    };
    let secret = (!secret.is_empty()).then_some(secret);
    Ok(Header { name, value, secret, basic: header.flags & PSA_HEADER_BASIC != 0 })
}

/// # Safety
/// The chunk's bytes are readable.
unsafe fn read_chunk(chunk: &psa_chunk) -> Result<Chunk, String> {
    let encoding = match chunk.encoding {
        PSA_RAW => Encoding::Raw,
        PSA_BASE64 => Encoding::Base64,
        PSA_FORM => Encoding::Form,
        PSA_JSON_STRING => Encoding::JsonString,
        other => return Err(format!("a piece of the body has encoding {other}, which means nothing")),
    };
    match chunk.source {
        PSA_FROM_BYTES => {
            // SAFETY: the caller's promise.
            let bytes = Bytes::copy_from_slice(unsafe { chunk.bytes.as_slice() });
            Ok(if encoding == Encoding::Raw { Chunk::Bytes(bytes) } else { Chunk::Encoded(bytes, encoding) })
        }
        // SAFETY: the caller's promise.
        PSA_FROM_SECRET => Ok(Chunk::Secret { key: unsafe { text(chunk.bytes, "key of a secret") }?, encoding }),
        PSA_FROM_INPUT => Ok(Chunk::Input(encoding)),
        other => Err(format!("a piece of the body has source {other}, which means nothing")),
    }
}

/// An answer and the C struct that points into it.
pub(super) struct Response {
    _answer: Box<Answer>,
    _headers: Vec<psa_header>,
    struct_: psa_http_response,
}

// SAFETY: the pointers in it lead into the boxed answer and the vector beside them, which move with it and are never
// changed.
unsafe impl Send for Response {}

impl Response {
    pub(super) fn new(answer: Answer) -> Response {
        let answer = Box::new(answer);
        let headers: Vec<psa_header> = answer
            .headers
            .iter()
            .map(|(name, value)| psa_header {
                name: psa_bytes::of(name.as_bytes()),
                value: psa_bytes::of(value.as_bytes()),
                secret: psa_bytes::EMPTY,
                flags: 0,
                reserved: 0,
            })
            .collect();
        let struct_ = psa_http_response {
            size: size_of::<psa_http_response>() as u32,
            status: u32::from(answer.status),
            headers: headers.as_ptr(),
            header_count: headers.len(),
            body: psa_bytes::of(&answer.body),
        };
        Response { _answer: answer, _headers: headers, struct_ }
    }

    /// Lives as long as self.
    pub(super) fn pointer(&self) -> *const psa_http_response {
        &raw const self.struct_
    }
}
