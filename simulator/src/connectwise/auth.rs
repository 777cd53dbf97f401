//! Who may come in. Source: facts 2.1 and 5.2.

use crate::http::{Asked, Reply};
use crate::world::World;
use base64::Engine as _;
use serde_json::json;

/// Whose data a request is about: of the credentials, or of the path where none are needed.
pub(super) fn company(asked: &Asked) -> Option<String> {
    if let Some(company) = asked.path.to_ascii_lowercase().strip_prefix("/login/companyinfo/") {
        return Some(company.to_owned());
    }
    let token = asked.header("authorization")?.strip_prefix("Basic ")?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(token.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once('+').map(|(company, _)| company.to_owned())
}

/// Checks `Authorization` and `clientId`.
pub(super) fn check(world: &World, asked: &Asked) -> Result<(), Reply> {
    let nobody = || Reply::json(401, &json!({"code": "ConnectWiseApi", "message": "UserNotAuthenticated"}));
    let wrong = || Reply::json(401, &json!({"code": "Unauthorized", "message": "Incorrect public/private key"}));
    let Some(token) = asked.header("authorization").and_then(|value| value.strip_prefix("Basic ")) else {
        return Err(nobody());
    };
    let text = base64::engine::general_purpose::STANDARD.decode(token.trim()).ok();
    let Some(text) = text.and_then(|bytes| String::from_utf8(bytes).ok()) else { return Err(nobody()) };
    let parts = text.split_once('+').and_then(|(company, keys)| Some((company, keys.split_once(':')?)));
    let Some((company, (public_key, private_key))) = parts else { return Err(nobody()) };
    let account = &world.account;
    if !company.eq_ignore_ascii_case(&account.company) {
        return Err(super::reply::cannot_route());
    }
    if public_key != account.public_key || private_key != account.private_key {
        return Err(wrong());
    }
    // Both are reported, the body of neither is known.
    let (status, code) =
        if world.switches.records.client_id_forbidden { (403, "Security") } else { (401, "Unauthorized") };
    match asked.header("clientid") {
        Some(client_id) if client_id == account.client_id => Ok(()),
        _ => Err(Reply::json(status, &json!({"code": code, "message": "The clientId header is missing or not known"}))),
    }
}
