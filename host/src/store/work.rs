//! Units of work on operations: what is asked of the store in one transaction.
//!
//! Holds: the requests of [`super::Operations`].
//! Promises: each names the state it expects, so that whoever comes late changes nothing.
//! Leaves to others: who may build which (`outbox::steps`).

use super::rows::{LaneId, Place, Record, Sealed, StoredLink, StoredOperation};
use super::words::{AttemptEnd, Kind, LinkState, Outcome, State};
use psa_host_api::model::Visibility;

/// An operation to be accepted.
#[derive(Clone)]
pub(crate) struct NewOperation {
    pub(crate) place: Place,
    pub(crate) operation: String,
    pub(crate) link: String,
    /// A link to be made with it: a ticket that is to be created.
    pub(crate) new_link: Option<StoredLink>,
    pub(crate) kind: Kind,
    pub(crate) client_key: Option<Vec<u8>>,
    pub(crate) payload: Vec<u8>,
    pub(crate) likeness: Option<Vec<u8>>,
    pub(crate) sealed: Sealed,
    pub(crate) visibility: Option<Visibility>,
    pub(crate) wanted: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) not_after: i64,
    pub(crate) now: i64,
    pub(crate) record: Record,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Accepted {
    /// It is new.
    New(Box<StoredOperation>),
    /// The same was accepted before.
    Known(Box<StoredOperation>),
}

/// Opens an attempt, if it still may.
#[derive(Debug, Clone)]
pub(crate) struct OpenAttempt {
    pub(crate) lane: LaneId,
    pub(crate) row: AsRead,
    pub(crate) lease: Lease,
    pub(crate) fence: Option<String>,
    /// Of a status: what the mapping has made of it.
    pub(crate) wanted: Option<String>,
    pub(crate) now: i64,
    /// Owners that are alive; what others hold is free.
    pub(crate) living: Vec<String>,
}

/// Takes an operation into one's hands, unless a living owner has it.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) lane: LaneId,
    pub(crate) row: AsRead,
    pub(crate) lease: Lease,
    pub(crate) living: Vec<String>,
    pub(crate) now: i64,
}

/// Which life of an operation was read: nothing happens to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AsRead {
    pub(crate) operation: String,
    pub(crate) state: State,
    pub(crate) attempt: Option<i64>,
    pub(crate) attempts: i64,
    pub(crate) doubts: i64,
}

impl From<&StoredOperation> for AsRead {
    fn from(row: &StoredOperation) -> AsRead {
        let StoredOperation { operation, state, attempt, attempts, doubts, .. } = row;
        AsRead { operation: operation.clone(), state: *state, attempt: *attempt, attempts: *attempts, doubts: *doubts }
    }
}

/// What an operation would wait for: if it has come, it does not wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unless {
    /// Its link has a ticket.
    TicketIsThere,
    /// A status stands for this value in this scope.
    Mapped { scope: String, value: String },
}

/// Who works on an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) owner: String,
    pub(crate) token: String,
    pub(crate) until: i64,
}

/// What it is at the PSA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    /// `note` or `ticket`.
    pub(crate) kind: &'static str,
    pub(crate) remote: String,
    pub(crate) ticket: Option<String>,
}

/// A change of state. Nothing happens unless everything expected is so.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) place: Place,
    pub(crate) operation: String,
    pub(crate) from: State,
    /// The attempt that must be open; `None`: none may be.
    pub(crate) attempt: Option<i64>,
    /// The lease that must still be held; `None`: whoever holds it.
    pub(crate) token: Option<String>,
    pub(crate) to: State,
    pub(crate) reason: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) evidence: Option<String>,
    pub(crate) next_at: i64,
    pub(crate) never_resend: bool,
    pub(crate) attempt_end: Option<AttemptEnd>,
    pub(crate) binding: Option<Binding>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) link: Option<(LinkState, Option<String>)>,
    pub(crate) watch_at: Option<i64>,
    /// A new end of its time.
    pub(crate) not_after: Option<i64>,
    pub(crate) unless: Option<Unless>,
    pub(crate) decided_by: Option<String>,
    pub(crate) now: i64,
    pub(crate) record: Record,
}

impl StoredOperation {
    /// The row of an operation that was just accepted.
    pub(crate) fn accepted(new: NewOperation, seq: i64) -> StoredOperation {
        StoredOperation {
            seq,
            place: new.place,
            operation: new.operation,
            link: new.link,
            kind: new.kind,
            state: State::Queued,
            reason: None,
            likeness: new.likeness,
            sealed: Some(new.sealed),
            visibility: new.visibility,
            wanted: new.wanted,
            base: new.base,
            next_at: 0,
            not_after: new.not_after,
            attempt: None,
            attempts: 0,
            doubts: 0,
            never_resend: false,
            quiet: 0,
            empty_at: None,
            fence: None,
            lease_owner: None,
            lease_token: None,
            remote: None,
            outcome: None,
            error: None,
            evidence: None,
            watch_at: None,
            watched: 0,
            accepted: new.now,
            ended: None,
            decided_by: None,
        }
    }
}

impl Step {
    /// A step from the row as it was read, that changes nothing but the state.
    pub(crate) fn of(row: &StoredOperation, to: State, now: i64) -> Step {
        Step {
            place: row.place.clone(),
            operation: row.operation.clone(),
            from: row.state,
            attempt: row.attempt,
            token: None,
            to,
            reason: None,
            error: None,
            evidence: None,
            next_at: 0,
            never_resend: false,
            attempt_end: None,
            binding: None,
            outcome: None,
            link: None,
            watch_at: row.watch_at,
            not_after: None,
            unless: None,
            decided_by: None,
            now,
            record: Record::default(),
        }
    }
}

/// What a look that decided nothing leaves behind.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    pub(crate) place: Place,
    pub(crate) operation: String,
    pub(crate) token: String,
    pub(crate) quiet: i64,
    pub(crate) empty_at: Option<i64>,
    pub(crate) next_at: i64,
    pub(crate) evidence: Option<String>,
}

/// Which operations are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct OperationFilter {
    pub(crate) tenant: String,
    pub(crate) connection: Option<String>,
    pub(crate) link: Option<String>,
    pub(crate) state: Option<State>,
}

/// How things stand with a connection's operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    pub(crate) queued: u64,
    pub(crate) in_doubt: u64,
    pub(crate) held: u64,
    /// When the oldest that has not ended was accepted.
    pub(crate) oldest: Option<i64>,
    /// Lanes whose head is in doubt.
    pub(crate) blocked: u64,
}
