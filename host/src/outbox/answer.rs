//! What the outcome of a writing operation means for the operation.
//!
//! Promises: what left this machine decides first, the provider's word second; a misreading errs towards a doubt.

use psa_host_api::error::SpeaksOf;
use psa_host_api::{Code, Error};
use serde_json::Value;

/// What an answer to a write means.
pub(super) enum Answer<T> {
    Applied(T),
    Refused(Error),
    /// Nothing was applied: it is about the connection.
    Back(Error),
    Doubt(Error, bool),
}

/// Reads the outcome of a writing operation.
pub(super) fn judge<T>(outcome: Result<T, Error>) -> Answer<T> {
    let error = match outcome {
        Ok(applied) => return Answer::Applied(applied),
        Err(error) => error,
    };
    let detail = |name: &str| error.details.as_ref().map_or(&Value::Null, |details| &details[name]);
    let answered_well = detail("wire_status").as_u64().is_some_and(|status| (200..300).contains(&status));
    match detail("wire").as_str() {
        Some("nothing_sent") if mistake(&error) => Answer::Refused(error),
        Some("nothing_sent") => Answer::Back(error),
        Some(_) if error.code.may_be_applied() => Answer::Doubt(error, answered_well),
        Some(_) if error.speaks_of == Some(SpeaksOf::Operation) || mistake(&error) => Answer::Refused(error),
        Some(_) => Answer::Back(error),
        // It never came to the plugin, unless that is unclear.
        None if error.code.may_be_applied() => Answer::Doubt(error, false),
        None => Answer::Back(error),
    }
}

/// Whether the operation itself is wrong, so that trying again cannot help.
fn mistake(error: &Error) -> bool {
    error.speaks_of == Some(SpeaksOf::Operation)
        || matches!(error.code, Code::InvalidArgument | Code::TooLarge | Code::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(code: Code, details: Value, about: Option<SpeaksOf>) -> &'static str {
        let error = Error { details: Some(details), speaks_of: about, ..Error::new(code, "x") };
        match judge::<()>(Err(error)) {
            Answer::Applied(()) => "applied",
            Answer::Refused(_) => "refused",
            Answer::Back(_) => "back",
            Answer::Doubt(_, true) => "doubt, never again",
            Answer::Doubt(_, false) => "doubt",
        }
    }

    #[test]
    fn what_left_decides_first_and_a_misreading_errs_towards_doubt() {
        let operation = Some(SpeaksOf::Operation);
        for (code, details, about, means) in [
            (Code::Unavailable, json!({"wire": "nothing_sent"}), None, "back"),
            (Code::Timeout, json!({"wire": "nothing_sent"}), None, "back"),
            (Code::InvalidArgument, json!({"wire": "nothing_sent"}), operation, "refused"),
            (Code::Rejected, json!({"wire": "nothing_sent"}), operation, "refused"),
            (Code::OutcomeUnknown, json!({"wire": "in_doubt"}), None, "doubt"),
            (Code::OutcomeUnknown, json!({"wire": "answered", "wire_status": 500}), None, "doubt"),
            (Code::OutcomeUnknown, json!({"wire": "answered", "wire_status": 201}), None, "doubt, never again"),
            (Code::Internal, json!({"wire": "answered", "wire_status": 400}), None, "doubt"),
            (Code::Unauthenticated, json!({"wire": "answered", "wire_status": 401}), None, "back"),
            (Code::Forbidden, json!({"wire": "answered", "wire_status": 403}), None, "back"),
            (Code::NotFound, json!({"wire": "answered", "wire_status": 404}), None, "back"),
            (Code::NotFound, json!({"wire": "answered", "wire_status": 404}), operation, "refused"),
            (Code::Rejected, json!({"wire": "answered", "wire_status": 400}), operation, "refused"),
            (Code::Rejected, json!({"wire": "answered", "wire_status": 400}), None, "back"),
            (Code::RateLimited, json!({"wire": "answered", "wire_status": 429}), None, "back"),
            (Code::NotFound, json!(null), None, "back"),
            (Code::Internal, json!(null), None, "doubt"),
        ] {
            assert_eq!(judged(code, details.clone(), about), means, "{code:?} {details} {about:?}");
        }
    }
}
