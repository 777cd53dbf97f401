//! The executor: a future runs on its call's strand, woken through the host's `post`.
//!
//! Holds: one function that starts a future, one that the host calls back to go on.
//! Promises: no thread; a future that panics ends its call; if the host refuses a wake-up, the future is dropped.
//! Leaves to others: everything about time and order: the host does it.

use super::Cx;
use super::cx::service;
use super::guard::guard;
use crate::Error;
use crate::abi::*;
use async_task::{Builder, Runnable};
use std::ffi::c_void;
use std::future::Future;
use std::ptr::NonNull;

/// Runs a future until it waits, then goes on whenever it is woken; its outcome completes the call.
pub(super) fn start<F>(cx: Cx, future: F)
where
    F: Future<Output = Result<Vec<u8>, Error>> + Send + 'static,
{
    let done = cx.clone();
    let finished = async move { done.complete(future.await) };
    let (runnable, task) = Builder::new().metadata(cx).spawn(|_| finished, schedule);
    task.detach();
    // `start` runs on the strand already: no need to go through `post` first.
    run(runnable);
}

fn run(runnable: Runnable<Cx>) {
    let cx = runnable.metadata().clone();
    guard(&cx, || runnable.run());
}

fn schedule(runnable: Runnable<Cx>) {
    let cx = runnable.metadata().clone();
    let data = runnable.into_raw().as_ptr().cast::<c_void>();
    let then = psa_then { data, run: Some(go_on) };
    if service!(cx, post(cx.call(), then)) != PSA_OK {
        // The call has ended: nobody waits for this future any more, and the host will never call back.
        drop(take(data));
    }
}

/// Whatever the code: if the call must end, its open waits have been told so, and the future reads it from them.
unsafe extern "C" fn go_on(data: *mut c_void, _: psa_code, _: *const psa_http_response) {
    if let Some(runnable) = take(data) {
        run(runnable);
    }
}

fn take(data: *mut c_void) -> Option<Runnable<Cx>> {
    let data = NonNull::new(data.cast::<()>())?;
    // SAFETY: made by into_raw in schedule(); the header says an accepted callback runs exactly once, and a refused
    // one never, so each is taken back once.
    Some(unsafe { Runnable::from_raw(data) })
}
