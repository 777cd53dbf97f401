//! Methods of members.

use super::paging::Walk;
use crate::cache::Kind;
use crate::core::Core;
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::model::{Member, Page, PageRequest};
use psa_host_api::ops;
use schemars::JsonSchema;
use serde::Deserialize;

/// Parameters of members.list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

pub(crate) async fn list(core: &Core, params: List, context: &CallContext) -> Result<Page<Member>, Error> {
    let List { tenant, connection, page } = params;
    page_of(core, &Place { tenant, connection }, page, context).await
}

async fn page_of(core: &Core, place: &Place, page: PageRequest, context: &CallContext) -> Result<Page<Member>, Error> {
    let request = ops::ListMembersRequest { page };
    core.cached::<ops::ListMembers>(place, Kind::Members, "", &request, context).await
}

/// All of them, to the last page.
pub(super) async fn all_members(core: &Core, place: &Place, context: &CallContext) -> Result<Vec<Member>, Error> {
    let mut members = Vec::new();
    let (mut page, mut walk) = (PageRequest::default(), Walk::default());
    loop {
        let found = page_of(core, place, page, context).await?;
        members.extend(found.items);
        match walk.next(found.next)? {
            Some(next) => page = next,
            None => return Ok(members),
        }
    }
}
