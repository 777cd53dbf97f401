//! Bytes that stream past the plugin: what a call takes in and gives out beside its JSON.
//!
//! Holds: [`Input`] and [`Output`], which the product gives; [`Streams`], the two of one call.
//! Promises: the product's reader and writer run on threads of their own, never on one that does I/O or runs plugins;
//! no more than a pipe's worth is kept of either, whatever the other side does; what fails in them ends the call; after
//! [`Streams::finish`] neither is called any more, and it waits until both have returned.
//! Leaves to others: what the bytes are for (`plugin/services`, `egress`), which method takes them (`methods`).

mod input;
mod output;
mod pipe;
#[cfg(test)]
mod tests;
mod worker;

pub use input::Input;
pub(crate) use input::{Claim, Inlet};
pub use output::Output;
pub(crate) use output::{Lease, Outlet};

use psa_host_api::{Code, Error};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, watch};

/// As many calls with streams at once as a host allows: each has up to two threads.
pub(crate) const CALLS_MAX: usize = 64;

/// Bytes in one piece, in either direction.
const PIECE_BYTES: usize = 64 << 10;

/// The longest input and output, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// `egress.input_bytes_max`.
    pub(crate) input_bytes_max: u64,
    /// `egress.output_bytes_max`.
    pub(crate) output_bytes_max: u64,
}

/// Why a stream cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Broken {
    pub(crate) code: Code,
    /// Stable: `input_failed`, `input_length`, `input_too_large`, `input_taken`, `output_failed`, `output_too_large`,
    /// `output_taken`, `output_torn`, `call_ended`.
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl Broken {
    fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Broken {
        Broken { code, reason, message: message.into() }
    }

    fn ended() -> Broken {
        Broken::new(Code::Cancelled, "call_ended", "the call has ended.")
    }
}

impl From<Broken> for Error {
    fn from(broken: Broken) -> Error {
        Error::new(broken.code, broken.message).because(broken.reason)
    }
}

/// Input and output of one call; most calls have neither.
#[derive(Clone, Default)]
pub(crate) struct Streams {
    input: Option<Arc<Inlet>>,
    output: Option<Arc<Outlet>>,
    /// One of [`CALLS_MAX`].
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").field("input", &self.input.is_some()).field("output", &self.output.is_some()).finish()
    }
}

impl Streams {
    /// For a call; `cancel` ends it when a stream fails. No thread is started before somebody wants bytes.
    pub(crate) fn new(
        (input, output): (Option<Input>, Option<Output>),
        limits: Limits,
        cancel: &watch::Sender<bool>,
        permit: OwnedSemaphorePermit,
    ) -> Result<Streams, Error> {
        let input = input.map(|input| Inlet::new(input, limits.input_bytes_max, cancel.clone())).transpose()?;
        let output = output.map(|output| Outlet::new(output, limits.output_bytes_max, cancel.clone()));
        Ok(Streams { input, output, _permit: Some(Arc::new(permit)) })
    }

    pub(crate) fn input(&self) -> Option<&Arc<Inlet>> {
        self.input.as_ref()
    }

    pub(crate) fn output(&self) -> Option<&Arc<Outlet>> {
        self.output.as_ref()
    }

    pub(crate) fn are_none(&self) -> bool {
        self.input.is_none() && self.output.is_none()
    }

    /// Ends every wait for bytes; the product's functions are not called again once they have returned.
    pub(crate) fn stop(&self) {
        if let Some(input) = &self.input {
            input.stop();
        }
        if let Some(output) = &self.output {
            output.stop();
        }
    }

    /// Waits until the product's functions have returned, and says of a result what the streams know better.
    pub(crate) async fn finish(&self, result: Result<String, Error>) -> Result<String, Error> {
        let incomplete = self.output.as_ref().is_some_and(|output| output.is_incomplete());
        self.stop();
        if let Some(input) = &self.input {
            input.over().await;
        }
        if let Some(output) = &self.output {
            output.over().await;
        }
        self.judged(result, incomplete)
    }

    fn judged(&self, result: Result<String, Error>, incomplete: bool) -> Result<String, Error> {
        let of_output = self.output.as_ref().and_then(|output| output.failure());
        match result {
            Ok(_) if of_output.is_some() => Err(of_output.map_or_else(|| Broken::ended().into(), Error::from)),
            Ok(_) if incomplete => {
                let message = "the output is incomplete: throw away what came. Repeat the call.";
                Err(Broken::new(Code::Unavailable, "output_torn", message).into())
            }
            Ok(answer) => Ok(answer),
            Err(error) => {
                let failure = self.input.as_ref().and_then(|input| input.failure()).or(of_output);
                Err(failure.map_or(error.clone(), |failure| blamed(error, &failure)))
            }
        }
    }
}

/// The error of a call that a stream has ended. A write that may have arrived stays in doubt, whoever ended it.
fn blamed(error: Error, failure: &Broken) -> Error {
    let code = if error.code == Code::OutcomeUnknown { error.code } else { failure.code };
    let message = format!("{} {}", failure.message, error.message);
    Error { code, reason: Some(failure.reason.to_owned()), message, ..error }
}

/// Stops the streams of a call and waits for the product's functions when dropped: whatever happens to the call, none
/// of them runs after it.
pub(crate) struct StopOnDrop(pub(crate) Streams);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
        if let Some(input) = &self.0.input {
            input.join();
        }
        if let Some(output) = &self.0.output {
            output.join();
        }
    }
}
