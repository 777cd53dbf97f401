//! The runtime that a helpdesk product embeds; it names no provider.
//!
//! Holds: [`Host`], the surface, and its rooms.
//! Promises: sockets are opened in [`egress`] and nowhere else; plugins' code runs in [`plugin`] and nowhere else;
//! `unsafe` is in that room, and where a process forks.
//! Leaves to others: the contract with plugins (`psa-host-api`), the C ABI (`psa-ffi`).
#![deny(unsafe_code)]

mod activity;
pub mod cache;
mod callbacks;
mod check;
pub mod clock;
mod config;
mod connections;
mod core;
mod doctor;
pub mod egress;
mod events;
mod fork;
mod host;
mod http;
mod json;
mod links;
mod lists;
mod log;
mod mappings;
#[doc(hidden)]
pub mod measure;
mod methods;
mod outbox;
mod owners;
pub mod plugin;
#[cfg(test)]
mod published;
mod removal;
mod sealed;
mod store;
mod streams;
mod vault;
mod web;
mod works;

pub use callbacks::CallbackConfig;
pub use config::Config;
pub use connections::Connection;
pub use doctor::{doctor, recount, refused_plugins};
pub use host::{Begun, CallOptions, Done, DoorDone, Ended, Event, Hooks, Host, Waiting};
pub use http::{HttpAnswer, HttpRequest, OwnedRequest};
pub use log::LogHook;
pub use outbox::{FailPoint, OutboxConfig};
pub use psa_host_api::{Code, Error};
pub use store::{ConnectionState, StopReason};
pub use streams::{Input, Output};
pub use vault::KeyHook;
#[doc(hidden)]
pub use web::{PublishedRoute, published_routes};

/// The JSON Schemas of all methods, of the configuration, and of who asks for a page, in one object.
pub fn schemas() -> serde_json::Value {
    let mut all = methods::schemas();
    all["config"] = serde_json::to_value(schemars::schema_for!(Config)).unwrap_or_default();
    all["who"] = serde_json::to_value(schemars::schema_for!(web::Who)).unwrap_or_default();
    all
}

/// The reference of all methods, as Markdown.
pub fn reference() -> String {
    methods::reference()
}
