//! The provider's lists: who works there, and what a ticket is made of.
//!
//! Holds: a page of one, through the cache; the whole of one; pages that are read ahead (`ahead`).
//! Promises: a list that has no end is an error, not a loop; what was read a short while ago is not read again.
//! Leaves to others: what is done with them (`methods`, `mappings`).

pub(crate) mod ahead;

use crate::cache::Kind;
use crate::core::Core;
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::model::{CatalogEntry, CatalogKind, Member, Page, PageRequest};
use psa_host_api::ops;

/// A page of members.
pub(crate) async fn members(
    core: &Core,
    place: &Place,
    page: PageRequest,
    context: &CallContext,
) -> Result<Page<Member>, Error> {
    let request = ops::ListMembersRequest { page };
    core.cached::<ops::ListMembers>(place, Kind::Members, "", &request, context).await?.read()
}

/// All of them, to the last page.
pub(crate) async fn all_members(core: &Core, place: &Place, context: &CallContext) -> Result<Vec<Member>, Error> {
    members_told(core, place, context, &|_| ()).await
}

/// The same; `tell` hears after each page how many there are so far.
pub(crate) async fn members_told(
    core: &Core,
    place: &Place,
    context: &CallContext,
    tell: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Member>, Error> {
    let mut all = Vec::new();
    let (mut page, mut walk) = (PageRequest::default(), Walk::default());
    loop {
        let found = members(core, place, page, context).await?;
        all.extend(found.items);
        tell(all.len() as u64);
        match walk.next(found.next)? {
            Some(next) => page = next,
            None => return Ok(all),
        }
    }
}

/// A page of a list of the catalog.
pub(crate) async fn catalog(
    core: &Core,
    place: &Place,
    kind: CatalogKind,
    scope: Option<String>,
    page: PageRequest,
    context: &CallContext,
) -> Result<Page<CatalogEntry>, Error> {
    let entity = format!("{kind:?}");
    let request = ops::ListCatalogRequest { kind, scope, page };
    core.cached::<ops::ListCatalog>(place, Kind::Catalog, &entity, &request, context).await?.read()
}

/// A whole list of the catalog, to the last page.
pub(crate) async fn whole_catalog(
    core: &Core,
    place: &Place,
    kind: CatalogKind,
    scope: Option<&str>,
    context: &CallContext,
) -> Result<Vec<CatalogEntry>, Error> {
    let mut entries = Vec::new();
    let (mut page, mut walk) = (PageRequest::default(), Walk::default());
    loop {
        let found = catalog(core, place, kind, scope.map(str::to_owned), page, context).await?;
        entries.extend(found.items);
        match walk.next(found.next)? {
            Some(next) => page = next,
            None => return Ok(entries),
        }
    }
}

/// A list that goes on for ever is not a list.
const PAGES_MAX: usize = 1_000;

/// Follows a provider's pages to the last one: each cursor once, and not for ever.
#[derive(Default)]
pub(crate) struct Walk {
    seen: std::collections::HashSet<String>,
}

impl Walk {
    /// The request of the next page, if there is one.
    pub(crate) fn next(&mut self, cursor: Option<String>) -> Result<Option<PageRequest>, Error> {
        let Some(cursor) = cursor else { return Ok(None) };
        if self.seen.len() >= PAGES_MAX || !self.seen.insert(cursor.clone()) {
            let message = "the provider's list has no end: a page leads back to an earlier one";
            return Err(Error::new(psa_host_api::Code::Unavailable, message).because("endless"));
        }
        Ok(Some(PageRequest { cursor: Some(cursor), limit: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_ends_at_a_cursor_that_comes_again() {
        let mut walk = Walk::default();
        assert_eq!(walk.next(None).unwrap(), None);
        assert!(walk.next(Some("a".into())).unwrap().is_some() && walk.next(Some("b".into())).unwrap().is_some());
        assert_eq!(walk.next(Some("a".into())).unwrap_err().reason.as_deref(), Some("endless"));
    }
}
