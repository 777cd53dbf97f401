//! Doors for what comes in over the product's own HTTP server.

use crate::guard::{answer_error, answer_reply, clear, guarded, may_block, opened};
use crate::reply::Reply;
use crate::sized;
use crate::submit::{Finish, submitted};
use crate::types::{psa_done, psa_host, psa_reply};
use host::{DoorDone, Host, HttpAnswer, HttpRequest, OwnedRequest};
use psa_host_api::Error;
use psa_host_api::abi::*;

/// Serves one request to the Integrations page, which lies below the product's own login. *reply is to be freed; its
/// psa_reply_http is what to send, also for errors that people are to see. [waits]
///
/// who is JSON of tenant, actor, permissions, session, mount, public_origin, render and more (schema "who"). Identity
/// comes from it alone, never from the request; if it is empty, the answer is 403. url is the path below the mount,
/// with the query. Chunks are bytes; kind, flags and header secrets are 0. PSA_INVALID_ARGUMENT: who or request is not
/// what it should be, and there is nothing to send.
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_page(
    host: *mut psa_host,
    who: psa_bytes,
    request: *const psa_http_request,
    reply: *mut *mut psa_reply,
) -> psa_code {
    // SAFETY: bytes that live until this function returns; so says psa_host.h.
    let page = |host: &Host, request: &HttpRequest<'_>| host.page(unsafe { who.as_slice() }, request);
    // SAFETY: as the caller promises.
    unsafe { door(host, request, reply, page) }
}

/// Serves one request to the callback address, which is open to the internet. *reply is to be freed; its psa_reply_http
/// is what to send. On any code but PSA_OK there is none: send 429, and the PSA comes again. [waits]
///
/// Give url (path and raw query) and body as they came, byte for byte. Reads no identity and waits for no network; a
/// 2xx says that it is on disk. Chunks are bytes; kind, flags and header secrets are 0.
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_callback(
    host: *mut psa_host,
    request: *const psa_http_request,
    reply: *mut *mut psa_reply,
) -> psa_code {
    // SAFETY: as the caller promises.
    unsafe { door(host, request, reply, |host, request| host.callback(request)) }
}

/// As psa_host_page, but returns at once; the answer comes as that of a submitted call, with psa_reply_http on its
/// reply. The request is copied before this function returns. [any thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_submit_page(
    host: *mut psa_host,
    who: psa_bytes,
    request: *const psa_http_request,
    done: psa_done,
    id: *mut u64,
    error: *mut *mut psa_reply,
) -> psa_code {
    // SAFETY: bytes that live until this function returns; so says psa_host.h.
    let who = unsafe { who.as_slice() }.to_vec();
    let start = |host: &Host, request, done| host.submit_page(who, request, done);
    // SAFETY: as the caller promises.
    unsafe { later(host, request, done, id, error, start) }
}

/// As psa_host_callback, but returns at once; the answer comes as that of a submitted call, with psa_reply_http on its
/// reply. The request is copied before this function returns. [any thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_submit_callback(
    host: *mut psa_host,
    request: *const psa_http_request,
    done: psa_done,
    id: *mut u64,
    error: *mut *mut psa_reply,
) -> psa_code {
    // SAFETY: as the caller promises.
    unsafe { later(host, request, done, id, error, Host::submit_callback) }
}

/// Reads a request and lets it be answered later.
///
/// # Safety
/// `host` is NULL or opened; `request` as for [`read`]; `id` and `error` are NULL or the caller's to be written.
unsafe fn later(
    host: *mut psa_host,
    request: *const psa_http_request,
    done: psa_done,
    id: *mut u64,
    error: *mut *mut psa_reply,
    start: impl FnOnce(&Host, OwnedRequest, DoorDone) -> Result<u64, Error>,
) -> psa_code {
    // SAFETY: NULL or the caller's to be written.
    unsafe { clear(error) };
    let outcome = guarded(|| {
        // SAFETY: NULL or opened; the request and all it points to live until this function returns.
        let (host, request) = unsafe { (opened(host)?, read(request)?) };
        let start = |finish: Finish| {
            let done = Box::new(move |id, outcome| finish(Reply::http(outcome, id)));
            start(&host.inner.host, request, done)
        };
        // SAFETY: NULL, or the caller's to be written.
        unsafe { submitted(host, done, id, start) }
    });
    // SAFETY: as above.
    unsafe { answer_error(outcome, error) }
}

/// Reads a request, lets it be answered, and hands the answer over.
///
/// # Safety
/// `host` is NULL or opened; `request` as for [`read`]; `reply` is NULL or the caller's to be written.
unsafe fn door(
    host: *mut psa_host,
    request: *const psa_http_request,
    reply: *mut *mut psa_reply,
    answer: impl FnOnce(&Host, &HttpRequest<'_>) -> Result<HttpAnswer, Error>,
) -> psa_code {
    // SAFETY: NULL or the caller's to be written.
    unsafe { clear(reply) };
    let outcome = guarded(|| {
        may_block()?;
        // SAFETY: NULL or opened; the request and all it points to live until this function returns.
        let (host, request) = unsafe { (opened(host)?, read(request)?) };
        Ok(Reply::http(Ok(request.with(|request| answer(&host.inner.host, request))?), 0))
    });
    // SAFETY: as above.
    unsafe { answer_reply(outcome, reply) }
}

/// # Safety
/// `request` is NULL, or of the header's shape with everything in it alive.
unsafe fn read(request: *const psa_http_request) -> Result<OwnedRequest, Error> {
    if request.is_null() {
        return Err(Error::invalid("request is NULL").because("null"));
    }
    // SAFETY: not NULL; a size comes first, by the caller's promise.
    let request = unsafe { sized::read(request) }?;
    // SAFETY: bytes of the request, alive as the caller promises.
    let text = |bytes: psa_bytes| String::from_utf8_lossy(unsafe { bytes.as_slice() }).into_owned();
    // SAFETY: as many headers as are said, see above.
    let headers = unsafe { slice(request.headers, request.header_count) };
    // SAFETY: as many pieces as are said, see above.
    let chunks = unsafe { slice(request.body, request.body_count) };
    if chunks.iter().any(|chunk| chunk.source != PSA_FROM_BYTES || chunk.encoding != PSA_RAW) {
        return Err(Error::invalid("the body of a request that came in consists of bytes: PSA_FROM_BYTES, PSA_RAW"));
    }
    // SAFETY: bytes of the request, alive as the caller promises.
    let body = chunks.iter().flat_map(|chunk| unsafe { chunk.bytes.as_slice() }).copied().collect();
    Ok(OwnedRequest {
        method: text(request.method),
        url: text(request.url),
        headers: headers.iter().map(|header| (text(header.name), text(header.value))).collect(),
        body,
    })
}

/// # Safety
/// `first` is NULL, or the first of `count` values that live for `'a`.
unsafe fn slice<'a, T>(first: *const T, count: usize) -> &'a [T] {
    if first.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(first, count) }
}
