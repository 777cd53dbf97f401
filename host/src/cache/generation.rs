//! What was invalidated since a load began.
//!
//! Holds: [`Generations`] and [`Mark`].
//! Promises: a mark taken before an invalidation of the same entity is never current again; memory is bounded.
//! Leaves to others: values and loads.

use std::collections::HashMap;

use super::{Key, Kind};

/// How many entities are told apart. When there are more, all loads under way count as overtaken: one more load each, never an old value.
const ENTITIES_MAX: usize = 1_024;

/// A point in the order of invalidations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Mark(u64);

/// The last invalidation of each entity.
#[derive(Debug, Default)]
pub(super) struct Generations {
    now: Mark,
    last: HashMap<(Kind, String), Mark>,
    /// Marks before this one are never current.
    floor: Mark,
}

impl Generations {
    /// Where we are now; to be taken before a load begins.
    pub(super) fn mark(&self) -> Mark {
        self.now
    }

    /// The entity of this key has changed.
    pub(super) fn bump(&mut self, key: &Key) {
        if self.last.len() >= ENTITIES_MAX {
            return self.bump_all();
        }
        self.now.0 += 1;
        self.last.insert((key.kind, key.entity.clone()), self.now);
    }

    /// Everything has changed.
    pub(super) fn bump_all(&mut self) {
        self.now.0 += 1;
        self.floor = self.now;
        self.last.clear();
    }

    /// True if the entity of this key did not change since.
    pub(super) fn is_current(&self, key: &Key, mark: Mark) -> bool {
        let last = self.last.get(&(key.kind, key.entity.clone()));
        mark >= self.floor && last.is_none_or(|last| *last <= mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_ends_with_an_invalidation_of_its_own_entity() {
        let mut generations = Generations::default();
        let (mine, other) = (Key::ticket("1"), Key::ticket("2"));
        let mark = generations.mark();
        generations.bump(&other);
        assert!(generations.is_current(&mine, mark));
        assert!(!generations.is_current(&other, mark));
        generations.bump(&mine);
        assert!(!generations.is_current(&mine, mark));
        assert!(generations.is_current(&mine, generations.mark()));
    }

    #[test]
    fn forgetting_entities_overtakes_loads_rather_than_trusting_them() {
        let mut generations = Generations::default();
        let mine = Key::ticket("mine");
        let begun = generations.mark();
        generations.bump(&mine);
        for number in 0..ENTITIES_MAX * 3 {
            generations.bump(&Key::ticket(number.to_string()));
            assert!(!generations.is_current(&mine, begun));
            assert!(generations.last.len() <= ENTITIES_MAX);
        }
        assert!(generations.is_current(&mine, generations.mark()));
    }
}
