//! The types that cross between product and host.

use crate::handle::Handle;
use crate::reply::Reply;
use psa_host_api::abi::{psa_bytes, psa_code};
use std::ffi::c_void;

/// An opened host: opened by psa_host_open, ended by psa_host_close and psa_host_free.
pub struct psa_host {
    pub(crate) inner: Handle,
}

/// An answer or an error, ended by psa_reply_free.
pub struct psa_reply {
    pub(crate) inner: Reply,
}

/// What the host may tell the product. All optional; zero the rest.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct psa_hooks {
    /// sizeof(psa_hooks).
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// First argument of each hook.
    pub ctx: *mut c_void,

    /// A log line: level is PSA_LOG_ERROR, ... Works already while psa_host_open runs; may come from any thread, also
    /// at the same time. Do not call into the host from it. NULL: lines wait for psa_host_next_log.
    pub log_message: Option<unsafe extern "C" fn(ctx: *mut c_void, level: u32, target: psa_bytes, text: psa_bytes)>,

    /// Writes the vault's keyring (one Fernet key per line, the newest first) and returns PSA_OK. Called by
    /// psa_host_open, and from any thread when a key is missing or has changed; write at most capacity bytes, set *len to
    /// what is needed. NULL: the configuration's vault.key_file, then the variable PSA_KEY.
    pub vault_keys:
        Option<unsafe extern "C" fn(ctx: *mut c_void, buffer: *mut u8, capacity: usize, len: *mut usize) -> psa_code>,
}

/// Bytes into a call (an upload). Returns what was read, 0 at the end, negative: give up, which ends the call as
/// cancelled (or PSA_OUTCOME_UNKNOWN, if some of a write had left). Runs on a thread of the host's own, one call at a
/// time. May block: the call is not done before it has returned, and it is not called again after that. Never changes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct psa_reader {
    /// First argument of read.
    pub ctx: *mut c_void,
    /// Fills at most capacity bytes of buffer.
    pub read: Option<unsafe extern "C" fn(ctx: *mut c_void, buffer: *mut u8, capacity: usize) -> i64>,
    /// Total, or UINT64_MAX: not known. If known, there must be exactly so many.
    pub len: u64,
}

/// Bytes out of a call (a download). Anything but PSA_OK ends the call as cancelled. Runs on a thread of the host's
/// own, one call at a time. May block: the call is not done before it has returned, and it is not called again after
/// that. If the call fails, what came is not the whole. Never changes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct psa_writer {
    /// First argument of write.
    pub ctx: *mut c_void,
    /// Takes the bytes.
    pub write: Option<unsafe extern "C" fn(ctx: *mut c_void, bytes: psa_bytes) -> psa_code>,
}

/// How to run a call; NULL where taken means all defaults.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct psa_call_options {
    /// sizeof(psa_call_options).
    pub size: u32,
    /// In milliseconds; 0: as configured.
    pub timeout_ms: u32,
    /// UTF-8, at most 128 bytes; appears in logs.
    pub trace_id: psa_bytes,
    /// Must live until the call is done. For the methods that need one ("methods.list"); for others
    /// PSA_INVALID_ARGUMENT.
    pub input: *const psa_reader,
    /// Must live until the call is done. For the methods that need one ("methods.list"); for others
    /// PSA_INVALID_ARGUMENT.
    pub output: *const psa_writer,

    /// Asked about every 50 ms on the calling thread while psa_host_call waits; 0: cancel. May be NULL. (So that
    /// an interpreter can look for its signals.)
    pub keep_going: Option<unsafe extern "C" fn(ctx: *mut c_void) -> i32>,
    /// First argument of keep_going.
    pub ctx: *mut c_void,
}

/// Called once when a submitted call is done; the callee owns and frees the reply. run NULL: the reply waits
/// for psa_host_take instead (event loops: one wake-up for a whole batch). Never changes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct psa_done {
    /// First argument of run.
    pub ctx: *mut c_void,
    /// Runs on the host's callback thread, one at a time. Do not block there.
    pub run: Option<unsafe extern "C" fn(ctx: *mut c_void, id: u64, code: psa_code, reply: *mut psa_reply)>,
}
