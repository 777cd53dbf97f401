//! What is started now and answered later.
//!
//! Promises: the reply reaches its psa_done or the queue exactly once, and the id is told before that.

use crate::backlog::closed;
use crate::callbacks::{Completion, Done};
use crate::reply::Reply;
use crate::types::{psa_done, psa_host};
use host::Ended;
use psa_host_api::Error;
use std::sync::{Arc, Mutex, PoisonError};

/// Takes the reply to where it goes.
pub(crate) type Finish = Box<dyn FnOnce(Reply) + Send>;

/// Starts work through `start`, which is given the way for its reply and answers the work's id.
///
/// # Safety
/// `id` is NULL or may be written.
pub(crate) unsafe fn submitted(
    host: &psa_host,
    done: psa_done,
    id: *mut u64,
    start: impl FnOnce(Finish) -> Result<u64, Error>,
) -> Result<(), Error> {
    let told = Arc::new(Mutex::new(()));
    let telling = told.lock().unwrap_or_else(PoisonError::into_inner);
    let number = start(finish(host, Done(done), told.clone())?)?;
    if !id.is_null() {
        // SAFETY: not NULL; the caller's promise.
        unsafe { id.write(number) };
    }
    drop(telling);
    Ok(())
}

/// Sends the reply of a call that is over already on its way.
///
/// # Safety
/// `id` is NULL or may be written.
pub(crate) unsafe fn told_later(host: &psa_host, done: psa_done, id: *mut u64, ended: Ended) -> Result<(), Error> {
    let finish = finish(host, Done(done), Arc::default())?;
    if !id.is_null() {
        // SAFETY: not NULL; the caller's promise.
        unsafe { id.write(ended.id()) };
    }
    ended.tell(|id, outcome| finish(Reply::new(outcome, id)));
    Ok(())
}

/// To the callback thread, or into the queue.
fn finish(host: &psa_host, done: Done, told: Arc<Mutex<()>>) -> Result<Finish, Error> {
    if done.0.run.is_none() {
        let queue = host.inner.queue.clone();
        return Ok(Box::new(move |reply| queue.push(reply)));
    }
    let sender = host.inner.callbacks.sender().ok_or_else(closed)?;
    Ok(Box::new(move |reply| {
        // The thread ends after the last sender is gone, so it is still there.
        let _ = sender.send(Completion { done, reply, told });
    }))
}
