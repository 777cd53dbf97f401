//! What the host gives to a plugin.

use super::{psa_bytes, psa_call, psa_call_info, psa_code, psa_http_request, psa_http_response, psa_then};
use abi_stable::StableAbi;
use std::ffi::{c_char, c_void};

/// space of get, put, remove, keys: encrypted, survives restarts, belongs to this connection alone.
pub const PSA_DURABLE: u32 = 1;
/// space of get, put, remove, keys: memory only; may be dropped at any time; belongs to this connection alone.
pub const PSA_CACHE: u32 = 2;
/// space of get, put, remove, keys: as PSA_DURABLE, but write-only: usable by key in requests, never readable (tokens).
pub const PSA_SECRETS: u32 = 3;

/// The services. Valid, as is every function in it, until close() of the instance that got it has returned.
/// `ctx` is the first argument of each function. All are callable from any thread.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct psa_services {
    /// sizeof(psa_services) of the host.
    pub size: u32,
    /// PSA_ABI_MAJOR of the host.
    pub abi_major: u16,
    /// PSA_ABI_MINOR of the host.
    pub abi_minor: u16,
    /// First argument of each function.
    pub ctx: *mut c_void,

    /// Ends the call. OK: body is the operation's JSON result. Error: body is the error JSON (or plain text,
    /// not starting with '{', that becomes its message), or empty. Only the first one counts. [any thread]
    pub complete: Option<unsafe extern "C" fn(ctx: *mut c_void, call: psa_call, code: psa_code, body: psa_bytes)>,

    /// Fills info; PSA_CANCELLED if the call is not alive. For long loops: stop when info->state is not
    /// PSA_OK. [any thread]
    pub call_info: Option<unsafe extern "C" fn(ctx: *mut c_void, call: psa_call, info: *mut psa_call_info) -> psa_code>,

    /// Writes to the host's log; call may be 0. Never pass secrets. [any thread]
    pub log_message: Option<unsafe extern "C" fn(ctx: *mut c_void, call: psa_call, level: u32, text: psa_bytes)>,

    /// Runs `then` on this call as soon as it is free; the way to wake one call from another. [any thread]
    pub post: Option<unsafe extern "C" fn(ctx: *mut c_void, call: psa_call, then: psa_then) -> psa_code>,

    /// Runs `then` after ms milliseconds. [any thread]
    pub sleep_ms: Option<unsafe extern "C" fn(ctx: *mut c_void, call: psa_call, ms: u64, then: psa_then) -> psa_code>,

    /// Sends a request. An operation sends at most one write unless it has PSA_OP_MANY_WRITES. [any thread]
    pub http: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            call: psa_call,
            request: *const psa_http_request,
            then: psa_then,
        ) -> psa_code,
    >,

    /// As http, but waits; only in PSA_OP_BLOCKING operations, else PSA_UNSUPPORTED at once.
    /// `*response` lives until the next http_wait of this call, or its end; NULL unless PSA_OK. [blocking call]
    pub http_wait: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            call: psa_call,
            request: *const psa_http_request,
            response: *mut *const psa_http_response,
        ) -> psa_code,
    >,

    /// Next bytes of the call's input; *count 0 is the end. Rather send PSA_FROM_INPUT chunks. [any thread]
    pub read_input: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            call: psa_call,
            buffer: *mut u8,
            capacity: usize,
            count: *mut usize,
        ) -> psa_code,
    >,

    /// Appends to the call's output. Rather use PSA_HTTP_TO_OUTPUT. [any thread]
    pub write_output: Option<unsafe extern "C" fn(ctx: *mut c_void, call: psa_call, bytes: psa_bytes) -> psa_code>,

    /// Reads a value, which lives until the call ends; PSA_NOT_FOUND if there is none. What a call has read this
    /// way is limited (PSA_TOO_LARGE). [any thread]
    pub get: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            call: psa_call,
            space: u32,
            key: psa_bytes,
            value: *mut psa_bytes,
        ) -> psa_code,
    >,

    /// Stores a value; ttl_ms 0: no expiry (PSA_CACHE: the host's default). Durable when it returns. [any thread]
    pub put: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            call: psa_call,
            space: u32,
            key: psa_bytes,
            value: psa_bytes,
            ttl_ms: u64,
        ) -> psa_code,
    >,

    /// Removes a value; PSA_OK also if there was none. [any thread]
    pub remove: Option<unsafe extern "C" fn(ctx: *mut c_void, call: psa_call, space: u32, key: psa_bytes) -> psa_code>,

    /// JSON array of the keys that start with prefix, sorted; lives until the call ends. [any thread]
    pub keys: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            call: psa_call,
            space: u32,
            prefix: psa_bytes,
            json: *mut psa_bytes,
        ) -> psa_code,
    >,

    /// Wall clock, milliseconds since 1970-01-01 UTC. Tests may set it. [any thread]
    pub now_unix_ms: Option<unsafe extern "C" fn(ctx: *mut c_void) -> i64>,

    /// Fills buffer with cryptographically secure random bytes. Tests may seed it. [any thread]
    pub random_bytes: Option<unsafe extern "C" fn(ctx: *mut c_void, buffer: *mut u8, len: usize) -> psa_code>,

    /// A struct that is documented under this id ("psa.name/1", "com.vendor.name/1"); NULL: not there. [any thread]
    pub extension: Option<unsafe extern "C" fn(ctx: *mut c_void, id: *const c_char) -> *const c_void>,
}
