//! A few pieces between a thread that may block and a task that may not.
//!
//! Holds: [`Pipe`].
//! Promises: at most [`PIPE_BYTES_MAX`] and one piece more are kept; a full pipe holds up who fills it, an empty one who
//! empties it; [`Pipe::stop`] ends every wait at once.
//! Leaves to others: which side is the product's (`input`, `output`). At most one task waits at a time; they see to it.

use super::Broken;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Bytes that may wait in a pipe before who fills it has to wait.
pub(super) const PIPE_BYTES_MAX: usize = 256 << 10;

#[derive(Default)]
pub(super) struct Pipe {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    /// A piece was taken and is not yet dealt with.
    in_hand: bool,
    /// Nothing comes after what is in the pieces.
    whole: bool,
    failed: Option<Broken>,
    stopped: bool,
    /// Of the task that waits.
    waker: Option<Waker>,
    #[cfg(test)]
    bytes_most: usize,
}

impl State {
    /// Why nothing goes on.
    fn broken(&self) -> Option<Broken> {
        self.failed.clone().or_else(|| self.stopped.then(Broken::ended))
    }

    fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.pieces.push_back(piece);
        #[cfg(test)]
        {
            self.bytes_most = self.bytes_most.max(self.bytes);
        }
    }

    /// The next bytes, or the end; `None`: not known yet.
    fn pop(&mut self, at_most: usize) -> Option<Option<Bytes>> {
        let Some(front) = self.pieces.front_mut() else { return self.whole.then_some(None) };
        let piece = if front.len() <= at_most { self.pieces.pop_front()? } else { front.split_to(at_most) };
        self.bytes -= piece.len();
        Some(Some(piece))
    }

    fn is_drained(&self) -> bool {
        self.pieces.is_empty() && !self.in_hand
    }

    /// What there is, or a promise to be woken.
    fn poll<T>(
        &mut self,
        context: &Context<'_>,
        ready: impl FnOnce(&mut State) -> Option<T>,
    ) -> Poll<Result<T, Broken>> {
        if let Some(broken) = self.broken() {
            return Poll::Ready(Err(broken));
        }
        match ready(self) {
            Some(there) => Poll::Ready(Ok(there)),
            None => {
                self.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes everybody after a change.
    fn tell(&self, mut state: MutexGuard<'_, State>) {
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits on this thread for what `ready` is after.
    fn wait<T>(&self, mut ready: impl FnMut(&mut State) -> Option<T>) -> Result<T, Broken> {
        let mut state = self.lock();
        loop {
            if let Some(broken) = state.broken() {
                return Err(broken);
            }
            if let Some(there) = ready(&mut state) {
                self.tell(state);
                return Ok(there);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Adds a piece; waits on this thread while the pipe is full.
    pub(super) fn push_wait(&self, piece: Bytes) -> Result<(), Broken> {
        let mut piece = Some(piece);
        self.wait(|state| (state.bytes < PIPE_BYTES_MAX).then(|| piece.take().map_or((), |piece| state.push(piece))))
    }

    /// The same for a task; the piece is taken out once it is in.
    pub(super) fn poll_push(&self, context: &Context<'_>, piece: &mut Option<Bytes>) -> Poll<Result<(), Broken>> {
        let mut state = self.lock();
        let pushed = state.poll(context, |state| {
            (state.bytes < PIPE_BYTES_MAX).then(|| piece.take().map_or((), |piece| state.push(piece)))
        });
        if pushed.is_ready() {
            self.tell(state);
        }
        pushed
    }

    /// Takes up to so many bytes; `None` is the end. Waits on this thread.
    pub(super) fn pop_wait(&self, at_most: usize) -> Result<Option<Bytes>, Broken> {
        self.wait(|state| state.pop(at_most))
    }

    /// The next piece, for a task.
    pub(super) fn poll_pop(&self, context: &Context<'_>) -> Poll<Result<Option<Bytes>, Broken>> {
        let mut state = self.lock();
        let popped = state.poll(context, |state| state.pop(usize::MAX));
        if popped.is_ready() {
            self.tell(state);
        }
        popped
    }

    /// Whether there is something to take, or the end.
    pub(super) fn poll_any(&self, context: &Context<'_>) -> Poll<Result<(), Broken>> {
        self.lock().poll(context, |state| (!state.pieces.is_empty() || state.whole).then_some(()))
    }

    /// Takes a piece into the hand: the pipe is not drained before [`Pipe::dealt_with`]. Waits on this thread.
    pub(super) fn take_wait(&self) -> Result<Bytes, Broken> {
        self.wait(|state| {
            let piece = state.pop(usize::MAX)??;
            state.in_hand = true;
            Some(piece)
        })
    }

    /// The piece in the hand is where it belongs.
    pub(super) fn dealt_with(&self) {
        let mut state = self.lock();
        state.in_hand = false;
        self.tell(state);
    }

    /// Whether all that was pushed is dealt with, for a task.
    pub(super) fn poll_drained(&self, context: &Context<'_>) -> Poll<Result<(), Broken>> {
        self.lock().poll(context, |state| state.is_drained().then_some(()))
    }

    /// The same, on this thread.
    pub(super) fn drained_wait(&self) -> Result<(), Broken> {
        self.wait(|state| state.is_drained().then_some(()))
    }

    /// Nothing waits behind what is in the hand.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().pieces.is_empty()
    }

    /// Nothing comes any more.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.whole = true;
        self.tell(state);
    }

    /// It cannot go on. The first reason counts, and none after it was stopped.
    pub(super) fn fail(&self, broken: Broken) -> bool {
        let mut state = self.lock();
        let first = state.failed.is_none() && !state.stopped;
        if first {
            state.failed = Some(broken);
        }
        self.tell(state);
        first
    }

    /// Ends all waits, for good.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        self.tell(state);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    pub(super) fn failure(&self) -> Option<Broken> {
        self.lock().failed.clone()
    }

    /// Everything came and was taken.
    pub(super) fn was_taken_whole(&self) -> bool {
        let state = self.lock();
        state.whole && state.pieces.is_empty() && state.failed.is_none()
    }

    /// The most that was ever in it.
    #[cfg(test)]
    pub(super) fn bytes_most(&self) -> usize {
        self.lock().bytes_most
    }
}
