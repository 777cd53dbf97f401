//! The domain, shaped after ConnectWise and wide enough for the others.
//!
//! Holds: one entity per file, as JSON objects with schemas.
//! Promises: ids are strings, also composite ones; times are RFC 3339 UTC; what a provider says beyond our words
//! survives in `raw`; lists are pages and never truncate in silence.
//! Leaves to others: which operation takes or gives which (`ops`).

mod attachment;
mod audit;
mod board;
mod company;
mod connection;
mod conversation;
mod form;
mod member;
mod note;
mod page;
mod raw;
mod subscription;
mod ticket;
mod time;

pub use attachment::{Attachment, AttachmentContent};
pub use audit::AuditEntry;
pub use board::{Board, CatalogEntry, CatalogItem, CatalogKind, Priority, Status, StatusRef, TicketField, TicketType};
pub use company::{Company, Configuration, Contact, Site};
pub use connection::{Account, StepState, TestReport, TestStep};
pub use conversation::{ConversationEntry, ConversationKind};
pub use form::{FormOption, IssueLevel, MigratedSettings, SettingsIssue, SettingsIssues};
pub use member::{Member, MemberKind};
pub use note::{Author, AuthorKind, Note, Visibility};
pub use page::{Page, PageRequest};
pub use raw::Raw;
pub use subscription::{
    CallbackReceipt, ChangeAction, ChangeEvent, Subscription, SubscriptionKind, SubscriptionLevel, TOKEN, Verdict,
    WantedSubscription,
};
pub use ticket::{CustomField, Reference, Ticket, TicketFilter};
pub use time::{Billable, TimeEntry};

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
