//! Waiting for an operation to end.

use super::Outbox;
use crate::plugin::CallContext;
use crate::store::{State, StoredOperation};
use psa_host_api::Error;

/// How often is looked for what another process has delivered, in milliseconds.
const LOOK_EVERY_MS: u64 = 100;

impl Outbox {
    /// The operation as it is at its end, or when the time is over, or when a person is needed.
    pub(crate) async fn wait_for_end(
        &self,
        row: StoredOperation,
        wait_ms: u64,
        context: &CallContext,
    ) -> Result<StoredOperation, Error> {
        let clock = &self.desk.clock;
        let until = clock.boot_ms().saturating_add(wait_ms);
        let until = context.deadline.map_or(until, |deadline| deadline.min(until));
        let mut changes = self.changes();
        let mut cancelled = context.cancelled.clone();
        let mut row = row;
        loop {
            let now = clock.boot_ms();
            if row.state.is_terminal() || row.state == State::Held || now >= until || *cancelled.borrow() {
                return Ok(row);
            }
            tokio::select! {
                _ = changes.changed() => {}
                _ = cancelled.wait_for(|wanted| *wanted) => {}
                () = clock.sleep(LOOK_EVERY_MS.min(until - now)) => {}
            }
            row = self.operation_of(&row.place.tenant, &row.operation)?;
        }
    }
}
