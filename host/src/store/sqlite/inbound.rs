//! What comes in from the PSA, as one subject: each part's statements are in the file of its table.

use super::{SqliteStore, callbacks, cursors, dirty, subscriptions, views};
use crate::store::*;

impl Inbound for SqliteStore {
    fn put_subscription(&self, row: StoredSubscription, record: Record) -> Reply<()> {
        self.write(move |db| subscriptions::put(db, &row, record))
    }

    fn drop_subscription(&self, place: &Place, subscription: &str, record: Record) -> Reply<bool> {
        let (place, subscription) = (place.clone(), subscription.to_owned());
        self.write(move |db| subscriptions::remove(db, &place, &subscription, record))
    }

    fn subscriptions(&self, place: &Place) -> Result<Vec<StoredSubscription>, StoreError> {
        self.read(|db| subscriptions::of_connection(db, place))
    }

    fn subscription_of(&self, token_hash: &[u8; 32]) -> Result<Option<StoredSubscription>, StoreError> {
        self.read(|db| subscriptions::of_token(db, token_hash))
    }

    fn keep_callback(&self, new: NewCallback) -> Reply<Kept> {
        self.write(move |db| callbacks::keep(db, &new))
    }

    fn waiting_callbacks(&self, place: &Place, now: i64, limit: usize) -> Result<Vec<WaitingCallback>, StoreError> {
        self.read(|db| callbacks::waiting(db, place, now, limit))
    }

    fn judged(&self, judged: Vec<Judged>) -> Reply<()> {
        self.write(move |db| callbacks::judged(db, &judged))
    }

    fn judge_later(&self, place: &Place, ids: Vec<i64>, detail: String, next_at: i64) -> Reply<()> {
        let place = place.clone();
        self.write(move |db| callbacks::later(db, &place, &ids, &detail, next_at))
    }

    fn list_callbacks(&self, place: &Place, before: i64, limit: usize) -> Result<Vec<StoredCallback>, StoreError> {
        self.read(|db| callbacks::list(db, place, before, limit))
    }

    fn count_waiting(&self, place: &Place) -> Result<u64, StoreError> {
        self.read(|db| callbacks::count(db, place))
    }

    fn trim_callbacks(&self, before: i64, keep: u64) -> Reply<u64> {
        self.write(move |db| {
            dirty::trim(db, before)?;
            callbacks::trim(db, before, keep)
        })
    }

    fn inbound_due(&self, due: &InboundDue<'_>) -> Result<Vec<Place>, StoreError> {
        self.read(|db| cursors::due(db, due))
    }

    fn claim_inbound(&self, claim: InboundClaim) -> Reply<bool> {
        self.write(move |db| cursors::claim(db, &claim))
    }

    fn release_inbound(&self, place: &Place, owner: &str) -> Reply<()> {
        let (place, owner) = (place.clone(), owner.to_owned());
        self.write(move |db| cursors::release(db, &place, &owner))
    }

    fn cursor(&self, place: &Place) -> Result<Cursor, StoreError> {
        self.read(|db| Ok(cursors::get(db, place)?.unwrap_or_default()))
    }

    fn change_cursor(&self, place: &Place, change: CursorChange) -> Reply<()> {
        let place = place.clone();
        self.write(move |db| cursors::change(db, &place, change))
    }

    fn door_is_at(&self, door: &str) -> Reply<()> {
        let door = door.to_owned();
        self.write(move |db| cursors::door_is_at(db, &door))
    }

    fn make_dirty(&self, place: &Place, dirty: Vec<NewDirty>, read_at: i64, now: i64) -> Reply<()> {
        let place = place.clone();
        self.write(move |db| dirty::add(db, &place, &dirty, (read_at, now), 0))
    }

    fn dirty_due(&self, place: &Place, now: i64, limit: usize) -> Result<Vec<Dirty>, StoreError> {
        self.read(|db| dirty::due(db, place, now, limit))
    }

    fn count_dirty(&self, place: &Place) -> Result<u64, StoreError> {
        self.read(|db| dirty::count(db, place))
    }

    fn dirty_later(&self, dirty: &Dirty, next_at: i64) -> Reply<()> {
        let dirty = dirty.clone();
        self.write(move |db| dirty::later(db, &dirty, next_at))
    }

    fn applied(&self, applied: Applied) -> Reply<Outcomes> {
        self.write(move |db| dirty::applied(db, applied))
    }

    fn views_of(&self, place: &Place, tickets: &[String]) -> Result<Vec<StoredView>, StoreError> {
        self.read(|db| views::of_tickets(db, place, tickets))
    }

    fn unread_since(&self, place: &Place, before: i64, limit: usize) -> Result<Vec<StoredView>, StoreError> {
        self.read(|db| views::unread(db, place, before, limit))
    }

    fn heard_until(&self, place: &Place, then: i64) -> Result<i64, StoreError> {
        self.read(|db| callbacks::heard_until(db, place, then))
    }

    fn oldest_reading(&self, place: &Place) -> Result<Option<i64>, StoreError> {
        self.read(|db| views::oldest_reading(db, place))
    }

    fn count_gone(&self, place: &Place, since: i64) -> Result<(u64, u64), StoreError> {
        self.read(|db| views::count_gone(db, place, since))
    }

    fn first_view(&self, place: &Place, link: &str, seen: Option<String>, notes: NoteFence, began: i64) -> Reply<()> {
        let (tenant, link) = (place.tenant.clone(), link.to_owned());
        self.write(move |db| {
            let view = NewView {
                link,
                before: Reading::default(),
                began,
                after: 0,
                heard: 0,
                seen,
                gone: None,
                notes,
                changed: None,
                shown: serde_json::Value::Null,
                by_us: false,
                added: Vec::new(),
            };
            views::take_over(db, &tenant, &view, began).map(drop)
        })
    }
}
