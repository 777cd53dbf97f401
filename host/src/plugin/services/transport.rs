//! Services that move bytes: HTTP, and a call's input and output.
//!
//! Promises: a reading operation sends no write, a writing one sends one unless it says that it needs more; the
//! witness of each write is the host's before the request can leave; input and output are for operations that declare
//! them.
//! Leaves to others: sending (`egress`), the product's reader and writer (`streams`).

use super::super::calls::{Call, Then};
use super::super::wire;
use super::{on_call, on_open_call, valid};
use crate::egress::{Answer, Ends, Failure, Prepared, Request};
use crate::streams::Broken;
use psa_host_api::abi::*;
use psa_host_api::{Code, Error};
use std::ffi::c_void;
use std::sync::{Arc, PoisonError};

pub(super) unsafe extern "C" fn http(
    ctx: *mut c_void,
    call: psa_call,
    request: *const psa_http_request,
    then: psa_then,
) -> psa_code {
    let then = Then(then);
    on_open_call(ctx, call, |call| {
        let then = valid(then)?;
        // SAFETY: passed in by the plugin for the length of this function.
        let prepared = unsafe { prepare(&call, request) }?;
        call.wait_for(then, send(call.clone(), prepared))
    })
}

pub(super) unsafe extern "C" fn http_wait(
    ctx: *mut c_void,
    call: psa_call,
    request: *const psa_http_request,
    response: *mut *const psa_http_response,
) -> psa_code {
    if response.is_null() {
        return PSA_INVALID_ARGUMENT;
    }
    // SAFETY: not NULL, and the plugin's to be written.
    unsafe { response.write(std::ptr::null()) };
    on_open_call(ctx, call, |call| {
        if !call.operation.has(PSA_OP_BLOCKING) {
            return Err(Code::Unsupported);
        }
        // SAFETY: passed in by the plugin for the length of this function.
        let prepared = unsafe { prepare(&call, request) }?;
        let (tell, told) = std::sync::mpsc::channel();
        // Through the call's list of waits, so that its end ends this wait too.
        let then = Then(psa_then { data: std::ptr::null_mut(), run: Some(nothing) });
        let work = send(call.clone(), prepared);
        call.wait_for(then, async move {
            let (code, answer) = work.await;
            let _ = tell.send((code, answer));
            (code, None)
        })?;
        // The sender is gone without a word when the call was told to end.
        let (code, answer) = told.recv().unwrap_or((call.must_end().unwrap_or(Code::Cancelled), None));
        let Some(answer) = answer else { return Err(code) };
        let kept = Box::new(wire::Response::new(answer));
        // SAFETY: as above; the pointer lives in a box that the call keeps until the next http_wait or its end.
        unsafe { response.write(kept.pointer()) };
        call.lock().last_response = Some(kept);
        Ok(())
    })
}

unsafe extern "C" fn nothing(_: *mut c_void, _: psa_code, _: *const psa_http_response) {}

/// Checks a request and notes it as this call's. What is refused is remembered with its reason, because the plugin
/// only learns a code.
///
/// # Safety
/// `request` is valid for the length of the call of this function.
unsafe fn prepare(call: &Arc<Call>, request: *const psa_http_request) -> Result<Prepared, Code> {
    let refuse = |code: Code, reason: &str, message: String| Err(refused(call, code, reason, message));
    // SAFETY: the caller's promise.
    let mut request = match unsafe { wire::read_request(request) } {
        Ok(request) => request,
        Err(why) => return refuse(Code::InvalidArgument, "bad_request", why),
    };
    request.trace_id = call.trace_id.clone();
    let writes = request.is_write();
    if writes && !call.operation.has(PSA_OP_WRITE | PSA_OP_MANY_WRITES) {
        let message = format!("a reading operation may not send {} as a write", request.method);
        return refuse(Code::Forbidden, "write_in_read", message);
    }
    let ends = ends(call, &request)?;
    let secrets = call.instance.around.secrets.clone();
    let prepared = call.instance.runtime.egress.prepare_with(&request, secrets, call.deadline, ends);
    let prepared = match (prepared, call.terms.start_by.filter(|_| writes)) {
        (Ok(prepared), Some(latest)) => prepared.starting_by(latest),
        (Ok(prepared), None) => prepared,
        (Err(Failure { code, reason, message, .. }), _) => return refuse(code, reason, message),
    };
    if let Some(rehearsal) = call.terms.rehearsal.as_ref().filter(|_| writes) {
        rehearsal.lock().unwrap_or_else(PoisonError::into_inner).push(request.shown());
        call.lock().wire.failure = Some(Error::new(Code::Rehearsed, "the write was noted and not sent"));
        return Err(Code::Rehearsed);
    }
    let mut state = call.lock();
    state.wire.secrets.extend(wire::secrets_of(&request).map(str::to_owned));
    if writes {
        // Asked and noted under one lock, so that of two at once only one is the first.
        if !call.operation.has(PSA_OP_MANY_WRITES) && !state.wire.writes.is_empty() {
            drop(state);
            return refuse(Code::Forbidden, "second_write", "a second write in one operation".to_owned());
        }
        state.wire.writes.push(prepared.witness());
    }
    Ok(prepared)
}

async fn send(call: Arc<Call>, prepared: Prepared) -> (Code, Option<Answer>) {
    let permit = call.instance.around.budget.acquire(call.terms.lane).await;
    let outcome = prepared.send().await;
    drop(permit);
    match outcome {
        Ok(answer) => {
            let now = call.instance.runtime.clock.now_unix_ms();
            call.lock().wire.retry_after_ms = answer.retry_after_ms(now);
            (Code::Ok, Some(answer))
        }
        Err(failure) => {
            let code = failure.code;
            call.lock().wire.failed(failure);
            (code, None)
        }
    }
}

/// Remembers with its reason what a plugin is refused.
fn refused(call: &Call, code: Code, reason: &str, message: String) -> Code {
    let plugin = &call.instance.plugin.manifest.id;
    call.instance.runtime.log.warn("host", &format!("{plugin} {}: refused: {message}", call.operation.name));
    call.lock().wire.failure = Some(Error::new(code, message).because(reason));
    code
}

fn broken(call: &Call, broken: Broken) -> Code {
    refused(call, broken.code, broken.reason, broken.message)
}

/// The call's streams, as far as the request asks for them and the operation declares them.
fn ends(call: &Arc<Call>, request: &Request) -> Result<Ends, Code> {
    let mut ends = Ends::default();
    if request.wants_input() {
        declared(call, PSA_OP_INPUT)?;
        ends.input = call.streams.input().map(|input| input.claim()).transpose().map_err(|why| broken(call, why))?;
    }
    if request.to_output {
        declared(call, PSA_OP_OUTPUT)?;
        ends.output =
            call.streams.output().map(|output| output.lease()).transpose().map_err(|why| broken(call, why))?;
    }
    Ok(ends)
}

/// What is not in an operation's flags is not there for it.
fn declared(call: &Call, flag: u32) -> Result<(), Code> {
    if call.operation.has(flag) {
        return Ok(());
    }
    let (stream, flag) = if flag == PSA_OP_INPUT { ("input", "PSA_OP_INPUT") } else { ("output", "PSA_OP_OUTPUT") };
    let message = format!("an operation without {flag} may not use the call's {stream}");
    Err(refused(call, Code::Forbidden, "not_declared", message))
}

/// Of psa_call_info.
pub(super) fn input_len(call: &Call) -> u64 {
    let input = call.streams.input().filter(|_| call.operation.has(PSA_OP_INPUT));
    input.map_or(0, |input| input.len().unwrap_or(u64::MAX))
}

/// A call without an input is at its end at once.
pub(super) unsafe extern "C" fn read_input(
    ctx: *mut c_void,
    call: psa_call,
    buffer: *mut u8,
    capacity: usize,
    count: *mut usize,
) -> psa_code {
    if count.is_null() || buffer.is_null() || capacity == 0 || capacity > isize::MAX as usize {
        return PSA_INVALID_ARGUMENT;
    }
    // SAFETY: not NULL, and the plugin's to be written.
    unsafe { count.write(0) };
    on_call(ctx, call, |call| {
        let Some(input) = call.streams.input() else { return Ok(()) };
        declared(&call, PSA_OP_INPUT)?;
        // SAFETY: the plugin passes `capacity` bytes to be written; they are initialised before they become a slice.
        let buffer = unsafe {
            buffer.write_bytes(0, capacity);
            std::slice::from_raw_parts_mut(buffer, capacity)
        };
        let read = input.read(buffer).map_err(|why| broken(&call, why))?;
        // SAFETY: as above.
        unsafe { count.write(read) };
        Ok(())
    })
}

/// Waits until the product has the bytes.
pub(super) unsafe extern "C" fn write_output(ctx: *mut c_void, call: psa_call, bytes: psa_bytes) -> psa_code {
    on_call(ctx, call, |call| {
        let output = call.streams.output().filter(|_| call.operation.has(PSA_OP_OUTPUT)).ok_or(Code::Unsupported)?;
        // SAFETY: passed in by the plugin for the length of this function.
        output.write(unsafe { bytes.as_slice() }).map_err(|why| broken(&call, why))
    })
}
