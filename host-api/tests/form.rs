//! Forms as their authors write them, good and bad, and settings against them.

use psa_host_api::form::{Address, Form, FormErrors, HostRule};
use serde_json::{Map, Value, json};

const REFERENCE: &str = include_str!("kept/connectwise.form.json");
const OURS: &str = include_str!("../../plugins/connectwise/form.json");

fn small() -> Value {
    json!({
        "form_schema": "1.0", "plugin": "acme", "settings_version": 1, "reads_from": 1, "default_locale": "en",
        "groups": [{"key": "main", "title": {"en": "Main"}}],
        "fields": [
            {"key": "site", "type": "select", "group": "main", "label": {"en": "Site"}, "default": "a",
             "options": {"static": [{"value": "a", "label": {"en": "A"}}, {"value": "own", "label": {"en": "Own"}}]}},
            {"key": "host", "type": "url", "group": "main", "label": {"en": "Host"}, "required": true,
             "when": {"field": "site", "eq": "own"}},
            {"key": "name", "type": "text", "group": "main", "label": {"en": "Name"}, "identity": true,
             "validate": {"min": 2, "max": 5, "pattern": "[a-z]+", "pattern_hint": {"en": "only a to z"}}},
            {"key": "id", "type": "text", "group": "main", "label": {"en": "Id"}, "validate": {"format": "uuid"}},
            {"key": "count", "type": "number", "group": "main", "label": {"en": "Count"}, "value_type": "int",
             "validate": {"min": 1, "max": 20, "step": 5}},
            {"key": "every", "type": "duration", "group": "main", "label": {"en": "Every"},
             "validate": {"min": "PT1M", "max": "PT24H"}},
            {"key": "mail", "type": "email", "group": "main", "label": {"en": "Mail"}},
            {"key": "on", "type": "bool", "group": "main", "label": {"en": "On"}},
            {"key": "some", "type": "multiselect", "group": "main", "label": {"en": "Some"},
             "options": {"static": [{"value": "x", "label": {"en": "X"}}, {"value": "y", "label": {"en": "Y"}}]}},
            {"key": "key", "type": "secret", "group": "main", "label": {"en": "Key"}, "required": true,
             "secret": {"bound_to": ["site", "host"], "send_to": [
                 {"address": "https://api-{site}.example.net", "when": {"field": "site", "eq": "a"}}, "{host}"]}},
        ]
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("an object was meant: {other}"),
    }
}

fn codes(form: Value) -> Vec<(String, &'static str)> {
    match Form::from_value(form) {
        Ok(_) => Vec::new(),
        Err(FormErrors(errors)) => errors.into_iter().map(|error| (error.at, error.code)).collect(),
    }
}

/// The small form with one place changed.
fn with(pointer: &str, value: Value) -> Value {
    let mut form = small();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match form.pointer_mut(parent).unwrap() {
        Value::Object(object) => drop(object.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer} is no place"),
    }
    form
}

#[test]
fn the_forms_of_the_reference_and_of_our_plugin_load() {
    for (text, secrets) in [(REFERENCE, ["private_key"]), (OURS, ["private_key"])] {
        let form = Form::load(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(form.secrets().collect::<Vec<_>>(), secrets);
        assert!(form.bound_to("private_key").iter().any(|key| key == "public_key"));
    }
    assert_eq!(codes(small()), []);
}

#[test]
fn each_mistake_of_an_author_has_its_own_code_and_place() {
    let field = |more: Value| {
        let mut field = object(json!({"key": "more", "type": "text", "group": "main", "label": {"en": "More"}}));
        field.extend(object(more));
        Value::Object(field)
    };
    let secret = |to: Value| {
        let secret = json!({"bound_to": ["site"], "send_to": to});
        field(json!({"type": "secret", "secret": secret}))
    };
    let sources = |form: &mut Value| form["sources"] = json!({"boards": {"args": ["x"]}});
    for (pointer, value, at, code) in [
        ("/form_schema", json!("2.0"), "/form_schema", "form.schema"),
        ("/surprise", json!(1), "/surprise", "form.shape"),
        ("/fields/0/labl", json!({}), "/fields/0/labl", "form.shape"),
        ("/fields/0/type", json!("colour"), "/fields/0/type", "form.shape"),
        ("/reads_from", json!(2), "/reads_from", "form.versions"),
        ("/groups/0/title", json!({"de": "x"}), "/groups/0/title", "text.locale"),
        ("/groups/0/title", json!({"$t": "x", "en": "y"}), "/groups/0/title", "text.shape"),
        ("/groups/0/needs", json!("luck"), "/groups/0/needs", "group.needs"),
        ("/fields/8", field(json!({"key": "Bad"})), "/fields/8/key", "key.form"),
        ("/fields/8", field(json!({"key": "site"})), "/fields/8/key", "key.twice"),
        ("/fields/8", field(json!({"group": "gone"})), "/fields/8/group", "group.unknown"),
        ("/fields/8", field(json!({"when": {"field": "gone", "set": true}})), "/fields/8/when", "when.unknown"),
        ("/fields/8", field(json!({"when": {"field": "key", "set": true}})), "/fields/8/when", "when.later"),
        ("/fields/8", field(json!({"when": {"field": "site"}})), "/fields/8/when", "when.shape"),
        ("/fields/8", field(json!({"options": {"static": []}})), "/fields/8/options", "member.type"),
        ("/fields/8", field(json!({"type": "select"})), "/fields/8/options", "member.missing"),
        ("/fields/8", field(json!({"key": "api_token"})), "/fields/8/type", "secret.type"),
        (
            "/fields/8",
            field(json!({"validate": {"pattern": "(", "pattern_hint": {"en": "x"}}})),
            "/fields/8/validate/pattern",
            "validate.pattern",
        ),
        ("/fields/8", field(json!({"validate": {"pattern": "a"}})), "/fields/8/validate/pattern_hint", "validate.hint"),
        ("/fields/8", field(json!({"validate": {"min": "x"}})), "/fields/8/validate/min", "validate.limit"),
        ("/fields/8", field(json!({"validate": {"min": 3, "max": 2}})), "/fields/8/validate", "validate.range"),
        (
            "/fields/8",
            field(json!({"type": "url", "validate": {"schemes": ["ftp"]}})),
            "/fields/8/validate/schemes",
            "validate.schemes",
        ),
        ("/fields/8", field(json!({"type": "number", "default": "x"})), "/fields/8/default", "default.invalid"),
        ("/fields/8", field(json!({"type": "select", "options": {}})), "/fields/8/options", "options.shape"),
        (
            "/fields/8",
            field(json!({"type": "select", "options": {"source": "gone"}})),
            "/fields/8/options/source",
            "options.source",
        ),
        (
            "/fields/8",
            field(
                json!({"type": "radio", "options": {"static": [{"value": 1, "label": {"en": "a"}}, {"value": 1, "label": {"en": "b"}}]}}),
            ),
            "/fields/8/options/static/1/value",
            "options.twice",
        ),
        (
            "/fields/8",
            field(json!({"type": "radio", "options": {"static": [{"value": null, "label": {"en": "a"}}]}})),
            "/fields/8/options/static/0/value",
            "options.value",
        ),
        (
            "/fields/8",
            field(json!({"type": "secret", "default": "x", "secret": {"send_to": ["https://a.b"]}})),
            "/fields/8/default",
            "secret.default",
        ),
        ("/fields/8", secret(json!([])), "/fields/8/secret/send_to", "secret.nowhere"),
        ("/fields/8", secret(json!(["nowhere"])), "/fields/8/secret/send_to/0", "secret.address"),
        ("/fields/8", secret(json!(["https://{gone}.net"])), "/fields/8/secret/send_to/0", "secret.address"),
        ("/fields/8", secret(json!(["https://{site.net"])), "/fields/8/secret/send_to/0", "secret.address"),
        ("/fields/8", secret(json!(["{site}"])), "/fields/8/secret/send_to/0", "secret.address"),
        ("/fields/8", secret(json!(["{host}"])), "/fields/8/secret/send_to/0", "secret.unbound"),
        (
            "/fields/8",
            field(json!({"type": "secret", "secret": {"bound_to": ["gone"], "send_to": ["https://a.b"]}})),
            "/fields/8/secret/bound_to",
            "secret.bound_to",
        ),
        (
            "/mappings",
            json!([{"key": "m", "rows": "x", "columns": [{"key": "c", "options": {"static": []}}]}]),
            "/mappings/0/rows",
            "mapping.rows",
        ),
        ("/mappings", json!([{"key": "m", "rows": "free", "columns": []}]), "/mappings/0/columns", "mapping.columns"),
        (
            "/mappings",
            json!([{"key": "m", "rows": "free", "scope": {"source": "x", "selected_by": "site"}, "columns": [{"key": "c", "options": {"static": []}}]}]),
            "/mappings/0/scope",
            "mapping.scope",
        ),
        (
            "/mappings",
            json!([{"key": "m", "rows": "free", "columns": [{"key": "c", "options": {"static": []}}], "unmapped": {"default": "a", "choices": ["b"]}}]),
            "/mappings/0/unmapped",
            "mapping.unmapped",
        ),
        ("/migrations", json!([{"from": 3, "to": 4, "ops": []}]), "/migrations/0", "migration.order"),
        ("/migrations", json!([{"from": 1, "to": 1, "ops": [{"burn": 1}]}]), "/migrations/0/ops/0", "form.shape"),
    ] {
        let mut form = with(pointer, value.clone());
        sources(&mut form);
        let found = codes(form);
        assert!(found.contains(&(at.to_owned(), code)), "{pointer} = {value}: expected {at} {code}, found {found:?}");
    }
    let argument = field(json!({"type": "select", "options": {"source": "boards", "args": {"y": "site"}}}));
    let mut form = with("/fields/8", argument);
    sources(&mut form);
    assert_eq!(codes(form), [("/fields/8/options/args/y".to_owned(), "options.argument")]);
    let many: Vec<Value> = (0..201).map(|n| field(json!({"key": format!("f{n}")}))).collect();
    assert!(codes(with("/fields", json!(many))).contains(&("/fields".to_owned(), "form.too_many")));
    let large = vec![b' '; 256 * 1024 + 1];
    assert_eq!(Form::load(&large).unwrap_err().0[0].code, "form.too_large");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let mut form = with("/groups/0/title", json!({}));
    form["fields"][2]["group"] = json!("gone");
    form["fields"][3]["key"] = json!("Bad");
    let error = Form::from_value(form).unwrap_err();
    assert_eq!(error.0.len(), 3);
    assert!(error.to_string().contains("/fields/2/group: there is no group \"gone\" (group.unknown)"), "{error}");
}

#[test]
fn a_newer_minor_may_bring_members_that_it_calls_optional_and_no_others() {
    let mut form = with("/fields/0/sparkle", json!(true));
    form["form_schema"] = json!("1.7");
    assert_eq!(codes(form.clone())[0].1, "form.shape");
    form["optional"] = json!(["sparkle"]);
    assert_eq!(codes(form.clone()), []);
    form["form_schema"] = json!("1.0");
    assert_eq!(codes(form)[0].1, "form.shape");
}

#[test]
fn a_secret_goes_where_the_settings_lead() {
    let ours = Form::load(OURS.as_bytes()).unwrap();
    let exact = |host: &str, port| Address { scheme: "https".into(), host: HostRule::Exact(host.into()), port };
    for (settings, expected) in [
        (json!({"site": "na"}), vec![exact("api-na.myconnectwise.net", 443)]),
        (json!({"site": "eu", "host": "https://evil.example"}), vec![exact("api-eu.myconnectwise.net", 443)]),
        (json!({"site": "staging"}), vec![exact("api-staging.connectwisedev.com", 443)]),
        (json!({"site": "custom", "host": "https://127.0.0.1:8443"}), vec![exact("127.0.0.1", 8443)]),
        (json!({"site": "custom"}), vec![]),
        (json!({}), vec![]),
    ] {
        assert_eq!(ours.send_to("private_key", &object(settings.clone())), expected, "{settings}");
    }
    assert_eq!(ours.send_to("company_id", &object(json!({"site": "na"}))), vec![]);
    assert_eq!(ours.send_to("gone", &Map::new()), vec![]);
}

#[test]
fn settings_are_checked_against_the_rules_of_what_is_shown() {
    let form = Form::from_value(small()).unwrap();
    let good = json!({
        "site": "own", "host": "https://psa.example:8443", "name": "abc", "count": 15, "every": "PT90S", "on": true,
        "id": "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0", "mail": "a@b.example", "some": ["x"],
    });
    assert_eq!(form.check_settings(&object(good.clone()), &["key"]), []);
    for (key, value, code) in [
        ("site", json!("b"), "option"),
        ("site", json!(1), "type"),
        ("host", json!("psa.example"), "address"),
        ("host", json!("http://psa.example"), "address"),
        ("host", json!("https://u:p@psa.example"), "address"),
        ("host", json!("https://psa.example/path"), "address"),
        ("host", json!(""), "required"),
        ("name", json!("a"), "min"),
        ("name", json!("abcdef"), "max"),
        ("name", json!("ab1"), "pattern"),
        ("name", json!("ab\n"), "type"),
        ("id", json!("0b1c2d3e"), "format"),
        ("count", json!(7), "step"),
        ("count", json!(0), "min"),
        ("count", json!("5"), "type"),
        ("every", json!("PT30S"), "min"),
        ("every", json!("P2D"), "max"),
        ("every", json!("5 minutes"), "type"),
        ("every", json!("PT"), "type"),
        ("mail", json!("nobody"), "type"),
        ("on", json!("yes"), "type"),
        ("some", json!(["z"]), "option"),
        ("some", json!("x"), "type"),
        ("key", json!("s3cret"), "secret"),
        ("gone", json!(1), "unknown"),
    ] {
        let mut settings = object(good.clone());
        settings.insert(key.to_owned(), value.clone());
        let issues = form.check_settings(&settings, &["key"]);
        let found: Vec<_> = issues.iter().map(|issue| (issue.field.as_str(), issue.code)).collect();
        assert_eq!(found, [(key, code)], "{key} = {value}");
        assert!(!issues[0].message.contains("s3cret"));
    }
    let found = |settings: Value, secrets: &[&str]| -> Vec<(String, &'static str)> {
        form.check_settings(&object(settings), secrets).into_iter().map(|issue| (issue.field, issue.code)).collect()
    };
    assert_eq!(found(json!({"site": "own"}), &[]), [("host".into(), "required"), ("key".into(), "required")]);
    // What is not shown is not asked for, nor looked at.
    assert_eq!(found(json!({"site": "a", "host": "nonsense"}), &["key"]), []);
    assert_eq!(found(json!({"site": "a"}), &["key", "name"]), [("name".into(), "secret")]);
    assert_eq!(form.check_settings(&object(json!({"name": "ab1"})), &["key"])[0].message, "only a to z");
}

#[test]
fn defaults_fill_gaps_and_what_is_not_shown_is_dropped() {
    let form = Form::from_value(small()).unwrap();
    assert_eq!(Value::Object(form.apply_defaults(&Map::new())), json!({"site": "a"}));
    assert_eq!(Value::Object(form.apply_defaults(&object(json!({"site": "own"})))), json!({"site": "own"}));
    let settings = object(json!({"site": "a", "host": "https://x.example", "name": "abc"}));
    assert_eq!(Value::Object(form.without_invisible(&settings)), json!({"site": "a", "name": "abc"}));
    assert!(!form.visible(&settings).contains("host"));
    assert_eq!(form.identity_fields().collect::<Vec<_>>(), ["name"]);
}

/// Replaces each value of the reference form in turn by others: it loads or is refused, and nothing else happens.
#[test]
fn no_change_of_a_value_makes_the_loader_panic() {
    let form: Value = serde_json::from_str(REFERENCE).unwrap();
    let mut places = Vec::new();
    collect(&form, String::new(), &mut places);
    assert!(places.len() > 300, "{}", places.len());
    let mut refused = 0;
    for place in &places {
        for value in [json!(null), json!(-1), json!("x{y"), json!([]), json!({}), json!(1e300)] {
            let mut changed = form.clone();
            *changed.pointer_mut(place).unwrap() = value;
            refused += usize::from(Form::from_value(changed).is_err());
        }
    }
    assert!(refused > places.len(), "{refused}");
    for end in (0..REFERENCE.len()).step_by(97).filter(|end| REFERENCE.is_char_boundary(*end)) {
        assert!(Form::load(&REFERENCE.as_bytes()[..end]).is_err());
    }
}

fn collect(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                collect(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        Value::Array(items) => {
            for (position, value) in items.iter().enumerate() {
                collect(value, format!("{at}/{position}"), places);
            }
        }
        _ => {}
    }
    if !at.is_empty() {
        places.push(at);
    }
}
