//! The domain, shaped after ConnectWise and wide enough for the others.
//!
//! Holds: one entity per file, as JSON objects with schemas.
//! Promises: ids are strings, also composite ones; times are RFC 3339 UTC; what a provider says beyond our words
//! survives in `raw`; lists are pages and never truncate in silence.
//! Leaves to others: which operation takes or gives which (`ops`).

mod board;
mod company;
mod connection;
mod member;
mod note;
mod page;
mod ticket;

pub use board::{Board, CatalogEntry, CatalogKind, Priority, Status, StatusRef, TicketType};
pub use company::{Company, Contact};
pub use connection::{Account, StepState, TestReport, TestStep};
pub use member::{Member, MemberKind};
pub use note::{Author, AuthorKind, Note, Visibility};
pub use page::{Page, PageRequest};
pub use ticket::{Reference, Ticket, TicketFilter};

/// What the provider said beyond our words: kept, never interpreted.
pub type Raw = serde_json::Map<String, serde_json::Value>;

/// Yes, no, or the provider does not say. An administrator may set it by hand then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// Not said.
    #[default]
    Unknown,
}

impl From<Option<bool>> for Known {
    fn from(value: Option<bool>) -> Known {
        match value {
            Some(true) => Known::Yes,
            Some(false) => Known::No,
            None => Known::Unknown,
        }
    }
}
