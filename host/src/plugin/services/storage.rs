//! Services that keep values: durable, cached, and secret ones.
//!
//! Promises: a plugin reaches the values of its own connection and no others; secrets go in and never come out.

use super::super::calls::Call;
use super::{on_call, text};
use crate::cache::Key;
use psa_host_api::Code;
use psa_host_api::abi::*;
use std::ffi::c_void;
use zeroize::Zeroizing;

/// Keys above this are refused, in bytes.
const KEY_BYTES_MAX: usize = 256;
/// Values above this are refused, in bytes.
const VALUE_BYTES_MAX: usize = 1 << 20;

pub(super) unsafe extern "C" fn get(
    ctx: *mut c_void,
    call: psa_call,
    space: u32,
    key: psa_bytes,
    value: *mut psa_bytes,
) -> psa_code {
    if value.is_null() {
        return PSA_INVALID_ARGUMENT;
    }
    // SAFETY: not NULL, and the plugin's to be written.
    unsafe { value.write(psa_bytes::EMPTY) };
    on_call(ctx, call, |call| {
        // SAFETY: passed in by the plugin for the length of this function.
        let key = unsafe { text(key) }?;
        let around = &call.instance.around;
        let found = match space {
            PSA_DURABLE => {
                let now = call.instance.runtime.clock.now_unix_ms();
                around.storage.get(&around.place, &key, now).map_err(|error| error.code)?
            }
            PSA_CACHE => around.cache.get(&Key::plugin(key)).map(|bytes| bytes.to_vec()),
            // Write-only.
            PSA_SECRETS => return Err(Code::Forbidden),
            _ => return Err(Code::InvalidArgument),
        };
        let found = found.ok_or(Code::NotFound)?;
        lend(&call, found, value)
    })
}

pub(super) unsafe extern "C" fn put(
    ctx: *mut c_void,
    call: psa_call,
    space: u32,
    key: psa_bytes,
    value: psa_bytes,
    ttl_ms: u64,
) -> psa_code {
    on_call(ctx, call, |call| {
        // SAFETY: passed in by the plugin for the length of this function.
        let (key, value) = unsafe { (text(key)?, value.as_slice()) };
        check_sizes(&key, value)?;
        let around = &call.instance.around;
        let now = call.instance.runtime.clock.now_unix_ms();
        let expires = (ttl_ms != 0).then(|| now.saturating_add(i64::try_from(ttl_ms).unwrap_or(i64::MAX)));
        match space {
            PSA_DURABLE => around.storage.put(&around.place, &key, value, expires).map_err(|error| error.code),
            PSA_CACHE => {
                around.cache.put(Key::plugin(key), value, (ttl_ms != 0).then_some(ttl_ms));
                Ok(())
            }
            PSA_SECRETS => {
                let value = Zeroizing::new(value.to_vec());
                let used = call.lock().wire.secrets.clone();
                around.secrets.keep_token(&key, value, expires, &used).map_err(|error| error.code)
            }
            _ => Err(Code::InvalidArgument),
        }
    })
}

fn check_sizes(key: &str, value: &[u8]) -> Result<(), Code> {
    if key.is_empty() {
        return Err(Code::InvalidArgument);
    }
    if key.len() > KEY_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
        return Err(Code::TooLarge);
    }
    Ok(())
}

pub(super) unsafe extern "C" fn remove(ctx: *mut c_void, call: psa_call, space: u32, key: psa_bytes) -> psa_code {
    on_call(ctx, call, |call| {
        // SAFETY: passed in by the plugin for the length of this function.
        let key = unsafe { text(key) }?;
        let around = &call.instance.around;
        match space {
            PSA_DURABLE => around.storage.remove(&around.place, &key).map_err(|error| error.code),
            PSA_CACHE => {
                around.cache.remove(&Key::plugin(key));
                Ok(())
            }
            PSA_SECRETS => around.secrets.drop_token(&key).map_err(|error| error.code),
            _ => Err(Code::InvalidArgument),
        }
    })
}

pub(super) unsafe extern "C" fn keys(
    ctx: *mut c_void,
    call: psa_call,
    space: u32,
    prefix: psa_bytes,
    json: *mut psa_bytes,
) -> psa_code {
    if json.is_null() {
        return PSA_INVALID_ARGUMENT;
    }
    // SAFETY: not NULL, and the plugin's to be written.
    unsafe { json.write(psa_bytes::EMPTY) };
    on_call(ctx, call, |call| {
        // SAFETY: passed in by the plugin for the length of this function.
        let prefix = unsafe { text(prefix) }?;
        let around = &call.instance.around;
        let now = call.instance.runtime.clock.now_unix_ms();
        let keys = match space {
            PSA_DURABLE => around.storage.names(&around.place, &prefix, now).map_err(|error| error.code)?,
            PSA_CACHE => around.cache.plugin_keys(&prefix),
            PSA_SECRETS => around.secrets.tokens(&prefix).map_err(|error| error.code)?,
            _ => return Err(Code::InvalidArgument),
        };
        lend(&call, serde_json::to_vec(&keys).map_err(|_| Code::Internal)?, json)
    })
}

/// Lends `bytes` to the plugin until the call ends. `to` is the plugin's to be written.
fn lend(call: &Call, bytes: Vec<u8>, to: *mut psa_bytes) -> Result<(), Code> {
    let lent = call.lock().keep(bytes).ok_or(Code::TooLarge)?;
    // SAFETY: checked against NULL by the services above before they came here.
    unsafe { to.write(lent) };
    Ok(())
}
