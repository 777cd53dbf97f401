//! What a ConnectWise list request may ask for: `conditions`, `childConditions`, `customFieldConditions`, `orderBy`, `fields`.
//!
//! Holds: the parsers, their evaluation over JSON records, and the tables of names a resource knows.
//! Promises: no input makes it panic, recurse without bound or allocate without bound; what a real server refuses is refused here.
//! Leaves to others: reading the parameters from the request, pages, and the status 400 around a [`ConditionError`].
//!
//! Where the facts are silent, the answer chosen is the one that makes a careless client fail here rather than at a customer;
//! such places say `(assumed)`.

mod child;
mod evaluate;
mod fields;
mod filter;
mod lex;
mod like;
mod names;
mod order;
mod path;
mod record_tables;
mod tables;

pub use fields::{check as check_fields, project};
pub use filter::Filter;
pub use names::Names;
pub use order::Order;

/// The longest accepted parameter, in bytes. A URL ends near 10,000 characters, a `/search` body may say more.
/// Source: facts 3.2 for the URL; the number is ours.
pub const INPUT_BYTES_MAX: usize = 64 * 1024;

/// How deep parentheses may be nested. Ours: no limit is documented.
pub const DEPTH_MAX: usize = 64;

/// How many members one path may pass through.
pub const PATH_PARTS_MAX: usize = 8;

/// What the server says to every malformed literal. Source: samples, "malformed literal in conditions".
const LITERAL_HELP: &str = "String values should be enclosed with double or single quotes; DateTime values should be enclosed in square \
    brackets; numbers should consist of only digits, and optionally a decimal point and a negation sign; boolean values should be indicated \
    with the keywords true or false; null values should be indicated by the keyword null.";

/// Why a parameter is refused; the body of a 400 answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    /// The member `code` of the body.
    pub code: &'static str,
    /// The member `message` of the body.
    pub message: String,
}

impl ConditionError {
    /// All kinds of bad conditions share one code. Source: facts 3.3 and 5.2.
    pub const CODE: &'static str = "ApiFindCondition";

    fn new(message: String) -> ConditionError {
        ConditionError { code: Self::CODE, message }
    }

    /// A name the resource does not have. Source: facts 3.3.
    fn unknown_name(name: &str) -> ConditionError {
        Self::new(format!("{} is not a recognized name.", excerpt(name)))
    }

    /// A text that is not one of the values of an enum. Source: samples, "bad enum value in conditions".
    fn bad_enum() -> ConditionError {
        Self::new("Enum value supplied was invalid".to_owned())
    }

    /// A literal of another type than the field, or none at all: `wanted` and `found` are words such as `boolean`.
    fn bad_literal(wanted: &str, found: &str) -> ConditionError {
        let article = if wanted.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        Self::new(format!("Expected {article} {wanted} value, not a {found}. {LITERAL_HELP}"))
    }

    /// Anything else that cannot be read; the wording is ours (assumed), the code is not.
    fn syntax(what: impl std::fmt::Display) -> ConditionError {
        Self::new(format!("The condition could not be read: {what}."))
    }
}

impl std::fmt::Display for ConditionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ConditionError {}

/// The beginning of a piece of input, so that an error never repeats a huge one.
fn excerpt(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Refuses what is too long to be looked at.
fn check_size(text: &str) -> Result<(), ConditionError> {
    if text.len() <= INPUT_BYTES_MAX {
        return Ok(());
    }
    Err(ConditionError::syntax(format_args!("it has {} bytes, at most {INPUT_BYTES_MAX} are read", text.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_kinds_of_refusal_are_worded_as_the_server_words_them() {
        let rows = [
            (ConditionError::unknown_name("board/name"), "board/name is not a recognized name."),
            (ConditionError::bad_enum(), "Enum value supplied was invalid"),
        ];
        for (error, message) in rows {
            assert_eq!((error.code, error.message.as_str()), ("ApiFindCondition", message));
        }
        let literal = ConditionError::bad_literal("boolean", "numeric");
        assert!(
            literal.message.starts_with("Expected a boolean value, not a numeric. String values should be enclosed")
        );
        assert!(literal.message.ends_with("square brackets; numbers should consist of only digits, and optionally a decimal point and a negation sign; boolean values should be indicated with the keywords true or false; null values should be indicated by the keyword null."));
    }

    #[test]
    fn a_huge_name_is_not_repeated_in_full() {
        let filter = Filter::parse(&format!("{}=1", "é".repeat(200))).unwrap();
        let error = filter.check(Names::tickets()).unwrap_err();
        assert!(error.message.chars().count() < 200, "{}", error.message);
    }
}
