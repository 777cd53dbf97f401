//! The one thread that runs completions of the product.
//!
//! Promises: one at a time, in the order in which the calls ended; never inside psa_host_submit.

use crate::guard;
use crate::reply::Reply;
use crate::types::psa_done;
use psa_host_api::Error;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// A completion on its way.
pub(crate) struct Completion {
    pub(crate) done: Done,
    pub(crate) reply: Reply,
    /// Held by psa_host_submit until the id has been told.
    pub(crate) told: Arc<Mutex<()>>,
}

/// A psa_done that may travel between threads.
pub(crate) struct Done(pub(crate) psa_done);

// SAFETY: the contract says that run is called on the host's callback thread; ctx is only handed back to it.
unsafe impl Send for Done {}

pub(crate) struct Callbacks {
    send: Mutex<Option<Sender<Completion>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Callbacks {
    pub(crate) fn start() -> Result<Callbacks, Error> {
        let (send, receive) = channel::<Completion>();
        let run = move || {
            host::plugin::block_signals();
            for completion in receive {
                drop(completion.told.lock().unwrap_or_else(PoisonError::into_inner));
                let Completion { done, reply, .. } = completion;
                let (id, code) = (reply.id(), reply.code());
                if let Some(run) = done.0.run {
                    // SAFETY: the product gave run and ctx together, for one call; the reply becomes its own.
                    guard::as_callback(|| unsafe { run(done.0.ctx, id, code, reply.into_raw()) });
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("psa-done".to_owned())
            .spawn(run)
            .map_err(|error| Error::internal(format!("the callback thread could not be started: {error}")))?;
        Ok(Callbacks { send: Mutex::new(Some(send)), thread: Mutex::new(Some(thread)) })
    }

    /// A way to send completions; `None` once closed.
    pub(crate) fn sender(&self) -> Option<Sender<Completion>> {
        self.send.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs what is still on its way and ends the thread. All hosts' calls have ended before.
    pub(crate) fn close(&self) {
        drop(self.send.lock().unwrap_or_else(PoisonError::into_inner).take());
        // Held while joining, so that a second close waits too.
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            let _ = thread.join();
        }
    }
}
