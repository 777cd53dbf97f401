//! Who is inside the host, and whether more may come in.

use psa_host_api::{Code, Error};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counts those inside.
#[derive(Clone, Default)]
pub(super) struct Gate {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    inside: usize,
    shut: bool,
    closed: bool,
}

/// Somebody is inside until this is dropped.
pub(super) struct Inside(Gate);

impl Gate {
    /// Goes in, unless it is shut.
    pub(super) fn enter(&self) -> Result<Inside, Error> {
        let mut state = self.lock();
        if state.shut {
            return Err(closed());
        }
        state.inside += 1;
        drop(state);
        Ok(Inside(self.clone()))
    }

    /// Nobody comes in any more.
    pub(super) fn shut(&self) {
        self.lock().shut = true;
    }

    /// Waits until nobody is inside, at most so long.
    pub(super) fn wait_empty(&self, at_most: Duration) {
        self.wait(at_most, |state| state.inside > 0);
    }

    /// The last word of who closes, when this is dropped.
    pub(super) fn closed_when_dropped(&self) -> Closed {
        Closed(self.clone())
    }

    /// Waits for the last word of another who closes.
    pub(super) fn wait_closed(&self) {
        self.wait(Duration::MAX, |state| !state.closed);
    }

    fn wait(&self, at_most: Duration, more: impl Fn(&State) -> bool) {
        let state = self.lock();
        if at_most == Duration::MAX {
            let waited = self.inner.changed.wait_while(state, |state| more(state));
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        } else {
            let waited = self.inner.changed.wait_timeout_while(state, at_most, |state| more(state));
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says the last word.
pub(super) struct Closed(Gate);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.inner.changed.notify_all();
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.inside -= 1;
        // Nobody waits for an empty host that is not shut, and waking nobody has its price too.
        if state.shut {
            self.0.inner.changed.notify_all();
        }
    }
}

/// What a closed host answers.
pub(super) fn closed() -> Error {
    Error::new(Code::Closed, "the host is closed; open another one")
}
