//! Replies: what the product reads and frees.

use crate::types::psa_reply;
use host::HttpAnswer;
use psa_host_api::abi::*;
use psa_host_api::{Code, Error};
use std::ffi::c_char;

/// The content of a reply. Its texts end with a NUL that is not part of them.
pub(crate) struct Reply {
    code: psa_code,
    id: u64,
    json: String,
    message: String,
    http: Option<Box<Http>>,
}

/// An HTTP answer as C reads it; the pointers lead into the answer beside them.
struct Http {
    passed: psa_http_response,
    _headers: Vec<psa_header>,
    _answer: HttpAnswer,
}

// SAFETY: the pointers lead into what is owned beside them, which is never changed again.
unsafe impl Send for Http {}

impl Http {
    fn new(answer: HttpAnswer) -> Box<Http> {
        let text = |text: &str| psa_bytes::of(text.as_bytes());
        let header = |(name, value): &(String, String)| psa_header {
            name: text(name),
            value: text(value),
            secret: psa_bytes::EMPTY,
            flags: 0,
            reserved: 0,
        };
        // Texts and vectors keep their bytes on the heap: these stay where they are when their owner moves.
        let headers: Vec<psa_header> = answer.headers.iter().map(header).collect();
        let passed = psa_http_response {
            size: size_of::<psa_http_response>() as u32,
            status: answer.status.into(),
            headers: headers.as_ptr(),
            header_count: headers.len(),
            body: psa_bytes::of(&answer.body),
        };
        Box::new(Http { passed, _headers: headers, _answer: answer })
    }
}

impl Reply {
    pub(crate) fn new(outcome: Result<String, Error>, id: u64) -> Reply {
        let (code, mut json, mut message) = match outcome {
            Ok(json) => (PSA_OK, json, String::new()),
            Err(error) => (error.code as psa_code, error.to_json(), error.message.replace(['\0', '\n', '\r'], " ")),
        };
        json.push('\0');
        message.push('\0');
        Reply { code, id, json, message, http: None }
    }

    /// One that is an HTTP answer, or why there is none.
    pub(crate) fn http(outcome: Result<HttpAnswer, Error>, id: u64) -> Reply {
        let json = |answer: &HttpAnswer| format!("{{\"status\":{}}}", answer.status);
        let (json, http) = match outcome {
            Ok(answer) => (Ok(json(&answer)), Some(Http::new(answer))),
            Err(error) => (Err(error), None),
        };
        Reply { http, ..Reply::new(json, id) }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn code(&self) -> psa_code {
        self.code
    }

    /// Hands it to the product.
    pub(crate) fn into_raw(self) -> *mut psa_reply {
        Box::into_raw(Box::new(psa_reply { inner: self }))
    }
}

/// The JSON of a reply, a result or an error; never NULL, "{}" for NULL. A NUL follows that *len does not count; len
/// may be NULL. Lives until the reply is freed. [one thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_reply_json(reply: *const psa_reply, len: *mut usize) -> *const c_char {
    // SAFETY: NULL, or a reply of ours that is not freed yet; so says psa_host.h.
    let json = unsafe { reply.as_ref() }.map_or("{}\0", |reply| &reply.inner.json);
    if !len.is_null() {
        // SAFETY: not NULL, and the caller's to be written.
        unsafe { len.write(json.len() - 1) };
    }
    json.as_ptr().cast()
}

/// The code of a reply: PSA_OK for a result, PSA_INVALID_ARGUMENT for NULL. [one thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_reply_code(reply: *const psa_reply) -> psa_code {
    // SAFETY: NULL, or a reply of ours that is not freed yet; so says psa_host.h.
    unsafe { reply.as_ref() }.map_or(PSA_INVALID_ARGUMENT, |reply| reply.inner.code)
}

/// The id of the submitted call or of the event that this reply is of; 0 for others. [one thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_reply_id(reply: *const psa_reply) -> u64 {
    // SAFETY: NULL, or a reply of ours that is not freed yet; so says psa_host.h.
    unsafe { reply.as_ref() }.map_or(0, |reply| reply.inner.id)
}

/// The message of an error on one line, for people; "" if there is none. Lives until the reply is freed. [one thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_reply_message(reply: *const psa_reply) -> *const c_char {
    // SAFETY: NULL, or a reply of ours that is not freed yet; so says psa_host.h.
    unsafe { reply.as_ref() }.map_or("\0", |reply| &reply.inner.message).as_ptr().cast()
}

/// The HTTP answer of the doors (psa_host_page, psa_host_callback and their psa_host_submit_ forms), with all it points
/// to; NULL for other replies. Lives until the reply is freed. [one thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_reply_http(reply: *const psa_reply) -> *const psa_http_response {
    // SAFETY: NULL, or a reply of ours that is not freed yet; so says psa_host.h.
    let http = unsafe { reply.as_ref() }.and_then(|reply| reply.inner.http.as_ref());
    http.map_or(std::ptr::null(), |http| &raw const http.passed)
}

/// Frees a reply and all that was read from it. NULL is fine. [one thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_reply_free(reply: *mut psa_reply) {
    if reply.is_null() {
        return;
    }
    // SAFETY: made by Reply::into_raw, and freed once; so says psa_host.h.
    drop(unsafe { Box::from_raw(reply) });
}

/// The stable name of a code, "outcome_unknown"; "internal" for a number that is not known. Static, not to be freed.
/// [any thread]
#[unsafe(no_mangle)]
pub extern "C" fn psa_code_name(code: psa_code) -> *const c_char {
    const NAMES: [&str; Code::ALL.len()] = [
        "ok\0",
        "invalid_argument\0",
        "unauthenticated\0",
        "forbidden\0",
        "not_found\0",
        "conflict\0",
        "rejected\0",
        "rate_limited\0",
        "not_sent\0",
        "outcome_unknown\0",
        "unavailable\0",
        "timeout\0",
        "cancelled\0",
        "unsupported\0",
        "rehearsed\0",
        "unreadable\0",
        "internal\0",
        "closed\0",
        "storage\0",
        "too_large\0",
    ];
    NAMES[Code::from_number(code) as usize].as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn text(pointer: *const c_char) -> &'static str {
        // SAFETY: only called with NUL-terminated texts that live long enough for the comparison.
        unsafe { CStr::from_ptr(pointer) }.to_str().unwrap()
    }

    #[test]
    fn every_code_has_the_name_that_json_has() {
        for code in Code::ALL {
            assert_eq!(text(psa_code_name(*code as psa_code)), code.name());
        }
        assert_eq!(text(psa_code_name(4711)), "internal");
        assert_eq!(text(psa_code_name(-1)), "internal");
    }

    #[test]
    fn a_reply_tells_its_error_on_one_line_and_in_json() {
        let reply = Reply::new(Err(Error::invalid("first\nsecond\0third")), 7).into_raw();
        let mut len = 0;
        // SAFETY: a reply of ours, freed at the end.
        unsafe {
            assert_eq!((psa_reply_code(reply), psa_reply_id(reply)), (PSA_INVALID_ARGUMENT, 7));
            assert_eq!(text(psa_reply_message(reply)), "first second third");
            let json = text(psa_reply_json(reply, &raw mut len));
            assert_eq!(json.len(), len);
            assert!(json.contains("\"invalid_argument\""), "{json}");
            psa_reply_free(reply);
            psa_reply_free(std::ptr::null_mut());
            assert_eq!(text(psa_reply_json(std::ptr::null(), std::ptr::null_mut())), "{}");
        }
    }
}
