//! What keeps SQLite right in a process that forks while a database is open.
//!
//! Holds: handlers around a fork, and the two system calls by which SQLite tells files apart.
//! Promises: a child can open the database that its parent has open, and has locks of its own; it does not hang on a lock
//! that a thread of its parent had.
//! Leaves to others: that a child neither uses nor closes what was opened before the fork ([`crate::Host`], `psa-ffi`).
//!
//! SQLite keeps one entry per file and process, with the locks that the process has. A child inherits the entries but not
//! the locks: it would take its parent's for its own, hold none, and lose what it writes when the parent closes and takes
//! the WAL away. So files lie on other devices in a child, and no inherited entry is ever found.
#![allow(unsafe_code)]

use crate::fork::{generation, no_handler};
use crate::store::StoreError;
use rusqlite::ffi;
use std::ffi::{c_char, c_int};
use std::sync::atomic::{AtomicBool, Ordering};

/// Ours alone: taken while SQLite initialises itself, under a lock that cannot be had from outside.
const GATE: c_int = ffi::SQLITE_MUTEX_STATIC_VFS3;

/// Locks that all connections share, each before those that SQLite takes while it holds it: a shared cache is opened
/// (OPEN) through files (VFS1), a temporary file's name is drawn (PRNG) under VFS1, the generator's seed asks which file
/// systems there are (MAIN), and all of them ask for memory (MEM).
const SHARED: [c_int; 8] = [
    GATE,
    ffi::SQLITE_MUTEX_STATIC_OPEN,
    ffi::SQLITE_MUTEX_STATIC_VFS1,
    ffi::SQLITE_MUTEX_STATIC_LRU,
    ffi::SQLITE_MUTEX_STATIC_PMEM,
    ffi::SQLITE_MUTEX_STATIC_PRNG,
    ffi::SQLITE_MUTEX_STATIC_MAIN,
    ffi::SQLITE_MUTEX_STATIC_MEM,
];

/// Prepares for forks to come; again does nothing.
pub(super) fn prepare() -> Result<(), StoreError> {
    static HANDLED: AtomicBool = AtomicBool::new(false);
    static READY: AtomicBool = AtomicBool::new(false);
    crate::fork::prepare().map_err(|error| StoreError::Other(error.message))?;
    if !HANDLED.swap(true, Ordering::Relaxed) {
        // SAFETY: the handlers take and leave SQLite's shared locks, which are there for ever, in SQLite's own order.
        let failed = unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
        if failed != 0 {
            HANDLED.store(false, Ordering::Relaxed);
            return Err(StoreError::Other(no_handler(failed).message));
        }
    }
    // SAFETY: shared locks can be had before SQLite is initialised; entered and left once, by this thread.
    unsafe {
        ffi::sqlite3_mutex_enter(ffi::sqlite3_mutex_alloc(GATE));
        if !READY.load(Ordering::Relaxed) && ffi::sqlite3_initialize() == ffi::SQLITE_OK {
            number_devices_by_process();
            READY.store(true, Ordering::Relaxed);
        }
        ffi::sqlite3_mutex_leave(ffi::sqlite3_mutex_alloc(GATE));
    }
    if READY.load(Ordering::Relaxed) {
        return Ok(());
    }
    Err(StoreError::Other(
        "SQLite could not be initialised. Open the host again when the process has memory".to_owned(),
    ))
}

/// Waits until no other thread is inside SQLite's shared parts, so that a child finds them whole and free.
unsafe extern "C" fn before() {
    for id in SHARED {
        // SAFETY: shared locks are there for ever, and a thread that forks has none of them: SQLite calls nothing of a
        // product's while it has one.
        unsafe { ffi::sqlite3_mutex_enter(ffi::sqlite3_mutex_alloc(id)) };
    }
}

unsafe extern "C" fn after() {
    for id in SHARED.into_iter().rev() {
        // SAFETY: as above; this thread, or in a child the one it is a copy of, has taken them in `before`.
        unsafe { ffi::sqlite3_mutex_leave(ffi::sqlite3_mutex_alloc(id)) };
    }
}

/// Has SQLite ask the functions below when it looks at a file. In a process that no fork has made they change nothing, so
/// files that somebody else has open already stay what they were.
///
/// # Safety
/// SQLite is initialised.
unsafe fn number_devices_by_process() {
    type Plain = unsafe extern "C" fn();
    // SAFETY: SQLite's own file system is there for ever; it calls each function with the arguments of the system call whose
    // name it was set for.
    unsafe {
        let files = ffi::sqlite3_vfs_find(c"unix".as_ptr());
        let Some(set) = files.as_ref().and_then(|files| files.xSetSystemCall) else { return };
        let fstat = std::mem::transmute::<unsafe extern "C" fn(c_int, *mut libc::stat) -> c_int, Plain>(fstat);
        let stat = std::mem::transmute::<unsafe extern "C" fn(*const c_char, *mut libc::stat) -> c_int, Plain>(stat);
        set(files, c"fstat".as_ptr(), Some(fstat));
        set(files, c"stat".as_ptr(), Some(stat));
    }
}

unsafe extern "C" fn fstat(descriptor: c_int, facts: *mut libc::stat) -> c_int {
    // SAFETY: SQLite's arguments, handed on.
    let outcome = unsafe { libc::fstat(descriptor, facts) };
    // SAFETY: as above.
    unsafe { renumber(outcome, facts) }
}

unsafe extern "C" fn stat(path: *const c_char, facts: *mut libc::stat) -> c_int {
    // SAFETY: SQLite's arguments, handed on.
    let outcome = unsafe { libc::stat(path, facts) };
    // SAFETY: as above.
    unsafe { renumber(outcome, facts) }
}

/// # Safety
/// If `outcome` is 0, `facts` was just filled.
unsafe fn renumber(outcome: c_int, facts: *mut libc::stat) -> c_int {
    if outcome == 0 {
        // Linux numbers devices with 32 bits: with the upper ones no number is another file's, in whatever process.
        // SAFETY: the caller's promise.
        unsafe { (*facts).st_dev ^= generation() << 32 };
    }
    outcome
}
