//! What a call takes in.
//!
//! Holds: [`Input`], the product's reader; [`Inlet`], the host's end of it; [`Claim`], one request's right to it.
//! Promises: the bytes go one way once: to one request, or to the plugin; the last byte of an input of known length is
//! not let out before its end was seen, so that one that is longer or shorter than said never looks complete.
//! Leaves to others: encoding it (`egress/body`).

use super::pipe::Pipe;
use super::worker::Worker;
use super::{Broken, PIECE_BYTES};
use bytes::Bytes;
use psa_host_api::{Code, Error};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::watch;

/// Bytes into a call: an upload.
pub struct Input {
    source: Box<dyn Read + Send>,
    len: Option<u64>,
}

impl Input {
    /// Reads from `source`, which may block, on a thread of the host's own; an error of it ends the call as cancelled.
    /// `len`: all of it, in bytes; `None`: not known.
    pub fn new(source: impl Read + Send + 'static, len: Option<u64>) -> Input {
        Input { source: Box::new(source), len }
    }
}

/// Who takes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Nobody,
    Plugin,
    Request,
}

/// The host's end of an input.
pub(crate) struct Inlet {
    pipe: Pipe,
    /// Taken out by the thread that reads it.
    source: Mutex<Option<Box<dyn Read + Send>>>,
    len: Option<u64>,
    bytes_max: u64,
    taken: Mutex<Taken>,
    worker: Worker,
    cancel: watch::Sender<bool>,
}

impl Inlet {
    pub(super) fn new(input: Input, bytes_max: u64, cancel: watch::Sender<bool>) -> Result<Arc<Inlet>, Error> {
        let Input { source, len } = input;
        if let Some(len) = len.filter(|len| *len > bytes_max) {
            return Err(too_large(&format!("has {len} bytes"), bytes_max).into());
        }
        Ok(Arc::new(Inlet {
            pipe: Pipe::default(),
            source: Mutex::new(Some(source)),
            len,
            bytes_max,
            taken: Mutex::new(Taken::Nobody),
            worker: Worker::default(),
            cancel,
        }))
    }

    /// In bytes, if the product said it.
    pub(crate) fn len(&self) -> Option<u64> {
        self.len
    }

    /// For one request, which sends all of it. Given back if the request never began to take it.
    pub(crate) fn claim(self: &Arc<Self>) -> Result<Claim, Broken> {
        self.take_as(Taken::Request)?;
        Ok(Claim { inlet: self.clone(), begun: false })
    }

    /// For the plugin itself: the next bytes, none at the end. Waits on this thread.
    pub(crate) fn read(self: &Arc<Self>, buffer: &mut [u8]) -> Result<usize, Broken> {
        self.take_as(Taken::Plugin)?;
        self.start();
        let piece = self.pipe.pop_wait(buffer.len())?.unwrap_or_default();
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }

    fn take_as(&self, who: Taken) -> Result<(), Broken> {
        let mut taken = self.lock_taken();
        if *taken == Taken::Nobody || (*taken == who && who == Taken::Plugin) {
            *taken = who;
            return Ok(());
        }
        let message = "the call's input was taken already, and can be taken once.";
        Err(Broken::new(Code::InvalidArgument, "input_taken", message))
    }

    /// Begins to read, if nobody has.
    fn start(self: &Arc<Self>) {
        let Some(source) = self.source.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let me = self.clone();
        if !self.worker.start("psa-input", move || me.pump(source)) {
            let message = "the system gave no thread to read the input.";
            self.fail(Broken::new(Code::Unavailable, "input_failed", message));
        }
    }

    /// Moves bytes from the product into the pipe until the end.
    fn pump(&self, mut source: Box<dyn Read + Send>) {
        let mut buffer = vec![0; PIECE_BYTES];
        let mut total = 0_u64;
        let mut held = None;
        while !self.pipe.is_stopped() {
            let count = match read(&mut *source, &mut buffer) {
                Ok(count) => count,
                Err(why) => return self.fail(Broken::new(Code::Cancelled, "input_failed", why)),
            };
            total = total.saturating_add(count as u64);
            if let Err(broken) = self.check(total, count == 0) {
                return self.fail(broken);
            }
            if let Some(last) = held.take().filter(|_| count == 0)
                && self.pipe.push_wait(last).is_err()
            {
                return;
            }
            if count == 0 {
                return self.pipe.end();
            }
            let piece = Bytes::copy_from_slice(&buffer[..count]);
            if self.len == Some(total) {
                held = Some(piece);
            } else if self.pipe.push_wait(piece).is_err() {
                return;
            }
        }
    }

    /// Whether so many bytes, at the end or not, are what was said.
    fn check(&self, total: u64, at_end: bool) -> Result<(), Broken> {
        if total > self.bytes_max {
            return Err(too_large("goes on", self.bytes_max));
        }
        let Some(len) = self.len else { return Ok(()) };
        let what = match total.cmp(&len) {
            std::cmp::Ordering::Less if at_end => "fewer",
            std::cmp::Ordering::Greater => "more",
            _ => return Ok(()),
        };
        let message = format!("the input has {what} bytes than the {len} its reader announced.");
        Err(Broken::new(Code::InvalidArgument, "input_length", message))
    }

    fn fail(&self, broken: Broken) {
        if self.pipe.fail(broken) {
            self.cancel.send_replace(true);
        }
    }

    pub(super) fn failure(&self) -> Option<Broken> {
        self.pipe.failure()
    }

    /// All of it was read and went where it was wanted.
    pub(crate) fn was_taken_whole(&self) -> bool {
        self.pipe.was_taken_whole()
    }

    pub(super) fn stop(&self) {
        self.pipe.stop();
    }

    pub(super) async fn over(&self) {
        self.worker.over().await;
        self.drop_source();
    }

    pub(super) fn join(&self) {
        self.worker.join();
        self.drop_source();
    }

    /// One that was never read is the product's again.
    fn drop_source(&self) {
        drop(self.source.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn lock_taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn bytes_most(&self) -> usize {
        self.pipe.bytes_most()
    }
}

/// One call of the product's reader. What it says of itself is for the log of the product, not for us to trust.
fn read(source: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, String> {
    let room = buffer.len();
    loop {
        match catch_unwind(AssertUnwindSafe(|| source.read(buffer))) {
            Ok(Ok(count)) if count <= room => return Ok(count),
            Ok(Ok(count)) => return Err(format!("the input's reader says {count} bytes where {room} have room.")),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Ok(Err(error)) => return Err(format!("the input's reader gave up: {error}.")),
            Err(_) => return Err("the input's reader panicked.".to_owned()),
        }
    }
}

fn too_large(what: &str, bytes_max: u64) -> Broken {
    let message = format!("the input {what}, {bytes_max} bytes are allowed (egress.input_bytes_max).");
    Broken::new(Code::TooLarge, "input_too_large", message)
}

/// One request's right to the input.
pub(crate) struct Claim {
    inlet: Arc<Inlet>,
    begun: bool,
}

impl Claim {
    /// In bytes, if known.
    pub(crate) fn len(&self) -> Option<u64> {
        self.inlet.len
    }

    /// Waits for the first bytes, or the end: a reader that fails at once ends the request before it leaves.
    pub(crate) async fn ready(&self) -> Result<(), Broken> {
        self.inlet.start();
        std::future::poll_fn(|context| self.inlet.pipe.poll_any(context)).await
    }

    /// The next piece; `None` is the end.
    pub(crate) fn poll_next(&mut self, context: &Context<'_>) -> Poll<Result<Option<Bytes>, Broken>> {
        self.begun = true;
        self.inlet.start();
        self.inlet.pipe.poll_pop(context)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.begun {
            *self.inlet.lock_taken() = Taken::Nobody;
        }
    }
}
