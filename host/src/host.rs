//! The surface: opening a host, calling it, closing it.
//!
//! Holds: [`Host`].
//! Promises: every call and every submitted call ends exactly once; after [`Host::close`] has returned, nothing of this
//! host runs any more except code of a plugin that hangs.
//! Leaves to others: what methods do (`methods`), C (`psa-ffi`).

mod begin;
mod block;
mod doors;
mod events;
mod gate;
mod open;

pub use begin::{Begun, Ended, Waiting};
pub use doors::DoorDone;
pub use events::Event;

use crate::activity::Scribe;
use crate::callbacks::{self, Callbacks};
use crate::clock::{Clock, Random, SystemClock, SystemRandom};
use crate::config::Config;
use crate::connections::{ConnectionRoom, Parts};
use crate::core::{Core, Environment, Seen};
use crate::egress::Egress;
use crate::events::Events;
use crate::fork;
use crate::log::{Log, LogHook};
use crate::methods;
use crate::outbox::{Desk, FailPoint, Outbox};
use crate::owners::Owners;
use crate::plugin::{CallContext, Registry, Runtime, Terms};
use crate::store::{SqliteStore, Store};
use crate::streams::{self, Input, Limits, Output, StopOnDrop, Streams};
use crate::vault::{KeyHook, Vault};
use gate::{Gate, Inside};
use open::{begin_record, io_runtime, key_source, make_private};
use psa_host_api::abi::psa_plugin_entry_fn;
use psa_host_api::{Code, Error};
use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How long closing waits for the I/O threads themselves.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// What the product gives a host besides its configuration. Nothing is needed.
#[derive(Default)]
pub struct Hooks {
    /// Takes log lines; called from any thread, also while the host is being opened.
    pub log: Option<LogHook>,
    /// Another source of time, for tests.
    pub clock: Option<Arc<dyn Clock>>,
    /// Another source of randomness, for tests.
    pub random: Option<Arc<dyn Random>>,
    /// Gives the vault's keys; comes before the configuration's key file.
    pub vault_keys: Option<KeyHook>,
    /// Called at named points between durable steps, for tests: it may end the process.
    pub fail_point: Option<FailPoint>,
}

/// How a method is to be called.
#[derive(Default)]
pub struct CallOptions {
    /// The time it may take, in milliseconds; `None`: as configured.
    pub timeout_ms: Option<u32>,
    /// Appears in logs.
    pub trace_id: Option<String>,
    /// Asked about every 50 ms on the calling thread while [`Host::call`] waits; false: cancel.
    pub keep_going: Option<Box<dyn FnMut() -> bool>>,
    /// For methods that take one. Not used any more once the call is done, and the call is not done while it is in use.
    pub input: Option<Input>,
    /// For methods that give one; as `input`.
    pub output: Option<Output>,
}

/// Gets the outcome of a submitted call.
pub type Done = Box<dyn FnOnce(u64, Result<String, Error>) + Send>;

/// An opened host. All functions may be called from any thread at the same time.
pub struct Host {
    shared: Arc<Shared>,
    /// Taken by close.
    io: Mutex<Option<tokio::runtime::Runtime>>,
    process: fork::Process,
}

struct Shared {
    core: Mutex<Option<Arc<Core>>>,
    gate: Gate,
    /// Turns true when the host is being closed.
    closing: watch::Sender<bool>,
    clock: Arc<dyn Clock>,
    io: tokio::runtime::Handle,
    call_timeout_ms: u64,
    limits: Limits,
    /// How many more calls with streams there may be.
    streaming: Arc<Semaphore>,
    next_id: AtomicU64,
    submitted: Mutex<HashMap<u64, watch::Sender<bool>>>,
}

impl Host {
    /// Opens a host: reads the configuration (JSON), makes the data folder, loads the plugins.
    pub fn open(config: &[u8], hooks: Hooks) -> Result<Host, Error> {
        fork::prepare()?;
        let config = Config::read(config)?;
        let log = Log::new(hooks.log);
        let clock = hooks.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let random = hooks.random.unwrap_or_else(|| Arc::new(SystemRandom));
        make_private(&config.data_dir)?;
        let egress = Egress::new(config.egress.clone(), clock.clone(), random.clone())
            .map_err(|error| Error::invalid(error.to_string()).because("egress"))?;
        let (running, crashes) = begin_record(&config.data_dir, &*random)?;
        for crash in &crashes {
            let what = "was at work when an earlier process ended without closing its host";
            log.error("host", &format!("{} {} {what}", crash.plugin, crash.operation));
        }
        let mut registry = Registry::new(config.data_dir.join("plugins"), crashes);
        for source in config.sources() {
            registry.load(&source, &log)?;
        }
        let io = io_runtime()?;
        let owners = Arc::new(Owners::join(&config.data_dir, &*random)?);
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&config.data_dir)?);
        let stored = store.found_meta("environment", &config.environment).wait()?;
        let environment = Environment { here: config.environment.clone(), stored };
        let source = key_source(&config, hooks.vault_keys)?;
        let vault = Vault::open(store.clone(), source, random.clone(), owners.clone())?;
        let vault = Arc::new(vault);
        let scribe = Arc::new(Scribe::new(vault.clone(), clock.clone(), random.clone()));
        let shared = (clock.clone(), random.clone(), log.clone(), egress);
        let runtime = Runtime::new(shared, io.handle().clone(), running, config.work_threads, config.stall_grace_ms);
        let connections = Arc::new(ConnectionRoom::new(Parts {
            registry,
            runtime: Arc::new(runtime),
            store: store.clone(),
            vault: vault.clone(),
            scribe: scribe.clone(),
            // The outbox's slots, and two for people.
            in_flight: config.outbox.in_flight + 2,
            form_defaults: config.form_defaults.clone(),
        }));
        connections.revive()?;
        let me = owners.me().to_owned();
        let desk = Desk {
            store: store.clone(),
            vault: vault.clone(),
            scribe: scribe.clone(),
            owners,
            connections: connections.clone(),
            clock: clock.clone(),
            random: random.clone(),
            log: log.clone(),
            request_ms: config.egress.timeout_ms,
            config: config.outbox.clone(),
            fail: hooks.fail_point,
            memory: Default::default(),
        };
        let callbacks = Callbacks::new(callbacks::Desk {
            store: store.clone(),
            vault: vault.clone(),
            scribe: scribe.clone(),
            owners: desk.owners.clone(),
            connections: connections.clone(),
            clock: clock.clone(),
            random: desk.random.clone(),
            log: log.clone(),
            request_ms: config.egress.timeout_ms,
            config: config.callbacks.clone(),
        });
        let outbox = Outbox::new(Arc::new(desk));
        if !environment.is_ours() {
            let Environment { here, stored } = &environment;
            log.error(
                "host",
                &format!("the database belongs to environment \"{stored}\", this is \"{here}\": nothing is sent"),
            );
        } else {
            if config.outbox.deliver {
                io.spawn(outbox.clone().deliver());
            }
            if config.callbacks.work {
                io.spawn(callbacks.clone().work());
            }
        }
        let seen = Seen::default();
        let closing = watch::Sender::new(false);
        let core = Core {
            events: Events::new(store.clone(), clock.clone(), me, closing.subscribe()),
            connections,
            outbox,
            callbacks,
            store,
            vault,
            scribe,
            clock: clock.clone(),
            random,
            environment,
            drafts: Default::default(),
            pace: Default::default(),
            works: Default::default(),
            seen,
        };
        let shared = Shared {
            core: Mutex::new(Some(Arc::new(core))),
            gate: Gate::default(),
            closing,
            clock,
            io: io.handle().clone(),
            call_timeout_ms: config.call_timeout_ms,
            limits: Limits {
                input_bytes_max: config.egress.input_bytes_max,
                output_bytes_max: config.egress.output_bytes_max,
            },
            streaming: Arc::new(Semaphore::new(streams::CALLS_MAX)),
            next_id: AtomicU64::new(1),
            submitted: Mutex::default(),
        };
        Ok(Host { shared: Arc::new(shared), io: Mutex::new(Some(io)), process: fork::Process::this() })
    }

    /// False in a child of a fork: threads, locks and open files of this host are its parent's. A child may drop it, which
    /// does nothing there, and must not use it otherwise.
    pub fn is_of_this_process(&self) -> bool {
        self.process == fork::Process::this()
    }

    /// Calls a method and waits for its result, a JSON object.
    pub fn call(&self, method: &str, params: &[u8], mut options: CallOptions) -> Result<String, Error> {
        let _inside = self.shared.gate.enter()?;
        let mut keep_going = options.keep_going.take();
        let (cancel, context) = self.shared.context(options)?;
        let streams = StopOnDrop(context.streams.clone());
        let answer = match methods::begin(&self.shared.core()?, method, params, context)? {
            methods::Begun::Ended(outcome) if streams.0.are_none() => return outcome,
            begun => with_streams(begun.answer(), streams),
        };
        let _reactor = self.shared.io.enter();
        block::on(answer, || {
            if keep_going.as_mut().is_some_and(|keep_going| !keep_going()) {
                cancel.send_replace(true);
                keep_going = None;
            }
        })
    }

    /// Asks a submitted call to end; it still ends through its `done`. `NotFound`: it has ended; `done` may still be about to run.
    pub fn cancel(&self, id: u64) -> Result<(), Error> {
        match self.shared.lock_submitted().get(&id) {
            Some(cancel) => {
                cancel.send_replace(true);
                Ok(())
            }
            None => Err(Error::new(Code::NotFound, format!("no call {id} is under way"))),
        }
    }

    /// Adds a plugin that is linked into the product; only before the first call.
    pub fn add_plugin(&self, entry: psa_plugin_entry_fn) -> Result<(), Error> {
        let _inside = self.shared.gate.enter()?;
        let core = self.shared.core()?;
        core.connections.add_plugin(entry)?;
        core.connections.revive()
    }

    /// Refuses new work, lets running calls finish for `drain_ms`, ends the rest, closes all instances, and returns
    /// when no other thread is inside the host any more. May be called again. `Timeout`: a plugin hangs and was left
    /// behind.
    pub fn close(&self, drain_ms: u32) -> Result<(), Error> {
        let shared = &self.shared;
        shared.gate.shut();
        let Some(io) = self.io.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            shared.gate.wait_closed();
            return Ok(());
        };
        // Whatever happens from here on, others that close are not left waiting.
        let _closed = shared.gate.closed_when_dropped();
        shared.closing.send_replace(true);
        let core = shared.core.lock().unwrap_or_else(PoisonError::into_inner).take();
        let drain = Duration::from_millis(u64::from(drain_ms));
        if let Some(core) = &core {
            core.outbox.close();
            core.callbacks.close();
        }
        shared.gate.wait_empty(drain);
        let mut all = true;
        if let Some(core) = core {
            let _reactor = shared.io.enter();
            // What is being sent gets the same time; then its call ends, and what is known is recorded.
            block::wait(core.outbox.idle_within(drain));
            block::wait(core.callbacks.idle_within(LAST_WAIT));
            all = block::wait(core.connections.close());
            shared.gate.wait_empty(Duration::MAX);
            block::wait(core.outbox.idle_within(LAST_WAIT));
            core.connections.close_threads();
            // A database that cannot be written keeps them for a minute.
            let _ = core.events.let_go();
            core.store.close();
        }
        // On a thread of its own: the runtime refuses to end on a thread of another one, which a product may have.
        let ending = std::thread::spawn(move || io.shutdown_timeout(LAST_WAIT));
        let _ = ending.join();
        if all {
            return Ok(());
        }
        Err(Error::new(Code::Timeout, "a plugin hangs and was left behind").because("plugin_stalled"))
    }
}

/// The answer of a call, once the product's reader and writer have returned.
fn with_streams(answer: methods::Answer, streams: StopOnDrop) -> methods::Answer {
    if streams.0.are_none() {
        return answer;
    }
    Box::pin(async move { streams.0.clone().finish(block::caught(answer).await).await })
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.is_of_this_process() {
            let _ = self.close(0);
            return;
        }
        // A child that closed a file of its parent's host would lose the locks that a host of its own has on it.
        std::mem::forget(self.shared.clone());
        std::mem::forget(self.io.get_mut().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Shared {
    /// Runs work on the host's threads; `done` gets how it ended, exactly once. The id is for [`Host::cancel`].
    fn start<T: Send + 'static>(
        self: &Arc<Shared>,
        inside: Inside,
        cancel: watch::Sender<bool>,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
        done: impl FnOnce(u64, Result<T, Error>) + Send + 'static,
    ) -> u64 {
        let id = self.id();
        self.lock_submitted().insert(id, cancel);
        let shared = self.clone();
        self.io.spawn(async move {
            let result = block::caught(Box::pin(work)).await;
            shared.lock_submitted().remove(&id);
            done(id, result);
            drop(inside);
        });
        id
    }

    /// An id that no other call has.
    fn id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    fn core(&self) -> Result<Arc<Core>, Error> {
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner).clone();
        core.ok_or_else(gate::closed)
    }

    fn context(&self, options: CallOptions) -> Result<(watch::Sender<bool>, CallContext), Error> {
        let CallOptions { timeout_ms, trace_id, input, output, .. } = options;
        let now = self.clock.boot_ms();
        let of_caller = timeout_ms.map(|timeout| now.saturating_add(u64::from(timeout)));
        let deadline = Some(of_caller.unwrap_or_else(|| now.saturating_add(self.call_timeout_ms)));
        let (cancel, cancelled) = watch::channel(false);
        let streams = match (input, output) {
            (None, None) => Streams::default(),
            ends => Streams::new(ends, self.limits, &cancel, self.permit()?)?,
        };
        let terms = Terms::default();
        Ok((cancel, CallContext { deadline, of_caller, trace_id, cancelled, terms, streams }))
    }

    /// Leave for one more call with streams.
    fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.streaming.clone().try_acquire_owned().map_err(|_| {
            let message = format!("{} calls with an input or output are under way; wait for one", streams::CALLS_MAX);
            Error::new(Code::Unavailable, message).because("too_many_streams")
        })
    }

    fn lock_submitted(&self) -> std::sync::MutexGuard<'_, HashMap<u64, watch::Sender<bool>>> {
        self.submitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
