//! JSON Schema 2020-12 of settings, made from their form.
//!
//! Promises: it accepts exactly what [`Form::check_settings`] accepts, settings and secrets in one object. What no
//! keyword of JSON Schema can say is said by `x-psa-decimal`, `x-psa-duration` and `x-psa-address`; a reader that does
//! not know those accepts more, never less.
//! Leaves to others: nothing is ever read back from it.

use super::Form;
use super::condition::is_set;
use super::grammar::{
    BILLION, DECIMAL_PATTERN, DURATION_PATTERN, LINE_PATTERN, UUID_PATTERN, WHOLE_MAX, email_pattern, hostname_pattern,
};
use super::types::*;
use super::value::{ITEMS_MAX, TEXT_CHARS_MAX, is_whole, may_have_path, schemes, size};
use serde_json::{Map, Value, json};

/// What counts as not filled in.
fn unset() -> Value {
    json!({"enum": [null, "", []]})
}

/// The schema.
pub(super) fn schema(form: &Form) -> Value {
    let locale = &form.definition.default_locale;
    let stored = form.definition.fields.iter();
    let stored = stored.filter(|field| !matches!(field.kind, FieldType::Computed | FieldType::Notice));
    let (mut properties, mut required) = (Map::new(), Vec::new());
    let (mut rules, mut visible) = (Vec::new(), Map::new());
    for field in stored {
        let needed = field.required && !form.makes(&field.key);
        let mut about = described(field, locale);
        match &field.when {
            None => {
                about.extend(rule_of(field, needed, locale));
                if needed {
                    required.push(json!(field.key));
                }
            }
            // A secret is kept also while it is not shown, so its own rules always hold.
            Some(_) if field.kind == FieldType::Secret => about.extend(rule_of(field, true, locale)),
            Some(_) => {}
        }
        if let Some(when) = &field.when {
            visible.insert(field.key.clone(), condition(form, when));
            let mut then = Map::new();
            if field.kind != FieldType::Secret {
                then.insert("properties".to_owned(), json!({field.key.as_str(): rule_of(field, needed, locale)}));
            }
            if needed {
                then.insert("required".to_owned(), json!([field.key]));
            }
            rules.push(json!({"if": shown(&field.key), "then": then}));
        }
        properties.insert(field.key.clone(), Value::Object(about));
    }
    // What is only shown has no place, but may be there unset, as all may.
    for field in form.definition.fields.iter() {
        if matches!(field.kind, FieldType::Computed | FieldType::Notice) {
            let when = field.when.as_ref();
            match when {
                None => drop(properties.insert(field.key.clone(), unset())),
                Some(when) => {
                    properties.insert(field.key.clone(), json!(true));
                    visible.insert(field.key.clone(), condition(form, when));
                    rules.push(json!({"if": shown(&field.key), "then": {"properties": {field.key.as_str(): unset()}}}));
                }
            }
        }
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    });
    if !rules.is_empty() {
        schema["allOf"] = json!(rules);
        schema["$defs"] = json!({"visible": visible});
    }
    schema
}

fn shown(key: &str) -> Value {
    json!({"$ref": format!("#/$defs/visible/{key}")})
}

/// What a field is, for people and for programs that draw it.
fn described(field: &Field, locale: &str) -> Map<String, Value> {
    let mut about = Map::new();
    let mut say = |name: &str, value: Value| drop(about.insert(name.to_owned(), value));
    say("title", json!(super::text(&field.label, locale, locale)));
    if let Some(help) = &field.help {
        say("description", json!(super::text(help, locale, locale)));
    }
    if let Some(default) = &field.default {
        say("default", default.clone());
    }
    if field.deprecated.is_some() {
        say("deprecated", json!(true));
    }
    if let Some(secret) = &field.secret {
        say("writeOnly", json!(true));
        say("x-psa-secret", json!({"bound_to": secret.bound_to, "clearable": secret.clearable}));
    }
    say("x-psa-type", json!(field.kind));
    say("x-psa-group", json!(field.group));
    for (name, is) in [("x-psa-identity", field.identity), ("x-psa-immutable", field.immutable)] {
        if is {
            say(name, json!(true));
        }
    }
    if let Some(source) = field.options.as_ref().and_then(|options| options.source.as_ref()) {
        let args = field.options.as_ref().map(|options| &options.args);
        say("x-psa-options", json!({"source": source, "args": args}));
    }
    about
}

/// What a field's value must be; of one that is not needed, also nothing.
fn rule_of(field: &Field, needed: bool, locale: &str) -> Map<String, Value> {
    let rule = value_rule(field, locale);
    if needed || field.kind == FieldType::Secret {
        return rule;
    }
    object(json!({"anyOf": [unset(), rule]}))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// What a value must be that is filled in.
fn value_rule(field: &Field, locale: &str) -> Map<String, Value> {
    let rules = field.validate.clone().unwrap_or_default();
    let limit = |limit: &Option<Value>| limit.as_ref().and_then(|limit| size(field.kind, limit));
    let (min, max, step) = (limit(&rules.min), limit(&rules.max), limit(&rules.step));
    let whole = is_whole(field);
    let mut all: Vec<Value> = Vec::new();
    let scalar = if whole { whole_number() } else { json!({"type": "string", "maxLength": TEXT_CHARS_MAX}) };
    let mut schema = match field.kind {
        FieldType::Bool => json!({"type": "boolean"}),
        FieldType::Number if whole => {
            // Limits of whole numbers may be decimals; what is below one is below the next whole number.
            let mut number = whole_number();
            if let Some(min) = min {
                all.push(json!({"minimum": in_reach(-(-min).div_euclid(BILLION))}));
            }
            if let Some(max) = max {
                all.push(json!({"maximum": in_reach(max.div_euclid(BILLION))}));
            }
            match step {
                Some(step) if step % BILLION == 0 => {
                    number["multipleOf"] = json!(in_reach(step / BILLION));
                }
                Some(_) => number["x-psa-decimal"] = json!({"step": rules.step}),
                None => {}
            }
            number
        }
        FieldType::Number => {
            let limits = json!({"min": rules.min, "max": rules.max, "step": rules.step});
            json!({"type": "string", "pattern": DECIMAL_PATTERN, "x-psa-decimal": without_null(limits)})
        }
        FieldType::Duration => {
            let limits = json!({"min": rules.min, "max": rules.max, "step": rules.step});
            json!({"type": "string", "pattern": DURATION_PATTERN, "x-psa-duration": without_null(limits)})
        }
        FieldType::Url => json!({"type": "string", "x-psa-address": {"schemes": schemes(field),
            "path": may_have_path(field), "public": rules.network == Some(Network::Public)}}),
        FieldType::Multiselect => json!({"type": "array", "uniqueItems": true, "items": scalar}),
        FieldType::List => {
            let item = json!({"type": "string", "minLength": 1, "maxLength": TEXT_CHARS_MAX, "pattern": LINE_PATTERN});
            json!({"type": "array", "items": item})
        }
        FieldType::Text => json!({"type": "string", "maxLength": TEXT_CHARS_MAX, "pattern": LINE_PATTERN}),
        FieldType::Email => json!({"type": "string", "maxLength": TEXT_CHARS_MAX, "pattern": email_pattern()}),
        _ => scalar,
    };
    match &schema["type"] {
        Value::String(of) if of == "array" => {
            schema["minItems"] = json!(min.unwrap_or(1).max(1) as u64);
            schema["maxItems"] = json!(max.unwrap_or(ITEMS_MAX as i128).min(ITEMS_MAX as i128) as u64);
        }
        Value::String(of) if of == "string" && !matches!(field.kind, FieldType::Number | FieldType::Duration) => {
            schema["minLength"] = json!(min.unwrap_or(1).max(1) as u64);
            let most = TEXT_CHARS_MAX as i128;
            schema["maxLength"] = json!(max.unwrap_or(most).min(most) as u64);
        }
        _ => {}
    }
    all.extend(rules.pattern.iter().map(|pattern| of_texts(&schema, json!({"pattern": format!("^(?:{pattern})$")}))));
    all.extend(rules.format.map(|format| {
        let pattern = match format {
            Format::Uuid => UUID_PATTERN.to_owned(),
            Format::Hostname => hostname_pattern(),
        };
        of_texts(&schema, json!({"pattern": pattern}))
    }));
    if let Some(choices) = field.options.as_ref().and_then(|options| options.fixed.as_ref()) {
        let named =
            |choice: &Choice| json!({"const": choice.value, "title": super::text(&choice.label, locale, locale)});
        let one_of = json!({"oneOf": choices.iter().map(named).collect::<Vec<_>>()});
        all.push(if schema["type"] == "array" { json!({"items": one_of}) } else { one_of });
    }
    if !all.is_empty() {
        schema["allOf"] = json!(all);
    }
    object(schema)
}

/// A rule of texts, or of each text of a list.
fn of_texts(schema: &Value, rule: Value) -> Value {
    if schema["type"] == "array" { json!({"items": rule}) } else { rule }
}

fn whole_number() -> Value {
    json!({"type": "integer", "minimum": -WHOLE_MAX, "maximum": WHOLE_MAX})
}

/// As a number of JSON; beyond what a whole number can be, its end.
fn in_reach(number: i128) -> i64 {
    number.clamp(-i128::from(WHOLE_MAX) - 1, i128::from(WHOLE_MAX) + 1) as i64
}

fn without_null(value: Value) -> Map<String, Value> {
    object(value).into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// When a field is shown.
fn condition(form: &Form, when: &Condition) -> Value {
    let all = |conditions: &[Condition]| conditions.iter().map(|inner| condition(form, inner)).collect::<Vec<_>>();
    if let Some(inner) = &when.all {
        return if inner.is_empty() { json!(true) } else { json!({"allOf": all(inner)}) };
    }
    if let Some(inner) = &when.any {
        return if inner.is_empty() { json!(false) } else { json!({"anyOf": all(inner)}) };
    }
    if let Some(inner) = &when.not {
        return json!({"not": condition(form, inner)});
    }
    let key = when.field.as_deref().unwrap_or_default();
    // What is not shown counts as not filled in.
    let holds = |value: Value| {
        let here = json!({"properties": {key: value}, "required": [key]});
        match form.field(key).is_some_and(|field| field.when.is_some()) {
            true => json!({"allOf": [shown(key), here]}),
            false => here,
        }
    };
    if let Some(eq) = &when.eq {
        return if is_set(eq) { holds(json!({"const": eq})) } else { json!(false) };
    }
    if let Some(one_of) = &when.one_of {
        let set: Vec<&Value> = one_of.iter().filter(|value| is_set(value)).collect();
        return if set.is_empty() { json!(false) } else { holds(json!({"enum": set})) };
    }
    let set = holds(json!({"not": unset()}));
    if when.set == Some(false) { json!({"not": set}) } else { set }
}
