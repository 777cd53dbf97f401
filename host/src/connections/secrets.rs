//! What becomes of secrets, and what may be told of them.
//!
//! Holds: [`SecretOp`], which a form sends instead of a value; [`SecretState`], which is told instead of one.
//! Promises: nothing that is told of a secret has room for the secret; nothing that stands in for one is ever taken as
//! its value.
//! Leaves to others: sealing (`vault`), keeping (`store`).

use crate::store::SealedSecret;
use psa_host_api::form::Form;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is to become of a stored secret.
#[derive(Debug, Clone)]
pub(crate) enum SecretOp {
    /// It stays; so does one that is not named.
    Keep,
    /// This one takes its place.
    Replace(SecretString),
    /// It goes.
    Clear,
}

/// What is told of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SecretState {
    /// One is stored.
    pub set: bool,
    /// When it was entered, RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_at: Option<String>,
    /// Who entered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    /// Tells whether it is the same one as another time, and nothing else of it: `k7qd-2fm9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// What is told of each secret of a form.
pub(super) fn states(form: Option<&Form>, kept: &[SealedSecret]) -> BTreeMap<String, SecretState> {
    let of = |name: &str| match kept.iter().find(|secret| secret.name == name) {
        None => SecretState::default(),
        Some(secret) => SecretState {
            set: true,
            set_at: Some(crate::clock::rfc3339(secret.entered.at)),
            set_by: Some(secret.entered.by.clone()),
            fingerprint: Some(secret.entered.fingerprint.clone()),
        },
    };
    let names = form.into_iter().flat_map(Form::secrets);
    names.map(|name| (name.to_owned(), of(name))).collect()
}
