//! The key that callbacks are signed with. Source: facts 11.7.
//!
//! Promises: it needs no `Authorization`; a key is handed out only under its own company's name.

use super::{check_codebase, reply};
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::json;

/// `/{codebase}/system/callbackkey/index.rails`; links in messages have two slashes after the codebase.
pub(super) fn is_meant(path: &str) -> bool {
    codebase(path).is_some()
}

fn codebase(path: &str) -> Option<String> {
    let path = path.to_ascii_lowercase();
    let (codebase, rest) = path.strip_prefix('/')?.split_once('/')?;
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    (rest == "system/callbackkey/index.rails").then(|| codebase.to_owned())
}

pub(super) fn answer(world: &mut World, asked: &Asked) -> Reply {
    let Some(codebase) = codebase(&asked.path) else { return reply::cannot_route() };
    if let Err(refusal) = check_codebase(world, &codebase) {
        return refusal;
    }
    if asked.method != "GET" {
        return reply::not_allowed();
    }
    let switches = &world.callbacks.switches;
    let (as_text, old_too) = (switches.key_as_text, switches.old_keys_known);
    if switches.key_needs_client_id && asked.header("clientid") != Some(world.account.client_id.as_str()) {
        let message = "The clientId header is missing or not known";
        return Reply::json(401, &json!({"code": "Unauthorized", "message": message}));
    }
    let said = |name: &str| asked.parameter(name).unwrap_or_default();
    let (company, id) = (said("companyName"), said("id"));
    let secret =
        world.as_company(&company, |world| world.registry.keys.find(&id, old_too).map(|key| key.secret.clone()));
    let Some(secret) = secret.flatten() else { return reply::not_found("Callback key", &id) };
    let body = json!({"signing_key": secret});
    if as_text { Reply::of(200, "text/html; charset=utf-8", body.to_string()) } else { Reply::json(200, &body) }
}
