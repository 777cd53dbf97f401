//! The C ABI of plugins, as Rust types; `psa_common.h` and `psa_plugin.h` are generated from this folder.
//!
//! Holds: the `repr(C)` types both sides share, under the names they have in C.
//! Promises: structs with `size` grow at the end only; all others never change; no hidden padding.
//! Leaves to others: the prose of the headers (`*.h.in` beside this file), what is safe to do with them (the SDK
//! and the host's plugin room).
#![allow(non_camel_case_types)]

mod bytes;
mod call;
mod code;
mod http;
pub mod layout;
mod plugin;
mod services;

pub use bytes::*;
pub use call::*;
pub use code::*;
pub use http::*;
pub use plugin::*;
pub use services::*;
