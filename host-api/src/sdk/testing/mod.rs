//! An in-memory host for unit tests of plugins.
//!
//! Holds: [`TestHost`], which answers requests from a script and keeps what was sent.
//! Promises: the plugin passes through the same C table as in the real host; no network, no thread, no waiting.
//! Leaves to others: policy, secrets, deadlines: the real host does them.

mod table;

use super::{Cx, Response, Settings};
use crate::Error;
use crate::abi::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::{c_char, c_void};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// A request as the plugin handed it over: secrets are named, not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// `POST`.
    pub method: String,
    /// The address.
    pub url: String,
    /// Name, value, name of the secret (empty: none).
    pub headers: Vec<(String, String, String)>,
    /// The pieces given as bytes, and the input, joined.
    pub body: Vec<u8>,
    /// Whether it says that it changes nothing, whatever its method.
    pub as_read: bool,
}

impl Sent {
    /// Method, a blank, address: what most tests compare.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.url)
    }
}

#[derive(Default)]
struct State {
    script: Vec<(String, VecDeque<Response>)>,
    sent: Vec<Sent>,
    waiting: VecDeque<(psa_then, psa_code, Option<Response>)>,
    values: BTreeMap<(u32, Vec<u8>), Vec<u8>>,
    // Boxed, so that what get() handed out stays where it is.
    given: Vec<Box<[u8]>>,
    completed: Vec<(psa_call, psa_code, Vec<u8>)>,
    now_unix_ms: i64,
    input: Vec<u8>,
    output: Vec<u8>,
    random: u8,
}

/// A host whose PSA is a script.
pub struct TestHost {
    services: Box<psa_services>,
    state: Box<RefCell<State>>,
}

impl std::fmt::Debug for TestHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestHost").field("sent", &self.sent().len()).finish()
    }
}

impl Default for TestHost {
    fn default() -> Self {
        TestHost::new()
    }
}

impl TestHost {
    /// A host that knows no answer yet.
    pub fn new() -> TestHost {
        let state = Box::new(RefCell::new(State { now_unix_ms: 1_767_225_600_000, ..State::default() }));
        let ctx = (&raw const *state).cast_mut().cast::<c_void>();
        let services = Box::new(psa_services {
            size: size_of::<psa_services>() as u32,
            abi_major: PSA_ABI_MAJOR,
            abi_minor: PSA_ABI_MINOR,
            ctx,
            complete: Some(complete),
            call_info: Some(call_info),
            log_message: Some(log_message),
            post: Some(post),
            sleep_ms: Some(sleep_ms),
            http: Some(http),
            http_wait: None,
            read_input: None,
            write_output: None,
            get: Some(get),
            put: Some(put),
            remove: Some(remove),
            keys: Some(keys),
            now_unix_ms: Some(now_unix_ms),
            random_bytes: Some(random_bytes),
            extension: Some(extension),
        });
        TestHost { services, state }
    }

    /// Answers `line` ("GET https://…") with this; several answers to one line are given in turn, the last one again
    /// and again.
    pub fn answer(&self, line: &str, status: u16, body: impl AsRef<[u8]>) -> &TestHost {
        self.answer_with(line, Response { status, headers: Vec::new(), body: body.as_ref().to_vec() })
    }

    /// The same, with headers.
    pub fn answer_with(&self, line: &str, response: Response) -> &TestHost {
        let mut state = self.state.borrow_mut();
        match state.script.iter_mut().find(|(found, _)| found == line) {
            Some((_, answers)) => answers.push_back(response),
            None => state.script.push((line.into(), VecDeque::from([response]))),
        }
        drop(state);
        self
    }

    /// The input of the calls that follow: what a request takes from it is in its [`Sent::body`].
    pub fn input(&self, bytes: impl AsRef<[u8]>) -> &TestHost {
        self.state.borrow_mut().input = bytes.as_ref().to_vec();
        self
    }

    /// What requests have sent to the output of their calls so far.
    pub fn output(&self) -> Vec<u8> {
        self.state.borrow().output.clone()
    }

    /// Lets time pass. What is remembered for a while is forgotten by the real host alone.
    pub fn pass_ms(&self, ms: i64) -> &TestHost {
        self.state.borrow_mut().now_unix_ms += ms;
        self
    }

    /// What the plugin has sent so far.
    pub fn sent(&self) -> Vec<Sent> {
        self.state.borrow().sent.clone()
    }

    /// Opens a provider on this host.
    pub fn open<P: super::Provider>(&self, settings: serde_json::Value) -> Result<P, Error> {
        let settings: Settings = settings.as_object().cloned().unwrap_or_default();
        P::open(&settings, &self.cx())
    }

    /// Runs one operation to its end: `host.run(async |cx| provider.get_ticket(cx, request).await)`.
    ///
    /// # Panics
    /// If it waits for something that will never come.
    pub fn run<T>(&self, work: impl AsyncFnOnce(&Cx) -> T) -> T {
        let cx = self.cx();
        let mut future = pin!(work(&cx));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
            assert!(self.go_on(), "the operation waits for nothing");
        }
    }

    /// Runs the oldest callback that waits; false if there is none.
    fn go_on(&self) -> bool {
        let next = self.state.borrow_mut().waiting.pop_front();
        let Some((then, code, response)) = next else { return false };
        give(then, code, response.as_ref());
        true
    }

    fn cx(&self) -> Cx {
        // SAFETY: the table and its state live as long as this host, and a Cx is only lent to `run` and `open`.
        unsafe { Cx::new(&raw const *self.services, 1) }.expect("the table is of this very version")
    }
}

fn give(then: psa_then, code: psa_code, response: Option<&Response>) {
    let Some(run) = then.run else { return };
    let text = |text: &str| psa_bytes::of(text.as_bytes());
    let header = |(name, value): &(String, String)| psa_header {
        name: text(name),
        value: text(value),
        secret: psa_bytes::EMPTY,
        flags: 0,
        reserved: 0,
    };
    let headers: Vec<psa_header> = response.map(|it| it.headers.iter().map(header).collect()).unwrap_or_default();
    let passed = response.map(|it| psa_http_response {
        size: size_of::<psa_http_response>() as u32,
        status: it.status.into(),
        headers: headers.as_ptr(),
        header_count: headers.len(),
        body: psa_bytes::of(&it.body),
    });
    let pointer = passed.as_ref().map_or(std::ptr::null(), |it| &raw const *it);
    // SAFETY: a psa_then the plugin gave us, run exactly once; the answer lives until it returns.
    unsafe { run(then.data, code, pointer) }
}

/// # Safety
/// `ctx` is the state of a living TestHost: these functions are only reached through its table.
unsafe fn state<'a>(ctx: *mut c_void) -> &'a RefCell<State> {
    // SAFETY: see above.
    unsafe { &*ctx.cast::<RefCell<State>>() }
}

/// # Safety
/// Bytes that live while the service runs.
unsafe fn owned(bytes: psa_bytes) -> Vec<u8> {
    // SAFETY: see above.
    unsafe { bytes.as_slice() }.to_vec()
}

unsafe extern "C" fn complete(ctx: *mut c_void, call: psa_call, code: psa_code, body: psa_bytes) {
    // SAFETY: reached through the table; body lives while this runs.
    unsafe { state(ctx).borrow_mut().completed.push((call, code, owned(body))) };
}

unsafe extern "C" fn call_info(ctx: *mut c_void, _: psa_call, info: *mut psa_call_info) -> psa_code {
    // SAFETY: the caller's own struct, as the header says; reached through the table.
    unsafe {
        (*info).state = PSA_OK;
        (*info).input_len = state(ctx).borrow().input.len() as u64;
    }
    PSA_OK
}

unsafe extern "C" fn log_message(_: *mut c_void, _: psa_call, _: u32, _: psa_bytes) {}

unsafe extern "C" fn post(ctx: *mut c_void, _: psa_call, then: psa_then) -> psa_code {
    // SAFETY: reached through the table.
    unsafe { state(ctx) }.borrow_mut().waiting.push_back((then, PSA_OK, None));
    PSA_OK
}

unsafe extern "C" fn sleep_ms(ctx: *mut c_void, call: psa_call, ms: u64, then: psa_then) -> psa_code {
    // SAFETY: reached through the table.
    unsafe { state(ctx) }.borrow_mut().now_unix_ms += ms as i64;
    // SAFETY: as above.
    unsafe { post(ctx, call, then) }
}

unsafe extern "C" fn http(ctx: *mut c_void, _: psa_call, request: *const psa_http_request, then: psa_then) -> psa_code {
    // SAFETY: a request of the header's shape that lives while this runs.
    let (mut sent, to_output) = unsafe { (read_request(&*request), (*request).flags & PSA_HTTP_TO_OUTPUT != 0) };
    // SAFETY: reached through the table.
    let mut state = unsafe { state(ctx) }.borrow_mut();
    // SAFETY: as for the request.
    if let Some(at) = unsafe { input_at(&*request) } {
        let input = state.input.clone();
        sent.body.splice(at..at, input);
    }
    let line = sent.line();
    state.sent.push(sent);
    let answer = state
        .script
        .iter_mut()
        .find(|(found, _)| *found == line)
        .and_then(|(_, answers)| if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() });
    let answer = answer.map(|mut answer| {
        if to_output && answer.is_success() {
            state.output.append(&mut answer.body);
        }
        answer
    });
    let code = if answer.is_some() { PSA_OK } else { PSA_UNAVAILABLE };
    state.waiting.push_back((then, code, answer));
    PSA_OK
}

/// # Safety
/// A request of the header's shape.
unsafe fn read_request(request: &psa_http_request) -> Sent {
    // SAFETY: bytes of the request, alive while the service runs.
    let text = |bytes| String::from_utf8_lossy(&unsafe { owned(bytes) }).into_owned();
    let headers = if request.header_count == 0 {
        &[][..]
    } else {
        // SAFETY: header_count headers, of the header's shape.
        unsafe { std::slice::from_raw_parts(request.headers, request.header_count) }
    };
    let body = if request.body_count == 0 {
        &[][..]
    } else {
        // SAFETY: body_count pieces, of the header's shape.
        unsafe { std::slice::from_raw_parts(request.body, request.body_count) }
    };
    Sent {
        method: text(request.method),
        url: text(request.url),
        headers: headers.iter().map(|it| (text(it.name), text(it.value), text(it.secret))).collect(),
        as_read: request.kind == PSA_HTTP_READ,
        // SAFETY: as above.
        body: body.iter().filter(|it| it.source == PSA_FROM_BYTES).flat_map(|it| unsafe { owned(it.bytes) }).collect(),
    }
}

/// Where the input belongs among the pieces given as bytes.
///
/// # Safety
/// A request of the header's shape.
unsafe fn input_at(request: &psa_http_request) -> Option<usize> {
    if request.body_count == 0 {
        return None;
    }
    // SAFETY: body_count pieces, of the header's shape.
    let body = unsafe { std::slice::from_raw_parts(request.body, request.body_count) };
    let input = body.iter().position(|piece| piece.source == PSA_FROM_INPUT)?;
    Some(body[..input].iter().filter(|piece| piece.source == PSA_FROM_BYTES).map(|piece| piece.bytes.len).sum())
}

unsafe extern "C" fn get(ctx: *mut c_void, _: psa_call, space: u32, key: psa_bytes, value: *mut psa_bytes) -> psa_code {
    // SAFETY: reached through the table; key lives while this runs.
    let (mut state, key) = unsafe { (state(ctx).borrow_mut(), owned(key)) };
    let found = if space == PSA_SECRETS { None } else { state.values.get(&(space, key)).cloned() };
    let Some(found) = found else { return PSA_NOT_FOUND };
    let kept = found.into_boxed_slice();
    // SAFETY: the caller's own variable.
    unsafe { *value = psa_bytes::of(&kept) }
    state.given.push(kept);
    PSA_OK
}

unsafe extern "C" fn put(
    ctx: *mut c_void,
    _: psa_call,
    space: u32,
    key: psa_bytes,
    value: psa_bytes,
    _: u64,
) -> psa_code {
    // SAFETY: reached through the table; key and value live while this runs.
    unsafe { state(ctx).borrow_mut().values.insert((space, owned(key)), owned(value)) };
    PSA_OK
}

unsafe extern "C" fn remove(ctx: *mut c_void, _: psa_call, space: u32, key: psa_bytes) -> psa_code {
    // SAFETY: reached through the table; key lives while this runs.
    unsafe { state(ctx).borrow_mut().values.remove(&(space, owned(key))) };
    PSA_OK
}

unsafe extern "C" fn keys(
    ctx: *mut c_void,
    _: psa_call,
    space: u32,
    prefix: psa_bytes,
    json: *mut psa_bytes,
) -> psa_code {
    // SAFETY: reached through the table; prefix lives while this runs.
    let (mut state, prefix) = unsafe { (state(ctx).borrow_mut(), owned(prefix)) };
    let found = state.values.keys().filter(|(of, key)| *of == space && key.starts_with(&prefix));
    let names: Vec<String> = found.map(|(_, key)| String::from_utf8_lossy(key).into_owned()).collect();
    let kept = serde_json::to_vec(&names).unwrap_or_default().into_boxed_slice();
    // SAFETY: the caller's own variable.
    unsafe { *json = psa_bytes::of(&kept) }
    state.given.push(kept);
    PSA_OK
}

unsafe extern "C" fn now_unix_ms(ctx: *mut c_void) -> i64 {
    // SAFETY: reached through the table.
    unsafe { state(ctx) }.borrow().now_unix_ms
}

/// Never the same twice, and the same in every run.
unsafe extern "C" fn random_bytes(ctx: *mut c_void, buffer: *mut u8, len: usize) -> psa_code {
    // SAFETY: reached through the table.
    let mut state = unsafe { state(ctx) }.borrow_mut();
    // SAFETY: the caller's own buffer of that length.
    for byte in unsafe { std::slice::from_raw_parts_mut(buffer, len) } {
        state.random = state.random.wrapping_add(1);
        *byte = state.random;
    }
    PSA_OK
}

unsafe extern "C" fn extension(_: *mut c_void, _: *const c_char) -> *const c_void {
    std::ptr::null()
}
