//! The threads on which plugins' code runs.
//!
//! Holds: [`Pool`], a few threads that share one queue, and single threads for operations that may block.
//! Promises: plugin code runs on no thread of the product and on none that does I/O; a plugin that holds a thread for
//! long gets it replaced, so others wait a moment and not for ever; all threads block all signals.
//! Leaves to others: the order of one call's functions (`calls`), giving up on a call (`instance`).

use super::threads::Thread;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::runtime::Handle;

/// More threads than this are never started, whatever plugins do.
const THREADS_MAX: usize = 64;

/// How long the queue may stand still before a further thread is started. Machine time, not the host's clock: it is
/// about threads of this machine.
const STANDSTILL: Duration = Duration::from_millis(20);

/// How often a thread looks for a further job before it sleeps: some microseconds.
const LOOKS: u32 = 500;

/// How long closing waits for threads that are about to end.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Something to run.
pub(super) trait Job: Send + Sync {
    /// Runs it. Called on a thread of the pool.
    fn run(self: Arc<Self>);
}

/// The threads.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// How many jobs wait; for looking without the lock.
    queued: AtomicUsize,
    wake: Condvar,
    /// Told when a thread is about to end.
    ended: Condvar,
    /// How many threads there should be while none is lost.
    base: usize,
    io: Handle,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<dyn Job>>,
    threads: usize,
    idle: usize,
    /// Threads that are about to be idle and still look for a job.
    looking: usize,
    /// Threads held by a call that was given up.
    lost: usize,
    blocking: usize,
    /// Jobs ever taken from the queue: tells whether it stands still.
    taken: u64,
    watched: bool,
    closed: bool,
    /// For waiting at the end; those that have ended are cleared out now and then.
    handles: Vec<Thread>,
}

impl Pool {
    /// Up to `base` threads, started when needed; `io` runs the watch over the queue.
    pub(super) fn new(base: usize, io: Handle) -> Pool {
        let (state, queued) = (Mutex::default(), AtomicUsize::new(0));
        let (wake, ended, base) = (Condvar::new(), Condvar::new(), base.clamp(1, THREADS_MAX / 2));
        Pool { shared: Arc::new(Shared { state, queued, wake, ended, base, io }) }
    }

    /// Runs `job` soon.
    pub(super) fn submit(&self, job: Arc<dyn Job>) {
        let mut state = self.shared.lock();
        state.queue.push_back(job);
        self.shared.queued.store(state.queue.len(), Ordering::Release);
        let jobs = state.queue.len();
        if jobs <= state.looking {
            // A thread that has just finished something sees it by itself.
        } else if jobs <= state.looking + state.idle {
            drop(state);
            self.shared.wake.notify_one();
        } else {
            if state.threads < self.shared.base + state.lost {
                self.shared.start(&mut state);
            }
            // Also when a thread was started: the system may have refused it.
            if !state.watched {
                state.watched = true;
                self.shared.io.spawn(watch(Arc::downgrade(&self.shared)));
            }
        }
    }

    /// Runs `job` on a thread of its own. False: there are too many already.
    pub(super) fn submit_blocking(&self, job: Arc<dyn Job>) -> bool {
        let mut state = self.shared.lock();
        if state.blocking == THREADS_MAX {
            return false;
        }
        let shared = self.shared.clone();
        let thread = Thread::spawn("psa-block", move || {
            run(job);
            let mut state = shared.lock();
            state.blocking -= 1;
            shared.ended.notify_all();
        });
        let started = thread.is_some();
        state.blocking += usize::from(started);
        state.handles.retain(|thread| !thread.is_ending());
        state.handles.extend(thread);
        started
    }

    /// A thread of the pool will not come back soon: another one takes its place.
    pub(super) fn lose(&self) {
        let mut state = self.shared.lock();
        state.lost += 1;
        if !state.queue.is_empty() {
            self.shared.start(&mut state);
        }
    }

    /// Lets the threads end and waits for them, except for those that a plugin holds. Not from a thread of the pool.
    pub(super) fn close(&self) {
        let shared = &self.shared;
        let mut state = shared.lock();
        state.closed = true;
        shared.wake.notify_all();
        let held = |state: &mut State| state.threads + state.blocking > state.lost;
        (state, _) = shared.ended.wait_timeout_while(state, LAST_WAIT, held).unwrap_or_else(PoisonError::into_inner);
        let all_end = state.threads + state.blocking == 0;
        let handles = std::mem::take(&mut state.handles);
        drop(state);
        let join = if all_end { Thread::join } else { Thread::join_if_ending };
        handles.into_iter().for_each(join);
    }

    /// It came back after all.
    pub(super) fn regain(&self) {
        self.shared.lock().lost -= 1;
    }
}

impl Drop for Pool {
    /// For a host that was never closed properly; may run on a thread of the pool, which cannot wait for itself.
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts one more thread, if it may.
    fn start(self: &Arc<Self>, state: &mut State) {
        if state.threads >= THREADS_MAX {
            return;
        }
        let shared = self.clone();
        let thread = Thread::spawn("psa-work", move || shared.work());
        state.threads += usize::from(thread.is_some());
        state.handles.retain(|thread| !thread.is_ending());
        state.handles.extend(thread);
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            run(job);
        }
    }

    /// The next job, or `None` when this thread should end.
    fn next(&self) -> Option<Arc<dyn Job>> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                self.queued.store(state.queue.len(), Ordering::Release);
                state.taken += 1;
                return Some(job);
            }
            if state.closed || state.threads > self.base + state.lost {
                state.threads -= 1;
                self.ended.notify_all();
                return None;
            }
            state.looking += 1;
            drop(state);
            let found = self.look_around();
            state = self.lock();
            state.looking -= 1;
            // Looked at again under the lock: the pool may have been closed meanwhile.
            if found || state.closed || !state.queue.is_empty() {
                continue;
            }
            state.idle += 1;
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Stays awake for some microseconds: calls often come one after the other, and waking a thread takes longer than
    /// the call itself.
    fn look_around(&self) -> bool {
        (0..LOOKS).any(|_| {
            std::hint::spin_loop();
            self.queued.load(Ordering::Acquire) > 0
        })
    }
}

/// A panic of ours must not cost a thread; the call it belonged to ends by its deadline.
fn run(job: Arc<dyn Job>) {
    let _ = catch_unwind(AssertUnwindSafe(|| job.run()));
}

/// Starts threads while jobs wait and none is taken: then every thread is held by a plugin.
async fn watch(shared: Weak<Shared>) {
    let mut taken_before = None;
    loop {
        tokio::time::sleep(STANDSTILL).await;
        let Some(shared) = shared.upgrade() else { return };
        let mut state = shared.lock();
        if state.queue.is_empty() {
            state.watched = false;
            return;
        }
        if taken_before.replace(state.taken) == Some(state.taken) {
            shared.start(&mut state);
        }
    }
}
