//! The surface: opening a host, calling it, closing it.
//!
//! Holds: [`Host`].
//! Promises: every call and every submitted call ends exactly once; after [`Host::close`] has returned, nothing of this
//! host runs any more except code of a plugin that hangs.
//! Leaves to others: what methods do (`methods`), C (`psa-ffi`).

mod block;
mod gate;

use crate::clock::{Clock, Random, SystemClock, SystemRandom};
use crate::config::Config;
use crate::connections::ConnectionRoom;
use crate::egress::Egress;
use crate::log::{Log, LogHook};
use crate::methods;
use crate::plugin::{CallContext, Registry, Running, Runtime, block_signals, is_ours};
use gate::Gate;
use psa_host_api::abi::psa_plugin_entry_fn;
use psa_host_api::{Code, Error};
use std::collections::HashMap;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

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
}

/// Gets the outcome of a submitted call.
pub type Done = Box<dyn FnOnce(u64, Result<String, Error>) + Send>;

/// An opened host. All functions may be called from any thread at the same time.
pub struct Host {
    shared: Arc<Shared>,
    /// Taken by close.
    io: Mutex<Option<tokio::runtime::Runtime>>,
}

struct Shared {
    room: Mutex<Option<Arc<ConnectionRoom>>>,
    gate: Gate,
    clock: Arc<dyn Clock>,
    io: tokio::runtime::Handle,
    call_timeout_ms: u64,
    next_id: AtomicU64,
    submitted: Mutex<HashMap<u64, watch::Sender<bool>>>,
}

impl Host {
    /// Opens a host: reads the configuration (JSON), makes the data folder, loads the plugins.
    pub fn open(config: &[u8], hooks: Hooks) -> Result<Host, Error> {
        let config = Config::read(config)?;
        let log = Log::new(hooks.log);
        let clock = hooks.clock.unwrap_or_else(|| Arc::new(SystemClock::default()));
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
        let shared = (clock.clone(), random, log, egress);
        let runtime = Runtime::new(shared, io.handle().clone(), running, config.work_threads, config.stall_grace_ms);
        let room = Arc::new(ConnectionRoom::new(registry, Arc::new(runtime)));
        let shared = Shared {
            room: Mutex::new(Some(room)),
            gate: Gate::default(),
            clock,
            io: io.handle().clone(),
            call_timeout_ms: config.call_timeout_ms,
            next_id: AtomicU64::new(1),
            submitted: Mutex::default(),
        };
        Ok(Host { shared: Arc::new(shared), io: Mutex::new(Some(io)) })
    }

    /// Calls a method and waits for its result, a JSON object.
    pub fn call(&self, method: &str, params: &[u8], options: CallOptions) -> Result<String, Error> {
        let _inside = self.shared.gate.enter()?;
        let (cancel, context) = self.shared.context(&options);
        let answer = methods::run(&self.shared.room()?, method, params, context)?;
        let mut keep_going = options.keep_going;
        let _reactor = self.shared.io.enter();
        block::on(answer, || {
            if keep_going.as_mut().is_some_and(|keep_going| !keep_going()) {
                cancel.send_replace(true);
                keep_going = None;
            }
        })
    }

    /// Starts a method and returns its id. `done` runs exactly once, on a thread of the host, never inside this
    /// function; it must be quick. An error: it never runs.
    pub fn submit(&self, method: &str, params: &[u8], options: CallOptions, done: Done) -> Result<u64, Error> {
        let inside = self.shared.gate.enter()?;
        let (cancel, context) = self.shared.context(&options);
        let answer = methods::run(&self.shared.room()?, method, params, context)?;
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        self.shared.lock_submitted().insert(id, cancel);
        let shared = self.shared.clone();
        self.shared.io.spawn(async move {
            let result = block::caught(answer).await;
            shared.lock_submitted().remove(&id);
            done(id, result);
            drop(inside);
        });
        Ok(id)
    }

    /// Asks a submitted call to end; it still ends through its `done`. `NotFound`: it already has.
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
        self.shared.room()?.add_plugin(entry)
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
        shared.gate.wait_empty(Duration::from_millis(u64::from(drain_ms)));
        let room = shared.room.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut all = true;
        if let Some(room) = room {
            let _reactor = shared.io.enter();
            all = block::on(Box::pin(room.close()), || {});
            shared.gate.wait_empty(Duration::MAX);
            room.close_threads();
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

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.close(0);
    }
}

impl Shared {
    fn room(&self) -> Result<Arc<ConnectionRoom>, Error> {
        let room = self.room.lock().unwrap_or_else(PoisonError::into_inner).clone();
        room.ok_or_else(gate::closed)
    }

    fn context(&self, options: &CallOptions) -> (watch::Sender<bool>, CallContext) {
        let timeout = options.timeout_ms.map_or(self.call_timeout_ms, u64::from);
        let (cancel, cancelled) = watch::channel(false);
        let deadline = Some(self.clock.boot_ms().saturating_add(timeout));
        (cancel, CallContext { deadline, trace_id: options.trace_id.clone(), cancelled })
    }

    fn lock_submitted(&self) -> std::sync::MutexGuard<'_, HashMap<u64, watch::Sender<bool>>> {
        self.submitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn io_runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("psa-io")
        .on_thread_start(block_signals)
        .enable_all()
        .build()
        .map_err(|error| Error::internal(format!("the I/O threads could not be started: {error}")))
}

fn begin_record(data_dir: &Path, random: &dyn Random) -> Result<(Running, Vec<crate::plugin::Crash>), Error> {
    let mut nonce = [0; 8];
    random.fill(&mut nonce);
    let name = format!("{}-{:016x}", std::process::id(), u64::from_le_bytes(nonce));
    let folder = data_dir.join("running");
    Running::begin(&folder, &name).map_err(|error| unusable(&folder, &error))
}

fn make_private(folder: &Path) -> Result<(), Error> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| unusable(folder, &error))?;
    let facts = folder.metadata().map_err(|error| unusable(folder, &error))?;
    if facts.permissions().mode() & 0o022 != 0 {
        let message =
            format!("data_dir {0} can be written by others. Take the right away: chmod go-w {0}", folder.display());
        return Err(Error::new(Code::Forbidden, message).because("data_dir_writable"));
    }
    if !is_ours(&facts) {
        let message = format!("data_dir {} belongs to another user. Change its owner", folder.display());
        return Err(Error::new(Code::Forbidden, message).because("data_dir_owner"));
    }
    Ok(())
}

fn unusable(folder: &Path, error: &std::io::Error) -> Error {
    let message =
        format!("data_dir: {} cannot be used: {error}. Name a folder that this user can write", folder.display());
    Error::new(Code::Storage, message).because("data_dir")
}
