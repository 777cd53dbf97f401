//! Signing keys, and signatures by them. Source: facts 11.7.
//!
//! Promises: a key is never forgotten, so that what it has signed can be made again; whether an old one is still handed
//! out is a switch. The crypto is `ring`, not what a plugin would use: shared code could be wrong on both sides alike.
//! Leaves to others: handing keys out (`connectwise::callback_key`).

use base64::Engine as _;
use ring::{digest, hmac};

/// A key and the id it is asked for by.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// The keys of a company, the one that signs last.
#[derive(Debug)]
pub(crate) struct Keys {
    all: Vec<Key>,
    current: Key,
}

impl Keys {
    pub(crate) fn new(first: Key) -> Keys {
        Keys { all: vec![first.clone()], current: first }
    }

    /// The one that signs.
    pub(crate) fn current(&self) -> &Key {
        &self.current
    }

    /// The one before it; the only one where there was none.
    pub(crate) fn old(&self) -> &Key {
        self.all.iter().rev().nth(1).unwrap_or(&self.current)
    }

    /// From now on another one signs.
    pub(crate) fn rotate(&mut self, next: Key) {
        self.all.push(next.clone());
        self.current = next;
    }

    pub(crate) fn all(&self) -> &[Key] {
        &self.all
    }

    /// The key with this id; an old one only if those are still known.
    pub(crate) fn find(&self, id: &str, old_too: bool) -> Option<&Key> {
        self.all.iter().find(|key| key.id == id).filter(|key| old_too || key.id == self.current.id)
    }
}

/// The header's value for a body: the key of the HMAC is the hash of the secret's text, as raw bytes.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    let key = digest::digest(&digest::SHA256, secret.as_bytes());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), body);
    base64::engine::general_purpose::STANDARD.encode(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY_A: &str = r#"{"Action":"updated","CallbackObjectRecId":26604,"CompanyId":"northwind","Entity":"{\"id\":7601,\"summary\":\"Printer offline\",\"recordType\":\"ServiceTicket\"}","FromUrl":"psa.example.com","ID":7601,"MemberId":"jdoe","MessageId":"00000000-0000-4000-8000-000000000001","Metadata":{"key_url":"https://psa.example.com/v4_6_release/system/callbackkey/index.rails?companyName=northwind&id=00000000-0000-4000-8000-000000000002"},"Type":"ticket"}"#;

    /// Source: facts 11.8, both vectors.
    #[test]
    fn the_known_bodies_have_their_known_signatures() {
        assert_eq!(BODY_A.len(), 440);
        let of_a = signature("N0rthw1nd-Sample-Signing-Key", BODY_A.as_bytes());
        assert_eq!(of_a, "M6dMPKGP8tns+pXSbRrnT58VCclxbxwE34DRhYf537Q=");
        assert_eq!(signature("abc", b"{}"), "RRQJ5sboyQMYZ2MN+3h4IqG1B8bomsJpfVwCi3nV1hM=");
    }

    #[test]
    fn an_old_key_is_found_only_while_old_keys_are_known() {
        let key = |id: &str| Key { id: id.to_owned(), secret: format!("secret of {id}") };
        let mut keys = Keys::new(key("a"));
        assert_eq!(keys.old().id, "a");
        keys.rotate(key("b"));
        assert_eq!((keys.current().id.as_str(), keys.old().id.as_str()), ("b", "a"));
        assert!(keys.find("a", true).is_some() && keys.find("a", false).is_none());
        assert!(keys.find("b", false).is_some() && keys.find("c", true).is_none());
    }
}
