//! What protects the page: from other sites' pages, from too much, from who has not proved lately who they are.
//!
//! Promises: nothing is read from a cookie and none is set; a token fits one person, one session and twelve hours; every
//! comparison of one takes the same time.

use super::permission::Permission;
use super::who::Who;
use crate::vault::Vault;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use psa_host_api::Error;
use secrecy::ExposeSecret as _;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The field of a form that holds the token.
pub(crate) const TOKEN_FIELD: &str = "_token";
/// A token is good for so long, in milliseconds.
const TOKEN_MS: i64 = 12 * 3_600_000;
/// Who proved so long ago who they are is asked again, in milliseconds.
const STEP_UP_MS: i64 = 10 * 60_000;
/// A way back from the product's own question is good for so long, in milliseconds.
const RESUME_MS: i64 = 15 * 60_000;
/// POSTs of one person in a minute.
const POSTS_MAX: u32 = 60;
/// Tests of one connection in a minute: each of them knocks at the provider.
const TESTS_MAX: u32 = 6;
/// Refused attempts of one person that are noted in a minute.
const REFUSALS_MAX: u32 = 30;
/// People whose POSTs are counted at once.
const PEOPLE_MAX: usize = 10_000;
const MINUTE_MS: i64 = 60_000;

/// Whether a POST comes from a page of ours, or from a program that no browser stands behind.
///
/// As browsers say it: `Sec-Fetch-Site`, and where that is missing `Origin`. A program sends neither, and needs a token.
pub(crate) fn is_from_here(who: &Who, headers: &[(&str, &str)], token_fits: bool) -> bool {
    let header = |wanted: &str| {
        let mut found = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.next().map(|(_, value)| value.trim())
    };
    let by_headers = match (header("sec-fetch-site"), header("origin")) {
        (Some(site), _) => Some(matches!(site, "same-origin" | "none")),
        (None, Some(origin)) => Some(origin == who.public_origin.trim_end_matches('/')),
        (None, None) => None,
    };
    match (by_headers, &who.session) {
        (Some(fits), None) => fits,
        (Some(fits), Some(_)) => fits && token_fits,
        (None, _) => token_fits,
    }
}

/// The token for the forms of who asks; none without a session.
pub(crate) fn token(vault: &Vault, who: &Who, now: i64) -> Result<Option<String>, Error> {
    let Some(session) = &who.session else { return Ok(None) };
    let until = now.saturating_add(TOKEN_MS);
    let mac = mac_of(vault, who, session.expose_secret(), until)?;
    Ok(Some(format!("{until}.{}", URL_SAFE_NO_PAD.encode(mac))))
}

/// Whether a token is the one of who asks.
pub(crate) fn token_fits(vault: &Vault, who: &Who, token: Option<&str>, now: i64) -> Result<bool, Error> {
    let (Some(session), Some((until, mac))) = (&who.session, token.and_then(|token| token.split_once('.'))) else {
        return Ok(false);
    };
    let (Ok(until), Ok(mac)) = (until.parse::<i64>(), URL_SAFE_NO_PAD.decode(mac)) else { return Ok(false) };
    let right = mac_of(vault, who, session.expose_secret(), until)?;
    Ok(same(&right, &mac) && until > now && until <= now.saturating_add(TOKEN_MS))
}

fn mac_of(vault: &Vault, who: &Who, session: &str, until: i64) -> Result<[u8; 32], Error> {
    let until = until.to_be_bytes();
    let parts = [who.tenant.as_bytes(), who.actor.id.as_bytes(), session.as_bytes(), &until];
    Ok(vault.digest("page.token", &parts)?)
}

/// Compares all bytes, whatever the first ones are.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Where who asks has to prove who they are before this, if anywhere.
pub(crate) fn step_up(
    vault: &Vault,
    who: &Who,
    needs: &[Permission],
    path: &str,
    now: i64,
) -> Result<Option<String>, Error> {
    let Some(url) = &who.step_up_url else { return Ok(None) };
    let asked = needs.iter().any(|needed| matches!(needed, Permission::Secrets | Permission::Delete));
    let fresh = who.stepped_up().is_some_and(|at| now.saturating_sub(at) < STEP_UP_MS);
    if !asked || fresh {
        return Ok(None);
    }
    let back = format!("{}/-/resume?to={}", who.mount, resume_token(vault, who, path, now)?);
    let joint = if url.contains('?') { '&' } else { '?' };
    Ok(Some(format!("{url}{joint}next={}", super::ask::query(&back))))
}

/// A way back that cannot be made up: a path, signed for one person and a quarter of an hour.
fn resume_token(vault: &Vault, who: &Who, path: &str, now: i64) -> Result<String, Error> {
    let until = now.saturating_add(RESUME_MS);
    let mac = resume_mac(vault, who, path, until)?;
    Ok(format!("{until}.{}.{}", URL_SAFE_NO_PAD.encode(path), URL_SAFE_NO_PAD.encode(mac)))
}

/// The path of a way back, if it was made for who asks and is not too old.
pub(crate) fn resume_path(vault: &Vault, who: &Who, token: &str, now: i64) -> Result<Option<String>, Error> {
    let mut parts = token.splitn(3, '.');
    let mut part = || parts.next().unwrap_or_default();
    let (until, path, mac) = (part().parse::<i64>(), URL_SAFE_NO_PAD.decode(part()), URL_SAFE_NO_PAD.decode(part()));
    let (Ok(until), Ok(path), Ok(mac)) = (until, path, mac) else { return Ok(None) };
    let Ok(path) = String::from_utf8(path) else { return Ok(None) };
    let right = resume_mac(vault, who, &path, until)?;
    Ok((same(&right, &mac) && until > now).then_some(path))
}

fn resume_mac(vault: &Vault, who: &Who, path: &str, until: i64) -> Result<[u8; 32], Error> {
    let until = until.to_be_bytes();
    Ok(vault.digest("page.resume", &[who.tenant.as_bytes(), who.actor.id.as_bytes(), path.as_bytes(), &until])?)
}

/// Counts what each person sends in, and how often each connection is tested.
#[derive(Default)]
pub(crate) struct Pace(Mutex<HashMap<(String, String), (i64, u32)>>);

impl Pace {
    /// Whether one more POST of a person is not too much. Too much for how long, otherwise, in milliseconds.
    pub(crate) fn one_more(&self, who: &Who, now: i64) -> Result<(), i64> {
        self.count((who.tenant.clone(), format!("person {}", who.actor.id)), POSTS_MAX, now)
    }

    /// The same for a test of what stands in a form.
    pub(crate) fn one_more_test(&self, who: &Who, target: &str, now: i64) -> Result<(), i64> {
        self.count((who.tenant.clone(), format!("test {target}")), TESTS_MAX, now)
    }

    /// The same for an attempt that is refused and noted.
    pub(crate) fn one_more_refusal(&self, who: &Who, now: i64) -> Result<(), i64> {
        self.count((who.tenant.clone(), format!("refused {}", who.actor.id)), REFUSALS_MAX, now)
    }

    fn count(&self, key: (String, String), most: u32, now: i64) -> Result<(), i64> {
        let mut people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= PEOPLE_MAX {
            people.retain(|_, (since, _)| (0..MINUTE_MS).contains(&now.saturating_sub(*since)));
        }
        if people.len() >= PEOPLE_MAX {
            return Err(MINUTE_MS);
        }
        let counted = people.entry(key).or_insert((now, 0));
        if !(0..MINUTE_MS).contains(&now.saturating_sub(counted.0)) {
            *counted = (now, 0);
        }
        if counted.1 >= most {
            return Err(counted.0.saturating_add(MINUTE_MS).saturating_sub(now));
        }
        counted.1 += 1;
        Ok(())
    }
}

/// The headers of a whole document: nothing runs, loads or frames it but what is ours.
pub(crate) fn page_headers(who: &Who) -> Vec<(String, String)> {
    let frames = if who.frame_ancestors.is_empty() { "'none'".to_owned() } else { who.frame_ancestors.join(" ") };
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors {frames}; require-trusted-types-for 'script'"
    );
    let mut headers = common_headers();
    headers.push(("content-security-policy".to_owned(), policy));
    headers.push(("cross-origin-opener-policy".to_owned(), "same-origin".to_owned()));
    headers
}

/// The headers of everything that is not an asset.
pub(crate) fn common_headers() -> Vec<(String, String)> {
    [("cache-control", "no-store"), ("x-content-type-options", "nosniff"), ("referrer-policy", "same-origin")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn who(session: bool) -> Who {
        let mut who = json!({"tenant": "t", "actor": {"id": "7"}, "public_origin": "https://desk.example.com"});
        if session {
            who["session"] = json!("0123456789abcdef");
        }
        Who::read(who.to_string().as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn a_post_of_another_site_is_not_from_here() {
        let ours = ("Origin", "https://desk.example.com");
        for (headers, token, without, with) in [
            (vec![("Sec-Fetch-Site", "same-origin")], true, true, true),
            (vec![("Sec-Fetch-Site", "same-origin")], false, true, false),
            (vec![("Sec-Fetch-Site", "none")], true, true, true),
            (vec![("Sec-Fetch-Site", "cross-site")], true, false, false),
            (vec![("Sec-Fetch-Site", "same-site")], true, false, false),
            (vec![("Sec-Fetch-Site", "cross-site"), ours], true, false, false),
            (vec![ours], false, true, false),
            (vec![ours], true, true, true),
            (vec![("Origin", "https://desk.example.com.evil.example")], true, false, false),
            (vec![("Origin", "http://desk.example.com")], true, false, false),
            (vec![("Origin", "null")], true, false, false),
            (vec![], false, false, false),
            (vec![], true, true, true),
        ] {
            // Without a session there is no token that could fit.
            assert_eq!(is_from_here(&who(false), &headers, token), without, "{headers:?} {token}");
            assert_eq!(is_from_here(&who(true), &headers, token), with, "{headers:?} {token}, with a session");
        }
    }

    #[test]
    fn nobody_sends_more_than_their_share() {
        let pace = Pace::default();
        for _ in 0..POSTS_MAX {
            assert_eq!(pace.one_more(&who(false), 1_000), Ok(()));
        }
        assert_eq!(pace.one_more(&who(false), 31_000), Err(30_000));
        let mut other = who(false);
        other.actor.id = "8".into();
        assert_eq!(pace.one_more(&other, 31_000), Ok(()));
        assert_eq!(pace.one_more(&who(false), 61_000), Ok(()));
    }
}
