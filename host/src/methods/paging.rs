//! Pages of what the host itself keeps.
//!
//! Promises: a cursor is opaque and only ever a place to go on from; a page that is not the last has a next one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use psa_host_api::Error;
use psa_host_api::model::{Page, PageRequest};

/// Items on a page unless said otherwise.
const PAGE: u32 = 100;
/// The largest page.
const PAGE_MAX: u32 = 1000;

/// Which page is wanted.
pub(super) struct Paged {
    /// Behind this key.
    pub(super) after: String,
    limit: usize,
}

impl Paged {
    pub(super) fn of(request: &PageRequest) -> Result<Paged, Error> {
        let after = match &request.cursor {
            None => String::new(),
            Some(cursor) => {
                let bytes = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                bytes.ok_or_else(|| {
                    let message = "the cursor is not one that was given out";
                    Error::invalid(message).because("cursor").field("/page/cursor", "cursor", message)
                })?
            }
        };
        Ok(Paged { after, limit: request.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX) as usize })
    }

    /// How many to fetch: one more than wanted tells whether there is a next page.
    pub(super) fn ask(&self) -> usize {
        self.limit + 1
    }

    /// The key as a number, for lists in the order of one.
    pub(super) fn after_number(&self) -> Result<i64, Error> {
        if self.after.is_empty() {
            return Ok(0);
        }
        self.after.parse().map_err(|_| {
            let message = "the cursor is not one that was given out";
            Error::invalid(message).because("cursor").field("/page/cursor", "cursor", message)
        })
    }
}

/// A page of what was fetched with [`Paged::ask`].
pub(super) fn page<T, U>(
    paged: &Paged,
    mut found: Vec<T>,
    key: impl Fn(&T) -> String,
    shown: impl Fn(T) -> U,
) -> Page<U> {
    let more = found.len() > paged.limit;
    found.truncate(paged.limit);
    let next = found.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
    Page { items: found.into_iter().map(shown).collect(), next }
}
