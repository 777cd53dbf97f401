//! One opened plugin, for one connection.
//!
//! Holds: [`Instance`]: opening, running operations, closing, and giving up on what hangs.
//! Promises: `close` of the plugin runs once, when nothing of the instance is left, and never after it was given up; as
//! many calls at once as the manifest allows; a call always ends, at the latest its grace after its deadline.
//! Leaves to others: one call's order (`calls`), what the plugin may ask for (`services`).

mod inner;

pub(super) use inner::Inner;
use inner::Phase;

use super::calls::{Call, Done};
use super::pool::{Job, Pool};
use super::running::Running;
use super::services;
use super::table::{Operation, Plugin};
use crate::cache::Cache;
use crate::clock::{Clock, Random};
use crate::egress::{Budget, Egress, Lane};
use crate::log::Log;
use crate::sealed::{ConnectionSecrets, PluginValues};
use crate::store::Place;
use crate::streams::Streams;
use psa_host_api::{Code, Error};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, OnceCell, oneshot, watch};

/// How long `open` and `close` of a plugin may take, in milliseconds.
const OPEN_MS: u64 = 5_000;
/// How long calls of an instance may go on that has been replaced, in milliseconds.
const IDLE_MS: u64 = 60_000;

/// What all instances of a host share.
pub(crate) struct Runtime {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) log: Log,
    pub(crate) egress: Egress,
    pub(crate) io: tokio::runtime::Handle,
    pub(super) pool: Pool,
    pub(super) running: Running,
    /// How long a call may go on after it was told to end, in milliseconds.
    pub(crate) stall_grace_ms: u64,
}

impl Runtime {
    pub(crate) fn new(
        shared: (Arc<dyn Clock>, Arc<dyn Random>, Log, Egress),
        io: tokio::runtime::Handle,
        running: Running,
        work_threads: usize,
        stall_grace_ms: u64,
    ) -> Runtime {
        let (clock, random, log, egress) = shared;
        Runtime { clock, random, log, egress, pool: Pool::new(work_threads, io.clone()), io, running, stall_grace_ms }
    }

    /// A fresh id that cannot be guessed.
    pub(crate) fn new_id(&self, prefix: &str) -> String {
        crate::clock::new_id(&*self.random, prefix)
    }

    /// Ends the threads on which plugins' code runs and waits for them. Not from one of them.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

/// What belongs to the connection that an instance works for.
pub(crate) struct Surroundings {
    pub(crate) place: Place,
    pub(crate) cache: Cache,
    pub(crate) storage: PluginValues,
    pub(crate) secrets: Arc<ConnectionSecrets>,
    pub(crate) budget: Budget,
}

/// How a call is to be run.
#[derive(Debug, Clone)]
pub(crate) struct CallContext {
    /// By [`Clock::boot_ms`].
    pub deadline: Option<u64>,
    /// The same, if it was the caller who set it.
    pub of_caller: Option<u64>,
    /// Appears in logs.
    pub trace_id: Option<String>,
    /// Turns true when the caller wants it to end.
    pub cancelled: watch::Receiver<bool>,
    /// On what terms its requests may leave.
    pub(crate) terms: Terms,
    /// What goes in and out beside the JSON.
    pub(crate) streams: Streams,
}

/// On what terms requests may leave.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// Who waits for the answers.
    pub(crate) lane: Lane,
    /// No write begins to leave after this, by [`Clock::boot_ms`].
    pub(crate) start_by: Option<u64>,
    /// Writes are noted here instead of being sent.
    pub(crate) rehearsal: Option<Rehearsal>,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms { lane: Lane::Interactive, start_by: None, rehearsal: None }
    }
}

/// Requests that would have been sent.
pub(crate) type Rehearsal = Arc<Mutex<Vec<Value>>>;

impl CallContext {
    /// One that nobody cancels.
    pub(crate) fn until(deadline: u64, terms: Terms) -> CallContext {
        let (cancelled, streams) = (watch::channel(false).1, Streams::default());
        CallContext { deadline: Some(deadline), of_caller: None, trace_id: None, cancelled, terms, streams }
    }

    /// Until when a call waits that is told to wait so long, from `now` on: for whoever says so the time that calls
    /// usually have is no limit, the one that was set for this call is.
    pub(crate) fn waits_until(&self, now: u64, wait_ms: u64) -> u64 {
        let until = now.saturating_add(wait_ms);
        self.of_caller.map_or(until, |of_caller| of_caller.min(until))
    }

    /// Waits for what ends a call from outside: its deadline, or its caller.
    pub(crate) async fn told_to_end(&self, clock: &dyn Clock) -> Code {
        let mut cancelled = self.cancelled.clone();
        let cancel = async {
            // A caller that has gone away does not cancel.
            if cancelled.wait_for(|wanted| *wanted).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let late = async {
            match self.deadline {
                Some(deadline) => clock.sleep(deadline.saturating_sub(clock.boot_ms())).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = cancel => Code::Cancelled,
            () = late => Code::Timeout,
        }
    }
}

/// An opened plugin.
#[derive(Clone)]
pub(crate) struct Instance {
    inner: Arc<Inner>,
}

impl Instance {
    /// Opens `plugin` for a connection, with its settings.
    pub(crate) async fn open(
        plugin: Arc<Plugin>,
        runtime: Arc<Runtime>,
        around: Surroundings,
        settings: &Map<String, Value>,
    ) -> Result<Instance, Error> {
        let inner = Arc::new(Inner {
            plugin,
            runtime,
            around,
            services: services::Table::new(),
            state: Mutex::default(),
            quiet: Notify::new(),
            closed: OnceCell::new(),
        });
        services::register(&inner);
        let instance = Instance { inner };
        let settings = Value::Object(settings.clone()).to_string().into_bytes();
        let deadline = instance.inner.runtime.clock.boot_ms().saturating_add(OPEN_MS);
        let context = CallContext::until(deadline, Terms::default());
        let opened = instance.run_one(Operation::opening(), settings, &context).await;
        let handle = instance.inner.handle();
        match opened {
            Ok(_) if !handle.is_null() => Ok(instance),
            Ok(_) => Err(Error::internal("its open returned neither an instance nor an error")),
            Err(error) => {
                instance.close().await;
                Err(error)
            }
        }
    }

    /// Runs an operation and waits for its end.
    pub(crate) async fn run(&self, operation: &str, request: Vec<u8>, context: &CallContext) -> Result<Vec<u8>, Error> {
        let plugin = &self.inner.plugin;
        let Some(operation) = plugin.operations.get(operation) else {
            let message = format!("{} does not offer {operation}", plugin.manifest.id);
            return Err(Error::new(Code::Unsupported, message).because("operation_missing"));
        };
        self.run_one(operation.clone(), request, context).await
    }

    async fn run_one(&self, operation: Operation, request: Vec<u8>, context: &CallContext) -> Result<Vec<u8>, Error> {
        let (send, mut outcome) = oneshot::channel();
        // A receiver that is gone has been told by its own end.
        let done: Done = Box::new(move |result| drop(send.send(result)));
        let call = self.inner.begin(operation, request, context, done)?;
        let mut guard = EndOnDrop(Some(call.clone()));
        let result = tokio::select! {
            biased;
            result = &mut outcome => result,
            reason = context.told_to_end(&*self.inner.runtime.clock) => {
                call.end(reason);
                supervise_end(&call, &mut outcome).await
            }
        };
        guard.0 = None;
        result.unwrap_or_else(|_| Err(Error::internal("the call was dropped without an outcome")))
    }

    /// Lets running calls finish for a while, then closes.
    pub(crate) async fn close_when_idle(&self) {
        tokio::select! {
            biased;
            () = self.inner.quiet(false) => {}
            () = self.inner.runtime.clock.sleep(IDLE_MS) => {}
        }
        self.close().await;
    }

    /// Ends all calls, lets the plugin free the instance, and waits for it. False: it hangs and was left behind.
    pub(crate) async fn close(&self) -> bool {
        *self.inner.closed.get_or_init(|| self.close_once()).await
    }

    async fn close_once(&self) -> bool {
        let inner = &self.inner;
        let quarantined = {
            let mut state = inner.lock();
            let before = std::mem::replace(&mut state.phase, Phase::Closing);
            if before == Phase::Quarantined {
                state.phase = Phase::Quarantined;
            }
            before == Phase::Quarantined
        };
        inner.end_all(Code::Closed);
        let grace = inner.runtime.clock.sleep(inner.runtime.stall_grace_ms);
        let stalled = tokio::select! {
            biased;
            // Of a quarantined instance some function never returns: only the calls that are left can be waited for.
            () = inner.quiet(quarantined) => quarantined,
            () = grace => true,
        };
        if stalled {
            inner.abandon_all();
            services::forget(inner);
            return false;
        }
        let closed = self.close_plugin().await;
        services::forget(inner);
        closed
    }

    async fn close_plugin(&self) -> bool {
        if self.inner.handle().is_null() {
            return true;
        }
        let (send, closed) = oneshot::channel();
        let job = Arc::new(Closing { inner: self.inner.clone(), done: Mutex::new(Some(send)) });
        self.inner.runtime.pool.submit(job.clone());
        let late = self.inner.runtime.clock.sleep(OPEN_MS);
        tokio::select! {
            biased;
            _ = closed => true,
            () = late => {
                // Held while the thread is written off, so that it is not counted back before.
                let mut done = job.done.lock().unwrap_or_else(PoisonError::into_inner);
                if done.take().is_none() {
                    return true;
                }
                let id = &self.inner.plugin.manifest.id;
                self.inner.runtime.log.error("host", &format!("{id} close: it hangs and was left behind"));
                self.inner.runtime.pool.lose();
                false
            }
        }
    }
}

type Outcome = oneshot::Receiver<Result<Vec<u8>, Error>>;

/// Gives a call that was told to end its grace, then gives it up.
async fn supervise_end(
    call: &Arc<Call>,
    outcome: &mut Outcome,
) -> Result<Result<Vec<u8>, Error>, oneshot::error::RecvError> {
    let runtime = &call.instance.runtime;
    tokio::select! {
        biased;
        result = &mut *outcome => return result,
        () = runtime.clock.sleep(runtime.stall_grace_ms) => {}
    }
    give_up(call);
    outcome.await
}

fn give_up(call: &Arc<Call>) {
    if call.abandon() {
        let inner = &call.instance;
        let (plugin, operation) = (&inner.plugin.manifest.id, &call.operation.name);
        let what = "did not end when it was told to; its connection is stopped until the host is opened again";
        inner.runtime.log.error("host", &format!("{plugin} {operation} {what} (connection {})", inner.around.place));
        inner.quarantine();
    }
}

/// A caller that drops the future of a call still leaves the call an end.
struct EndOnDrop(Option<Arc<Call>>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        let Some(call) = self.0.take() else { return };
        call.end(Code::Cancelled);
        let runtime = call.instance.runtime.clone();
        runtime.io.clone().spawn(async move {
            runtime.clock.sleep(runtime.stall_grace_ms).await;
            give_up(&call);
        });
    }
}

struct Closing {
    inner: Arc<Inner>,
    done: Mutex<Option<oneshot::Sender<()>>>,
}

impl Job for Closing {
    fn run(self: Arc<Self>) {
        let inner = &self.inner;
        let handle = std::mem::take(&mut inner.lock().handle);
        let entered = inner.runtime.running.enter(&inner.plugin.manifest.id, "close");
        if !handle.0.is_null() {
            // SAFETY: what open returned, taken out so that this happens once; no call is left and none can begin,
            // which is what Instance::close has waited for.
            unsafe { (inner.plugin.close)(handle.0) }
        }
        entered.leave();
        match self.done.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(done) => drop(done.send(())),
            None => inner.runtime.pool.regain(),
        }
    }
}
