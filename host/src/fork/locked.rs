//! Files whose lock says that somebody lives, or is at work.
//!
//! Holds: [`Locked`].
//! Promises: the lock ends when it is dropped, and with its process, though children of that process live on.
//! Leaves to others: what is in the file.
//!
//! Such a lock belongs to what `open` made, and a child inherits that: it would hold the lock of a parent that has died, and
//! wait for itself if it asked for the same lock.

use super::generation;
use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicI32, Ordering};

/// Locks at a time whose files are closed in a child; a host that is open has two.
const FILES_MAX: usize = 512;
const NONE: i32 = -1;

static FILES: [AtomicI32; FILES_MAX] = [const { AtomicI32::new(NONE) }; FILES_MAX];

/// A locked file.
#[derive(Debug)]
pub(crate) struct Locked {
    file: ManuallyDrop<File>,
    place: Option<&'static AtomicI32>,
    generation: u64,
}

impl Locked {
    /// Waits for the lock on a file.
    pub(crate) fn take(file: File) -> io::Result<Locked> {
        let descriptor = file.as_raw_fd();
        let taken =
            |place: &&AtomicI32| place.compare_exchange(NONE, descriptor, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        // Before it is locked: what a child inherits unlocked does not matter.
        let place = FILES.iter().find(taken);
        let locked = Locked { file: ManuallyDrop::new(file), place, generation: generation() };
        locked.file.lock()?;
        Ok(locked)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // A child's is closed already, and its number may be another file's.
        if self.generation != generation() {
            return;
        }
        // Not by closing alone: a child that was forked before this file had its place has it too.
        let _ = self.file.unlock();
        if let Some(place) = self.place {
            place.store(NONE, Ordering::Relaxed);
        }
        // SAFETY: dropped here only, and not used any more.
        unsafe { ManuallyDrop::drop(&mut self.file) };
    }
}

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.file
    }
}

/// In a child: gives away what it has of its parent's locks, which does not end them.
pub(super) fn close_inherited() {
    for place in &FILES {
        let descriptor = place.swap(NONE, Ordering::Relaxed);
        if descriptor != NONE {
            // SAFETY: inherited just now, and what owns it is never dropped here.
            unsafe { libc::close(descriptor) };
        }
    }
}
