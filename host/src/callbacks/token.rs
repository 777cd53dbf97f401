//! The tokens by which a callback finds its connection.
//!
//! Promises: the host keeps a token's digest only; the token itself stands in the address at the PSA and nowhere else.

use crate::clock::{Random, hex};
use psa_host_api::model::TOKEN;
use sha2::{Digest as _, Sha256};

/// In bytes, before they become hex digits.
const TOKEN_BYTES: usize = 20;

/// A fresh one.
pub(super) fn fresh(random: &dyn Random) -> String {
    let mut bytes = [0; TOKEN_BYTES];
    random.fill(&mut bytes);
    hex(&bytes)
}

/// What is kept of it.
pub(super) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Whether a text can be a token of ours.
fn is_token(text: &str) -> bool {
    text.len() == 2 * TOKEN_BYTES && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The token of a request: the last part of its path. `url` may be whole or begin with the path.
pub(super) fn of_request(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    path.rsplit('/').next().filter(|last| is_token(last))
}

/// The token of a registered address, if it was made after this pattern.
pub(super) fn of_address<'a>(pattern: &str, address: &'a str) -> Option<&'a str> {
    let (before, after) = pattern.split_once(TOKEN)?;
    address.strip_prefix(before)?.strip_suffix(after).filter(|token| is_token(token))
}

/// The token that stands anywhere in an address: that of a pattern that was valid once.
pub(super) fn anywhere(address: &str) -> Option<&str> {
    address.split(['/', '?', '&', '=']).find(|part| is_token(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn a_token_is_found_where_it_belongs_and_nowhere_else() {
        for url in [
            format!("https://desk.example/hooks/{T}?recordId=7&action=updated"),
            format!("/hooks/{T}"),
            format!("/hooks/{T}/"),
            format!("/{T}?7601&action=updated"),
        ] {
            assert_eq!(of_request(&url), Some(T), "{url}");
        }
        for url in [
            String::new(),
            "/".into(),
            format!("/hooks?token={T}"),
            format!("/{T}/x"),
            format!("/{}", T.to_uppercase()),
            format!("/{T}0"),
            format!("/{}", &T[1..]),
        ] {
            assert_eq!(of_request(&url), None, "{url}");
        }
    }

    #[test]
    fn an_address_is_ours_only_if_it_was_made_after_the_pattern() {
        let pattern = "https://desk.example/hooks/{token}?a=1&recordId=";
        assert_eq!(of_address(pattern, &pattern.replace(TOKEN, T)), Some(T));
        for address in [
            format!("https://desk.example/hooks/{T}?a=2&recordId="),
            format!("https://evil.example/hooks/{T}?a=1&recordId="),
            "https://desk.example/hooks/x?a=1&recordId=".into(),
        ] {
            assert_eq!(of_address(pattern, &address), None, "{address}");
        }
        assert_eq!(anywhere(&format!("https://old.example/x/{T}?recordId=")), Some(T));
        assert_eq!(anywhere("https://old.example/x/y"), None);
    }
}
