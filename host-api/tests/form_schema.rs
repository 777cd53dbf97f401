//! The JSON Schema of a form's settings, against the check itself.
//!
//! Random forms and random settings: what the one accepts the other accepts. `PSA_SEED=…` runs one seed again.

use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use psa_host_api::form::Form;
use serde_json::{Map, Value, json};

/// Numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    fn of<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.roll(items.len())].clone()
    }
}

const TYPES: [&str; 14] = [
    "text",
    "textarea",
    "secret",
    "url",
    "email",
    "number",
    "bool",
    "select",
    "radio",
    "multiselect",
    "duration",
    "list",
    "computed",
    "notice",
];

fn choices(dice: &mut Dice, whole: bool) -> Value {
    let values = if whole { json!([0, 1, 7, -3]) } else { json!(["a", "b", "0", "a b"]) };
    let many = 1 + dice.roll(4);
    let some = values.as_array().unwrap().iter().take(many);
    json!({"static": some.map(|value| json!({"value": value, "label": {"en": "x"}})).collect::<Vec<_>>()})
}

fn rules(dice: &mut Dice, kind: &str) -> Value {
    let mut rules = Map::new();
    let (min, max, step) = match kind {
        "number" => (
            json!(dice.of(&["-1", "0", "0.5", "3"])),
            json!(dice.of(&["3", "3.5", "40"])),
            json!(dice.of(&["1", "0.5", "2"])),
        ),
        "duration" => {
            (json!(dice.of(&["PT1M", "PT0S"])), json!(dice.of(&["PT5M", "P1D"])), json!(dice.of(&["PT30S", "PT1M"])))
        }
        _ => (json!(dice.roll(3)), json!(2 + dice.roll(4)), Value::Null),
    };
    for (name, value) in [("min", min), ("max", max), ("step", step)] {
        if !value.is_null() && dice.one_in(2) {
            rules.insert(name.to_owned(), value);
        }
    }
    if matches!(kind, "text" | "textarea" | "list" | "secret") && dice.one_in(3) {
        rules.insert("pattern".to_owned(), json!(dice.of(&["[a-z]+", "a|b", "\\d*", "a.c"])));
        rules.insert("pattern_hint".to_owned(), json!({"en": "of another form"}));
    }
    if matches!(kind, "text" | "list") && dice.one_in(5) {
        rules.insert("format".to_owned(), json!(dice.of(&["uuid", "hostname"])));
    }
    if kind == "url" {
        if dice.one_in(2) {
            rules.insert("schemes".to_owned(), dice.of(&[json!(["http"]), json!(["https", "http"])]));
        }
        if dice.one_in(2) {
            rules.insert("path".to_owned(), json!(dice.of(&["allow", "forbid"])));
        }
        if dice.one_in(2) {
            rules.insert("network".to_owned(), json!(dice.of(&["public", "private_ok"])));
        }
    }
    Value::Object(rules)
}

fn condition(dice: &mut Dice, earlier: &[String], depth: usize) -> Value {
    let simple = depth == 0 || dice.one_in(2);
    if simple {
        let field = dice.of(earlier);
        return match dice.roll(3) {
            0 => json!({"field": field, "eq": value(dice)}),
            1 => json!({"field": field, "in": [value(dice), value(dice)]}),
            _ => json!({"field": field, "set": dice.one_in(2)}),
        };
    }
    match dice.roll(3) {
        0 => json!({"all": [condition(dice, earlier, depth - 1), condition(dice, earlier, depth - 1)]}),
        1 => json!({"any": [condition(dice, earlier, depth - 1), condition(dice, earlier, depth - 1)]}),
        _ => json!({"not": condition(dice, earlier, depth - 1)}),
    }
}

fn form(dice: &mut Dice) -> Value {
    let mut fields: Vec<Value> = Vec::new();
    let mut earlier: Vec<String> = Vec::new();
    for number in 0..1 + dice.roll(6) {
        let kind = dice.of(&TYPES);
        let key = format!("f{number}");
        let mut field = json!({"key": key, "type": kind, "group": "g", "label": {"en": "Label"}});
        let stored = !matches!(kind, "computed" | "notice");
        if stored && dice.one_in(2) {
            field["required"] = json!(true);
        }
        match kind {
            "secret" => field["secret"] = json!({"send_to": ["https://a.example"], "generate": dice.one_in(4)}),
            "select" | "radio" | "multiselect" => {
                let whole = dice.one_in(2);
                if whole {
                    field["value_type"] = json!("int");
                }
                field["options"] = if dice.one_in(3) { json!({"source": "s"}) } else { choices(dice, whole) };
            }
            "number" if dice.one_in(2) => field["value_type"] = json!(dice.of(&["int", "decimal"])),
            "computed" => field["value_from"] = json!("host:x"),
            _ => {}
        }
        if stored && kind != "bool" && dice.one_in(2) {
            field["validate"] = rules(dice, kind);
        }
        if !earlier.is_empty() && dice.one_in(2) {
            field["when"] = condition(dice, &earlier, 2);
        }
        if kind != "secret" {
            earlier.push(key);
        }
        fields.push(field);
    }
    json!({"form_schema": "1.0", "plugin": "x", "settings_version": 1, "reads_from": 1, "default_locale": "en",
           "groups": [{"key": "g", "title": {"en": "G"}}], "fields": fields, "sources": {"s": {}}})
}

/// A value that fits some field, often.
fn value(dice: &mut Dice) -> Value {
    let texts = [
        "",
        "a",
        "b",
        "abc",
        "a b",
        "a\nb",
        "0",
        "12",
        "12.5",
        "-1",
        "0.25",
        "1e3",
        "PT5M",
        "PT90S",
        "P1D",
        "P1DT",
        "P",
        "https://a.example",
        "http://a.example/x",
        "https://u@a.example",
        "https://10.0.0.1",
        "http://localhost",
        "x@a.example",
        "x@",
        "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0",
        "a.example",
        "-a.example",
        "aé",
        "🔥",
    ];
    match dice.roll(12) {
        0 => json!(null),
        1 => json!(dice.one_in(2)),
        2 => json!(dice.of(&[0, 1, 3, 7, -3, 40, 41])),
        3 => json!(dice.of(&[0.5, 3.25, -1.5])),
        4 => json!(dice.of(&[i64::MAX, 1 << 53, (1 << 53) - 1])),
        5 => json!([]),
        6 => json!([dice.of(&texts), dice.of(&texts)]),
        7 => json!([dice.of(&[0, 1, 7]), dice.of(&[0, 1, 7])]),
        8 => json!([[]]),
        9 => json!({}),
        _ => json!(dice.of(&texts)),
    }
}

/// A value of the right type more often than not.
fn value_for(dice: &mut Dice, field: &Value) -> Value {
    if dice.one_in(3) {
        return value(dice);
    }
    let fixed = field["options"]["static"].as_array().map(|choices| dice.of(choices)["value"].clone());
    match field["type"].as_str().unwrap() {
        "text" | "textarea" | "secret" => json!(dice.of(&["a", "b", "abc", "aac", "12", "a.example"])),
        "url" => json!(dice.of(&["https://a.example", "http://a.example", "https://a.example/x"])),
        "email" => json!("x@a.example"),
        "number" if field["value_type"] == "decimal" => json!(dice.of(&["0", "1", "3", "2.5"])),
        "number" => json!(dice.of(&[0, 1, 2, 3, 4])),
        "bool" => json!(dice.one_in(2)),
        "select" | "radio" => fixed.unwrap_or_else(|| json!("a")),
        "multiselect" => fixed.map_or(json!(["a"]), |value| json!([value])),
        "duration" => json!(dice.of(&["PT5M", "PT90S", "PT1M"])),
        "list" => json!(dice.of(&[vec!["a"], vec!["abc", "b"], vec!["a.example", "a", "b"]])),
        _ => json!(null),
    }
}

/// What `x-psa-decimal`, `x-psa-duration` and `x-psa-address` ask for, read here from their words alone.
struct Ours(Box<dyn Fn(&Value) -> bool + Send + Sync>);

impl Keyword for Ours {
    fn validate<'i>(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) { Ok(()) } else { Err(ValidationError::custom("another form")) }
    }

    fn is_valid(&self, instance: &Value) -> bool {
        (self.0)(instance)
    }
}

type Made<'a> = Result<Box<dyn Keyword>, ValidationError<'a>>;

fn limits(rule: &Value, number_of: fn(&str) -> Option<f64>) -> Ours {
    let limit = |name: &str| match &rule[name] {
        Value::String(text) => number_of(text),
        other => other.as_f64(),
    };
    let (min, max, step) = (limit("min"), limit("max"), limit("step"));
    Ours(Box::new(move |value| {
        let number = match value {
            Value::String(text) => number_of(text),
            other => other.as_f64(),
        };
        // What is no such text is the pattern's to refuse.
        let Some(number) = number else { return true };
        min.is_none_or(|min| number >= min)
            && max.is_none_or(|max| number <= max)
            // All steps of this test are halves: exact in floating point.
            && step.is_none_or(|step| number % step == 0.0)
    }))
}

fn duration(text: &str) -> Option<f64> {
    let (mut total, mut digits, mut rest) = (0.0, String::new(), text.strip_prefix('P')?.chars());
    for c in rest.by_ref() {
        match c {
            '0'..='9' => digits.push(c),
            'T' => {}
            unit => {
                let weight = [('D', 86_400.0), ('H', 3600.0), ('M', 60.0), ('S', 1.0)];
                total +=
                    std::mem::take(&mut digits).parse::<f64>().ok()? * weight.iter().find(|(of, _)| *of == unit)?.1;
            }
        }
    }
    Some(total)
}

fn decimals<'a>(_: &'a Map<String, Value>, rule: &'a Value, _: Location) -> Made<'a> {
    Ok(Box::new(limits(rule, |text| text.parse().ok())))
}

fn durations<'a>(_: &'a Map<String, Value>, rule: &'a Value, _: Location) -> Made<'a> {
    Ok(Box::new(limits(rule, duration)))
}

fn addresses<'a>(_: &'a Map<String, Value>, rule: &'a Value, _: Location) -> Made<'a> {
    let rule = rule.clone();
    Ok(Box::new(Ours(Box::new(move |value| {
        let Some(text) = value.as_str() else { return true };
        let Some((scheme, rest)) = text.split_once("://") else { return false };
        let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
        let near = host == "localhost" || host.starts_with("10.");
        rule["schemes"].as_array().unwrap().iter().any(|known| known == scheme)
            && !host.contains('@')
            && (path.is_empty() || rule["path"] == true)
            && !(near && rule["public"] == true)
    }))))
}

#[test]
fn what_the_schema_of_a_form_accepts_is_what_its_check_accepts() {
    let seeds = match std::env::var("PSA_SEED") {
        Ok(seed) => vec![seed.parse().expect("PSA_SEED is a number")],
        Err(_) => (0..600).collect::<Vec<u64>>(),
    };
    let (mut loaded, mut accepted, mut refused) = (0, 0, 0);
    for seed in &seeds {
        let dice = &mut Dice(*seed);
        let source = form(dice);
        // Rules that contradict each other are the linter's.
        let Ok(form) = Form::from_value(source.clone()) else { continue };
        loaded += 1;
        let schema = form.settings_schema();
        assert!(jsonschema::meta::is_valid(&schema), "seed {seed}: {schema:#}");
        let validator = jsonschema::options()
            .with_keyword("x-psa-decimal", decimals)
            .with_keyword("x-psa-duration", durations)
            .with_keyword("x-psa-address", addresses)
            .build(&schema)
            .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{schema:#}"));
        for _ in 0..40 {
            let mut all = Map::new();
            for field in source["fields"].as_array().unwrap() {
                let is_secret = field["type"] == "secret";
                let given = if dice.one_in(4) { continue } else { value_for(dice, field) };
                // The door for secrets takes texts alone.
                if !is_secret || given.is_string() {
                    all.insert(field["key"].as_str().unwrap().to_owned(), given);
                }
            }
            if dice.one_in(20) {
                all.insert("unknown".to_owned(), json!(1));
            }
            let secrets: Vec<&str> = form.secrets().filter(|key| all.contains_key(*key)).collect();
            let settings = all.iter().filter(|(key, _)| !form.is_secret(key));
            let settings: Map<String, Value> = settings.map(|(key, value)| (key.clone(), value.clone())).collect();
            let mut issues = form.check_settings(&settings, &secrets);
            issues.extend(secrets.iter().filter_map(|key| form.check_secret(key, all[*key].as_str().unwrap())));
            let instance = Value::Object(all.clone());
            let says = validator.is_valid(&instance);
            assert_eq!(
                says,
                issues.is_empty(),
                "PSA_SEED={seed}: the schema says {says}, the check {issues:?}\n{instance}\n{source:#}\n{schema:#}"
            );
            if says { accepted += 1 } else { refused += 1 }
        }
    }
    if seeds.len() > 1 {
        assert!(loaded > 400 && accepted > 2_000 && refused > 2_000, "{loaded} {accepted} {refused}");
    }
}

#[test]
fn the_schema_marks_secrets_and_names_choices() {
    let form = Form::load(include_bytes!("../../plugins/connectwise/form.json")).unwrap();
    let schema = form.settings_schema();
    assert_eq!(schema["properties"]["private_key"]["writeOnly"], true);
    let site = serde_json::to_string(&schema["properties"]["site"]).unwrap();
    assert!(site.contains(r#"{"const":"eu","title":"Cloud, Europe"}"#), "{site}");
    assert_eq!(schema["additionalProperties"], false);
}
