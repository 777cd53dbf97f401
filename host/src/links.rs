//! Ticket links: tying two tickets, untying them, tying one to another.
//!
//! Promises: what is not there, or went into another ticket, is not linked; a link with operations that have not ended is
//! left alone; each of these names who did it and is an entry of the activity.
//! Leaves to others: what is sent through a link (`outbox`), what its ticket shows (`callbacks`), rows (`store`).

use crate::check::check_word;
use crate::core::Core;
use crate::plugin::CallContext;
use crate::store::{LinkState, Place, Record, StoredLink};
use psa_host_api::model::Ticket;
use psa_host_api::ops;
use psa_host_api::{Code, Error};
use serde_json::{Value, json};

/// Ties a ticket of the product to one of the PSA.
pub(crate) async fn create(
    core: &Core,
    place: Place,
    product_ticket: String,
    ticket: String,
    by: &str,
    context: &CallContext,
) -> Result<StoredLink, Error> {
    check_word("product_ticket", &product_ticket)?;
    // From before it was read: what changes meanwhile is newer than the link.
    let now = core.clock.now_unix_ms();
    let found = there(core, &place, ticket, context).await?;
    let link = new_link(core, place, product_ticket, &found, now);
    let record = created(core, &link, by)?;
    core.store.link(link.clone(), record).await?;
    first_reading(core, &link, &found).await;
    Ok(link)
}

/// Unties them.
pub(crate) async fn unlink(core: &Core, tenant: &str, link: &str, by: &str) -> Result<StoredLink, Error> {
    let before = core.outbox.link_of(tenant, link)?;
    may_end(core, &before)?;
    let record = removed(core, &before, by)?;
    core.store.unlink(tenant, link, core.clock.now_unix_ms(), record).await?;
    core.outbox.link_of(tenant, link)
}

/// Ties the product's ticket of a link to this ticket of the PSA: to the same one again, or to another one. A link that is
/// whole is untied only if the new one is there in its place.
pub(crate) async fn relink(
    core: &Core,
    before: StoredLink,
    ticket: String,
    by: &str,
    context: &CallContext,
) -> Result<StoredLink, Error> {
    let StoredLink { place, link: old, product_ticket, .. } = before.clone();
    if matches!(before.state, LinkState::Unlinked | LinkState::Failed) {
        return create(core, place, product_ticket, ticket, by, context).await;
    }
    may_end(core, &before)?;
    let now = core.clock.now_unix_ms();
    let found = there(core, &place, ticket, context).await?;
    if before.ticket.as_ref() == Some(&found.id) {
        let message = format!("it is linked to ticket {} already", found.id);
        return Err(Error::new(Code::Conflict, message).because("same_ticket"));
    }
    let link = new_link(core, place, product_ticket, &found, now);
    let mut record = removed(core, &before, by)?;
    let added = created(core, &link, by)?;
    record.entries.extend(added.entries);
    record.events.extend(added.events);
    if !core.store.replace_link(&old, link.clone(), record).await? {
        let message = "somebody else has changed this link meanwhile; look again";
        return Err(Error::new(Code::Conflict, message).because("changed_meanwhile"));
    }
    first_reading(core, &link, &found).await;
    Ok(link)
}

fn created(core: &Core, link: &StoredLink, by: &str) -> Result<Record, Error> {
    core.scribe.both(&link.place, by, "link.created", Some(&link.link), body_of(link))
}

fn removed(core: &Core, link: &StoredLink, by: &str) -> Result<Record, Error> {
    core.scribe.both(&link.place, by, "link.removed", Some(&link.link), body_of(link))
}

fn body_of(link: &StoredLink) -> Value {
    json!({"link": link.link, "connection": link.place.connection, "product_ticket": link.product_ticket,
        "ticket": link.ticket})
}

/// A ticket that can be linked. What does not exist cannot be; a merged ticket leads to the one it went into.
async fn there(core: &Core, place: &Place, ticket: String, context: &CallContext) -> Result<Ticket, Error> {
    let request = ops::GetTicketRequest { ticket };
    let found = core.connections.run::<ops::GetTicket>(place, &request, context).await?;
    if let Some(other) = &found.merged_into {
        let message = format!("ticket {} was merged into {other}; link that one", found.id);
        let mut error = Error::new(Code::Conflict, message).because("ticket_merged");
        error.details = Some(json!({"merged_into": other}));
        return Err(error);
    }
    Ok(found)
}

fn new_link(core: &Core, place: Place, product_ticket: String, found: &Ticket, now: i64) -> StoredLink {
    StoredLink {
        link: core.outbox.new_id("l_"),
        product_ticket,
        ticket: Some(found.id.clone()),
        state: LinkState::Linked,
        reference: core.outbox.new_id("psa-bridge "),
        created: now,
        changed: now,
        place,
    }
}

async fn first_reading(core: &Core, link: &StoredLink, found: &Ticket) {
    if let Err(error) = core.callbacks.linked(link, found).await {
        // It is linked all the same; what its notes were is found out with its next change.
        core.callbacks.unread(link, &error);
    }
}

fn may_end(core: &Core, link: &StoredLink) -> Result<(), Error> {
    if link.state == LinkState::Creating {
        let message = "its ticket is still being created; discard that operation first";
        return Err(Error::new(Code::Conflict, message).because("creating"));
    }
    let waiting = core.store.waiting_on(&link.place.tenant, &link.link)?;
    if waiting > 0 {
        // A new link of the same tickets would be a second lane beside this one.
        let message = format!("{waiting} operations of this link have not ended; wait for them, or discard them");
        return Err(Error::new(Code::Conflict, message).because("waiting"));
    }
    Ok(())
}
