//! From a [`Provider`] to the C table.
//!
//! Holds: the thunks behind `open`, `close` and each operation's `start`, and `export_plugin!`.
//! Promises: no panic leaves a thunk; JSON that cannot be read ends the call with `invalid_argument`.
//! Leaves to others: waking (`task`), the services (`cx`).

use super::guard::{guard, guard_alone};
use super::{Cx, Handler, Provider, Settings, task};
use crate::Error;
use crate::abi::*;
use std::ffi::c_void;

pub use super::provider::by_name;
pub use abi_stable::type_layout::TypeLayout;

struct Instance<P> {
    services: *const psa_services,
    provider: P,
}

/// The table of a provider.
pub const fn plugin<P: Provider>(operations: &'static [psa_operation]) -> psa_plugin {
    psa_plugin {
        size: size_of::<psa_plugin>() as u32,
        abi_major: PSA_ABI_MAJOR,
        abi_minor: PSA_ABI_MINOR,
        manifest: psa_bytes::of(P::MANIFEST.as_bytes()),
        operations: operations.as_ptr(),
        operation_count: operations.len() as u32,
        operation_size: size_of::<psa_operation>() as u32,
        open: Some(open::<P>),
        close: Some(close::<P>),
        extension: None,
    }
}

/// The row of an operation.
pub const fn operation<P: Provider, O: Handler<P>>() -> psa_operation {
    psa_operation { name: O::NAME.as_ptr(), start: Some(start::<P, O>), flags: O::FLAGS, reserved: 0 }
}

unsafe extern "C" fn open<P: Provider>(host: *const psa_services, call: psa_call, settings: psa_bytes) -> *mut c_void {
    // SAFETY: the services the header hands to open(); a Cx made of them lives in calls of this instance only.
    let Ok(cx) = (unsafe { Cx::new(host, call) }) else { return std::ptr::null_mut() };
    // SAFETY: the header keeps what is passed in alive until this function returns.
    let settings = unsafe { settings.as_slice() };
    let opened = guard(&cx, || {
        let settings: Settings = read(settings)?;
        P::open(&settings, &cx)
    });
    match opened {
        Some(Ok(provider)) => Box::into_raw(Box::new(Instance { services: host, provider })).cast(),
        Some(Err(error)) => {
            cx.complete(Err(error));
            std::ptr::null_mut()
        }
        None => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn close<P: Provider>(this: *mut c_void) {
    if this.is_null() {
        return;
    }
    // SAFETY: made by open::<P> with Box::into_raw; the header says close runs once, when nothing else is left.
    guard_alone(|| drop(unsafe { Box::from_raw(this.cast::<Instance<P>>()) }));
}

unsafe extern "C" fn start<P: Provider, O: Handler<P>>(this: *mut c_void, call: psa_call, request: psa_bytes) {
    // SAFETY: what open::<P> returned, alive until close, which runs only after the last function of each call; the
    // future below ends with its call.
    let Some(instance) = (unsafe { this.cast::<Instance<P>>().cast_const().as_ref::<'static>() }) else { return };
    // SAFETY: the services open() was given.
    let Ok(cx) = (unsafe { Cx::new(instance.services, call) }) else { return };
    // SAFETY: request lives until start returns.
    let request = unsafe { request.as_slice() };
    let started = guard(&cx, || {
        let request: O::Request = read(request)?;
        let inner = cx.clone();
        let provider = &instance.provider;
        task::start(cx.clone(), async move {
            let answer = O::run(provider, &inner, request).await?;
            serde_json::to_vec(&answer).map_err(|error| Error::internal(format!("the answer is not JSON: {error}")))
        });
        Ok(())
    });
    if let Some(Err(error)) = started {
        cx.complete(Err(error));
    }
}

fn read<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(json).map_err(|error| Error::invalid(format!("the request does not fit: {error}")))
}

/// What `export_plugin!` makes of a provider.
pub trait Exported {
    /// The entry, for a host that the plugin is linked into (`Host::add_plugin`).
    const ENTRY: psa_plugin_entry_fn;
}

/// Exports a [`Provider`](crate::sdk::Provider) as a plugin: `export_plugin!(Acme { get_ticket, add_note });`.
///
/// The list names the operations the provider implements; what is not listed is unsupported. Use it once per library.
/// It holds the plugin's only `unsafe` attributes: the two exported names.
#[macro_export]
macro_rules! export_plugin {
    ($provider:ty { $($operation:ident),+ $(,)? }) => {
        #[allow(unsafe_code)]
        const _: () = {
            static OPERATIONS: &[$crate::abi::psa_operation] =
                &[$($crate::sdk::export::operation::<$provider, $crate::sdk::export::by_name::$operation>()),+];
            static PLUGIN: $crate::abi::psa_plugin = $crate::sdk::export::plugin::<$provider>(OPERATIONS);

            #[unsafe(no_mangle)]
            extern "C" fn psa_plugin_entry(_host_abi: u32) -> *const $crate::abi::psa_plugin {
                &PLUGIN
            }

            #[unsafe(no_mangle)]
            extern "C" fn psa_plugin_layout() -> &'static $crate::sdk::export::TypeLayout {
                $crate::abi::layout::layout()
            }

            impl $crate::sdk::export::Exported for $provider {
                const ENTRY: $crate::abi::psa_plugin_entry_fn = Some({
                    unsafe extern "C" fn entry(host_abi: u32) -> *const $crate::abi::psa_plugin {
                        psa_plugin_entry(host_abi)
                    }
                    entry
                });
            }
        };
    };
}
