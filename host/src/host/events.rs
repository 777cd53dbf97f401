//! Events, as the product takes them.

use super::{Host, block, gate};
use crate::clock::rfc3339;
use crate::core::Core;
use crate::store::{Store, Taken};
use psa_host_api::{Code, Error};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How long a consumer has for an event before another process may be served, in milliseconds.
const LEASE_MS: i64 = 60_000;
/// How often is looked for new ones, in milliseconds.
const LOOK_MS: u64 = 50;
/// How often is tried whether another process has let go, in milliseconds.
const TRY_MS: u64 = 1_000;

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
        check_name(consumer)?;
        let core = self.shared.core()?;
        let until = core.clock.boot_ms().saturating_add(u64::from(timeout_ms));
        let mut closing = self.shared.closing.subscribe();
        let me = self.shared.me.clone();
        let consumer = consumer.to_owned();
        let _reactor = self.shared.io.enter();
        block::wait(async move {
            tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => Err(gate::closed()),
                event = next(&core, &consumer, &me, until) => event,
            }
        })
    }

    /// Acknowledges an event and all before it.
    pub fn ack_event(&self, consumer: &str, id: u64) -> Result<(), Error> {
        let _inside = self.shared.gate.enter()?;
        check_name(consumer)?;
        let core = self.shared.core()?;
        let id = i64::try_from(id).map_err(|_| Error::new(Code::NotFound, "there is no such event"))?;
        core.store.ack_event(consumer, id).wait()?;
        Ok(())
    }
}

fn check_name(consumer: &str) -> Result<(), Error> {
    if consumer.is_empty() || consumer.len() > 64 || consumer.chars().any(char::is_control) {
        return Err(Error::invalid("the consumer's name must be 1 to 64 bytes").because("consumer"));
    }
    Ok(())
}

async fn next(core: &Arc<Core>, consumer: &str, me: &str, until: u64) -> Result<Option<Event>, Error> {
    let store = &core.store;
    loop {
        let newest = store.newest_event()?;
        let now = core.clock.now_unix_ms();
        match store.take_event(consumer, None, me, now, now.saturating_add(LEASE_MS)).await? {
            Taken::Event { id, tenant, kind, at, body } => return Ok(Some(event(id, &tenant, &kind, at, body))),
            Taken::Gap { from, to } => {
                let json = json!({"id": to, "event": "gap", "from": from, "to": to}).to_string();
                return Ok(Some(Event { id: u64::try_from(to).unwrap_or(0), json }));
            }
            Taken::Nothing | Taken::Elsewhere => {}
        }
        if !wait_for_more(core, &**store, newest, until).await? {
            return Ok(None);
        }
    }
}

/// False: the time is over.
async fn wait_for_more(core: &Core, store: &dyn Store, newest: i64, until: u64) -> Result<bool, Error> {
    let again = core.clock.boot_ms().saturating_add(TRY_MS);
    loop {
        let now = core.clock.boot_ms();
        if now >= until {
            return Ok(false);
        }
        if now >= again || store.newest_event()? != newest {
            return Ok(true);
        }
        core.clock.sleep(LOOK_MS.min(until - now)).await;
    }
}

fn event(id: i64, tenant: &str, kind: &str, at: i64, body: Value) -> Event {
    let mut object = match body {
        Value::Object(object) => object,
        other => Map::from_iter([("body".to_owned(), other)]),
    };
    object.insert("id".to_owned(), json!(id));
    object.insert("event".to_owned(), json!(kind));
    object.insert("tenant".to_owned(), json!(tenant));
    object.insert("at".to_owned(), json!(rfc3339(at)));
    Event { id: u64::try_from(id).unwrap_or(0), json: Value::Object(object).to_string() }
}
