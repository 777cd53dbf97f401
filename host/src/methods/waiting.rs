//! Waiting for an operation to end.

use crate::core::Core;
use crate::outbox::OperationView;
use crate::plugin::CallContext;
use crate::store::StoredOperation;
use psa_host_api::Error;

/// The operation as it is at its end, or when the time is over, or when a person is needed.
pub(super) async fn for_end(
    core: &Core,
    row: StoredOperation,
    wait_ms: u64,
    context: &CallContext,
) -> Result<OperationView, Error> {
    Ok((&core.outbox.wait_for_end(row, wait_ms, context).await?).into())
}
