//! Waiting for an operation to end.

use crate::core::Core;
use crate::outbox::OperationView;
use crate::plugin::CallContext;
use crate::store::{State, StoredOperation};
use psa_host_api::Error;

/// How often is looked for what another process has delivered, in milliseconds.
const LOOK_EVERY_MS: u64 = 100;

/// The operation as it is at its end, or when the time is over, or when a person is needed.
pub(super) async fn for_end(
    core: &Core,
    row: StoredOperation,
    wait_ms: u64,
    context: &CallContext,
) -> Result<OperationView, Error> {
    let until = core.clock.boot_ms().saturating_add(wait_ms);
    let until = context.deadline.map_or(until, |deadline| deadline.min(until));
    let mut changes = core.outbox.changes();
    let mut cancelled = context.cancelled.clone();
    let mut row = row;
    loop {
        let now = core.clock.boot_ms();
        if row.state.is_terminal() || row.state == State::Held || now >= until || *cancelled.borrow() {
            return Ok((&row).into());
        }
        tokio::select! {
            _ = changes.changed() => {}
            _ = cancelled.wait_for(|wanted| *wanted) => {}
            () = core.clock.sleep(LOOK_EVERY_MS.min(until - now)) => {}
        }
        row = core.outbox.operation_of(&row.place.tenant, &row.operation)?;
    }
}
