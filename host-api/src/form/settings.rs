//! Values against the rules of their fields.

use super::Form;
use super::condition::is_set;
use super::types::*;
use regex::Regex;
use serde_json::{Map, Value, json};

/// One thing that is wrong with settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The field.
    pub field: String,
    /// Stable: `unknown`, `required`, `type`, `min`, `max`, `step`, `pattern`, `format`, `option`, `address`, `secret`.
    pub code: &'static str,
    /// For people, in the form's default language where the form has words for it.
    pub message: String,
}

/// Texts above this are refused whatever the form says, in characters.
const TEXT_CHARS_MAX: usize = 64 * 1024;

/// All problems of settings.
pub(super) fn check(form: &Form, settings: &Map<String, Value>, secrets: &[&str]) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut say = |field: &str, code: &'static str, message: String| {
        issues.push(Issue { field: field.to_owned(), code, message });
    };
    for key in settings.keys().map(String::as_str).chain(secrets.iter().copied()) {
        if form.field(key).is_none() {
            say(&key.chars().take(64).collect::<String>(), "unknown", "the form has no such field".to_owned());
        }
    }
    for key in secrets.iter().filter(|key| form.field(key).is_some() && !form.is_secret(key)) {
        say(key, "secret", "is not a secret; it belongs into the settings".to_owned());
    }
    let visible = form.visible(settings);
    for field in form.definition.fields.iter().filter(|field| visible.contains(field.key.as_str())) {
        let value = settings.get(&field.key);
        if field.kind == FieldType::Secret {
            if value.is_some() {
                say(&field.key, "secret", "is a secret; it does not belong into the settings".to_owned());
            } else if field.required && !secrets.contains(&field.key.as_str()) {
                say(&field.key, "required", "must be entered".to_owned());
            }
            continue;
        }
        match value.filter(|value| is_set(value)) {
            None if field.required => say(&field.key, "required", "must be filled in".to_owned()),
            None => {}
            Some(value) => {
                let pattern = form.patterns.get(&field.key);
                if let Some((code, message)) = problem(field, value, pattern, &form.definition.default_locale) {
                    say(&field.key, code, message);
                }
            }
        }
    }
    issues
}

/// What is wrong with a value, or nothing.
pub(super) fn problem(
    field: &Field,
    value: &Value,
    pattern: Option<&Regex>,
    locale: &str,
) -> Option<(&'static str, String)> {
    of_type(field, value)
        .or_else(|| field.validate.as_ref().and_then(|rules| of_rules(field, rules, value, pattern, locale)))
        .or_else(|| of_options(field, value))
}

fn of_type(field: &Field, value: &Value) -> Option<(&'static str, String)> {
    use FieldType::*;
    let whole = field.value_type == Some(ValueType::Int);
    let (fits, wanted) = match field.kind {
        Text => (value.as_str().is_some_and(|text| !text.contains(['\n', '\r'])), "one line of text"),
        Textarea => (value.is_string(), "text"),
        Email => (value.as_str().is_some_and(is_email), "an e-mail address"),
        Url => return value.as_str().map_or(Some(wrong_type("an address")), |text| of_address(field, text)),
        Bool => (value.is_boolean(), "true or false"),
        Number if whole => (value.is_i64(), "a whole number"),
        Number => (value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok()), "a number"),
        Select | Radio if whole => (value.is_i64(), "a whole number"),
        Select | Radio => (value.is_string(), "text"),
        Multiselect | List => {
            let items = value.as_array();
            (
                items.is_some_and(|items| items.iter().all(|item| item.is_string() || (whole && item.is_i64()))),
                "a list of texts",
            )
        }
        Duration => (value.as_str().is_some_and(|text| seconds(text).is_some()), "a duration such as PT5M"),
        Computed | Notice | Secret => (false, "nothing: it is not stored in the settings"),
    };
    if !fits {
        return Some(wrong_type(wanted));
    }
    let too_long = value.as_str().is_some_and(|text| text.chars().count() > TEXT_CHARS_MAX);
    too_long.then(|| ("max", format!("must have at most {TEXT_CHARS_MAX} characters")))
}

fn wrong_type(wanted: &str) -> (&'static str, String) {
    ("type", format!("must be {wanted}"))
}

fn is_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && is_hostname(host)) && !text.contains(char::is_whitespace)
}

fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = text.split('-');
    let fits = |length: &usize| {
        parts.next().is_some_and(|part| part.len() == *length && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    lengths.iter().all(fits) && parts.next().is_none()
}

fn of_address(field: &Field, text: &str) -> Option<(&'static str, String)> {
    let bad = |message: String| Some(("address", message));
    let https = ["https".to_owned()];
    let schemes = field.validate.as_ref().and_then(|rules| rules.schemes.as_deref()).unwrap_or(&https);
    let Ok(url) = url::Url::parse(text) else {
        return bad(format!("must be a whole address, {}://host", schemes[0]));
    };
    if !schemes.iter().any(|scheme| scheme == url.scheme()) {
        return bad(format!("must begin with {}://", schemes.join(":// or ")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return bad("must not hold a user name or password".to_owned());
    }
    let no_path = field.validate.as_ref().and_then(|rules| rules.path) != Some(PathRule::Allow);
    if no_path && (url.path() != "/" || url.query().is_some() || url.fragment().is_some()) {
        return bad("must end after the host and port".to_owned());
    }
    None
}

fn of_rules(
    field: &Field,
    rules: &Rules,
    value: &Value,
    pattern: Option<&Regex>,
    locale: &str,
) -> Option<(&'static str, String)> {
    let has = measure(field.kind, value);
    let limit = |limit: &Option<Value>| limit.as_ref().and_then(|limit| size(field.kind, limit));
    let counted = match field.kind {
        FieldType::Number | FieldType::Duration => "",
        FieldType::List | FieldType::Multiselect => " entries",
        _ => " characters",
    };
    let shown = |limit: &Option<Value>| match limit {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    if let (Some(has), Some(min)) = (has, limit(&rules.min))
        && has < min
    {
        return Some(("min", format!("must be at least {}{counted}", shown(&rules.min))));
    }
    if let (Some(has), Some(max)) = (has, limit(&rules.max))
        && has > max
    {
        return Some(("max", format!("must be at most {}{counted}", shown(&rules.max))));
    }
    if let (Some(has), Some(step)) = (has, limit(&rules.step))
        && step > 0.0
        && (has / step - (has / step).round()).abs() > 1e-9
    {
        return Some(("step", format!("must be a multiple of {}", shown(&rules.step))));
    }
    let texts = || value.as_str().into_iter().chain(value.as_array().into_iter().flatten().filter_map(Value::as_str));
    if let Some(pattern) = pattern
        && !texts().all(|text| pattern.is_match(text))
    {
        let hint = rules.pattern_hint.as_ref().and_then(|hint| hint.get(locale));
        return Some(("pattern", hint.cloned().unwrap_or_else(|| "is not of the form that is wanted".to_owned())));
    }
    match rules.format {
        Some(Format::Uuid) if !texts().all(is_uuid) => {
            Some(("format", "must be a UUID: 8-4-4-4-12 hexadecimal digits".to_owned()))
        }
        Some(Format::Hostname) if !texts().all(is_hostname) => Some(("format", "must be a host name".to_owned())),
        _ => None,
    }
}

fn of_options(field: &Field, value: &Value) -> Option<(&'static str, String)> {
    let choices = field.options.as_ref()?.fixed.as_ref()?;
    let known = |value: &Value| choices.iter().any(|choice| choice.value == *value);
    let fits = match value {
        Value::Array(items) => items.iter().all(known),
        value => known(value),
    };
    if fits {
        return None;
    }
    let all: Vec<String> = choices.iter().map(|choice| choice.value.to_string().trim_matches('"').to_owned()).collect();
    Some(("option", format!("must be one of {}", all.join(", "))))
}

/// What a limit of a field of this type means, as a number.
pub(super) fn size(kind: FieldType, limit: &Value) -> Option<f64> {
    match kind {
        FieldType::Duration => limit.as_str().and_then(seconds),
        FieldType::Number => limit.as_f64(),
        _ => limit.as_u64().map(|limit| limit as f64),
    }
}

/// What is compared with the limits.
fn measure(kind: FieldType, value: &Value) -> Option<f64> {
    match (kind, value) {
        (FieldType::Duration, Value::String(text)) => seconds(text),
        (FieldType::Number, Value::String(text)) => text.parse().ok(),
        (FieldType::Number, value) => value.as_f64(),
        (_, Value::String(text)) => Some(text.chars().count() as f64),
        (_, Value::Array(items)) => Some(items.len() as f64),
        _ => None,
    }
}

/// Seconds of an ISO 8601 duration of days, hours, minutes and seconds.
fn seconds(text: &str) -> Option<f64> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    let total = parts(days, &[('D', 86_400)])?.checked_add(parts(time, &[('H', 3600), ('M', 60), ('S', 1)])?)?;
    (!rest.is_empty()).then_some(total as f64)
}

/// The sum of `12H34M`, units in this order, each at most once.
fn parts(mut text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut total: u64 = 0;
    for (unit, weight) in units {
        let Some((number, rest)) = text.split_once(*unit) else { continue };
        if number.is_empty() || number.len() > 9 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*weight)?)?;
        text = rest;
    }
    text.is_empty().then_some(total)
}

/// Whether a text can be a key.
pub(super) fn is_key(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// JSON Schema of the settings.
pub(super) fn schema(form: &Form) -> Value {
    let stored = form.definition.fields.iter();
    let stored =
        stored.filter(|field| !matches!(field.kind, FieldType::Secret | FieldType::Computed | FieldType::Notice));
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for field in stored {
        properties.insert(field.key.clone(), schema_of(field));
        if field.required && field.when.is_none() {
            required.push(json!(field.key));
        }
    }
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn schema_of(field: &Field) -> Value {
    let scalar = if field.value_type == Some(ValueType::Int) { "integer" } else { "string" };
    let choices = field.options.as_ref().and_then(|options| options.fixed.as_ref());
    let choices: Option<Vec<&Value>> = choices.map(|choices| choices.iter().map(|choice| &choice.value).collect());
    let mut schema = match field.kind {
        FieldType::Bool => json!({"type": "boolean"}),
        FieldType::Number if scalar == "string" => json!({"type": ["number", "string"]}),
        FieldType::List | FieldType::Multiselect => json!({"type": "array", "items": {"type": scalar}}),
        _ => json!({"type": scalar}),
    };
    if let Some(choices) = choices {
        let place = if schema["type"] == "array" { &mut schema["items"] } else { &mut schema };
        place["enum"] = json!(choices);
    }
    schema
}
