//! What every exported function goes through.
//!
//! Holds: the panic guard, reading what a product passes in, and handing replies out.
//! Promises: no panic crosses; a bad argument is named.

use crate::reply::Reply;
use crate::types::{psa_host, psa_reply};
use psa_host_api::abi::*;
use psa_host_api::{Code, Error};
use std::cell::Cell;
use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// True while a psa_done, psa_reader or psa_writer of the product runs on this thread.
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` as a callback of the product: what would wait for itself from inside is refused.
pub(crate) fn as_callback<T>(work: impl FnOnce() -> T) -> T {
    IN_CALLBACK.set(true);
    let done = work();
    IN_CALLBACK.set(false);
    done
}

/// Whether this thread runs a callback of the product now.
pub(crate) fn is_in_callback() -> bool {
    IN_CALLBACK.get()
}

/// Refuses what would wait for itself.
pub(crate) fn may_block() -> Result<(), Error> {
    if !is_in_callback() {
        return Ok(());
    }
    let message = "this function waits, and was called from a psa_done, psa_reader or psa_writer, which must not wait for the host; use psa_host_submit";
    Err(Error::invalid(message).because("would_block"))
}

/// Runs `work`; a panic of ours becomes an error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let message = "the host panicked; this is a defect of the host";
        Err(Error::internal(message).because("host_panicked"))
    })
}

/// The code of an outcome; the reply goes to `to` if somebody wants it.
///
/// # Safety
/// `to` is NULL or may be written.
pub(crate) unsafe fn answer(outcome: Result<String, Error>, to: *mut *mut psa_reply) -> psa_code {
    // SAFETY: the caller's promise.
    unsafe { answer_reply(Ok(Reply::new(outcome, 0)), to) }
}

/// The same for a reply that is there already.
///
/// # Safety
/// `to` is NULL or may be written.
pub(crate) unsafe fn answer_reply(outcome: Result<Reply, Error>, to: *mut *mut psa_reply) -> psa_code {
    let reply = outcome.unwrap_or_else(|error| Reply::new(Err(error), 0));
    let code = reply.code();
    if !to.is_null() {
        // SAFETY: not NULL; the caller's promise.
        unsafe { to.write(reply.into_raw()) };
    }
    code
}

/// As [`answer`], for functions whose success has no reply.
///
/// # Safety
/// `error` is NULL or may be written.
pub(crate) unsafe fn answer_error(outcome: Result<(), Error>, error: *mut *mut psa_reply) -> psa_code {
    match outcome {
        Ok(()) => PSA_OK,
        // SAFETY: the caller's promise.
        Err(why) => unsafe { answer(Err(why), error) },
    }
}

/// Sets an out pointer to NULL, if there is one.
///
/// # Safety
/// `to` is NULL or may be written.
pub(crate) unsafe fn clear<T>(to: *mut *mut T) {
    if !to.is_null() {
        // SAFETY: not NULL; the caller's promise.
        unsafe { to.write(std::ptr::null_mut()) };
    }
}

/// The host of a handle.
///
/// # Safety
/// `host` is NULL or was opened by psa_host_open and not yet freed.
pub(crate) unsafe fn opened<'a>(host: *const psa_host) -> Result<&'a psa_host, Error> {
    // SAFETY: the caller's promise.
    let host = unsafe { host.as_ref() }.ok_or_else(|| Error::invalid("the host is NULL").because("null"))?;
    if host.inner.is_of_this_process() {
        return Ok(host);
    }
    let message = "this host was opened before a fork and works in the parent only; open one in this process";
    Err(Error::new(Code::Closed, message).because("forked"))
}

/// The text behind a C string.
///
/// # Safety
/// `text` is NULL or NUL-terminated, alive and unchanged for `'a`.
pub(crate) unsafe fn c_text<'a>(text: *const c_char, what: &str) -> Result<&'a str, Error> {
    if text.is_null() {
        return Err(Error::invalid(format!("{what} is NULL")).because("null"));
    }
    // SAFETY: not NULL; the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Error::invalid(format!("{what} is not UTF-8")).because("not_utf8"))
}
