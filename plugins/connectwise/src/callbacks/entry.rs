//! An entry of `/system/callbacks`.
//!
//! Promises: nothing is sent that ConnectWise would refuse or glue an id to wrongly; the answer is compared with it.

use super::catalogue;
use crate::client::number;
use crate::map::Record;
use psa_host_api::error::SpeaksOf;
use psa_host_api::model::Subscription;
use psa_host_api::ops::CreateSubscriptionRequest;
use psa_host_api::{Code, Error};
use serde_json::{Value, json};

/// In UTF-16 units. Source: facts 11.2.
const DESCRIPTION_MAX: usize = 100;

/// ConnectWise calls it with an id and an action behind. Source: facts 3.2 for the length of addresses.
const ADDRESS_MAX: usize = 1900;

/// What the id of the record is put behind. Source: facts 11.3.
const RECORD_ID: &str = "recordId=";

/// A new entry, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    kind: &'static str,
    level: &'static str,
    object: u64,
    url: String,
    description: String,
}

pub(super) fn check(request: &CreateSubscriptionRequest) -> Result<Entry, Error> {
    let wanted = &request.subscription;
    let (kind, level) = catalogue::pair(&wanted.kind, &wanted.level)?;
    let object = number(&wanted.object, "object").map_err(|_| {
        let message = format!("object must be an id of ConnectWise, a whole number, not \"{}\"", wanted.object);
        Error::invalid(message.clone()).field("/subscription/object", "id", message)
    })?;
    if level == catalogue::OWNER && wanted.object != catalogue::OBJECT_OF_OWNER {
        // Source: the vendor's page, "should be set to 1".
        let message = "object must be 1 with the level owner, whoever the owner is";
        return Err(Error::invalid(message).field("/subscription/object", "owner", message));
    }
    let length = request.description.encode_utf16().count();
    if length > DESCRIPTION_MAX || request.description.contains(char::is_control) {
        let message = format!("description has {length} characters; {DESCRIPTION_MAX} on one line can be sent");
        return Err(Error::invalid(message.clone()).field("/description", "length", message));
    }
    let url = registered(&wanted.address, "/subscription/address")?;
    if url.contains(['{', '}']) {
        let message = "the address still has a placeholder in it";
        return Err(Error::invalid(message).field("/subscription/address", "placeholder", message));
    }
    Ok(Entry { kind, level, object, url, description: request.description.clone() })
}

impl Entry {
    /// Types and levels go in lower case, as they are stored. Source: facts 11.1.
    pub(super) fn body(&self) -> Value {
        json!({"description": self.description, "url": self.url, "objectId": self.object, "type": self.kind,
               "level": self.level, "inactiveFlag": false})
    }

    /// Whether the entry that was made is the one that was asked for.
    pub(super) fn compare(&self, made: &Subscription) -> Result<(), Error> {
        let object = self.object.to_string();
        let pairs = [
            ("kind", Value::from(self.kind), Value::from(made.kind.as_str())),
            ("level", Value::from(self.level), Value::from(made.level.as_str())),
            ("object", Value::from(object), Value::from(made.object.as_str())),
            ("address", Value::from(self.url.as_str()), Value::from(made.address.as_str())),
            ("inactive", Value::from(false), Value::from(made.inactive)),
        ];
        match pairs.into_iter().find(|(_, wanted, got)| wanted != got) {
            None => Ok(()),
            Some((name, wanted, got)) => {
                let message = format!("ConnectWise made callback {} with another {name}", made.id);
                Err(not_applied(message, name, &wanted, &got))
            }
        }
    }
}

pub(super) fn not_applied(message: String, name: &str, wanted: &Value, got: &Value) -> Error {
    let mut error = Error::new(Code::Rejected, message).because("not_applied").of(SpeaksOf::Operation);
    error.details = Some(json!({"wanted": {name: wanted}, "got": {name: got}}));
    error
}

/// Lets an entry rest, or puts it to work again. Source: facts 11.2.
pub(super) fn rest_patch(inactive: bool) -> Value {
    json!([{"op": "replace", "path": "inactiveFlag", "value": inactive}])
}

/// An entry of theirs in our words.
pub(super) fn subscription_from(mut record: Record<'_>) -> Subscription {
    let mut lower = |name: &str| record.text(name).unwrap_or_default().to_lowercase();
    let (kind, level) = (lower("type"), lower("level"));
    Subscription {
        id: record.id("id").unwrap_or_default(),
        kind,
        level,
        object: record.id("objectId").unwrap_or_default(),
        address: record.text("url").unwrap_or_default(),
        description: record.text("description").unwrap_or_default(),
        inactive: record.flag("inactiveFlag").unwrap_or(false),
        updated_at: record.info("lastUpdated"),
        updated_by: record.info("updatedBy"),
        raw: record.rest(),
    }
}

/// The address as it is registered. ConnectWise puts the id behind it as raw text, so it ends in a parameter of its own.
/// Source: facts 11.3.
pub(super) fn registered(address: &str, at: &str) -> Result<String, Error> {
    let refused = |code: &str, message: &str| Err(Error::invalid(message).field(at, code, message));
    if address.len() > ADDRESS_MAX || !address.bytes().all(|byte| byte.is_ascii_graphic()) || address.contains('\\') {
        return refused(
            "address",
            "the address must be absolute, without blanks or umlauts, and of at most 1900 characters",
        );
    }
    let Some((scheme, rest)) = address.split_once("://") else {
        return refused("address", "the address must be absolute: https://…");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') || address.contains('#') {
        return refused("address", "the address must have no user and no fragment");
    }
    let host = host_of(authority);
    match scheme {
        _ if host.is_empty() => return refused("address", "the address names no host"),
        "https" => {}
        // Nobody but this machine hears it. Source: facts 11.2, https elsewhere.
        "http" if matches!(host, "localhost" | "127.0.0.1" | "[::1]") => {}
        _ => return refused("scheme", "the address must begin with https:// (http:// is for loopback only)"),
    }
    let Some((before, query)) = address.split_once('?') else { return Ok(format!("{address}?{RECORD_ID}")) };
    let own = query.split('&').filter(|pair| pair.split('=').next() == Some("recordId")).count();
    match own {
        0 if query.is_empty() => Ok(format!("{before}?{RECORD_ID}")),
        0 => Ok(format!("{}&{RECORD_ID}", address.trim_end_matches('&'))),
        // It is there already.
        1 if query.ends_with(RECORD_ID) => Ok(address.to_owned()),
        _ => refused("record_id", "the address has a recordId of its own, which is the place of the record's id"),
    }
}

/// The host without its port; empty if the port is none.
fn host_of(authority: &str) -> &str {
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority[end..].split_once(':') {
        None => authority,
        Some((host, port)) if port.parse::<u16>().is_ok() => &authority[..end + host.len()],
        Some(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use psa_host_api::model::WantedSubscription;

    #[test]
    fn an_address_ends_in_the_place_of_the_id_once() {
        for (address, expected) in [
            ("https://h.example/psa/{token}", "https://h.example/psa/{token}?recordId="),
            ("https://h.example", "https://h.example?recordId="),
            ("https://h.example/a?", "https://h.example/a?recordId="),
            ("https://h.example/a?t=1&u=2", "https://h.example/a?t=1&u=2&recordId="),
            ("https://h.example/a?t=1&", "https://h.example/a?t=1&recordId="),
            ("https://h.example/a?recordId=", "https://h.example/a?recordId="),
            ("https://h.example/a?t=1&recordId=", "https://h.example/a?t=1&recordId="),
            ("https://h.example:8443/a?x=recordId", "https://h.example:8443/a?x=recordId&recordId="),
            ("http://127.0.0.1:4000/a", "http://127.0.0.1:4000/a?recordId="),
            ("http://localhost/a", "http://localhost/a?recordId="),
            ("http://[::1]:4000/a", "http://[::1]:4000/a?recordId="),
        ] {
            let once = registered(address, "/address").unwrap();
            assert_eq!(once, expected);
            assert_eq!(registered(&once, "/address").unwrap(), expected, "never twice");
        }
        for address in [
            "",
            "h.example/a",
            "/a",
            "ftp://h.example/a",
            "http://h.example/a",
            "http://127.0.0.1.evil.example/a",
            "http://localhost@h.example/a",
            "https://user@h.example/a",
            "https:///a",
            "https://:443/a",
            "https://h.example:x/a",
            "https://h.example/a#b",
            "https://h.example/a b",
            "https://h.example/ä",
            "https://h.example\\a",
            "https://h.example/a?recordId=5",
            "https://h.example/a?recordId=5&b=1",
            "https://h.example/a?recordId=&recordId=",
            &format!("https://h.example/{}", "a".repeat(1900)),
        ] {
            assert_eq!(registered(address, "/address").unwrap_err().fields[0].at, "/address", "{address}");
        }
    }

    fn request(change: impl FnOnce(&mut CreateSubscriptionRequest)) -> CreateSubscriptionRequest {
        let subscription = WantedSubscription {
            kind: "Ticket".into(),
            level: "Owner".into(),
            object: "1".into(),
            address: "https://h.example/psa/abc".into(),
        };
        let mut request = CreateSubscriptionRequest { subscription, description: "psa-bridge".into() };
        change(&mut request);
        request
    }

    #[test]
    fn an_entry_is_checked_before_it_is_sent() {
        assert_eq!(
            check(&request(|_| {})).unwrap().body(),
            json!({"description": "psa-bridge", "url": "https://h.example/psa/abc?recordId=", "objectId": 1,
                   "type": "ticket", "level": "owner", "inactiveFlag": false})
        );
        type Row = (fn(&mut CreateSubscriptionRequest), &'static str);
        let rows: [Row; 8] = [
            (|request| request.subscription.kind = "note".into(), "/subscription/kind"),
            (|request| request.subscription.level = "vendor".into(), "/subscription/level"),
            (|request| request.subscription.object = "2".into(), "/subscription/object"),
            (
                |request| {
                    request.subscription.level = "board".into();
                    request.subscription.object = "x".into();
                },
                "/subscription/object",
            ),
            (|request| request.subscription.address = "http://h.example".into(), "/subscription/address"),
            (|request| request.subscription.address = "https://h.example/{token}".into(), "/subscription/address"),
            (|request| request.description = "x".repeat(101), "/description"),
            (|request| request.description = "a\nb".into(), "/description"),
        ];
        for (change, at) in rows {
            assert_eq!(check(&request(change)).unwrap_err().fields[0].at, at);
        }
    }

    #[test]
    fn an_entry_that_became_another_one_is_no_success() {
        let asked = check(&request(|_| {})).unwrap();
        let made = |change: fn(&mut Subscription)| {
            let kept = include_str!("../../tests/kept/callback-entry.json");
            let mut made = subscription_from(serde_json::from_str(kept).unwrap());
            change(&mut made);
            asked.compare(&made)
        };
        assert!(made(|_| {}).is_ok());
        type Row = (fn(&mut Subscription), &'static str);
        let rows: [Row; 5] = [
            (|made| made.kind = "time".into(), "kind"),
            (|made| made.level = "board".into(), "level"),
            (|made| made.object = "2".into(), "object"),
            (|made| made.address.push('x'), "address"),
            (|made| made.inactive = true, "inactive"),
        ];
        for (change, name) in rows {
            let error = made(change).unwrap_err();
            assert_eq!((error.code, error.reason.as_deref()), (Code::Rejected, Some("not_applied")));
            assert!(error.details.unwrap()["wanted"].get(name).is_some(), "{name}");
        }
    }
}
