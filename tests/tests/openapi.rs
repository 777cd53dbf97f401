//! Every request of the plugin is one that the vendor's description knows.
//!
//! Promises: a walk over all methods; of each request the method, the path, the names of its query and its body are looked
//! up in the description that the simulator's answers are checked against (names and types only).

use psa_host::{CallOptions, Input, Output};
use psa_tests::scene::{Scene, fast};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::io::Cursor;

/// Below which every described path is.
const BASE: &str = "/v4_6_release/apis/3.0";
/// The query of all lists. Source: openapi, the parameters of their GET.
const OF_LISTS: [&str; 8] =
    ["conditions", "childConditions", "customFieldConditions", "orderBy", "fields", "page", "pageSize", "pageId"];
/// What two lists have beyond that.
const OF_ONE: [(&str, &[&str]); 2] =
    [("/system/documents", &["recordType", "recordId"]), ("/system/audittrail", &["type", "id", "deviceIdentifier"])];

fn described() -> Value {
    let text = include_str!("../../simulator/tests/connectwise/kept/openapi.schema.json");
    serde_json::from_str(text).unwrap()
}

/// The operation of a path, and its template.
fn operation<'d>(described: &'d Value, method: &str, path: &str) -> Option<(&'d str, &'d Value)> {
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        let same = |(wanted, found): (&&str, &&str)| wanted.starts_with('{') || wanted == found;
        template.len() == parts.len() && template.iter().zip(&parts).all(same)
    };
    let all = described["paths"].as_object()?.iter();
    let all = all.filter_map(|(name, operation)| name.strip_prefix(method)?.strip_prefix(' ').zip(Some(operation)));
    all.filter(|(template, _)| fits(template)).min_by_key(|(template, _)| template.matches('{').count())
}

/// What of a value the description does not know.
fn strange(described: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        let Some(members) = described["models"][name]["properties"].as_object() else {
            return vec![format!("{at}: there is no model {name}")];
        };
        let Some(sent) = value.as_object() else { return vec![format!("{at}: {value} is no {name}")] };
        let check = |(member, value): (&String, &Value)| match members.get(member) {
            // Called an object, and a text, a number or a flag. Source: samples, contact-2026.
            Some(_) if (name, member.as_str()) == ("CustomFieldValue", "value") => Vec::new(),
            Some(schema) => strange(described, schema, value, &format!("{at}/{member}")),
            None => vec![format!("{at}: {name} has no member {member}")],
        };
        return sent.iter().flat_map(check).collect();
    }
    if schema["type"] == "array" {
        let Some(items) = value.as_array() else { return vec![format!("{at}: {value} is no list")] };
        return items.iter().flat_map(|item| strange(described, &schema["items"], item, at)).collect();
    }
    let fits = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    let allowed = schema["enum"].as_array().is_none_or(|words| words.contains(value));
    if fits && allowed { Vec::new() } else { vec![format!("{at}: {value} is not {schema}")] }
}

/// A PATCH names members of the record, with values of their types.
fn strange_patch(described: &Value, operation: &Value, body: &Value, at: &str) -> Vec<String> {
    let model = operation["answer"]["$ref"].as_str().and_then(|name| name.rsplit('/').next()).unwrap_or_default();
    let one = |change: &Value| {
        let path = change["path"].as_str().unwrap_or_default();
        let Some(schema) = described["models"][model]["properties"].get(path) else {
            return vec![format!("{at}: {model} has no member \"{path}\"")];
        };
        if change["op"] == "remove" {
            return Vec::new();
        }
        strange(described, schema, &change["value"], &format!("{at} {path}"))
    };
    body.as_array().map(Vec::as_slice).unwrap_or_default().iter().flat_map(one).collect()
}

fn strange_request(described: &Value, entry: &Value) -> Vec<String> {
    let (method, path) = (entry["method"].as_str().unwrap(), entry["path"].as_str().unwrap());
    let Some(path) = path.strip_prefix(BASE) else { return Vec::new() };
    let what = format!("{method} {path}");
    let Some((_, operation)) = operation(described, method, path) else {
        return vec![format!("{what} is not described")];
    };
    let more = OF_ONE.iter().find(|(of, _)| *of == path).map_or(&[] as &[&str], |(_, names)| names);
    let names = entry["query"].as_str().unwrap().split('&').filter_map(|pair| pair.split('=').next());
    let unknown = names.filter(|name| !name.is_empty() && !OF_LISTS.contains(name) && !more.contains(name));
    let mut found: Vec<String> = unknown.map(|name| format!("{what}: its query has no {name}")).collect();
    let body = &entry["body"];
    match operation.get("request") {
        // Forms are read strictly by the simulator itself, which refuses unknown parts.
        _ if body.get("form_bytes").is_some() => {}
        Some(_) if method == "PATCH" => found.extend(strange_patch(described, operation, body, &what)),
        Some(schema) if method != "GET" => found.extend(strange(described, schema, body, &what)),
        _ if body.is_null() => {}
        _ => found.push(format!("{what} takes no body, and has {body}")),
    }
    found
}

/// Every method that asks the PSA.
fn walk(scene: &Scene) {
    let ticket = json!({"ticket": "1001"});
    let with = |more: Value| {
        let mut params = ticket.clone();
        params.as_object_mut().unwrap().extend(more.as_object().unwrap_or(&Map::new()).clone());
        params
    };
    let call =
        |method: &str, params: Value| scene.call(method, params).unwrap_or_else(|error| panic!("{method}: {error}"));
    let end = |method: &str, params: Value| {
        let ended = scene.end(method, params);
        assert_eq!(ended["state"], "delivered", "{method}: {ended:#}");
    };
    call("tickets.get", with(json!({"fresh": true})));
    call("tickets.get", json!({"ticket": "1010", "fresh": true}));
    for kind in ["boards", "priorities", "sources", "work_types", "work_roles", "ticket_fields"] {
        call("tickets.catalog", json!({"kind": kind}));
    }
    for kind in ["statuses", "types", "subtypes", "items", "teams"] {
        call("tickets.catalog", json!({"kind": kind, "scope": "1"}));
    }
    let filter = json!({"text": "printer", "board": "1", "statuses": ["101", "102"], "company": "2", "owner": "177", "closed": false,
                        "updated_since": "2026-01-31T12:00:00Z", "made_after": "1001", "external_reference": "HD-1"});
    call("tickets.search", json!({"filter": filter}));
    call("tickets.search", json!({"filter": {"kind": "project", "newest_first": true}, "page": {"limit": 2}}));
    for method in ["tickets.conversation", "tickets.audit_trail", "notes.list", "time.list", "attachments.list"] {
        call(method, ticket.clone());
    }
    call("members.list", json!({}));
    call("members.suggest", json!({}));
    call("companies.search", json!({"text": "north"}));
    call("contacts.search", json!({"text": "alex", "company": "2", "email": "a@example.com"}));
    call("companies.sites", json!({"company": "2"}));
    call("configurations.list", json!({"company": "2", "text": "LT"}));
    call("configurations.list", ticket.clone());
    call("raw.read", json!({"path": "system/info"}));
    end("notes.post", json!({"visibility": "public", "text": "Hello.", "member": "177"}));
    let time = json!({"started_at": "2026-01-31T10:00:00Z", "ended_at": "2026-01-31T10:45:00Z", "notes": "Done.", "show_as": "internal",
        "internal_notes": "A spare one.", "billable": "no_charge", "work_type": "3", "work_role": "11", "member": "177"});
    end("time.post", time);
    end(
        "tickets.update",
        json!({"changes": {"summary": "Printer", "priority": "6", "owner": "177", "contact": "3", "source": "7",
        "ticket_type": "11", "subtype": "1000", "item": "1501", "external_reference": "HD-1", "custom_fields": [{"id": "22", "value": "West"}]}}),
    );
    end("tickets.update", json!({"changes": {"owner": "", "contact": "", "item": "", "external_reference": ""}}));
    end("tickets.set_status", json!({"status": "102"}));
    let new = json!({"product_ticket": "HD-1", "summary": "Fire", "company": "2", "contact": "3", "board": "1", "status": "102", "priority": "6",
        "ticket_type": "11", "subtype": "1000", "item": "1501", "source": "7", "owner": "177", "description": "It burns.",
        "internal_description": "Told by phone.", "custom_fields": [{"id": "22", "value": "West"}], "wait_ms": 60_000});
    assert_eq!(call("tickets.create", new)["state"], "delivered");
    let project = json!({"product_ticket": "HD-2", "kind": "project", "company": "", "summary": "Roll out", "description": "All of them.",
                         "fields": {"phase": {"id": 2}}, "wait_ms": 60_000});
    assert_eq!(call("tickets.create", project)["state"], "delivered");
    let params = json!({"tenant": "t", "connection": scene.connection, "ticket": "1001", "title": "A file", "file_name": "a.txt", "public": false});
    let options = CallOptions { input: Some(Input::new(Cursor::new(b"words"), Some(5))), ..CallOptions::default() };
    let added = scene.world.call_with("attachments.add", params, options).unwrap();
    let params = json!({"tenant": "t", "connection": scene.connection, "attachment": added["id"]});
    let options = CallOptions { output: Some(Output::new(std::io::sink())), ..CallOptions::default() };
    scene.world.call_with("attachments.get", params, options).unwrap();
}

#[test]
fn every_request_is_one_that_the_vendors_description_knows() {
    let (scene, described) = (Scene::with(&["--tls"], fast()), described());
    walk(&scene);
    let log = scene.simulator.log().unwrap();
    let found: BTreeSet<String> = log.iter().flat_map(|entry| strange_request(&described, entry)).collect();
    assert!(found.is_empty(), "{found:#?}");
    let endpoints: BTreeSet<&str> = log.iter().map(|entry| entry["endpoint"].as_str().unwrap()).collect();
    for endpoint in [
        "add_note",
        "add_time_entry",
        "patch_ticket",
        "create_ticket",
        "add_document",
        "download_document",
        "list_callbacks",
    ] {
        assert!(endpoints.contains(endpoint), "the walk has not come to {endpoint}: {endpoints:?}");
    }
}

#[test]
fn what_the_description_does_not_know_is_found() {
    let described = described();
    for (method, path, query, body) in [
        ("GET", "/service/nothing", "", Value::Null),
        ("GET", "/service/tickets", "pagesize=1", Value::Null),
        ("GET", "/service/tickets", "", json!({})),
        ("POST", "/service/tickets", "", json!({"sumary": "x"})),
        ("POST", "/service/tickets", "", json!({"summary": "x", "company": 2})),
        ("POST", "/time/entries", "", json!({"chargeToType": "Ticket"})),
        ("PATCH", "/service/tickets/1", "", json!([{"op": "replace", "path": "status/id", "value": 1}])),
        ("PATCH", "/service/tickets/1", "", json!([{"op": "replace", "path": "status", "value": 1}])),
    ] {
        let entry = json!({"method": method, "path": format!("{BASE}{path}"), "query": query, "body": body});
        assert!(!strange_request(&described, &entry).is_empty(), "{entry}");
    }
}
