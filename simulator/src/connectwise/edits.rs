//! What people do to members, companies, contacts and statuses of boards, on order of a test.
//!
//! Promises: a record keeps its id; each edit is told by callbacks like any other change, but for statuses, which
//! no callback is about.
//! Leaves to others: tickets (`people`).

use super::state::id_of;
use super::{changes, people};
use crate::world::World;
use serde_json::{Value, json};

/// Puts members into a record: `{"inactiveFlag": true}`. The record afterwards; an error says what is possible.
pub(crate) fn edit(world: &mut World, resource: &str, id: u64, order: &Value) -> Result<Value, String> {
    let now = world.now_text();
    let (kind, records) = match resource {
        "members" => ("member", &mut world.state.members),
        "companies" => ("company", &mut world.state.companies),
        "contacts" => ("contact", &mut world.state.contacts),
        "statuses" => ("", &mut world.state.statuses),
        _ => return Err("one of members, companies, contacts, statuses".to_owned()),
    };
    let members = order.as_object().filter(|members| !members.is_empty() && !members.contains_key("id"));
    let members = members.ok_or("an object of members to set, without an id")?;
    let record = records.iter_mut().find(|record| id_of(record) == id).ok_or("there is no such record")?;
    for (name, value) in members {
        record[name] = value.clone();
    }
    record["_info"] = json!({"lastUpdated": now, "updatedBy": people::SOMEBODY});
    let record = record.clone();
    if !kind.is_empty() {
        changes::tell(world, kind, "updated", people::SOMEBODY, Some(record.clone()));
    }
    Ok(record)
}
