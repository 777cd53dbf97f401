//! All rooms of one opened host, as the methods see them.
//!
//! Holds: [`Core`].
//! Promises: nothing of its own; it only says what is there.
//! Leaves to others: everything.

pub(crate) mod kept;

use crate::activity::Scribe;
use crate::cache::{Key, Kind};
use crate::callbacks::Callbacks;
use crate::clock::{Clock, Random};
use crate::connections::ConnectionRoom;
use crate::events::Events;
use crate::outbox::Outbox;
use crate::plugin::CallContext;
use crate::store::{Place, Store, StoredConnection};
use crate::vault::Vault;
use kept::Kept;
use psa_host_api::ops::Operation;
use psa_host_api::{Code, Error};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The rooms.
pub(crate) struct Core {
    pub(crate) connections: Arc<ConnectionRoom>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) callbacks: Arc<Callbacks>,
    pub(crate) events: Events,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) scribe: Arc<Scribe>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The label of this installation, and the one in the database if that is another.
    pub(crate) environment: Environment,
    pub(crate) random: Arc<dyn Random>,
    /// Secrets that were entered on a page and not saved.
    pub(crate) drafts: crate::web::Drafts,
    /// How much each person sends in through the page.
    pub(crate) pace: crate::web::Pace,
    /// Long work of this process.
    pub(crate) works: crate::works::Works,
    /// What other processes have written, as far as the caches know.
    pub(crate) seen: Seen,
}

/// Whose database this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Environment {
    /// As configured.
    pub(crate) here: String,
    /// As the database has it.
    pub(crate) stored: String,
}

impl Environment {
    /// A copy of another installation's database sends nothing.
    pub(crate) fn is_ours(&self) -> bool {
        self.here == self.stored
    }

    /// Why nothing is sent. `None`: it is.
    pub(crate) fn foreign(&self) -> Option<String> {
        let Environment { here, stored } = self;
        (!self.is_ours()).then(|| format!("the database belongs to environment \"{stored}\", this is \"{here}\""))
    }

    /// A copied database touches no registration of the original.
    pub(crate) fn check_registering(&self) -> Result<(), Error> {
        self.foreign().map_or(Ok(()), |why| {
            let message = format!("{why}: nothing is registered from it");
            Err(Error::new(Code::Conflict, message).because("environment"))
        })
    }
}

/// How far the caches know of other processes' writes.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    version: AtomicI64,
    stale: AtomicI64,
}

impl Core {
    /// Runs a reading operation, or gives what it gave a short while ago.
    pub(crate) async fn cached<O: Operation>(
        &self,
        place: &Place,
        kind: Kind,
        entity: &str,
        request: &O::Request,
        context: &CallContext,
    ) -> Result<Kept<O::Answer>, Error> {
        let version = self.store.data_version()?;
        self.forget_what_others_changed(version)?;
        let stored = self.connections.stored_at(version, place)?;
        let key = key::<O>(&stored, kind, entity, request)?;
        self.connections.renew(&stored);
        let cache = self.connections.caches.of(place.tenant.as_bytes(), &place.connection);
        let load = || async {
            let answer = self.connections.run::<O>(place, request, context).await?;
            Kept::of(&answer).map(Kept::into_bytes)
        };
        Ok(Kept::new(cache.get_or_load_until(key, None, self.given_up(context), load).await?))
    }

    /// When a call that waits for what another one reads does not wait any longer.
    pub(crate) async fn given_up(&self, context: &CallContext) -> Error {
        let code = context.told_to_end(&*self.clock).await;
        Error::new(code, "it ended while another call was still reading the same")
    }

    /// What [`Core::cached`] would give without waiting: asks neither disk nor plugin. `None`: it has to look further.
    pub(crate) fn remembered<O: Operation>(
        &self,
        place: &Place,
        kind: Kind,
        entity: &str,
        request: &O::Request,
    ) -> Option<Kept<O::Answer>> {
        let version = self.store.data_version().ok()?;
        if self.seen.version.load(Ordering::SeqCst) != version {
            return None;
        }
        let stored = self.connections.known_at(version, place)?;
        let key = key::<O>(&stored, kind, entity, request).ok()?;
        let cache = self.connections.caches.of(place.tenant.as_bytes(), &place.connection);
        cache.known(&key).map(Kept::new)
    }

    /// Drops from the caches what other processes have made old, up to a version of the store.
    pub(crate) fn forget_what_others_changed(&self, version: i64) -> Result<(), Error> {
        if self.seen.version.load(Ordering::SeqCst) == version {
            return Ok(());
        }
        for (id, place, kind, entity) in self.store.stale_since(self.seen.stale.load(Ordering::SeqCst))? {
            let cache = self.connections.caches.of(place.tenant.as_bytes(), &place.connection);
            match kind.as_str() {
                "ticket" => cache.invalidate(Kind::Ticket, &entity),
                "members" => cache.invalidate_kind(Kind::Members),
                _ => {}
            }
            self.seen.stale.fetch_max(id, Ordering::SeqCst);
        }
        // Only now: who comes meanwhile looks too.
        self.seen.version.store(version, Ordering::SeqCst);
        Ok(())
    }
}

/// Where the answer of an operation is kept.
fn key<O: Operation>(stored: &StoredConnection, kind: Kind, entity: &str, request: &O::Request) -> Result<Key, Error> {
    Ok(Key::new(kind, entity, question::<O>(stored, request)?))
}

/// What is asked, and under which settings and credentials: with others it is another connection's in all but name.
pub(crate) fn question<O: Operation>(stored: &StoredConnection, request: &O::Request) -> Result<String, Error> {
    let versions = format!("{}.{}", stored.settings_version, stored.credential_version);
    let rest = serde_json::to_string(request).map_err(|error| Error::internal(error.to_string()))?;
    Ok(format!("{} {versions} {rest}", O::NAME.to_string_lossy()))
}

/// Runs what waits for the disk beside the threads that drive everything else.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Error::internal("the work panicked")))
}
