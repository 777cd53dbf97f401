//! Mappings as people change them: row by row, each only if it still is what they saw.
//!
//! Holds: the rows and requests of [`super::Remaps`].
//! Promises: one that somebody else has changed meanwhile is left as it is, and named.
//! Leaves to others: what may stand for what (`mappings`).

use super::{MappingState, MappingWay, Place, Read, Record, Reply};

/// Which mappings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mapped {
    /// Of agents.
    Members,
    /// Of statuses, on a board; empty where they belong to the connection.
    Statuses { scope: String },
    /// Of priorities.
    Priorities,
}

/// What stands for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Nothing is said.
    Nothing,
    /// Nobody, on purpose.
    Nobody,
    /// The provider's id.
    Is(String),
}

/// One that is to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remap {
    /// The product's id.
    pub(crate) value: String,
    /// What was shown.
    pub(crate) before: Target,
    pub(crate) after: Target,
    /// What the target is called.
    pub(crate) label: Option<String>,
    pub(crate) way: Option<MappingWay>,
}

/// One as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptMapping {
    /// The product's id.
    pub(crate) value: String,
    pub(crate) target: Target,
    pub(crate) label: Option<String>,
    pub(crate) state: MappingState,
    pub(crate) way: Option<MappingWay>,
    pub(crate) decided_by: Option<String>,
    /// Milliseconds since 1970.
    pub(crate) changed: i64,
}

/// Reads and changes them.
pub(crate) trait Remaps: Send + Sync {
    /// All of a kind, by value.
    fn kept_mappings(&self, place: &Place, which: &Mapped) -> Read<Vec<KeptMapping>>;
    /// How many statuses are mapped in each scope.
    fn mapped_scopes(&self, place: &Place) -> Read<Vec<(String, u64)>>;
    /// Changes them. The values of those that are not as they were shown; if there are any, nothing was changed.
    fn remap(
        &self,
        place: &Place,
        which: Mapped,
        changes: Vec<Remap>,
        by: &str,
        now: i64,
        record: Record,
    ) -> Reply<Vec<String>>;
}
