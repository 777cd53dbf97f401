//! The thread on which a product's reader or writer runs.
//!
//! Promises: started at most once; blocks all signals; a panic of the product's Rust code stays in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::watch;

#[derive(Default)]
pub(super) struct Worker {
    thread: Mutex<Option<JoinHandle<()>>>,
    over: watch::Sender<bool>,
}

impl Worker {
    /// Runs `work` on a thread of its own. False: the system has no more threads.
    pub(super) fn start(&self, name: &str, work: impl FnOnce() + Send + 'static) -> bool {
        let over = self.over.clone();
        let started = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            crate::plugin::block_signals();
            let _ = catch_unwind(AssertUnwindSafe(work));
            over.send_replace(true);
        });
        let thread = started.ok();
        let is_started = thread.is_some();
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = thread;
        is_started
    }

    /// Waits for its end without holding up the thread this runs on.
    pub(super) async fn over(&self) {
        if self.thread.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return;
        }
        // The sender is ours, so it is never gone.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
        // Only the thread's own end is left.
        self.join();
    }

    /// Waits for its end on this thread.
    pub(super) fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}
