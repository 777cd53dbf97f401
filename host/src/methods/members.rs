//! Methods of members.

use crate::core::Core;
use crate::lists;
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::model::{Member, Page, PageRequest};
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
    lists::members(core, &Place { tenant, connection }, page, context).await
}
