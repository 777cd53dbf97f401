//! Services that move bytes: HTTP, and a call's input and output.
//!
//! Promises: a reading operation sends no write, a writing one sends one unless it says that it needs more; the
//! witness of each write is the host's before the request can leave.

use super::super::calls::{Call, Then};
use super::super::wire;
use super::{on_call, on_open_call, valid};
use crate::egress::{Answer, Failure, Prepared};
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
    let refuse = |code: Code, reason: &str, message: String| {
        let plugin = &call.instance.plugin.manifest.id;
        call.instance.runtime.log.warn("host", &format!("{plugin} {}: refused: {message}", call.operation.name));
        call.lock().wire.failure = Some(Error::new(code, message).because(reason));
        Err(code)
    };
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
    let prepared = call.instance.runtime.egress.prepare(&request, call.instance.around.secrets.clone(), call.deadline);
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

/// No operation of this version has an input: its end is reached at once.
pub(super) unsafe extern "C" fn read_input(
    ctx: *mut c_void,
    call: psa_call,
    _: *mut u8,
    _: usize,
    count: *mut usize,
) -> psa_code {
    if count.is_null() {
        return PSA_INVALID_ARGUMENT;
    }
    // SAFETY: not NULL, and the plugin's to be written.
    unsafe { count.write(0) };
    on_call(ctx, call, |_| Ok(()))
}

/// No operation of this version has an output.
pub(super) unsafe extern "C" fn write_output(ctx: *mut c_void, call: psa_call, _: psa_bytes) -> psa_code {
    on_call(ctx, call, |_| Err(Code::Unsupported))
}
