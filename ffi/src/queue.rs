//! Finished calls that wait to be taken, for event loops.

use crate::backlog::{Backlog, closed};
use crate::guard::{guarded, may_block, opened};
use crate::reply::Reply;
use crate::types::{psa_host, psa_reply};
use psa_host_api::Error;
use psa_host_api::abi::*;
use std::time::Duration;

/// Finished calls, with a descriptor that is readable while there are any.
pub(crate) struct Queue {
    replies: Backlog<Reply>,
    bell: bell::Bell,
}

impl Queue {
    pub(crate) fn new() -> Result<Queue, Error> {
        let bell = bell::Bell::new()
            .map_err(|error| Error::internal(format!("the wake-up descriptor could not be made: {error}")))?;
        Ok(Queue { replies: Backlog::default(), bell })
    }

    pub(crate) fn push(&self, reply: Reply) {
        self.replies.add(|replies| {
            replies.push_back(reply);
            if replies.len() == 1 {
                self.bell.ring();
            }
        });
    }

    fn take(&self, at_most: usize) -> Result<Vec<Reply>, Error> {
        let mut state = self.replies.lock();
        if state.closed && state.items.is_empty() {
            return Err(closed());
        }
        let count = state.items.len().min(at_most);
        let taken = state.items.drain(..count).collect();
        if count > 0 && state.items.is_empty() && !state.closed {
            self.bell.hush();
        }
        Ok(taken)
    }

    fn wait(&self, timeout: Duration) -> Result<(), Error> {
        self.replies.wait(timeout, "no call has ended").map(drop)
    }

    /// Wakes all who wait, for good, and lets them leave.
    pub(crate) fn close(&self) {
        self.replies.close();
        // Only now: before, who takes the last reply would hush it.
        self.bell.ring();
    }
}

/// Takes finished calls whose psa_done.run is NULL, at most capacity of them, without waiting; *count says how many.
/// Each is to be freed; psa_reply_id tells which call it is of. None is no error: PSA_OK and 0. After psa_host_close
/// what is left can still be taken, then it is PSA_CLOSED. [any thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_take(
    host: *mut psa_host,
    replies: *mut *mut psa_reply,
    capacity: usize,
    count: *mut usize,
) -> psa_code {
    let outcome = guarded(|| {
        if count.is_null() || (replies.is_null() && capacity > 0) {
            return Err(Error::invalid("replies or count is NULL"));
        }
        // SAFETY: not NULL, and the caller's to be written.
        unsafe { count.write(0) };
        // SAFETY: NULL or opened; so says psa_host.h.
        let host = unsafe { opened(host) }?;
        for (position, reply) in host.inner.queue.take(capacity)?.into_iter().enumerate() {
            // SAFETY: no more were taken than the caller has room for.
            unsafe { replies.add(position).write(reply.into_raw()) };
            // SAFETY: as above.
            unsafe { count.write(position + 1) };
        }
        Ok(())
    });
    outcome.map_or_else(|error| error.code as psa_code, |()| PSA_OK)
}

/// A descriptor for poll(), select() or an event loop: readable while psa_host_take has something, and after
/// psa_host_close. The host's own: do not read or close it, and forget it before psa_host_free. -1: the host is NULL or
/// of another process, or there is none on this platform; use psa_host_wait. [any thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_wake_fd(host: *mut psa_host) -> isize {
    // SAFETY: NULL or opened; so says psa_host.h.
    guarded(|| Ok(unsafe { opened(host) }?.inner.queue.bell.descriptor())).unwrap_or(-1)
}

/// Waits until psa_host_take has something, at most timeout_ms. PSA_TIMEOUT: nothing came. PSA_CLOSED: nothing is left,
/// and nothing will come. [waits]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_wait(host: *mut psa_host, timeout_ms: u32) -> psa_code {
    let outcome = guarded(|| {
        may_block()?;
        // SAFETY: NULL or opened; so says psa_host.h.
        unsafe { opened(host) }?.inner.queue.wait(Duration::from_millis(u64::from(timeout_ms)))
    });
    outcome.map_or_else(|error| error.code as psa_code, |()| PSA_OK)
}

#[cfg(target_os = "linux")]
mod bell {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::{AsRawFd, FromRawFd};

    /// An eventfd.
    pub(super) struct Bell(File);

    impl Bell {
        pub(super) fn new() -> std::io::Result<Bell> {
            // SAFETY: makes a descriptor and touches no memory.
            let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
            if descriptor < 0 {
                return Err(std::io::Error::last_os_error());
            }
            // SAFETY: just made, and owned by nobody else.
            Ok(Bell(unsafe { File::from_raw_fd(descriptor) }))
        }

        /// Makes it readable. It can only fail when it is readable already.
        pub(super) fn ring(&self) {
            let _ = (&self.0).write(&1_u64.to_ne_bytes());
        }

        /// Makes it unreadable.
        pub(super) fn hush(&self) {
            let _ = (&self.0).read(&mut [0; 8]);
        }

        pub(super) fn descriptor(&self) -> isize {
            self.0.as_raw_fd() as isize
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod bell {
    pub(super) struct Bell;

    impl Bell {
        pub(super) fn new() -> std::io::Result<Bell> {
            Ok(Bell)
        }
        pub(super) fn ring(&self) {}
        pub(super) fn hush(&self) {}
        pub(super) fn descriptor(&self) -> isize {
            -1
        }
    }
}
