//! Requests and answers; the same structs carry a plugin's HTTP and the product's doors.

use super::psa_bytes;
use abi_stable::StableAbi;

/// psa_header.flags: send "Basic " + base64(value + ":" + secret).
pub const PSA_HEADER_BASIC: u32 = 1;

/// One HTTP header; a repeated name is a repeated header. Never changes.
///
/// Secrets are named, not carried: the host appends the secret's value to `value` as the request leaves, and
/// only towards an address that the secret is bound to. Such a header is never logged and never in an error.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct psa_header {
    /// Its name; in answers lower case.
    pub name: psa_bytes,
    /// Its value, or what stands before the secret.
    pub value: psa_bytes,
    /// Key of a secret field or of a PSA_SECRETS value; empty: none.
    pub secret: psa_bytes,
    /// PSA_HEADER_BASIC or 0.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

/// psa_chunk.source: the bytes given.
pub const PSA_FROM_BYTES: u32 = 0;
/// psa_chunk.source: the whole input of the call.
pub const PSA_FROM_INPUT: u32 = 1;
/// psa_chunk.source: the secret whose key is given.
pub const PSA_FROM_SECRET: u32 = 2;

/// psa_chunk.encoding: as they are.
pub const PSA_RAW: u32 = 0;
/// psa_chunk.encoding: base64 with padding.
pub const PSA_BASE64: u32 = 1;
/// psa_chunk.encoding: application/x-www-form-urlencoded.
pub const PSA_FORM: u32 = 2;
/// psa_chunk.encoding: the inside of a JSON string, without its quotes.
pub const PSA_JSON_STRING: u32 = 3;

/// One piece of a request body, sent in order: these bytes, the whole input of the call, or a secret.
/// Never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct psa_chunk {
    /// The bytes, or the secret's key; unused for PSA_FROM_INPUT.
    pub bytes: psa_bytes,
    /// PSA_FROM_BYTES, PSA_FROM_INPUT or PSA_FROM_SECRET.
    pub source: u32,
    /// Applied by the sender while streaming.
    pub encoding: u32,
}

/// psa_http_request.kind: GET, HEAD, OPTIONS read; all others write.
pub const PSA_HTTP_BY_METHOD: u32 = 0;
/// psa_http_request.kind: changes nothing: may be repeated, is sent in a rehearsal.
pub const PSA_HTTP_READ: u32 = 1;
/// psa_http_request.kind: sent at most once; fenced, rehearsable.
pub const PSA_HTTP_WRITE: u32 = 2;
/// psa_http_request.kind: obtains a token: as PSA_HTTP_READ, but never cached and its body never logged.
pub const PSA_HTTP_AUTH: u32 = 3;

/// psa_http_request.flags: a 2xx body goes to the call's output, unseen by the plugin.
pub const PSA_HTTP_TO_OUTPUT: u32 = 1;

/// One HTTP request. Everything is copied before the function that takes it returns.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct psa_http_request {
    /// sizeof(psa_http_request).
    pub size: u32,
    /// What it does at the PSA: PSA_HTTP_BY_METHOD, ...
    pub kind: u32,
    /// PSA_HTTP_TO_OUTPUT or 0.
    pub flags: u32,
    /// 0: the host's default; the call's deadline always holds.
    pub timeout_ms: u32,
    /// "GET".
    pub method: psa_bytes,
    /// To the PSA: absolute, https. Into the host: path and raw query, as psa_host_page and psa_host_callback say.
    pub url: psa_bytes,
    /// header_count of them.
    pub headers: *const psa_header,
    /// How many headers.
    pub header_count: usize,
    /// body_count of them.
    pub body: *const psa_chunk,
    /// How many pieces of body.
    pub body_count: usize,
}

/// One HTTP answer. Header names are lower case.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct psa_http_response {
    /// sizeof(psa_http_response).
    pub size: u32,
    /// 200.
    pub status: u32,
    /// header_count of them.
    pub headers: *const psa_header,
    /// How many headers.
    pub header_count: usize,
    /// Empty if it went to the output.
    pub body: psa_bytes,
}
