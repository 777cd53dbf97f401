//! All that a simulated PSA knows, behind one lock.

use crate::callbacks::Callbacks;
use crate::callbacks::registry::Registry;
use crate::callbacks::wire::Wire;
use crate::connectwise::State;
use crate::fault::{Fault, Faults};
use crate::journal::Journal;
use crate::record_switches::RecordSwitches;
use crate::tenant::{self, Tenant};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The credentials that are accepted.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) company: String,
    pub(crate) public_key: String,
    pub(crate) private_key: String,
    pub(crate) client_id: String,
}

impl Account {
    /// With keys by chance; the client id belongs to the product, not to the company. Source: facts 2.1.
    pub(crate) fn new(company: &str, client_id: &str, random: &mut impl Rng) -> Account {
        let mut word = |length: usize| -> String {
            (0..length)
                .map(|_| {
                    char::from(b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"[random.random_range(0..57)])
                })
                .collect()
        };
        let (public_key, private_key) = (word(16), word(16));
        Account { company: company.to_owned(), public_key, private_key, client_id: client_id.to_owned() }
    }
}

/// The product's client id.
const CLIENT_ID: &str = "5d1b3c4e-6f70-4812-93a4-b5c6d7e8f901";

/// What can be switched while it runs; each changes how the PSA behaves as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Switches {
    pub(crate) codebase: String,
    pub(crate) forward_only: bool,
    pub(crate) members_forbidden: bool,
    pub(crate) my_members_missing: bool,
    pub(crate) null_members: bool,
    pub(crate) close_after_answer: bool,
    pub(crate) listing_lag_ms: u64,
    pub(crate) records: RecordSwitches,
}

/// Name, meaning.
const SWITCHES: [(&str, &str); 7] = [
    ("codebase", "text: the pinned code base of the tenant, such as v2025_1; another one is an upgrade"),
    ("forward_only", "true: lists answer forward-only paging with a Link; false: they answer without one"),
    ("members_forbidden", "true: /system/members is refused for lack of a right"),
    ("my_members_missing", "true: /system/myMembers/info is not there, as on some versions"),
    ("null_members", "true: members that are empty are sent as null, as older versions do"),
    ("close_after_answer", "true: the connection is closed after every answer, and no answer has said so"),
    ("listing_lag_ms", "number: lists show what is made from now on only so many milliseconds later, in real time"),
];

impl Switches {
    fn new() -> Switches {
        Switches {
            codebase: "v2025_1".to_owned(),
            forward_only: true,
            members_forbidden: false,
            my_members_missing: false,
            null_members: false,
            close_after_answer: false,
            listing_lag_ms: 0,
            records: RecordSwitches::default(),
        }
    }

    pub(crate) fn list(&self) -> Value {
        let items = SWITCHES.iter().map(|(name, about)| json!({"name": name, "value": self.get(name), "about": about}));
        json!({"items": items.chain(self.records.list()).collect::<Vec<_>>()})
    }

    fn get(&self, name: &str) -> Value {
        match name {
            "codebase" => json!(self.codebase),
            "forward_only" => json!(self.forward_only),
            "members_forbidden" => json!(self.members_forbidden),
            "my_members_missing" => json!(self.my_members_missing),
            "null_members" => json!(self.null_members),
            "close_after_answer" => json!(self.close_after_answer),
            _ => json!(self.listing_lag_ms),
        }
    }

    /// Sets one; an error says what is possible.
    pub(crate) fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let flag = || value.as_bool().ok_or_else(|| format!("{name} must be true or false"));
        match name {
            "codebase" => {
                let text = value.as_str().filter(|text| !text.is_empty() && !text.contains('/'));
                self.codebase = text.ok_or("codebase must be a text without slashes")?.to_owned();
            }
            "forward_only" => self.forward_only = flag()?,
            "members_forbidden" => self.members_forbidden = flag()?,
            "my_members_missing" => self.my_members_missing = flag()?,
            "null_members" => self.null_members = flag()?,
            "close_after_answer" => self.close_after_answer = flag()?,
            "listing_lag_ms" => {
                self.listing_lag_ms = value.as_u64().ok_or("listing_lag_ms must be a whole number")?;
            }
            _ => return self.records.set(name, value),
        }
        Ok(())
    }
}

/// Everything.
pub(crate) struct World {
    /// `https://127.0.0.1:port`.
    pub(crate) base: String,
    pub(crate) account: Account,
    pub(crate) switches: Switches,
    pub(crate) state: State,
    /// What has been registered for callbacks.
    pub(crate) registry: Registry,
    /// The other companies on this host.
    pub(crate) neighbours: Vec<Tenant>,
    pub(crate) callbacks: Callbacks,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    /// What is added to the machine's time.
    offset: SignedDuration,
    /// The machine's time at which the clock was stopped; `None`: it goes.
    stopped: Option<Timestamp>,
    /// By how much its clock is wrong.
    skew: SignedDuration,
    requests: u64,
    /// What happens by chance is the same for the same seed.
    random: StdRng,
}

impl World {
    /// `amounts`: how many tickets there are at first, and how many further boards.
    pub(crate) fn new(base: String, seed: u64, amounts: (usize, u64), now: Option<Timestamp>) -> World {
        let mut random = StdRng::seed_from_u64(seed);
        let account = Account::new("acme", CLIENT_ID, &mut random);
        let offset = now.map_or(SignedDuration::ZERO, |now| now.duration_since(Timestamp::now()));
        let now = Timestamp::now() + offset;
        let state = State::seeded(&mut random, amounts, now);
        World {
            base,
            account,
            switches: Switches::new(),
            state,
            registry: Registry::seeded(&mut StdRng::seed_from_u64(seed)),
            neighbours: tenant::neighbours(seed, now, CLIENT_ID),
            callbacks: Callbacks::new(seed),
            faults: Faults::default(),
            journal: Journal::default(),
            offset,
            stopped: None,
            skew: SignedDuration::ZERO,
            requests: 0,
            random,
        }
    }

    /// The fault that strikes a request of this endpoint, if any.
    pub(crate) fn strike(&mut self, endpoint: &str) -> Option<Fault> {
        self.faults.take(endpoint, &mut self.random)
    }

    /// The simulator's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.stopped.unwrap_or_else(Timestamp::now) + self.offset + self.skew
    }

    /// Whole seconds, as the PSA writes times. Source: facts 3.1.
    pub(crate) fn now_text(&self) -> String {
        time_text(self.now())
    }

    pub(crate) fn advance(&mut self, ms: i64) {
        self.offset += SignedDuration::from_millis(ms);
    }

    /// Its clock stands still from now on, but for `advance`, or goes on from where it stands.
    pub(crate) fn stop_clock(&mut self, stop: bool) {
        let now = Timestamp::now();
        if let Some(stopped) = self.stopped.take() {
            self.offset -= now.duration_since(stopped);
        }
        self.stopped = stop.then_some(now);
    }

    /// From now on its clock is ahead by so much, or behind.
    pub(crate) fn set_skew(&mut self, ms: i64) {
        self.skew = SignedDuration::from_millis(ms);
    }

    /// Sets a switch; an error says what is possible.
    pub(crate) fn set_switch(&mut self, name: &str, value: &Value) -> Result<(), String> {
        self.callbacks.switches.set(name, value).unwrap_or_else(|| self.switches.set(name, value))
    }

    /// Requests that were answered so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// The id of a request, as support asks for it. Source: facts 5.2.
    pub(crate) fn next_request_id(&mut self) -> String {
        self.requests += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.requests)
    }
}

pub(crate) fn time_text(time: Timestamp) -> String {
    let seconds = Timestamp::from_second(time.as_second()).unwrap_or(time);
    seconds.to_string()
}

/// The world, shared by all connections.
pub(crate) struct Shared {
    world: Mutex<World>,
    /// Outside of the lock: talking to others takes its time.
    pub(crate) wire: Wire,
}

impl Shared {
    pub(crate) fn new(world: World, wire: Wire) -> Shared {
        Shared { world: Mutex::new(world), wire }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
