//! Methods of ticket links.

use super::paging::{self, Paged};
use crate::clock::rfc3339;
use crate::core::Core;
use crate::links;
use crate::plugin::CallContext;
use crate::store::{LinkFilter, LinkState, Place, StoredLink};
use psa_host_api::Error;
use psa_host_api::model::{Page, PageRequest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A ticket link as the product sees it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Link {
    /// Its id.
    link: String,
    /// Through which connection.
    connection: String,
    /// The product's id of its ticket.
    product_ticket: String,
    /// The provider's id; absent while it is being created.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<String>,
    /// Where it is in its life.
    state: LinkState,
    /// RFC 3339 UTC.
    created: String,
}

impl From<StoredLink> for Link {
    fn from(row: StoredLink) -> Link {
        Link {
            link: row.link,
            connection: row.place.connection,
            product_ticket: row.product_ticket,
            ticket: row.ticket,
            state: row.state,
            created: rfc3339(row.created),
        }
    }
}

/// Parameters of links.create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Create {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The product's id of its ticket.
    product_ticket: String,
    /// The provider's id of its ticket.
    ticket: String,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

/// Parameters that name a link.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Of {
    /// Whose.
    tenant: String,
    /// Its id.
    link: String,
}

/// Parameters of links.unlink.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unlink {
    /// Whose.
    tenant: String,
    /// Its id.
    link: String,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

/// Parameters of links.list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    /// Whose.
    tenant: String,
    /// Only those of this connection.
    #[serde(default)]
    connection: Option<String>,
    /// Only those of this ticket of the product.
    #[serde(default)]
    product_ticket: Option<String>,
    /// Only those of this ticket of the PSA.
    #[serde(default)]
    ticket: Option<String>,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

pub(crate) async fn create(core: &Core, params: Create, context: &CallContext) -> Result<Link, Error> {
    let Create { tenant, connection, product_ticket, ticket, by } = params;
    let place = Place { tenant, connection };
    links::create(core, place, product_ticket, ticket, &by, context).await.map(Link::from)
}

pub(crate) async fn get(core: &Core, params: Of, _: &CallContext) -> Result<Link, Error> {
    stored(core, &params.tenant, &params.link).map(Link::from)
}

pub(super) fn stored(core: &Core, tenant: &str, link: &str) -> Result<StoredLink, Error> {
    core.outbox.link_of(tenant, link)
}

pub(crate) async fn list(core: &Core, params: List, _: &CallContext) -> Result<Page<Link>, Error> {
    let List { tenant, connection, product_ticket, ticket, page } = params;
    let filter = LinkFilter { tenant, connection, product_ticket, ticket };
    let paged = Paged::of(&page)?;
    let found = core.store.list_links(&filter, &paged.after, paged.ask())?;
    Ok(paging::page(&paged, found, |link| link.link.clone(), Link::from))
}

pub(crate) async fn unlink(core: &Core, params: Unlink, _: &CallContext) -> Result<Link, Error> {
    let Unlink { tenant, link, by } = params;
    links::unlink(core, &tenant, &link, &by).await.map(Link::from)
}
