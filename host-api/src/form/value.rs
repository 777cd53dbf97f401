//! One value against the type and the rules of its field.

use super::grammar::{BILLION, WHOLE_MAX, decimal, is_email, is_hostname, is_line, is_uuid, seconds};
use super::settings::Params;
use super::types::*;
use regex::Regex;
use serde_json::Value;
use std::net::IpAddr;
use url::Url;

/// Texts above this are refused whatever the form says, in characters.
pub(super) const TEXT_CHARS_MAX: usize = 64 * 1024;
/// Lists above this are refused whatever the form says.
pub(super) const ITEMS_MAX: usize = 1000;

/// What is wrong with a value.
pub(super) struct Problem {
    /// Stable.
    pub(super) code: &'static str,
    /// For people, in English, or in the form's default language where the form has words for it.
    pub(super) message: String,
    /// What the words are made from.
    pub(super) params: Params,
}

/// A rule that is broken; `params` are what is named in the words.
fn broken<const N: usize>(code: &'static str, rule: &str, params: [(&str, &str); N], message: String) -> Problem {
    let rule = [("rule", rule)].into_iter().chain(params);
    Problem { code, message, params: rule.map(|(name, value)| (name.to_owned(), value.to_owned())).collect() }
}

/// What is wrong with a value, or nothing.
pub(super) fn problem(field: &Field, value: &Value, pattern: Option<&Regex>, locale: &str) -> Option<Problem> {
    of_type(field, value)
        .or_else(|| field.validate.as_ref().and_then(|rules| of_rules(field, rules, value, pattern, locale)))
        .or_else(|| of_options(field, value))
}

/// Whether a choice or a number of this field is stored as a whole number.
pub(super) fn is_whole(field: &Field) -> bool {
    match field.value_type {
        Some(of) => of == ValueType::Int,
        None => field.kind == FieldType::Number,
    }
}

fn is_whole_number(value: &Value) -> bool {
    value.as_i64().is_some_and(|number| (-WHOLE_MAX..=WHOLE_MAX).contains(&number))
}

fn of_type(field: &Field, value: &Value) -> Option<Problem> {
    use FieldType::*;
    let whole = is_whole(field);
    let items = || value.as_array().map(Vec::as_slice).unwrap_or_default();
    let (fits, rule, wanted) = match field.kind {
        Text => (value.as_str().is_some_and(is_line), "line", "one line of text"),
        Secret | Textarea => (value.is_string(), "text", "text"),
        Email => (value.as_str().is_some_and(is_email), "email", "an e-mail address"),
        Url => {
            return value.as_str().map_or(Some(wrong_type("address", "an address")), |text| of_address(field, text));
        }
        Bool => (value.is_boolean(), "flag", "true or false"),
        Number if whole => (is_whole_number(value), "whole", "a whole number"),
        Number => {
            let is_number = value.as_str().is_some_and(|text| decimal(text).is_some());
            (is_number, "decimal", "a number such as \"12.5\", as text")
        }
        Select | Radio if whole => (is_whole_number(value), "whole", "a whole number"),
        Select | Radio => (value.is_string(), "text", "text"),
        Multiselect if whole => {
            (value.is_array() && items().iter().all(is_whole_number), "wholes", "a list of whole numbers")
        }
        Multiselect => (value.is_array() && items().iter().all(Value::is_string), "texts", "a list of texts"),
        List => {
            let line = |item: &Value| item.as_str().is_some_and(|text| !text.is_empty() && is_line(text));
            (value.is_array() && items().iter().all(line), "lines", "a list of texts, each one line")
        }
        Duration => (value.as_str().is_some_and(|text| seconds(text).is_some()), "duration", "a duration such as PT5M"),
        Computed | Notice => (false, "nothing", "nothing: it is not stored in the settings"),
    };
    if !fits {
        return Some(wrong_type(rule, wanted));
    }
    let twice = |(position, item): (usize, &Value)| items().iter().take(position).any(|earlier| earlier == item);
    if field.kind == Multiselect && items().iter().enumerate().any(twice) {
        return Some(broken("twice", "entry", [], "must hold each entry once".to_owned()));
    }
    let most =
        |rule: &str, limit: usize, message: String| broken("max", rule, [("limit", &limit.to_string())], message);
    if items().len() > ITEMS_MAX {
        return Some(most("entries", ITEMS_MAX, format!("must be at most {ITEMS_MAX} entries")));
    }
    let too_long = texts(value).any(|text| text.chars().count() > TEXT_CHARS_MAX);
    too_long.then(|| most("characters", TEXT_CHARS_MAX, format!("must have at most {TEXT_CHARS_MAX} characters")))
}

fn wrong_type(rule: &str, wanted: &str) -> Problem {
    broken("type", rule, [], format!("must be {wanted}"))
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_str().into_iter().chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}

/// The schemes an address may have.
pub(super) fn schemes(field: &Field) -> Vec<String> {
    let named = field.validate.as_ref().and_then(|rules| rules.schemes.clone());
    named.unwrap_or_else(|| vec!["https".to_owned()])
}

/// Whether an address may have a path.
pub(super) fn may_have_path(field: &Field) -> bool {
    field.validate.as_ref().and_then(|rules| rules.path) == Some(PathRule::Allow)
}

fn of_address(field: &Field, text: &str) -> Option<Problem> {
    let schemes = schemes(field);
    let bad = |rule: &str, message: String| {
        let begins: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}://")).collect();
        Some(broken("address", rule, [("schemes", &begins.join(", "))], message))
    };
    let Ok(url) = Url::parse(text) else {
        return bad("whole", format!("must be a whole address, {}://host", schemes[0]));
    };
    if !schemes.iter().any(|scheme| scheme == url.scheme()) {
        return bad("scheme", format!("must begin with {}://", schemes.join(":// or ")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return bad("user", "must not hold a user name or password".to_owned());
    }
    if !may_have_path(field) && (url.path() != "/" || url.query().is_some() || url.fragment().is_some()) {
        return bad("path", "must end after the host and port".to_owned());
    }
    // A name can lead anywhere: where it does is looked at when it is resolved, by the host's egress.
    let public_only = field.validate.as_ref().and_then(|rules| rules.network) == Some(Network::Public);
    if public_only && is_near(&url) {
        return bad("public", "must lie in the public network".to_owned());
    }
    None
}

/// Whether an address by its own words lies in this machine or in a private network.
fn is_near(url: &Url) -> bool {
    let Some(host) = url.host() else { return true };
    match host {
        url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        url::Host::Ipv4(ip) => is_near_ip(IpAddr::V4(ip)),
        url::Host::Ipv6(ip) => is_near_ip(ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)),
    }
}

fn is_near_ip(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified(),
    }
}

fn of_rules(field: &Field, rules: &Rules, value: &Value, pattern: Option<&Regex>, locale: &str) -> Option<Problem> {
    let has = measure(field.kind, value);
    let limit = |limit: &Option<Value>| limit.as_ref().and_then(|limit| size(field.kind, limit));
    let (rule, counted) = match field.kind {
        FieldType::Number => ("number", ""),
        FieldType::Duration => ("duration", ""),
        FieldType::List | FieldType::Multiselect => ("entries", " entries"),
        _ => ("characters", " characters"),
    };
    let shown = |limit: &Option<Value>| match limit {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let limited = |code: &'static str, limit: &Option<Value>, words: &str, counted: &str| {
        let limit = shown(limit);
        Some(broken(code, rule, [("limit", &limit)], format!("must be {words} {limit}{counted}")))
    };
    if let (Some(has), Some(min)) = (has, limit(&rules.min))
        && has < min
    {
        return limited("min", &rules.min, "at least", counted);
    }
    if let (Some(has), Some(max)) = (has, limit(&rules.max))
        && has > max
    {
        return limited("max", &rules.max, "at most", counted);
    }
    if let (Some(has), Some(step)) = (has, limit(&rules.step))
        && has % step != 0
    {
        return limited("step", &rules.step, "a multiple of", "");
    }
    if let Some(pattern) = pattern
        && !texts(value).all(|text| pattern.is_match(text))
    {
        let hint = rules.pattern_hint.as_ref().map(|hint| super::text(hint, locale, locale).to_owned());
        let rule = if hint.is_some() { "hint" } else { "shape" };
        let message = hint.unwrap_or_else(|| "is not of the form that is wanted".to_owned());
        return Some(broken("pattern", rule, [], message));
    }
    match rules.format {
        Some(Format::Uuid) if !texts(value).all(is_uuid) => {
            Some(broken("format", "uuid", [], "must be a UUID: 8-4-4-4-12 hexadecimal digits".to_owned()))
        }
        Some(Format::Hostname) if !texts(value).all(is_hostname) => {
            Some(broken("format", "hostname", [], "must be a host name".to_owned()))
        }
        _ => None,
    }
}

fn of_options(field: &Field, value: &Value) -> Option<Problem> {
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
    let all = all.join(", ");
    Some(broken("option", "fixed", [("values", &all)], format!("must be one of {all}")))
}

/// What a limit of a field of this type means: billionths of a number, seconds, characters, or entries.
pub(super) fn size(kind: FieldType, limit: &Value) -> Option<i128> {
    match (kind, limit) {
        (FieldType::Duration, limit) => limit.as_str().and_then(seconds).map(i128::from),
        (FieldType::Number, Value::String(text)) => decimal(text),
        (FieldType::Number, Value::Number(number)) => match number.as_i64() {
            Some(whole) => Some(i128::from(whole) * BILLION),
            None => decimal(&number.to_string()),
        },
        (FieldType::Number, _) => None,
        (_, limit) => limit.as_u64().filter(|limit| *limit <= WHOLE_MAX as u64).map(i128::from),
    }
}

/// What is compared with the limits.
fn measure(kind: FieldType, value: &Value) -> Option<i128> {
    match (kind, value) {
        (FieldType::Duration | FieldType::Number, value) => size(kind, value),
        (_, Value::String(text)) => Some(text.chars().count() as i128),
        (_, Value::Array(items)) => Some(items.len() as i128),
        _ => None,
    }
}
