//! The table of services that a plugin gets, and the way from a C call back to its instance.
//!
//! Holds: [`Table`] and the directory of instances behind `ctx`.
//! Promises: `ctx` is a token, not a pointer: a service called with an old or invented one does nothing; no panic of
//! ours leaves a service; tables stay readable for a good while after their instance is gone.
//! Leaves to others: what each service does (`services/…`).

mod storage;
mod transport;

use super::calls::{Call, Then};
use super::instance::Inner;
use super::table::OPENING;
use crate::fork::PerProcess;
use psa_host_api::Code;
use psa_host_api::abi::*;
use std::collections::{HashMap, VecDeque};
use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

/// Tables of closed instances that are kept, so that a plugin that calls a service after its close reads a table that
/// leads nowhere instead of freed memory.
const RETIRED_MAX: usize = 1024;

static TOKENS: AtomicUsize = AtomicUsize::new(1);
static INSTANCES: PerProcess<RwLock<Option<Directory>>> = PerProcess::new();
static RETIRED: PerProcess<Mutex<VecDeque<Kept>>> = PerProcess::new();

/// Instances by their token.
type Directory = HashMap<usize, Weak<Inner>>;

struct Kept(#[expect(dead_code, reason = "held so that its memory stays readable")] Box<psa_services>);

// SAFETY: the table is never written again, and its ctx is a number in a pointer's clothes.
unsafe impl Send for Kept {}

/// One instance's table.
pub(super) struct Table(Option<Box<psa_services>>);

// SAFETY: as for Kept.
unsafe impl Send for Table {}
// SAFETY: as for Kept.
unsafe impl Sync for Table {}

impl Table {
    pub(super) fn new() -> Table {
        let token = TOKENS.fetch_add(1, Ordering::Relaxed);
        Table(Some(Box::new(psa_services {
            size: size_of::<psa_services>() as u32,
            abi_major: PSA_ABI_MAJOR,
            abi_minor: PSA_ABI_MINOR,
            ctx: std::ptr::without_provenance_mut(token),
            complete: Some(complete),
            call_info: Some(call_info),
            log_message: Some(log_message),
            post: Some(post),
            sleep_ms: Some(sleep_ms),
            http: Some(transport::http),
            http_wait: Some(transport::http_wait),
            read_input: Some(transport::read_input),
            write_output: Some(transport::write_output),
            get: Some(storage::get),
            put: Some(storage::put),
            remove: Some(storage::remove),
            keys: Some(storage::keys),
            now_unix_ms: Some(now_unix_ms),
            random_bytes: Some(random_bytes),
            extension: Some(extension),
        })))
    }

    /// For the plugin's open.
    pub(super) fn pointer(&self) -> *const psa_services {
        self.0.as_deref().map_or(std::ptr::null(), std::ptr::from_ref)
    }

    pub(super) fn token(&self) -> *mut c_void {
        self.0.as_deref().map_or(std::ptr::null_mut(), |table| table.ctx)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        let Some(table) = self.0.take() else { return };
        let mut retired = RETIRED.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        retired.push_back(Kept(table));
        if retired.len() > RETIRED_MAX {
            retired.pop_front();
        }
    }
}

/// From now on the services act for `inner`.
pub(super) fn register(inner: &Arc<Inner>) {
    let mut instances = INSTANCES.get(RwLock::default).write().unwrap_or_else(PoisonError::into_inner);
    instances.get_or_insert_default().insert(inner.token().addr(), Arc::downgrade(inner));
}

/// From now on they do nothing for it.
pub(super) fn forget(inner: &Inner) {
    let mut instances = INSTANCES.get(RwLock::default).write().unwrap_or_else(PoisonError::into_inner);
    if let Some(instances) = instances.as_mut() {
        instances.remove(&inner.token().addr());
    }
    // The last one: the directory goes too, so that a product that has closed all leaves no memory behind.
    if instances.as_ref().is_some_and(HashMap::is_empty) {
        *instances = None;
    }
}

fn instance(ctx: *mut c_void) -> Option<Arc<Inner>> {
    let instances = INSTANCES.get(RwLock::default).read().unwrap_or_else(PoisonError::into_inner);
    instances.as_ref()?.get(&ctx.addr())?.upgrade()
}

/// Runs a service for a living call.
fn on_call(ctx: *mut c_void, call: psa_call, service: impl FnOnce(Arc<Call>) -> Result<(), Code>) -> psa_code {
    guarded(PSA_INTERNAL, || {
        let Some(instance) = instance(ctx) else { return PSA_CLOSED };
        let Some(call) = instance.call(call) else { return PSA_CANCELLED };
        match service(call) {
            Ok(()) => PSA_OK,
            Err(code) => code as psa_code,
        }
    })
}

/// As on_call, for services that are not there while an instance is being opened.
fn on_open_call(ctx: *mut c_void, call: psa_call, service: impl FnOnce(Arc<Call>) -> Result<(), Code>) -> psa_code {
    on_call(ctx, call, |call| if call.operation.has(OPENING) { Err(Code::Unsupported) } else { service(call) })
}

/// Unwinding into C is undefined; a panic here is a defect of ours and becomes a code.
fn guarded<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(otherwise)
}

/// # Safety
/// `bytes` are readable until the service returns, as psa_plugin.h says of all that is passed in.
unsafe fn text(bytes: psa_bytes) -> Result<String, Code> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes.as_slice() };
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Code::InvalidArgument)
}

unsafe extern "C" fn complete(ctx: *mut c_void, call: psa_call, code: psa_code, body: psa_bytes) {
    // SAFETY: passed in by the plugin for the length of this function.
    let body = unsafe { body.as_slice() };
    on_call(ctx, call, |call| {
        // What open has to say well is the pointer it returns.
        if !(call.operation.has(OPENING) && code == PSA_OK) {
            call.complete(code, body);
        }
        Ok(())
    });
}

unsafe extern "C" fn call_info(ctx: *mut c_void, call: psa_call, info: *mut psa_call_info) -> psa_code {
    if info.is_null() {
        return PSA_INVALID_ARGUMENT;
    }
    on_call(ctx, call, |call| {
        let now = call.instance.runtime.clock.boot_ms();
        let facts = psa_call_info {
            size: size_of::<psa_call_info>() as u32,
            state: call.must_end().map_or(PSA_OK, |code| code as psa_code),
            remaining_ms: call.deadline.map_or(u64::MAX, |deadline| deadline.saturating_sub(now)),
            input_len: transport::input_len(&call),
        };
        // SAFETY: not NULL, and a plugin passes a struct whose first field says how long it is.
        let room = unsafe { (&raw const (*info).size).read() } as usize;
        let known = room.min(size_of::<psa_call_info>());
        if known < size_of::<u32>() {
            return Err(Code::InvalidArgument);
        }
        // SAFETY: `known` bytes are there on both sides; `size` stays what the plugin has set.
        unsafe {
            let (from, to) = ((&raw const facts).cast::<u8>(), info.cast::<u8>());
            std::ptr::copy_nonoverlapping(from.add(4), to.add(4), known - 4);
        }
        Ok(())
    })
}

unsafe extern "C" fn log_message(ctx: *mut c_void, call: psa_call, level: u32, text: psa_bytes) {
    // SAFETY: passed in by the plugin for the length of this function.
    let text = unsafe { text.as_slice() };
    guarded((), || {
        let Some(instance) = instance(ctx) else { return };
        let text = String::from_utf8_lossy(&text[..text.len().min(16 << 10)]);
        let about = match instance.call(call) {
            Some(call) => format!("{} {}: ", instance.around.place, call.operation.name),
            None => format!("{}: ", instance.around.place),
        };
        instance.runtime.log.line(level, &format!("plugin.{}", instance.plugin.manifest.id), &(about + &text));
    });
}

unsafe extern "C" fn post(ctx: *mut c_void, call: psa_call, then: psa_then) -> psa_code {
    let then = Then(then);
    on_open_call(ctx, call, |call| call.post(valid(then)?))
}

unsafe extern "C" fn sleep_ms(ctx: *mut c_void, call: psa_call, ms: u64, then: psa_then) -> psa_code {
    let then = Then(then);
    on_open_call(ctx, call, |call| {
        let sleep = call.instance.runtime.clock.clone();
        call.wait_for(valid(then)?, async move {
            sleep.sleep(ms).await;
            (Code::Ok, None)
        })
    })
}

fn valid(then: Then) -> Result<Then, Code> {
    if then.0.run.is_some() { Ok(then) } else { Err(Code::InvalidArgument) }
}

unsafe extern "C" fn now_unix_ms(ctx: *mut c_void) -> i64 {
    guarded(0, || instance(ctx).map_or(0, |instance| instance.runtime.clock.now_unix_ms()))
}

unsafe extern "C" fn random_bytes(ctx: *mut c_void, buffer: *mut u8, len: usize) -> psa_code {
    if buffer.is_null() || len > isize::MAX as usize {
        return if len == 0 { PSA_OK } else { PSA_INVALID_ARGUMENT };
    }
    guarded(PSA_INTERNAL, || {
        let Some(instance) = instance(ctx) else { return PSA_CLOSED };
        // SAFETY: the plugin passes `len` bytes to be written; they are initialised before they become a slice.
        let buffer = unsafe {
            buffer.write_bytes(0, len);
            std::slice::from_raw_parts_mut(buffer, len)
        };
        instance.runtime.random.fill(buffer);
        PSA_OK
    })
}

/// None yet.
unsafe extern "C" fn extension(_: *mut c_void, _: *const c_char) -> *const c_void {
    std::ptr::null()
}
