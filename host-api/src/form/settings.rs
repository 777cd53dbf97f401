//! All settings against their form.
//!
//! Holds: which fields are asked for and when ([`Moment`]), what is wrong with settings ([`Issue`]), and how they are
//! written down ([`normalised`]).
//! Leaves to others: one value (`value`), when a field is shown (`Form::visible`).

use super::Form;
use super::condition::is_set;
use super::types::*;
use super::value::{Problem, may_have_path, problem};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One thing that is wrong with settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The field.
    pub field: String,
    /// Stable: `unknown`, `required`, `type`, `min`, `max`, `step`, `pattern`, `format`, `option`, `twice`, `address`,
    /// `secret`.
    pub code: &'static str,
    /// For people, in the form's default language where the form has words for it.
    pub message: String,
    /// What the words are made from, for other languages.
    pub params: Params,
}

/// What words are made from: `rule`, which of the code's rules it is, and the names and numbers in them.
pub type Params = BTreeMap<String, String>;

impl Issue {
    pub(super) fn of(field: &str, problem: Problem) -> Issue {
        let Problem { code, message, params } = problem;
        Issue { field: field.to_owned(), code, message, params }
    }
}

/// When settings are looked at. What they may lack differs; what they hold must be right at any time.
#[derive(Debug, Clone, Copy)]
pub enum Moment<'a> {
    /// All that is shown and required must be there.
    Whole,
    /// A connection begins: later steps are filled in once it can sign in.
    Creation,
    /// They take the place of these: what can only be chosen after a test may be missing as it was.
    Change(&'a Map<String, Value>),
}

impl Moment<'_> {
    fn asks_for(self, form: &Form, field: &Field) -> bool {
        let group = form.definition.groups.iter().find(|group| group.key == field.group);
        match self {
            Moment::Whole => true,
            Moment::Creation => group.and_then(|group| group.step).is_none_or(|step| step <= 1),
            Moment::Change(before) => {
                let after_test = group.is_some_and(|group| group.needs.is_some());
                !after_test || before.get(&field.key).is_some_and(is_set)
            }
        }
    }
}

/// All problems of settings.
pub(super) fn check(form: &Form, settings: &Map<String, Value>, secrets: &[&str], moment: Moment<'_>) -> Vec<Issue> {
    let mut issues = Vec::new();
    let say = |issues: &mut Vec<Issue>, field: &str, code: &'static str, rule: &str, message: &str| {
        let params = Params::from([("rule".to_owned(), rule.to_owned())]);
        issues.push(Issue { field: field.to_owned(), code, message: message.to_owned(), params });
    };
    for key in settings.keys().map(String::as_str).chain(secrets.iter().copied()) {
        if form.field(key).is_none() {
            say(
                &mut issues,
                &key.chars().take(64).collect::<String>(),
                "unknown",
                "field",
                "the form has no such field",
            );
        }
    }
    for key in secrets.iter().filter(|key| form.field(key).is_some() && !form.is_secret(key)) {
        say(&mut issues, key, "secret", "no", "is not a secret; it belongs into the settings");
    }
    let visible = form.visible(settings);
    for field in &form.definition.fields {
        let is_shown = visible.contains(field.key.as_str());
        let asked = is_shown && field.required && moment.asks_for(form, field);
        let value = settings.get(&field.key);
        if field.kind == FieldType::Secret {
            // Also while it is not shown: settings are no place for it.
            if value.is_some() {
                say(&mut issues, &field.key, "secret", "yes", "is a secret; it does not belong into the settings");
            } else if asked && !form.makes(&field.key) && !secrets.contains(&field.key.as_str()) {
                say(&mut issues, &field.key, "required", "secret", "must be entered");
            }
            continue;
        }
        match value.filter(|value| is_set(value)) {
            None if asked => say(&mut issues, &field.key, "required", "field", "must be filled in"),
            Some(value) if is_shown => {
                let pattern = form.patterns.get(&field.key);
                if let Some(problem) = problem(field, value, pattern, &form.definition.default_locale) {
                    issues.push(Issue::of(&field.key, problem));
                }
            }
            _ => {}
        }
    }
    issues
}

/// Settings as they are written down: without blanks around texts, line ends as one sign, addresses in one form. What
/// does not fit its field's type stays as it is, so that the check names it.
pub(super) fn normalised(form: &Form, settings: &Map<String, Value>) -> Map<String, Value> {
    let one = |(key, value): (&String, &Value)| {
        let value = match form.field(key) {
            Some(field) => normalised_value(field, value),
            None => value.clone(),
        };
        (key.clone(), value)
    };
    settings.iter().map(one).collect()
}

fn normalised_value(field: &Field, value: &Value) -> Value {
    let trims = field.trim != Some(false);
    let trimmed = |text: &str| if trims { text.trim().to_owned() } else { text.to_owned() };
    match (field.kind, value) {
        (FieldType::Text, Value::String(text)) => Value::String(trimmed(text)),
        (FieldType::Email | FieldType::Duration | FieldType::Number, Value::String(text)) => {
            Value::String(text.trim().to_owned())
        }
        (FieldType::Textarea, Value::String(text)) => Value::String(text.replace("\r\n", "\n").replace('\r', "\n")),
        (FieldType::Url, Value::String(text)) => {
            let text = text.trim();
            match url::Url::parse(text) {
                Ok(url) if may_have_path(field) => Value::String(url.to_string()),
                Ok(url) if url.path() == "/" => Value::String(url.as_str().trim_end_matches('/').to_owned()),
                _ => Value::String(text.to_owned()),
            }
        }
        (FieldType::List, Value::Array(items)) => {
            let line = |item: &Value| match item {
                Value::String(text) => Some(Value::String(text.trim().to_owned())).filter(is_set),
                other => Some(other.clone()),
            };
            Value::Array(items.iter().filter_map(line).collect())
        }
        (_, value) => value.clone(),
    }
}

/// Whether a text can be a key.
pub(super) fn is_key(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
