//! The C ABI of the host: what `include/psa_host.h` declares.
//!
//! Holds: the functions products call, the types they pass, and the thread that runs their completions.
//! Promises: a NULL, text that is not UTF-8 or a closed handle is a code, never a crash; no panic crosses; what was
//! handed out stays valid as long as its comment says.
//! Leaves to others: everything the host does (`psa-host`).
#![allow(non_camel_case_types)]

#[cfg(panic = "abort")]
compile_error!("a panic must become PSA_INTERNAL and not end the product: build psa-ffi with panic = \"unwind\"");

mod backlog;
mod call;
mod callbacks;
mod descriptors;
mod doors;
mod events;
mod guard;
mod handle;
mod host;
#[cfg(test)]
mod layout;
mod logs;
mod queue;
mod reply;
mod sized;
mod streams;
mod submit;
mod types;
