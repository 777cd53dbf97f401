//! What a call gives out.
//!
//! Holds: [`Output`], the product's writer; [`Outlet`], the host's end of it; [`Lease`], one answer's right to it.
//! Promises: one answer at a time; who has written knows that the product has it; an answer that broke off leaves the
//! output torn: nothing is appended to it, and its call is no success.
//! Leaves to others: which answers go here (`egress/exchange`).

use super::pipe::Pipe;
use super::worker::Worker;
use super::{Broken, PIECE_BYTES};
use bytes::Bytes;
use psa_host_api::Code;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Bytes out of a call: a download.
pub struct Output {
    sink: Box<dyn Write + Send>,
}

impl Output {
    /// Writes to `sink`, which may block, on a thread of the host's own; an error of it ends the call as cancelled. After
    /// a call that failed, what was written is not the whole.
    pub fn new(sink: impl Write + Send + 'static) -> Output {
        Output { sink: Box::new(sink) }
    }
}

/// The host's end of an output.
pub(crate) struct Outlet {
    pipe: Pipe,
    /// Taken out by the thread that writes to it.
    sink: Mutex<Option<Box<dyn Write + Send>>>,
    bytes_max: u64,
    state: Mutex<State>,
    worker: Worker,
    cancel: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    bytes: u64,
    leased: bool,
    torn: bool,
}

impl Outlet {
    pub(super) fn new(output: Output, bytes_max: u64, cancel: watch::Sender<bool>) -> Arc<Outlet> {
        Arc::new(Outlet {
            pipe: Pipe::default(),
            sink: Mutex::new(Some(output.sink)),
            bytes_max,
            state: Mutex::default(),
            worker: Worker::default(),
            cancel,
        })
    }

    /// For one answer, whose body is appended.
    pub(crate) fn lease(self: &Arc<Self>) -> Result<Lease, Broken> {
        let mut state = self.lock();
        state.may_append()?;
        state.leased = true;
        drop(state);
        Ok(Lease { outlet: self.clone(), wrote: false })
    }

    /// Appends what the plugin itself has made, and waits on this thread until the product has it.
    pub(crate) fn write(self: &Arc<Self>, bytes: &[u8]) -> Result<(), Broken> {
        self.lock().may_append()?;
        self.count(bytes.len())?;
        self.start();
        for piece in bytes.chunks(PIECE_BYTES) {
            self.pipe.push_wait(Bytes::copy_from_slice(piece))?;
        }
        self.pipe.drained_wait()
    }

    fn count(&self, bytes: usize) -> Result<(), Broken> {
        let mut state = self.lock();
        let total = state.bytes.saturating_add(bytes as u64);
        if total > self.bytes_max {
            return Err(self.too_large());
        }
        state.bytes = total;
        Ok(())
    }

    fn too_large(&self) -> Broken {
        let message = format!("the output is longer than {} bytes (egress.output_bytes_max).", self.bytes_max);
        Broken::new(Code::TooLarge, "output_too_large", message)
    }

    /// Begins to write, if nobody has.
    fn start(self: &Arc<Self>) {
        let Some(sink) = self.sink.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let me = self.clone();
        if !self.worker.start("psa-output", move || me.pump(sink)) {
            let message = "the system gave no thread to write the output.";
            self.fail(Broken::new(Code::Unavailable, "output_failed", message));
        }
    }

    /// Moves pieces from the pipe to the product until it is stopped.
    fn pump(&self, mut sink: Box<dyn Write + Send>) {
        while let Ok(piece) = self.pipe.take_wait() {
            // What is behind it comes at once; otherwise somebody may wait for it to have arrived.
            if let Err(why) = write(&mut *sink, &piece, self.pipe.is_empty()) {
                return self.fail(Broken::new(Code::Cancelled, "output_failed", why));
            }
            self.pipe.dealt_with();
        }
    }

    fn fail(&self, broken: Broken) {
        if self.pipe.fail(broken) {
            self.cancel.send_replace(true);
        }
    }

    pub(super) fn failure(&self) -> Option<Broken> {
        self.pipe.failure()
    }

    /// Something of it is missing.
    pub(super) fn is_incomplete(&self) -> bool {
        let state = self.lock();
        state.torn || state.leased
    }

    pub(super) fn stop(&self) {
        self.pipe.stop();
    }

    pub(super) async fn over(&self) {
        self.worker.over().await;
        self.drop_sink();
    }

    pub(super) fn join(&self) {
        self.worker.join();
        self.drop_sink();
    }

    /// One that was never written to is the product's again.
    fn drop_sink(&self) {
        drop(self.sink.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn bytes_most(&self) -> usize {
        self.pipe.bytes_most()
    }
}

impl State {
    fn may_append(&self) -> Result<(), Broken> {
        let (reason, message) = if self.torn {
            ("output_torn", "an answer broke off in the call's output; nothing can be appended to it.")
        } else if self.leased {
            ("output_taken", "another answer is going to the call's output.")
        } else {
            return Ok(());
        };
        Err(Broken::new(Code::InvalidArgument, reason, message))
    }
}

/// One call of the product's writer.
fn write(sink: &mut dyn Write, piece: &[u8], flush: bool) -> Result<(), String> {
    let written = catch_unwind(AssertUnwindSafe(|| {
        sink.write_all(piece)?;
        if flush { sink.flush() } else { Ok(()) }
    }));
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("the output's writer gave up: {error}.")),
        Err(_) => Err("the output's writer panicked.".to_owned()),
    }
}

/// One answer's right to the output.
pub(crate) struct Lease {
    outlet: Arc<Outlet>,
    wrote: bool,
}

impl Lease {
    /// Whether so many bytes have room.
    pub(crate) fn announce(&self, bytes: u64) -> Result<(), Broken> {
        let total = self.outlet.lock().bytes.saturating_add(bytes);
        if total > self.outlet.bytes_max { Err(self.outlet.too_large()) } else { Ok(()) }
    }

    /// Appends a piece; waits while the product is slower.
    pub(crate) async fn push(&mut self, piece: Bytes) -> Result<(), Broken> {
        self.outlet.count(piece.len())?;
        self.outlet.start();
        self.wrote = true;
        let mut piece = Some(piece);
        std::future::poll_fn(|context| self.outlet.pipe.poll_push(context, &mut piece)).await
    }

    /// The answer is complete: waits until the product has all of it.
    pub(crate) async fn complete(&mut self) -> Result<(), Broken> {
        std::future::poll_fn(|context| self.outlet.pipe.poll_drained(context)).await?;
        self.wrote = false;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.outlet.lock();
        state.leased = false;
        state.torn |= self.wrote;
    }
}
