//! The door for code: methods by name, JSON in and out.
//!
//! Holds: the table of methods, and reading their parameters.
//! Promises: an unknown method or field is `invalid_argument` and named; parameters are typed before a rule sees them;
//! each method's schemas are those of the types it runs on.
//! Leaves to others: the rules (`connections`, …), waiting for the end (`host`).

mod connections;
mod members;
mod notes;
mod nothing;
mod plugins;
mod table;
mod tickets;
mod typed;

pub(crate) use table::{Answer, run};
pub(crate) use typed::typed;
