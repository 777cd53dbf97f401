//! A plugin's form on a page: as it is shown, and as it comes back.
//!
//! Holds: what is shown of a form ([`FormView`]); reading what was sent in (`entered`); putting both together (`built`);
//! lists that the provider fills (`choices`), what is looked for in them (`search`), what a field offers of them (`offered`); the form's rules
//! in words (`ruled`);
//! what a test has found (`report`); secrets between two requests (`drafts`).
//! Promises: no part of a view has room for a secret; what is not declared is not shown; a list that cannot be had costs
//! one field and not the page.
//! Leaves to others: the form's rules (`psa_host_api::form`), trying and keeping (`connections`).

pub(crate) mod built;
pub(crate) mod choices;
pub(crate) mod drafts;
pub(crate) mod entered;
mod offered;
pub(crate) mod report;
mod ruled;
pub(crate) mod search;

use super::moment::Moment;
use super::told::Told;
use super::view::{Chip, Look, Mark, Tone};
use psa_host_api::form::types::{FieldType, Width};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct FormView {
    /// Where it is sent to.
    pub(crate) action: String,
    /// Which settings it was made from; none for a new connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rev: Option<i64>,
    /// Where secrets wait that were entered and not saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) draft: Option<String>,
    /// Of the connection; not asked on every page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<NameView>,
    /// What is wrong, with the fields it is about.
    pub(crate) errors: Vec<ErrorView>,
    pub(crate) groups: Vec<GroupView>,
    /// What the last test of exactly this has found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) report: Option<ReportView>,
    pub(crate) buttons: Vec<ButtonView>,
    /// Back without saving.
    pub(crate) leave: String,
}

/// The name of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NameView {
    pub(crate) value: String,
    /// As it was when the form was made first.
    pub(crate) was: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// It cannot be changed here.
    pub(crate) fixed: bool,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorView {
    /// The field's id on the page; none: it is about all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    pub(crate) code: String,
    /// The field's label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    #[serde(flatten)]
    pub(crate) told: Told,
}

/// Fields that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GroupView {
    pub(crate) key: String,
    pub(crate) title: String,
    /// The little of Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) help: String,
    /// Folded at first.
    pub(crate) collapsed: bool,
    /// Its lists can be had again.
    pub(crate) reload: bool,
    /// Why there is nothing in it yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waits: Option<String>,
    pub(crate) fields: Vec<FieldView>,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FieldView {
    pub(crate) key: String,
    #[serde(rename = "type")]
    pub(crate) kind: FieldType,
    pub(crate) width: Width,
    pub(crate) label: String,
    /// The little of Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) help: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) placeholder: String,
    pub(crate) required: bool,
    /// The condition, for the script; it only hides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) when: Option<Value>,
    /// The same in words, for who has no script.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) when_said: String,
    /// It cannot be changed, because of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fixed: Option<String>,
    pub(crate) mono: bool,
    /// Of a computed one: with a button for copying.
    pub(crate) copy: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) unit: String,
    /// Of a notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tone: Option<Tone>,
    /// As it stands in the form: one text, or several of a list.
    pub(crate) values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) choices: Option<ChoicesView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<SecretView>,
    pub(crate) issues: Vec<IssueView>,
}

/// What can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChoicesView {
    pub(crate) items: Vec<ChoiceView>,
    /// An id may be typed in.
    pub(crate) manual: bool,
    /// Too many to show: these are some of them, and the others are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) search: Option<SearchView>,
    /// Why the list is not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<Told>,
}

/// Looking for what can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SearchView {
    /// The field that takes the words; sent with `_action` `find:` and the field's key.
    pub(crate) name: String,
    /// What was looked for.
    pub(crate) words: String,
    /// What was found, or that something can be looked for.
    pub(crate) said: Told,
    /// Names that may be meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) proposals: Vec<String>,
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChoiceView {
    pub(crate) value: String,
    pub(crate) label: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) help: String,
    /// Under which heading.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) group: String,
    /// It can stay and not be chosen anew.
    #[serde(default)]
    pub(crate) inactive: bool,
}

/// What is told of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecretView {
    pub(crate) set: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) set_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) set_by: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) fingerprint: String,
    /// What is to become of it as the form stands.
    pub(crate) op: SecretChoice,
    pub(crate) clearable: bool,
    pub(crate) multiline: bool,
    /// A new one was entered and waits to be saved.
    pub(crate) waiting: bool,
}

/// What is to become of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SecretChoice {
    Keep,
    Replace,
    Clear,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IssueView {
    /// It only should be looked at.
    pub(crate) warning: bool,
    pub(crate) code: String,
    #[serde(flatten)]
    pub(crate) told: Told,
}

/// What a test has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReportView {
    pub(crate) passed: bool,
    pub(crate) chip: Chip,
    pub(crate) steps: Vec<Mark>,
    pub(crate) said: String,
}

/// A button of the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ButtonView {
    /// The value of `_action`.
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) look: Look,
    /// Also when fields are not right yet.
    pub(crate) anyway: bool,
    /// With the script: only this part of the page changes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) swap: String,
}
