//! Events.

use crate::guard::{answer_reply, c_text, clear, guarded, may_block, opened};
use crate::reply::Reply;
use crate::types::{psa_host, psa_reply};
use psa_host_api::abi::*;
use psa_host_api::{Code, Error};
use std::ffi::c_char;

/// Waits for the next event of a named consumer (1 to 64 bytes of UTF-8), at most timeout_ms. *event is the event, with
/// its id as psa_reply_id, or the error; it is to be freed. PSA_TIMEOUT: none came. [waits]
///
/// An event comes again, also after a restart, until it is acknowledged: handle it so that twice does no harm. Several
/// processes may share a name; one at a time is served. An event "gap" says that events were dropped because nobody had
/// fetched them for long.
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_next_event(
    host: *mut psa_host,
    consumer: *const c_char,
    timeout_ms: u32,
    event: *mut *mut psa_reply,
) -> psa_code {
    // SAFETY: NULL or the caller's to be written; so says psa_host.h.
    unsafe { clear(event) };
    let outcome = guarded(|| {
        may_block()?;
        // SAFETY: opened or NULL, and text or NULL; so says psa_host.h.
        let (host, consumer) = unsafe { (opened(host)?, c_text(consumer, "consumer")?) };
        match host.inner.host.next_event(consumer, timeout_ms)? {
            Some(found) => Ok(Reply::new(Ok(found.json), found.id)),
            None => Err(Error::new(Code::Timeout, "no event came in time")),
        }
    });
    // SAFETY: as above.
    unsafe { answer_reply(outcome, event) }
}

/// Acknowledges this event and all before it, for that consumer, on disk. An id that was acknowledged already is fine.
/// [waits]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_ack_event(host: *mut psa_host, consumer: *const c_char, id: u64) -> psa_code {
    let outcome = guarded(|| {
        may_block()?;
        // SAFETY: opened or NULL, and text or NULL; so says psa_host.h.
        let (host, consumer) = unsafe { (opened(host)?, c_text(consumer, "consumer")?) };
        host.inner.host.ack_event(consumer, id)
    });
    outcome.map_or_else(|error| error.code as psa_code, |()| PSA_OK)
}
