//! Callbacks: what the PSA sends by itself. Source: facts 11.
//!
//! Holds: the moment at which a change becomes messages, and the queue of those.
//! Promises: a message is made in the moment of the change and bears the record as it was then; chance has a source of
//! its own here, so that the luck of faults does not depend on how much was sent.
//! Leaves to others: what a request has changed (`connectwise::changes`), sending (`deliver`), the doors (`doors`).

pub(crate) mod deliver;
pub(crate) mod doors;
pub(crate) mod levels;
pub(crate) mod message;
pub(crate) mod order;
pub(crate) mod registry;
pub(crate) mod sent;
pub(crate) mod signing;
pub(crate) mod switches;
pub(crate) mod wire;

use crate::world::World;
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sent::Sent;
use serde_json::Value;
use std::time::Duration;
use switches::Switches;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

/// Messages that may wait; what comes beyond is lost, and counted.
const OPEN_MAX: usize = 500_000;

/// A change of a record.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// `ticket`, `time`, `member`, `company`, `contact`.
    pub(crate) kind: String,
    pub(crate) id: u64,
    /// `added`, `updated`, `deleted`.
    pub(crate) action: String,
    /// The identifier of who has done it.
    pub(crate) by: String,
    /// After the change; of a deleted one, before it.
    pub(crate) record: Value,
}

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) company: String,
    /// The id of the entry; `None`: sent by order of a test.
    pub(crate) entry: Option<u64>,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) message_id: String,
    pub(crate) kind: String,
    pub(crate) id: u64,
    pub(crate) action: String,
}

/// Everything about sending that all companies share.
pub(crate) struct Callbacks {
    pub(crate) switches: Switches,
    pub(crate) sent: Sent,
    queue: UnboundedSender<Delivery>,
    waiting: Option<UnboundedReceiver<Delivery>>,
    /// How many wait, are under way or will be tried again.
    open: watch::Sender<usize>,
    pub(crate) random: StdRng,
}

impl Callbacks {
    pub(crate) fn new(seed: u64) -> Callbacks {
        let (queue, waiting) = unbounded_channel();
        Callbacks {
            switches: Switches::default(),
            sent: Sent::default(),
            queue,
            waiting: Some(waiting),
            open: watch::Sender::new(0),
            random: StdRng::seed_from_u64(seed ^ 0x0043_414C_4C42_4143),
        }
    }

    /// The other end of the queue, once.
    pub(crate) fn take_queue(&mut self) -> Option<UnboundedReceiver<Delivery>> {
        self.waiting.take()
    }

    /// How many are open, now and later.
    pub(crate) fn open(&self) -> watch::Receiver<usize> {
        self.open.subscribe()
    }

    /// One of the open ones has come to its end.
    pub(crate) fn ended(&self) {
        self.open.send_modify(|open| *open = open.saturating_sub(1));
    }

    /// By this chance of a hundred.
    fn chance(&mut self, percent: f64) -> bool {
        percent > 0.0 && self.random.random_range(0.0..100.0) < percent
    }

    fn push(&mut self, delivery: Delivery) {
        if *self.open.borrow() >= OPEN_MAX {
            self.sent.lost += 1;
            return;
        }
        self.open.send_modify(|open| *open += 1);
        let queue = self.queue.clone();
        let delay_ms = self.switches.delay_ms;
        if delay_ms == 0 {
            // It fails only at the end of the process.
            let _ = queue.send(delivery);
            return;
        }
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            let _ = queue.send(delivery);
        });
    }
}

/// Sends an event to every active entry that is about it.
pub(crate) fn fire(world: &mut World, event: &Event) {
    let targets = targets(world, event);
    if world.callbacks.switches.callbacks_off {
        world.callbacks.sent.lost += targets.len() as u64;
        return;
    }
    if targets.is_empty() {
        return;
    }
    let entity = message::entity(event);
    for (entry, registered) in targets {
        let switches = world.callbacks.switches.clone();
        if world.callbacks.chance(switches.lose_percent) {
            world.callbacks.sent.lost += 1;
            continue;
        }
        let message_id = registry::guid(&mut world.callbacks.random);
        let body = message::body(world, event, &entity, entry, &message_id).to_string();
        let secret = &world.registry.keys.current().secret;
        let mut signature = signing::signature(secret, body.as_bytes());
        if world.callbacks.chance(switches.bad_signature_percent) {
            signature = signing::signature("another key", body.as_bytes());
        }
        let delivery = Delivery {
            company: world.account.company.clone(),
            entry: Some(entry),
            url: message::url(&registered, event.id, &event.action),
            headers: headers(Some(signature)),
            body: body.into(),
            message_id,
            kind: event.kind.clone(),
            id: event.id,
            action: event.action.clone(),
        };
        // The same message again, as a sender that has missed an answer would send it.
        let repeats = if world.callbacks.chance(switches.repeat_percent) { switches.repeats } else { 0 };
        for _ in 0..repeats {
            world.callbacks.push(delivery.clone());
        }
        world.callbacks.push(delivery);
    }
}

/// Source: facts 11.4.
pub(crate) fn headers(signature: Option<String>) -> Vec<(String, String)> {
    let typed = ("content-type".to_owned(), "application/json; charset=utf-8".to_owned());
    let signed = signature.map(|signature| ("x-content-signature".to_owned(), signature));
    [Some(typed), signed].into_iter().flatten().collect()
}

/// Id and URL of the entries that are about it.
fn targets(world: &World, event: &Event) -> Vec<(u64, String)> {
    let who = world.state.member_id(&event.by);
    let hears = |entry: &&registry::Entry| {
        let suppressed = world.callbacks.switches.self_suppression
            && entry.record["isSelfSuppressedFlag"] == true
            && who.is_some_and(|who| entry.record["memberId"] == who);
        let object = entry.record["objectId"].as_u64().unwrap_or_default();
        entry.is_active()
            && !suppressed
            && entry.text("type") == event.kind
            && levels::means(&event.kind, entry.text("level"), object, &event.record)
    };
    world.registry.entries.iter().filter(hears).map(|entry| (entry.id(), entry.text("url").to_owned())).collect()
}
