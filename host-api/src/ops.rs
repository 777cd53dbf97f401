//! One table: each operation, its request and answer types, whether it writes.
//!
//! Holds: [`OPERATIONS`]; the request types are in the files of their subjects.
//! Promises: SDK, host and docs are built on this table; a name never changes its meaning.
//! Leaves to others: entities (`model`), how an operation is called (`abi`).

mod forms;
mod notes;
mod records;
mod subscriptions;
mod tickets;

pub use forms::*;
pub use notes::*;
pub use records::*;
pub use subscriptions::*;
pub use tickets::*;

use crate::abi::{PSA_OP_INPUT, PSA_OP_OUTPUT, PSA_OP_WRITE};
use crate::model::*;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::ffi::CStr;

/// An operation by its types: the name at the ABI, what goes in, what comes out.
pub trait Operation {
    /// As in `psa_operation.name`.
    const NAME: &'static CStr;
    /// `psa_operation.flags`.
    const FLAGS: u32;
    /// JSON that goes in.
    type Request: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
    /// JSON that comes out.
    type Answer: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// As in `psa_operation.name`.
    pub name: &'static str,
    /// `psa_operation.flags`.
    pub flags: u32,
    /// One sentence.
    pub about: &'static str,
    /// JSON Schema of the request.
    pub request: fn() -> Schema,
    /// JSON Schema of the answer.
    pub answer: fn() -> Schema,
}

/// The table itself. What is built on it (the types below, the SDK's `Provider`) passes its own macro.
macro_rules! operation_table {
    ($with:ident) => {
        $with! {
            /// Who we are at the provider.
            account AccountOf (Nothing) -> Account, 0;
            /// Tries the connection step by step; changes nothing.
            test_connection TestConnection (Nothing) -> TestReport, 0;
            /// What can be chosen in a field of the form whose options come from the provider.
            form_options ListFormOptions (FormOptionsRequest) -> Page<FormOption>, 0;
            /// What is wrong with settings beyond what the form's own rules say. Pure.
            validate_settings ValidateSettings (ValidateSettingsRequest) -> SettingsIssues, 0;
            /// Settings of an older form, beyond what the form's own migrations do. Pure.
            migrate_settings MigrateSettings (MigrateSettingsRequest) -> MigratedSettings, 0;
            /// Boards, statuses of a scope, priorities, types, and what else a ticket is made of.
            list_catalog ListCatalog (ListCatalogRequest) -> Page<CatalogEntry>, 0;
            /// The provider's staff, inactive ones and API accounts marked.
            list_members ListMembers (ListMembersRequest) -> Page<Member>, 0;
            /// Tickets that match a filter.
            search_tickets SearchTickets (SearchTicketsRequest) -> Page<Ticket>, 0;
            /// One ticket.
            get_ticket GetTicket (GetTicketRequest) -> Ticket, 0;
            /// Makes a ticket; the answer is the ticket as the provider shows it then.
            create_ticket CreateTicket (CreateTicketRequest) -> Ticket, PSA_OP_WRITE;
            /// Moves a ticket to a status of the scope it is in; the answer is the ticket as the provider shows it then.
            set_ticket_status SetTicketStatus (SetTicketStatusRequest) -> Ticket, PSA_OP_WRITE;
            /// Changes a ticket; the answer is the ticket as the provider shows it then.
            update_ticket UpdateTicket (UpdateTicketRequest) -> Ticket, PSA_OP_WRITE;
            /// What the provider itself has recorded of a ticket's changes.
            list_audit_trail ListAuditTrail (ListAuditTrailRequest) -> Page<AuditEntry>, 0;
            /// Notes of a ticket, oldest first.
            list_notes ListNotes (ListNotesRequest) -> Page<Note>, 0;
            /// One note.
            get_note GetNote (GetNoteRequest) -> Note, 0;
            /// Notes and time of a ticket as people read them, also of tickets that were merged into it.
            list_conversation ListConversation (ListConversationRequest) -> Page<ConversationEntry>, 0;
            /// Adds a note to a ticket.
            add_note AddNote (AddNoteRequest) -> Note, PSA_OP_WRITE;
            /// Companies by words of their names.
            search_companies SearchCompanies (SearchCompaniesRequest) -> Page<Company>, 0;
            /// People of companies, by name or address.
            search_contacts SearchContacts (SearchContactsRequest) -> Page<Contact>, 0;
            /// Where a company is.
            list_sites ListSites (ListSitesRequest) -> Page<Site>, 0;
            /// Devices and other things that are looked after.
            list_configurations ListConfigurations (ListConfigurationsRequest) -> Page<Configuration>, 0;
            /// Time that was worked on a ticket, oldest first.
            list_time_entries ListTimeEntries (ListTimeEntriesRequest) -> Page<TimeEntry>, 0;
            /// Adds time to a ticket.
            add_time_entry AddTimeEntry (AddTimeEntryRequest) -> TimeEntry, PSA_OP_WRITE;
            /// Files at a ticket.
            list_attachments ListAttachments (ListAttachmentsRequest) -> Page<Attachment>, 0;
            /// A file's bytes, to the call's output.
            get_attachment GetAttachment (GetAttachmentRequest) -> AttachmentContent, PSA_OP_OUTPUT;
            /// Adds a file to a ticket, from the call's input.
            add_attachment AddAttachment (AddAttachmentRequest) -> Attachment, PSA_OP_WRITE | PSA_OP_INPUT;
            /// What is to be registered so that changes are told, and what could be.
            desired_subscriptions DesireSubscriptions (DesiredSubscriptionsRequest) -> DesiredSubscriptions, 0;
            /// What is registered, ours or not.
            list_subscriptions ListSubscriptions (ListSubscriptionsRequest) -> Page<Subscription>, 0;
            /// Registers.
            create_subscription CreateSubscription (CreateSubscriptionRequest) -> Subscription, PSA_OP_WRITE;
            /// Puts a subscription to work again, or to rest.
            update_subscription UpdateSubscription (UpdateSubscriptionRequest) -> Subscription, PSA_OP_WRITE;
            /// Takes a registration away; one that is gone already is none to take away.
            delete_subscription DeleteSubscription (DeleteSubscriptionRequest) -> Nothing, PSA_OP_WRITE;
            /// Proves where a callback comes from, and says what has changed. An error: ask again later.
            receive_callback ReceiveCallback (ReceiveCallbackRequest) -> CallbackReceipt, 0;
            /// Tickets that have changed within a window of the provider's own time.
            changed_tickets ListChangedTickets (ChangedTicketsRequest) -> ChangedTickets, 0;
            /// A read of the provider's own interface, for what has no word of ours.
            raw ReadRaw (RawRequest) -> RawAnswer, 0;
        }
    };
}
pub(crate) use operation_table;

macro_rules! operations {
    ($($(#[doc = $about:literal])+ $name:ident $marker:ident ($request:ty) -> $answer:ty, $flags:expr;)*) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, Copy)]
            pub struct $marker;
            impl Operation for $marker {
                const NAME: &'static CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => panic!("a Rust identifier holds no NUL"),
                };
                const FLAGS: u32 = $flags;
                type Request = $request;
                type Answer = $answer;
            }
        )*
        /// All published operations.
        pub const OPERATIONS: &[Row] = &[$(Row {
            name: stringify!($name),
            flags: $flags,
            about: concat!($($about),+),
            request: || schema_for!($request),
            answer: || schema_for!($answer),
        },)*];
    };
}
operation_table!(operations);

/// The row of a name.
pub fn find(name: &str) -> Option<&'static Row> {
    OPERATIONS.iter().find(|row| row.name == name)
}

/// A request without fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}
