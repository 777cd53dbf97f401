//! Connections: one tenant's configured account at a provider.
//!
//! Holds: what they are made of (`change`), the rules of their life (`life`), settings that are tried (`trial`, `choices`)
//! or of an older form (`migrate`), and the opened instances (`instances`).
//! Promises: nothing is found without its tenant; a foreign id is `not_found`; settings that the form refuses are never
//! kept; credentials are used only under the settings they were entered for.
//! Leaves to others: keeping them (`store`), running plugins (`plugin`).

mod change;
mod choices;
mod instances;
mod life;
mod migrate;
mod report;
mod rules;
mod secrets;
mod settings;
mod trial;

pub(crate) use change::{NewConnection, Update};
pub(crate) use choices::{Keeping, Listed};
pub(crate) use instances::{changed_meanwhile, read, refuse_stopped};
pub(crate) use report::report_of;
pub(crate) use rules::check_tenant;
pub(crate) use secrets::{SecretOp, SecretState};
pub(crate) use settings::issue_of;
pub(crate) use trial::{Issue, Trial};

use crate::activity::Scribe;
use crate::cache::Caches;
use crate::plugin::{Plugin, Registry, Runtime};
use crate::sealed::PluginValues;
use crate::store::{ConnectionState, Place, StopReason, Store, StoredConnection};
use crate::vault::Vault;
use instances::Opened;
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

/// The longest tenant, in bytes.
const TENANT_BYTES_MAX: usize = 256;

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
    /// Why it is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<StopReason>,
    /// For people: what was found when it stopped, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// As entered, with the form's defaults, without secrets. What the plugin's form does not know is not shown; nothing
    /// is, while there is no plugin.
    pub settings: Map<String, Value>,
    /// The names of the secrets that are kept.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// What may be told of each secret of the form.
    #[serde(default)]
    pub secret_states: BTreeMap<String, SecretState>,
    /// Secrets that the form wanted made: told once, in the answer of what made them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub made: BTreeMap<String, String>,
    /// Counts changes of settings and credentials; who hands it back to connections.update overwrites nothing newer.
    #[serde(default)]
    pub rev: i64,
    /// The plugin that kept the settings.
    #[serde(default)]
    pub plugin_version: String,
    /// RFC 3339 UTC.
    pub created: String,
}

/// What a room of connections is built from.
pub(crate) struct Parts {
    pub(crate) registry: Registry,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) scribe: Arc<Scribe>,
    pub(crate) in_flight: usize,
    /// What the configuration gives to fields of new connections.
    pub(crate) form_defaults: BTreeMap<String, String>,
}

/// Rows as they were read in one version of the store.
#[derive(Default)]
struct Rows {
    version: i64,
    by_place: HashMap<Place, Arc<StoredConnection>>,
}

/// The room.
pub(crate) struct ConnectionRoom {
    registry: RwLock<Registry>,
    runtime: Arc<Runtime>,
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    scribe: Arc<Scribe>,
    values: PluginValues,
    pub(crate) caches: Caches,
    /// Options of forms: apart, so that what is tried touches nothing that is in use.
    choices: Caches,
    /// When somebody wanted options anew, of late.
    reread: Mutex<HashMap<Place, u64>>,
    form_defaults: BTreeMap<String, String>,
    instances: Mutex<HashMap<Place, Opened>>,
    rows: Mutex<Rows>,
    in_flight: usize,
    /// Set by the first use: from then on no plugin can be added.
    in_use: OnceLock<()>,
    /// Set by close: from then on no instance is used.
    closing: AtomicBool,
}

impl ConnectionRoom {
    pub(crate) fn new(parts: Parts) -> ConnectionRoom {
        let Parts { registry, runtime, store, vault, scribe, in_flight, form_defaults } = parts;
        ConnectionRoom {
            registry: RwLock::new(registry),
            caches: Caches::new(runtime.clock.clone()),
            choices: Caches::new(runtime.clock.clone()),
            reread: Mutex::default(),
            form_defaults,
            values: PluginValues::new(store.clone(), vault.clone()),
            runtime,
            store,
            vault,
            scribe,
            instances: Mutex::default(),
            rows: Mutex::default(),
            in_flight,
            in_use: OnceLock::new(),
            closing: AtomicBool::new(false),
        }
    }

    /// The plugins, for reading.
    pub(crate) fn with_registry<T>(&self, work: impl FnOnce(&Registry) -> T) -> T {
        work(&self.registry.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on no plugin can be added.
    pub(crate) fn begin_use(&self) {
        let _ = self.in_use.set(());
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

    /// Puts connections back to use whose plugin is here again.
    pub(crate) fn revive(&self) -> Result<(), Error> {
        let plugins: Vec<String> =
            self.with_registry(|registry| registry.plugins().map(|plugin| plugin.manifest.id.clone()).collect());
        self.store.revive(&plugins).wait()?;
        Ok(())
    }

    pub(crate) fn plugin(&self, id: &str) -> Result<Arc<Plugin>, Error> {
        self.with_registry(|registry| registry.get(id).ok_or_else(|| registry.absent(id)))
    }

    pub(crate) async fn get(&self, place: &Place) -> Result<Connection, Error> {
        self.shown(self.current(place).await?)
    }

    /// The row of a place.
    pub(crate) fn stored(&self, place: &Place) -> Result<StoredConnection, Error> {
        self.store.get(place)?.ok_or_else(|| connection_missing(place))
    }

    /// The row of a place in this version of the store, or in a later one.
    pub(crate) fn stored_at(&self, version: i64, place: &Place) -> Result<Arc<StoredConnection>, Error> {
        if let Some(row) = self.known_at(version, place) {
            return Ok(row);
        }
        let row = Arc::new(self.stored(place)?);
        let mut rows = self.lock_rows();
        if rows.version == version {
            rows.by_place.insert(place.clone(), row.clone());
        }
        Ok(row)
    }

    /// The same, if it was read before.
    pub(crate) fn known_at(&self, version: i64, place: &Place) -> Option<Arc<StoredConnection>> {
        let mut rows = self.lock_rows();
        if rows.version != version {
            *rows = Rows { version, by_place: HashMap::new() };
        }
        rows.by_place.get(place).cloned()
    }

    fn lock_rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page of a tenant's connections, after the id `after`.
    pub(crate) async fn list(&self, tenant: &str, after: &str, limit: usize) -> Result<Vec<Connection>, Error> {
        let mut shown = Vec::new();
        for stored in self.store.list(tenant, after, limit)? {
            shown.push(self.shown(self.brought_on(stored).await?)?);
        }
        Ok(shown)
    }

    fn shown(&self, stored: StoredConnection) -> Result<Connection, Error> {
        let kept = self.store.secret_names(&stored.place)?;
        let plugin = self.plugin(&stored.plugin).ok();
        let form = plugin.as_ref().map(|plugin| &plugin.form);
        let settings = form.map(|form| form.declared(&stored.settings)).unwrap_or_default();
        let is_told = |name: &str| form.is_none_or(|form| form.is_secret(name));
        let secrets = kept.iter().map(|secret| secret.name.clone()).filter(|name| is_told(name)).collect();
        let secret_states = secrets::states(form, &kept);
        Ok(Connection {
            rev: change::revision(&stored),
            plugin_version: stored.plugin_version,
            secret_states,
            made: BTreeMap::new(),
            connection: stored.place.connection,
            tenant: stored.place.tenant,
            plugin: stored.plugin,
            name: stored.name,
            state: stored.state,
            reason: stored.reason,
            detail: stored.detail,
            settings,
            secrets,
            created: crate::clock::rfc3339(stored.created),
        })
    }
}

/// There is no such connection, or it is somebody else's.
pub(crate) fn connection_missing(place: &Place) -> Error {
    let id: String = place.connection.chars().take(64).collect();
    Error::new(Code::NotFound, format!("this tenant has no connection \"{id}\"")).because("connection_missing")
}
