//! Numbers: version, codes, log levels.

/// Differs: not loadable.
pub const PSA_ABI_MAJOR: u16 = 1;
/// Additions; either side may be older.
pub const PSA_ABI_MINOR: u16 = 0;

/// Both in one number.
pub const PSA_ABI: u32 = (PSA_ABI_MAJOR as u32) << 16 | PSA_ABI_MINOR as u32;

/// Outcome of a call or a service. A receiver treats an unknown code as PSA_INTERNAL. The error JSON refines it
/// with a stable "reason" ("store_newer", "too_late", "needs_mapping", ...).
pub type psa_code = i32;

/// Done.
pub const PSA_OK: psa_code = 0;
/// The caller's mistake.
pub const PSA_INVALID_ARGUMENT: psa_code = 1;
/// Credentials refused.
pub const PSA_UNAUTHENTICATED: psa_code = 2;
/// Not allowed for these credentials, or by the host's egress policy.
pub const PSA_FORBIDDEN: psa_code = 3;
/// What was named does not exist, or not for this tenant.
pub const PSA_NOT_FOUND: psa_code = 4;
/// It contradicts something that is there.
pub const PSA_CONFLICT: psa_code = 5;
/// The PSA's validation said no.
pub const PSA_REJECTED: psa_code = 6;
/// The PSA asks to slow down.
pub const PSA_RATE_LIMITED: psa_code = 7;
/// Nothing left this machine: safe to repeat.
pub const PSA_NOT_SENT: psa_code = 8;
/// A write may have been applied: never repeat blindly.
pub const PSA_OUTCOME_UNKNOWN: psa_code = 9;
/// The PSA, or the way to it, does not work now.
pub const PSA_UNAVAILABLE: psa_code = 10;
/// The time given for it is over.
pub const PSA_TIMEOUT: psa_code = 11;
/// Somebody asked for its end.
pub const PSA_CANCELLED: psa_code = 12;
/// This plugin or platform cannot do it.
pub const PSA_UNSUPPORTED: psa_code = 13;
/// The write was recorded instead of sent.
pub const PSA_REHEARSED: psa_code = 14;
/// Stored credentials cannot be decrypted.
pub const PSA_UNREADABLE: psa_code = 15;
/// A defect of the host or of a plugin.
pub const PSA_INTERNAL: psa_code = 16;
/// The handle is closed, or was opened before a fork.
pub const PSA_CLOSED: psa_code = 17;
/// Disk full, damaged, read-only, or migrated by a newer library.
pub const PSA_STORAGE: psa_code = 18;
/// Over a documented limit.
pub const PSA_TOO_LARGE: psa_code = 19;

/// Something failed and somebody must look.
pub const PSA_LOG_ERROR: u32 = 1;
/// Something is odd, work goes on.
pub const PSA_LOG_WARN: u32 = 2;
/// One line of the normal course.
pub const PSA_LOG_INFO: u32 = 3;
/// For whoever looks for a fault.
pub const PSA_LOG_DEBUG: u32 = 4;
