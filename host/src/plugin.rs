//! The plugin room: loading other people's code and running it without harm to anybody else.
//!
//! Holds: the loader and its checks, the registry, instances, calls and the services handed in.
//! Promises: whatever a plugin does short of corrupting memory, every call ends, other connections work on, and the
//! message names plugin and operation.
//! Leaves to others: what operations mean (`methods`), HTTP (`egress`), keeping values (`store`).
#![allow(unsafe_code)]

mod calls;
mod instance;
mod loader;
mod outcome;
mod pool;
mod refusal;
mod registry;
mod running;
mod services;
mod table;
mod threads;
mod trust;
mod wire;

pub(crate) use instance::CallContext;
pub(crate) use instance::{Instance, Runtime, Surroundings, Terms};
pub use outcome::NOT_APPLIED;
pub use refusal::{Refusal, Why};
pub use registry::{Registry, Source};
pub use running::Crash;
pub(crate) use running::Running;
pub use table::Plugin;
pub use threads::block_signals;
pub(crate) use trust::{is_ours, user};
