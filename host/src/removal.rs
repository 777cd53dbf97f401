//! Ending a connection: disconnecting, deleting.
//!
//! Promises: the PSA is told first that nothing is to be delivered any more, while there are credentials to tell it with;
//! what it did not take back is named, and leads to a door that answers 410.
//! Leaves to others: the rules of a connection's life (`connections`), the registrations (`callbacks`).

use crate::callbacks::Withdrawn;
use crate::connections::Connection;
use crate::core::{Core, blocking};
use crate::store::{Dependents, Place};
use psa_host_api::Error;

/// What stays registered at the PSA.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Left {
    /// "Ticket owner 1", and the provider's id.
    pub(crate) items: Vec<(String, String)>,
    /// Why it could not be taken back; for people.
    pub(crate) why: Option<String>,
}

impl Left {
    fn of(withdrawn: &Withdrawn) -> Left {
        let named = withdrawn
            .left
            .iter()
            .filter_map(|row| Some((format!("{} {} {}", row.kind, row.level, row.object), row.remote.clone()?)));
        Left { items: named.collect(), why: withdrawn.why.clone() }
    }
}

/// Forgets the credentials; links, mappings and history stay.
pub(crate) async fn disconnect(core: &Core, place: &Place, by: &str) -> Result<(Connection, Left), Error> {
    let withdrawn = withdraw(core, place).await?;
    let left = withdrawn.as_ref().map(Left::of).unwrap_or_default();
    Ok((core.connections.disconnect(place, by).await?, left))
}

/// Forgets a connection with all that belongs to it. `waiting`: how many of its operations have not ended.
pub(crate) async fn delete(core: &Core, place: &Place, waiting: u64, by: &str) -> Result<(Dependents, Left), Error> {
    let right = core.store.dependents(place)?.waiting == waiting;
    let withdrawn = if right { withdraw(core, place).await? } else { None };
    let left = withdrawn.as_ref().map(Left::of).unwrap_or_default();
    let gone = core.connections.delete(place, waiting, by).await?;
    let store = core.store.clone();
    blocking(move || Ok(store.shrink()?)).await?;
    Ok((gone, left))
}

/// While there are credentials, the PSA is told that nothing is to be delivered any more.
async fn withdraw(core: &Core, place: &Place) -> Result<Option<Withdrawn>, Error> {
    core.connections.exists(place)?;
    if core.environment.is_ours() { core.callbacks.withdraw(place).await.map(Some) } else { Ok(None) }
}

/// The same for all connections of a tenant.
pub(crate) async fn withdraw_all(core: &Core, tenant: &str) -> Result<(), Error> {
    let mut after = String::new();
    loop {
        let page = core.store.list(tenant, &after, 100)?;
        let Some(last) = page.last() else { return Ok(()) };
        last.place.connection.clone_into(&mut after);
        for stored in page {
            withdraw(core, &stored.place).await?;
        }
    }
}
