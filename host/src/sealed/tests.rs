//! Where secrets and tokens may go, and when not.

use super::secrets::*;
use crate::clock::SystemRandom;
use crate::clock::VirtualClock;
use crate::egress::SecretSource as _;
use crate::owners::Owners;
use crate::store::{Place, Record, SealedSecret, SecretChanges, SqliteStore, Store, StoredConnection};
use crate::vault::{KeySource, Vault};
use psa_host_api::Code;
use psa_host_api::form::{Address, HostRule};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use zeroize::Zeroizing;

fn address(host: &str) -> Address {
    Address { scheme: "https".into(), host: HostRule::Exact(host.into()), port: 443 }
}

struct Scene {
    clock: Arc<VirtualClock>,
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    secrets: ConnectionSecrets,
    place: Place,
    _folder: tempfile::TempDir,
}

fn scene() -> Scene {
    let clock = VirtualClock::at(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data).unwrap());
    let owners = Arc::new(Owners::join(&data, &SystemRandom).unwrap());
    let source = KeySource::File(folder.path().join("keys"));
    let vault = Arc::new(Vault::open(store.clone(), source, Arc::new(SystemRandom), owners).unwrap());
    let place = Place { tenant: "t".into(), connection: "c".into() };
    let connection = StoredConnection::fresh(place.clone());
    let addresses = BTreeMap::from([
        ("key".to_owned(), vec![address("a.example"), address("b.example")]),
        ("other".to_owned(), vec![address("b.example")]),
    ]);
    let value = SecretString::from("k3y");
    let bound = bound_to(&addresses["key"]);
    let new = NewSecret { name: "key", version: 1, bound, value: &value, entered: (5, "Ann") };
    let secret = seal_secret(&vault, &place, new).unwrap();
    store.insert(connection, vec![secret], Record::default()).wait().unwrap();
    let secrets = ConnectionSecrets::new(place.clone(), store.clone(), vault.clone(), clock.clone(), addresses);
    Scene { clock, store, vault, secrets, place, _folder: folder }
}

fn keep(secrets: &ConnectionSecrets, key: &str, expires: Option<i64>, used: &[&str]) -> Result<(), Code> {
    let used = used.iter().map(|key| (*key).to_owned()).collect();
    let value = Zeroizing::new(b"t0ken".to_vec());
    secrets.keep_token(key, value, expires, &used).map_err(|error| error.code)
}

#[test]
fn a_secret_of_the_form_goes_to_its_addresses_only() {
    let Scene { secrets, _folder, .. } = scene();
    assert_eq!(secrets.secret("key").unwrap().expose_secret(), "k3y");
    assert!(secrets.secret("other").is_none() && secrets.secret("gone").is_none());
    for (key, host, allowed) in [
        ("key", "a.example", true),
        ("key", "b.example", true),
        ("other", "b.example", true),
        ("other", "a.example", false),
        ("key", "c.example", false),
        ("gone", "a.example", false),
    ] {
        assert_eq!(secrets.allowed(key, "https", host, 443), allowed, "{key} {host}");
    }
    assert!(!secrets.allowed("key", "http", "a.example", 443) && !secrets.allowed("key", "https", "a.example", 80));
}

#[test]
fn a_token_goes_where_all_secrets_could_that_fetched_it_and_ends_with_its_time() {
    let Scene { clock, secrets, _folder, .. } = scene();
    assert_eq!(keep(&secrets, "token", Some(1_000_500), &["key", "other"]), Ok(()));
    assert_eq!(secrets.secret("token").unwrap().expose_secret(), "t0ken");
    assert!(secrets.allowed("token", "https", "b.example", 443));
    assert!(!secrets.allowed("token", "https", "a.example", 443));
    // A token that a token has fetched inherits too.
    assert_eq!(keep(&secrets, "second", None, &["token"]), Ok(()));
    assert!(!secrets.allowed("second", "https", "a.example", 443));
    assert_eq!(secrets.tokens("").unwrap(), ["second", "token"]);
    clock.advance(500);
    assert!(secrets.secret("token").is_none() && !secrets.allowed("token", "https", "b.example", 443));
    assert_eq!(secrets.tokens("").unwrap(), ["second"]);
    secrets.drop_token("second").unwrap();
    assert!(secrets.secret("second").is_none());
}

#[test]
fn a_token_takes_no_secrets_name_and_comes_from_somewhere() {
    let Scene { secrets, _folder, .. } = scene();
    assert_eq!(keep(&secrets, "key", None, &["key"]), Err(Code::Conflict));
    assert_eq!(keep(&secrets, "token", None, &[]), Err(Code::Forbidden));
    assert_eq!(keep(&secrets, "token", None, &["gone"]), Err(Code::Forbidden));
    assert!(secrets.secret("token").is_none());
}

#[test]
fn a_secret_is_not_used_under_other_settings_or_in_another_row() {
    let Scene { store, secrets, place, _folder, .. } = scene();
    secrets.check().unwrap();
    let kept = store.secret(&place, "key").unwrap().unwrap();
    let put = |secret: SealedSecret| {
        let changes = SecretChanges { put: vec![secret], ..SecretChanges::default() };
        store.change(&place, Box::new(|_| true), changes, Record::default()).wait().unwrap();
    };
    // The address was changed, and the row with it.
    put(SealedSecret { bound: "elsewhere".into(), ..kept.clone() });
    assert!(secrets.secret("key").is_none());
    assert_eq!(secrets.check().unwrap_err().reason.as_deref(), Some("settings"));
    // An older version was put back.
    put(SealedSecret { version: 2, ..kept.clone() });
    assert!(secrets.secret("key").is_none());
    assert_eq!(secrets.check().unwrap_err().reason.as_deref(), Some("sealed_elsewhere"));
    // Moved to the row of another secret with the same addresses.
    put(kept.clone());
    put(SealedSecret { name: "other".into(), bound: bound_to(&[address("b.example")]), ..kept });
    assert!(secrets.secret("other").is_none() && secrets.secret("key").is_some());
}

#[test]
fn a_trial_sees_neither_kept_tokens_nor_what_it_is_to_do_without_and_leaves_nothing() {
    let Scene { store, secrets, place, _folder, .. } = scene();
    assert_eq!(keep(&secrets, "token", None, &["key"]), Ok(()));
    let tried = TriedSecrets { without: BTreeSet::from(["key".to_owned()]), ..TriedSecrets::default() };
    let without = secrets.trying(tried);
    assert!(without.secret("key").is_none() && without.secret("token").is_none());
    assert!(without.tokens("").unwrap().is_empty());
    without.drop_token("token").unwrap();
    let given = BTreeMap::from([("other".to_owned(), SecretString::from("0ther"))]);
    let tried = without.trying(TriedSecrets { given, ..TriedSecrets::default() });
    // Kept ones fill in for what is not given.
    assert_eq!(tried.secret("key").unwrap().expose_secret(), "k3y");
    assert_eq!(tried.secret("other").unwrap().expose_secret(), "0ther");
    assert_eq!(keep(&tried, "second", None, &["other"]), Ok(()));
    assert_eq!(tried.tokens("").unwrap(), ["second"]);
    assert_eq!(store.token_names(&place, "").unwrap(), [("token".to_owned(), None)]);
}

#[test]
fn a_secret_that_is_not_shown_rests() {
    let Scene { store, secrets, place, _folder, .. } = scene();
    let kept = store.secret(&place, "key").unwrap().unwrap();
    // Under these settings it could not be used: nobody wants to.
    let moved =
        SecretChanges { put: vec![SealedSecret { bound: "elsewhere".into(), ..kept }], ..SecretChanges::default() };
    store.change(&place, Box::new(|_| true), moved, Record::default()).wait().unwrap();
    assert!(secrets.check().is_err());
    let resting = secrets.resting(BTreeSet::from(["key".to_owned()]));
    assert!(resting.check().is_ok() && resting.secret("key").is_none());
    assert_eq!(keep(&resting, "key", None, &["other"]), Err(Code::Conflict));
}

#[test]
fn a_fingerprint_tells_secrets_apart_and_a_new_name_keeps_who_entered_it() {
    let Scene { store, vault, place, _folder, .. } = scene();
    let kept = store.secret(&place, "key").unwrap().unwrap();
    assert_eq!((kept.entered.at, kept.entered.by.as_str()), (5, "Ann"));
    let signs = kept.entered.fingerprint.as_bytes();
    assert!(signs.len() == 9 && signs[4] == b'-', "{}", kept.entered.fingerprint);
    let print = |name: &str, value: &[u8]| super::fingerprint::fingerprint(&vault, &place, name, value).unwrap();
    assert_eq!(kept.entered.fingerprint, print("key", b"k3y"));
    assert_ne!(print("key", b"k3y"), print("key", b"k3z"));
    assert_ne!(print("key", b"k3y"), print("other", b"k3y"));
    let moved = renamed(&vault, &place, &kept, "api_key").unwrap();
    assert_eq!((moved.bound.as_str(), moved.entered.by.as_str()), (kept.bound.as_str(), "Ann"));
    assert_eq!(moved.entered.fingerprint, print("api_key", b"k3y"));
}
