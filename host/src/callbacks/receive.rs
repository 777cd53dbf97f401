//! The door: what the PSA sends, kept before it is answered.
//!
//! Promises: reads no identity and waits for no network; what is answered with 204 is on disk, or is counted there so that
//! everything is read again; nothing of a request that nobody expects is kept.
//! Leaves to others: whether it is true (`verify`).

use super::{Callbacks, token};
use crate::http::{HttpAnswer, HttpRequest};
use crate::store::{Conflict, Kept, NewCallback, StoreError, StoredSubscription};
use crate::vault::{SealPlace, VaultError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use psa_host_api::ops::ReceiveCallbackRequest;

/// Headers beyond these are left out, in number and in bytes of all together.
const HEADERS_MAX: usize = 64;
const HEADER_BYTES_MAX: usize = 16 << 10;
/// A longer query is not one of a callback.
const QUERY_BYTES_MAX: usize = 8 << 10;
/// How long the PSA is asked to wait when nothing can be kept, in seconds.
const RETRY_AFTER: &str = "2";

/// Headers that may hold secrets of the product's own front: not kept.
const NOT_KEPT: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "set-cookie"];

impl Callbacks {
    /// Answers one request. Blocks until it is on disk.
    pub(crate) fn receive(&self, request: &HttpRequest<'_>) -> HttpAnswer {
        if !request.method.eq_ignore_ascii_case("POST") {
            return HttpAnswer::of(405, "This address takes POST.").header("allow", "POST");
        }
        let Some(token) = token::of_request(request.url) else { return unknown() };
        let hash = token::digest(token);
        let subscription = match self.desk.store.subscription_of(&hash) {
            // Digests are compared: how long that takes says nothing about a token.
            Ok(Some(found)) => found,
            Ok(None) => return unknown(),
            Err(error) => return self.not_now(&error.into()),
        };
        if request.body.len() > self.desk.config.body_bytes_max || request.query().len() > QUERY_BYTES_MAX {
            return HttpAnswer::of(413, "This is longer than any callback.");
        }
        match self.keep(request, hash, &subscription) {
            Ok(Kept::Unknown) => unknown(),
            Ok(Kept::Row | Kept::Counted) => {
                self.wake();
                HttpAnswer::of(204, "")
            }
            Err(error) => self.not_now(&error),
        }
    }

    fn keep(
        &self,
        request: &HttpRequest<'_>,
        token_hash: [u8; 32],
        subscription: &StoredSubscription,
    ) -> Result<Kept, VaultError> {
        let StoredSubscription { place, subscription: id, kind, level, object, .. } = subscription;
        let kept = ReceiveCallbackRequest {
            kind: kind.clone(),
            level: level.clone(),
            object: object.clone(),
            query: request.query().to_owned(),
            headers: headers(request),
            body: STANDARD.encode(request.body),
        };
        let text = serde_json::to_vec(&kept).unwrap_or_default();
        loop {
            let sealed = self.desk.vault.seal(&seal_place(&place.tenant, &place.connection, id), &text)?;
            let new = NewCallback {
                token_hash,
                received: self.desk.clock.now_unix_ms(),
                waiting_max: self.desk.config.waiting_max,
                place: place.clone(),
                subscription: id.clone(),
                sealed,
            };
            match self.desk.store.keep_callback(new).wait() {
                // The key was changed between sealing and keeping.
                Err(StoreError::Conflict(Conflict::KeyChanged)) => {}
                kept => return Ok(kept?),
            }
        }
    }

    /// The only answer that makes the PSA come again. Source: each provider's own facts; the strictest repeats 404, 409, 419
    /// and 429 alone, and of these only this one says what it means.
    fn not_now(&self, error: &VaultError) -> HttpAnswer {
        self.desk.log.warn("host", &format!("a callback could not be kept: {error}"));
        HttpAnswer::of(429, "It cannot be kept now. Try again.").header("retry-after", RETRY_AFTER)
    }
}

/// Nobody expects it, or nobody does any more.
fn unknown() -> HttpAnswer {
    HttpAnswer::of(410, "Nobody expects callbacks here.")
}

fn headers(request: &HttpRequest<'_>) -> Vec<(String, String)> {
    let mut left = HEADER_BYTES_MAX;
    let named = request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned()));
    let wanted = named.filter(|(name, _)| !NOT_KEPT.contains(&name.as_str())).take(HEADERS_MAX);
    let fits = |(name, value): &(String, String)| {
        let bytes = name.len() + value.len();
        let fits = bytes <= left;
        left -= if fits { bytes } else { 0 };
        fits
    };
    wanted.filter(fits).collect()
}

/// Where a delivery is sealed: with the subscription it came to.
pub(super) fn seal_place<'a>(tenant: &'a str, connection: &'a str, subscription: &'a str) -> SealPlace<'a> {
    SealPlace { table: "callbacks", tenant, connection, name: subscription, version: 1, bound: "" }
}
