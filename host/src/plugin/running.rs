//! Which plugin's code is running right now, in a file that outlives the process.
//!
//! Holds: [`Running`], the record of this host, and [`Crash`], what an earlier one left behind.
//! Promises: code of a plugin runs only while the file names plugin and operation, so that after a crash, also by
//! kill -9, the next open can say who was at work; costs two stores into mapped memory and no system call.
//! Leaves to others: telling people (`registry`, the log).
//!
//! That a plugin was at work when the process died does not prove its guilt. It is where to look first.

use crate::fork::Locked;
use memmap2::MmapMut;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

/// As many functions of plugins as can be noted at the same time: more than there can be threads.
const SLOTS: usize = 160;
const SLOT_BYTES: usize = 192;
const EXTENSION: &str = "running";

/// What was running when a process ended without closing its host.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Crash {
    /// The plugin's id.
    pub plugin: String,
    /// What of it: an operation's name, "open" or "close".
    pub operation: String,
}

/// The record of one opened host.
pub(crate) struct Running {
    path: PathBuf,
    /// Keeps the lock that says "this process lives".
    _file: Locked,
    map: MmapMut,
    free: Mutex<Vec<usize>>,
}

impl Running {
    /// Begins a record in `folder` and reads what dead processes left there; their files are removed.
    pub(crate) fn begin(folder: &Path, name: &str) -> std::io::Result<(Running, Vec<Crash>)> {
        std::fs::create_dir_all(folder)?;
        let crashes = collect(folder)?;
        let path = folder.join(format!("{name}.{EXTENSION}"));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        let mut file = Locked::take(file)?;
        // Written, not only sized: a full disk must fail here, not as SIGBUS at the first store.
        file.write_all(&[0; SLOTS * SLOT_BYTES])?;
        // SAFETY: the file was made by us just now under a name of our own in our private folder; nobody else
        // shortens it while it is mapped.
        let map = unsafe { MmapMut::map_mut(&*file) }?;
        Ok((Running { path, _file: file, map, free: Mutex::new((0..SLOTS).collect()) }, crashes))
    }

    /// Notes that code of `plugin` runs from now on.
    pub(super) fn enter(&self, plugin: &str, operation: &str) -> Entered<'_> {
        let slot = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(slot) = slot {
            self.write(slot, &[plugin, "\n", operation]);
        }
        Entered { running: self, slot }
    }

    fn write(&self, slot: usize, parts: &[&str]) {
        let cells = self.cells(slot);
        let bytes = parts.iter().flat_map(|part| part.bytes()).take(SLOT_BYTES - 1);
        let mut length = 0;
        for (cell, byte) in cells[1..].iter().zip(bytes) {
            cell.store(byte, Ordering::Relaxed);
            length += 1;
        }
        cells[0].store(length, Ordering::Release);
    }

    fn cells(&self, slot: usize) -> &[AtomicU8] {
        let bytes = &self.map[slot * SLOT_BYTES..(slot + 1) * SLOT_BYTES];
        // SAFETY: AtomicU8 has the size and alignment of u8; the memory is a writable mapping that lives as long as
        // self, and all access to it goes through these atomics.
        unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast::<AtomicU8>(), bytes.len()) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Who closes the host while a plugin hangs has not crashed.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// From its making until [`Entered::leave`] the record says that a plugin's code runs. Not a Drop: an exception on its
/// way out of the plugin would run that before it ends the process, and wipe out the trace.
pub(super) struct Entered<'a> {
    running: &'a Running,
    slot: Option<usize>,
}

impl Entered<'_> {
    /// The plugin's code has returned.
    pub(super) fn leave(self) {
        if let Some(slot) = self.slot {
            self.running.cells(slot)[0].store(0, Ordering::Release);
            self.running.free.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
        }
    }
}

/// Reads and removes the records of processes that live no more.
fn collect(folder: &Path) -> std::io::Result<Vec<Crash>> {
    let mut crashes = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != EXTENSION) {
            continue;
        }
        // The lock is free as soon as its process is gone, however it went.
        let Ok(mut file) = File::open(&path) else { continue };
        if file.try_lock().is_err() {
            continue;
        }
        let mut bytes = Vec::new();
        file.rewind()?;
        Read::by_ref(&mut file).take((SLOTS * SLOT_BYTES) as u64).read_to_end(&mut bytes)?;
        crashes.extend(bytes.chunks_exact(SLOT_BYTES).filter_map(read_slot));
        let _ = std::fs::remove_file(&path);
    }
    Ok(crashes)
}

fn read_slot(slot: &[u8]) -> Option<Crash> {
    let text = slot.get(1..1 + usize::from(slot[0]))?;
    let (plugin, operation) = std::str::from_utf8(text).ok()?.split_once('\n')?;
    Some(Crash { plugin: plugin.to_owned(), operation: operation.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_when_a_process_died_is_found_by_the_next_and_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let (first, crashes) = Running::begin(folder.path(), "a").unwrap();
        assert_eq!(crashes, []);
        first.enter("acme", "open").leave();
        let _at_work = first.enter("acme", "add_note");
        // A second host beside a living one leaves its record alone.
        let (second, crashes) = Running::begin(folder.path(), "b").unwrap();
        assert_eq!(crashes, []);
        drop(second);
        // A dead process leaves the file as it was, without its lock.
        std::fs::copy(folder.path().join("a.running"), folder.path().join("dead.running")).unwrap();
        let (third, crashes) = Running::begin(folder.path(), "c").unwrap();
        assert_eq!(crashes, [Crash { plugin: "acme".into(), operation: "add_note".into() }]);
        drop(third);
        assert_eq!(Running::begin(folder.path(), "d").unwrap().1, []);
    }
}
