//! Fields: their members, their rules, when they are shown.

use super::Lint;
use crate::form::types::*;
use crate::form::value;

/// A pattern whose program would be larger is refused, in bytes.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// Words in a key that mean a secret.
const SECRET_WORDS: [&str; 5] = ["password", "secret", "token", "private_key", "passphrase"];

impl Lint<'_> {
    pub(super) fn field(&mut self, position: usize, field: &Field) {
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
        self.values(&at, field);
        self.default(&at, field);
        self.relations(&at, field);
    }

    pub(super) fn condition(&mut self, at: &str, position: usize, condition: Option<&Condition>) {
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
            if limit.as_ref().is_some_and(|limit| value::size(field.kind, limit).is_none()) {
                self.say(format!("{at}/{member}"), "validate.limit", "does not fit the field's type");
            }
        }
        if rules.step.is_some() && !matches!(field.kind, FieldType::Number | FieldType::Duration) {
            self.say(format!("{at}/step"), "member.type", "belongs to a number or a duration");
        }
        if rules.step.as_ref().and_then(|step| value::size(field.kind, step)).is_some_and(|step| step <= 0) {
            self.say(format!("{at}/step"), "validate.limit", "must be above zero");
        }
        let size = |limit: &Option<serde_json::Value>| limit.as_ref().and_then(|limit| value::size(field.kind, limit));
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
        let limits = (size(&rules.min), size(&rules.max));
        // Else a value could be out of reach of every reader of JSON.
        let of_list = matches!(field.kind, FieldType::List | FieldType::Multiselect);
        if of_list && limits.0.is_some_and(|min| min > value::ITEMS_MAX as i128) {
            self.say(
                format!("{at}/min"),
                "validate.range",
                format!("at most {} entries can be kept", value::ITEMS_MAX),
            );
        }
    }

    /// What a field says about other fields, the host, and its own history.
    fn relations(&mut self, at: &str, field: &Field) {
        for (member, from, starts) in [
            ("default_from", &field.default_from, &["host:"][..]),
            ("value_from", &field.value_from, &["host:", "plugin:"][..]),
        ] {
            let named =
                |from: &str| starts.iter().any(|start| from.strip_prefix(start).is_some_and(|rest| !rest.is_empty()));
            if from.as_deref().is_some_and(|from| !named(from)) {
                self.say(format!("{at}/{member}"), "member.from", format!("must begin with {}", starts.join(" or ")));
            }
        }
        if field.since.is_some_and(|since| since > self.form.settings_version) {
            self.say(format!("{at}/since"), "form.versions", "is above settings_version");
        }
        if field.needs_capability.as_ref().is_some_and(String::is_empty) {
            self.say(format!("{at}/needs_capability"), "member.empty", "must name a capability");
        }
        if field.immutable && field.deprecated.is_some() {
            self.say(format!("{at}/immutable"), "member.type", "what goes away cannot be fixed for ever");
        }
        let Some(deprecated) = &field.deprecated else { return };
        self.text(&format!("{at}/deprecated/message"), Some(&deprecated.message));
        let known = |key: &String| self.form.fields.iter().any(|other| other.key == *key && other.key != field.key);
        if let Some(key) = deprecated.replaced_by.as_ref().filter(|key| !known(key)) {
            let message = format!("there is no other field \"{key}\"");
            self.say(format!("{at}/deprecated/replaced_by"), "deprecated.unknown", message);
        }
        if field.required {
            self.say(format!("{at}/required"), "deprecated.required", "what goes away cannot be asked for");
        }
    }

    /// Fixed options are values of their field.
    fn values(&mut self, at: &str, field: &Field) {
        let whole = field.value_type == Some(ValueType::Int);
        for (position, choice) in field.options.iter().flat_map(|options| options.fixed.iter().flatten()).enumerate() {
            let fits =
                if whole { choice.value.is_i64() } else { choice.value.as_str().is_some_and(|text| !text.is_empty()) };
            if !fits {
                let wanted = if whole { "a whole number" } else { "a text that is not empty" };
                self.say(format!("{at}/options/static/{position}/value"), "options.value", format!("must be {wanted}"));
            }
        }
        let decimal_choice = field.value_type == Some(ValueType::Decimal) && field.kind != FieldType::Number;
        if decimal_choice {
            self.say(format!("{at}/value_type"), "member.type", "decimal belongs to a number");
        }
    }

    fn default(&mut self, at: &str, field: &Field) {
        let Some(default) = &field.default else { return };
        let pattern = self.patterns.get(&field.key);
        if let Some(value::Problem { code, message, .. }) =
            value::problem(field, default, pattern, &self.form.default_locale)
        {
            self.say(
                format!("{at}/default"),
                "default.invalid",
                format!("does not keep the field's own rules: {message} ({code})"),
            );
        }
    }
}
