//! Waiting for an operation to end.

use super::Outbox;
use crate::plugin::CallContext;
use crate::store::{LaneId, State, StoredOperation};
use psa_host_api::Error;

/// How often is looked for what another process has delivered, in milliseconds.
const LOOK_EVERY_MS: u64 = 100;

impl Outbox {
    /// The operation as it is at its end, or when the time is over, a person is needed, or the host is closed.
    pub(crate) async fn wait_for_end(
        &self,
        row: StoredOperation,
        wait_ms: u64,
        context: &CallContext,
    ) -> Result<StoredOperation, Error> {
        let clock = &self.desk.clock;
        let until = context.waits_until(clock.boot_ms(), wait_ms);
        let mut changes = self.changes();
        let mut cancelled = context.cancelled.clone();
        let (mut row, mut left) = (row, false);
        loop {
            let now = clock.boot_ms();
            let over = now >= until || *cancelled.borrow() || left;
            if row.state.is_terminal() || row.state == State::Held || over {
                return Ok(row);
            }
            tokio::select! {
                _ = changes.changed() => {}
                _ = cancelled.wait_for(|wanted| *wanted) => {}
                () = clock.sleep(LOOK_EVERY_MS.min(until - now)) => {}
            }
            // Before the row is read: what is no longer under way then is in the row as it stays.
            left = self.is_left(&row);
            row = self.operation_of(&row.place.tenant, &row.operation)?;
        }
    }

    /// Whether the host is being closed and nothing of its lane is under way here any more: it stays as it is.
    fn is_left(&self, row: &StoredOperation) -> bool {
        self.is_closing() && !self.is_busy(&LaneId { place: row.place.clone(), link: row.link.clone() })
    }
}
