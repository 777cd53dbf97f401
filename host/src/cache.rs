//! What the host remembers of a PSA for a while.
//!
//! Holds: [`Caches`], one [`Cache`] per connection, typed keys, and loads that are shared.
//! Promises: a value is never older than its time to live, however often it is read; each kind has its own bounds in entries and bytes;
//! a load begun before an invalidation never fills the cache; no reader suffers from another one being cancelled.
//! Leaves to others: when to invalidate (before and after each own write, also when its outcome is unknown, and on each callback; other
//! processes do the same for theirs), and which reads must not come here at all (fence, recovery, read-back).

mod flight;
mod generation;
mod shelf;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use psa_host_api::Error;

use crate::clock::Clock;
use flight::{Entered, Flight, Lead};
use generation::Generations;
use shelf::Shelf;

/// What a value is about; each kind has its own bounds, so that none pushes out another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Boards, statuses, priorities, types: a page of a list.
    Catalog,
    /// The people of the PSA: a page of the list.
    Members,
    /// One ticket.
    Ticket,
    /// What a plugin put itself.
    Plugin,
    /// What can be chosen in a field, as it was shown last: shown again while it is read anew.
    Options,
    /// A page of a list, read before it was asked for: given out once.
    Ahead,
}

impl Kind {
    const ALL: [Kind; 6] = [Kind::Catalog, Kind::Members, Kind::Ticket, Kind::Plugin, Kind::Options, Kind::Ahead];
}

/// Names a value within one connection: what it is, whom it is about, and the rest, such as a page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    kind: Kind,
    entity: String,
    rest: String,
}

impl Key {
    /// A page of a list; all of them are about the same.
    pub(crate) fn ahead(rest: impl Into<String>) -> Key {
        Key::new(Kind::Ahead, "list", rest)
    }

    /// `entity` is what will be invalidated as a whole: the id of a ticket, the name of a catalogue.
    pub fn new(kind: Kind, entity: impl Into<String>, rest: impl Into<String>) -> Key {
        Key { kind, entity: entity.into(), rest: rest.into() }
    }

    /// A key of the plugin's own space.
    pub fn plugin(name: impl Into<String>) -> Key {
        Key::new(Kind::Plugin, "", name)
    }

    /// One ticket.
    pub fn ticket(id: impl Into<String>) -> Key {
        Key::new(Kind::Ticket, id, "")
    }
}

/// The bounds of one kind within one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a value lives when nobody says, in milliseconds.
    pub ttl_ms: u64,
    /// The longest life that can be asked for, in milliseconds.
    pub ttl_ms_max: u64,
    /// How many values.
    pub entries_max: usize,
    /// How many bytes, keys and bookkeeping included.
    pub bytes_max: usize,
}

impl Limits {
    /// Five MiB in all for a connection; one more for what its forms offer, and sixteen while lists are read ahead.
    pub const fn of(kind: Kind) -> Limits {
        const MINUTE_MS: u64 = 60_000;
        const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
        const MIB: usize = 1024 * 1024;
        match kind {
            Kind::Catalog => {
                Limits { ttl_ms: 10 * MINUTE_MS, ttl_ms_max: 10 * MINUTE_MS, entries_max: 256, bytes_max: MIB }
            }
            Kind::Members => {
                Limits { ttl_ms: 10 * MINUTE_MS, ttl_ms_max: 10 * MINUTE_MS, entries_max: 128, bytes_max: MIB }
            }
            Kind::Ticket => Limits { ttl_ms: 30_000, ttl_ms_max: 30_000, entries_max: 512, bytes_max: 2 * MIB },
            // Something small of each linked ticket has room.
            Kind::Plugin => Limits { ttl_ms: 10 * MINUTE_MS, ttl_ms_max: DAY_MS, entries_max: 4_096, bytes_max: MIB },
            Kind::Options => Limits { ttl_ms: DAY_MS, ttl_ms_max: DAY_MS, entries_max: 64, bytes_max: MIB },
            Kind::Ahead => Limits { ttl_ms: 30_000, ttl_ms_max: 30_000, entries_max: 4, bytes_max: 16 * MIB },
        }
    }
}

/// What happened so far, and what is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, schemars::JsonSchema)]
pub struct Statistics {
    /// Reads answered from the cache.
    pub hits: u64,
    /// Reads that found nothing, and became a load if they could.
    pub misses: u64,
    /// Reads that waited for the load of another one.
    pub shared: u64,
    /// Values dropped for a bound.
    pub evictions: u64,
    /// Values dropped because their time was over.
    pub expired: u64,
    /// Loads that came back after an invalidation, and were not kept.
    pub overtaken: u64,
    /// Values larger than all the room of their kind, and not kept.
    pub oversized: u64,
    /// Values held now.
    pub entries: u64,
    /// Bytes held now, keys and bookkeeping included.
    pub bytes: u64,
}

/// The memory of one connection. Clones are handles to the same one.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    limits: [Limits; Kind::ALL.len()],
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Made when first written to: the crate below reserves room for all entries at once.
    shelves: HashMap<Kind, Shelf>,
    generations: Generations,
    flights: HashMap<Key, Flight>,
    flights_begun: u64,
    statistics: Statistics,
}

impl Cache {
    /// Empty, with the usual bounds.
    pub fn new(clock: Arc<dyn Clock>) -> Cache {
        Cache::with_limits(clock, Limits::of)
    }

    /// Empty, with other bounds.
    pub fn with_limits(clock: Arc<dyn Clock>, limits: impl Fn(Kind) -> Limits) -> Cache {
        Cache { inner: Arc::new(Inner { clock, limits: Kind::ALL.map(limits), state: Mutex::default() }) }
    }

    /// The value, if it is there and its time is not over. Reading never lengthens its life.
    pub fn get(&self, key: &Key) -> Option<Bytes> {
        let mut state = self.lock();
        let found = state.read(key, self.now());
        if found.is_none() {
            state.statistics.misses += 1;
        }
        found
    }

    /// The same for who comes back by [`Cache::get_or_load`] if it is not there: that counts it.
    pub(crate) fn known(&self, key: &Key) -> Option<Bytes> {
        self.lock().read(key, self.now())
    }

    /// Keeps a value; `None` or 0 lives as long as its kind does, more is cut to what the kind allows.
    ///
    /// It counts as newer than any load of the same entity that is under way. A value that has no room is dropped, and so is the one
    /// it replaces.
    pub fn put(&self, key: Key, value: &[u8], ttl_ms: Option<u64>) {
        let mut state = self.lock();
        state.generations.bump(&key);
        self.store(&mut state, key, value, self.now(), ttl_ms);
    }

    /// Drops one value.
    pub fn remove(&self, key: &Key) {
        let mut state = self.lock();
        state.generations.bump(key);
        if let Some(shelf) = state.shelves.get_mut(&key.kind) {
            shelf.remove(key);
        }
    }

    /// The names in the plugin's space that begin so and are still alive, sorted.
    pub fn plugin_keys(&self, prefix: &str) -> Vec<String> {
        let now = self.now();
        let state = self.lock();
        let shelf = state.shelves.get(&Kind::Plugin);
        let mut names: Vec<String> = shelf
            .into_iter()
            .flat_map(|shelf| shelf.living(now))
            .filter(|key| key.rest.starts_with(prefix))
            .map(|key| key.rest.clone())
            .collect();
        names.sort_unstable();
        names
    }

    /// Drops all that is known about an entity, and what is being loaded about it will not be kept. A ticket may be on any page
    /// that was read ahead.
    pub fn invalidate(&self, kind: Kind, entity: &str) {
        let mut state = self.lock();
        if kind == Kind::Ticket {
            state.generations.bump(&Key::ahead(""));
            state.shelves.remove(&Kind::Ahead);
        }
        state.generations.bump(&Key::new(kind, entity, ""));
        if let Some(shelf) = state.shelves.get_mut(&kind) {
            shelf.remove_entity(entity);
        }
    }

    /// Drops everything of a kind, and what is being loaded will not be kept, of any kind.
    pub fn invalidate_kind(&self, kind: Kind) {
        let mut state = self.lock();
        state.generations.bump_all();
        state.shelves.remove(&kind);
    }

    /// Drops everything, and what is being loaded will not be kept.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.generations.bump_all();
        state.shelves.clear();
    }

    /// The value from here, or else from `load`, which runs once however many ask at the same time.
    ///
    /// The first one that finds nothing runs its own `load`, within its own future; the others wait for it. If that future is dropped,
    /// panics, or ends with `timeout` or `cancelled`, which are about the one that asked, the next one waiting runs its own. Other
    /// errors go to all that wait, and are not kept. Who asks after an invalidation does not join a load begun before it.
    pub async fn get_or_load<F, L>(&self, key: Key, ttl_ms: Option<u64>, load: F) -> Result<Bytes, Error>
    where
        F: FnOnce() -> L,
        L: Future<Output = Result<Bytes, Error>>,
    {
        loop {
            match self.enter(&key) {
                Entered::Hit(value) => return Ok(value),
                Entered::Follow(answer) => {
                    if let Some(outcome) = flight::wait(answer).await {
                        return outcome;
                    }
                }
                Entered::Lead(lead) => {
                    let outcome = load().await;
                    lead.finish(&outcome, ttl_ms);
                    return outcome;
                }
            }
        }
    }

    /// The same, and nothing is kept: the next one loads again.
    pub(crate) async fn take_or_load<F, L>(&self, key: Key, load: F) -> Result<Bytes, Error>
    where
        F: FnOnce() -> L,
        L: Future<Output = Result<Bytes, Error>>,
    {
        let value = self.get_or_load(key.clone(), None, load).await;
        if let Some(shelf) = self.lock().shelves.get_mut(&key.kind) {
            shelf.remove(&key);
        }
        value
    }

    /// Drops what is over, so that customers' data does not stay because nobody asks for it; the host calls it now and then.
    pub fn sweep(&self) {
        let now = self.now();
        let State { shelves, statistics, .. } = &mut *self.lock();
        shelves.values_mut().for_each(|shelf| shelf.sweep(now, statistics));
    }

    /// The counters, and what is held, until the next sweep also what is over.
    pub fn statistics(&self) -> Statistics {
        let state = self.lock();
        let mut statistics = state.statistics;
        for shelf in state.shelves.values() {
            statistics.entries += shelf.entries() as u64;
            statistics.bytes += shelf.bytes() as u64;
        }
        statistics
    }

    fn enter(&self, key: &Key) -> Entered {
        let mut state = self.lock();
        if let Some(value) = state.read(key, self.now()) {
            return Entered::Hit(value);
        }
        if let Some(flight) = state.flights.get(key)
            && state.generations.is_current(key, flight.mark)
        {
            let answer = flight.answer.clone();
            state.statistics.shared += 1;
            return Entered::Follow(answer);
        }
        state.statistics.misses += 1;
        let (flight, lead) = Lead::begin(self, key, self.now(), &mut state);
        state.flights.insert(key.clone(), flight);
        Entered::Lead(lead)
    }

    /// `since_ms` is when the value was asked for: its life counts from there, however long the PSA took to answer.
    fn store(&self, state: &mut State, key: Key, value: &[u8], since_ms: u64, ttl_ms: Option<u64>) {
        let limits = self.inner.limits[key.kind as usize];
        let ttl_ms = ttl_ms.filter(|ttl_ms| *ttl_ms > 0).unwrap_or(limits.ttl_ms).min(limits.ttl_ms_max);
        let State { shelves, statistics, .. } = state;
        let shelf = shelves.entry(key.kind).or_insert_with(|| Shelf::new(limits));
        shelf.put(key, value, self.now(), since_ms.saturating_add(ttl_ms), statistics);
    }

    fn now(&self) -> u64 {
        self.inner.clock.boot_ms() // the wall clock may jump
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing of the caller's runs under the lock, so a poisoned one still holds whole values.
        self.inner.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The counters only: values are customers' data.
impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cache").field(&self.statistics()).finish()
    }
}

impl State {
    fn read(&mut self, key: &Key, now_ms: u64) -> Option<Bytes> {
        let found = self.shelves.get_mut(&key.kind)?.get(key, now_ms, &mut self.statistics);
        self.statistics.hits += u64::from(found.is_some());
        found
    }
}

/// The caches of all connections, apart from each other by construction: a key cannot name another connection's value.
pub struct Caches {
    clock: Arc<dyn Clock>,
    /// By tenant, then connection.
    caches: Mutex<HashMap<(Vec<u8>, String), Cache>>,
}

impl Caches {
    /// None yet.
    pub fn new(clock: Arc<dyn Clock>) -> Caches {
        Caches { clock, caches: Mutex::default() }
    }

    /// The cache of a connection; made when first asked for.
    pub fn of(&self, tenant: &[u8], connection: &str) -> Cache {
        let mut caches = self.lock();
        let name = (tenant.to_vec(), connection.to_owned());
        caches.entry(name).or_insert_with(|| Cache::new(self.clock.clone())).clone()
    }

    /// Drops all that is known of a connection: it was deleted, or got other settings or credentials.
    pub fn forget(&self, tenant: &[u8], connection: &str) {
        let forgotten = self.lock().remove(&(tenant.to_vec(), connection.to_owned()));
        if let Some(cache) = forgotten {
            cache.clear(); // handles of it may be alive in calls
        }
    }

    /// Drops what is over, in all of them.
    pub fn sweep(&self) {
        let caches: Vec<Cache> = self.lock().values().cloned().collect();
        caches.iter().for_each(Cache::sweep);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Vec<u8>, String), Cache>> {
        self.caches.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Caches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caches").field("connections", &self.lock().len()).finish()
    }
}
