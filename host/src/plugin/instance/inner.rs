//! What is known of an instance between its calls.
//!
//! Promises: locks are held for moments and never while a plugin's code runs; a call's lock may be held when this one
//! is taken, never the other way round.

use super::{CallContext, Runtime, Surroundings, give_up};
use crate::plugin::calls::{Call, Done};
use crate::plugin::services;
use crate::plugin::table::{Operation, Plugin};
use psa_host_api::abi::psa_bytes;
use psa_host_api::{Code, Error};
use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OnceCell};

pub(in crate::plugin) struct Inner {
    pub(in crate::plugin) plugin: Arc<Plugin>,
    pub(in crate::plugin) runtime: Arc<Runtime>,
    pub(in crate::plugin) around: Surroundings,
    /// The table handed to the plugin; its ctx is a token that `services` looks up.
    pub(super) services: services::Table,
    pub(super) state: Mutex<State>,
    /// Told whenever a call is over.
    pub(super) quiet: Notify,
    /// What closing came to.
    pub(super) closed: OnceCell<bool>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) handle: Handle,
    pub(super) phase: Phase,
    calls: HashMap<u64, Arc<Call>>,
    waiting: VecDeque<(Arc<Call>, Vec<u8>)>,
    active: u32,
    /// Calls whose last function has not returned yet.
    live: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Open,
    Closing,
    /// A call ignored its end: no more of this plugin's code runs for this connection.
    Quarantined,
}

pub(super) struct Handle(pub(super) *mut c_void);

impl Default for Handle {
    fn default() -> Self {
        Handle(std::ptr::null_mut())
    }
}

// SAFETY: the plugin's own pointer; the host only hands it back, and the contract allows that on any thread.
unsafe impl Send for Handle {}

impl Inner {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The plugin's pointer; NULL before open and after close.
    pub(in crate::plugin) fn handle(&self) -> *mut c_void {
        self.lock().handle.0
    }

    /// The token in the services' ctx.
    pub(in crate::plugin) fn token(&self) -> *mut c_void {
        self.services.token()
    }

    /// The call of a number, if it is alive and of this instance.
    pub(in crate::plugin) fn call(&self, number: u64) -> Option<Arc<Call>> {
        self.lock().calls.get(&number).cloned()
    }

    pub(super) fn begin(
        self: &Arc<Self>,
        operation: Operation,
        request: Vec<u8>,
        context: &CallContext,
        done: Done,
    ) -> Result<Arc<Call>, Error> {
        let call = Call::new(self.clone(), operation, context, done);
        let mut state = self.lock();
        match state.phase {
            Phase::Open => {}
            Phase::Closing => return Err(Error::new(Code::Closed, "the connection is being closed")),
            Phase::Quarantined => return Err(self.stalled()),
        }
        state.calls.insert(call.number, call.clone());
        state.live += 1;
        let most = self.plugin.manifest.concurrency;
        if most != 0 && state.active >= most {
            state.waiting.push_back((call.clone(), request));
            return Ok(call);
        }
        state.active += 1;
        drop(state);
        call.start(request);
        Ok(call)
    }

    fn stalled(&self) -> Error {
        let message = format!(
            "{}: an earlier operation of this connection hangs, so it is stopped. Open the host again.",
            self.plugin.manifest.id
        );
        Error::new(Code::Unavailable, message).because("plugin_stalled")
    }

    /// Calls the plugin's open, on the strand of `call`.
    pub(in crate::plugin) fn run_open(&self, call: &Call, settings: &[u8]) {
        // SAFETY: the table lives until this instance is forgotten, which is after close; the settings live until
        // open returns.
        let handle = unsafe { (self.plugin.open)(self.services.pointer(), call.number, psa_bytes::of(settings)) };
        self.lock().handle = Handle(handle);
        if handle.is_null() {
            let said = b"its open returned neither an instance nor an error";
            call.complete(psa_host_api::abi::PSA_INTERNAL, said);
        } else {
            call.complete(psa_host_api::abi::PSA_OK, b"{}");
        }
    }

    /// The call is no longer known by its number.
    pub(in crate::plugin) fn forget(&self, number: u64) {
        let mut state = self.lock();
        state.calls.remove(&number);
        let was_last = state.calls.is_empty();
        drop(state);
        if was_last {
            self.quiet.notify_waiters();
        }
    }

    /// Nothing of the call is left: the next one may begin.
    pub(in crate::plugin) fn release(&self, number: u64) {
        let mut state = self.lock();
        state.live -= 1;
        let before = state.waiting.len();
        state.waiting.retain(|(call, _)| call.number != number);
        let mut next = None;
        if state.waiting.len() == before {
            // Of a quarantined instance nothing begins any more.
            next = if state.phase == Phase::Quarantined { None } else { state.waiting.pop_front() };
            state.active -= u32::from(next.is_none());
        }
        let is_quiet = state.live == 0;
        drop(state);
        if let Some((call, request)) = next {
            call.start(request);
        }
        if is_quiet {
            self.quiet.notify_waiters();
        }
    }

    /// Waits until no call is left, or until all have ended, even if some function of theirs never returns.
    pub(super) async fn quiet(&self, only_ended: bool) {
        let is_quiet = || {
            let state = self.lock();
            if only_ended { state.calls.is_empty() } else { state.live == 0 }
        };
        loop {
            let told = self.quiet.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if is_quiet() {
                return;
            }
            told.await;
        }
    }

    fn all_calls(&self) -> Vec<Arc<Call>> {
        self.lock().calls.values().cloned().collect()
    }

    pub(super) fn end_all(&self, reason: Code) {
        self.all_calls().iter().for_each(|call| call.end(reason));
    }

    pub(super) fn abandon_all(&self) {
        self.all_calls().iter().for_each(give_up);
        self.lock().phase = Phase::Quarantined;
    }

    /// No new calls. Those under way are left alone: one of them may be a write that is about to be answered.
    pub(super) fn quarantine(&self) {
        let mut state = self.lock();
        state.phase = Phase::Quarantined;
        let waiting: Vec<Arc<Call>> = state.waiting.iter().map(|(call, _)| call.clone()).collect();
        drop(state);
        // Their turn will not come.
        waiting.iter().for_each(|call| call.end(Code::Unavailable));
    }
}
