//! Events, for a thread that waits for them.

use super::{Host, block};
use psa_host_api::Error;

/// Something the product is told. It comes again until it is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// For [`Host::ack_event`].
    pub id: u64,
    /// A JSON object: `id`, `event`, `tenant`, `at`, and what it is about.
    pub json: String,
}

impl Host {
    /// Waits for the next event of a named consumer. `None`: none came in time. Several processes may share a name; one
    /// at a time is served.
    pub fn next_event(&self, consumer: &str, timeout_ms: u32) -> Result<Option<Event>, Error> {
        let _inside = self.shared.gate.enter()?;
        let core = self.shared.core()?;
        let until = core.clock.boot_ms().saturating_add(u64::from(timeout_ms));
        let _reactor = self.shared.io.enter();
        let Some(told) = block::wait(core.events.next(consumer, until))? else { return Ok(None) };
        let json = serde_json::to_string(&told).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Some(Event { id: told.id, json }))
    }

    /// Acknowledges an event and all before it.
    pub fn ack_event(&self, consumer: &str, id: u64) -> Result<(), Error> {
        let _inside = self.shared.gate.enter()?;
        block::wait(self.shared.core()?.events.ack(consumer, id))
    }
}
