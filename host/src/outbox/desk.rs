//! What all work on operations needs.

use super::canonical::{Frame, Likeness, compare};
use super::config::OutboxConfig;
use super::gate::Gate;
use super::payload::Payload;
use super::watching::Watching;
use crate::activity::Scribe;
use crate::cache::Kind as CacheKind;
use crate::clock::{Clock, Random};
use crate::connections::ConnectionRoom;
use crate::egress::Lane;
use crate::log::Log;
use crate::owners::Owners;
use crate::plugin::{CallContext, Terms};
use crate::store::{Kind, Lease, MappingState, Place, StopReason, Store};
use crate::vault::Vault;
use psa_host_api::Error;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Called at named points between durable steps; tests end the process there.
pub type FailPoint = Arc<dyn Fn(&str) + Send + Sync>;

/// The desk.
pub(crate) struct Desk {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) scribe: Arc<Scribe>,
    pub(crate) owners: Arc<Owners>,
    pub(crate) connections: Arc<ConnectionRoom>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) log: Log,
    pub(crate) config: OutboxConfig,
    /// The time one request may take, as egress has it.
    pub(crate) request_ms: u64,
    pub(crate) fail: Option<FailPoint>,
    pub(crate) memory: Memory,
}

/// What this process knows and no other needs to.
#[derive(Default)]
pub(crate) struct Memory {
    gates: Mutex<HashMap<Place, Arc<Gate>>>,
    watching: Watching,
    /// What PSAs put around texts, as their answers have shown. Forgotten with the process: then a person is asked.
    frames: Mutex<HashMap<Place, Frame>>,
}

impl Desk {
    pub(super) fn fail_point(&self, name: &str) {
        if let Some(fail) = &self.fail {
            fail(name);
        }
    }

    /// A new lease of this process.
    pub(super) fn lease(&self) -> Lease {
        let mut token = [0; 8];
        self.random.fill(&mut token);
        let token = crate::clock::hex(&token);
        let lasts = self.attempt_ms() + self.config.lease_ms;
        let until = self.clock.now_unix_ms().saturating_add(lasts as i64);
        Lease { owner: self.owners.me().to_owned(), token, until }
    }

    /// The longest time from an attempt's record to the end of its request.
    fn attempt_ms(&self) -> u64 {
        self.config.start_limit_ms + self.request_ms
    }

    /// The quiet time of operations in doubt.
    pub(super) fn watching(&self) -> &Watching {
        &self.memory.watching
    }

    /// Forgets what nobody has come back to: other processes have settled it.
    pub(super) fn forget_old(&self, boot: u64) {
        let longest = self.config.quiet_ms.saturating_mul(4).saturating_add(self.config.doubt_ms);
        self.watching().forget_older(boot.saturating_sub(longest));
    }

    pub(super) fn gate(&self, place: &Place) -> Arc<Gate> {
        let mut gates = self.memory.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let OutboxConfig { in_flight, backoff_ms, backoff_max_ms, .. } = self.config;
        gates.entry(place.clone()).or_insert_with(|| Arc::new(Gate::new(in_flight, backoff_ms, backoff_max_ms))).clone()
    }

    /// No row waits longer than this: what says so was written under another wall clock.
    pub(super) fn longest_wait_ms(&self) -> u64 {
        const HOUR_MS: u64 = 3_600_000;
        // A PSA can ask for an hour.
        self.config.quiet_ms.max(self.config.backoff_max_ms).max(HOUR_MS).saturating_mul(2)
    }

    /// Whether `theirs` can be `ours` as this connection's PSA keeps it.
    pub(super) fn is_same_text(&self, place: &Place, ours: &str, theirs: &str) -> bool {
        let frames = self.memory.frames.lock().unwrap_or_else(PoisonError::into_inner);
        compare(ours, theirs) == Likeness::Same || frames.get(place).is_some_and(|frame| frame.fits(ours, theirs))
    }

    /// Learns from an answer what the PSA makes of texts.
    pub(super) fn learn_text(&self, place: &Place, ours: &str, theirs: &str) {
        if let Some(frame) = Frame::shown(ours, theirs) {
            self.memory.frames.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), frame);
        }
    }

    /// The gates that are closed, and until when, by boottime.
    pub(super) fn closed_gates(&self, boot: u64) -> Vec<(Place, u64)> {
        let gates = self.memory.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = gates.iter().filter_map(|(place, gate)| Some((place.clone(), gate.closed_until(boot)?)));
        closed.collect()
    }

    /// How a read for the outbox runs: from the PSA itself.
    pub(super) fn fresh(&self, lane: Lane) -> CallContext {
        let deadline = self.clock.boot_ms().saturating_add(self.request_ms.saturating_mul(4));
        CallContext::until(deadline, Terms { lane, ..Terms::default() })
    }

    /// How the one write of an attempt runs.
    pub(super) fn once(&self, opened_boot_ms: u64) -> CallContext {
        let start_by = opened_boot_ms.saturating_add(self.config.start_limit_ms);
        let terms = Terms { lane: Lane::Delivery, start_by: Some(start_by), rehearsal: None };
        CallContext::until(opened_boot_ms.saturating_add(self.attempt_ms()), terms)
    }

    /// The member that is shown as who did something: the one that was said, or the one that stands for an agent.
    pub(crate) fn member_for(
        &self,
        place: &Place,
        member: Option<&String>,
        agent: Option<&str>,
    ) -> Result<Option<String>, crate::store::StoreError> {
        let (None, Some(agent)) = (member, agent) else { return Ok(member.cloned()) };
        let mapping = self.store.member_mapping(place, agent)?;
        Ok(mapping.filter(|mapping| mapping.state == MappingState::Mapped).and_then(|mapping| mapping.member))
    }

    /// What a connection's cache knows of a ticket is old, here and in other processes.
    pub(super) async fn stale(&self, place: &Place, ticket: &str) {
        self.connections.caches.of(place.tenant.as_bytes(), &place.connection).invalidate(CacheKind::Ticket, ticket);
        if let Err(error) = self.store.make_stale(place, "ticket", ticket).await {
            self.log.warn("host", &format!("other processes were not told of a change: {error}"));
        }
    }

    /// Stops a connection, and says so in the log if even that fails.
    pub(super) async fn stop(&self, place: &Place, reason: StopReason, detail: String, version: Option<i64>) {
        let stopped = self.connections.stop(place, reason, detail, version, crate::activity::HOST).await;
        if let Err(error) = stopped {
            self.log.error("host", &format!("connection {place} could not be stopped: {error}"));
        }
    }

    /// HMAC of a note's text, by which equal ones are known without being read.
    pub(super) fn likeness(&self, payload: &Payload) -> Result<Option<Vec<u8>>, Error> {
        let (kind, text) = match payload {
            Payload::Note { text, .. } => (Kind::Note, super::canonical::canonical(text)),
            Payload::Ticket(request) => (Kind::Ticket, super::canonical::canonical(&request.summary)),
            Payload::Time { entry, .. } => {
                let words = super::canonical::canonical(&entry.notes);
                (Kind::Time, format!("{} {} {words}", entry.started_at, entry.ended_at))
            }
            Payload::Status { .. } | Payload::Update(_) => return Ok(None),
        };
        Ok(Some(self.vault.digest("likeness", &[kind.word().as_bytes(), text.as_bytes()])?.to_vec()))
    }
}
