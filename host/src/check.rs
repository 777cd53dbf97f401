//! Checks that both doors make.

use psa_host_api::Error;

/// The longest id or name of the product's, in bytes.
const WORD_BYTES_MAX: usize = 256;

/// Refuses an id or name that is empty, too long, or holds control characters.
pub(crate) fn check_word(field: &str, word: &str) -> Result<(), Error> {
    if word.trim().is_empty() || word.len() > WORD_BYTES_MAX || word.chars().any(char::is_control) {
        let message = format!("must be 1 to {WORD_BYTES_MAX} bytes without control characters");
        return Err(Error::invalid(format!("{field} {message}")).field(format!("/{field}"), "length", message));
    }
    Ok(())
}
