//! A form as it is shown: its fields with their values, what can be chosen, and what is wrong.

use super::choices::List;
use super::entered::split_duration;
use super::{ErrorView, FieldView, GroupView, IssueView, SecretChoice, SecretView};
use crate::clock::unix_ms;
use crate::connections::{Issue, SecretOp, SecretState};
use crate::web::told::Told;
use crate::web::view::Tone;
use crate::web::words::Words;
use psa_host_api::form::types::{Condition, Field, FieldType, Group, Text, Width};
use psa_host_api::form::{Form, text, types};
use psa_host_api::model::IssueLevel;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// A label is cut after so many characters: what is longer is no label.
pub(crate) const LABEL_CHARS_MAX: usize = 200;

/// What a form is shown with.
pub(crate) struct Building<'a> {
    pub(crate) form: &'a Form,
    pub(crate) words: &'a Words<'a>,
    pub(crate) settings: &'a Map<String, Value>,
    /// What is to become of the secrets as the form stands.
    pub(crate) ops: &'a BTreeMap<String, SecretOp>,
    /// What is kept of them.
    pub(crate) secrets: &'a BTreeMap<String, SecretState>,
    pub(crate) lists: &'a HashMap<String, List>,
    pub(crate) issues: &'a [Issue],
    /// Values of computed fields, by their `value_from`.
    pub(crate) computed: &'a BTreeMap<String, String>,
    /// Fields that cannot be changed, each with why.
    pub(crate) fixed: &'a dyn Fn(&Field) -> Option<String>,
}

impl Building<'_> {
    /// The groups that are wanted, with the fields that are. `ready`: a test has passed, so that lists can be had.
    pub(crate) fn groups(
        &self,
        group: impl Fn(&Group) -> bool,
        field: impl Fn(&Field) -> bool,
        ready: bool,
    ) -> Vec<GroupView> {
        let wanted = self.form.definition().groups.iter().filter(|one| group(one));
        let view = |one: &Group| {
            let fields: Vec<&Field> = self
                .form
                .definition()
                .fields
                .iter()
                .filter(|candidate| candidate.group == one.key && field(candidate))
                .collect();
            let waits = one.needs.is_some() && !ready;
            let provided =
                fields.iter().any(|field| field.options.as_ref().is_some_and(|options| options.source.is_some()));
            GroupView {
                key: one.key.clone(),
                title: self.text(&one.title),
                help: one.help.as_ref().map(|help| self.text(help)).unwrap_or_default(),
                collapsed: one.collapsed,
                reload: provided && !waits,
                waits: waits.then(|| self.words.say("form.group.waits")),
                fields: if waits { Vec::new() } else { fields.into_iter().map(|field| self.field(field)).collect() },
            }
        };
        wanted.map(view).filter(|group| group.waits.is_some() || !group.fields.is_empty()).collect()
    }

    pub(super) fn text(&self, words: &Text) -> String {
        cut(text(words, self.words.locale(), &self.form.definition().default_locale), 16 * 1024)
    }

    pub(super) fn label(&self, words: &Text) -> String {
        cut(&self.text(words), LABEL_CHARS_MAX)
    }

    fn field(&self, field: &Field) -> FieldView {
        let fixed = (self.fixed)(field);
        FieldView {
            key: field.key.clone(),
            kind: field.kind,
            width: field.width.unwrap_or(Width::Full),
            label: self.label(&field.label),
            help: self.help(field),
            placeholder: field.placeholder.clone().map(|text| cut(&text, LABEL_CHARS_MAX)).unwrap_or_default(),
            required: field.required,
            when: field.when.as_ref().and_then(|when| serde_json::to_value(when).ok()),
            when_said: field.when.as_ref().map(|when| self.said(when)).unwrap_or_default(),
            fixed,
            mono: field.mono || matches!(field.kind, FieldType::Url | FieldType::Computed),
            copy: field.copy,
            unit: field.unit.as_ref().map(|unit| self.label(unit)).unwrap_or_default(),
            tone: field.tone.map(|tone| match tone {
                types::Tone::Info => Tone::Info,
                types::Tone::Warn => Tone::Warn,
            }),
            values: self.values(field),
            choices: self.choices(field),
            secret: (field.kind == FieldType::Secret).then(|| self.secret(field)),
            issues: self.issues_of(field),
        }
    }

    fn help(&self, field: &Field) -> String {
        let help = field.help.as_ref().map(|help| self.text(help)).unwrap_or_default();
        match &field.deprecated {
            Some(deprecated) if help.is_empty() => self.text(&deprecated.message),
            Some(deprecated) => format!("{help}\n\n{}", self.text(&deprecated.message)),
            None => help,
        }
    }

    pub(super) fn values(&self, field: &Field) -> Vec<String> {
        if field.kind == FieldType::Computed {
            let from = field.value_from.as_deref().unwrap_or_default();
            return self.computed.get(from).cloned().into_iter().collect();
        }
        match self.settings.get(&field.key) {
            // What is a secret has no value here, and what is shown has none of a secret's.
            None => Vec::new(),
            Some(_) if matches!(field.kind, FieldType::Secret | FieldType::Notice) => Vec::new(),
            Some(Value::Array(items)) => items.iter().map(shown).collect(),
            Some(Value::String(text)) if field.kind == FieldType::Duration => match split_duration(text) {
                Some((number, unit)) => vec![number.to_owned(), unit.to_owned()],
                None => vec![text.clone()],
            },
            Some(value) => vec![shown(value)],
        }
    }

    fn secret(&self, field: &Field) -> SecretView {
        let state = self.secrets.get(&field.key).cloned().unwrap_or_default();
        let op = match self.ops.get(&field.key) {
            Some(SecretOp::Replace(_)) => SecretChoice::Replace,
            Some(SecretOp::Clear) => SecretChoice::Clear,
            Some(SecretOp::Keep) | None => SecretChoice::Keep,
        };
        let of = field.secret.as_ref();
        let at = state.set_at.as_deref().and_then(unix_ms);
        SecretView {
            set: state.set,
            set_at: at.map(|at| self.words.moment(at)),
            set_by: state.set_by.unwrap_or_default(),
            fingerprint: state.fingerprint.unwrap_or_default(),
            clearable: state.set && (of.is_some_and(|of| of.clearable) || !field.required),
            multiline: field.multiline,
            waiting: op == SecretChoice::Replace && self.has_text(&field.key),
            op,
        }
    }

    fn has_text(&self, key: &str) -> bool {
        use secrecy::ExposeSecret as _;
        matches!(self.ops.get(key), Some(SecretOp::Replace(secret)) if !secret.expose_secret().is_empty())
    }

    fn issues_of(&self, field: &Field) -> Vec<IssueView> {
        let of = self.issues.iter().filter(|issue| issue_field(issue) == Some(&field.key));
        of.map(|issue| IssueView {
            warning: issue.level == IssueLevel::Warning,
            code: issue.code.clone(),
            told: self.issue_told(issue),
        })
        .collect()
    }

    /// Our own words for a rule of the form or for a code that needs no more, or those of who has found it.
    fn issue_told(&self, issue: &Issue) -> Told {
        let known = || self.words.find(&format!("issue.{}", issue.code));
        let refusal = || self.words.find(&format!("refusal.{}", issue.code));
        match self.rule_told(issue).or_else(|| known().or_else(refusal).map(Told::ours)) {
            Some(told) => told,
            None if OURS.contains(&issue.code.as_str()) => Told::ours(issue.message.clone()),
            None => self.words.of_others(&issue.message, 1_000),
        }
    }

    /// All that is wrong, for the summary above the form.
    pub(crate) fn errors(&self) -> Vec<ErrorView> {
        let errors = self.issues.iter().filter(|issue| issue.level == IssueLevel::Error);
        errors
            .map(|issue| {
                let field = issue_field(issue).and_then(|key| self.form.field(key));
                ErrorView {
                    field: field.map(|field| field.key.clone()),
                    code: issue.code.clone(),
                    label: field.map(|field| self.label(&field.label)),
                    told: self.issue_told(issue),
                }
            })
            .collect()
    }

    /// A condition in words, for who has no script.
    fn said(&self, when: &Condition) -> String {
        let Some(field) = when.field.as_ref().and_then(|key| self.form.field(key)) else {
            return self.words.say("form.when.other");
        };
        let label = self.label(&field.label);
        let value = |value: &Value| {
            let fixed = field.options.as_ref().and_then(|options| options.fixed.as_ref());
            let known = fixed.and_then(|choices| choices.iter().find(|choice| choice.value == *value));
            match (known, value) {
                (Some(choice), _) => self.label(&choice.label),
                (None, Value::Bool(true)) => self.words.say("form.yes"),
                (None, Value::Bool(false)) => self.words.say("form.no"),
                (None, value) => shown(value),
            }
        };
        match (&when.eq, &when.one_of) {
            (Some(one), _) => self.words.fill("form.when.is", &[("field", &label), ("value", &value(one))]),
            (None, Some(several)) => {
                let all = several.iter().map(value).collect::<Vec<_>>().join(", ");
                self.words.fill("form.when.is", &[("field", &label), ("value", &all)])
            }
            _ => self.words.say("form.when.other"),
        }
    }
}

/// Codes of what the page itself has found: it speaks the reader's language.
const OURS: [&str; 6] = ["spaced", "unsure", "name", "too_many", "nothing", "theirs"];

/// The field that an issue is about.
pub(crate) fn issue_field(issue: &Issue) -> Option<&str> {
    issue
        .at
        .strip_prefix("/settings/")
        .or_else(|| issue.at.strip_prefix("/secrets/"))
        .and_then(|key| key.split('/').next())
}

pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) | Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// At most so many characters, and none that would turn the line around them.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    let plain = text.chars().filter(|c| !is_turning(*c));
    let mut short: String = plain.clone().take(chars_max).collect();
    if plain.count() > chars_max {
        short.push('\u{2026}');
    }
    short
}

/// Marks that reorder what stands around them: in a label they make one thing look like another.
fn is_turning(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}
