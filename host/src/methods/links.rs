//! Methods of ticket links.

use super::paging::{self, Paged};
use crate::clock::rfc3339;
use crate::core::Core;
use crate::plugin::CallContext;
use crate::store::{LinkFilter, LinkState, Place, StoredLink};
use psa_host_api::model::{Page, PageRequest};
use psa_host_api::ops;
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

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
    super::check_word("product_ticket", &product_ticket)?;
    let place = Place { tenant, connection };
    // What does not exist cannot be linked; a merged ticket leads to the one it went into.
    let request = ops::GetTicketRequest { ticket };
    let now = core.clock.now_unix_ms();
    let found = core.connections.run::<ops::GetTicket>(&place, &request, context).await?;
    if let Some(other) = &found.merged_into {
        let message = format!("ticket {} was merged into {other}; link that one", found.id);
        let mut error = Error::new(Code::Conflict, message).because("ticket_merged");
        error.details = Some(json!({"merged_into": other}));
        return Err(error);
    }
    let link = StoredLink {
        link: core.outbox.new_id("l_"),
        product_ticket,
        ticket: Some(found.id.clone()),
        state: LinkState::Linked,
        reference: core.outbox.new_id("psa-bridge "),
        created: now,
        changed: now,
        place,
    };
    let body = json!({"link": link.link, "connection": link.place.connection,
        "product_ticket": link.product_ticket, "ticket": link.ticket});
    let record = core.scribe.both(&link.place, &by, "link.created", Some(&link.link), body)?;
    core.store.link(link.clone(), record).await?;
    if let Err(error) = core.callbacks.linked(&link, &found).await {
        // It is linked all the same; what its notes were is found out with its next change.
        core.callbacks.unread(&link, &error);
    }
    Ok(link.into())
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
    let before = stored(core, &tenant, &link)?;
    if before.state == LinkState::Creating {
        let message = "its ticket is still being created; discard that operation first";
        return Err(Error::new(Code::Conflict, message).because("creating"));
    }
    let waiting = core.store.waiting_on(&tenant, &link)?;
    if waiting > 0 {
        // A new link of the same tickets would be a second lane beside this one.
        let message = format!("{waiting} operations of this link have not ended; wait for them, or discard them");
        return Err(Error::new(Code::Conflict, message).because("waiting"));
    }
    let body = json!({"link": link, "connection": before.place.connection,
        "product_ticket": before.product_ticket, "ticket": before.ticket});
    let record = core.scribe.both(&before.place, &by, "link.removed", Some(&link), body)?;
    core.store.unlink(&tenant, &link, core.clock.now_unix_ms(), record).await?;
    stored(core, &tenant, &link).map(Link::from)
}
