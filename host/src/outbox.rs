//! The outbox: every write the product has handed in, on its way to the PSA.
//!
//! Holds: [`Outbox`]: accepting (`accept`), delivering (`turn`, `send`, `recover`, `look`), people's decisions
//! (`decide`), and telling how things stand (`explain`).
//! Promises: `durability.md`: an accepted operation is never dropped in silence and never sent again unless two looks
//! have shown that it is not there.
//! Leaves to others: rows and their rules (`store`), requests (`egress`), what a provider says (its plugin).

mod accept;
mod answer;
mod canonical;
mod config;
mod decide;
mod desk;
mod ended;
mod explain;
mod gate;
mod halt;
mod look;
mod next;
mod note;
mod payload;
mod reading;
mod recover;
mod send;
mod status;
mod steps;
mod ticket;
mod time;
mod trace;
mod trouble;
mod turn;
mod update;
mod upkeep;
mod verdict;
mod watching;

pub(crate) use accept::{NewNote, NewStatus, NewTicket, NewTime, check_text};
pub use config::OutboxConfig;
pub(crate) use desk::Desk;
pub use desk::FailPoint;
pub(crate) use explain::{Explanation, Next, OperationView};
pub(crate) use halt::{Halt, HaltReason};
pub(crate) use trace::{Candidate, Wanted, candidates};

use crate::store::{Due, LaneId, Place};
use lru_time_cache::LruCache;
use next::{LaneMemory, Turn};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Lanes that are worked on at once in one process.
const LANES_MAX: usize = 512;
/// Lanes of which something is remembered.
const REMEMBERED_MAX: usize = 20_000;
/// How long a lane rests after an error of ours, in milliseconds.
const ERROR_REST_MS: u64 = 1_000;
/// How often the store is asked for lanes in one go.
const ROUNDS_MAX: usize = 8;

/// The outbox of one host.
pub(crate) struct Outbox {
    pub(crate) desk: Arc<Desk>,
    lanes: Mutex<Lanes>,
    wake: Notify,
    closing: AtomicBool,
    /// Counts changes of operations made by this process.
    changes: watch::Sender<u64>,
    idle: Notify,
    /// One round of upkeep at a time.
    keeping_up: AtomicBool,
}

struct Lanes {
    /// Worked on now.
    busy: HashSet<LaneId>,
    per_connection: HashMap<Place, usize>,
    /// Not before then, by boottime.
    resting: HashMap<LaneId, u64>,
    memory: LruCache<LaneId, LaneMemory>,
}

impl Outbox {
    pub(crate) fn new(desk: Arc<Desk>) -> Arc<Outbox> {
        let lanes = Lanes {
            busy: HashSet::new(),
            per_connection: HashMap::new(),
            resting: HashMap::new(),
            memory: LruCache::with_capacity(REMEMBERED_MAX),
        };
        Arc::new(Outbox {
            desk,
            lanes: Mutex::new(lanes),
            wake: Notify::new(),
            closing: AtomicBool::new(false),
            changes: watch::Sender::new(0),
            idle: Notify::new(),
            keeping_up: AtomicBool::new(false),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was accepted or decided: look at once.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
        self.changes.send_modify(|count| *count += 1);
    }

    /// A connection may work again: its lanes need not rest any longer.
    pub(crate) fn rested(&self, place: &Place) {
        self.lock().resting.retain(|lane, _| lane.place != *place);
        self.wake();
    }

    /// A person wants what waits to be tried now.
    pub(crate) fn try_now(&self, place: &Place) {
        self.desk.gate(place).open_early();
        self.rested(place);
    }

    /// A fresh id that cannot be guessed.
    pub(crate) fn new_id(&self, prefix: &str) -> String {
        crate::clock::new_id(&*self.desk.random, prefix)
    }

    /// How long a connection's gate stays closed, in milliseconds.
    pub(crate) fn limited_ms(&self, place: &Place) -> Option<u64> {
        let boot = self.desk.clock.boot_ms();
        let closed = self.desk.closed_gates(boot);
        closed.iter().find(|(closed, _)| closed == place).map(|(_, until)| until - boot)
    }

    /// Tells of changes that this process makes.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Delivers until the outbox is closed.
    pub(crate) async fn deliver(self: Arc<Self>) {
        let mut next_upkeep = 0;
        while !self.is_closing() {
            let boot = self.desk.clock.boot_ms();
            if boot >= next_upkeep {
                next_upkeep = boot + self.upkeep_every_ms();
                if !self.keeping_up.swap(true, Ordering::SeqCst) {
                    let outbox = self.clone();
                    tokio::spawn(async move {
                        outbox.upkeep().await;
                        outbox.keeping_up.store(false, Ordering::SeqCst);
                    });
                }
            }
            let rest = match self.start_due(boot) {
                Ok(rest) => rest,
                Err(error) => {
                    self.desk.log.error("host", &format!("the outbox cannot read the store: {error}"));
                    ERROR_REST_MS
                }
            };
            let wait = rest.min(self.desk.config.poll_ms).max(1);
            tokio::select! {
                () = self.wake.notified() => {}
                () = self.desk.clock.sleep(wait) => {}
            }
        }
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Whether a lane is worked on here.
    fn is_busy(&self, lane: &LaneId) -> bool {
        self.lock().busy.contains(lane)
    }

    /// Starts work on the lanes that are due. How long nothing else will be, in milliseconds.
    fn start_due(self: &Arc<Self>, boot: u64) -> Result<u64, crate::store::StoreError> {
        let desk = &self.desk;
        if desk.store.trouble().is_some() {
            // Nothing is sent while its outcome could not be recorded; this write finds out whether it can again.
            drop(desk.store.set_meta("probe", desk.owners.me()));
            return Ok(ERROR_REST_MS);
        }
        let living = desk.owners.living();
        let now = desk.clock.now_unix_ms();
        let mut rested = self.rested_by(boot);
        // Again without those that took nothing: a large backlog of one connection must not hide the others'.
        let mut without = self.full_or_closed(boot);
        for _ in 0..ROUNDS_MAX {
            let latest = now.saturating_add(desk.longest_wait_ms() as i64);
            let me = desk.owners.me();
            let ask = Due { now, latest, me, living: &living, without: &without, limit: LANES_MAX };
            let mut due = desk.store.due(&ask)?;
            let all = due.len() < LANES_MAX;
            due.append(&mut rested);
            let idle = self.start(due);
            if all || self.lock().busy.len() >= LANES_MAX {
                break;
            }
            without.extend(idle);
        }
        let next = self.lock().resting.values().min().map_or(u64::MAX, |until| until.saturating_sub(boot));
        Ok(next)
    }

    /// Lanes whose rest is over; they stay listed as resting until they are started.
    fn rested_by(&self, boot: u64) -> Vec<LaneId> {
        let lanes = self.lock();
        lanes.resting.iter().filter(|(_, until)| **until <= boot).map(|(lane, _)| lane.clone()).collect()
    }

    /// Starts those lanes that may be; the connections of which nothing could be started.
    fn start(self: &Arc<Self>, due: Vec<LaneId>) -> Vec<Place> {
        let boot = self.desk.clock.boot_ms();
        let most = self.desk.config.in_flight.saturating_mul(2).max(1);
        let mut lanes = self.lock();
        let mut skipped: HashMap<Place, bool> = HashMap::new();
        for lane in due {
            let started = skipped.entry(lane.place.clone()).or_default();
            let full =
                lanes.busy.len() >= LANES_MAX || lanes.per_connection.get(&lane.place).copied().unwrap_or(0) >= most;
            let rests = lanes.resting.get(&lane).is_some_and(|until| *until > boot);
            if full || rests || lanes.busy.contains(&lane) {
                continue;
            }
            *started = true;
            lanes.resting.remove(&lane);
            lanes.busy.insert(lane.clone());
            *lanes.per_connection.entry(lane.place.clone()).or_default() += 1;
            tokio::spawn(self.clone().work(lane));
        }
        skipped.into_iter().filter(|(_, started)| !started).map(|(place, _)| place).collect()
    }

    /// Connections that take nothing more now.
    fn full_or_closed(&self, boot: u64) -> Vec<Place> {
        let most = self.desk.config.in_flight.saturating_mul(2).max(1);
        let mut without: Vec<Place> = {
            let lanes = self.lock();
            let full = lanes.per_connection.iter().filter(|(_, running)| **running >= most);
            full.map(|(place, _)| place.clone()).collect()
        };
        without.extend(self.desk.closed_gates(boot).into_iter().map(|(place, _)| place));
        without
    }

    /// Works on one lane until it is empty, rests, or the host is closed.
    async fn work(self: Arc<Self>, lane: LaneId) {
        let leaving = Leaving { outbox: self.clone(), lane: lane.clone() };
        let mut memory = self.lock().memory.remove(&lane).unwrap_or_default();
        loop {
            if self.is_closing() {
                break;
            }
            let turn = turn::one(&self.desk, &lane, &mut memory).await;
            self.changes.send_modify(|count| *count += 1);
            let rest = match turn {
                Ok(Turn::Again) => {
                    memory.failures = 0;
                    continue;
                }
                Ok(Turn::Empty) => break,
                Ok(Turn::Later(wait)) => wait,
                Ok(Turn::Failed(wait)) => {
                    // Longer than the gate is closed, and longer each time: another lane is the next to try.
                    let more = self.desk.config.backoff_ms.saturating_mul(1 << memory.failures.min(16));
                    memory.failures += 1;
                    wait.saturating_add(more.min(self.desk.config.backoff_max_ms))
                }
                Ok(Turn::Contested) => self.desk.config.poll_ms,
                Err(error) => {
                    memory.looked = false;
                    self.desk.log.error("host", &format!("connection {}: a lane rests: {error}", lane.place));
                    ERROR_REST_MS
                }
            };
            let until = self.desk.clock.boot_ms().saturating_add(rest);
            self.lock().resting.insert(lane.clone(), until);
            break;
        }
        self.lock().memory.insert(lane, memory);
        drop(leaving);
    }

    /// Begins nothing more.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Waits until no lane is worked on, or the time is over.
    pub(crate) async fn idle_within(&self, time: Duration) {
        let idle = async {
            loop {
                let idle = self.idle.notified();
                if self.lock().busy.is_empty() {
                    return;
                }
                idle.await;
            }
        };
        let _ = tokio::time::timeout(time, idle).await;
    }
}

/// Marks a lane as free again, however its work ends.
struct Leaving {
    outbox: Arc<Outbox>,
    lane: LaneId,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut lanes = self.outbox.lock();
        lanes.busy.remove(&self.lane);
        if let Some(running) = lanes.per_connection.get_mut(&self.lane.place) {
            *running -= 1;
            if *running == 0 {
                lanes.per_connection.remove(&self.lane.place);
            }
        }
        drop(lanes);
        self.outbox.idle.notify_waiters();
        self.outbox.wake.notify_one();
    }
}
