//! One table: each operation, its request and answer types, whether it writes.
//!
//! Holds: [`OPERATIONS`] and the request types.
//! Promises: SDK, host and docs are built on this table; a name never changes its meaning.
//! Leaves to others: entities (`model`), how an operation is called (`abi`).

use crate::abi::PSA_OP_WRITE;
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
            /// Boards, statuses of a scope, priorities or types.
            list_catalog ListCatalog (ListCatalogRequest) -> Page<CatalogEntry>, 0;
            /// The provider's staff, inactive ones and API accounts marked.
            list_members ListMembers (ListMembersRequest) -> Page<Member>, 0;
            /// Tickets that match a filter.
            search_tickets SearchTickets (SearchTicketsRequest) -> Page<Ticket>, 0;
            /// One ticket.
            get_ticket GetTicket (GetTicketRequest) -> Ticket, 0;
            /// Moves a ticket to a status of the scope it is in; the answer is the ticket as the provider shows it then.
            set_ticket_status SetTicketStatus (SetTicketStatusRequest) -> Ticket, PSA_OP_WRITE;
            /// Makes a ticket; the answer is the ticket as the provider shows it then.
            create_ticket CreateTicket (CreateTicketRequest) -> Ticket, PSA_OP_WRITE;
            /// Companies by words of their names.
            search_companies SearchCompanies (SearchCompaniesRequest) -> Page<Company>, 0;
            /// People of companies, by name or address.
            search_contacts SearchContacts (SearchContactsRequest) -> Page<Contact>, 0;
            /// Notes of a ticket, oldest first.
            list_notes ListNotes (ListNotesRequest) -> Page<Note>, 0;
            /// Adds a note to a ticket.
            add_note AddNote (AddNoteRequest) -> Note, PSA_OP_WRITE;
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

/// Request of `list_catalog`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListCatalogRequest {
    /// Which one.
    pub kind: CatalogKind,
    /// The board (or other scope) whose statuses or types are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Request of `list_members`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ListMembersRequest {
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Request of `search_tickets`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SearchTicketsRequest {
    /// Which tickets.
    #[serde(default)]
    pub filter: TicketFilter,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Request of `get_ticket`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetTicketRequest {
    /// The provider's id.
    pub ticket: String,
}

/// Request of `set_ticket_status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetTicketStatusRequest {
    /// The provider's id of the ticket.
    pub ticket: String,
    /// The provider's id of the status; refused before anything is sent if it is not of the ticket's own scope.
    pub status: String,
    /// The status the ticket is thought to be in. If it is in another one (and not in the wanted one already), nothing
    /// is sent and the error's reason is `superseded`. Absent: whatever it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}

/// Request of `create_ticket`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CreateTicketRequest {
    /// One line.
    pub summary: String,
    /// For whom: the provider's id.
    pub company: String,
    /// Where it is sorted in; the provider's default if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
    /// What happened, plain text: the customer can read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// A status of that board; the board's default if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// What it is about, of that board.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<String>,
    /// Our mark, kept where the provider has a place for it; by it the ticket is found again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    /// Fields beyond ours, by the provider's own names.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub fields: Raw,
}

/// Request of `search_companies`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SearchCompaniesRequest {
    /// Words of the name or the short name; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Which page.
    pub page: PageRequest,
}

/// Request of `search_contacts`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SearchContactsRequest {
    /// Words of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Exactly this address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Of this company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Which page.
    pub page: PageRequest,
}

/// Request of `list_notes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListNotesRequest {
    /// The provider's id of the ticket.
    pub ticket: String,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Request of `add_note`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddNoteRequest {
    /// The provider's id of the ticket.
    pub ticket: String,
    /// Who may read it: no default.
    pub visibility: Visibility,
    /// Plain text.
    pub text: String,
    /// The provider's id of the member shown as the author; absent: the account of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
}
