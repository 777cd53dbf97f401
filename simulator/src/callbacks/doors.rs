//! Doors of the control side that are about callbacks, and those that take a while.
//!
//! Promises: none of them holds the world while it waits.
//! Leaves to others: messages by order (`order`), changes in bulk (`connectwise::churn`), all other doors (`control`).

use super::{order, registry};
use crate::connectwise::{churn, edit};
use crate::control::{done, wrong};
use crate::http::{Asked, Reply};
use crate::world::{Shared, World};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long a settling is waited for.
const SETTLE_TIME: Duration = Duration::from_secs(30);

/// Answers what is here; `None`: it is another door.
pub(crate) async fn answer(asked: &Asked, shared: &Arc<Shared>) -> Option<Reply> {
    let parts: Vec<&str> = asked.path.trim_start_matches("/_sim/").split('/').collect();
    let body = asked.body_value();
    Some(match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["callbacks"]) => Reply::json(200, &registered(&shared.lock())),
        ("POST", ["callbacks", "send"]) => order::send(shared, &body).await,
        ("POST", ["callbacks", "disable"]) => disable(&mut shared.lock(), &body),
        ("GET", ["deliveries"]) => {
            let world = shared.lock();
            Reply::json(200, &world.callbacks.sent.list(*world.callbacks.open().borrow()))
        }
        ("DELETE", ["deliveries"]) => {
            shared.lock().callbacks.sent.clear();
            done()
        }
        ("POST", ["deliveries", "settle"]) => settle(shared).await,
        ("GET", ["key"]) => Reply::json(200, &keys(&mut shared.lock())),
        ("POST", ["key"]) => rotate(&mut shared.lock(), &body),
        ("POST", ["tickets", "churn"]) => churn::run(shared, &body).await,
        ("POST", [resource @ ("members" | "companies" | "contacts" | "statuses"), id]) => {
            match edit(&mut shared.lock(), resource, id.parse().unwrap_or_default(), &body) {
                Ok(record) => Reply::json(200, &record),
                Err(why) => wrong(&why),
            }
        }
        _ => return None,
    })
}

fn registered(world: &World) -> Value {
    json!({"items": world.registry.entries.iter().map(|entry| &entry.record).collect::<Vec<_>>()})
}

/// Switches entries off as the PSA does by itself: `{"id"}` or `{"all":true}`.
fn disable(world: &mut World, body: &Value) -> Reply {
    let now = world.now_text();
    let (all, id) = (body["all"] == true, body["id"].as_u64());
    let meant = world.registry.entries.iter_mut().filter(|entry| all || Some(entry.id()) == id);
    let mut count = 0;
    for entry in meant.filter(|entry| entry.is_active()) {
        entry.disable(&now);
        count += 1;
    }
    if count == 0 {
        return wrong("id must be that of an active callback entry, or all true");
    }
    Reply::json(200, &json!({"disabled": count}))
}

/// Answers when nothing waits, is under way or will be tried again.
async fn settle(shared: &Shared) -> Reply {
    let mut open = shared.lock().callbacks.open();
    let waited = tokio::time::timeout(SETTLE_TIME, open.wait_for(|open| *open == 0)).await.is_ok();
    let open = *open.borrow();
    Reply::json(200, &json!({"settled": waited, "open": open}))
}

/// The signing keys of all companies, the one that signs last.
fn keys(world: &mut World) -> Value {
    let companies: Vec<String> = std::iter::once(&world.account)
        .chain(world.neighbours.iter().map(|tenant| &tenant.account))
        .map(|account| account.company.clone())
        .collect();
    let of = |company: &String| {
        let keys = world.as_company(company, |world| {
            let keys = world.registry.keys.all().iter();
            keys.map(|key| json!({"id": key.id, "signing_key": key.secret, "key_url": super::message::key_url(world, &key.id)}))
                .collect::<Vec<_>>()
        });
        json!({"company": company, "keys": keys})
    };
    json!({"items": companies.iter().map(of).collect::<Vec<_>>()})
}

/// `{"rotate":true,"company"?}`: another key signs from now on.
fn rotate(world: &mut World, body: &Value) -> Reply {
    if body["rotate"] != true {
        return wrong("rotate must be true");
    }
    let next = registry::new_key(&mut world.callbacks.random);
    let company = body["company"].as_str().unwrap_or(&world.account.company).to_owned();
    let rotated = world.as_company(&company, |world| {
        let key_url = super::message::key_url(world, &next.id);
        let answer = json!({"id": next.id, "signing_key": next.secret, "key_url": key_url});
        world.registry.keys.rotate(next);
        answer
    });
    rotated.map_or_else(|| wrong("there is no such company"), |answer| Reply::json(200, &answer))
}
