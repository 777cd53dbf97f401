//! Sending a write: once.
//!
//! Holds: [`send`].
//! Promises: one connection, one request, no repeat, no redirect; a 3xx is an answer.
//! Leaves to others: what to do about a doubt (the outbox).

use super::answer::Answer;
use super::exchange::Exchange;
use super::failure::Failure;
use super::{Ends, Prepared, fill};

pub(super) async fn send(prepared: &Prepared, ends: &mut Ends) -> Result<Answer, Failure> {
    let Prepared { inner, plan, secrets, witness, .. } = prepared;
    let deadline = prepared.deadline();
    let filled = fill::fill(plan, &**secrets)?;
    let exchange = Exchange { inner, client: &inner.clients.write, plan, url: &plan.url, deadline, witness };
    exchange.run(filled, ends).await.map_err(|trouble| trouble.of(&plan.origin(), true, witness.state()))
}
