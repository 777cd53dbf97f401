//! Control doors for mails, documents and rights.
//!
//! Leaves to others: what they show (`mails`, `documents`, `rights`), the other doors (`control`).

use super::{documents, rights};
use crate::world::World;
use serde_json::{Value, json};

/// `None`: there is no such door. An error says what is possible.
pub(crate) fn door(world: &mut World, method: &str, door: &str, order: &Value) -> Option<Result<Value, String>> {
    Some(match (method, door) {
        ("GET", "mails") => Ok(world.state.all_mails()),
        ("GET", "documents") => Ok(documents::kept(world)),
        ("GET", "rights") => Ok(rights::list(world)),
        ("POST", "rights") => rights::deny(world, order).map(|()| json!({})),
        _ => return None,
    })
}
