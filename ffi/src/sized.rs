//! Structs that begin with their size, and may be of an older or a newer header than this library's.
//!
//! Promises: not a byte is read beyond the size that is said; what an older header did not have is zero; what a newer one
//! has in addition is not looked at.

use crate::types::{psa_call_options, psa_hooks};
use psa_host_api::Error;
use psa_host_api::abi::*;

const POINTER: usize = size_of::<*const u8>();

/// A struct that grows at its end only.
///
/// # Safety
/// It begins with a `u32` that is its size, and all zero is a valid one.
pub(crate) unsafe trait Growing: Copy {
    /// What the argument is called in psa_host.h.
    const ARGUMENT: &str;
    const TYPE: &str;
    /// The bytes that the first version had. Never changes.
    const FIRST_BYTES: usize;
}

// SAFETY: begins with its size; pointers and functions may be NULL.
unsafe impl Growing for psa_hooks {
    const ARGUMENT: &str = "hooks";
    const TYPE: &str = "psa_hooks";
    // Without vault_keys: what was built before it came is still taken.
    const FIRST_BYTES: usize = 2 * POINTER + 8;
}

// SAFETY: as above.
unsafe impl Growing for psa_call_options {
    const ARGUMENT: &str = "options";
    const TYPE: &str = "psa_call_options";
    const FIRST_BYTES: usize = 6 * POINTER + 8;
}

// SAFETY: as above.
unsafe impl Growing for psa_http_request {
    const ARGUMENT: &str = "request";
    const TYPE: &str = "psa_http_request";
    const FIRST_BYTES: usize = 8 * POINTER + 16;
}

/// What the product has passed, as this library knows the struct.
///
/// # Safety
/// `given` is not NULL and points to as many bytes as its size says.
pub(crate) unsafe fn read<T: Growing>(given: *const T) -> Result<T, Error> {
    // SAFETY: a size comes first.
    let size = unsafe { given.cast::<u32>().read() } as usize;
    if size < T::FIRST_BYTES {
        let (argument, least) = (T::ARGUMENT, T::FIRST_BYTES);
        let message =
            format!("{argument}.size is {size}, at least {least} was expected: set it to sizeof({})", T::TYPE);
        return Err(Error::invalid(message));
    }
    let mut read = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: as long as is said, and no longer than ours.
    unsafe { std::ptr::copy_nonoverlapping(given.cast::<u8>(), read.as_mut_ptr().cast(), size.min(size_of::<T>())) };
    // SAFETY: all zero is a valid one, and so is what the product has filled in.
    Ok(unsafe { read.assume_init() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::alloc::{Layout, alloc, dealloc};

    /// A struct of the first version with one more member, as this library may come to know it.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Grown {
        size: u32,
        first: u32,
        later: u64,
    }

    // SAFETY: begins with its size; numbers may be zero.
    unsafe impl Growing for Grown {
        const ARGUMENT: &str = "it";
        const TYPE: &str = "Grown";
        const FIRST_BYTES: usize = 8;
    }

    /// Reads one that says `size`, from exactly as many bytes, so that reading further is found by the sanitizers.
    fn read_of(size: u32) -> Result<Grown, Error> {
        let bytes = [size.to_ne_bytes().as_slice(), &[7, 0, 0, 0], &[9; 16]].concat();
        let layout = Layout::from_size_align(size as usize, align_of::<Grown>()).unwrap();
        // SAFETY: a block of `size` bytes, written whole, read, and given back.
        unsafe {
            let block = alloc(layout);
            block.copy_from_nonoverlapping(bytes.as_ptr(), size as usize);
            let outcome = read(block.cast::<Grown>());
            dealloc(block, layout);
            outcome
        }
    }

    #[test]
    fn a_struct_of_an_older_header_has_zero_for_what_came_later() {
        assert_eq!(read_of(8).unwrap(), Grown { size: 8, first: 7, later: 0 });
        // Half a member is what a caller's mistake would leave: its bytes, and no more.
        assert_eq!(read_of(12).unwrap().later.to_ne_bytes(), [9, 9, 9, 9, 0, 0, 0, 0]);
        assert_eq!(read_of(16).unwrap().later.to_ne_bytes(), [9; 8]);
    }

    #[test]
    fn a_struct_of_a_newer_header_is_read_as_far_as_it_is_known() {
        assert_eq!(read_of(24).unwrap(), Grown { size: 24, first: 7, later: u64::from_ne_bytes([9; 8]) });
    }

    #[test]
    fn a_size_below_the_first_versions_is_refused_with_what_to_set() {
        let error = read_of(4).unwrap_err();
        assert_eq!(error.message, "it.size is 4, at least 8 was expected: set it to sizeof(Grown)");
    }
}
