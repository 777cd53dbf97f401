//! Opening and closing.

use crate::callbacks::Callbacks;
use crate::guard::{answer_error, clear, guarded, is_in_callback, may_block, opened};
use crate::handle::Handle;
use crate::logs::Logs;
use crate::queue::Queue;
use crate::sized;
use crate::types::{psa_hooks, psa_host, psa_reply};
use host::{Hooks, Host, KeyHook, LogHook};
use psa_host_api::abi::*;
use psa_host_api::{Code, Error};
use secrecy::SecretString;
use std::ffi::{c_char, c_void};
use std::sync::Arc;
use zeroize::Zeroizing;

/// ABI of the loaded library, as PSA_ABI. Call it first: if its upper half is not PSA_ABI_MAJOR, call nothing else. If
/// its lower half is less than PSA_ABI_MINOR, the library is older than this header and lacks what was added since.
/// [any thread]
#[unsafe(no_mangle)]
pub extern "C" fn psa_host_abi() -> u32 {
    PSA_ABI
}

/// Version of the loaded library, "1.4.0"; static, not to be freed. [any thread]
#[unsafe(no_mangle)]
pub extern "C" fn psa_host_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Opens a host from its configuration, a JSON object (schema "config"). PSA_OK: *host is the caller's, to be ended by
/// psa_host_close and psa_host_free. Anything else: *host is NULL, and *error (if wanted) says why and is to be freed.
/// [waits]
///
/// Brings the store up to date and loads the plugins. hooks may be NULL; it is copied, and its ctx must live until
/// psa_host_close has returned. PSA_INVALID_ARGUMENT: config or hooks are not what they should be; the message names
/// the place. PSA_STORAGE: the data folder cannot be used, or a newer library has been there. A plugin that cannot be
/// loaded, or must not be, has its own code and a reason that begins with "plugin_".
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_open(
    config: psa_bytes,
    hooks: *const psa_hooks,
    host: *mut *mut psa_host,
    error: *mut *mut psa_reply,
) -> psa_code {
    // SAFETY: NULL or the caller's to be written; so says psa_host.h.
    unsafe {
        clear(host);
        clear(error);
    }
    let outcome = guarded(|| {
        may_block()?;
        if host.is_null() {
            return Err(Error::invalid("host is NULL: there is no place for the handle"));
        }
        // SAFETY: the caller's bytes and hooks live until this function returns.
        let (config, mut hooks) = unsafe { (config.as_slice(), read_hooks(hooks)?) };
        let logs = hooks.log.is_none().then(Logs::new);
        if let Some(logs) = &logs {
            hooks.log = Some(logs.hook());
        }
        let callbacks = Callbacks::start()?;
        let queue = Arc::new(Queue::new()?);
        let opened = match Host::open(config, hooks) {
            Ok(opened) => opened,
            Err(error) => {
                callbacks.close();
                return Err(error);
            }
        };
        let handle = Box::new(psa_host { inner: Handle::new(opened, callbacks, queue, logs) });
        // SAFETY: not NULL, and the caller's to be written.
        unsafe { host.write(Box::into_raw(handle)) };
        Ok(())
    });
    // SAFETY: NULL or the caller's to be written.
    unsafe { answer_error(outcome, error) }
}

struct Context(*mut c_void);
// SAFETY: the contract lets hooks be called from any thread; ctx is only handed back to them.
unsafe impl Send for Context {}
// SAFETY: as above, also at the same time.
unsafe impl Sync for Context {}

impl Context {
    fn get(&self) -> *mut c_void {
        self.0
    }
}

/// The longest keyring, in bytes.
const KEYRING_BYTES_MAX: usize = 1 << 16;

/// # Safety
/// `hooks` is NULL or points to a struct that begins with its size.
unsafe fn read_hooks(hooks: *const psa_hooks) -> Result<Hooks, Error> {
    if hooks.is_null() {
        return Ok(Hooks::default());
    }
    // SAFETY: not NULL; a size comes first, by the caller's promise.
    let read = unsafe { sized::read(hooks) }?;
    Ok(Hooks { log: log_hook(&read), vault_keys: key_hook(&read), ..Hooks::default() })
}

fn log_hook(hooks: &psa_hooks) -> Option<LogHook> {
    let log_message = hooks.log_message?;
    let ctx = Context(hooks.ctx);
    Some(Arc::new(move |level, target, text| {
        let (target, text) = (psa_bytes::of(target.as_bytes()), psa_bytes::of(text.as_bytes()));
        // SAFETY: the product gave function and ctx together; both are valid until close has returned.
        unsafe { log_message(ctx.get(), level, target, text) }
    }))
}

fn key_hook(hooks: &psa_hooks) -> Option<KeyHook> {
    let vault_keys = hooks.vault_keys?;
    let ctx = Context(hooks.ctx);
    Some(Arc::new(move || {
        let mut keys = Zeroizing::new(vec![0; KEYRING_BYTES_MAX]);
        let mut len = 0;
        // SAFETY: as above; the buffer is as long as is said, and len is ours to be written.
        let code = unsafe { vault_keys(ctx.get(), keys.as_mut_ptr(), keys.len(), &raw mut len) };
        if code != PSA_OK {
            return Err(Error::new(Code::from_number(code), format!("vault_keys answered {code}")));
        }
        let text = keys.get(..len).and_then(|keys| std::str::from_utf8(keys).ok());
        let text = text.ok_or_else(|| {
            Error::invalid(format!("vault_keys must write UTF-8 of at most {KEYRING_BYTES_MAX} bytes; it says {len}"))
        })?;
        Ok(SecretString::from(text.to_owned()))
    }))
}

/// Stops the host: refuses new work, lets running calls finish for drain_ms, cancels the rest, runs every psa_done, and
/// returns when no other thread is inside the host. Accepted operations stay in the store, for the next host. [waits]
///
/// May be called again. From now on every other function but psa_host_free answers PSA_CLOSED, also those that wait in
/// other threads; replies stay valid. NULL is fine. PSA_TIMEOUT: it is closed, but a plugin hung and was left behind.
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_close(host: *mut psa_host, drain_ms: u32) -> psa_code {
    if host.is_null() {
        return PSA_OK;
    }
    let outcome = guarded(|| {
        may_block()?;
        // SAFETY: opened and not freed; so says psa_host.h.
        unsafe { opened(host) }?.inner.close(drain_ms)
    });
    outcome.map_or_else(|error| error.code as psa_code, |()| PSA_OK)
}

/// Ends the handle, and closes it first, without draining, if that was not done. No other thread may be in a function
/// of this host, or call one later. Inside a psa_done, psa_reader or psa_writer, and after fork, it does nothing. NULL
/// is fine. [waits]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_free(host: *mut psa_host) {
    // SAFETY: NULL, or opened and freed once; so says psa_host.h.
    let Some(handle) = (unsafe { host.as_ref() }) else { return };
    // In a child of fork there is nothing to wait for; from a callback it would wait for itself.
    if !handle.inner.is_of_this_process() || is_in_callback() {
        return;
    }
    let _ = guarded(|| {
        let _ = handle.inner.close(0);
        // SAFETY: made by Box::into_raw in psa_host_open; nobody uses it any more, by the contract.
        drop(unsafe { Box::from_raw(host) });
        Ok(())
    });
}

/// Registers a plugin that is linked into the product instead of loaded from a file. Call it after psa_host_open,
/// before the first call: later it is PSA_CONFLICT. *error (if wanted) says why it was refused. entry and what it
/// returns must stay valid until psa_host_close has returned. [any thread]
///
/// # Safety
/// As psa_host.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn psa_host_add_plugin(
    host: *mut psa_host,
    entry: Option<unsafe extern "C" fn(host_abi: u32) -> *const psa_plugin>,
    error: *mut *mut psa_reply,
) -> psa_code {
    // SAFETY: NULL or the caller's to be written; so says psa_host.h.
    unsafe { clear(error) };
    // SAFETY: NULL or opened; so says psa_host.h.
    let outcome = guarded(|| unsafe { opened(host) }?.inner.host.add_plugin(entry));
    // SAFETY: as above.
    unsafe { answer_error(outcome, error) }
}
