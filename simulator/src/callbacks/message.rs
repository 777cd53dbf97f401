//! What is sent: URL and body. Source: facts 11.3 and 11.4.
//!
//! Promises: the URL is made by the vendor's raw rule, nothing in it is encoded or looked at.

use super::Event;
use super::switches::Switches;
use crate::world::World;
use serde_json::{Value, json};

/// The registered URL with the id as raw text behind it, and the action.
pub(crate) fn url(registered: &str, id: u64, action: &str) -> String {
    let mark = if registered.contains('?') { "" } else { "?" };
    format!("{registered}{mark}{id}&action={action}")
}

/// Where the company's signing key is said to be; with the double slash that recorded messages have.
pub(crate) fn key_url(world: &World, key_id: &str) -> String {
    let (base, company) = (&world.base, &world.account.company);
    let codebase = &world.switches.codebase;
    format!("{base}/{codebase}//system/callbackkey/index.rails?companyName={company}&id={key_id}")
}

/// The text of a record inside of a message: a string of JSON, or null when it is gone.
pub(crate) fn entity(event: &Event) -> Value {
    if event.action == "deleted" { Value::Null } else { json!(event.record.to_string()) }
}

/// The body for an entry; members in the order of the alphabet, as they are recorded.
pub(crate) fn body(world: &World, event: &Event, entity: &Value, entry: u64, message_id: &str) -> Value {
    let switches = &world.callbacks.switches;
    let mut body = json!({
        "Action": event.action,
        "CallbackObjectRecId": entry,
        "CompanyId": world.account.company,
        "Entity": entity,
        "FromUrl": world.base.split("://").nth(1),
        "ID": event.id,
        "MemberId": event.by,
        "MessageId": message_id,
        "Metadata": {"key_url": key_url(world, &world.registry.keys.current().id)},
        "Type": type_name(&event.kind, switches),
    });
    if !switches.no_instance_id {
        body["PartnerId"] = json!(world.registry.partner_id);
        body["ProductInstanceId"] = json!(world.registry.instance_id);
    }
    body
}

/// Lower case as recorded, or as the vendor's page writes it.
fn type_name(kind: &str, switches: &Switches) -> String {
    let mut name = kind.to_owned();
    if switches.upper_case_type
        && let Some(first) = name.get_mut(..1)
    {
        first.make_ascii_uppercase();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: facts 11.3 and the vendor's page.
    #[test]
    fn the_id_is_glued_to_whatever_the_url_ends_with() {
        for (registered, sent) in [
            ("https://a.example/x", "https://a.example/x?7601&action=updated"),
            ("https://a.example/x?recordId=", "https://a.example/x?recordId=7601&action=updated"),
            ("https://a.example?p=5&q=6", "https://a.example?p=5&q=67601&action=updated"),
            ("https://a.example/x?", "https://a.example/x?7601&action=updated"),
        ] {
            assert_eq!(url(registered, 7601, "updated"), sent);
        }
    }
}
