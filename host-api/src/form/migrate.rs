//! Settings of an older form, brought to this one.
//!
//! Holds: what the steps of a form's migrations do.
//! Promises: pure; a secret is moved by its name and its value is not here; what no step names stays.
//! Leaves to others: moving the secrets themselves, keeping the outcome, asking the plugin for the rest (the host).

use super::Form;
use super::condition::is_set;
use super::types::*;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What has become of settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Migrated {
    /// All of them, also those that no form knows any more.
    pub settings: Map<String, Value>,
    /// The secrets by their names now, each with its name before.
    pub secrets: BTreeMap<String, String>,
    /// Settings that are secrets now: their values are to be sealed and are not among the settings any more.
    pub become_secrets: Vec<(String, String)>,
}

/// Why settings cannot be brought on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MigrationError {
    /// They are too old.
    #[error("they are of version {0}, and this form reads from version {1} on")]
    TooOld(u32, u32),
    /// They are newer than the form.
    #[error("they are of version {0}, which is newer than this form's {1}")]
    Newer(u32, u32),
    /// A step does not fit what is there.
    #[error("\"{0}\" {1}")]
    Step(String, String),
}

impl Form {
    /// Brings settings of version `from` to this form's version. `secrets`: the names of those that are stored.
    pub fn migrate(
        &self,
        from: u32,
        settings: &Map<String, Value>,
        secrets: &[String],
    ) -> Result<Migrated, MigrationError> {
        let Definition { reads_from, settings_version, migrations, .. } = &self.definition;
        if from < *reads_from {
            return Err(MigrationError::TooOld(from, *reads_from));
        }
        if from > *settings_version {
            return Err(MigrationError::Newer(from, *settings_version));
        }
        let secrets = secrets.iter().map(|name| (name.clone(), name.clone())).collect();
        let mut state = Migrated { settings: settings.clone(), secrets, become_secrets: Vec::new() };
        for step in migrations.iter().filter(|step| step.from >= from) {
            step.ops.iter().try_for_each(|op| state.apply(op))?;
        }
        if from < *settings_version {
            self.fill_new_fields(from, &mut state.settings);
            state.take_secrets_out(self);
        }
        Ok(state)
    }

    /// Defaults of fields that came after `from`: for these settings they are new, as all are for a new connection.
    fn fill_new_fields(&self, from: u32, settings: &mut Map<String, Value>) {
        for field in self.definition.fields.iter().filter(|field| field.since.is_some_and(|since| since > from)) {
            if let Some(default) = &field.default {
                settings.entry(field.key.clone()).or_insert_with(|| default.clone());
            }
        }
    }
}

impl Migrated {
    fn apply(&mut self, op: &MigrationOp) -> Result<(), MigrationError> {
        match op {
            MigrationOp::Rename(Move { from, to }) => {
                if let Some(value) = self.settings.remove(from) {
                    self.settings.insert(to.clone(), value);
                }
                if let Some(before) = self.secrets.remove(from) {
                    self.secrets.insert(to.clone(), before);
                }
            }
            MigrationOp::Copy(Move { from, to }) => {
                if let Some(value) = self.settings.get(from).cloned() {
                    self.settings.insert(to.clone(), value);
                }
                if let Some(before) = self.secrets.get(from).cloned() {
                    self.secrets.insert(to.clone(), before);
                }
            }
            MigrationOp::Set(SetValue { key, value, if_absent }) => {
                let is_there = self.settings.get(key).is_some_and(is_set);
                if !(*if_absent && is_there) {
                    self.settings.insert(key.clone(), value.clone());
                }
            }
            MigrationOp::Drop(DropKey { key }) => {
                self.settings.remove(key);
                self.secrets.remove(key);
            }
            MigrationOp::Map(MapValues { key, values }) => {
                let mapped = |value: &Value| match value {
                    Value::String(text) => values.get(text).cloned(),
                    other => values.get(&other.to_string()).cloned(),
                };
                match self.settings.get_mut(key) {
                    Some(Value::Array(items)) => {
                        items.iter_mut().for_each(|item| *item = mapped(item).unwrap_or_else(|| item.clone()));
                    }
                    Some(value) => *value = mapped(value).unwrap_or_else(|| value.clone()),
                    None => {}
                }
            }
            MigrationOp::Split(SplitText { from, sep, to }) => self.split(from, sep, to)?,
        }
        Ok(())
    }

    fn split(&mut self, from: &str, sep: &str, to: &[String]) -> Result<(), MigrationError> {
        let wrong = |why: String| MigrationError::Step(from.to_owned(), why);
        let Some(value) = self.settings.get(from).filter(|value| is_set(value)) else { return Ok(()) };
        let text = value.as_str().ok_or_else(|| wrong("is no text that could be split".to_owned()))?;
        // The last part takes what is left: a name may hold the sign, too.
        let parts: Vec<String> = text.splitn(to.len(), sep).map(str::to_owned).collect();
        if parts.len() != to.len() {
            // The value itself may be one that is not told.
            return Err(wrong(format!("does not hold {} parts with \"{sep}\" between them", to.len())));
        }
        self.settings.remove(from);
        self.settings.extend(to.iter().cloned().zip(parts.into_iter().map(Value::String)));
        Ok(())
    }

    fn take_secrets_out(&mut self, form: &Form) {
        let names: Vec<String> = form.secrets().map(str::to_owned).collect();
        for name in names {
            match self.settings.remove(&name) {
                Some(Value::String(text)) if !text.is_empty() => {
                    self.secrets.remove(&name);
                    self.become_secrets.push((name, text));
                }
                _ => {}
            }
        }
    }
}
