//! Whether a request left this machine.
//!
//! Holds: [`Witness`] and its states.
//! Promises: `NotSent` after [`Witness::seal`] is final: not one byte of the request will leave any more.
//! Leaves to others: the body that reports to it (`body`), what follows from it (`failure` here; the outbox for writes).
//!
//! The HTTP library asks a body whether it is at its end in the moment before it writes the head, and polls it before
//! the first flush; both only when a connection stands. So the first question is the last moment at which nothing has
//! left. A body that was sealed before answers with an error instead, and the connection is dropped unwritten: this
//! closes the race between somebody who gives up and the connection's own task.

use crate::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What is known about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WitnessState {
    /// No byte of it left; after the end of the request, none will.
    NotSent,
    /// Some of it may have left, and no answer came.
    InDoubt,
    /// The head of the answer came, with this status.
    Answered(u16),
}

const UNASKED: u32 = 0;
const ASKED: u32 = 1;
const SEALED: u32 = 2;
const ANSWERED: u32 = 1 << 16;

/// Sees one request leave, or not.
#[derive(Default)]
pub struct Witness {
    state: AtomicU32,
    /// Too late to begin, on this clock.
    start_by: Option<(Arc<dyn Clock>, u64)>,
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Witness").field(&self.state()).finish()
    }
}

impl Witness {
    /// One that lets nothing leave after `boot_ms`, not even of a process that was frozen until then.
    pub(super) fn starting_by(clock: Arc<dyn Clock>, boot_ms: u64) -> Witness {
        Witness { state: AtomicU32::new(UNASKED), start_by: Some((clock, boot_ms)) }
    }

    /// What is known now. While the request runs, `NotSent` may still change; after its end it does not.
    pub fn state(&self) -> WitnessState {
        match self.state.load(Ordering::SeqCst) {
            UNASKED | SEALED => WitnessState::NotSent,
            ASKED => WitnessState::InDoubt,
            answered => WitnessState::Answered((answered & 0xffff) as u16),
        }
    }

    /// Makes the state final: a request that has not begun to leave never will.
    pub fn seal(&self) -> WitnessState {
        let _ = self.state.compare_exchange(UNASKED, SEALED, Ordering::SeqCst, Ordering::SeqCst);
        self.state()
    }

    /// The connection is about to write. False: sealed, nothing may leave.
    pub(super) fn leaving(&self) -> bool {
        if let Some((clock, latest)) = &self.start_by
            && clock.boot_ms() > *latest
        {
            self.seal();
        }
        self.state.compare_exchange(UNASKED, ASKED, Ordering::SeqCst, Ordering::SeqCst) != Err(SEALED)
    }

    /// Nothing leaves any more.
    pub(super) fn is_sealed(&self) -> bool {
        self.state.load(Ordering::SeqCst) == SEALED
    }

    /// The head of the answer is here.
    pub(super) fn answered(&self, status: u16) {
        self.state.store(ANSWERED | u32::from(status), Ordering::SeqCst);
    }

    /// As if an answer with this status had come.
    #[cfg(test)]
    pub(crate) fn seen(&self, status: u16) {
        self.answered(status);
    }

    /// Takes over what the witness of one try of a read has seen.
    pub(super) fn learn(&self, of_try: WitnessState) {
        match of_try {
            WitnessState::NotSent => {}
            WitnessState::InDoubt => {
                self.leaving();
            }
            WitnessState::Answered(status) => self.answered(status),
        }
    }
}

/// Seals when dropped, so that a future that was given up leaves a final state behind.
pub(super) struct SealOnDrop<'a>(pub(super) &'a Witness);

impl Drop for SealOnDrop<'_> {
    fn drop(&mut self) {
        self.0.seal();
    }
}
