//! One load that many wait for.
//!
//! Holds: [`Flight`], as those who wait see it, and [`Lead`], the one who runs it.
//! Promises: however the leader ends, the flight is taken off the board before those who wait are woken.
//! Leaves to others: who leads and who waits (`cache`).

use bytes::Bytes;
use psa_host_api::{Code, Error};
use tokio::sync::watch;

use super::generation::Mark;
use super::{Cache, Key, State};

/// None until the leader is done.
type Answer = Option<Result<Bytes, Error>>;

/// A load under way.
pub(super) struct Flight {
    number: u64,
    /// What was known to be invalid when it began.
    pub(super) mark: Mark,
    pub(super) answer: watch::Receiver<Answer>,
}

/// What a reader becomes.
pub(super) enum Entered {
    Hit(Bytes),
    Follow(watch::Receiver<Answer>),
    Lead(Lead),
}

/// The right to load, and the duty to tell.
pub(super) struct Lead {
    cache: Cache,
    key: Key,
    number: u64,
    mark: Mark,
    begun_ms: u64,
    answer: watch::Sender<Answer>,
}

impl Lead {
    pub(super) fn begin(cache: &Cache, key: &Key, begun_ms: u64, state: &mut State) -> (Flight, Lead) {
        state.flights_begun += 1;
        let (number, mark) = (state.flights_begun, state.generations.mark());
        let (sender, receiver) = watch::channel(None);
        let lead = Lead { cache: cache.clone(), key: key.clone(), number, mark, begun_ms, answer: sender };
        (Flight { number, mark, answer: receiver }, lead)
    }

    /// Keeps the value unless it was invalidated meanwhile, and tells those who wait.
    pub(super) fn finish(self, outcome: &Result<Bytes, Error>, ttl_ms: Option<u64>) {
        if let Ok(value) = outcome {
            let mut state = self.cache.lock();
            if state.generations.is_current(&self.key, self.mark) {
                self.cache.store(&mut state, self.key.clone(), value, self.begun_ms, ttl_ms);
            } else {
                state.statistics.overtaken += 1;
            }
        }
        if concerns_all(outcome) {
            self.leave(); // who comes from here on reads the value, or loads again after an error
            self.answer.send_replace(Some(outcome.clone()));
        }
    }

    fn leave(&self) {
        let mut state = self.cache.lock();
        // After an invalidation the board may already show a younger flight under this key.
        if state.flights.get(&self.key).is_some_and(|flight| flight.number == self.number) {
            state.flights.remove(&self.key);
        }
    }
}

impl Drop for Lead {
    /// Runs before the sender is dropped, which is what wakes those who wait when there is no answer.
    fn drop(&mut self) {
        self.leave();
    }
}

/// A deadline or a cancellation belongs to the one who asked.
fn concerns_all(outcome: &Result<Bytes, Error>) -> bool {
    !matches!(outcome, Err(error) if matches!(error.code, Code::Timeout | Code::Cancelled))
}

/// The leader's outcome; `None`: it left without one.
pub(super) async fn wait(mut answer: watch::Receiver<Answer>) -> Answer {
    answer.wait_for(Option::is_some).await.ok()?.clone()
}
