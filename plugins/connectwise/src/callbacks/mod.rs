//! Callbacks: what is registered, and what comes in.
//!
//! Holds: the operations about registrations.
//! Promises: only the entry that was named is touched, because the list shows those of other products too (source:
//! facts 11.2); what the answer does not show is no success.
//! Leaves to others: which pairs exist (`catalogue`), how an entry looks (`entry`), what comes in (`receive`).

mod catalogue;
mod entry;
mod key;
mod message;
mod receive;

pub(crate) use receive::receive;

use crate::client::{Ask, Client, Query, number};
use crate::map::Record;
use crate::paging::{self, Order};
use crate::settings::Hearing;
use psa_host_api::model::{Page, Subscription, WantedSubscription};
use psa_host_api::ops::{
    CreateSubscriptionRequest, DeleteSubscriptionRequest, DesiredSubscriptions, DesiredSubscriptionsRequest,
    ListSubscriptionsRequest, Nothing, UpdateSubscriptionRequest,
};
use psa_host_api::sdk::Cx;
use psa_host_api::{Code, Error};

/// What a connection lives by: its tickets, and its members, whose changes break mappings. `owner` is everything of a
/// type; a narrower level stops firing when a ticket leaves it. Source: facts 11.1.
const WANTED: [&str; 2] = ["ticket", "member"];

pub(crate) fn desired(hearing: &Hearing, request: &DesiredSubscriptionsRequest) -> Result<DesiredSubscriptions, Error> {
    let mut desired = DesiredSubscriptions {
        catalogue: catalogue::whole(),
        poll_every_ms: hearing.poll_every_ms,
        ..DesiredSubscriptions::default()
    };
    let Some(address) = request.address.as_ref().filter(|_| !hearing.silent) else { return Ok(desired) };
    let address = entry::registered(address, "/address")?;
    let wanted = |kind: &&str| {
        // A ticket that leaves the board is not told of any more; the host's own looks find it.
        let board = hearing.board.as_deref().filter(|_| *kind == "ticket");
        let (level, object) =
            board.map_or((catalogue::OWNER, catalogue::OBJECT_OF_OWNER), |board| (catalogue::BOARD, board));
        WantedSubscription {
            kind: (*kind).to_owned(),
            level: level.to_owned(),
            object: object.to_owned(),
            address: address.clone(),
        }
    };
    desired.items = WANTED.iter().map(wanted).collect();
    Ok(desired)
}

pub(crate) async fn list(
    client: &Client,
    cx: &Cx,
    request: ListSubscriptionsRequest,
) -> Result<Page<Subscription>, Error> {
    let order = Order::OldestNumbered;
    let read = |record: Record<'_>| Ok(entry::subscription_from(record));
    paging::list_by(order, client, cx, "system/callbacks", Query::new(), &request.page, read).await
}

pub(crate) async fn create(
    client: &Client,
    cx: &Cx,
    request: CreateSubscriptionRequest,
) -> Result<Subscription, Error> {
    let asked = entry::check(&request)?;
    let made = Record::of(client.write(cx, "POST", "system/callbacks", &asked.body()).await?)?;
    let made = entry::subscription_from(made);
    asked.compare(&made)?;
    Ok(made)
}

pub(crate) async fn update(
    client: &Client,
    cx: &Cx,
    request: UpdateSubscriptionRequest,
) -> Result<Subscription, Error> {
    let path = path(&request.subscription)?;
    let Some(inactive) = request.inactive else {
        return Ok(entry::subscription_from(Record::of(client.get(cx, &path, &Query::new()).await?)?));
    };
    let after = Record::of(client.write(cx, "PATCH", &path, &entry::rest_patch(inactive)).await?)?;
    let after = entry::subscription_from(after);
    if after.inactive != inactive {
        let message = format!(
            "ConnectWise accepted the change of callback {} and shows it as {}",
            after.id,
            if after.inactive { "inactive" } else { "active" }
        );
        return Err(entry::not_applied(message, "inactive", &inactive.into(), &after.inactive.into()));
    }
    Ok(after)
}

pub(crate) async fn delete(client: &Client, cx: &Cx, request: DeleteSubscriptionRequest) -> Result<Nothing, Error> {
    let ask = Ask::new("DELETE", path(&request.subscription)?);
    match client.write_as(cx, &ask, |request| request).await {
        Ok(_) => Ok(Nothing {}),
        // Only if ConnectWise says so itself: a missing page is a wrong address. Source: facts 5.2.
        Err(error) if error.code == Code::NotFound && of_a_record(&error) => Ok(Nothing {}),
        Err(error) => Err(error),
    }
}

fn of_a_record(error: &Error) -> bool {
    error.provider.as_ref().and_then(|provider| provider.code.as_deref()) == Some("NotFound")
}

fn path(subscription: &str) -> Result<String, Error> {
    Ok(format!("system/callbacks/{}", number(subscription, "subscription")?))
}
