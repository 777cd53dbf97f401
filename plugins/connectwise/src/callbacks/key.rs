//! The key a callback is signed with.
//!
//! Promises: nothing of an address from outside is used but the id of the key; the key is fetched from this connection's
//! own site, without the API keys, and not more often than the limits here say.
//! Leaves to others: what is signed (`receive`), redirects and private addresses (the host).

use super::receive::Refusal;
use crate::client::{Client, encoded};
use crate::error;
use crate::settings::{Settings, plain_authority};
use psa_host_api::Error;
use psa_host_api::sdk::{Cx, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How long a key is believed, in milliseconds. Source: facts 11.7, "a short time".
const KEY_TTL_MS: i64 = 600_000;

/// How long it is believed that there is no such key, and the least time between two fetches of one id.
const PAUSE_MS: i64 = 60_000;

/// Ids nobody knows that are asked for within [`PAUSE_MS`]: else strangers could make us call the site at will.
const UNKNOWN_MAX: usize = 10;

/// The longest answer. Source: facts 11.7.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Source: facts 11.7.
const TIMEOUT_MS: u32 = 10_000;

/// Every site answers under this name of its code base. Source: facts 1.3.
const ALIAS: &str = "v4_6_release";

/// What the cache keeps of an id.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// Absent: the site does not know it.
    key: Option<String>,
    at_ms: i64,
}

impl Kept {
    fn is_current(&self, now_ms: i64) -> bool {
        let ttl_ms = if self.key.is_some() { KEY_TTL_MS } else { PAUSE_MS };
        (0..ttl_ms).contains(&(now_ms - self.at_ms))
    }
}

/// What is known of an id.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Key {
    Known(String),
    /// The site does not know it, or answers with something that is no key.
    Unknown,
    /// Too many unknown ids have been asked for.
    TooMany,
}

/// The key of an id, remembered or fetched. An error: the site cannot be asked now.
pub(super) async fn find(client: &Client, cx: &Cx, id: &str) -> Result<Key, Error> {
    let now_ms = cx.clock().now_unix_ms();
    match kept(cx, id)? {
        Some(kept) if kept.is_current(now_ms) => Ok(kept.key.map_or(Key::Unknown, Key::Known)),
        _ if !may_ask(cx, id, now_ms)? => Ok(Key::TooMany),
        _ => fetch(client, cx, id).await,
    }
}

/// The key once more, after a signature did not fit the remembered one: it may have been exchanged. `None`: it has been
/// fetched just now.
pub(super) async fn find_again(client: &Client, cx: &Cx, id: &str) -> Result<Option<Key>, Error> {
    let now_ms = cx.clock().now_unix_ms();
    match kept(cx, id)? {
        Some(kept) if (0..PAUSE_MS).contains(&(now_ms - kept.at_ms)) => Ok(None),
        _ => fetch(client, cx, id).await.map(Some),
    }
}

fn cache_key(id: &str) -> String {
    format!("callback_key/{id}")
}

fn kept(cx: &Cx, id: &str) -> Result<Option<Kept>, Error> {
    cx.cache().get(&cache_key(id))
}

/// Notes that an unknown id is asked for; false: it is one too many. One id asked for again, because the site did not
/// answer, counts once.
fn may_ask(cx: &Cx, id: &str, now_ms: i64) -> Result<bool, Error> {
    const ASKED: &str = "callback_keys_asked";
    let asked: Vec<(String, i64)> = cx.cache().get(ASKED)?.unwrap_or_default();
    let mut recent: Vec<_> = asked.into_iter().filter(|(_, at)| (0..PAUSE_MS).contains(&(now_ms - at))).collect();
    if recent.iter().any(|(known, _)| known == id) {
        return Ok(true);
    }
    if recent.len() >= UNKNOWN_MAX {
        return Ok(false);
    }
    recent.push((id.to_owned(), now_ms));
    cx.cache().put(ASKED, &recent, PAUSE_MS as u64)?;
    Ok(true)
}

async fn fetch(client: &Client, cx: &Cx, id: &str) -> Result<Key, Error> {
    let response = cx.http().send(key_request(&client.settings, id)).await?;
    let key = key_from(response)?;
    let at_ms = cx.clock().now_unix_ms();
    cx.cache().put(&cache_key(id), &Kept { key: key.clone(), at_ms }, KEY_TTL_MS as u64)?;
    Ok(key.map_or(Key::Unknown, Key::Known))
}

/// To our own site, whatever the callback said. The product's id and never the API keys. Source: facts 11.6.
fn key_request(settings: &Settings, id: &str) -> Request {
    let Settings { web, company, client_id, .. } = settings;
    let query = format!("companyName={}&id={id}", encoded(company));
    Request::get(format!("{web}/{ALIAS}/system/callbackkey/index.rails?{query}"))
        .header("clientid", client_id.as_str())
        .header("accept", "application/json")
        .timeout_ms(TIMEOUT_MS)
}

/// The key, whatever the content type says. Source: facts 11.7. An error: the site did not say, so the callback waits.
fn key_from(response: Response) -> Result<Option<String>, Error> {
    if matches!(response.status, 408 | 429 | 500..) {
        return error::check(response).map(|_| None);
    }
    if !response.is_success() || response.body.len() > ANSWER_BYTES_MAX {
        return Ok(None);
    }
    let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let key = answer.get("signing_key").and_then(Value::as_str).filter(|key| !key.is_empty());
    Ok(key.map(str::to_owned))
}

/// The id in a `key_url`, if that is an address of this connection's site. It comes from outside and nothing is
/// requested from it; what it says besides must fit all the same. Source: facts 11.7.
pub(super) fn id_of(settings: &Settings, key_url: &str) -> Result<String, Refusal> {
    let refused = |what: &str| Err(Refusal::new("key_url", format!("the address of its key {what}")));
    let plain = key_url.len() <= 2000 && key_url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let Some((scheme, rest)) = key_url.split_once("://").filter(|_| plain) else {
        return refused("is no address");
    };
    if scheme != "https" && scheme != settings.scheme() {
        return refused("does not begin with https://");
    }
    if rest.contains('#') {
        return refused("has a fragment");
    }
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = before.split_once('/').unwrap_or((before, ""));
    if authority.contains('@') {
        return refused("names a user");
    }
    if !settings.own_authorities().contains(&plain_authority(&format!("{scheme}://{authority}"))) {
        return refused("is not on this connection's site");
    }
    // Double slashes and any code base occur. Source: facts 1.3 and the samples.
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let [codebase, "system", "callbackkey", "index.rails"] = parts.as_slice() else {
        return refused("has another path than addresses of keys have");
    };
    if !codebase.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return refused("has a code base that can be none");
    }
    let Some(company) = only(query, "companyName") else { return refused("does not name one company") };
    if !company.eq_ignore_ascii_case(&settings.company) {
        return Err(Refusal::new("other_company", "its key belongs to another company"));
    }
    match only(query, "id").map(|id| id.to_ascii_lowercase()).filter(|id| is_uuid(id)) {
        Some(id) => Ok(id),
        None => refused("has no id of a key"),
    }
}

/// The value of a name that is there once.
fn only(query: &str, name: &str) -> Option<String> {
    let mut values = super::message::pairs(query).filter(|(found, _)| found == name).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

fn is_uuid(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_hexdigit() { '0' } else { c }).collect();
    shape == "00000000-0000-0000-0000-000000000000"
}
