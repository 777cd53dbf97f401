//! What waits to be fetched by the product.
//!
//! Promises: who waits is woken by what comes and by the end; closing returns when nobody waits any more.
//! Leaves to others: what waits, how much of it at most (`queue`, `logs`).

use psa_host_api::{Code, Error};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) struct Backlog<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

pub(crate) struct State<T> {
    pub(crate) items: VecDeque<T>,
    pub(crate) closed: bool,
    /// How many threads wait.
    waiting: usize,
}

impl<T> Default for Backlog<T> {
    fn default() -> Backlog<T> {
        let state = State { items: VecDeque::new(), closed: false, waiting: 0 };
        Backlog { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<T> Backlog<T> {
    /// Lets `add` put something in, and wakes all who wait.
    pub(crate) fn add(&self, add: impl FnOnce(&mut VecDeque<T>)) {
        add(&mut self.lock().items);
        self.changed.notify_all();
    }

    /// Waits until there is something. `nothing`: what is said if nothing came in time.
    pub(crate) fn wait(&self, timeout: Duration, nothing: &str) -> Result<MutexGuard<'_, State<T>>, Error> {
        let mut state = self.lock();
        state.waiting += 1;
        let empty = |state: &mut State<T>| state.items.is_empty() && !state.closed;
        let waited = self.changed.wait_timeout_while(state, timeout, empty);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        if state.closed {
            self.changed.notify_all();
        }
        match (state.items.is_empty(), state.closed) {
            (false, _) => Ok(state),
            (true, true) => Err(closed()),
            (true, false) => Err(Error::new(Code::Timeout, nothing)),
        }
    }

    /// Wakes all who wait, for good, and lets them leave.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |state| state.waiting > 0).unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many threads wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting
    }
}

/// What is answered once the host is closed.
pub(crate) fn closed() -> Error {
    Error::new(Code::Closed, "the host is closed")
}
