//! The contract between psa-bridge and its plugins.
//!
//! Holds: the C ABI of plugins ([`abi`]), the domain model ([`model`]), the table of operations ([`ops`]), the
//! codes and errors ([`error`]), the manifest ([`manifest`]), the form of a connection's settings ([`form`]), what
//! JSON has to be ([`json`]) and the SDK for plugins written in Rust ([`sdk`]).
//! Promises: knows neither the host nor any provider.
//! Leaves to others: everything that runs.

pub mod abi;
pub mod error;
pub mod form;
pub mod json;
pub mod manifest;
pub mod model;
pub mod ops;
pub mod sdk;

pub use error::{Code, Error};
