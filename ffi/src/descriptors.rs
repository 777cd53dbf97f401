//! A psa_reader and a psa_writer over descriptors, for products that cannot be called from threads of ours.

use psa_host_api::abi::*;
use std::ffi::{c_int, c_void};

/// For psa_reader.read, with a descriptor (a file, pipe or socket) as its ctx: (void *)(intptr_t)fd. Reads until the
/// descriptor's end; the caller closes it after the call is done. [any thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_fd_read(ctx: *mut c_void, buffer: *mut u8, capacity: usize) -> i64 {
    loop {
        // SAFETY: the buffer is as long as is said; what the number names, the caller answers for.
        let count = unsafe { libc::read(descriptor(ctx), buffer.cast(), capacity) };
        if count >= 0 || !was_interrupted() {
            return count as i64;
        }
    }
}

/// For psa_writer.write, with a descriptor as its ctx: (void *)(intptr_t)fd. Writes everything; the caller closes the
/// descriptor after the call is done. PSA_STORAGE: it takes no more. [any thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_fd_write(ctx: *mut c_void, bytes: psa_bytes) -> psa_code {
    // SAFETY: bytes that live until this function returns; so says psa_host.h.
    let mut rest = unsafe { bytes.as_slice() };
    while !rest.is_empty() {
        // SAFETY: as many bytes as are said; what the number names, the caller answers for.
        let count = unsafe { libc::write(descriptor(ctx), rest.as_ptr().cast(), rest.len()) };
        match usize::try_from(count) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(_) if was_interrupted() => {}
            Err(_) => return PSA_STORAGE,
        }
    }
    PSA_OK
}

fn descriptor(ctx: *mut c_void) -> c_int {
    c_int::try_from(ctx.addr()).unwrap_or(-1)
}

fn was_interrupted() -> bool {
    std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write, pipe};
    use std::os::fd::AsRawFd;

    fn ctx(descriptor: &impl AsRawFd) -> *mut c_void {
        std::ptr::without_provenance_mut(usize::try_from(descriptor.as_raw_fd()).unwrap())
    }

    #[test]
    fn bytes_go_in_and_out_through_descriptors() {
        let (mut out, mut into) = pipe().unwrap();
        // SAFETY: a descriptor of ours and a buffer of that length.
        unsafe { assert_eq!(psa_fd_write(ctx(&into), psa_bytes::of(b"abc")), PSA_OK) };
        let mut there = [0; 3];
        out.read_exact(&mut there).unwrap();
        assert_eq!(&there, b"abc");
        into.write_all(b"de").unwrap();
        drop(into);
        // SAFETY: as above.
        unsafe {
            assert_eq!(psa_fd_read(ctx(&out), there.as_mut_ptr(), 3), 2);
            assert_eq!(psa_fd_read(ctx(&out), there.as_mut_ptr(), 3), 0);
        }
    }

    #[test]
    fn a_descriptor_that_is_none_gives_up() {
        let none = std::ptr::without_provenance_mut(usize::MAX);
        // SAFETY: no descriptor, and a buffer of that length.
        unsafe {
            assert_eq!(psa_fd_read(none, [0; 3].as_mut_ptr(), 3), -1);
            assert_eq!(psa_fd_write(none, psa_bytes::of(b"abc")), PSA_STORAGE);
        }
    }
}
