//! Secrets: what they are bound to, and where they may be sent.

use super::Lint;
use crate::form::address;
use crate::form::settings;
use crate::form::types::*;

impl Lint<'_> {
    pub(super) fn secret(&mut self, at: &str, position: usize, field: &Field) {
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
        if secret.exclusive_group.as_ref().is_some_and(|group| !settings::is_key(group)) {
            self.say(format!("{at}/secret/exclusive_group"), "key.form", "must look like the key of a field");
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
}
