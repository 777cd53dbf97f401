//! Pages of a provider's list that are read while the product looks at the one before.
//!
//! Holds: [`page`].
//! Promises: nothing is read ahead for who does not ask for it; what was read ahead is given out once, is half a minute old at
//! most, and not older than what the host has written to the PSA since.
//! Leaves to others: keeping it (`cache`), how much may be under way (`egress`).

use crate::cache::{Cache, Key};
use crate::connections::{changed_meanwhile, read, refuse_stopped};
use crate::core::{Core, question};
use crate::egress::Lane;
use crate::plugin::{CallContext, Terms};
use crate::store::{Place, StoredConnection};
use bytes::Bytes;
use psa_host_api::Error;
use psa_host_api::model::{Page, PageRequest};
use psa_host_api::ops::Operation;
use serde::Deserialize;
use std::future::{Future as _, poll_fn};
use std::sync::Arc;
use std::task::Poll;

/// How long reading ahead may take, in milliseconds: as long as what was read is kept.
const LONGEST_MS: u64 = 30_000;

/// Behind a page of more bytes none is read ahead: it would be like it, and two of them must have room.
const PAGE_BYTES_MAX: usize = 8 << 20;

/// A page; with `ahead`, the next one is read from now on.
pub(crate) async fn page<O, T>(
    core: &Arc<Core>,
    place: &Place,
    page: PageRequest,
    ahead: bool,
    request: impl Fn(PageRequest) -> O::Request,
    context: &CallContext,
) -> Result<Page<T>, Error>
where
    O: Operation<Answer = Page<T>> + 'static,
    O::Request: Sync,
{
    if !ahead {
        return core.connections.run::<O>(place, &request(page), context).await;
    }
    core.forget_what_others_changed(core.store.data_version()?)?;
    let stored = core.connections.current(place).await?;
    refuse_stopped(&stored)?;
    core.connections.renew(&stored);
    let cache = core.connections.caches.of(place.tenant.as_bytes(), &place.connection);
    let limit = page.limit;
    let wanted = Wanted::<O>::new(core, stored, request(page))?;
    let load = || wanted.load(&wanted.stored, context);
    let answer = cache.get_or_load_until(wanted.key.clone(), None, core.given_up(context), load).await?;
    cache.let_go(&wanted.key);
    // Before the page itself is read, which takes as long as a good part of reading the next one.
    if answer.len() <= PAGE_BYTES_MAX
        && let Ok(Behind { next: Some(cursor) }) = serde_json::from_slice(&answer)
    {
        let next = request(PageRequest { cursor: Some(cursor), limit });
        Wanted::<O>::new(core, wanted.stored.clone(), next)?.begin(cache, context).await;
    }
    read::<O>(&wanted.stored.plugin, &answer)
}

/// Of a page, what says whether there is another one.
#[derive(Deserialize)]
struct Behind {
    next: Option<String>,
}

/// A page that somebody wants.
struct Wanted<O: Operation> {
    core: Arc<Core>,
    stored: StoredConnection,
    request: O::Request,
    key: Key,
}

impl<O: Operation + 'static> Wanted<O>
where
    O::Request: Sync,
{
    fn new(core: &Arc<Core>, stored: StoredConnection, request: O::Request) -> Result<Wanted<O>, Error> {
        let key = Key::ahead(question::<O>(&stored, &request)?);
        Ok(Wanted { core: core.clone(), stored, request, key })
    }

    async fn load(&self, stored: &StoredConnection, context: &CallContext) -> Result<Bytes, Error> {
        let answer = self.core.connections.run_unread::<O>(stored, &self.request, context).await?;
        Ok(answer.into())
    }

    /// Reads it while nobody waits for it. Who asks for it meanwhile hears how that ends; later, it is read again if it failed.
    async fn begin(self, cache: Cache, of: &CallContext) {
        let deadline = self.core.clock.boot_ms().saturating_add(LONGEST_MS);
        let terms = Terms { lane: Lane::Bulk, ..Terms::default() };
        let context = CallContext { trace_id: of.trace_id.clone(), ..CallContext::until(deadline, terms) };
        let mut reading = Box::pin(async move {
            let _ = cache.get_or_load(self.key.clone(), None, || self.load_as_it_is_now(&context)).await;
        });
        // Begun here, so that whoever asks for the page from now on waits for this one.
        if poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await.is_pending() {
            tokio::spawn(reading);
        }
    }

    /// The page before may have taken long enough for the connection to be changed, stopped or deleted.
    async fn load_as_it_is_now(&self, context: &CallContext) -> Result<Bytes, Error> {
        let now = self.core.connections.current(&self.stored.place).await?;
        if Key::ahead(question::<O>(&now, &self.request)?) != self.key {
            return Err(changed_meanwhile());
        }
        self.load(&now, context).await
    }
}
