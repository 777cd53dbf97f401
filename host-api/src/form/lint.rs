//! What the shape of a form does not say by itself.
//!
//! Holds: the checks, each with a stable code.
//! Promises: all problems of a form are found in one go.

mod fields;
mod references;
mod secrets;

use super::errors::FormError;
use super::settings;
use super::types::*;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

const FIELDS_MAX: usize = 200;
const GROUPS_MAX: usize = 20;
const MAPPINGS_MAX: usize = 10;
struct Lint<'a> {
    form: &'a Definition,
    problems: Vec<FormError>,
    patterns: BTreeMap<String, Regex>,
}

/// All problems of a form, and its patterns.
pub(super) fn check(form: &Definition) -> (Vec<FormError>, BTreeMap<String, Regex>) {
    let mut lint = Lint { form, problems: Vec::new(), patterns: BTreeMap::new() };
    lint.limits();
    lint.groups();
    for (position, field) in form.fields.iter().enumerate() {
        lint.field(position, field);
    }
    lint.sources();
    lint.mappings();
    lint.test();
    lint.migrations();
    (lint.problems, lint.patterns)
}

impl Lint<'_> {
    fn say(&mut self, at: impl Into<String>, code: &'static str, message: impl Into<String>) {
        self.problems.push(FormError { at: at.into(), code, message: message.into() });
    }

    fn limits(&mut self) {
        let counts = [
            ("/fields", self.form.fields.len(), FIELDS_MAX),
            ("/groups", self.form.groups.len(), GROUPS_MAX),
            ("/mappings", self.form.mappings.len(), MAPPINGS_MAX),
        ];
        for (at, found, most) in counts {
            if found > most {
                self.say(at, "form.too_many", format!("{found} of them; at most {most} are allowed"));
            }
        }
        if self.form.reads_from > self.form.settings_version {
            self.say("/reads_from", "form.versions", "is above settings_version");
        }
        let locale = &self.form.default_locale;
        if locale.is_empty() || !locale.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            self.say("/default_locale", "text.locale", "must be a language tag such as \"en\"");
        }
    }

    fn groups(&mut self) {
        let mut keys = BTreeSet::new();
        for (position, group) in self.form.groups.iter().enumerate() {
            let at = format!("/groups/{position}");
            self.key(&at, &group.key, keys.insert(group.key.as_str()));
            self.text(&format!("{at}/title"), Some(&group.title));
            self.text(&format!("{at}/help"), group.help.as_ref());
            if group.needs.as_deref().is_some_and(|needs| needs != "test") {
                self.say(format!("{at}/needs"), "group.needs", "can only be \"test\"");
            }
        }
    }

    fn key(&mut self, at: &str, key: &str, is_new: bool) {
        if !settings::is_key(key) {
            self.say(
                format!("{at}/key"),
                "key.form",
                "must be a lower-case letter, then letters, digits and _, at most 63",
            );
        } else if !is_new {
            self.say(format!("{at}/key"), "key.twice", format!("\"{key}\" is there already"));
        }
    }

    fn text(&mut self, at: &str, text: Option<&Text>) {
        let Some(text) = text else { return };
        if text.contains_key("$t") {
            if text.len() > 1 {
                self.say(at, "text.shape", "has \"$t\" and languages; only one of the two is possible");
            }
        } else if text.get(&self.form.default_locale).is_none_or(|words| words.trim().is_empty()) {
            let locale = self.form.default_locale.clone();
            self.say(at, "text.locale", format!("has no text in the default language \"{locale}\""));
        }
    }
}
