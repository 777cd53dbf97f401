//! Whether a callback comes from this tenant.
//!
//! Promises: every doubt is a refusal with a stable reason; the signature is made over the bytes as they came, and is
//! compared in constant time; nobody can make us call another address than this site's own. Source: facts 11.7.
//! Leaves to others: what a message says (`message`), keys (`key`), repeats and reading again (the host).

use super::key::{self, Key};
use super::message::{self, Message};
use crate::client::Client;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use psa_host_api::Error;
use psa_host_api::model::{CallbackReceipt, Verdict};
use psa_host_api::ops::ReceiveCallbackRequest;
use psa_host_api::sdk::Cx;
use sha2::{Digest, Sha256};

/// Bodies are summaries; a larger one is none.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Source: facts 11.4.
const SIGNATURE: &str = "x-content-signature";

/// Why a message is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// A stable word.
    pub(super) reason: &'static str,
    message: String,
}

impl Refusal {
    /// `what` goes on after "This callback is not believed: ".
    pub(super) fn new(reason: &'static str, what: impl Into<String>) -> Refusal {
        Refusal { reason, message: format!("This callback is not believed: {}.", what.into()) }
    }

    fn receipt(self, verdict: Verdict) -> CallbackReceipt {
        CallbackReceipt {
            verdict,
            reason: Some(self.reason.to_owned()),
            message: Some(self.message),
            message_id: None,
            changes: Vec::new(),
        }
    }
}

/// A receipt of any verdict; an error means that the site could not be asked, and that it is to be tried again.
pub(crate) async fn receive(
    client: &Client,
    cx: &Cx,
    request: ReceiveCallbackRequest,
) -> Result<CallbackReceipt, Error> {
    let body = STANDARD.decode(&request.body).map_err(|_| {
        let message = "body must be the bytes of the callback in base64";
        Error::invalid(message).field("/body", "base64", message)
    })?;
    let (signature, message) = match read(client, &request, &body) {
        Ok(read) => read,
        Err(refusal) => return Ok(refusal.receipt(Verdict::Refused)),
    };
    let mut key = key::find(client, cx, &message.key).await?;
    if matches!(&key, Key::Known(key) if !is_signed(key, &body, &signature)) {
        // It may have been exchanged for another one.
        key = match key::find_again(client, cx, &message.key).await? {
            Some(again) => again,
            None => key,
        };
    }
    Ok(match key {
        Key::Known(key) if is_signed(&key, &body, &signature) => verified(message),
        Key::Known(_) => {
            let what = "it was not signed with the key of this site, or has been changed on its way";
            Refusal::new("signature", what).receipt(Verdict::Refused)
        }
        Key::Unknown => {
            let what = "this site does not know the key it names, so it cannot be told who has sent it";
            Refusal::new("key_unknown", what).receipt(Verdict::Unverified)
        }
        Key::TooMany => {
            let what = "it names an unknown key, and too many of those came within a minute";
            Refusal::new("too_many_keys", what).receipt(Verdict::Unverified)
        }
    })
}

/// All that can be told without a key: the signature's bytes, and what the message says.
fn read(client: &Client, request: &ReceiveCallbackRequest, body: &[u8]) -> Result<(Vec<u8>, Message), Refusal> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Refusal::new("too_large", format!("it has more than {BODY_BYTES_MAX} bytes")));
    }
    let mut signatures = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(SIGNATURE));
    let signature = match (signatures.next(), signatures.next()) {
        (Some((_, signature)), None) => signature,
        (None, _) => return Err(Refusal::new("no_signature", format!("it has no header {SIGNATURE}"))),
        (Some(_), Some(_)) => return Err(Refusal::new("signature_form", "it has several signatures")),
    };
    // The engine takes canonical base64 only: with its padding, and no bits that mean nothing.
    let signature = STANDARD.decode(signature).ok().filter(|bytes| bytes.len() == 32);
    let Some(signature) = signature else {
        return Err(Refusal::new("signature_form", "its signature is not 32 bytes in base64"));
    };
    Ok((signature, message::read(&client.settings, request, body)?))
}

/// HMAC-SHA256 over the bytes as they came, with the hash of the key as the key. Source: facts 11.7; written again from
/// what was parsed, the same JSON would have another signature.
fn is_signed(key: &str, body: &[u8], signature: &[u8]) -> bool {
    let key = Sha256::digest(key.as_bytes());
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}

fn verified(message: Message) -> CallbackReceipt {
    CallbackReceipt {
        verdict: Verdict::Verified,
        reason: None,
        message: None,
        message_id: message.message_id,
        changes: vec![message.change],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors A and B. Source: facts 11.8.
    #[test]
    fn signatures_are_those_of_the_vendor() {
        let body = include_bytes!("../../tests/kept/callback-ticket-updated.json");
        let body = body.strip_suffix(b"\n").unwrap_or(body);
        assert_eq!(body.len(), 440);
        for (key, body, signature, good) in [
            ("N0rthw1nd-Sample-Signing-Key", body, "M6dMPKGP8tns+pXSbRrnT58VCclxbxwE34DRhYf537Q=", true),
            // The key without its hash; the same JSON with blanks.
            ("N0rthw1nd-Sample-Signing-Key", body, "WzXw0deQp6N7rBSymn2fxUh78IGnOA+STHtFieVWTKw=", false),
            ("N0rthw1nd-Sample-Signing-Key", body, "hXYnp+czjHnhSlHC+G+NwNTmNfa/5S1G4pG2qPFPRd4=", false),
            ("abc", &b"{}"[..], "RRQJ5sboyQMYZ2MN+3h4IqG1B8bomsJpfVwCi3nV1hM=", true),
            ("abd", &b"{}"[..], "RRQJ5sboyQMYZ2MN+3h4IqG1B8bomsJpfVwCi3nV1hM=", false),
            ("abc", &b"{} "[..], "RRQJ5sboyQMYZ2MN+3h4IqG1B8bomsJpfVwCi3nV1hM=", false),
        ] {
            assert_eq!(is_signed(key, body, &STANDARD.decode(signature).unwrap()), good, "{key} {signature}");
        }
        assert!(!is_signed("abc", b"{}", &[]));
    }
}
