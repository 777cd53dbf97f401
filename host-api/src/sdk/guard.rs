//! The panic guard: the only place of the SDK that catches a panic.
//!
//! Promises: a panic of a plugin ends its own call with `internal`, never the process.

use super::Cx;
use crate::{Code, Error};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work`; if it panics, the call ends as `internal` with the panic's message.
///
/// `AssertUnwindSafe`: what a panic left half done belongs to this instance alone, and every lock of it that was held
/// is poisoned, which the next call sees.
pub(super) fn guard<T>(cx: &Cx, work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(payload) => {
            cx.complete(Err(panicked(payload.as_ref())));
            // A payload whose own drop panics would leave through here.
            std::mem::forget(payload);
            None
        }
    }
}

/// The same where no call is left that could be told.
pub(super) fn guard_alone(work: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
        std::mem::forget(payload);
    }
}

fn panicked(payload: &(dyn std::any::Any + Send)) -> Error {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    Error::new(Code::Internal, format!("the plugin panicked: {}", text.unwrap_or("no message")))
        .because("plugin_panicked")
}
