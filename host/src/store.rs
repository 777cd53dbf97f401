//! What outlives a call: one small trait per subject.
//!
//! Holds: the traits and the rows they carry.
//! Promises: nothing is reached without naming the tenant; a unit of work is kept whole or not at all, and is durable
//! when its reply says so; what is secret is sealed before it comes here.
//! Leaves to others: the engine (`sqlite`), sealing (`vault`), the rules (the rooms).

#[cfg(test)]
mod contract;
mod error;
mod inbound;
pub(crate) mod marks;
mod remap;
mod reply;
mod rows;
mod shown;
mod sqlite;
mod traced;
mod words;
mod work;

pub(crate) use error::{Conflict, StoreError};
pub(crate) use inbound::*;
pub(crate) use remap::*;
pub(crate) use reply::Reply;
pub(crate) use rows::*;
pub(crate) use shown::*;
#[cfg(test)]
pub(crate) use sqlite::STATEMENTS;
pub(crate) use sqlite::SqliteStore;
pub(crate) use traced::*;
pub(crate) use words::*;
pub use words::{ConnectionState, StopReason};
pub(crate) use work::*;

use std::path::Path;

type Read<T> = Result<T, StoreError>;

/// A change of a connection's row, made within a unit of work. False: leave it as it is.
pub(crate) type ConnectionChange = Box<dyn FnOnce(&mut StoredConnection) -> bool + Send>;

/// What happens to the secrets of a connection's form.
#[derive(Debug, Clone, Default)]
pub(crate) struct SecretChanges {
    /// All that is there is dropped first.
    pub(crate) drop_all: bool,
    /// What plugins have fetched with them goes.
    pub(crate) drop_tokens: bool,
    pub(crate) put: Vec<SealedSecret>,
    pub(crate) remove: Vec<String>,
}

/// Connections and their secrets.
pub(crate) trait Connections: Send + Sync {
    /// Keeps a new one, with its secrets.
    fn insert(&self, connection: StoredConnection, secrets: Vec<SealedSecret>, record: Record) -> Reply<()>;
    /// The one of a place.
    fn get(&self, place: &Place) -> Read<Option<StoredConnection>>;
    /// A tenant's, in order of their ids, after `after`, at most `limit`.
    fn list(&self, tenant: &str, after: &str, limit: usize) -> Read<Vec<StoredConnection>>;
    /// Changes one and its secrets. `None`: there is none, or the change did not want to.
    fn change(
        &self,
        place: &Place,
        change: ConnectionChange,
        secrets: SecretChanges,
        record: Record,
    ) -> Reply<Option<StoredConnection>>;
    /// Forgets it and all that belongs to it, if exactly so many of its operations have not ended. False: there was none.
    fn delete(&self, place: &Place, waiting: u64, record: Record) -> Reply<bool>;
    /// What would go with it.
    fn dependents(&self, place: &Place) -> Read<Dependents>;
    /// The connection that is signed in to an account.
    fn of_account(&self, tenant: &str, plugin: &str, account: &str) -> Read<Option<String>>;
    /// A secret of its form.
    fn secret(&self, place: &Place, name: &str) -> Read<Option<SealedSecret>>;
    /// The names of its secrets.
    fn secret_names(&self, place: &Place) -> Read<Vec<SealedSecret>>;
}

/// Ticket links.
pub(crate) trait Links: Send + Sync {
    /// Keeps a new one.
    fn link(&self, link: StoredLink, record: Record) -> Reply<()>;
    /// The one of an id.
    fn get_link(&self, tenant: &str, link: &str) -> Read<Option<StoredLink>>;
    /// Those of a tenant, maybe of one connection, product ticket or PSA ticket; in order of their ids.
    fn list_links(&self, filter: &LinkFilter, after: &str, limit: usize) -> Read<Vec<StoredLink>>;
    /// Takes one apart. False: it was not whole.
    fn unlink(&self, tenant: &str, link: &str, now: i64, record: Record) -> Reply<bool>;
    /// Takes one apart, unless something of it has not ended, and keeps another one in its place. False: it was not whole.
    fn replace_link(&self, before: &str, link: StoredLink, record: Record) -> Reply<bool>;
}

/// Which links are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct LinkFilter {
    pub(crate) tenant: String,
    pub(crate) connection: Option<String>,
    pub(crate) product_ticket: Option<String>,
    pub(crate) ticket: Option<String>,
}

/// Which lanes are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due<'a> {
    pub(crate) now: i64,
    /// Later than any wait can be: what says so was written by a wrong clock.
    pub(crate) latest: i64,
    pub(crate) me: &'a str,
    pub(crate) living: &'a [String],
    /// Not of these connections.
    pub(crate) without: &'a [Place],
    pub(crate) limit: usize,
}

/// Operations and their attempts.
pub(crate) trait Operations: Send + Sync {
    /// Accepts one, or finds the one that was accepted under the same key.
    fn accept(&self, new: NewOperation) -> Reply<Accepted>;
    /// The one of an id.
    fn operation(&self, tenant: &str, operation: &str) -> Read<Option<StoredOperation>>;
    /// The one of a client's key.
    fn by_client_key(&self, place: &Place, key: &[u8]) -> Read<Option<StoredOperation>>;
    /// In the order of acceptance, after `after`.
    fn list_operations(&self, filter: &OperationFilter, after: i64, limit: usize) -> Read<Vec<StoredOperation>>;
    /// Its attempts, in order.
    fn attempts(&self, tenant: &str, operation: &str) -> Read<Vec<StoredAttempt>>;
    /// Its recorded changes, in order.
    fn transitions(&self, tenant: &str, operation: &str) -> Read<Vec<Transition>>;
    /// Lanes whose heads are due and in nobody's hands, the longest waiting first.
    fn due(&self, due: &Due<'_>) -> Read<Vec<LaneId>>;
    /// The head of a lane.
    fn head(&self, lane: &LaneId) -> Read<Option<StoredOperation>>;
    /// Opens an attempt; its number, if everything that must be so was so.
    fn open_attempt(&self, open: OpenAttempt) -> Reply<Option<i64>>;
    /// Takes an operation into one's hands, unless a living owner has it.
    fn claim(&self, claim: Claim) -> Reply<bool>;
    /// Changes its state. False: it was not as expected, and nothing was changed.
    fn step(&self, step: Step) -> Reply<bool>;
    /// Notes a look. False: the lease was lost.
    fn looked(&self, looked: Looked) -> Reply<bool>;
    /// Which of these ids at the PSA belong to operations.
    fn bound_among(&self, place: &Place, kind: &str, remotes: &[String]) -> Read<Vec<String>>;
    /// Whether other operations of this connection that are like this one may have been sent and have not ended.
    fn has_rivals(&self, row: &StoredOperation) -> Read<bool>;
    /// Whether a younger status was accepted for the same link and has not failed.
    fn has_younger_status(&self, row: &StoredOperation) -> Read<bool>;
    /// How many operations of a link have not ended.
    fn waiting_on(&self, tenant: &str, link: &str) -> Read<u64>;
    /// Operations of a lane that may be in the PSA and are like this one, in the order of acceptance.
    fn alike(&self, lane: &LaneId, likeness: &[u8]) -> Read<Vec<StoredOperation>>;
    /// Delivered ones for which a second copy is to be looked for.
    fn watch_due(&self, now: i64, limit: usize) -> Read<Vec<StoredOperation>>;
    /// Notes that it was done, and when it is to be done next.
    fn watched(
        &self,
        row: &StoredOperation,
        watched: i64,
        next: Option<i64>,
        copies: Vec<Binding>,
        now: i64,
        record: Record,
    ) -> Reply<()>;
    /// Drops the bodies of operations that ended before this time.
    fn drop_bodies(&self, ended_before: i64) -> Reply<u64>;
    /// How things stand with a connection.
    fn standing(&self, place: &Place) -> Read<Standing>;
}

/// What comes in from the PSA.
pub(crate) trait Inbound: Send + Sync {
    /// Keeps a new subscription, or the row of one that has changed.
    fn put_subscription(&self, row: StoredSubscription, record: Record) -> Reply<()>;
    /// Forgets one. False: there was none.
    fn drop_subscription(&self, place: &Place, subscription: &str, record: Record) -> Reply<bool>;
    /// Those of a connection, the oldest first.
    fn subscriptions(&self, place: &Place) -> Read<Vec<StoredSubscription>>;
    /// The one whose address has this token.
    fn subscription_of(&self, token_hash: &[u8; 32]) -> Read<Option<StoredSubscription>>;
    /// Keeps a delivery.
    fn keep_callback(&self, new: NewCallback) -> Reply<Kept>;
    /// Deliveries that wait and are due, the oldest first.
    fn waiting_callbacks(&self, place: &Place, now: i64, limit: usize) -> Read<Vec<WaitingCallback>>;
    /// Notes judgements, each only once; verified ones make dirty what they speak of, unless they are repeats.
    fn judged(&self, judged: Vec<Judged>) -> Reply<()>;
    /// Nothing could be found out: they wait.
    fn judge_later(&self, place: &Place, ids: Vec<i64>, detail: String, next_at: i64) -> Reply<()>;
    /// Deliveries before `before` (0: all), the newest first.
    fn list_callbacks(&self, place: &Place, before: i64, limit: usize) -> Read<Vec<StoredCallback>>;
    /// How many wait.
    fn count_waiting(&self, place: &Place) -> Read<u64>;
    /// Drops what was judged before a time, and what is beyond `keep` of a connection.
    fn trim_callbacks(&self, before: i64, keep: u64) -> Reply<u64>;
    /// Connections that have something to do and are in nobody's hands.
    fn inbound_due(&self, due: &InboundDue<'_>) -> Read<Vec<Place>>;
    /// Takes one into one's hands.
    fn claim_inbound(&self, claim: InboundClaim) -> Reply<bool>;
    /// Lets go of it.
    fn release_inbound(&self, place: &Place, owner: &str) -> Reply<()>;
    /// How far reading has come.
    fn cursor(&self, place: &Place) -> Read<Cursor>;
    /// Changes that.
    fn change_cursor(&self, place: &Place, change: CursorChange) -> Reply<()>;
    /// The product's door is here from now on. If it was elsewhere, all registrations are to be compared at once.
    fn door_is_at(&self, door: &str) -> Reply<()>;
    /// Says what has to be read again, and not before when.
    fn make_dirty(&self, place: &Place, dirty: Vec<NewDirty>, read_at: i64, now: i64) -> Reply<()>;
    /// What is due, the longest waiting first.
    fn dirty_due(&self, place: &Place, now: i64, limit: usize) -> Read<Vec<Dirty>>;
    /// How many wait to be read.
    fn count_dirty(&self, place: &Place) -> Read<u64>;
    /// Not yet.
    fn dirty_later(&self, dirty: &Dirty, next_at: i64) -> Reply<()>;
    /// It was read.
    fn applied(&self, applied: Applied) -> Reply<Outcomes>;
    /// What is known of those of these tickets that are linked.
    fn views_of(&self, place: &Place, tickets: &[String]) -> Read<Vec<StoredView>>;
    /// Linked tickets that were read before `before`, the longest unread first.
    fn unread_since(&self, place: &Place, before: i64, limit: usize) -> Read<Vec<StoredView>>;
    /// The last callback of a connection that had been received by then; 0: none.
    fn heard_until(&self, place: &Place, then: i64) -> Read<i64>;
    /// When that linked ticket was read which was read before all others; one that was never read counts from when it was asked
    /// for. `None`: nothing is linked.
    fn oldest_reading(&self, place: &Place) -> Read<Option<i64>>;
    /// How many tickets are linked, and how many of them have gone since `since`.
    fn count_gone(&self, place: &Place, since: i64) -> Read<(u64, u64)>;
    /// What a link's ticket shows when it is linked, read since `began`.
    fn first_view(&self, place: &Place, link: &str, seen: Option<String>, notes: NoteFence, began: i64) -> Reply<()>;
}

/// Mappings, and what they map.
pub(crate) trait Mappings: Send + Sync {
    /// Replaces the product's values of a kind, unless newer ones are there.
    fn set_values(&self, tenant: &str, kind: ValueKind, rev: i64, values: Vec<ProductValue>) -> Reply<()>;
    /// The product's values of a kind, by id.
    fn values(&self, tenant: &str, kind: ValueKind) -> Read<Vec<ProductValue>>;
    /// All mappings of agents, by agent.
    fn member_mappings(&self, place: &Place) -> Read<Vec<MemberMapping>>;
    /// The mapping of one.
    fn member_mapping(&self, place: &Place, agent: &str) -> Read<Option<MemberMapping>>;
    /// Sets mappings.
    fn map_members(&self, place: &Place, mappings: Vec<MemberMapping>, now: i64, record: Record) -> Reply<()>;
    /// Removes one. False: there was none.
    fn unmap_member(&self, place: &Place, agent: &str, record: Record) -> Reply<bool>;
    /// All mappings of statuses.
    fn status_mappings(&self, place: &Place) -> Read<Vec<StatusMapping>>;
    /// The status that stands for a value in a scope.
    fn mapped_status(&self, place: &Place, scope: &str, value: &str) -> Read<Option<String>>;
    /// Sets mappings, and lets operations go on that waited for one.
    fn map_statuses(&self, place: &Place, mappings: Vec<StatusMapping>, now: i64, record: Record) -> Reply<()>;
    /// All mappings of priorities, by value.
    fn priority_mappings(&self, place: &Place) -> Read<Vec<PriorityMapping>>;
    /// The priority that stands for a value.
    fn mapped_priority(&self, place: &Place, value: &str) -> Read<Option<String>>;
    /// Sets mappings.
    fn map_priorities(&self, place: &Place, mappings: Vec<PriorityMapping>, now: i64, record: Record) -> Reply<()>;
}

/// The activity and the events.
pub(crate) trait Journal: Send + Sync {
    /// Adds entries and events without any other work.
    fn note(&self, record: Record) -> Reply<()>;
    /// Entries of a tenant after `after`.
    fn activity(&self, tenant: &str, after: i64, limit: usize) -> Read<Vec<StoredEntry>>;
    /// The last entry.
    fn activity_head(&self, tenant: &str) -> Read<Option<StoredEntry>>;
    /// The next event for a consumer, taken with a lease. `Taken` tells apart why there is none.
    fn take_event(&self, consumer: &str, tenant: Option<&str>, owner: &str, now: i64, lease_until: i64)
    -> Reply<Taken>;
    /// Acknowledges events up to and with `id`.
    fn ack_event(&self, consumer: &str, id: i64) -> Reply<bool>;
    /// Who has taken events and not acknowledged them has ended: they are for anybody at once.
    fn let_go_of_events(&self, owner: &str) -> Reply<()>;
    /// Drops the oldest events beyond `keep`.
    fn trim_events(&self, keep: u64) -> Reply<()>;
    /// The id of the newest event; cheap, for waiting.
    fn newest_event(&self) -> Read<i64>;
}

/// What a consumer gets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Taken {
    /// An event.
    Event { id: i64, tenant: String, kind: String, at: i64, body: serde_json::Value },
    /// Events up to `to` are gone.
    Gap { from: i64, to: i64 },
    /// There is none.
    Nothing,
    /// Another process is being served.
    Elsewhere,
}

/// What plugins keep. `expires` and `now` in milliseconds since 1970.
pub(crate) trait PluginStorage: Send + Sync {
    /// A value that has not expired.
    fn value(&self, place: &Place, name: &str, now: i64) -> Read<Option<Sealed>>;
    /// Keeps a value.
    fn put_value(&self, place: &Place, name: &str, sealed: Sealed, expires: Option<i64>) -> Reply<()>;
    /// Removes a value, if it is there.
    fn remove_value(&self, place: &Place, name: &str) -> Reply<()>;
    /// Names that begin with `prefix`, sorted.
    fn value_names(&self, place: &Place, prefix: &str, now: i64) -> Read<Vec<String>>;
    /// The token of a name, expired or not.
    fn token(&self, place: &Place, name: &str) -> Read<Option<StoredToken>>;
    /// Keeps one.
    fn put_token(&self, place: &Place, name: &str, token: StoredToken) -> Reply<()>;
    /// Removes one, if it is there.
    fn remove_token(&self, place: &Place, name: &str) -> Reply<()>;
    /// Names and expiries of those whose name begins with `prefix`, sorted by name.
    fn token_names(&self, place: &Place, prefix: &str) -> Read<Vec<(String, Option<i64>)>>;
}

/// A sealed value wherever it is kept, for rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedRow {
    /// `secrets`, `operations`, `values`, `tokens` or `meta`.
    pub(crate) table: &'static str,
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) bound: String,
    pub(crate) sealed: Sealed,
}

/// Keys, copies, and the care of the database itself.
pub(crate) trait Upkeep: Send + Sync {
    /// A value of the database as a whole.
    fn meta(&self, name: &str) -> Read<Option<String>>;
    /// Sets it.
    fn set_meta(&self, name: &str, value: &str) -> Reply<()>;
    /// Sets it if it is not there; what is there afterwards.
    fn found_meta(&self, name: &str, value: &str) -> Reply<String>;
    /// Values sealed with another key than `key`, at most `limit`.
    fn sealed_otherwise(&self, key: &str, limit: usize) -> Read<Vec<SealedRow>>;
    /// How many values each key has sealed.
    fn key_counts(&self) -> Read<Vec<(String, u64)>>;
    /// The same, behind everything that was handed in to be written.
    fn key_counts_now(&self) -> Reply<Vec<(String, u64)>>;
    /// Puts what was erased out of the file and its log.
    fn shrink(&self) -> Read<()>;
    /// Replaces sealed values, each only if it is still the one that was read.
    fn reseal(&self, rows: Vec<(SealedRow, Sealed)>) -> Reply<u64>;
    /// A consistent copy, into a file that is not there yet.
    fn backup(&self, to: &Path) -> Read<()>;
    /// What is wrong with the file; empty if nothing is.
    fn check(&self) -> Read<Vec<String>>;
    /// Counts anew what connections have. Of how many something else was said.
    fn recount(&self) -> Reply<u64>;
    /// Counts its versions: whether anybody has written since.
    fn data_version(&self) -> Read<i64>;
    /// What own writes have made old since `after`.
    fn stale_since(&self, after: i64) -> Read<Vec<(i64, Place, String, String)>>;
    /// Says that something is old.
    fn make_stale(&self, place: &Place, kind: &str, entity: &str) -> Reply<()>;
    /// Puts connections back to use that were stopped for want of one of these plugins.
    fn revive(&self, plugins: &[String]) -> Reply<u64>;
    /// Why the last commit failed, until one has worked again.
    fn trouble(&self) -> Option<StoreError>;
    /// Everything of a tenant, table by table, as JSON lines; sealed values are left out.
    fn export(&self, tenant: &str) -> Read<Vec<(String, serde_json::Value)>>;
    /// Removes everything of a tenant but the bare chain; how many rows went.
    fn erase(&self, tenant: &str, record: Record) -> Reply<u64>;
    /// Ends writing, after all that was handed in.
    fn close(&self);
}

/// All of it.
pub(crate) trait Store:
    Connections + Links + Operations + Inbound + Mappings + Remaps + Journal + PluginStorage + Shown + Traced + Upkeep
{
}
impl<T> Store for T where
    T: Connections
        + Links
        + Operations
        + Inbound
        + Mappings
        + Remaps
        + Journal
        + PluginStorage
        + Shown
        + Traced
        + Upkeep
{
}
