//! Starting threads that leave the product's signals alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A thread that can be waited for without being held up by one that hangs.
pub(super) struct Thread {
    handle: JoinHandle<()>,
    ending: Arc<AtomicBool>,
}

impl Thread {
    /// Starts a named thread that blocks all signals. `None`: the system has no more.
    pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Option<Thread> {
        let ending = Arc::new(AtomicBool::new(false));
        let told = ending.clone();
        let handle = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            block_signals();
            work();
            told.store(true, Ordering::Release);
        });
        Some(Thread { handle: handle.ok()?, ending })
    }

    /// True when all its work is done and only the thread's own end is left.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Waits for its end.
    pub(super) fn join(self) {
        let _ = self.handle.join();
    }

    /// The same, unless a plugin may hold it.
    pub(super) fn join_if_ending(self) {
        if self.is_ending() {
            self.join();
        }
    }
}

/// Blocks all signals on this thread: they are the product's to handle, on threads of its own.
pub fn block_signals() {
    // SAFETY: both calls only use the set on our stack and change nothing but this thread's mask; a failure leaves the
    // mask as it was.
    unsafe {
        let mut all = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut());
    }
}
