//! Who is who, and what stands for what: the product's values beside the provider's.
//!
//! Holds: what the three pages show, made in `sheet`; each has its particulars in a file of its own; sending one in is `save`;
//! the statuses of one board on others are `copy`.
//! Promises: what is kept can be read while the provider cannot be reached; a proposal is never chosen by itself; two
//! statements per page, however many rows there are.

pub(crate) mod copy;
pub(crate) mod members;
pub(crate) mod priorities;
pub(crate) mod save;
mod sheet;
pub(crate) mod statuses;

use crate::store::Target;
use crate::web::ask::{Ask, query};
use crate::web::moment::Moment;
use crate::web::told::Told;
use crate::web::view::{Action, Chip, Link, Pager};
use serde::{Deserialize, Serialize};
use sheet::{Known, Sheet, Unsaved};

/// Rows on a page.
pub(super) const PAGE: usize = 25;

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mapping {
    pub(crate) subject: Subject,
    /// Whose the other side is, "Acme PSA".
    pub(crate) provider: String,
    pub(crate) done: u64,
    pub(crate) all: u64,
    /// "18 of 22 mapped".
    pub(crate) said: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scopes: Option<Scopes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tools: Option<Tools>,
    pub(crate) rows: Vec<Row>,
    pub(crate) pager: Pager,
    /// What can be chosen in every row.
    pub(crate) choices: Vec<Pick>,
    /// There are too many to list: they are typed.
    pub(crate) typed: bool,
    /// Why nothing can be chosen now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trouble: Option<Trouble>,
    /// Where they can be copied to other boards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copy: Option<Action>,
    /// Where the rows are sent to; none: they cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) save: Option<String>,
    /// What the provider has and nothing stands for.
    pub(crate) incoming: Vec<String>,
    /// Why there are no rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) empty: Option<String>,
}

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Subject {
    Members,
    Statuses,
    Priorities,
}

impl Subject {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Subject::Members => "members",
            Subject::Statuses => "statuses",
            Subject::Priorities => "priorities",
        }
    }
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pick {
    pub(crate) value: String,
    pub(crate) label: String,
}

/// Which board, team or queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scopes {
    pub(crate) label: String,
    pub(crate) options: Vec<Pick>,
    pub(crate) chosen: String,
    /// Of the one that is chosen, for people.
    pub(crate) name: String,
}

/// Finding rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tools {
    pub(crate) find: String,
    pub(crate) show: String,
    pub(crate) shows: Vec<Pick>,
    /// Goes with it.
    pub(crate) scope: Option<String>,
}

/// Why nothing can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    /// What still holds.
    pub(crate) text: String,
    pub(crate) why: Told,
    pub(crate) retry: Link,
}

/// A value of the product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The product's id.
    pub(crate) value: String,
    pub(crate) name: String,
    /// An address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) aside: String,
    /// What is kept, as the form says it.
    pub(crate) before: String,
    /// What the control shows.
    pub(crate) shown: String,
    /// The choices of this row alone: what is kept and not offered, what is proposed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) own: Vec<Pick>,
    pub(crate) state: RowState,
    pub(crate) chip: Chip,
    pub(crate) text: String,
    /// "by e-mail, Ann Lee".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) when: Option<Moment>,
    /// Why it was not saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// How a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowState {
    Mapped,
    Nobody,
    Suggested,
    Broken,
    Conflict,
    Open,
}

impl RowState {
    pub(super) const fn word(self) -> &'static str {
        match self {
            RowState::Mapped => "mapped",
            RowState::Nobody => "nobody",
            RowState::Suggested => "suggested",
            RowState::Broken => "broken",
            RowState::Conflict => "conflict",
            RowState::Open => "open",
        }
    }
}

/// A target as a form says it: nothing, `-`, or `=` and the id.
pub(super) fn coded(target: &Target) -> String {
    match target {
        Target::Nothing => String::new(),
        Target::Nobody => "-".to_owned(),
        Target::Is(id) => format!("={id}"),
    }
}

/// The query of this page without its place in the list, and with it.
pub(super) fn here(ask: &Ask<'_>, subject: Subject, scope: Option<&str>, from: Option<usize>) -> String {
    let mut pairs: Vec<String> = scope.iter().map(|scope| format!("scope={}", query(scope))).collect();
    for name in ["find", "show"] {
        pairs.extend(ask.query.filled(name).map(|value| format!("{name}={}", query(value))));
    }
    pairs.extend(from.filter(|from| *from > 0).map(|from| format!("from={from}")));
    let joint = if pairs.is_empty() { "" } else { "?" };
    let rest = format!("/map/{}{joint}{}", subject.word(), pairs.join("&"));
    ask.of_connection(ask.segment("connection"), &rest)
}
