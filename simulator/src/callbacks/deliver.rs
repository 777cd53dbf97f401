//! Sending what waits. Source: facts 11.5.
//!
//! Promises: so many at once and no more; the world is not locked while somebody's server is talked to; a try that waits
//! for its time holds no place; only the four statuses are tried again, twice.
//! Leaves to others: bytes on the wire (`wire`), what failing leads to (`registry`).

use super::Delivery;
use crate::world::Shared;
use rand::seq::SliceRandom;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Deliveries under way at once.
const AT_ONCE: usize = 32;
const TIME_OUT: Duration = Duration::from_secs(5);
/// Before the second try and before the third.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(4)];
/// Any other failure is final.
const TRIED_AGAIN: [u16; 4] = [404, 409, 419, 429];
/// What may be shuffled with each other: so many, that come within so long.
const BATCH: usize = 16;
const BATCH_TIME: Duration = Duration::from_millis(50);

/// Sends until the process ends.
pub(crate) async fn run(mut queue: UnboundedReceiver<Delivery>, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(first) = queue.recv().await {
        for delivery in batch(first, &mut queue, &shared).await {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            tokio::spawn(tries(delivery, place, places.clone(), shared.clone()));
        }
    }
}

/// What is sent next: one, or several in another order.
async fn batch(first: Delivery, queue: &mut UnboundedReceiver<Delivery>, shared: &Shared) -> Vec<Delivery> {
    let mut batch = vec![first];
    if !shared.lock().callbacks.switches.reorder {
        return batch;
    }
    let until = tokio::time::Instant::now() + BATCH_TIME;
    while batch.len() < BATCH {
        let Ok(Some(next)) = tokio::time::timeout_at(until, queue.recv()).await else { break };
        batch.push(next);
    }
    batch.shuffle(&mut shared.lock().callbacks.random);
    batch
}

async fn tries(delivery: Delivery, place: OwnedSemaphorePermit, places: Arc<Semaphore>, shared: Arc<Shared>) {
    let mut place = Some(place);
    let mut success = false;
    for attempt in 1.. {
        let outcome = once(&delivery, &shared).await;
        drop(place.take());
        success = outcome.as_ref().is_ok_and(|status| (200..300).contains(status));
        let again = outcome.as_ref().is_ok_and(|status| TRIED_AGAIN.contains(status));
        let scale = {
            let mut world = shared.lock();
            let at = world.now_text();
            world.callbacks.sent.add(at, &delivery, attempt, outcome);
            world.callbacks.switches.delivery_scale
        };
        let Some(pause) = PAUSES.get(attempt as usize - 1).filter(|_| again) else { break };
        tokio::time::sleep(pause.mul_f64(scale)).await;
        place = places.clone().acquire_owned().await.ok();
    }
    let mut world = shared.lock();
    let (now, today) = (world.now_text(), world.now().to_zoned(jiff::tz::TimeZone::UTC).date());
    if let Some(entry) = delivery.entry {
        world.as_company(&delivery.company, |world| world.registry.delivered(entry, success, today, &now));
    }
    world.callbacks.ended();
}

/// One try.
pub(super) async fn once(delivery: &Delivery, shared: &Shared) -> Result<u16, String> {
    let limit = TIME_OUT.mul_f64(shared.lock().callbacks.switches.delivery_scale);
    let posted = shared.wire.post(&delivery.url, &delivery.headers, &delivery.body);
    tokio::time::timeout(limit, posted).await.unwrap_or_else(|_| Err("timed out".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::wire::Wire;
    use crate::world::World;
    use bytes::Bytes;

    #[tokio::test]
    async fn what_comes_together_is_sent_in_another_order_only_if_that_is_wanted() {
        let shared = Shared::new(World::new("http://127.0.0.1:1".to_owned(), 1, (0, 0), None), Wire::new(None));
        let (send, mut queue) = tokio::sync::mpsc::unbounded_channel();
        let ids = |batch: &[Delivery]| batch.iter().map(|delivery| delivery.id).collect::<Vec<_>>();
        for reorder in [false, true] {
            shared.lock().callbacks.switches.reorder = reorder;
            for id in 1..=BATCH as u64 {
                let (text, body) = (String::new, Bytes::new());
                let (company, url, message_id, kind, action) = (text(), text(), text(), text(), text());
                let headers = Vec::new();
                send.send(Delivery { company, entry: None, url, headers, body, message_id, kind, id, action }).unwrap();
            }
            let first = queue.recv().await.unwrap();
            let mut got = ids(&batch(first, &mut queue, &shared).await);
            if !reorder {
                assert_eq!(got, [1]);
                while queue.try_recv().is_ok() {}
                continue;
            }
            assert!(!got.is_sorted(), "{got:?}");
            got.sort_unstable();
            assert_eq!(got, (1..=BATCH as u64).collect::<Vec<_>>());
        }
    }
}
