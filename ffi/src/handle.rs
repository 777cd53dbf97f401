//! What is behind a `psa_host`.

use crate::callbacks::Callbacks;
use crate::logs::Logs;
use crate::queue::Queue;
use host::Host;
use psa_host_api::Error;
use std::sync::Arc;

/// An opened host with what C needs beside it.
pub(crate) struct Handle {
    pub(crate) host: Host,
    pub(crate) callbacks: Callbacks,
    pub(crate) queue: Arc<Queue>,
    /// Lines for psa_host_next_log; `None`: the product has a hook for them.
    pub(crate) logs: Option<Arc<Logs>>,
}

impl Handle {
    pub(crate) fn new(host: Host, callbacks: Callbacks, queue: Arc<Queue>, logs: Option<Arc<Logs>>) -> Handle {
        Handle { host, callbacks, queue, logs }
    }

    /// False in a child of fork: locks, threads and descriptors of the parent are not there.
    pub(crate) fn is_of_this_process(&self) -> bool {
        self.host.is_of_this_process()
    }

    /// Closes the host, then waits until the last psa_done has returned.
    pub(crate) fn close(&self, drain_ms: u32) -> Result<(), Error> {
        let closed = self.host.close(drain_ms);
        self.callbacks.close();
        self.queue.close();
        if let Some(logs) = &self.logs {
            logs.close();
        }
        closed
    }
}
