//! Calls: numbers, and what is known of one.

use super::{psa_code, psa_http_response};
use abi_stable::StableAbi;
use std::ffi::c_void;

/// A running call. 0 is no call; numbers are never used twice in a process.
pub type psa_call = u64;

/// What to do when something is done. For http: PSA_OK means an answer came, whatever its status; any other
/// code means none, and response is NULL. Response lives until run returns. Never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct psa_then {
    /// First argument of run.
    pub data: *mut c_void,
    /// Runs exactly once, later, never inside the service that took it. [strand of the call]
    pub run: Option<unsafe extern "C" fn(data: *mut c_void, code: psa_code, response: *const psa_http_response)>,
}

/// Facts of a call; set size before asking.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct psa_call_info {
    /// In: sizeof(psa_call_info); the host writes no further.
    pub size: u32,
    /// PSA_OK running, else why it must end: PSA_CANCELLED, PSA_TIMEOUT, PSA_CLOSED.
    pub state: psa_code,
    /// Until the deadline, in milliseconds; UINT64_MAX: none.
    pub remaining_ms: u64,
    /// Bytes of input; UINT64_MAX: not known; 0: none.
    pub input_len: u64,
}
