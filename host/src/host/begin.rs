//! Calls that nobody waits for: begun now, ended at once or later.

use super::gate::Inside;
use super::{CallOptions, Done, Host, Shared, with_streams};
use crate::methods::{self, Answer};
use crate::streams::StopOnDrop;
use psa_host_api::Error;
use std::sync::Arc;
use tokio::sync::watch;

/// A call that was begun. Closing the host waits until it is submitted or dropped.
pub enum Begun {
    /// It is over: nothing had to be waited for.
    Ended(Ended),
    /// It has to wait for something, and does nothing before it is submitted.
    Waiting(Waiting),
}

/// A call that was over at once.
pub struct Ended {
    id: u64,
    outcome: Result<String, Error>,
    inside: Inside,
}

impl Ended {
    /// Its id, which no other call has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What it gave.
    pub fn outcome(self) -> Result<String, Error> {
        self.outcome
    }

    /// Hands over what it gave; closing the host waits until `done` has returned.
    pub fn tell(self, done: impl FnOnce(u64, Result<String, Error>)) {
        done(self.id, self.outcome);
        drop(self.inside);
    }
}

/// A call that is to go on.
pub struct Waiting {
    shared: Arc<Shared>,
    inside: Inside,
    cancel: watch::Sender<bool>,
    answer: Answer,
}

impl Waiting {
    /// Lets it go on; see [`Host::submit`].
    pub fn submit(self, done: Done) -> u64 {
        self.shared.start(self.inside, self.cancel, self.answer, done)
    }
}

impl Host {
    /// Begins a method without waiting for a disk, a network or a plugin: what is remembered is answered at once, and so is
    /// what its parameters are refused for. With a stream these come later, once the stream has ended. An error: there
    /// is no such call.
    pub fn begin(&self, method: &str, params: &[u8], options: CallOptions) -> Result<Begun, Error> {
        let inside = self.shared.gate.enter()?;
        let (cancel, context) = self.shared.context(options)?;
        let streams = StopOnDrop(context.streams.clone());
        let answer = match methods::begin(&self.shared.core()?, method, params, context)? {
            methods::Begun::Ended(outcome) if streams.0.are_none() => {
                return Ok(Begun::Ended(Ended { id: self.shared.id(), outcome, inside }));
            }
            begun => with_streams(begun.answer(), streams),
        };
        Ok(Begun::Waiting(Waiting { shared: self.shared.clone(), inside, cancel, answer }))
    }

    /// Starts a method and returns its id. `done` runs exactly once, on a thread of the host, never inside this
    /// function; it must be quick. An error: it never runs.
    pub fn submit(&self, method: &str, params: &[u8], options: CallOptions, done: Done) -> Result<u64, Error> {
        Ok(match self.begin(method, params, options)? {
            Begun::Waiting(call) => call.submit(done),
            Begun::Ended(ended) => {
                let id = ended.id;
                self.shared.io.spawn(async move { ended.tell(done) });
                id
            }
        })
    }
}
