//! Changes at the PSA: heard of by callbacks, found by reading, told to the product.
//!
//! Holds: [`Callbacks`]: the door (`receive`), the proof (`verify`), reading again (`apply`), looking without being told
//! (`reconcile`, `sweep`), and what is registered at the PSA (`ensure`).
//! Promises: what the door has answered with 2xx is never forgotten; only a verified callback makes anything be read, and
//! what is told is what was read; a change is told once, and one of ours names its operation; whatever is lost on the way
//! here is found by reading.
//! Leaves to others: rows and their rules (`store`), proofs and addresses (plugins), writes (`outbox`).

mod apply;
mod comparison;
mod config;
mod ensure;
mod health;
mod plan;
mod receive;
mod reconcile;
mod seen;
mod sweep;
mod token;
mod verify;

pub(crate) use comparison::{Comparison, Doing};
pub use config::CallbackConfig;
pub(crate) use health::{CallbackHealth, CallbackState, SubscriptionView, state_of};
pub(crate) use seen::Seen;

use crate::activity::Scribe;
use crate::clock::{Clock, Random};
use crate::connections::ConnectionRoom;
use crate::egress::Lane;
use crate::log::Log;
use crate::owners::Owners;
use crate::plugin::{CallContext, Terms};
use crate::store::{InboundClaim, InboundDue, Place, Store, StoredSubscription};
use crate::vault::Vault;
use psa_host_api::error::SpeaksOf;
use psa_host_api::ops::Operation;
use psa_host_api::{Code, Error};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Connections that are worked on at once in one process.
const CONNECTIONS_MAX: usize = 64;
/// How long after an error of ours, in milliseconds.
const ERROR_REST_MS: u64 = 1_000;
/// How long a person's order waits for a round that is under way.
const ENTER_WAIT: Duration = Duration::from_secs(10);
/// What comes in within this part of its settling is looked at together.
const GATHERED: u64 = 20;
/// How often old rows are dropped, in milliseconds.
const TRIM_EVERY_MS: u64 = 60_000;

/// What the room works with.
pub(crate) struct Desk {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) scribe: Arc<Scribe>,
    pub(crate) owners: Arc<Owners>,
    pub(crate) connections: Arc<ConnectionRoom>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) log: Log,
    /// The time of one request, in milliseconds.
    pub(crate) request_ms: u64,
    pub(crate) config: CallbackConfig,
}

/// What comes in, of one host.
pub(crate) struct Callbacks {
    desk: Desk,
    state: Mutex<State>,
    wake: Notify,
    closing: watch::Sender<bool>,
    idle: Notify,
    trimming: AtomicBool,
}

#[derive(Default)]
struct State {
    busy: HashSet<Place>,
    memory: HashMap<Place, Memory>,
}

/// What a process remembers of a connection.
#[derive(Debug, Clone, Copy, Default)]
struct Memory {
    /// What the PSA's clock shows more than ours since boot, at least, in milliseconds.
    ahead_ms: Option<i64>,
    /// When changes were looked for last, by boottime.
    polled_boot: Option<u64>,
    /// Nothing is asked of it before, by boottime.
    rests_until: u64,
    /// Proofs are not asked for before, by boottime.
    proof_rests_until: u64,
    failures: u32,
    proof_failures: u32,
    ensure_failures: u32,
    /// How many callbacks were counted instead of kept, and when that was seen, in milliseconds since 1970.
    counted: Option<(i64, i64)>,
}

impl Callbacks {
    pub(crate) fn new(desk: Desk) -> Arc<Callbacks> {
        Arc::new(Callbacks {
            desk,
            state: Mutex::default(),
            wake: Notify::new(),
            closing: watch::Sender::new(false),
            idle: Notify::new(),
            trimming: AtomicBool::new(false),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn memory(&self, place: &Place) -> Memory {
        self.lock().memory.get(place).copied().unwrap_or_default()
    }

    fn remember(&self, place: &Place, change: impl FnOnce(&mut Memory)) {
        change(self.lock().memory.entry(place.clone()).or_default());
    }

    /// Where the product's door is, if anything can be delivered at all.
    pub(crate) fn address(&self) -> Option<&str> {
        self.desk.config.address.as_deref()
    }

    /// Something was kept: look at once.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Begins nothing more, and ends what is being read.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
        self.wake.notify_one();
    }

    fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Waits until nothing is worked on, or the time is over.
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

    /// Works until closed.
    pub(crate) async fn work(self: Arc<Self>) {
        let door = self.desk.config.pattern().unwrap_or_default();
        if let Err(error) = self.desk.store.door_is_at(&door).await {
            self.desk.log.warn("host", &format!("whether the address of callbacks has changed is not known: {error}"));
        }
        let mut next_trim = 0;
        while !self.is_closing() {
            let boot = self.desk.clock.boot_ms();
            if boot >= next_trim {
                next_trim = boot + TRIM_EVERY_MS;
                self.trim().await;
            }
            let rest = match self.start_due() {
                Ok(()) => self.desk.config.tick_ms,
                Err(error) => {
                    self.desk.log.error("host", &format!("what came in cannot be read from the store: {error}"));
                    ERROR_REST_MS
                }
            };
            tokio::select! {
                () = self.wake.notified() => self.let_gather().await,
                () = self.desk.clock.sleep(rest.max(1)) => {}
            }
        }
    }

    /// What comes in together is one round: its claims are not in the way of what is still to be kept.
    async fn let_gather(&self) {
        if !self.is_closing() {
            self.desk.clock.sleep(self.desk.config.settle_ms / GATHERED).await;
        }
    }

    fn start_due(self: &Arc<Self>) -> Result<(), Error> {
        if self.desk.store.trouble().is_some() {
            return Ok(());
        }
        let living = self.desk.owners.living();
        let now = self.desk.clock.now_unix_ms();
        let latest = now.saturating_add(self.longest_look_ms());
        let due = InboundDue { now, latest, me: self.desk.owners.me(), living: &living, limit: CONNECTIONS_MAX };
        for place in self.desk.store.inbound_due(&due)? {
            let boot = self.desk.clock.boot_ms();
            let mut state = self.lock();
            let rests = state.memory.get(&place).is_some_and(|memory| {
                // With both at rest there is nothing that could be done.
                memory.rests_until > boot && memory.proof_rests_until > boot
            });
            if rests || state.busy.len() >= CONNECTIONS_MAX || !state.busy.insert(place.clone()) {
                continue;
            }
            drop(state);
            tokio::spawn(self.clone().serve(place));
        }
        Ok(())
    }

    /// One round of one connection.
    async fn serve(self: Arc<Self>, place: Place) {
        let leaving = Leaving { callbacks: self.clone(), place: place.clone() };
        match self.claim(&place).await {
            Ok(true) => {
                let (proved, read) = tokio::join!(self.prove_all(&place), self.read_all(&place));
                for (what, outcome) in [("callbacks could not be proved", proved), ("changes could not be read", read)]
                {
                    // What closing has ended is nobody's trouble.
                    if let Err(error) = outcome
                        && !self.is_closing()
                    {
                        self.desk.log.warn("host", &format!("connection {place}: {what}: {error}"));
                    }
                }
                leaving.let_go().await;
            }
            Ok(false) => {}
            Err(error) => self.desk.log.warn("host", &format!("connection {place}: {error}")),
        }
    }

    /// Waits until nothing in this process works on a connection. `None`: it does for too long.
    async fn enter(self: &Arc<Self>, place: &Place) -> Option<Leaving> {
        let free = async {
            loop {
                let idle = self.idle.notified();
                if self.lock().busy.insert(place.clone()) {
                    return Leaving { callbacks: self.clone(), place: place.clone() };
                }
                idle.await;
            }
        };
        tokio::time::timeout(ENTER_WAIT, free).await.ok()
    }

    /// Takes a connection, or keeps it. False: another living process has it.
    async fn claim(&self, place: &Place) -> Result<bool, Error> {
        let desk = &self.desk;
        let now = desk.clock.now_unix_ms();
        let claim = InboundClaim {
            place: place.clone(),
            owner: desk.owners.me().to_owned(),
            until: now.saturating_add(desk.config.lease_ms as i64),
            living: desk.owners.living(),
            now,
        };
        Ok(desk.store.claim_inbound(claim).await?)
    }

    /// Everything that reads: what is dirty, what was not told, what is registered.
    async fn read_all(self: &Arc<Self>, place: &Place) -> Result<(), Error> {
        if self.memory(place).rests_until > self.desk.clock.boot_ms() {
            return Ok(());
        }
        let outcome = async {
            self.apply_due(place).await?;
            self.ensure_due(place).await?;
            self.poll_due(place).await?;
            self.sweep_due(place).await?;
            self.apply_due(place).await
        };
        let outcome = outcome.await;
        match &outcome {
            Ok(()) => self.remember(place, |memory| memory.failures = 0),
            Err(error) => self.rest(place, error),
        }
        outcome
    }

    /// The connection failed: longer each time, and at least as long as the PSA asks.
    fn rest(&self, place: &Place, error: &Error) {
        let boot = self.desk.clock.boot_ms();
        self.remember(place, |memory| {
            let wait = self.backoff(memory.failures).max(error.retry_after_ms.unwrap_or(0));
            memory.failures = memory.failures.saturating_add(1);
            memory.rests_until = boot.saturating_add(wait);
        });
    }

    fn backoff(&self, failures: u32) -> u64 {
        let config = &self.desk.config;
        config.backoff_ms.saturating_mul(1 << failures.min(16)).min(config.backoff_max_ms)
    }

    /// Runs a reading operation, or the one write of a registration, in nobody's way.
    async fn run<O: Operation>(&self, place: &Place, request: &O::Request) -> Result<O::Answer, Error> {
        let deadline = self.desk.clock.boot_ms().saturating_add(self.desk.request_ms.saturating_mul(4));
        let mut context = CallContext::until(deadline, Terms { lane: Lane::Bulk, ..Terms::default() });
        context.cancelled = self.closing.subscribe();
        self.desk.connections.run::<O>(place, request, &context).await
    }

    async fn trim(self: &Arc<Self>) {
        if self.trimming.swap(true, Ordering::SeqCst) {
            return;
        }
        let config = &self.desk.config;
        let before = self.desk.clock.now_unix_ms().saturating_sub(config.kept_ms as i64);
        let (callbacks, reply) = (self.clone(), self.desk.store.trim_callbacks(before, config.kept));
        tokio::spawn(async move {
            if let Err(error) = reply.await {
                callbacks.desk.log.warn("host", &format!("old callbacks could not be dropped: {error}"));
            }
            callbacks.trimming.store(false, Ordering::SeqCst);
        });
    }
}

/// Whether an error is about the connection, so that asking for something else would end the same way.
fn is_of_connection(error: &Error) -> bool {
    let code = matches!(
        error.code,
        Code::Unavailable
            | Code::Timeout
            | Code::RateLimited
            | Code::Unauthenticated
            | Code::Unreadable
            | Code::Storage
    );
    code && error.speaks_of != Some(SpeaksOf::Operation)
}

/// Ends of a connection's own: it is not asked again at once, and nothing of it is an error of the one asking.
fn is_ending(error: &Error) -> bool {
    matches!(error.code, Code::Cancelled | Code::Closed)
}

/// What is left at the PSA when a connection goes.
pub(crate) struct Withdrawn {
    /// Held while nothing is to be registered.
    pub(crate) _alone: Option<Leaving>,
    /// What the PSA did not take back.
    pub(crate) left: Vec<StoredSubscription>,
    /// Why not; for people.
    pub(crate) why: Option<String>,
}

/// Marks a connection as free again, however its round ends.
pub(crate) struct Leaving {
    callbacks: Arc<Callbacks>,
    place: Place,
}

impl Leaving {
    /// Other processes may go on at once.
    async fn let_go(self) {
        let Callbacks { desk, .. } = &*self.callbacks;
        if let Err(error) = desk.store.release_inbound(&self.place, desk.owners.me()).await {
            desk.log.warn("host", &format!("connection {} could not be let go of: {error}", self.place));
        }
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.callbacks.lock().busy.remove(&self.place);
        self.callbacks.idle.notify_waiters();
    }
}
