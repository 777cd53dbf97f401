//! What the host remembers of a PSA for a while.
//!
//! Holds: [`Caches`], one [`Cache`] per connection, typed keys, and loads that are shared.
//! Promises: a value is never older than its time to live, however often it is read; each kind has its own bounds in entries and bytes;
//! a load begun before an invalidation never fills the cache; no reader suffers from another one being cancelled.
//! Leaves to others: when to invalidate (before and after each own write, also when its outcome is unknown, and on each callback; other
//! processes do the same for theirs), and which reads must not come here at all (fence, recovery, read-back).

mod flight;
mod generation;
mod kind;
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
pub use kind::{Key, Kind, Limits};
use shelf::Shelf;

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
        self.get_or_load_until(key, ttl_ms, std::future::pending(), load).await
    }

    /// The same for who does not wait for another one's load any longer once there is `given_up`.
    pub(crate) async fn get_or_load_until<F, L>(
        &self,
        key: Key,
        ttl_ms: Option<u64>,
        given_up: impl Future<Output = Error>,
        load: F,
    ) -> Result<Bytes, Error>
    where
        F: FnOnce() -> L,
        L: Future<Output = Result<Bytes, Error>>,
    {
        let mut given_up = std::pin::pin!(given_up);
        loop {
            match self.enter(&key) {
                Entered::Hit(value) => return Ok(value),
                Entered::Follow(answer) => tokio::select! {
                    biased;
                    outcome = flight::wait(answer) => if let Some(outcome) = outcome { return outcome },
                    error = &mut given_up => return Err(error),
                },
                Entered::Lead(lead) => {
                    let outcome = load().await;
                    lead.finish(&outcome, ttl_ms);
                    return outcome;
                }
            }
        }
    }

    /// Drops one value that was given out; who is loading it meanwhile is not overtaken.
    pub(crate) fn let_go(&self, key: &Key) {
        if let Some(shelf) = self.lock().shelves.get_mut(&key.kind) {
            shelf.remove(key);
        }
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
