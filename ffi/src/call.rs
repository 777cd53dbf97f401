//! Calling methods, waiting for them or not.

use crate::guard::{answer, answer_error, c_text, clear, guarded, may_block, opened};
use crate::reply::Reply;
use crate::sized;
use crate::streams;
use crate::submit::{Finish, submitted, told_later};
use crate::types::{psa_call_options, psa_done, psa_host, psa_reply};
use host::{Begun, CallOptions, Waiting};
use psa_host_api::Error;
use psa_host_api::abi::*;
use std::ffi::c_char;

const TRACE_ID_BYTES_MAX: usize = 128;

/// Calls a method and waits for its end. params is a JSON object. *reply (if wanted) is set in any case, to the result
/// or to the error, and is to be freed. options may be NULL. [waits]
///
/// A call that is cancelled or runs out of time takes back no operation that was accepted: the outbox goes on with it.
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_call(
    host: *mut psa_host,
    method: *const c_char,
    params: psa_bytes,
    options: *const psa_call_options,
    reply: *mut *mut psa_reply,
) -> psa_code {
    // SAFETY: NULL or the caller's to be written; so says psa_host.h.
    unsafe { clear(reply) };
    let outcome = guarded(|| {
        may_block()?;
        // SAFETY: NULL or opened; texts, bytes and options live until this function returns.
        let (host, method, options) = unsafe { (opened(host)?, c_text(method, "method")?, read_options(options)?) };
        // SAFETY: as above.
        host.inner.host.call(method, unsafe { params.as_slice() }, options)
    });
    // SAFETY: as above.
    unsafe { answer(outcome, reply) }
}

/// Starts a call and returns at once. PSA_OK: done follows exactly once, never inside this function. Anything else:
/// never, and *error (if wanted) says why and is to be freed. *id (if wanted) is set before done can run. [any thread]
///
/// method, params and options are copied; only what options.input and options.output point to must live until the call
/// is done. keep_going is not asked.
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_submit(
    host: *mut psa_host,
    method: *const c_char,
    params: psa_bytes,
    options: *const psa_call_options,
    done: psa_done,
    id: *mut u64,
    error: *mut *mut psa_reply,
) -> psa_code {
    // SAFETY: NULL or the caller's to be written; so says psa_host.h.
    unsafe { clear(error) };
    let outcome = guarded(|| {
        // SAFETY: NULL or opened; texts, bytes and options live until this function returns.
        let (host, method, options) = unsafe { (opened(host)?, c_text(method, "method")?, read_options(options)?) };
        // SAFETY: the bytes live until this function returns.
        match host.inner.host.begin(method, unsafe { params.as_slice() }, options)? {
            // SAFETY: NULL, or the caller's to be written.
            Begun::Waiting(call) => unsafe { submitted(host, done, id, going_on(call)) },
            // SAFETY: as above.
            Begun::Ended(ended) => unsafe { told_later(host, done, id, ended) },
        }
    });
    // SAFETY: as above.
    unsafe { answer_error(outcome, error) }
}

/// As psa_host_submit, but what needs no waiting is answered at once: if *reply is not NULL afterwards, the call is over,
/// with that result or error, which is to be freed; done never follows, and *id (if wanted) is 0. If it is NULL, the code
/// is PSA_OK, and done follows. reply itself must not be NULL. [any thread]
///
/// Over at once is what the host remembers of the PSA, and what it refuses. With options.input or options.output, what
/// the parameters are refused for comes through done instead. No plugin runs in here, and no network is waited for.
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_begin(
    host: *mut psa_host,
    method: *const c_char,
    params: psa_bytes,
    options: *const psa_call_options,
    done: psa_done,
    id: *mut u64,
    reply: *mut *mut psa_reply,
) -> psa_code {
    // SAFETY: NULL or the caller's to be written; so says psa_host.h.
    unsafe { clear(reply) };
    if !id.is_null() {
        // SAFETY: not NULL, and the caller's to be written.
        unsafe { id.write(0) };
    }
    let outcome = guarded(|| {
        if reply.is_null() {
            return Err(Error::invalid("reply is NULL").because("null"));
        }
        // SAFETY: NULL or opened; texts, bytes and options live until this function returns.
        let (host, method, options) = unsafe { (opened(host)?, c_text(method, "method")?, read_options(options)?) };
        // SAFETY: the bytes live until this function returns.
        match host.inner.host.begin(method, unsafe { params.as_slice() }, options)? {
            Begun::Ended(ended) => ended.outcome().map(Some),
            // SAFETY: NULL, or the caller's to be written.
            Begun::Waiting(call) => unsafe { submitted(host, done, id, going_on(call)) }.map(|()| None),
        }
    });
    match outcome.transpose() {
        None => PSA_OK,
        // SAFETY: as above.
        Some(outcome) => unsafe { answer(outcome, reply) },
    }
}

/// What lets a call go on to its end, and its reply on to where it goes.
fn going_on(call: Waiting) -> impl FnOnce(Finish) -> Result<u64, Error> {
    |finish| Ok(call.submit(Box::new(move |id, outcome| finish(Reply::new(outcome, id)))))
}

/// Asks a submitted call to end. It still ends through its psa_done, with whatever came first. PSA_NOT_FOUND: it has
/// ended; done may still follow. [any thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_cancel(host: *mut psa_host, id: u64) -> psa_code {
    // SAFETY: NULL or opened; so says psa_host.h.
    let outcome = guarded(|| unsafe { opened(host) }?.inner.host.cancel(id));
    outcome.map_or_else(|error| error.code as psa_code, |()| PSA_OK)
}

/// # Safety
/// `options` is NULL or points to a struct that begins with its size; what it points to lives until the call is done.
unsafe fn read_options(options: *const psa_call_options) -> Result<CallOptions, Error> {
    if options.is_null() {
        return Ok(CallOptions::default());
    }
    // SAFETY: not NULL; a size comes first, by the caller's promise.
    let options = unsafe { sized::read(options) }?;
    // SAFETY: the bytes live until the function that took the options returns.
    let trace_id = unsafe { options.trace_id.as_slice() };
    let trace_id = std::str::from_utf8(trace_id).ok().filter(|text| text.len() <= TRACE_ID_BYTES_MAX);
    let trace_id = trace_id
        .ok_or_else(|| Error::invalid(format!("trace_id must be UTF-8 of at most {TRACE_ID_BYTES_MAX} bytes")))?;
    let ctx = options.ctx;
    let keep_going = options.keep_going.map(|keep_going| -> Box<dyn FnMut() -> bool> {
        // SAFETY: the product gave function and ctx together, to be called on this thread while it waits.
        Box::new(move || unsafe { keep_going(ctx) } != 0)
    });
    Ok(CallOptions {
        timeout_ms: (options.timeout_ms != 0).then_some(options.timeout_ms),
        trace_id: (!trace_id.is_empty()).then(|| trace_id.to_owned()),
        keep_going,
        // SAFETY: both live until the call is done, by the caller's promise.
        input: unsafe { streams::input(options.input) }?,
        // SAFETY: as above.
        output: unsafe { streams::output(options.output) }?,
    })
}
