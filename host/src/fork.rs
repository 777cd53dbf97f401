//! What a process inherits from the one that forked it, and must not use.
//!
//! Holds: how many forks lie behind this process; [`PerProcess`], for statics that each process makes for itself; [`Locked`],
//! for files whose lock says who lives.
//! Promises: no lock of a thread or a process that this one is not is waited for here, or held here.
//! Leaves to others: SQLite's own locks (`store::sqlite::fork`); who refuses a host of the parent ([`crate::Host`], `psa-ffi`).
#![allow(unsafe_code)]

mod locked;
mod per_process;

pub(crate) use locked::Locked;
pub(crate) use per_process::PerProcess;

use psa_host_api::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// How many forks lie between the process that first counted them and this one.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// A process. In a container of its own a child may have its parent's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    number: u32,
    generation: u64,
}

impl Process {
    pub(crate) fn this() -> Process {
        Process { number: std::process::id(), generation: generation() }
    }
}

/// Prepares for forks to come; again does nothing.
pub(crate) fn prepare() -> Result<(), Error> {
    static PREPARED: AtomicBool = AtomicBool::new(false);
    // Not a Once: a child that is forked while one runs would wait for it for ever.
    if PREPARED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    // SAFETY: the handler changes atomics and closes descriptors, which a child may do whatever its parent's threads were at.
    let failed = unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    if failed == 0 {
        return Ok(());
    }
    PREPARED.store(false, Ordering::Relaxed);
    Err(no_handler(failed))
}

/// Why a handler around forks could not be set.
pub(crate) fn no_handler(errno: i32) -> Error {
    let why = std::io::Error::from_raw_os_error(errno);
    Error::internal(format!("pthread_atfork: {why}. Open the host again when the process has memory"))
}

unsafe extern "C" fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    locked::close_inherited();
}

#[cfg(test)]
mod tests {
    use super::{Locked, PerProcess, prepare};
    use crate::clock::{Random as _, SystemRandom};
    use std::fs::File;
    use std::io::{Read as _, Write as _};
    use std::sync::{Mutex, mpsc};
    use std::time::{Duration, Instant};

    /// Whether `work` ends in a child of this process within ten seconds.
    fn ends_in_a_child(work: impl FnOnce()) -> bool {
        // SAFETY: the child does `work` and ends; nothing in it waits for a thread of this process.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            work();
            // SAFETY: ends the child without running what its parent wants to run at its end.
            unsafe { libc::_exit(0) };
        }
        let begun = Instant::now();
        let mut status = 0;
        // SAFETY: a child of ours that was not waited for yet.
        while unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == 0 {
            if begun.elapsed() > Duration::from_secs(10) {
                // SAFETY: as above.
                unsafe { libc::kill(child, libc::SIGKILL) };
            }
            std::thread::yield_now();
        }
        status == 0
    }

    #[test]
    fn a_child_makes_its_own_though_a_thread_of_its_parent_has_the_lock() {
        static SHARED: PerProcess<Mutex<u32>> = PerProcess::new();
        prepare().unwrap();
        let (end, ended) = mpsc::channel::<()>();
        let (taken, is_taken) = mpsc::channel();
        let holder = std::thread::spawn(move || {
            let mut held = SHARED.get(Mutex::default).lock().unwrap();
            *held = 7;
            taken.send(()).unwrap();
            let _ = ended.recv();
        });
        is_taken.recv().unwrap();
        assert!(ends_in_a_child(|| assert_eq!(*SHARED.get(Mutex::default).lock().unwrap(), 0)));
        drop(end);
        holder.join().unwrap();
        assert_eq!(*SHARED.get(Mutex::default).lock().unwrap(), 7);
    }

    #[test]
    fn a_lock_on_a_file_ends_with_its_process_though_a_child_of_it_lives() {
        prepare().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = || File::create(folder.path().join("lock")).unwrap();
        let (mut read, mut write) = std::io::pipe().unwrap();
        let holder = || {
            let held = Locked::take(file()).unwrap();
            // SAFETY: the child waits for its end, and does nothing else.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: as above; its alarm ends it if nobody else does.
                unsafe {
                    libc::alarm(60);
                    libc::pause();
                    libc::_exit(1)
                }
            }
            write.write_all(&child.to_ne_bytes()).unwrap();
            std::mem::forget(held);
        };
        assert!(ends_in_a_child(holder));
        let mut child = [0; 4];
        read.read_exact(&mut child).unwrap();
        // The child may not have come to its first instruction when its parent ended.
        let begun = Instant::now();
        let mut free = file().try_lock();
        while free.is_err() && begun.elapsed() < Duration::from_secs(10) {
            std::thread::yield_now();
            free = file().try_lock();
        }
        // SAFETY: the child of the holder, which waits for this.
        unsafe { libc::kill(i32::from_ne_bytes(child), libc::SIGKILL) };
        free.unwrap();
    }

    #[test]
    fn children_of_one_parent_draw_different_bytes() {
        let (mut read, mut write) = std::io::pipe().unwrap();
        SystemRandom.fill(&mut [0; 8]);
        let mut drawn = [[0; 8]; 2];
        for bytes in &mut drawn {
            assert!(ends_in_a_child(|| {
                let mut own = [0; 8];
                SystemRandom.fill(&mut own);
                write.write_all(&own).unwrap();
            }));
            read.read_exact(bytes).unwrap();
        }
        assert_ne!(drawn[0], drawn[1]);
    }
}
