//! The door for code: methods by name, JSON in and out.
//!
//! Holds: the table of methods, and reading their parameters.
//! Promises: an unknown method or field is `invalid_argument` and named; parameters are typed before a rule sees them;
//! each method's schemas are those of the types it runs on.
//! Leaves to others: the rules (`connections`, `outbox`, …), waiting for the end (`host`).

mod attachments;
mod callbacks;
mod changes;
mod companies;
mod connections;
mod copying;
mod events;
mod history;
mod links;
mod mappings;
mod members;
mod notes;
mod nothing;
mod operations;
mod paging;
mod plugins;
mod priorities;
mod reference;
mod rehearse;
mod table;
mod theme;
mod tickets;
mod time;
mod trials;
mod typed;
mod upkeep;
mod waiting;

pub(crate) use table::{Answer, Begun, begin, reference, schemas};
pub(crate) use typed::typed;

use crate::check::check_word;

/// Who acts when nobody is named.
fn product() -> String {
    "product".to_owned()
}
