//! The values of one kind, within their bounds.
//!
//! Holds: [`Shelf`].
//! Promises: never more entries or bytes than allowed; a value whose time is over is not given out; what goes first is what is over, then
//! what was written longest ago.
//! Leaves to others: locks, time, generations.
//!
//! The crate below keeps the map and the order of writing. It is read with `peek` and `peek_iter` only: its `get` walks a list and
//! lengthens the life of what is read, and its own expiry and eviction know neither our clock nor our bytes.

use bytes::Bytes;
use lru_time_cache::LruCache;

use super::{Key, Limits, Statistics};

/// What an entry costs beside its key (kept twice) and its value: a round figure.
const ENTRY_BYTES: usize = 192;

pub(super) struct Shelf {
    limits: Limits,
    entries: LruCache<Key, Entry>,
    bytes: usize,
}

struct Entry {
    value: Bytes,
    expires_ms: u64,
    bytes: usize,
}

impl Entry {
    fn is_over(&self, now_ms: u64) -> bool {
        now_ms >= self.expires_ms
    }
}

impl Shelf {
    pub(super) fn new(limits: Limits) -> Shelf {
        Shelf { limits, entries: LruCache::with_capacity(limits.entries_max), bytes: 0 }
    }

    pub(super) fn entries(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The value if it lives; if its time is over it goes now.
    pub(super) fn get(&mut self, key: &Key, now_ms: u64, statistics: &mut Statistics) -> Option<Bytes> {
        let entry = self.entries.peek(key)?;
        if !entry.is_over(now_ms) {
            return Some(entry.value.clone());
        }
        statistics.expired += 1;
        self.remove(key);
        None
    }

    /// Writes a value, in place of what was there. The bytes are copied: a slice of a large body would keep all of it.
    pub(super) fn put(&mut self, key: Key, value: &[u8], now_ms: u64, expires_ms: u64, statistics: &mut Statistics) {
        self.remove(&key);
        let bytes = ENTRY_BYTES + 2 * (key.entity.len() + key.rest.len()) + value.len();
        if bytes > self.limits.bytes_max || self.limits.entries_max == 0 {
            statistics.oversized += 1;
            return;
        }
        self.make_room(bytes, now_ms, statistics);
        self.bytes += bytes;
        let entry = Entry { value: Bytes::copy_from_slice(value), expires_ms, bytes };
        self.entries.insert(key, entry);
    }

    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.bytes;
        }
    }

    pub(super) fn remove_entity(&mut self, entity: &str) {
        let keys: Vec<Key> =
            self.entries.peek_iter().map(|(key, _)| key).filter(|key| key.entity == entity).cloned().collect();
        keys.iter().for_each(|key| self.remove(key));
    }

    /// The keys whose time is not over.
    pub(super) fn living(&self, now_ms: u64) -> impl Iterator<Item = &Key> {
        self.entries.peek_iter().filter(move |(_, entry)| !entry.is_over(now_ms)).map(|(key, _)| key)
    }

    /// Drops what is over.
    pub(super) fn sweep(&mut self, now_ms: u64, statistics: &mut Statistics) {
        let over: Vec<Key> =
            self.entries.peek_iter().filter(|(_, entry)| entry.is_over(now_ms)).map(|(key, _)| key.clone()).collect();
        statistics.expired += over.len() as u64;
        over.iter().for_each(|key| self.remove(key));
    }

    /// Makes room for one more entry of that size, and a sixteenth on top, so that the walk is not paid on each write.
    fn make_room(&mut self, bytes: usize, now_ms: u64, statistics: &mut Statistics) {
        let Limits { entries_max, bytes_max, .. } = self.limits;
        if self.entries.len() < entries_max && self.bytes + bytes <= bytes_max {
            return;
        }
        self.sweep(now_ms, statistics);
        let newest_first: Vec<Key> = self.entries.peek_iter().map(|(key, _)| key.clone()).collect();
        let (entries_goal, bytes_goal) = (entries_max - entries_max.div_ceil(16), bytes_max - bytes_max / 16);
        for key in newest_first.iter().rev() {
            if self.entries.len() <= entries_goal && self.bytes + bytes <= bytes_goal {
                break;
            }
            statistics.evictions += 1;
            self.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(entries_max: usize, bytes_max: usize) -> Shelf {
        Shelf::new(Limits { ttl_ms: 100, ttl_ms_max: 100, entries_max, bytes_max })
    }

    #[test]
    fn entries_stay_within_their_bound_and_the_oldest_go_first() {
        let (mut shelf, mut statistics) = (shelf(4, 1_000_000), Statistics::default());
        for number in 0..20 {
            shelf.put(Key::ticket(number.to_string()), b"x", 0, 100, &mut statistics);
            assert!(shelf.entries() <= 4);
        }
        let kept: Vec<&str> = shelf.living(0).map(|key| key.entity.as_str()).collect();
        assert_eq!(kept, ["19", "18", "17", "16"]);
        assert_eq!(statistics.evictions, 16);
    }

    #[test]
    fn bytes_stay_within_their_bound_and_are_given_back() {
        let (mut shelf, mut statistics) = (shelf(1_000, 4_096), Statistics::default());
        for number in 0..200_usize {
            let value = vec![b'x'; (number * 37) % 900];
            shelf.put(Key::ticket((number % 50).to_string()), &value, 0, 100, &mut statistics);
            let held: usize = shelf.entries.peek_iter().map(|(_, entry)| entry.bytes).sum();
            assert!(held <= 4_096 && held == shelf.bytes(), "{held} and {}", shelf.bytes());
        }
        assert!(statistics.evictions > 0 && shelf.entries() > 2);
        (0..50).for_each(|number: usize| shelf.remove(&Key::ticket(number.to_string())));
        assert_eq!((shelf.entries(), shelf.bytes()), (0, 0));
    }

    #[test]
    fn a_value_larger_than_the_shelf_is_dropped_with_the_one_it_replaces() {
        let (mut shelf, mut statistics) = (shelf(10, 1_000), Statistics::default());
        shelf.put(Key::ticket("1"), b"old", 0, 100, &mut statistics);
        shelf.put(Key::ticket("2"), b"other", 0, 100, &mut statistics);
        shelf.put(Key::ticket("1"), &[0; 2_000], 0, 100, &mut statistics);
        assert_eq!(shelf.get(&Key::ticket("1"), 0, &mut statistics), None);
        assert_eq!(shelf.get(&Key::ticket("2"), 0, &mut statistics).as_deref(), Some(&b"other"[..]));
        assert_eq!((statistics.oversized, statistics.evictions), (1, 0));
    }

    #[test]
    fn what_is_over_goes_before_what_lives() {
        let (mut shelf, mut statistics) = (shelf(3, 1_000_000), Statistics::default());
        shelf.put(Key::ticket("oldest"), b"x", 0, 1_000, &mut statistics);
        shelf.put(Key::ticket("over"), b"x", 0, 10, &mut statistics);
        shelf.put(Key::ticket("third"), b"x", 0, 1_000, &mut statistics);
        shelf.put(Key::ticket("fourth"), b"x", 20, 1_000, &mut statistics);
        assert!(shelf.get(&Key::ticket("oldest"), 20, &mut statistics).is_some());
        assert_eq!((statistics.expired, statistics.evictions), (1, 0));
    }

    #[test]
    fn a_shelf_without_room_holds_nothing() {
        let (mut shelf, mut statistics) = (shelf(0, 0), Statistics::default());
        shelf.put(Key::ticket("1"), b"x", 0, 100, &mut statistics);
        assert_eq!((shelf.entries(), shelf.bytes(), statistics.oversized), (0, 0, 1));
    }
}
