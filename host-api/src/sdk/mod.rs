//! The SDK for plugins written in Rust.
//!
//! Holds: [`Provider`], which a plugin implements; [`export_plugin!`](crate::export_plugin), which makes the C table;
//! [`Cx`], through which a plugin reaches everything outside itself; [`testing::TestHost`].
//! Promises: no panic leaves a plugin; a plugin written with it has no thread, socket or file.
//! Leaves to others: the C types (`abi`), what the host does behind them.
//!
//! A plugin builds requests by pure functions and reads answers by pure functions, so that both are tested without
//! I/O; one function per operation sends:
//!
//! ```
//! use psa_host_api::sdk::{Cx, Provider, Request, Settings};
//! use psa_host_api::{Error, model::Ticket, ops::GetTicketRequest};
//!
//! struct Acme { site: String }
//!
//! impl Provider for Acme {
//!     const MANIFEST: &'static str = r#"{"id":"acme","name":"Acme","version":"1.0.0","form":{}}"#;
//!
//!     fn open(settings: &Settings, _cx: &Cx) -> Result<Acme, Error> {
//!         Ok(Acme { site: settings["site"].as_str().unwrap_or_default().to_string() })
//!     }
//!
//!     async fn get_ticket(&self, cx: &Cx, request: GetTicketRequest) -> Result<Ticket, Error> {
//!         let answer = cx.http().send(ticket_request(&self.site, &request.ticket)).await?;
//!         answer.json()
//!     }
//! }
//!
//! fn ticket_request(site: &str, ticket: &str) -> Request {
//!     Request::get(format!("https://{site}/tickets/{ticket}")).secret_header("authorization", "Bearer ", "token")
//! }
//!
//! psa_host_api::export_plugin!(Acme { get_ticket });
//! # fn main() {}
//! ```

/// What a plugin writes into `sdk` of its manifest, so that the host knows whether the layouts can be compared.
pub const VERSION: &str = concat!("psa-host-api ", env!("CARGO_PKG_VERSION"));

mod cache;
mod clock;
mod cx;
#[doc(hidden)]
pub mod export;
mod guard;
mod http;
mod log;
mod provider;
mod storage;
mod task;
pub mod testing;

pub use cache::Cache;
pub use clock::Clock;
pub use cx::{Cx, NO_ANSWER, Settings};
pub use http::{Body, Header, Http, Request, Response};
pub use log::Log;
pub use provider::{Handler, Provider};
pub use storage::{Secrets, Storage};
