//! The two ways to sealed values: a connection's secrets, and what its plugin keeps.
//!
//! Holds: [`ConnectionSecrets`], [`PluginValues`].
//! Promises: secrets leave only through a request that names them, towards the addresses they are bound to.
//! Leaves to others: sealing (`vault`), keeping (`store`).

mod fingerprint;
mod secrets;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use secrets::{ConnectionSecrets, NewSecret, TriedSecrets, bound_to, renamed, seal_secret};
pub(crate) use values::PluginValues;
