//! Events as methods, for those who wait for many things at once; `psa_host_next_event` is the same for a thread.

use super::nothing::Done;
use crate::core::Core;
use crate::events::Told;
use crate::plugin::CallContext;
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of events.next.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Next {
    /// Who asks: a name of 1 to 64 bytes. Several processes may share one; one at a time is served.
    consumer: String,
    /// How long to wait for one, in milliseconds; also longer than `call_timeout_ms`, unless the call itself was given less
    /// time.
    #[serde(default)]
    timeout_ms: u64,
}

/// What there is to be told.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// Absent: none came in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Told>,
}

pub(crate) async fn next(core: &Core, params: Next, context: &CallContext) -> Result<Answer, Error> {
    let until = context.waits_until(core.clock.boot_ms(), params.timeout_ms);
    let mut cancelled = context.cancelled.clone();
    tokio::select! {
        biased;
        // Who asks no more has not been told: it comes again.
        Ok(_) = cancelled.wait_for(|cancelled| *cancelled) => Err(Error::new(Code::Cancelled, "events.next was cancelled")),
        event = core.events.next(&params.consumer, until) => Ok(Answer { event: event? }),
    }
}

/// Parameters of events.ack.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ack {
    /// Who was told.
    consumer: String,
    /// The event's `id`; all before it count as handled too.
    id: u64,
}

pub(crate) async fn ack(core: &Core, params: Ack, _: &CallContext) -> Result<Done, Error> {
    core.events.ack(&params.consumer, params.id).await?;
    Ok(Done {})
}
