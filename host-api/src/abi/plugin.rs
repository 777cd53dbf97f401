//! What a plugin gives to the host.

use super::{psa_bytes, psa_call, psa_services};
use abi_stable::StableAbi;
use std::ffi::{c_char, c_void};

/// psa_operation.flags: may send a write; without it writes are refused.
pub const PSA_OP_WRITE: u32 = 1;
/// psa_operation.flags: needs more than one; then PSA_OUTCOME_UNKNOWN concerns all of them.
pub const PSA_OP_MANY_WRITES: u32 = 2;
/// psa_operation.flags: uses http_wait: runs on a thread that may block.
pub const PSA_OP_BLOCKING: u32 = 4;
/// psa_operation.flags: takes a byte stream beside its JSON.
pub const PSA_OP_INPUT: u32 = 8;
/// psa_operation.flags: produces a byte stream beside its JSON.
pub const PSA_OP_OUTPUT: u32 = 16;

/// One operation the plugin offers. Unlisted means unsupported. Grows at the end: psa_plugin.operation_size says
/// how far apart they lie.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct psa_operation {
    /// "get_ticket"; of your own: "com.vendor.name".
    pub name: *const c_char,

    /// Starts it: must end with complete(call), now or in a later callback. request lives until start returns.
    pub start: Option<unsafe extern "C" fn(self_: *mut c_void, call: psa_call, request: psa_bytes)>,

    /// PSA_OP_WRITE, ...
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

/// The plugin. Static and constant for the life of the process.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct psa_plugin {
    /// sizeof(psa_plugin).
    pub size: u32,
    /// PSA_ABI_MAJOR.
    pub abi_major: u16,
    /// PSA_ABI_MINOR.
    pub abi_minor: u16,

    /// JSON: id, name, version, vendor, form, concurrency, ...
    pub manifest: psa_bytes,

    /// operation_count of them.
    pub operations: *const psa_operation,
    /// How many operations.
    pub operation_count: u32,
    /// sizeof(psa_operation).
    pub operation_size: u32,

    /// Makes an instance for one connection from its settings JSON (no secrets in it): quick, no http. Returns
    /// your pointer, or NULL after complete(call, code, error). The call ends when open returns.
    pub open:
        Option<unsafe extern "C" fn(host: *const psa_services, call: psa_call, settings: psa_bytes) -> *mut c_void>,

    /// Frees the instance. Runs once, when no call or callback of it is left, never beside another function.
    pub close: Option<unsafe extern "C" fn(self_: *mut c_void)>,

    /// As psa_services.extension, for the host; may be NULL.
    pub extension: Option<unsafe extern "C" fn(id: *const c_char) -> *const c_void>,
}

// SAFETY: the contract says that a table and all it points to is static and constant for the life of the process;
// shared reading of constants is sound.
unsafe impl Sync for psa_plugin {}
// SAFETY: as for psa_plugin; its only pointer is to a constant string.
unsafe impl Sync for psa_operation {}

/// The one export. host_abi is the host's PSA_ABI. Does nothing but return the table; may be called often.
/// NULL if you cannot work with so old a host.
pub type psa_plugin_entry_fn = Option<unsafe extern "C" fn(host_abi: u32) -> *const psa_plugin>;
