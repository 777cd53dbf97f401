//! Control doors for mails, documents, rights and the key of the API member.
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
        ("POST", "account") => exchange(world, order),
        _ => return None,
    })
}

/// A person makes a new private key and takes the old one back.
fn exchange(world: &mut World, order: &Value) -> Result<Value, String> {
    let key = order["private_key"].as_str().filter(|key| !key.is_empty()).ok_or("private_key must be a text")?;
    key.clone_into(&mut world.account.private_key);
    Ok(json!({}))
}
