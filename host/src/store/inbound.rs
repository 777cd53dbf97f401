//! What comes in from the PSA: subscriptions, deliveries, what they made old, how far reading has come.
//!
//! Holds: the rows and requests of [`super::Inbound`].
//! Promises: each change names the state it expects, so that whoever comes late changes nothing.
//! Leaves to others: what they mean (`callbacks`).

use super::rows::{NewEvent, Place, Record, Sealed, StoredLink};
use super::words::{CallbackState, DirtySource, SubscriptionState};
use psa_host_api::model::{ChangeAction, Verdict};
use serde_json::Value;

/// What is, or is to be, registered at the PSA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredSubscription {
    pub(crate) place: Place,
    pub(crate) subscription: String,
    pub(crate) remote: Option<String>,
    pub(crate) kind: String,
    pub(crate) level: String,
    pub(crate) object: String,
    pub(crate) token_hash: Vec<u8>,
    pub(crate) state: SubscriptionState,
    /// When it was put to work again, milliseconds since 1970, the oldest first.
    pub(crate) revived: Vec<i64>,
    pub(crate) disabled_by: Option<String>,
    pub(crate) heard: Option<i64>,
    pub(crate) created: i64,
    pub(crate) changed: i64,
}

/// A delivery that is to be kept.
pub(crate) struct NewCallback {
    pub(crate) token_hash: [u8; 32],
    pub(crate) received: i64,
    /// More waiting ones of a connection are counted instead of kept.
    pub(crate) waiting_max: u64,
    pub(crate) place: Place,
    pub(crate) subscription: String,
    pub(crate) sealed: Sealed,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is a row.
    Row,
    /// There are too many: everything of the connection will be read again.
    Counted,
    /// Nobody expects it any more.
    Unknown,
}

/// A delivery that waits for its judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WaitingCallback {
    pub(crate) id: i64,
    pub(crate) subscription: StoredSubscription,
    pub(crate) received: i64,
    pub(crate) tries: i64,
    pub(crate) sealed: Sealed,
}

/// A judgement.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) place: Place,
    pub(crate) id: i64,
    pub(crate) subscription: String,
    pub(crate) verdict: Verdict,
    pub(crate) reason: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) message: Option<String>,
    /// What has to be read again; empty unless verified.
    pub(crate) dirty: Vec<NewDirty>,
    /// When that is to be read.
    pub(crate) read_at: i64,
    pub(crate) now: i64,
}

/// A delivery as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredCallback {
    pub(crate) id: i64,
    pub(crate) subscription: String,
    pub(crate) received: i64,
    pub(crate) state: CallbackState,
    pub(crate) reason: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) entity: Option<String>,
    pub(crate) remote: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) tries: i64,
}

/// Something that has to be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewDirty {
    pub(crate) kind: String,
    pub(crate) entity: String,
    pub(crate) action: ChangeAction,
    pub(crate) by: Option<String>,
    pub(crate) source: DirtySource,
}

/// The same, as it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dirty {
    pub(crate) place: Place,
    pub(crate) kind: String,
    pub(crate) entity: String,
    pub(crate) version: i64,
    /// The last callback that has announced it.
    pub(crate) heard: i64,
    pub(crate) action: ChangeAction,
    pub(crate) by: Option<String>,
    pub(crate) source: DirtySource,
    pub(crate) since: i64,
    pub(crate) tries: i64,
}

/// A link and what is known of its ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredView {
    pub(crate) link: StoredLink,
    /// JSON of what the ticket showed last.
    pub(crate) seen: Option<String>,
    pub(crate) seen_at: i64,
    pub(crate) reading: Reading,
    pub(crate) gone_at: Option<i64>,
    pub(crate) notes: NoteFence,
    /// The last transition of an operation that is over now: what begins now begins after it.
    pub(crate) transition: i64,
}

impl StoredView {
    /// What a reading that began then has found, before it is said what that is: nothing.
    pub(crate) fn read_again(&self, began: i64, heard: i64) -> NewView {
        NewView {
            link: self.link.link.clone(),
            before: self.reading,
            began,
            after: self.transition,
            heard,
            seen: None,
            gone: None,
            notes: self.notes.clone(),
            changed: None,
            shown: Value::Null,
            by_us: false,
            added: Vec::new(),
        }
    }
}

/// A reading of a ticket among the readings and among what the operations do. Times do not say it: clocks are put back, and
/// much happens within a millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reading {
    /// How many there were with this one; 0: none.
    pub(crate) number: i64,
    /// The last transition of an operation that was over when it began.
    pub(crate) after: i64,
}

/// How far the notes of a ticket are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NoteFence {
    /// Read from behind this one. `None`: never looked; empty: from the first.
    pub(crate) fence: Option<String>,
    /// Since when that is so: what was told before need not be remembered.
    pub(crate) fence_at: i64,
    /// The last one of a later look, and when that was.
    pub(crate) last: Option<String>,
    pub(crate) last_at: i64,
}

/// Something was read again: what is known of it now.
pub(crate) struct Applied {
    pub(crate) dirty: Dirty,
    /// Of a linked ticket.
    pub(crate) view: Option<NewView>,
    /// Of a ticket that is new and not linked: told once.
    pub(crate) new_ticket: Option<NewEvent>,
    pub(crate) now: i64,
    pub(crate) record: Record,
}

/// What a linked ticket shows now.
pub(crate) struct NewView {
    pub(crate) link: String,
    /// The reading before: another reader since then has said everything.
    pub(crate) before: Reading,
    /// When this reading began, and after which transition: what operations have done since may not be in it.
    pub(crate) began: i64,
    pub(crate) after: i64,
    /// The last callback that had come, and settled, by then: it, and those before it, announce nothing that is not in it.
    pub(crate) heard: i64,
    pub(crate) seen: Option<String>,
    /// It is not there any more.
    pub(crate) gone: Option<GoneLimit>,
    pub(crate) notes: NoteFence,
    /// What has become of the ticket. Its `changes` may be empty: then it is told only if somebody has undone a change of
    /// ours. Operations of ours that have caused it are put into it.
    pub(crate) changed: Option<NewEvent>,
    /// What is told of it, as it is now: an object by names of fields.
    pub(crate) shown: Value,
    /// Our account was the last to change it.
    pub(crate) by_us: bool,
    /// Notes that are not known: each is told unless it belongs to an operation or was told before.
    pub(crate) added: Vec<(String, NewEvent)>,
}

/// How many tickets of a connection may vanish: those beyond are not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GoneLimit {
    /// Counted from then on, milliseconds since 1970.
    pub(crate) since: i64,
    pub(crate) most: u64,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcomes {
    /// It is known now, and the product is told.
    Done,
    /// Too many have vanished: nothing was noted.
    TooMany,
    /// Something of ours is on its way to this ticket, or somebody else has read it meanwhile: read again.
    Again,
}

/// How far reading has come for a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Cursor {
    pub(crate) watermark: Option<String>,
    pub(crate) window_until: Option<String>,
    pub(crate) window_page: Option<String>,
    pub(crate) poll_at: i64,
    pub(crate) ensure_at: i64,
    pub(crate) sweep_at: i64,
    pub(crate) overflow: i64,
    pub(crate) covered: i64,
    pub(crate) heard: Option<i64>,
    /// The usual time between two callbacks, in milliseconds.
    pub(crate) usual: Option<i64>,
    pub(crate) missed: i64,
    pub(crate) trouble: Option<String>,
    /// How often it is looked at, in milliseconds; none: as configured.
    pub(crate) poll_ms: Option<i64>,
}

/// A change of a cursor within a unit of work. False: leave it.
pub(crate) type CursorChange = Box<dyn FnOnce(&mut Cursor) -> bool + Send>;

/// Which connections have something to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InboundDue<'a> {
    pub(crate) now: i64,
    /// A look that is to come later than this was put off by a wrong clock.
    pub(crate) latest: i64,
    pub(crate) me: &'a str,
    pub(crate) living: &'a [String],
    pub(crate) limit: usize,
}

/// Takes a connection into one's hands, unless a living owner has it.
#[derive(Debug, Clone)]
pub(crate) struct InboundClaim {
    pub(crate) place: Place,
    pub(crate) owner: String,
    pub(crate) until: i64,
    pub(crate) living: Vec<String>,
    pub(crate) now: i64,
}
