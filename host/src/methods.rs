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
mod rehearse;
mod table;
mod tickets;
mod time;
mod trials;
mod typed;
mod upkeep;
mod waiting;

pub(crate) use table::{Answer, reference, run, schemas};
pub(crate) use typed::typed;

use psa_host_api::Error;

/// The longest id or name of the product's, in bytes.
const WORD_BYTES_MAX: usize = 256;

/// Who acts when nobody is named.
fn product() -> String {
    "product".to_owned()
}

/// Refuses an id or name that is empty, too long, or holds control characters.
fn check_word(field: &str, word: &str) -> Result<(), Error> {
    if word.trim().is_empty() || word.len() > WORD_BYTES_MAX || word.chars().any(char::is_control) {
        let message = format!("must be 1 to {WORD_BYTES_MAX} bytes without control characters");
        return Err(Error::invalid(format!("{field} {message}")).field(format!("/{field}"), "length", message));
    }
    Ok(())
}
