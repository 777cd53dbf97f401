//! The runtime that a helpdesk product embeds; it names no provider.
//!
//! Holds: time and randomness ([`clock`]), and what goes out over HTTP ([`egress`]).
//! Promises: sockets are opened in [`egress`] and nowhere else.
//! Leaves to others: the contract with plugins (`psa-host-api`).
#![forbid(unsafe_code)]

pub mod clock;
pub mod egress;
