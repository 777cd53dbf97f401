//! What the shape of a form does not say by itself.
//!
//! Holds: the checks, each with a stable code.
//! Promises: all problems of a form are found in one go.

use super::address;
use super::errors::FormError;
use super::settings;
use super::types::*;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

const FIELDS_MAX: usize = 200;
const GROUPS_MAX: usize = 20;
const MAPPINGS_MAX: usize = 10;
/// A pattern whose program would be larger is refused, in bytes.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// Words in a key that mean a secret.
const SECRET_WORDS: [&str; 5] = ["password", "secret", "token", "private_key", "passphrase"];

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
    lint.mappings();
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

    fn field(&mut self, position: usize, field: &Field) {
        let at = format!("/fields/{position}");
        let is_new = self.form.fields[..position].iter().all(|earlier| earlier.key != field.key);
        self.key(&at, &field.key, is_new);
        if !self.form.groups.iter().any(|group| group.key == field.group) {
            self.say(format!("{at}/group"), "group.unknown", format!("there is no group \"{}\"", field.group));
        }
        self.text(&format!("{at}/label"), Some(&field.label));
        self.text(&format!("{at}/help"), field.help.as_ref());
        self.text(&format!("{at}/unit"), field.unit.as_ref());
        self.condition(&format!("{at}/when"), position, field.when.as_ref());
        self.members(&at, field);
        self.rules(&at, field);
        self.options(&format!("{at}/options"), field.options.as_ref());
        self.secret(&at, position, field);
        self.default(&at, field);
    }

    fn condition(&mut self, at: &str, position: usize, condition: Option<&Condition>) {
        let Some(condition) = condition else { return };
        if !condition.is_well_formed() {
            let message = "must be one of field with eq, in or set; all; any; not";
            return self.say(at, "when.shape", message);
        }
        for key in condition.fields() {
            match self.form.fields.iter().position(|field| field.key == key) {
                None => self.say(at, "when.unknown", format!("there is no field \"{key}\"")),
                Some(other) if other >= position => {
                    self.say(at, "when.later", format!("\"{key}\" is not an earlier field"))
                }
                Some(other) if self.form.fields[other].kind == FieldType::Secret => {
                    self.say(at, "when.secret", format!("\"{key}\" is a secret; conditions must not tell about it"));
                }
                Some(_) => {}
            }
        }
    }

    /// Members that belong to some types only.
    fn members(&mut self, at: &str, field: &Field) {
        use FieldType::*;
        let kind = field.kind;
        let choice = matches!(kind, Select | Radio | Multiselect);
        let stored = !matches!(kind, Computed | Notice);
        let rows = [
            ("secret", field.secret.is_some(), kind == Secret),
            ("multiline", field.multiline, kind == Secret),
            ("options", field.options.is_some(), choice),
            ("value_type", field.value_type.is_some(), choice || kind == Number),
            ("unit", field.unit.is_some(), kind == Number),
            ("value_from", field.value_from.is_some(), kind == Computed),
            ("copy", field.copy, kind == Computed),
            ("tone", field.tone.is_some(), kind == Notice),
            ("default", field.default.is_some(), stored && kind != Secret),
            ("default_from", field.default_from.is_some(), stored && kind != Secret),
            ("required", field.required, stored),
            ("identity", field.identity, stored && kind != Secret),
            ("validate", field.validate.is_some(), stored && !matches!(kind, Bool)),
        ];
        for (member, there, allowed) in rows {
            if there && !allowed {
                let code =
                    if kind == Secret && member.starts_with("default") { "secret.default" } else { "member.type" };
                self.say(format!("{at}/{member}"), code, "does not belong to a field of this type");
            }
        }
        let missing = [
            ("secret", kind == Secret && field.secret.is_none()),
            ("options", choice && field.options.is_none()),
            ("value_from", kind == Computed && field.value_from.is_none()),
        ];
        for (member, is_missing) in missing {
            if is_missing {
                self.say(format!("{at}/{member}"), "member.missing", "is needed by a field of this type");
            }
        }
        if matches!(kind, Text | Textarea) && SECRET_WORDS.iter().any(|word| field.key.contains(word)) {
            self.say(format!("{at}/type"), "secret.type", "by its key it is a secret; its type must be \"secret\"");
        }
    }

    fn rules(&mut self, at: &str, field: &Field) {
        let Some(rules) = &field.validate else { return };
        let at = format!("{at}/validate");
        if let Some(pattern) = &rules.pattern {
            match regex::RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(PATTERN_BYTES_MAX).build() {
                Ok(regex) => drop(self.patterns.insert(field.key.clone(), regex)),
                Err(error) => {
                    let words = error.to_string().lines().last().unwrap_or_default().to_owned();
                    self.say(format!("{at}/pattern"), "validate.pattern", format!("is no pattern: {words}"));
                }
            }
            if rules.pattern_hint.is_none() {
                self.say(format!("{at}/pattern_hint"), "validate.hint", "must say in words what the pattern wants");
            }
        }
        self.text(&format!("{at}/pattern_hint"), rules.pattern_hint.as_ref());
        for (member, limit) in [("min", &rules.min), ("max", &rules.max), ("step", &rules.step)] {
            if limit.as_ref().is_some_and(|limit| settings::size(field.kind, limit).is_none()) {
                self.say(format!("{at}/{member}"), "validate.limit", "does not fit the field's type");
            }
        }
        let size =
            |limit: &Option<serde_json::Value>| limit.as_ref().and_then(|limit| settings::size(field.kind, limit));
        if let (Some(min), Some(max)) = (size(&rules.min), size(&rules.max))
            && min > max
        {
            self.say(&at, "validate.range", "min is above max: no value fits");
        }
        let of_url = rules.schemes.is_some() || rules.network.is_some() || rules.path.is_some();
        if of_url && field.kind != FieldType::Url {
            self.say(&at, "member.type", "schemes, network and path belong to a field of type url");
        }
        let known = |scheme: &String| matches!(scheme.as_str(), "https" | "http");
        if rules.schemes.as_ref().is_some_and(|schemes| schemes.is_empty() || !schemes.iter().all(known)) {
            self.say(format!("{at}/schemes"), "validate.schemes", "can hold \"https\" and \"http\"");
        }
    }

    fn options(&mut self, at: &str, options: Option<&Options>) {
        let Some(options) = options else { return };
        if options.fixed.is_some() == options.source.is_some() {
            self.say(at, "options.shape", "must have either \"static\" or \"source\"");
        }
        for (position, choice) in options.fixed.iter().flatten().enumerate() {
            let at = format!("{at}/static/{position}");
            self.text(&format!("{at}/label"), Some(&choice.label));
            self.text(&format!("{at}/help"), choice.help.as_ref());
            if !(choice.value.is_string() || choice.value.is_i64() || choice.value.is_u64()) {
                self.say(format!("{at}/value"), "options.value", "must be a text or a whole number");
            }
            if options.fixed.iter().flatten().take(position).any(|earlier| earlier.value == choice.value) {
                self.say(format!("{at}/value"), "options.twice", "is there already");
            }
        }
        let Some(name) = &options.source else { return };
        let Some(source) = self.form.sources.get(name) else {
            return self.say(format!("{at}/source"), "options.source", format!("there is no source \"{name}\""));
        };
        for (argument, from) in &options.args {
            if !source.args.contains(argument) {
                let message = format!("the source \"{name}\" takes no \"{argument}\"");
                self.say(format!("{at}/args/{argument}"), "options.argument", message);
            }
            if from != "@scope" && !self.form.fields.iter().any(|field| field.key == *from) {
                self.say(format!("{at}/args/{argument}"), "options.argument", format!("there is no field \"{from}\""));
            }
        }
    }

    fn secret(&mut self, at: &str, position: usize, field: &Field) {
        let Some(secret) = &field.secret else { return };
        if secret.send_to.is_empty() && !secret.generate {
            self.say(format!("{at}/secret/send_to"), "secret.nowhere", "must name the addresses it may be sent to");
        }
        for key in &secret.bound_to {
            let other = self.form.fields.iter().find(|other| other.key == *key);
            if other.is_none_or(|other| other.kind == FieldType::Secret) {
                self.say(
                    format!("{at}/secret/bound_to"),
                    "secret.bound_to",
                    format!("\"{key}\" is no field that is not a secret"),
                );
            }
        }
        for (index, to) in secret.send_to.iter().enumerate() {
            let at = format!("{at}/secret/send_to/{index}");
            self.condition(&format!("{at}/when"), self.form.fields.len(), to.when());
            self.address(&at, position, to.template());
        }
    }

    fn address(&mut self, at: &str, position: usize, template: &str) {
        let Some(fields) = address::fields(template) else {
            return self.say(at, "secret.address", "its braces do not pair");
        };
        let secret = &self.form.fields[position];
        let mut trial = template.to_owned();
        for key in fields {
            let Some(field) = self.form.fields.iter().find(|field| field.key == key) else {
                self.say(at, "secret.address", format!("there is no field \"{key}\""));
                return;
            };
            let whole = template == format!("{{{key}}}");
            if whole != (field.kind == FieldType::Url) || field.kind == FieldType::Secret {
                let message =
                    format!("\"{key}\" must be of type url to be a whole address, and of another to be part of one");
                self.say(at, "secret.address", message);
            }
            // Else who changes where it goes keeps the secret that was meant for elsewhere.
            if !secret.secret.as_ref().is_some_and(|secret| secret.bound_to.iter().any(|bound| bound == key)) {
                self.say(at, "secret.unbound", format!("depends on \"{key}\", so bound_to must name it"));
            }
            trial = trial.replace(&format!("{{{key}}}"), if whole { "https://x.example" } else { "x" });
        }
        if address::parse(&trial).is_none() {
            self.say(at, "secret.address", "is no https://host, https://host:port or *.domain.example");
        }
    }

    fn default(&mut self, at: &str, field: &Field) {
        let Some(default) = &field.default else { return };
        let pattern = self.patterns.get(&field.key);
        if let Some((code, message)) = settings::problem(field, default, pattern, &self.form.default_locale) {
            self.say(
                format!("{at}/default"),
                "default.invalid",
                format!("does not keep the field's own rules: {message} ({code})"),
            );
        }
    }

    fn mappings(&mut self) {
        let mut keys = BTreeSet::new();
        for (position, mapping) in self.form.mappings.iter().enumerate() {
            let at = format!("/mappings/{position}");
            self.key(&at, &mapping.key, keys.insert(mapping.key.as_str()));
            self.text(&format!("{at}/title"), mapping.title.as_ref());
            if mapping.rows != "free" && !mapping.rows.starts_with("host:") {
                self.say(format!("{at}/rows"), "mapping.rows", "must be \"free\" or begin with \"host:\"");
            }
            if mapping.columns.is_empty() {
                self.say(format!("{at}/columns"), "mapping.columns", "must have at least one");
            }
            for (index, column) in mapping.columns.iter().enumerate() {
                self.options(&format!("{at}/columns/{index}/options"), Some(&column.options));
            }
            if let Some(scope) = &mapping.scope {
                let known = self.form.sources.contains_key(&scope.source);
                let selected = self.form.fields.iter().any(|field| field.key == scope.selected_by);
                if !known || !selected {
                    self.say(format!("{at}/scope"), "mapping.scope", "must name a source and a field of this form");
                }
            }
            if let Some(unmapped) = &mapping.unmapped
                && !unmapped.choices.contains(&unmapped.default)
            {
                self.say(format!("{at}/unmapped"), "mapping.unmapped", "its default is none of its choices");
            }
        }
    }

    fn migrations(&mut self) {
        let mut reached = self.form.reads_from;
        for (position, migration) in self.form.migrations.iter().enumerate() {
            let at = format!("/migrations/{position}");
            if migration.from != reached || migration.to <= migration.from {
                self.say(&at, "migration.order", format!("must lead on from {reached}"));
            }
            reached = migration.to;
            for (index, op) in migration.ops.iter().enumerate() {
                let known = ["rename", "set", "drop", "map", "split", "copy"];
                if op.len() != 1 || !op.keys().all(|name| known.contains(&name.as_str())) {
                    self.say(
                        format!("{at}/ops/{index}"),
                        "migration.op",
                        format!("must be one of {}", known.join(", ")),
                    );
                }
            }
        }
        if reached != self.form.settings_version {
            self.say("/migrations", "migration.order", "must lead from reads_from to settings_version without a gap");
        }
    }
}
