//! The form of a connection's settings: Form Schema 1.0.
//!
//! Holds: [`Form`], a loaded form; its parts as types ([`types`]); what is wrong with one ([`FormErrors`]).
//! Promises: a loaded form has no unknown member, no dangling reference and no condition that could loop; it tells
//! which settings are secrets and where each may be sent.
//! Leaves to others: drawing it (the host's page), keeping values (the host's store).

mod address;
mod condition;
mod errors;
mod grammar;
mod lint;
mod load;
pub mod markdown;
mod migrate;
mod schema;
mod settings;
mod text;
pub mod types;
mod value;

pub use address::{Address, HostRule};
pub use errors::{FormError, FormErrors};
pub use markdown::markdown;
pub use migrate::{Migrated, MigrationError};
pub use settings::{Issue, Moment, Params};
pub use text::text;

use condition::is_set;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use types::{Definition, Field, FieldType};

/// A form that has passed every check.
#[derive(Debug, Clone)]
pub struct Form {
    definition: Definition,
    /// The patterns of its fields, compiled once.
    patterns: BTreeMap<String, regex::Regex>,
}

impl Form {
    /// Reads and checks a form.
    pub fn load(json: &[u8]) -> Result<Form, FormErrors> {
        load::from_bytes(json)
    }

    /// Reads and checks a form that has been parsed already.
    pub fn from_value(value: Value) -> Result<Form, FormErrors> {
        load::from_value(value)
    }

    /// The form as its author wrote it.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The field of a key.
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.definition.fields.iter().find(|field| field.key == key)
    }

    /// Keys of the fields that are secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let secrets = self.definition.fields.iter().filter(|field| field.kind == FieldType::Secret);
        secrets.map(|field| field.key.as_str())
    }

    /// Whether a key is that of a secret.
    pub fn is_secret(&self, key: &str) -> bool {
        self.field(key).is_some_and(|field| field.kind == FieldType::Secret)
    }

    /// Where a secret may be sent when the settings are these. Nowhere, if it is no secret.
    ///
    /// A template over a field that is not filled in, or whose value could not be part of a host name, gives no address.
    pub fn send_to(&self, key: &str, settings: &Map<String, Value>) -> Vec<Address> {
        let Some(secret) = self.field(key).and_then(|field| field.secret.as_ref()) else { return Vec::new() };
        let settings = self.without_invisible(settings);
        let now = secret.send_to.iter().filter(|to| to.when().is_none_or(|when| when.holds(&settings)));
        now.filter_map(|to| address::filled_in(to.template(), &settings)).collect()
    }

    /// Keys of the settings that a secret is bound to: if one changes, the secret must be entered again.
    pub fn bound_to(&self, key: &str) -> &[String] {
        let secret = self.field(key).and_then(|field| field.secret.as_ref());
        secret.map_or(&[], |secret| &secret.bound_to)
    }

    /// Keys of the settings that make out which account it is.
    pub fn identity_fields(&self) -> impl Iterator<Item = &str> {
        self.definition.fields.iter().filter(|field| field.identity).map(|field| field.key.as_str())
    }

    /// Keys of the fields that are shown when the settings are these.
    pub fn visible(&self, settings: &Map<String, Value>) -> BTreeSet<&str> {
        let mut shown: Map<String, Value> = Map::new();
        let mut visible = BTreeSet::new();
        // In order: a condition looks at earlier fields only, and an invisible one counts as not filled in.
        for field in &self.definition.fields {
            if field.when.as_ref().is_none_or(|when| when.holds(&shown)) {
                visible.insert(field.key.as_str());
                if let Some(value) = settings.get(&field.key) {
                    shown.insert(field.key.clone(), value.clone());
                }
            }
        }
        visible
    }

    /// The settings without those that are not shown.
    pub fn without_invisible(&self, settings: &Map<String, Value>) -> Map<String, Value> {
        let visible = self.visible(settings);
        let kept = settings.iter().filter(|(key, _)| visible.contains(key.as_str()));
        kept.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The settings, with defaults where nothing was said: for a new connection, and never again.
    pub fn apply_defaults(&self, settings: &Map<String, Value>) -> Map<String, Value> {
        let mut all = settings.clone();
        for field in &self.definition.fields {
            if let Some(default) = &field.default {
                all.entry(field.key.clone()).or_insert_with(|| default.clone());
            }
        }
        all
    }

    /// The settings that the form knows and that are no secrets: what else is stored is told nobody.
    pub fn declared(&self, settings: &Map<String, Value>) -> Map<String, Value> {
        let known = settings.iter().filter(|(key, _)| self.field(key).is_some_and(is_stored));
        known.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Settings as they are written down: without blanks around texts, line ends as one sign, addresses in one form.
    pub fn normalised(&self, settings: &Map<String, Value>) -> Map<String, Value> {
        settings::normalised(self, settings)
    }

    /// Everything that is wrong with these settings. `secrets` are the keys of the secrets that are given or stored.
    pub fn check_settings(&self, settings: &Map<String, Value>, secrets: &[&str]) -> Vec<Issue> {
        self.check_at(settings, secrets, Moment::Whole)
    }

    /// The same, at a moment at which some of them may be missing.
    pub fn check_at(&self, settings: &Map<String, Value>, secrets: &[&str], moment: Moment<'_>) -> Vec<Issue> {
        settings::check(self, settings, secrets, moment)
    }

    /// What is wrong with the value of a secret, in words that do not hold it.
    pub fn check_secret(&self, key: &str, value: &str) -> Option<Issue> {
        let field = self.field(key).filter(|field| field.kind == FieldType::Secret)?;
        if value.is_empty() {
            let message = "must be entered; to take it away, say so".to_owned();
            let params = Params::from([("rule".to_owned(), "secret".to_owned())]);
            return Some(Issue { field: key.to_owned(), code: "required", message, params });
        }
        let pattern = self.patterns.get(key);
        let problem = value::problem(field, &Value::from(value), pattern, &self.definition.default_locale);
        problem.map(|problem| Issue::of(key, problem))
    }

    /// Whether a secret is made by the host when none is given.
    pub fn makes(&self, key: &str) -> bool {
        self.field(key).and_then(|field| field.secret.as_ref()).is_some_and(|secret| secret.generate)
    }

    /// Whether a secret may be taken away without another one in its place.
    pub fn is_clearable(&self, key: &str) -> bool {
        let field = self.field(key);
        field.is_some_and(|field| !field.required || field.secret.as_ref().is_some_and(|secret| secret.clearable))
    }

    /// Keys of the other secrets of its group, of which one at most is in use.
    pub fn rivals(&self, key: &str) -> Vec<&str> {
        let group = |field: &Field| field.secret.as_ref().and_then(|secret| secret.exclusive_group.clone());
        let Some(own) = self.field(key).and_then(group) else { return Vec::new() };
        let others = self.definition.fields.iter().filter(|field| field.key != key);
        others.filter(|field| group(field).as_ref() == Some(&own)).map(|field| field.key.as_str()).collect()
    }

    /// Fields that decide for what a secret is and whose values differ: it must be entered again.
    pub fn rebound(&self, key: &str, before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<&str> {
        let shown = |settings: &Map<String, Value>| self.without_invisible(&self.normalised(settings));
        let (before, after) = (shown(before), shown(after));
        let differs = |field: &&String| {
            let of = |settings: &Map<String, Value>| settings.get(*field).filter(|value| is_set(value)).cloned();
            of(&before) != of(&after)
        };
        self.bound_to(key).iter().filter(differs).map(String::as_str).collect()
    }

    /// JSON Schema of settings and secrets in one object: it accepts what [`Form::check_settings`] accepts.
    pub fn settings_schema(&self) -> Value {
        schema::schema(self)
    }
}

/// Whether a field's value is kept among the settings.
fn is_stored(field: &Field) -> bool {
    !matches!(field.kind, FieldType::Secret | FieldType::Computed | FieldType::Notice)
}
