//! Boards, and what belongs to them.

use super::{Known, Raw, Reference};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// A status as a ticket shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StatusRef {
    /// The provider's id.
    pub id: String,
    /// What people call it; equal names may belong to different boards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What tickets are sorted into: board, team or queue.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Board {
    /// The provider's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// No longer offered.
    pub inactive: bool,
    /// The provider's kind, `service` or `project`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// A status that a ticket of its scope can have.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Status {
    /// The provider's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it belongs to, as the manifest's `status_scope` says; absent: to the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Reference>,
    /// Whether a ticket in it is closed.
    pub closed: Known,
    /// Still on old tickets, not offered for new ones.
    pub inactive: bool,
    /// The one new tickets get.
    pub is_default: bool,
    /// Ascending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<i64>,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// How urgent a ticket can be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Priority {
    /// The provider's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Ascending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<i64>,
    /// The one new tickets get.
    pub is_default: bool,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// What a ticket can be about.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TicketType {
    /// The provider's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The board it belongs to, where the provider has that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<Reference>,
    /// No longer offered.
    pub inactive: bool,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// Something that can be chosen by its name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CatalogItem {
    /// The provider's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The board it belongs to, where the provider has that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<Reference>,
    /// Ids of what it may be chosen under (of a subtype: types); empty: anything, or the provider does not say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub below: Vec<String>,
    /// No longer offered.
    pub inactive: bool,
    /// The one that is taken when nothing is said.
    pub is_default: bool,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// A field of tickets beyond ours.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TicketField {
    /// The provider's id, as `custom_fields` names it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The provider's word for what it holds.
    pub holds: String,
    /// A ticket without it is not accepted.
    pub required: bool,
    /// It can only be read.
    pub read_only: bool,
    /// What can be chosen; empty: anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// What the provider said beyond this.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// Which catalogue is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatalogKind {
    /// Boards.
    Boards,
    /// Statuses of one scope.
    Statuses,
    /// Priorities.
    Priorities,
    /// Types, of one board where the provider has that.
    Types,
    /// Below types, of one board.
    Subtypes,
    /// Below subtypes, of one board.
    Items,
    /// Groups of members, of one board.
    Teams,
    /// How a ticket came in.
    Sources,
    /// What work on time entries is of.
    WorkTypes,
    /// In which role it is done.
    WorkRoles,
    /// Fields of tickets beyond ours, as `fields` and `custom_fields` take them.
    TicketFields,
}

/// An enum that is read by its tag `entry`: by hand, because serde reads such a one into something that has no place for
/// [`Raw`] before it knows which it is.
macro_rules! entries {
    ($(#[$about:meta])* $name:ident { $($(#[$meta:meta])* $variant:ident($of:ty),)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "entry", rename_all = "snake_case")]
        pub enum $name { $($(#[$meta])* $variant($of),)* }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                #[derive(Deserialize)]
                #[serde(rename_all = "snake_case")]
                enum Entry { $($variant,)* }
                #[derive(Deserialize)]
                struct Tag {
                    entry: Entry,
                }
                let json = Box::<RawValue>::deserialize(deserializer)?;
                let json = json.get();
                let read = serde_json::from_str(json).and_then(|Tag { entry }| match entry {
                    $(Entry::$variant => serde_json::from_str(json).map($name::$variant),)*
                });
                // The place is one within the entry.
                read.map_err(|error| D::Error::custom(format_args!("{error} of the entry")))
            }
        }
    };
}

entries! {
    /// One entry of a catalogue; `entry` says which (a board has a `kind` of its own).
    CatalogEntry {
        /// A board.
        Board(Board),
        /// A status.
        Status(Status),
        /// A priority.
        Priority(Priority),
        /// A type.
        Type(TicketType),
        /// A subtype, an item, a team, a source, a work type or a work role.
        Item(CatalogItem),
        /// A field of tickets.
        Field(TicketField),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_is_read_back_as_what_it_is() {
        let raw: Raw = serde_json::from_str(r#"{"x":1}"#).unwrap();
        let id = || "1".to_owned();
        for entry in [
            CatalogEntry::Board(Board { id: id(), raw: raw.clone(), ..Board::default() }),
            CatalogEntry::Status(Status { id: id(), raw: raw.clone(), ..Status::default() }),
            CatalogEntry::Priority(Priority { id: id(), raw: raw.clone(), ..Priority::default() }),
            CatalogEntry::Type(TicketType { id: id(), raw: raw.clone(), ..TicketType::default() }),
            CatalogEntry::Item(CatalogItem { id: id(), raw: raw.clone(), ..CatalogItem::default() }),
            CatalogEntry::Field(TicketField { id: id(), raw: raw.clone(), ..TicketField::default() }),
        ] {
            let json = serde_json::to_string(&entry).unwrap();
            assert!(json.contains(r#""raw":{"x":1}"#), "{json}");
            assert_eq!(serde_json::from_str::<CatalogEntry>(&json).unwrap(), entry);
            assert_eq!(serde_json::from_value::<CatalogEntry>(serde_json::to_value(&entry).unwrap()).unwrap(), entry);
        }
        for (json, part) in [
            (r#"{"id":"1"}"#, "missing field `entry`"),
            (r#"{"entry":"x"}"#, "unknown variant `x`"),
            (r#"{"entry":"board","id":1}"#, "expected a string at line 1 column 23 of the entry"),
        ] {
            let error = serde_json::from_str::<CatalogEntry>(json).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
