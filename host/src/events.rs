//! Events, as the product takes them.
//!
//! Holds: [`Events`], and an event as it is told.
//! Promises: an event comes again until it is acknowledged; one process at a time is served under a name.
//! Leaves to others: making events (`activity`, with the change they are about).

use crate::clock::{Clock, rfc3339};
use crate::store::{Store, Taken};
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// How long a consumer has for an event before another process may be served, in milliseconds.
const LEASE_MS: i64 = 60_000;
/// How often is looked for new ones, in milliseconds.
const LOOK_MS: u64 = 50;
/// How often is tried whether another process has let go, in milliseconds.
const TRY_MS: u64 = 1_000;

/// Something the product is told. It comes again until it is acknowledged.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Told {
    /// For events.ack.
    pub(crate) id: u64,
    /// What kind: `operation.delivered`; `gap`: events `from` to `to` were dropped because nobody had fetched them for long.
    event: String,
    /// Whose; absent in a gap.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    /// When it happened, RFC 3339 UTC; absent in a gap.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// What it is about.
    #[serde(flatten)]
    about: Map<String, Value>,
}

/// The events of one opened host.
pub(crate) struct Events {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    me: String,
    closing: watch::Receiver<bool>,
    /// Whether any was taken: a close that has nothing to let go of writes nothing.
    taken: AtomicBool,
}

impl Events {
    /// `me`: the name of this process; `closing` turns true when the host is being closed.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        me: String,
        closing: watch::Receiver<bool>,
    ) -> Events {
        Events { store, clock, me, closing, taken: AtomicBool::new(false) }
    }

    /// Waits for the next event of a named consumer, until `until` by [`Clock::boot_ms`]. `None`: none came.
    pub(crate) async fn next(&self, consumer: &str, until: u64) -> Result<Option<Told>, Error> {
        check_name(consumer)?;
        let mut closing = self.closing.clone();
        tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => Err(Error::new(Code::Closed, "the host is closed; open another one")),
            event = self.wait(consumer, until) => event,
        }
    }

    /// Acknowledges an event and all before it.
    pub(crate) async fn ack(&self, consumer: &str, id: u64) -> Result<(), Error> {
        check_name(consumer)?;
        let id = i64::try_from(id).map_err(|_| Error::new(Code::NotFound, "there is no such event"))?;
        self.store.ack_event(consumer, id).await?;
        Ok(())
    }

    /// What was taken here and not acknowledged comes again at once, to whoever asks. Nobody takes events here any more.
    pub(crate) fn let_go(&self) -> Result<(), Error> {
        if !self.taken.load(Ordering::Relaxed) {
            return Ok(());
        }
        Ok(self.store.let_go_of_events(&self.me).wait()?)
    }

    async fn wait(&self, consumer: &str, until: u64) -> Result<Option<Told>, Error> {
        loop {
            let newest = self.store.newest_event()?;
            let now = self.clock.now_unix_ms();
            self.taken.store(true, Ordering::Relaxed);
            match self.store.take_event(consumer, None, &self.me, now, now.saturating_add(LEASE_MS)).await? {
                Taken::Event { id, tenant, kind, at, body } => return Ok(Some(told(id, tenant, kind, at, body))),
                Taken::Gap { from, to } => return Ok(Some(gap(from, to))),
                Taken::Nothing | Taken::Elsewhere => {}
            }
            if !self.wait_for_more(newest, until).await? {
                return Ok(None);
            }
        }
    }

    /// False: the time is over.
    async fn wait_for_more(&self, newest: i64, until: u64) -> Result<bool, Error> {
        let again = self.clock.boot_ms().saturating_add(TRY_MS);
        loop {
            let now = self.clock.boot_ms();
            if now >= until {
                return Ok(false);
            }
            if now >= again || self.store.newest_event()? != newest {
                return Ok(true);
            }
            self.clock.sleep(LOOK_MS.min(until - now)).await;
        }
    }
}

fn check_name(consumer: &str) -> Result<(), Error> {
    if consumer.is_empty() || consumer.len() > 64 || consumer.chars().any(char::is_control) {
        return Err(Error::invalid("the consumer's name must be 1 to 64 bytes").because("consumer"));
    }
    Ok(())
}

fn gap(from: i64, to: i64) -> Told {
    let about = Map::from_iter([("from".to_owned(), json!(from)), ("to".to_owned(), json!(to))]);
    Told { id: number(to), event: "gap".to_owned(), tenant: None, at: None, about }
}

fn told(id: i64, tenant: String, kind: String, at: i64, body: Value) -> Told {
    let about = match body {
        Value::Object(object) => object,
        other => Map::from_iter([("body".to_owned(), other)]),
    };
    Told { id: number(id), event: kind, tenant: Some(tenant), at: Some(rfc3339(at)), about }
}

fn number(id: i64) -> u64 {
    u64::try_from(id).unwrap_or(0)
}
