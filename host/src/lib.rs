//! The runtime that a helpdesk product embeds; it names no provider.
//!
//! Holds: [`Host`], the surface, and its rooms.
//! Promises: sockets are opened in [`egress`] and nowhere else; plugins' code runs in [`plugin`] and nowhere else, and
//! that is the only room with `unsafe` in it.
//! Leaves to others: the contract with plugins (`psa-host-api`), the C ABI (`psa-ffi`).
#![deny(unsafe_code)]

pub mod cache;
pub mod clock;
mod config;
mod connections;
pub mod egress;
mod host;
mod json;
mod log;
mod methods;
pub mod plugin;
mod store;

pub use config::Config;
pub use connections::{Connection, ConnectionState};
pub use host::{CallOptions, Done, Hooks, Host};
pub use log::LogHook;
pub use psa_host_api::{Code, Error};
