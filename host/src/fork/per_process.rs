//! Statics that each process makes for itself.
//!
//! Holds: [`PerProcess`].
//! Promises: a value was made in the process that gets it, so no thread of a parent has its locks; nobody waits for another
//! one to make it.
//! Leaves to others: what is in it.

use super::generation;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A static value that is made when a process first asks, and made again by its child: what a child inherits may be
/// locked, or half changed, by a thread that it has not.
pub(crate) struct PerProcess<T> {
    made: AtomicPtr<Made<T>>,
}

struct Made<T> {
    generation: u64,
    value: T,
    /// What the parent had. It stays as it is, as a child cannot know whether it may be dropped, and can still be reached,
    /// so that nobody who looks for leaks finds it.
    _inherited: *mut Made<T>,
}

impl<T: Send + Sync> PerProcess<T> {
    pub(crate) const fn new() -> PerProcess<T> {
        PerProcess { made: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// This process's value. Threads that ask first at the same time may all make one; they get the same.
    pub(crate) fn get(&'static self, make: impl FnOnce() -> T) -> &'static T {
        let generation = generation();
        let found = self.made.load(Ordering::Acquire);
        // SAFETY: null, or from Box::into_raw below and never freed since.
        if let Some(made) = unsafe { found.as_ref() }.filter(|made| made.generation == generation) {
            return &made.value;
        }
        let mine = Box::into_raw(Box::new(Made { generation, value: make(), _inherited: found }));
        match self.made.compare_exchange(found, mine, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: just made, and from now on never freed.
            Ok(_) => unsafe { &(*mine).value },
            Err(theirs) => {
                // SAFETY: just made, and nobody else has seen it.
                drop(unsafe { Box::from_raw(mine) });
                // SAFETY: another thread of this process has put it there since, as above.
                unsafe { &(*theirs).value }
            }
        }
    }
}
