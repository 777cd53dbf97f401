//! What a form's own rules say, in the reader's language.
//!
//! Promises: what the form has words for is said in those; a rule that the catalogue does not know is left to who has found it.

use super::built::{Building, LABEL_CHARS_MAX, cut, issue_field};
use super::entered::split_duration;
use crate::connections::Issue;
use crate::web::told::Told;
use psa_host_api::form::text;

impl Building<'_> {
    /// The words for the rule that an issue is about, if there are some.
    pub(super) fn rule_told(&self, issue: &Issue) -> Option<Told> {
        let rule = issue.params.get("rule")?.as_str();
        if (issue.code.as_str(), rule) == ("pattern", "hint") {
            return self.hint(issue);
        }
        let key = format!("issue.{}.{rule}", issue.code);
        let params = issue.params.iter().map(|(name, value)| (name.as_str(), self.param(issue, name, value)));
        let params: Vec<(&str, String)> = params.collect();
        let params: Vec<(&str, &str)> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.words.find_fill(&key, &params).map(Told::ours)
    }

    /// What the form itself says of a pattern.
    fn hint(&self, issue: &Issue) -> Option<Told> {
        let field = self.form.field(issue_field(issue)?)?;
        let hint = field.validate.as_ref()?.pattern_hint.as_ref()?;
        let default = &self.form.definition().default_locale;
        let words = text(hint, self.words.locale(), default);
        // Without words in the reader's language these are in the form's own.
        let theirs = words == text(hint, default, default) && !self.words.speak(default);
        Some(Told { text: cut(words, 1_000), lang: theirs.then(|| default.clone()) })
    }

    /// A name or number as a reader reads it.
    fn param(&self, issue: &Issue, name: &str, value: &str) -> String {
        let label = |key: &str| self.form.field(key).map(|field| self.label(&field.label));
        let said = match (issue.code.as_str(), name) {
            ("exclusive", "one" | "other") => label(value),
            ("option", "values") if issue.params.get("rule").is_some_and(|rule| rule == "fixed") => {
                self.fixed_of(issue)
            }
            (_, "limit") => self.span(value),
            _ => None,
        };
        said.unwrap_or_else(|| cut(value, LABEL_CHARS_MAX))
    }

    /// What can be chosen in the field of an issue.
    fn fixed_of(&self, issue: &Issue) -> Option<String> {
        let fixed = self.form.field(issue_field(issue)?)?.options.as_ref()?.fixed.as_ref()?;
        let all: Vec<String> = fixed.iter().map(|choice| self.label(&choice.label)).collect();
        Some(cut(&all.join(", "), 1_000))
    }

    /// "PT5M" as "5 minutes".
    fn span(&self, text: &str) -> Option<String> {
        let (number, unit) = split_duration(text)?;
        let unit =
            [("S", "second"), ("M", "minute"), ("H", "hour"), ("D", "day")].iter().find(|(sign, _)| *sign == unit)?;
        Some(self.words.count(&format!("time.span.{}", unit.1), number.parse().ok()?))
    }
}
