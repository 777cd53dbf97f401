//! One call: its number, its strand, its open waits, its end.
//!
//! Holds: [`Call`] and the numbers of calls.
//! Promises: functions of one call never run at once; an accepted callback runs exactly once, never inside the service
//! that took it, and at once when the call ends; only the first end counts; a call that was given up runs no more code.
//! Leaves to others: who may run when (`instance`), what an end means (`outcome`), what services do (`services`).

use super::instance::{CallContext, Inner, Terms};
use super::outcome::{self, Wire};
use super::pool::Job;
use super::table::{OPENING, Operation};
use super::wire::Response;
use crate::egress::Answer;
use crate::streams::Streams;
use psa_host_api::abi::*;
use psa_host_api::{Code, Error};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::task::AbortHandle;

/// What a call's owner gets, once.
pub(super) type Done = Box<dyn FnOnce(Result<Vec<u8>, Error>) + Send>;

/// What one call may keep in memory that is handed out by `get` and `keys`, in bytes.
const ARENA_BYTES_MAX: usize = 16 << 20;

/// Functions run in one go before other calls get their turn.
const STEPS_IN_A_ROW: usize = 32;

/// Process-wide, so that a number is never used twice, whichever host gave it out.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

pub(super) fn next_number() -> psa_call {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// A callback of the plugin.
pub(super) struct Then(pub(super) psa_then);

// SAFETY: the contract lets the host run a callback on any of its threads; `data` is only handed back to the plugin.
unsafe impl Send for Then {}

enum Step {
    /// Of the call that opens the instance: its settings.
    Open(Vec<u8>),
    /// Of all others: the request.
    Start(Vec<u8>),
    Then(Then, psa_code, Option<Answer>),
}

/// Something asked of a service and not yet answered.
struct Wait {
    then: Then,
    task: AbortHandle,
}

/// One run of an operation.
pub(super) struct Call {
    pub(super) number: psa_call,
    pub(super) instance: Arc<Inner>,
    pub(super) operation: Operation,
    /// By [`Clock::boot_ms`](crate::clock::Clock::boot_ms).
    pub(super) deadline: Option<u64>,
    pub(super) trace_id: Option<String>,
    pub(super) terms: Terms,
    pub(super) streams: Streams,
    state: Mutex<State>,
    me: Weak<Call>,
}

#[derive(Default)]
pub(super) struct State {
    steps: VecDeque<Step>,
    /// On a thread of the pool, or queued for one.
    running: bool,
    /// A function of the plugin runs right now.
    executing: bool,
    started: bool,
    must_end: Option<Code>,
    /// A function of it has run since it was told to end: it had its chance.
    had_its_chance: bool,
    ended: bool,
    abandoned: bool,
    released: bool,
    done: Option<Done>,
    waits: HashMap<u64, Wait>,
    next_wait: u64,
    arena: Vec<Box<[u8]>>,
    arena_bytes: usize,
    pub(super) wire: Wire,
    /// What http_wait handed out last.
    pub(super) last_response: Option<Box<Response>>,
}

/// What is left to do after the lock is gone.
#[derive(PartialEq, Eq)]
enum Next {
    Nothing,
    Run,
    Release,
}

impl State {
    /// Decides who moves the strand on; marks it as taken care of.
    fn next(&mut self) -> Next {
        if self.running || self.abandoned {
            return Next::Nothing;
        }
        if !self.steps.is_empty() {
            self.running = true;
            return Next::Run;
        }
        if self.ended && !self.released {
            self.released = true;
            return Next::Release;
        }
        Next::Nothing
    }

    fn drain_waits(&mut self, code: Code) {
        for (_, wait) in self.waits.drain() {
            wait.task.abort();
            self.steps.push_back(Step::Then(wait.then, code as psa_code, None));
        }
    }

    /// Keeps bytes until the call ends and lends them out. `None`: over the limit.
    pub(super) fn keep(&mut self, bytes: Vec<u8>) -> Option<psa_bytes> {
        self.arena_bytes = self.arena_bytes.saturating_add(bytes.len());
        if self.arena_bytes > ARENA_BYTES_MAX {
            return None;
        }
        let kept = bytes.into_boxed_slice();
        let lent = psa_bytes::of(&kept);
        self.arena.push(kept);
        Some(lent)
    }
}

impl Call {
    pub(super) fn new(instance: Arc<Inner>, operation: Operation, context: &CallContext, done: Done) -> Arc<Call> {
        let state = Mutex::new(State { done: Some(done), ..State::default() });
        Arc::new_cyclic(|me| Call {
            number: next_number(),
            instance,
            operation,
            deadline: context.deadline,
            trace_id: context.trace_id.clone(),
            terms: context.terms.clone(),
            streams: context.streams.clone(),
            state,
            me: me.clone(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its turn has come.
    pub(super) fn start(&self, request: Vec<u8>) {
        let mut state = self.lock();
        if !state.ended {
            let first = if self.operation.has(OPENING) { Step::Open } else { Step::Start };
            state.steps.push_back(first(request));
        }
        self.go_on(state);
    }

    /// Why it must end, or `None` while it may go on.
    pub(super) fn must_end(&self) -> Option<Code> {
        self.lock().must_end
    }

    /// Queues a callback.
    pub(super) fn post(&self, then: Then) -> Result<(), Code> {
        let mut state = self.lock();
        if state.ended {
            return Err(Code::Cancelled);
        }
        state.steps.push_back(Step::Then(then, PSA_OK, None));
        self.go_on(state);
        Ok(())
    }

    /// Runs `work` beside the strand and then the callback with what it gives.
    pub(super) fn wait_for(
        &self,
        then: Then,
        work: impl Future<Output = (Code, Option<Answer>)> + Send + 'static,
    ) -> Result<(), Code> {
        let mut state = self.lock();
        if let Some(code) = state.must_end {
            return Err(code);
        }
        if state.ended {
            return Err(Code::Cancelled);
        }
        let id = state.next_wait;
        state.next_wait += 1;
        let me = self.me.clone();
        // The lock is held, so the task cannot finish before its wait is listed.
        let task = self.instance.runtime.io.spawn(async move {
            let (code, answer) = work.await;
            if let Some(call) = me.upgrade() {
                call.finish_wait(id, code, answer);
            }
        });
        state.waits.insert(id, Wait { then, task: task.abort_handle() });
        Ok(())
    }

    fn finish_wait(&self, id: u64, code: Code, answer: Option<Answer>) {
        let mut state = self.lock();
        // Not there: the call's end has run the callback already.
        if let Some(wait) = state.waits.remove(&id) {
            state.steps.push_back(Step::Then(wait.then, code as psa_code, answer));
        }
        self.go_on(state);
    }

    /// The plugin's word that it is done.
    pub(super) fn complete(&self, code: psa_code, body: &[u8]) {
        let state = self.lock();
        if !state.ended {
            self.finish(state, code, body);
        }
    }

    fn finish(&self, mut state: MutexGuard<'_, State>, code: psa_code, body: &[u8]) {
        state.ended = true;
        state.drain_waits(Code::Cancelled);
        let wire = Wire { told: state.must_end, ..std::mem::take(&mut state.wire) };
        let done = state.done.take();
        self.instance.forget(self.number);
        self.go_on(state);
        if let Some(done) = done {
            done(outcome::judge(&self.instance.plugin.manifest.id, &self.operation, &wire, code, body));
        }
    }

    /// Asks it to end: its open waits run at once with the reason. A call whose turn has not come ends here.
    pub(super) fn end(&self, reason: Code) {
        let mut state = self.lock();
        if state.ended || state.must_end.is_some() {
            return;
        }
        state.must_end = Some(reason);
        // A function that waits for bytes of the product gets its end at once.
        self.streams.stop();
        if state.started {
            state.drain_waits(reason);
            self.go_on(state);
            return;
        }
        // Under the same lock, so that its turn cannot come in between.
        state.steps.clear();
        let words = match reason {
            Code::Closed => outcome::ended(reason),
            _ => "it had not begun yet: others of this connection were before it".to_owned(),
        };
        self.finish(state, reason as psa_code, words.as_bytes());
    }

    /// Gives it up: it answers to nobody any more. True: by the plugin's fault, so its instance cannot be trusted.
    pub(super) fn abandon(&self) -> bool {
        let mut state = self.lock();
        if state.ended {
            return false;
        }
        state.ended = true;
        state.abandoned = true;
        // With functions queued that got no thread since, it is the machine that is late.
        let guilty = state.executing || state.had_its_chance || state.steps.is_empty();
        // What the plugin handed in is its own: it may be in use right now, so it leaks.
        state.steps.clear();
        for (_, wait) in state.waits.drain() {
            wait.task.abort();
        }
        if state.running {
            self.instance.runtime.pool.lose();
        }
        let wire = std::mem::take(&mut state.wire);
        let code = state.must_end.unwrap_or(Code::Timeout);
        let done = state.done.take();
        self.instance.forget(self.number);
        drop(state);
        if let Some(done) = done {
            let doing =
                b"it did not end when it was told to and was given up; its connection is stopped until the host is \
                opened again";
            let plugin = &self.instance.plugin.manifest.id;
            let outcome = outcome::judge(plugin, &self.operation, &wire, code as psa_code, doing);
            done(outcome.map_err(|error| error.because("plugin_stalled")));
        }
        guilty
    }

    fn go_on(&self, mut state: MutexGuard<'_, State>) {
        let next = state.next();
        drop(state);
        match next {
            Next::Nothing => {}
            Next::Run => self.schedule(),
            Next::Release => self.instance.release(self.number),
        }
    }

    fn schedule(&self) {
        let Some(me) = self.me.upgrade() else { return };
        let pool = &self.instance.runtime.pool;
        if self.operation.has(PSA_OP_BLOCKING) && pool.submit_blocking(me.clone()) {
            return;
        }
        let mut state = self.lock();
        if self.operation.has(PSA_OP_BLOCKING) && !state.started && !state.ended {
            // No thread to begin on. Once it has begun, the few callbacks of such an operation are quick.
            state.steps.clear();
            state.running = false;
            drop(state);
            // Not from here: its end may begin the next one, which may find no thread either, and so on.
            self.instance.runtime.io.spawn(async move {
                me.complete(PSA_UNAVAILABLE, b"too many blocking operations are running; try again later");
            });
            return;
        }
        drop(state);
        pool.submit(me);
    }

    fn step(&self, step: Step) {
        let handle = self.instance.handle();
        match step {
            Step::Open(settings) => self.instance.run_open(self, &settings),
            Step::Start(request) => {
                // SAFETY: `handle` is what open returned and close has not been called: close waits for this call's
                // strand. The request lives until start returns, and no other function of this call runs now.
                unsafe { (self.operation.start)(handle, self.number, psa_bytes::of(&request)) }
            }
            Step::Then(then, code, answer) => {
                let response = answer.map(Response::new);
                let pointer = response.as_ref().map_or(std::ptr::null(), Response::pointer);
                if let Some(run) = then.0.run {
                    // SAFETY: the plugin gave `run` and `data` together for exactly one call, which is this one; the
                    // response lives until it returns.
                    unsafe { run(then.0.data, code, pointer) }
                }
            }
        }
    }
}

impl Job for Call {
    /// Moves the strand on.
    fn run(self: Arc<Self>) {
        let plugin = &self.instance.plugin.manifest.id;
        for _ in 0..STEPS_IN_A_ROW {
            let mut state = self.lock();
            let Some(step) = state.steps.pop_front() else { break };
            state.started = true;
            state.executing = true;
            state.had_its_chance |= state.must_end.is_some();
            drop(state);
            let entered = self.instance.runtime.running.enter(plugin, &self.operation.name);
            self.step(step);
            entered.leave();
            self.lock().executing = false;
        }
        let mut state = self.lock();
        if state.abandoned {
            drop(state);
            self.instance.runtime.pool.regain();
            return;
        }
        state.running = false;
        self.go_on(state);
    }
}
