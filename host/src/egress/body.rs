//! The body of one request, as the HTTP library takes it.
//!
//! Holds: [`WitnessedBody`], its [`Piece`]s, base64 on the way.
//! Promises: can be sent once; nothing of it leaves before the witness knows; no more of an input is held than one
//! piece; Content-Length is sent whenever the length is known.
//! Leaves to others: what was seen (`witness`), where an input comes from (`streams`).

use super::witness::Witness;
use crate::streams::{Broken, Claim};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// One piece of a body.
pub(super) enum Piece {
    Bytes(Bytes),
    /// The whole input.
    Input {
        base64: bool,
    },
}

/// Why a body ends before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// What a sealed body answers.
    #[error("the request was given up before it left")]
    GivenUp,
    /// The input cannot go on.
    #[error(transparent)]
    Broken(Broken),
}

/// A request body that can be sent once and reports to its witness. An empty one too.
pub(super) struct WitnessedBody {
    pieces: VecDeque<Piece>,
    input: Option<Claim>,
    /// Of the input, what does not fill three bytes yet.
    carry: Vec<u8>,
    /// `None`: the input's length is not known.
    left: Option<u64>,
    polled: bool,
    witness: Arc<Witness>,
}

impl WitnessedBody {
    pub(super) fn new(pieces: Vec<Piece>, input: Option<Claim>, witness: Arc<Witness>) -> WitnessedBody {
        let input_len = input.as_ref().map_or(Some(0), Claim::len);
        let left = pieces.iter().try_fold(0_u64, |sum, piece| {
            sum.checked_add(match piece {
                Piece::Bytes(bytes) => bytes.len() as u64,
                Piece::Input { base64: false } => input_len?,
                Piece::Input { base64: true } => input_len?.div_ceil(3).checked_mul(4)?,
            })
        });
        let is_something = |piece: &Piece| !matches!(piece, Piece::Bytes(bytes) if bytes.is_empty());
        let pieces = pieces.into_iter().filter(is_something).collect();
        WitnessedBody { pieces, input, carry: Vec::new(), left, polled: false, witness }
    }

    /// The next bytes; `None` is the end.
    fn poll_bytes(&mut self, context: &Context<'_>) -> Poll<Result<Option<Bytes>, Broken>> {
        loop {
            let base64 = match self.pieces.front() {
                None => return Poll::Ready(Ok(None)),
                Some(Piece::Input { base64 }) => *base64,
                Some(Piece::Bytes(bytes)) => {
                    let bytes = bytes.clone();
                    self.pieces.pop_front();
                    return Poll::Ready(Ok(Some(bytes)));
                }
            };
            let next = match &mut self.input {
                Some(input) => ready!(input.poll_next(context))?,
                None => None,
            };
            let at_end = next.is_none();
            if at_end {
                self.pieces.pop_front();
            }
            let next = next.unwrap_or_default();
            let out = if base64 { self.encoded(&next, at_end) } else { next };
            if !out.is_empty() {
                return Poll::Ready(Ok(Some(out)));
            }
        }
    }

    /// Base64 of what has come, up to whole groups of three unless this is the end.
    fn encoded(&mut self, next: &[u8], at_end: bool) -> Bytes {
        let mut bytes = std::mem::take(&mut self.carry);
        bytes.extend_from_slice(next);
        if !at_end {
            self.carry = bytes.split_off(bytes.len() - bytes.len() % 3);
        }
        STANDARD.encode(bytes).into()
    }
}

impl Body for WitnessedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if !self.witness.leaving() {
            return Poll::Ready(Some(Err(BodyError::GivenUp)));
        }
        self.polled = true;
        let bytes = match ready!(self.poll_bytes(context)) {
            Ok(bytes) => bytes,
            Err(broken) => return Poll::Ready(Some(Err(BodyError::Broken(broken)))),
        };
        let count = bytes.as_ref().map_or(0, Bytes::len) as u64;
        self.left = self.left.map(|left| left.saturating_sub(count));
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    /// The question before the head is written. False at first even if empty, so that the library asks for the length
    /// and writes `content-length: 0` where a method wants it; false when sealed, so that the body is polled and can
    /// refuse.
    fn is_end_stream(&self) -> bool {
        let sealed = !self.witness.leaving();
        !sealed && self.polled && (self.pieces.is_empty() || self.left == Some(0))
    }

    /// Exact if known, so that Content-Length is sent. Sealed: unknown or too long, so that an empty body is polled too.
    fn size_hint(&self) -> SizeHint {
        let Some(left) = self.left else { return SizeHint::default() };
        if self.witness.is_sealed() { SizeHint::with_exact(left.saturating_add(1)) } else { SizeHint::with_exact(left) }
    }
}
