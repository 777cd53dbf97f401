//! The types that cross between product and host.

use crate::handle::Handle;
use crate::reply::Reply;
use psa_host_api::abi::{psa_bytes, psa_code};
use std::ffi::c_void;

/// An opened host: from psa_host_open until psa_host_free.
pub struct psa_host {
    pub(crate) inner: Handle,
}

/// An answer, an event or an error: the caller's, until psa_reply_free.
pub struct psa_reply {
    pub(crate) inner: Reply,
}

/// What the host tells and asks the product. Every function may be NULL; zero what is not used.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct psa_hooks {
    /// sizeof(psa_hooks).
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// First argument of each hook.
    pub ctx: *mut c_void,

    /// Takes a log line: level is PSA_LOG_ERROR, ...; target says which part of the host speaks; both texts are UTF-8
    /// and end with this function. Called from any thread, also at the same time, and already by psa_host_open. NULL:
    /// lines wait for psa_host_next_log.
    pub log_message: Option<unsafe extern "C" fn(ctx: *mut c_void, level: u32, target: psa_bytes, text: psa_bytes)>,

    /// Writes the vault's keyring, one Fernet key per line, the newest first: at most capacity bytes to buffer, and
    /// their number to *len. Returns PSA_OK, or the code that says why not. Called by psa_host_open, and from any
    /// thread when a key is missing or has changed. The host wipes buffer. NULL: the configuration's vault.key_file,
    /// then the variable PSA_KEY.
    pub vault_keys:
        Option<unsafe extern "C" fn(ctx: *mut c_void, buffer: *mut u8, capacity: usize, len: *mut usize) -> psa_code>,
}

/// Bytes into a call (an upload). Must live until the call is done. Never changes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct psa_reader {
    /// First argument of read.
    pub ctx: *mut c_void,
    /// Writes at most capacity bytes to buffer and returns how many; 0: the end; negative: give up, which ends the call
    /// as cancelled, or as PSA_OUTCOME_UNKNOWN if some of a write had left. Runs on a thread of the host's own, never
    /// twice at a time. May block: the call is not done before it has returned, and it is not called after that.
    pub read: Option<unsafe extern "C" fn(ctx: *mut c_void, buffer: *mut u8, capacity: usize) -> i64>,
    /// How many bytes there are, exactly; UINT64_MAX: not known.
    pub len: u64,
}

/// Bytes out of a call (a download). Must live until the call is done. If the call fails, what came is not the whole.
/// Never changes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct psa_writer {
    /// First argument of write.
    pub ctx: *mut c_void,
    /// Takes all of bytes, which end with this function, and returns PSA_OK; anything else ends the call as cancelled.
    /// Runs on a thread of the host's own, never twice at a time. May block: the call is not done before it has
    /// returned, and it is not called after that.
    pub write: Option<unsafe extern "C" fn(ctx: *mut c_void, bytes: psa_bytes) -> psa_code>,
}

/// How to run a call. NULL where it is taken: everything as if zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct psa_call_options {
    /// sizeof(psa_call_options).
    pub size: u32,
    /// How long the call may take, in milliseconds; then it is PSA_TIMEOUT. 0: as configured, or as long as the parameters
    /// tell it to wait ("wait_ms", "timeout_ms" of "events.next"). A wait that this time cuts short is no error.
    pub timeout_ms: u32,
    /// UTF-8, at most 128 bytes; stands in the log lines of this call. Empty: none.
    pub trace_id: psa_bytes,
    /// What an upload reads from; NULL for methods that upload nothing ("methods.list" says which do), or they answer
    /// PSA_INVALID_ARGUMENT.
    pub input: *const psa_reader,
    /// What a download writes to; NULL for methods that download nothing, or they answer PSA_INVALID_ARGUMENT.
    pub output: *const psa_writer,

    /// Asked about every 50 ms, on the calling thread, while psa_host_call waits: 0 cancels the call. So an interpreter
    /// can look for its signals. NULL: nobody is asked.
    pub keep_going: Option<unsafe extern "C" fn(ctx: *mut c_void) -> i32>,
    /// First argument of keep_going.
    pub ctx: *mut c_void,
}

/// Where the reply of a submitted call goes: to run, or, if run is NULL, to psa_host_take (event loops: one wake-up for
/// a whole batch). Never changes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct psa_done {
    /// First argument of run.
    pub ctx: *mut c_void,
    /// Called once when the call is done. The reply becomes the callee's, to be freed. Runs on the one thread that a
    /// host has for this: do not block there. More may be submitted from it.
    pub run: Option<unsafe extern "C" fn(ctx: *mut c_void, id: u64, code: psa_code, reply: *mut psa_reply)>,
}
