//! The form of a connection's settings: Form Schema 1.0.
//!
//! Holds: [`Form`], a loaded form; its parts as types ([`types`]); what is wrong with one ([`FormErrors`]).
//! Promises: a loaded form has no unknown member, no dangling reference and no condition that could loop; it tells
//! which settings are secrets and where each may be sent.
//! Leaves to others: drawing it (the host's page), keeping values (the host's store).

mod address;
mod condition;
mod errors;
mod lint;
mod load;
pub mod markdown;
mod settings;
mod text;
pub mod types;

pub use address::{Address, HostRule};
pub use errors::{FormError, FormErrors};
pub use markdown::markdown;
pub use settings::Issue;
pub use text::text;

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

    /// The settings, with defaults where nothing was said.
    pub fn apply_defaults(&self, settings: &Map<String, Value>) -> Map<String, Value> {
        let mut all = settings.clone();
        for field in &self.definition.fields {
            if let Some(default) = &field.default {
                all.entry(field.key.clone()).or_insert_with(|| default.clone());
            }
        }
        all
    }

    /// Everything that is wrong with these settings. `secrets` are the keys of the secrets that are given or stored.
    pub fn check_settings(&self, settings: &Map<String, Value>, secrets: &[&str]) -> Vec<Issue> {
        settings::check(self, settings, secrets)
    }

    /// JSON Schema of the settings, as far as it can be said without the conditions.
    pub fn settings_schema(&self) -> Value {
        settings::schema(self)
    }
}
