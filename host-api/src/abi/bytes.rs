//! Borrowed bytes: the one way data crosses.

use abi_stable::StableAbi;

/// Borrowed bytes; text is UTF-8. `ptr` may be NULL only if `len` is 0; `len` is at most PTRDIFF_MAX; not
/// NUL-terminated. Never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct psa_bytes {
    /// The first byte.
    pub ptr: *const u8,
    /// How many there are.
    pub len: usize,
}

impl psa_bytes {
    /// No bytes.
    pub const EMPTY: psa_bytes = psa_bytes { ptr: std::ptr::null(), len: 0 };

    /// Borrows a slice. The caller keeps it alive for as long as the receiver may read it.
    pub const fn of(bytes: &[u8]) -> psa_bytes {
        psa_bytes { ptr: bytes.as_ptr(), len: bytes.len() }
    }

    /// The bytes.
    ///
    /// # Safety
    /// `ptr` points to `len` readable bytes that stay unchanged for `'a`, or `len` is 0. A NULL pointer or an
    /// impossible length is answered with an empty slice, not trusted.
    pub const unsafe fn as_slice<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() || self.len == 0 || self.len > isize::MAX as usize {
            return &[];
        }
        // SAFETY: not null and a possible length, see above; readable and unchanged is the caller's promise.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}
