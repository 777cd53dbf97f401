//! How many of a connection's writes may be under way, from none to all.
//!
//! Holds: [`Gate`], one per connection and process.
//! Promises: after open, resume, new credentials or a failure one goes first; success widens it, a failure of the
//! connection closes the gate for a growing while, so that an outage costs one probe per back-off.
//! Leaves to others: what is a failure (`send`), stopping a connection for good (`connections`).

use crate::clock::Clock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Answers that were lost in a row before the connection itself is doubted.
const LOST_MAX: u32 = 3;
/// By how much a success widens it.
const RAMP: usize = 4;

/// The gate.
#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Notify,
    widest: usize,
    backoff_ms: u64,
    backoff_max_ms: u64,
}

#[derive(Debug)]
struct State {
    width: usize,
    inside: usize,
    /// By boottime.
    closed_until: u64,
    /// Until then because the PSA has asked for it.
    asked_until: u64,
    failures: u32,
    lost: u32,
    /// The credentials it was opened for.
    version: i64,
}

/// One that may pass; it leaves when dropped.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
}

impl Gate {
    pub(super) fn new(widest: usize, backoff_ms: u64, backoff_max_ms: u64) -> Gate {
        let state = State { width: 1, inside: 0, closed_until: 0, asked_until: 0, failures: 0, lost: 0, version: 0 };
        Gate { state: Mutex::new(state), changed: Notify::new(), widest: widest.max(1), backoff_ms, backoff_max_ms }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place. `Err`: it is closed for so many milliseconds.
    pub(super) async fn enter(self: &Arc<Self>, clock: &dyn Clock, version: i64) -> Result<Pass, u64> {
        loop {
            let changed = self.changed.notified();
            // Anew each time: who waited must not rest longer than who failed.
            let now = clock.boot_ms();
            {
                let mut state = self.lock();
                if state.version != version {
                    // Other credentials: what the old ones met says nothing about them.
                    (state.version, state.width, state.closed_until) = (version, 1, 0);
                    (state.failures, state.lost, state.asked_until) = (0, 0, 0);
                }
                if state.closed_until > now {
                    return Err(state.closed_until - now);
                }
                if state.inside < state.width {
                    state.inside += 1;
                    return Ok(Pass { gate: self.clone() });
                }
            }
            changed.await;
        }
    }

    /// A person wants it to be tried now: what the PSA has asked for is waited for all the same.
    pub(super) fn open_early(&self) {
        let mut state = self.lock();
        state.closed_until = state.closed_until.min(state.asked_until);
    }

    /// Until when it is closed, if it is.
    pub(super) fn closed_until(&self, now: u64) -> Option<u64> {
        Some(self.lock().closed_until).filter(|until| *until > now)
    }
}

impl Pass {
    /// The PSA answered.
    pub(super) fn worked(&self) {
        let mut state = self.gate.lock();
        (state.failures, state.lost) = (0, 0);
        state.width = state.width.saturating_mul(RAMP).min(self.gate.widest);
        drop(state);
        self.gate.changed.notify_waiters();
    }

    /// An answer was lost: that alone says little.
    pub(super) fn lost(&self, now: u64) {
        let mut state = self.gate.lock();
        state.lost += 1;
        if state.lost >= LOST_MAX {
            drop(state);
            self.failed(now, None);
        }
    }

    /// The connection does not work now. Until when it is closed, by boottime.
    pub(super) fn failed(&self, now: u64, retry_after_ms: Option<u64>) -> u64 {
        let mut state = self.gate.lock();
        let asked = retry_after_ms.map_or(0, |wait| now.saturating_add(wait));
        state.asked_until = state.asked_until.max(asked);
        // Those that were inside together count once.
        if state.closed_until <= now {
            let doubled = self.gate.backoff_ms.saturating_mul(1 << state.failures.min(16));
            let wait = retry_after_ms.unwrap_or(0).max(doubled.min(self.gate.backoff_max_ms));
            state.failures += 1;
            state.closed_until = now.saturating_add(wait);
        } else if let Some(wait) = retry_after_ms {
            state.closed_until = state.closed_until.max(now.saturating_add(wait));
        }
        state.width = 1;
        state.lost = 0;
        let until = state.closed_until;
        drop(state);
        self.gate.changed.notify_waiters();
        until
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.lock().inside -= 1;
        self.gate.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::VirtualClock;

    #[tokio::test]
    async fn one_goes_first_and_a_failure_makes_it_one_again_later() {
        let gate = Arc::new(Gate::new(4, 100, 1000));
        let clock = VirtualClock::at(0);
        let first = gate.enter(&*clock, 1).await.unwrap();
        assert!(futures_pending(gate.enter(&*clock, 1)).await);
        first.worked();
        let second = gate.enter(&*clock, 1).await.unwrap();
        second.worked();
        let third = gate.enter(&*clock, 1).await.unwrap();
        assert_eq!(third.failed(0, None), 100);
        // The others that were inside do not make it worse.
        assert_eq!(second.failed(0, None), 100);
        drop((first, second, third));
        clock.advance(99);
        assert_eq!(gate.enter(&*clock, 1).await.unwrap_err(), 1);
        clock.advance(1);
        let probe = gate.enter(&*clock, 1).await.unwrap();
        assert!(futures_pending(gate.enter(&*clock, 1)).await);
        assert_eq!(probe.failed(100, None), 300);
        drop(probe);
        // New credentials are tried at once.
        assert!(gate.enter(&*clock, 2).await.is_ok());
    }

    #[tokio::test]
    async fn a_wish_to_wait_is_followed_and_lost_answers_count_only_in_a_row() {
        let gate = Arc::new(Gate::new(4, 100, 1000));
        let pass = gate.enter(&*VirtualClock::at(0), 1).await.unwrap();
        pass.lost(0);
        pass.lost(0);
        pass.worked();
        pass.lost(0);
        assert_eq!(gate.closed_until(0), None);
        pass.lost(0);
        pass.lost(0);
        assert_eq!(gate.closed_until(0), Some(100));
        assert_eq!(pass.failed(100, Some(5000)), 5100);
    }

    async fn futures_pending<F: Future>(future: F) -> bool {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_pending())).await
    }
}
