//! Error bodies. Source: samples/errors, facts 5.

use super::query::ConditionError;
use crate::http::Reply;
use serde_json::{Value, json};

pub(super) fn cannot_route() -> Reply {
    Reply::of(400, "text/plain", "Cannot route. Codebase/company is invalid")
}

pub(super) fn no_endpoint() -> Reply {
    Reply::json(404, &json!({"code": "ConnectWiseApi", "message": "The endpoint does not exist."}))
}

pub(super) fn not_allowed() -> Reply {
    Reply::json(
        405,
        &json!({"code": "ConnectWiseApi", "message": "The requested resource does not support this method."}),
    )
}

pub(super) fn not_found(what: &str, id: &str) -> Reply {
    Reply::json(404, &json!({"code": "NotFound", "message": format!("{what} {id} not found")}))
}

pub(super) fn forbidden() -> Reply {
    let message = "You do not have security permission to perform this action.";
    Reply::json(403, &json!({"code": "Security", "message": message}))
}

pub(super) fn condition(error: &ConditionError) -> Reply {
    Reply::json(400, &json!({"code": error.code, "message": error.message}))
}

/// What a list of companies says to forward-only paging. Source: facts 3.6.
pub(super) fn not_boolean() -> Reply {
    Reply::json(500, &json!({"code": "ConnectWiseApi", "message": "String was not recognized as a valid Boolean."}))
}

/// The body could not be read into the model.
pub(super) fn not_read(message: impl Into<String>) -> Reply {
    Reply::json(400, &json!({"code": "ConnectWiseApi", "message": message.into()}))
}

/// One thing wrong with a record.
pub(super) struct Invalid {
    /// `MissingRequiredField`, `MaxLengthField`, `NotFound`…; empty: the sample has none.
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) field: &'static str,
}

pub(super) fn invalid(resource: &str, errors: &[Invalid]) -> Reply {
    let errors: Vec<Value> = errors
        .iter()
        .map(|error| {
            let mut value = json!({"message": error.message});
            if !error.code.is_empty() {
                value["code"] = json!(error.code);
                value["resource"] = json!(resource);
                value["field"] = json!(error.field);
            }
            value
        })
        .collect();
    let message = format!("{resource} object is invalid");
    Reply::json(400, &json!({"code": "InvalidObject", "message": message, "errors": errors}))
}
