//! What happened, and what the product is told: entries of the activity, and events.
//!
//! Holds: [`Scribe`], which words them, and the check of a chain.
//! Promises: no secret and no body of a note is in either; an entry that is edited or removed before the last exported
//! head is found; a detail can be erased without breaking its chain.
//! Leaves to others: keeping them (`store`), when something is worth an entry (the rooms).

use crate::clock::{Clock, Random};
use crate::store::{Chain, Entry, NewEvent, Place, Record, StoredEntry};
use crate::vault::{Vault, VaultError, digest};
use psa_host_api::Error;
use serde_json::{Value, json};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Who does what nobody asked for.
pub(crate) const HOST: &str = "host";

/// The longest name of who did it.
const ACTOR_CHARS_MAX: usize = 256;

tokio::task_local! {
    /// The request that is being answered, if it came in through a page.
    static ORIGIN: Origin;
}

/// Where a person's request came from. Every entry that is made while it is answered carries it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) request_id: Option<String>,
    pub(crate) remote_addr: Option<std::net::IpAddr>,
}

/// Does something on behalf of a request.
pub(crate) async fn within<T>(origin: Origin, work: impl Future<Output = T>) -> T {
    ORIGIN.scope(origin, work).await
}

/// The detail of an entry, with where it came from.
fn with_origin(detail: &Value) -> String {
    let came = ORIGIN.try_with(Clone::clone).unwrap_or_default();
    let (Some(map), true) = (detail.as_object(), came != Origin::default()) else { return detail.to_string() };
    let mut map = map.clone();
    map.insert("request".to_owned(), json!({"id": came.request_id, "remote_addr": came.remote_addr}));
    Value::Object(map).to_string()
}

/// Words entries and events.
pub(crate) struct Scribe {
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// The chain's mac, keyed with the store's own secret.
struct Pepper(Zeroizing<[u8; 32]>);

impl Chain for Pepper {
    fn mac(&self, before: &[u8], seq: i64, at: i64, words: [&str; 5], commitment: &[u8]) -> [u8; 32] {
        let (seq, at) = (seq.to_be_bytes(), at.to_be_bytes());
        let [tenant, actor, action, connection, subject] = words.map(str::as_bytes);
        digest(&self.0, "activity", &[before, &seq, &at, tenant, actor, action, connection, subject, commitment])
    }
}

impl Scribe {
    pub(crate) fn new(vault: Arc<Vault>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Scribe {
        Scribe { vault, clock, random }
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now_unix_ms()
    }

    /// An entry of a tenant's activity.
    pub(crate) fn entry(
        &self,
        place: &Place,
        actor: &str,
        action: &'static str,
        subject: Option<&str>,
        detail: &Value,
    ) -> Result<Entry, Error> {
        let pepper = self.vault.pepper()?.clone();
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        let detail = with_origin(detail);
        let commitment = digest(&pepper, "detail", &[&salt, detail.as_bytes()]);
        Ok(Entry {
            tenant: place.tenant.clone(),
            at: self.now(),
            // Whoever it is; a name is no place for a text.
            actor: actor.chars().filter(|c| !c.is_control()).take(ACTOR_CHARS_MAX).collect(),
            action,
            connection: Some(place.connection.clone()).filter(|connection| !connection.is_empty()),
            subject: subject.map(str::to_owned),
            detail,
            salt,
            commitment,
            chain: Arc::new(Pepper(pepper)),
        })
    }

    /// An event for the product.
    pub(crate) fn event(&self, tenant: &str, kind: &'static str, body: Value) -> NewEvent {
        NewEvent { tenant: tenant.to_owned(), kind, at: self.now(), body }
    }

    /// An entry and an event of the same name.
    pub(crate) fn both(
        &self,
        place: &Place,
        actor: &str,
        kind: &'static str,
        subject: Option<&str>,
        body: Value,
    ) -> Result<Record, Error> {
        let entries = vec![self.entry(place, actor, kind, subject, &body)?];
        Ok(Record { entries, events: vec![self.event(&place.tenant, kind, body)] })
    }

    /// Checks that `entry` follows one with the mac `before` and sequence `seq - 1`.
    pub(crate) fn follows(&self, tenant: &str, before: &[u8], entry: &StoredEntry) -> Result<bool, VaultError> {
        let pepper = self.vault.pepper()?;
        let words = [
            tenant,
            entry.actor.as_str(),
            &entry.action,
            entry.connection.as_deref().unwrap_or_default(),
            entry.subject.as_deref().unwrap_or_default(),
        ];
        let mac = Pepper(pepper.clone()).mac(before, entry.seq, entry.at, words, &entry.commitment);
        // An erased detail has no salt either; what is left is covered by the mac.
        let detail = match (&entry.detail, &entry.salt) {
            (Some(detail), Some(salt)) => digest(pepper, "detail", &[salt, detail.as_bytes()])[..] == entry.commitment,
            (None, None) => true,
            _ => false,
        };
        Ok(detail && mac[..] == entry.mac)
    }
}
