//! The opened plugins, one per connection.
//!
//! Promises: an instance is opened when first needed, with the settings and credentials of that moment; a change of
//! either opens a new one; what is being tried is opened apart and closed again.

use super::{ConnectionRoom, connection_missing};
use crate::cache::Cache;
use crate::egress::Budget;
use crate::plugin::{CallContext, Instance, Surroundings};
use crate::sealed::{ConnectionSecrets, PluginValues, TriedSecrets};
use crate::store::{ConnectionState, Place, StopReason, StoredConnection};
use psa_host_api::ops::{Operation, TestConnection};
use psa_host_api::{Code, Error};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use tokio::sync::OnceCell;

/// An instance and what it was opened with.
pub(super) struct Opened {
    versions: (i64, i64),
    cell: Arc<OnceCell<Instance>>,
    budget: Budget,
}

impl ConnectionRoom {
    /// Runs a published operation of the connection's plugin.
    pub(crate) async fn run<O: Operation>(
        &self,
        place: &Place,
        request: &O::Request,
        context: &CallContext,
    ) -> Result<O::Answer, Error> {
        let stored = self.current(place).await?;
        let answer = self.run_unread::<O>(&stored, request, context).await?;
        read::<O>(&stored.plugin, &answer)
    }

    /// The same as the plugin writes it, for who gives it to [`read`] later.
    pub(crate) async fn run_unread<O: Operation>(
        &self,
        stored: &StoredConnection,
        request: &O::Request,
        context: &CallContext,
    ) -> Result<Vec<u8>, Error> {
        if let Ok(plugin) = self.plugin(&stored.plugin) {
            self.check_form(&plugin, stored)?;
        }
        let is_test = O::NAME == TestConnection::NAME;
        if !is_test {
            refuse_stopped(stored)?;
        }
        let instance = self.instance(stored).await?;
        let outcome = run_on::<O>(&instance, request, context).await;
        let refused = outcome.as_ref().is_err_and(|error| error.code == Code::Unauthenticated);
        if refused && !is_test && stored.state == ConnectionState::Active {
            // Nobody goes on knocking with these: an account is not locked out by us.
            let detail = "The PSA has refused the credentials.".to_owned();
            let version = Some(stored.credential_version);
            self.stop(&stored.place, StopReason::SignIn, detail, version, crate::activity::HOST).await?;
        }
        outcome
    }

    /// The same with other secrets, and maybe other settings, than the kept ones: beside the connection's own instance,
    /// and without what that has kept or remembered.
    pub(super) async fn try_run<O: Operation>(
        &self,
        stored: &StoredConnection,
        secrets: TriedSecrets,
        request: &O::Request,
        context: &CallContext,
    ) -> Result<O::Answer, Error> {
        let instance = self.open(stored, Budget::new(self.in_flight), Some(secrets)).await?;
        let outcome = run_on::<O>(&instance, request, context).await;
        instance.close().await;
        read::<O>(&stored.plugin, &outcome?)
    }

    /// Takes an instance of older settings or credentials out of use, with what was read through it: that may be of another
    /// account. To be done before the connection's cache is asked for, or what is read now would go with the older.
    pub(crate) fn renew(&self, stored: &StoredConnection) {
        let place = &stored.place;
        let outdated = match self.lock_instances().get_mut(place) {
            // Who has read an older row works with the newer instance.
            Some(opened) if opened.versions < versions_of(stored) => {
                opened.versions = versions_of(stored);
                std::mem::take(&mut opened.cell).get().cloned()
            }
            _ => None,
        };
        if let Some(outdated) = outdated {
            self.caches.forget(place.tenant.as_bytes(), &place.connection);
            // What still runs there ends by itself; nobody waits for it here.
            self.runtime.io.spawn(async move { outdated.close_when_idle().await });
        }
    }

    async fn instance(&self, stored: &StoredConnection) -> Result<Instance, Error> {
        let place = &stored.place;
        self.renew(stored);
        let (cell, budget) = {
            let mut instances = self.lock_instances();
            let opened = instances.entry(place.clone()).or_insert_with(|| Opened {
                versions: versions_of(stored),
                cell: Arc::default(),
                budget: Budget::new(self.in_flight),
            });
            (opened.cell.clone(), opened.budget.clone())
        };
        if self.closing.load(Ordering::SeqCst) {
            return Err(closing());
        }
        let instance = cell.get_or_try_init(|| self.open(stored, budget, None)).await?.clone();
        let replaced = !self.lock_instances().get(place).is_some_and(|opened| Arc::ptr_eq(&opened.cell, &cell));
        if replaced && !self.closing.load(Ordering::SeqCst) {
            // Closed or replaced while it was opened: nobody else will close it.
            instance.close_when_idle().await;
            return Err(changed_meanwhile());
        }
        if self.closing.load(Ordering::SeqCst) {
            // It was opened while close looked for instances.
            instance.close().await;
            return Err(closing());
        }
        Ok(instance)
    }

    async fn open(
        &self,
        stored: &StoredConnection,
        budget: Budget,
        trying: Option<TriedSecrets>,
    ) -> Result<Instance, Error> {
        let plugin = self.plugin(&stored.plugin).map_err(|_| plugin_missing())?;
        let form = &plugin.form;
        let place = stored.place.clone();
        // What the form does not show, or does not know any more, is not the plugin's to see.
        let settings = form.declared(&form.without_invisible(&stored.settings));
        let visible = form.visible(&stored.settings);
        let resting = form.secrets().filter(|key| !visible.contains(key)).map(str::to_owned).collect();
        let addresses: BTreeMap<String, _> =
            plugin.form.secrets().map(|key| (key.to_owned(), plugin.form.send_to(key, &stored.settings))).collect();
        let (store, vault, clock) = (self.store.clone(), self.vault.clone(), self.runtime.clock.clone());
        let mut secrets = ConnectionSecrets::new(place.clone(), store, vault, clock, addresses).resting(resting);
        let (mut cache, mut storage) = (None, self.values.clone());
        if let Some(trying) = trying {
            secrets = secrets.trying(trying);
            (cache, storage) = (Some(Cache::new(self.runtime.clock.clone())), PluginValues::for_now());
        }
        secrets.check()?;
        let around = Surroundings {
            cache: cache.unwrap_or_else(|| self.caches.of(place.tenant.as_bytes(), &place.connection)),
            storage,
            secrets: Arc::new(secrets),
            budget,
            place,
        };
        Instance::open(plugin, self.runtime.clone(), around, &settings).await
    }

    /// Closes the instance of a connection, if there is one.
    pub(super) async fn close_instance(&self, place: &Place) {
        let opened = self.lock_instances().remove(place);
        if let Some(instance) = opened.and_then(|opened| opened.cell.get().cloned()) {
            instance.close().await;
        }
    }

    fn lock_instances(&self) -> std::sync::MutexGuard<'_, HashMap<Place, Opened>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the threads of plugins, once nothing is left that they could run.
    pub(crate) fn close_threads(&self) {
        self.runtime.close();
    }

    /// Closes all instances. False: at least one hangs and was left behind.
    pub(crate) async fn close(&self) -> bool {
        self.closing.store(true, Ordering::SeqCst);
        let cells: Vec<_> = self.lock_instances().drain().map(|(_, opened)| opened.cell).collect();
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

    /// Whether the connection of a place is there.
    pub(crate) fn exists(&self, place: &Place) -> Result<(), Error> {
        self.store.get(place)?.map(drop).ok_or_else(|| connection_missing(place))
    }
}

/// What was begun under settings or credentials that are not in use any more.
pub(crate) fn changed_meanwhile() -> Error {
    let message = "the connection was changed meanwhile; repeat it";
    Error::new(Code::Unavailable, message).because("changed_meanwhile")
}

fn closing() -> Error {
    Error::new(Code::Closed, "the host is being closed")
}

/// A connection whose credentials were refused, or are gone, does not use them.
pub(crate) fn refuse_stopped(stored: &StoredConnection) -> Result<(), Error> {
    let (code, what) = match stored.reason {
        Some(StopReason::SignIn) => (Code::Unauthenticated, "the PSA has refused its credentials"),
        Some(StopReason::Disabled) => (Code::Conflict, "it was disconnected"),
        _ => return Ok(()),
    };
    let message = format!("the connection is stopped: {what}. Enter its credentials, then test it");
    Err(Error::new(code, message).because("stopped"))
}

/// Not `not_found`, which would be said of the ticket that was asked for; and without the file's path, for what ends an
/// operation is shown to its tenant.
fn plugin_missing() -> Error {
    let message = "the plugin of the connection is not loaded; plugins.list says which are, and which were refused";
    Error::new(Code::Unavailable, message).because("plugin_missing")
}

async fn run_on<O: Operation>(
    instance: &Instance,
    request: &O::Request,
    context: &CallContext,
) -> Result<Vec<u8>, Error> {
    let request = serde_json::to_vec(request).map_err(|error| Error::internal(error.to_string()))?;
    instance.run(name::<O>(), request, context).await
}

/// What a plugin has answered to an operation.
pub(crate) fn read<O: Operation>(plugin: &str, answer: &[u8]) -> Result<O::Answer, Error> {
    serde_json::from_slice(answer).map_err(|error| {
        let writes = O::FLAGS & psa_host_api::abi::PSA_OP_WRITE != 0;
        let code = if writes { Code::OutcomeUnknown } else { Code::Internal };
        let message = format!("{plugin} {}: its result does not fit: {error}", name::<O>());
        let mut error = Error::new(code, message).because("plugin_answer");
        if writes {
            // It reported success: whatever that was, it is not to be sent again.
            error.details = Some(serde_json::json!({"wire": "answered", "wire_status": 200}));
        }
        error
    })
}

fn name<O: Operation>() -> &'static str {
    O::NAME.to_str().unwrap_or_default()
}

/// Of what an instance was opened with.
fn versions_of(stored: &StoredConnection) -> (i64, i64) {
    (stored.settings_version, stored.credential_version)
}
