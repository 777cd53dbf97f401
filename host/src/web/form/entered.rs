//! What was sent in, as settings and secrets.
//!
//! Promises: only fields that the form has and that were on the page are read; the others are as they were; what cannot be
//! read as its type stays text, so that the form's own check says what is wrong and nothing is lost.

use crate::connections::SecretOp;
use crate::web::pairs::Pairs;
use psa_host_api::form::Form;
use psa_host_api::form::types::{Field, FieldType, ValueType};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What was sent in.
pub(crate) struct Entered {
    /// All settings, with those that were not on the page as they were.
    pub(crate) settings: Map<String, Value>,
    /// Of the secrets that were on the page.
    pub(crate) secrets: BTreeMap<String, SecretOp>,
    /// A secret with spaces around it: mostly a mistake of copying.
    pub(crate) spaced: Vec<String>,
    /// One that was typed although the stored one is to be kept: nobody knows which of both is meant.
    pub(crate) unsure: Vec<String>,
}

/// Reads the fields that `on_page` allows. `before`: the settings as they are; `drafted`: secrets that wait.
pub(crate) fn read(
    form: &Form,
    pairs: &Pairs,
    before: &Map<String, Value>,
    drafted: &BTreeMap<String, SecretString>,
    on_page: impl Fn(&Field) -> bool,
) -> Entered {
    let mut entered =
        Entered { settings: before.clone(), secrets: BTreeMap::new(), spaced: Vec::new(), unsure: Vec::new() };
    for field in form.definition().fields.iter().filter(|field| on_page(field)) {
        match field.kind {
            FieldType::Secret => {
                let op = secret_op(field, pairs, drafted);
                if let SecretOp::Replace(secret) = &op {
                    let text = secret.expose_secret();
                    if text.trim() != text {
                        entered.spaced.push(field.key.clone());
                    }
                }
                if matches!(op, SecretOp::Keep) && pairs.get(&field.key).is_some_and(|typed| !typed.is_empty()) {
                    entered.unsure.push(field.key.clone());
                }
                entered.secrets.insert(field.key.clone(), op);
            }
            FieldType::Computed | FieldType::Notice => {}
            _ => match value(field, pairs) {
                Some(value) => drop(entered.settings.insert(field.key.clone(), value)),
                None => drop(entered.settings.remove(&field.key)),
            },
        }
    }
    entered
}

fn secret_op(field: &Field, pairs: &Pairs, drafted: &BTreeMap<String, SecretString>) -> SecretOp {
    let typed = pairs.secret(&field.key).filter(|secret| !secret.expose_secret().is_empty());
    // A value that was copied with its line's end.
    let typed = typed.map(|secret| SecretString::from(secret.expose_secret().trim_end_matches('\n')));
    let waiting = || drafted.get(&field.key).cloned();
    match pairs.get(&format!("{}.op", field.key)) {
        Some("keep") => SecretOp::Keep,
        Some("clear") => SecretOp::Clear,
        // "Replace it" and nothing entered is for the check to refuse; what was entered before and waits counts.
        Some("replace") => SecretOp::Replace(typed.or_else(waiting).unwrap_or_default()),
        _ => typed.or_else(waiting).map_or(SecretOp::Keep, SecretOp::Replace),
    }
}

fn value(field: &Field, pairs: &Pairs) -> Option<Value> {
    let key = field.key.as_str();
    let whole = field.value_type == Some(ValueType::Int);
    match field.kind {
        // A box that is not ticked sends nothing; it was on the page all the same.
        FieldType::Bool => Some(Value::Bool(pairs.get(key).is_some_and(|text| !matches!(text, "" | "off" | "false")))),
        FieldType::Multiselect => {
            let chosen: Vec<Value> =
                pairs.all(key).filter(|text| !text.is_empty()).map(|text| scalar(text, whole)).collect();
            Some(Value::Array(chosen))
        }
        FieldType::List => {
            let lines = pairs.all(key).flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty());
            Some(Value::Array(lines.map(|line| scalar(line, whole)).collect()))
        }
        FieldType::Duration => duration(key, pairs),
        FieldType::Number => {
            let text = pairs.filled(key)?;
            Some(match field.value_type {
                Some(ValueType::Int) => scalar(text, true),
                Some(ValueType::Decimal) => Value::String(text.to_owned()),
                _ => {
                    text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map_or_else(|| text.into(), number)
                }
            })
        }
        _ => {
            let text = pairs.get(key)?;
            let text = if field.trim == Some(false) { text } else { text.trim() };
            (!text.is_empty()).then(|| scalar(text, whole))
        }
    }
}

/// A number that is whole is written as one.
fn number(number: serde_json::Number) -> Value {
    match number.as_f64() {
        Some(n) if n.fract() == 0.0 && n.abs() < 9e15 => Value::from(n as i64),
        _ => Value::Number(number),
    }
}

fn scalar(text: &str, whole: bool) -> Value {
    match text.parse::<i64>() {
        Ok(number) if whole => number.into(),
        _ => text.into(),
    }
}

/// "5" and "M" are PT5M; what is a duration already stays one.
fn duration(key: &str, pairs: &Pairs) -> Option<Value> {
    let text = pairs.filled(key)?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    Some(match pairs.get(&format!("{key}.unit")) {
        Some("D") if digits => format!("P{text}D").into(),
        Some(unit @ ("H" | "M" | "S")) if digits => format!("PT{text}{unit}").into(),
        _ => text.into(),
    })
}

/// A duration as a number and its unit, if it has only one.
pub(crate) fn split_duration(text: &str) -> Option<(&str, &str)> {
    let (rest, units) = match text.strip_prefix("PT") {
        Some(rest) => (rest, "HMS"),
        None => (text.strip_prefix('P')?, "D"),
    };
    let (last, _) = rest.char_indices().next_back()?;
    let (number, unit) = rest.split_at(last);
    let fits = units.contains(unit) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    fits.then_some((number, unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form() -> Form {
        let field = |key: &str, kind: &str, more: Value| {
            let mut field = json!({"key": key, "type": kind, "group": "g", "label": {"en": key}});
            field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            field
        };
        let options = json!({"options": {"static": [{"value": 1, "label": {"en": "1"}}, {"value": 2, "label": {"en": "2"}}]},
            "value_type": "int"});
        Form::from_value(json!({
            "form_schema": "1.0", "plugin": "x", "settings_version": 1, "reads_from": 1, "default_locale": "en",
            "groups": [{"key": "g", "title": {"en": "g"}}],
            "fields": [
                field("text", "text", json!({})), field("raw", "text", json!({"trim": false})),
                field("flag", "bool", json!({})), field("count", "number", json!({"value_type": "int"})),
                field("some", "multiselect", options), field("list", "list", json!({})),
                field("every", "duration", json!({})), field("kept", "text", json!({})),
                field("key", "secret", json!({"secret": {"send_to": ["https://x.example"]}})),
            ],
        }))
        .unwrap()
    }

    fn entered(body: &str) -> Entered {
        let pairs = Pairs::of_form(body.as_bytes()).unwrap();
        let before = json!({"kept": "as it was", "flag": true, "text": "old"});
        read(&form(), &pairs, before.as_object().unwrap(), &BTreeMap::new(), |field| field.key != "kept")
    }

    #[test]
    fn what_was_sent_in_becomes_settings_of_its_types() {
        let entered =
            entered("text=+a+&raw=+a+&count=7&some=1&some=2&list=x%0D%0A%0D%0A+y&every=5&every.unit=M&kept=forged");
        assert_eq!(
            Value::Object(entered.settings),
            json!({"text": "a", "raw": " a ", "flag": false, "count": 7, "some": [1, 2], "list": ["x", "y"],
                "every": "PT5M", "kept": "as it was"})
        );
    }

    #[test]
    fn what_cannot_be_read_stays_text_for_the_check_to_refuse() {
        let entered = entered("count=many&every=soon&every.unit=M&some=x");
        assert_eq!(entered.settings["count"], "many");
        assert_eq!(entered.settings["every"], "soon");
        assert_eq!(entered.settings["some"], json!(["x"]));
    }

    #[test]
    fn a_secret_is_what_its_operation_says() {
        let op = |body: &str| match &entered(body).secrets["key"] {
            SecretOp::Keep => "keep".to_owned(),
            SecretOp::Clear => "clear".to_owned(),
            SecretOp::Replace(secret) => format!("replace {}", secret.expose_secret()),
        };
        assert_eq!(op(""), "keep");
        assert_eq!(op("key="), "keep");
        assert_eq!(op("key=abc%0A"), "replace abc");
        assert_eq!(op("key.op=keep&key=abc"), "keep");
        assert_eq!(op("key.op=clear&key=abc"), "clear");
        assert_eq!(op("key.op=replace&key="), "replace ");
    }

    #[test]
    fn a_duration_of_one_unit_is_a_number_and_the_unit() {
        for (text, split) in [
            ("PT5M", Some(("5", "M"))),
            ("P2D", Some(("2", "D"))),
            ("PT1H30M", None),
            ("P5M", None),
            ("PT", None),
            ("soon", None),
            ("PT5ü", None),
            ("Pü", None),
        ] {
            assert_eq!(split_duration(text), split, "{text}");
        }
    }
}
