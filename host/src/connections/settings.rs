//! Settings that are to be kept, and what secrets they bind.
//!
//! Promises: all problems are told at once, each by the place where it was entered.

use crate::json::pointer_part;
use crate::sealed::bound_to;
use psa_host_api::Error;
use psa_host_api::form::{Form, Issue, Moment, Params, text};
use psa_host_api::model::{IssueLevel, SettingsIssue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An issue that settings are not kept with.
pub(super) fn error_at(at: String, code: &str, message: impl Into<String>) -> SettingsIssue {
    let (level, params) = (IssueLevel::Error, Params::new());
    SettingsIssue { at, level, code: code.to_owned(), message: message.into(), params }
}

/// The same with what its words are made from, for other languages.
pub(super) fn rule_at<const N: usize>(
    at: String,
    code: &str,
    message: impl Into<String>,
    params: [(&str, &str); N],
) -> SettingsIssue {
    let params = params.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    SettingsIssue { params, ..error_at(at, code, message) }
}

/// One that the form itself has found.
pub(crate) fn issue_of(form: &Form, issue: Issue) -> SettingsIssue {
    SettingsIssue { params: issue.params, ..error_at(at(form, &issue.field), issue.code, issue.message) }
}

/// Where a field was entered.
pub(super) fn at(form: &Form, key: &str) -> String {
    let part = if form.is_secret(key) { "secrets" } else { "settings" };
    format!("/{part}/{}", pointer_part(key))
}

/// What is wrong with settings. `secrets`: the names of those that would be there with them.
pub(super) fn issues_of(
    form: &Form,
    settings: &Map<String, Value>,
    secrets: &[&str],
    moment: Moment<'_>,
) -> Vec<SettingsIssue> {
    let found = form.check_at(settings, secrets, moment).into_iter();
    found.map(|issue| issue_of(form, issue)).collect()
}

/// What is wrong with secrets that are entered under these settings.
pub(super) fn issues_of_secrets(
    form: &Form,
    settings: &Map<String, Value>,
    entered: &BTreeMap<String, SecretString>,
) -> Vec<SettingsIssue> {
    let visible = form.visible(settings);
    let mut issues = Vec::new();
    for (name, value) in entered {
        let at = format!("/secrets/{}", pointer_part(name));
        if !form.is_secret(name) {
            issues.push(error_at(at, "unknown_field", format!("the form has no secret \"{name}\"")));
        } else if !visible.contains(name.as_str()) {
            let message = "is not asked for under these settings";
            issues.push(rule_at(at, "not_shown", message, [("rule", "secret")]));
        } else if let Some(issue) = form.check_secret(name, value.expose_secret()) {
            issues.push(issue_of(form, issue));
        } else if let Some(rival) = form.rivals(name).into_iter().find(|rival| entered.contains_key(*rival)) {
            let message = format!("only one of \"{}\" and \"{}\" can be in use", label(form, name), label(form, rival));
            issues.push(rule_at(at, "exclusive", message, [("rule", "two"), ("one", name), ("other", rival)]));
        }
    }
    issues
}

/// Fixed fields that would change.
pub(super) fn issues_of_fixed(
    form: &Form,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Vec<SettingsIssue> {
    let fixed = form.definition().fields.iter().filter(|field| field.immutable);
    let before = form.normalised(before);
    let changed = fixed.filter(|field| {
        let value = before.get(&field.key).filter(|value| !value.is_null());
        value.is_some() && value != after.get(&field.key)
    });
    let rule = [("rule", "field")];
    changed.map(|field| rule_at(at(form, &field.key), "immutable", "cannot be changed any more", rule)).collect()
}

/// Secrets that stay although what they are for would be another: they would be sent where they were not meant for.
pub(super) fn issues_of_kept(
    form: &Form,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    kept: &[&str],
) -> Vec<SettingsIssue> {
    let visible = form.visible(after);
    let mut issues = Vec::new();
    for name in kept.iter().filter(|name| visible.contains(**name)) {
        let changed: Vec<String> = form.rebound(name, before, after).into_iter().map(|key| label(form, key)).collect();
        if !changed.is_empty() {
            let secret = label(form, name);
            let message = format!(
                "{} changed. Enter \"{secret}\" again, so that it is not sent where it was not meant for.",
                changed.iter().map(|label| format!("\"{label}\"")).collect::<Vec<_>>().join(" and ")
            );
            issues.push(error_at(at(form, name), "rebind", message));
        }
    }
    issues
}

/// What people call a field.
fn label(form: &Form, key: &str) -> String {
    let locale = &form.definition().default_locale;
    let words = form.field(key).map(|field| text(&field.label, locale, locale)).unwrap_or_default();
    if words.is_empty() { key.to_owned() } else { words.to_owned() }
}

/// An error of all that is in the way, or nothing.
pub(super) fn refuse(issues: Vec<SettingsIssue>) -> Result<(), Error> {
    let errors: Vec<SettingsIssue> = issues.into_iter().filter(|issue| issue.level == IssueLevel::Error).collect();
    let Some(first) = errors.first() else { return Ok(()) };
    let field = first.at.rsplit('/').next().unwrap_or_default();
    let message = format!("{field}: {}", first.message);
    let message = if errors.len() > 1 { format!("{message} (and {} more)", errors.len() - 1) } else { message };
    let reason = if errors.iter().all(|issue| issue.code == "rebind") { "rebind" } else { "settings" };
    let error = Error::invalid(format!("the settings are not valid: {message}")).because(reason);
    Err(errors.into_iter().fold(error, |error, issue| error.field(issue.at, &issue.code, issue.message)))
}

/// Where a secret may go under these settings, as a digest.
pub(super) fn bound(form: &Form, name: &str, settings: &Map<String, Value>) -> String {
    bound_to(&form.send_to(name, settings))
}

/// What is kept: what is shown, and what the form does not know any more.
pub(super) fn to_keep(form: &Form, settings: &Map<String, Value>, before: &Map<String, Value>) -> Map<String, Value> {
    let undeclared = before.iter().filter(|(key, _)| form.field(key).is_none());
    let mut keep: Map<String, Value> = undeclared.map(|(key, value)| (key.clone(), value.clone())).collect();
    keep.extend(form.declared(&form.without_invisible(settings)));
    keep
}

/// What has changed, for the activity: old and new values, or only that they did where the form says so.
pub(super) fn changes(form: &Form, before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    use psa_host_api::form::types::Audit;
    let (before, after) = (form.declared(before), form.declared(after));
    let mut changes = Map::new();
    for field in &form.definition().fields {
        let (old, new) = (before.get(&field.key), after.get(&field.key));
        if old != new {
            let told = match field.audit {
                Some(Audit::Changed) => serde_json::json!("changed"),
                _ => serde_json::json!({"from": old, "to": new}),
            };
            changes.insert(field.key.clone(), told);
        }
    }
    changes
}
