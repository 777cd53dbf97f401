//! ConnectWise PSA: what it answers.
//!
//! Holds: the routes, and the names of the endpoints.
//! Promises: what the facts describe is answered as they describe it, and refused as they describe it; where they are
//! silent, the stricter answer is given, so that a careless client fails here.
//! Leaves to others: each resource, in its own file.

mod all_notes;
mod audit;
mod auth;
mod callback_key;
mod callbacks;
mod catalog;
mod changes;
mod choices;
pub(crate) mod churn;
mod create;
mod create_project;
mod document_form;
mod documents;
mod edits;
mod listing;
mod mails;
mod note_edit;
mod notes;
mod operations;
mod patch;
mod people;
mod query;
mod record_doors;
mod records;
mod references;
mod relations;
mod reply;
mod rewrite;
mod rights;
mod seed;
mod seed_companies;
mod seed_records;
mod setup;
mod state;
mod tickets;
mod time;
mod time_rules;

pub(crate) use changes::by_people;
pub(crate) use edits::edit;
pub(crate) use people::{act, open};
pub(crate) use record_doors::door;
pub(crate) use state::State;

use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::json;

/// The endpoints, as faults and the log name them.
pub(crate) const ENDPOINTS: [&str; 31] = [
    "company_info",
    "system_info",
    "get_ticket",
    "search_tickets",
    "create_ticket",
    "patch_ticket",
    "list_notes",
    "add_note",
    "list_all_notes",
    "list_time_entries",
    "add_time_entry",
    "list_documents",
    "add_document",
    "get_document",
    "download_document",
    "list_boards",
    "list_statuses",
    "list_priorities",
    "list_types",
    "list_members",
    "search_companies",
    "search_contacts",
    "member_me",
    "list_callbacks",
    "get_callback",
    "create_callback",
    "update_callback",
    "delete_callback",
    "callback_key",
    "count",
    "other",
];

/// The member whose keys are used.
const API_MEMBER: &str = "psabridge";

/// A path below `/{codebase}/apis/3.0/`, in lower case: paths are matched in any case. Source: facts 1.3.
fn below_base(path: &str) -> Option<(String, Vec<String>)> {
    let path = path.to_ascii_lowercase();
    let (codebase, rest) = path.strip_prefix('/')?.split_once("/apis/3.0/")?;
    // A doubled path leads nowhere.
    if rest.contains("/apis/3.0/") {
        return None;
    }
    let parts = rest.trim_end_matches('/').split('/').map(str::to_owned).collect();
    Some((codebase.to_owned(), parts))
}

/// The name of what is asked.
pub(crate) fn endpoint(asked: &Asked) -> &'static str {
    if asked.path.to_ascii_lowercase().starts_with("/login/companyinfo/") {
        return "company_info";
    }
    if callback_key::is_meant(&asked.path) {
        return "callback_key";
    }
    let Some((_, parts)) = below_base(&asked.path) else { return "other" };
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let reads = asked.method == "GET";
    match parts.as_slice() {
        [.., "count"] => "count",
        ["system", "info"] => "system_info",
        ["system", "mymembers", ..] => "member_me",
        ["system", "members"] | ["system", "info", "members"] => "list_members",
        ["service", "boards"] | ["service", "info", "boards"] => "list_boards",
        ["service", "boards", _, "statuses"] => "list_statuses",
        ["service", "boards", _, "types"] => "list_types",
        ["service", "priorities"] => "list_priorities",
        ["service" | "project", "tickets"] if reads => "search_tickets",
        ["company", "companies"] if reads => "search_companies",
        ["company", "contacts"] if reads => "search_contacts",
        ["service" | "project", "tickets"] if asked.method == "POST" => "create_ticket",
        ["service" | "project", "tickets", "search"] => "search_tickets",
        ["service" | "project", "tickets", _] if reads => "get_ticket",
        ["service" | "project", "tickets", _] if asked.method == "PATCH" => "patch_ticket",
        ["service" | "project", "tickets", _, "notes"] if reads => "list_notes",
        ["service" | "project", "tickets", _, "notes"] => "add_note",
        ["service" | "project", "tickets", _, "allnotes"] => "list_all_notes",
        ["time", "entries"] | ["service", "tickets", _, "timeentries"] if reads => "list_time_entries",
        ["time", "entries"] => "add_time_entry",
        ["system", "documents"] if reads => "list_documents",
        ["system", "documents"] => "add_document",
        ["system", "documents", _] if reads => "get_document",
        ["system", "documents", _, "download"] => "download_document",
        ["system", "callbacks", rest @ ..] => callbacks::endpoint(&asked.method, rest),
        _ => "other",
    }
}

/// The answer, with the headers every answer has. Source: samples, response-headers.
pub(crate) fn answer(world: &mut World, asked: &Asked, fault: Option<&Fault>) -> Reply {
    let request_id = world.next_request_id();
    let company = auth::company(asked).unwrap_or_default();
    // Who is of no company here is refused by the first one.
    let reply = world.as_company(&company, |world| changes::watched(world, asked, fault));
    versioned(reply.unwrap_or_else(|| changes::watched(world, asked, fault)), asked)
        .header("cache-control", "no-cache")
        .header("x-server-name", "SIMULATOR01")
        .header("x-cw-request-id", request_id)
        .header("api-current-version", "2025.1")
}

/// The version that was asked for is said again in the content type. Source: facts 14 and 12.
fn versioned(mut reply: Reply, asked: &Asked) -> Reply {
    let kinds = asked.header("accept").unwrap_or_default().split(',').map(str::trim);
    let wanted = kinds.into_iter().find(|kind| kind.starts_with("application/vnd.connectwise.com+json"));
    if let (Some(wanted), Some((_, kind))) = (wanted, reply.headers.first_mut())
        && kind.starts_with("application/json")
    {
        *kind = wanted.to_owned();
    }
    reply
}

fn route(world: &mut World, asked: &Asked, fault: Option<&Fault>) -> Reply {
    if asked.path.len() + asked.raw_query.len() > 10_000 {
        // Source: facts 3.2.
        return Reply::of(414, "text/html", "");
    }
    let lower = asked.path.to_ascii_lowercase();
    if let Some(company) = lower.strip_prefix("/login/companyinfo/") {
        return company_info(world, company);
    }
    if callback_key::is_meant(&asked.path) {
        return callback_key::answer(world, asked);
    }
    let Some((codebase, parts)) = below_base(&asked.path) else { return reply::cannot_route() };
    if let Err(refusal) = check_codebase(world, &codebase) {
        return refusal;
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if parts.as_slice() == ["system", "info"] {
        // Said to answer without credentials. Source: facts 2.1.
        return catalog::system_info();
    }
    if let Err(refusal) = auth::check(world, asked) {
        return refusal;
    }
    if let Err(refusal) = rights::check(world, asked, &parts) {
        return refusal;
    }
    // Documents come as forms.
    if matches!(asked.method.as_str(), "POST" | "PUT" | "PATCH") && !parts.starts_with(&["system", "documents"]) {
        let typed = asked.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        if !typed {
            return Reply::json(415, &json!({"code": "InvalidObject", "message": "The media type is not supported."}));
        }
    }
    match (asked.method.as_str(), parts.as_slice()) {
        (_, ["service", "tickets", rest @ ..]) => tickets::route(world, asked, state::Kind::Service, rest, fault),
        (_, ["project", "tickets", rest @ ..]) => tickets::route(world, asked, state::Kind::Project, rest, fault),
        (_, ["time", "entries", rest @ ..]) => time::route(world, asked, rest, fault),
        (_, ["system", "documents", rest @ ..]) => documents::route(world, asked, rest, fault),
        ("GET", ["system", "audittrail", rest @ ..]) => audit::route(world, asked, rest),
        (_, ["system", "callbacks", rest @ ..]) => callbacks::route(world, asked, rest),
        ("GET", parts) => catalog::route(world, asked, parts),
        _ => reply::no_endpoint(),
    }
}

/// The alias is always right; the pinned one until an upgrade. Source: facts 1.3.
fn check_codebase(world: &World, codebase: &str) -> Result<(), Reply> {
    if codebase == "v4_6_release" || codebase == world.switches.codebase.to_ascii_lowercase() {
        return Ok(());
    }
    let numbers = codebase.strip_prefix('v').and_then(|rest| rest.split_once('_'));
    let was_one = numbers.is_some_and(|(year, minor)| {
        year.len() == 4 && [year, minor].iter().all(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
    });
    Err(if was_one { reply::no_endpoint() } else { reply::cannot_route() })
}

/// Source: facts 1.2; an unknown company is `null` with 200.
fn company_info(world: &World, company: &str) -> Reply {
    if company != world.account.company {
        return Reply::of(200, "application/json; charset=utf-8", "null");
    }
    let version = world.switches.codebase.replace('_', ".");
    let info = json!({
        "CompanyName": world.account.company,
        "Codebase": format!("{}/", world.switches.codebase),
        "VersionCode": version,
        "VersionNumber": "v4.6.99001",
        "CompanyID": world.account.company,
        "IsCloud": if world.switches.records.is_cloud_text { json!("True") } else { json!(true) },
        "SiteUrl": world.base.split("://").nth(1),
    });
    Reply::json(200, &info)
}
