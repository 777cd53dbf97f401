//! How much of one connection's traffic may be under way at once.
//!
//! Holds: [`Budget`], one per connection, and its lanes.
//! Promises: each lane can always have one request under way, whatever the others do; a dropped wait takes nothing.
//! Leaves to others: deadlines of the wait (race it), who uses which lane.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who is waiting for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// A person.
    Interactive,
    /// The outbox.
    Delivery,
    /// Reconciling, sweeping, everything that nobody waits for.
    Bulk,
}

const LANES: usize = 3;

/// The slots of one connection: one reserved for each lane, the rest for whoever comes first.
#[derive(Debug, Clone)]
pub struct Budget {
    reserved: [Arc<Semaphore>; LANES],
    shared: Arc<Semaphore>,
}

/// One slot; free again when dropped.
#[derive(Debug)]
pub struct Permit(#[allow(dead_code, reason = "held for its Drop")] OwnedSemaphorePermit);

impl Budget {
    /// At most so many requests at once; three at least, because each lane has its own.
    pub fn new(max_in_flight: usize) -> Budget {
        let shared = max_in_flight.saturating_sub(LANES).min(Semaphore::MAX_PERMITS);
        Budget {
            reserved: std::array::from_fn(|_| Arc::new(Semaphore::new(1))),
            shared: Arc::new(Semaphore::new(shared)),
        }
    }

    /// Waits for the lane's own slot or a shared one.
    pub async fn acquire(&self, lane: Lane) -> Permit {
        if let Some(permit) = self.try_acquire(lane) {
            return permit;
        }
        let (own, shared) = (self.reserved[lane as usize].clone(), self.shared.clone());
        let permit = tokio::select! {
            biased;
            permit = own.acquire_owned() => permit,
            permit = shared.acquire_owned() => permit,
        };
        match permit {
            Ok(permit) => Permit(permit),
            // Nothing here closes a semaphore.
            Err(_) => std::future::pending().await,
        }
    }

    /// A slot if one is free now.
    pub fn try_acquire(&self, lane: Lane) -> Option<Permit> {
        let own = self.reserved[lane as usize].clone().try_acquire_owned();
        own.or_else(|_| self.shared.clone().try_acquire_owned()).ok().map(Permit)
    }
}
