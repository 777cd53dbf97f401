//! Settings that are to be kept, and what secrets they bind.

use crate::sealed::bound_to;
use psa_host_api::Error;
use psa_host_api::form::Form;
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The settings to keep: complete, without what the form does not show. `kept`: secrets that are there already.
pub(super) fn checked(
    form: &Form,
    settings: Map<String, Value>,
    secrets: &BTreeMap<String, SecretString>,
    kept: &[String],
) -> Result<Map<String, Value>, Error> {
    let given: Vec<&str> = secrets.keys().chain(kept).map(String::as_str).collect();
    let settings = form.apply_defaults(&settings);
    let issues = form.check_settings(&settings, &given);
    if issues.is_empty() {
        return Ok(form.without_invisible(&settings));
    }
    let first = &issues[0];
    let message = format!("{}: {}", first.field, first.message);
    let message = if issues.len() > 1 { format!("{message} (and {} more)", issues.len() - 1) } else { message };
    let error = Error::invalid(format!("the settings are not valid: {message}")).because("settings");
    Err(issues.into_iter().fold(error, |error, issue| {
        let part = if form.is_secret(&issue.field) { "secrets" } else { "settings" };
        error.field(format!("/{part}/{}", issue.field), issue.code, issue.message)
    }))
}

/// Where a secret may go under these settings, as a digest.
pub(super) fn bound(form: &Form, name: &str, settings: &Map<String, Value>) -> String {
    bound_to(&form.send_to(name, settings))
}

/// Refuses secrets that the form does not have.
pub(super) fn known_secrets(form: &Form, secrets: &BTreeMap<String, SecretString>) -> Result<(), Error> {
    match secrets.keys().find(|name| !form.is_secret(name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!("the form has no secret \"{name}\"");
            Err(Error::invalid(message.clone()).because("settings").field(
                format!("/secrets/{name}"),
                "unknown_field",
                message,
            ))
        }
    }
}
