//! Connections: one tenant's configured account at a provider.
//!
//! Holds: the rules of their life, and the opened instances.
//! Promises: nothing is found without its tenant; a foreign id is `not_found`; one instance per connection, opened when
//! first needed; settings that the form refuses are never kept.
//! Leaves to others: keeping them (`store`), running plugins (`plugin`).

use crate::cache::Caches;
use crate::egress::Budget;
use crate::plugin::{CallContext, Instance, Plugin, Registry, Runtime, Surroundings};
use crate::store::{ConnectionSecrets, Connections as _, MemoryStore, Place, StoredConnection};
use psa_host_api::form::Form;
use psa_host_api::ops::Operation;
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use tokio::sync::OnceCell;

/// Requests of one connection that may be under way at once.
const IN_FLIGHT_MAX: usize = 8;
/// The longest tenant, in bytes.
const TENANT_BYTES_MAX: usize = 256;

/// Where a connection is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// No test has passed yet.
    Setup,
    /// In use.
    Active,
}

/// A connection as the product sees it; its secrets are not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Connection {
    /// Its id.
    pub connection: String,
    /// Whose it is.
    pub tenant: String,
    /// Which plugin it uses.
    pub plugin: String,
    /// For people.
    pub name: String,
    /// Where it is in its life.
    pub state: ConnectionState,
    /// As entered, with the form's defaults, without secrets.
    pub settings: Map<String, Value>,
    /// RFC 3339 UTC.
    pub created: String,
}

/// What is needed for a new one.
pub(crate) struct NewConnection {
    pub(crate) tenant: String,
    pub(crate) plugin: String,
    pub(crate) name: Option<String>,
    pub(crate) settings: Map<String, Value>,
    pub(crate) secrets: BTreeMap<String, SecretString>,
}

/// The room.
pub(crate) struct ConnectionRoom {
    registry: RwLock<Registry>,
    runtime: Arc<Runtime>,
    store: Arc<MemoryStore>,
    caches: Caches,
    instances: Mutex<HashMap<Place, Arc<OnceCell<Instance>>>>,
    /// Set by the first use: from then on no plugin can be added.
    in_use: OnceLock<()>,
    /// Set by close: from then on no instance is used.
    closing: AtomicBool,
}

impl ConnectionRoom {
    pub(crate) fn new(registry: Registry, runtime: Arc<Runtime>) -> ConnectionRoom {
        let caches = Caches::new(runtime.clock.clone());
        ConnectionRoom {
            registry: RwLock::new(registry),
            runtime,
            store: Arc::default(),
            caches,
            instances: Mutex::default(),
            in_use: OnceLock::new(),
            closing: AtomicBool::new(false),
        }
    }

    /// The plugins, for reading.
    pub(crate) fn with_registry<T>(&self, work: impl FnOnce(&Registry) -> T) -> T {
        let _ = self.in_use.set(());
        work(&self.registry.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a plugin that is linked into the product.
    pub(crate) fn add_plugin(&self, entry: psa_host_api::abi::psa_plugin_entry_fn) -> Result<(), Error> {
        let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        if self.in_use.get().is_some() {
            let message = "plugins are added after opening and before the first call; this host is in use";
            return Err(Error::new(Code::Conflict, message).because("in_use"));
        }
        Ok(registry.link(entry, &self.runtime.log)?)
    }

    fn plugin(&self, id: &str) -> Result<Arc<Plugin>, Error> {
        self.with_registry(|registry| registry.get(id)).ok_or_else(|| {
            let message = format!("there is no plugin \"{id}\"; plugins.list says which there are");
            Error::new(Code::NotFound, message).because("plugin_missing")
        })
    }

    /// Checks and keeps a new connection. Does not talk to the PSA.
    pub(crate) fn create(&self, new: NewConnection) -> Result<Connection, Error> {
        if new.tenant.is_empty() || new.tenant.len() > TENANT_BYTES_MAX {
            let message = format!("tenant must be 1 to {TENANT_BYTES_MAX} bytes");
            return Err(Error::invalid(message.clone()).field("/tenant", "length", message));
        }
        let plugin = self.plugin(&new.plugin)?;
        let settings = checked_settings(&plugin.form, new.settings, &new.secrets)?;
        let place = Place { tenant: new.tenant, connection: self.new_id() };
        let stored = StoredConnection {
            place,
            plugin: new.plugin,
            name: new.name.unwrap_or_else(|| plugin.manifest.name.clone()),
            settings,
            tested: false,
            created_unix_ms: self.runtime.clock.now_unix_ms(),
        };
        self.store.insert(stored.clone(), new.secrets.into_iter().collect())?;
        Ok(shown(stored))
    }

    fn new_id(&self) -> String {
        use std::fmt::Write as _;
        let mut random = [0; 10];
        self.runtime.random.fill(&mut random);
        random.iter().fold("c_".to_owned(), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        })
    }

    pub(crate) fn get(&self, place: &Place) -> Result<Connection, Error> {
        self.stored(place).map(shown)
    }

    fn stored(&self, place: &Place) -> Result<StoredConnection, Error> {
        self.store.get(place)?.ok_or_else(|| {
            let message = format!("this tenant has no connection \"{}\"", clip(&place.connection));
            Error::new(Code::NotFound, message).because("connection_missing")
        })
    }

    /// A page of a tenant's connections, after the id `after`.
    pub(crate) fn list(&self, tenant: &str, after: &str, limit: usize) -> Result<Vec<Connection>, Error> {
        Ok(self.store.list(tenant, after, limit)?.into_iter().map(shown).collect())
    }

    /// Notes the outcome of a test.
    pub(crate) fn tested(&self, place: &Place, passed: bool) -> Result<(), Error> {
        self.store.set_tested(place, passed)
    }

    /// Forgets a connection and closes its instance.
    pub(crate) async fn delete(&self, place: &Place) -> Result<(), Error> {
        self.stored(place)?;
        let cell = self.lock_instances().remove(place);
        if let Some(instance) = cell.as_ref().and_then(|cell| cell.get()) {
            instance.close().await;
        }
        self.caches.forget(place.tenant.as_bytes(), &place.connection);
        self.store.delete(place)?;
        Ok(())
    }

    /// Runs a published operation of the connection's plugin.
    pub(crate) async fn run<O: Operation>(
        &self,
        place: &Place,
        request: &O::Request,
        context: &CallContext,
    ) -> Result<O::Answer, Error> {
        let name = O::NAME.to_str().unwrap_or_default();
        let stored = self.stored(place)?;
        let instance = self.instance(place, &stored).await?;
        let request = serde_json::to_vec(request).map_err(|error| Error::internal(error.to_string()))?;
        let answer = instance.run(name, request, context).await?;
        serde_json::from_slice(&answer).map_err(|error| {
            let writes = O::FLAGS & psa_host_api::abi::PSA_OP_WRITE != 0;
            let code = if writes { Code::OutcomeUnknown } else { Code::Internal };
            Error::new(code, format!("{} {name}: its result does not fit: {error}", stored.plugin))
                .because("plugin_answer")
        })
    }

    async fn instance(&self, place: &Place, stored: &StoredConnection) -> Result<Instance, Error> {
        let cell = self.lock_instances().entry(place.clone()).or_default().clone();
        let instance = cell.get_or_try_init(|| self.open(stored)).await?.clone();
        if self.closing.load(Ordering::SeqCst) {
            // It was opened while close looked for instances.
            instance.close().await;
            return Err(Error::new(Code::Closed, "the host is being closed"));
        }
        Ok(instance)
    }

    async fn open(&self, stored: &StoredConnection) -> Result<Instance, Error> {
        let plugin = self.plugin(&stored.plugin)?;
        let place = stored.place.clone();
        let addresses: BTreeMap<String, _> =
            plugin.form.secrets().map(|key| (key.to_owned(), plugin.form.send_to(key, &stored.settings))).collect();
        let (store, clock) = (self.store.clone(), self.runtime.clock.clone());
        let around = Surroundings {
            cache: self.caches.of(place.tenant.as_bytes(), &place.connection),
            storage: self.store.clone(),
            secrets: Arc::new(ConnectionSecrets::new(place.clone(), store, clock, addresses)),
            budget: Budget::new(IN_FLIGHT_MAX),
            place,
        };
        Instance::open(plugin, self.runtime.clone(), around, &stored.settings).await
    }

    fn lock_instances(&self) -> std::sync::MutexGuard<'_, HashMap<Place, Arc<OnceCell<Instance>>>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the threads of plugins, once nothing is left that they could run.
    pub(crate) fn close_threads(&self) {
        self.runtime.close();
    }

    /// Closes all instances. False: at least one hangs and was left behind.
    pub(crate) async fn close(&self) -> bool {
        self.closing.store(true, Ordering::SeqCst);
        let cells: Vec<_> = self.lock_instances().drain().map(|(_, cell)| cell).collect();
        let closing = cells
            .iter()
            .filter_map(|cell| cell.get().cloned())
            .map(|instance| self.runtime.io.spawn(async move { instance.close().await }));
        let closing: Vec<_> = closing.collect();
        let mut all = true;
        for closed in closing {
            all &= closed.await.unwrap_or(false);
        }
        all
    }
}

/// The settings to keep: complete, without what the form does not show.
fn checked_settings(
    form: &Form,
    settings: Map<String, Value>,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<Map<String, Value>, Error> {
    let given: Vec<&str> = secrets.keys().map(String::as_str).collect();
    let settings = form.apply_defaults(&settings);
    let issues = form.check_settings(&settings, &given);
    if issues.is_empty() {
        return Ok(form.without_invisible(&settings));
    }
    let first = &issues[0];
    let message = format!("{}: {}", first.field, first.message);
    let message = if issues.len() > 1 { format!("{message} (and {} more)", issues.len() - 1) } else { message };
    let error = Error::invalid(format!("the settings are not valid: {message}")).because("settings");
    Err(issues.into_iter().fold(error, |error, issue| {
        let part = if form.is_secret(&issue.field) { "secrets" } else { "settings" };
        error.field(format!("/{part}/{}", issue.field), issue.code, issue.message)
    }))
}

fn shown(stored: StoredConnection) -> Connection {
    Connection {
        connection: stored.place.connection,
        tenant: stored.place.tenant,
        plugin: stored.plugin,
        name: stored.name,
        state: if stored.tested { ConnectionState::Active } else { ConnectionState::Setup },
        settings: stored.settings,
        created: jiff::Timestamp::from_millisecond(stored.created_unix_ms).unwrap_or_default().to_string(),
    }
}

fn clip(text: &str) -> String {
    text.chars().take(64).collect()
}
