//! Answers and requests against the vendor's OpenAPI description.
//!
//! Holds: [`check_answer`] and [`check_request`], and a walk through the endpoints of the simulator.
//! Promises: a member the model does not have, or one of another type, is found. Members that a model requires may be
//! absent from answers, and any may be null. Source: facts 3.1, 13 (23).
//!
//! `kept/openapi.schema.json` names the paths and models: names and types only.

use crate::client::{BASE, Client};
use crate::documents::{form, upload};
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// The description, and its models as schemas that forbid other members.
fn described() -> &'static (Value, Value) {
    static DESCRIBED: OnceLock<(Value, Value)> = OnceLock::new();
    DESCRIBED.get_or_init(|| {
        let mut file: Value = serde_json::from_str(include_str!("kept/openapi.schema.json")).unwrap();
        let models =
            file["models"].as_object().unwrap().iter().map(|(name, model)| (name.clone(), strict(name, model)));
        let models = models.collect::<Map<_, _>>().into();
        (file["paths"].take(), models)
    })
}

fn strict(name: &str, model: &Value) -> Value {
    let or_null = |(member, schema): (&String, &Value)| {
        // The value of a custom field is called an object and is a text, a number or a flag. Source: samples, contact-2026.
        let schema = if (name, member.as_str()) == ("CustomFieldValue", "value") { json!({}) } else { schema.clone() };
        (member.clone(), json!({"anyOf": [schema, {"type": "null"}]}))
    };
    let members: Map<_, _> = model["properties"].as_object().unwrap().iter().map(or_null).collect();
    // Places and links of an answer are nowhere described.
    let open = name == "_info";
    json!({"type": "object", "properties": members, "additionalProperties": open})
}

/// The operation of a path below the base, without its query.
fn operation(method: &str, path: &str) -> Result<&'static Value, String> {
    let parts: Vec<&str> = path.split('?').next().unwrap().trim_matches('/').split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.trim_matches('/').split('/').collect();
        let same = |(wanted, found): (&&str, &&str)| wanted.starts_with('{') || wanted == found;
        template.len() == parts.len() && template.iter().zip(&parts).all(same)
    };
    let named = described().0.as_object().unwrap().iter().filter_map(|(name, operation)| {
        let template = name.strip_prefix(method)?.strip_prefix(' ')?;
        fits(template).then_some((template, operation))
    });
    // `count` and `search` are no ids.
    let found = named.min_by_key(|(template, _)| template.matches('{').count());
    found.map(|(_, operation)| operation).ok_or_else(|| format!("{method} {path} is not described"))
}

fn check(mut schema: Value, value: &Value, what: &str) -> Result<(), String> {
    schema["$defs"] = described().1.clone();
    let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(format!("{what}: {}", errors.join("; "))) }
}

/// Whether an answer is what the description says of it.
pub(crate) fn check_answer(method: &str, path: &str, status: u16, body: &Value) -> Result<(), String> {
    let operation = operation(method, path)?;
    let what = format!("{method} {path}");
    if operation["status"] != status {
        return Err(format!("{what}: {status} instead of {}: {body}", operation["status"]));
    }
    match operation.get("answer") {
        Some(schema) => check(schema.clone(), body, &what),
        None => Ok(()),
    }
}

/// Whether a body is one that the description lets in: no unknown member, each of its type, the required ones there. In a
/// PATCH each path must begin with a member of the record, and a whole value must be of its type.
pub(crate) fn check_request(method: &str, path: &str, body: &Value) -> Result<(), String> {
    let operation = operation(method, path)?;
    let what = format!("{method} {path}");
    let schema = operation.get("request").ok_or_else(|| format!("{what} takes no body"))?;
    check(schema.clone(), body, &what)?;
    let model =
        |schema: &Value| schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()).unwrap_or("").to_owned();
    if method != "PATCH" {
        let required = required_of(&model(schema));
        let missing: Vec<&str> = required.into_iter().filter(|name| body[*name].is_null()).collect();
        return if missing.is_empty() { Ok(()) } else { Err(format!("{what}: without {}", missing.join(", "))) };
    }
    let members = &described().1[model(&operation["answer"])]["properties"];
    for one in body.as_array().unwrap() {
        let path = one["path"].as_str().unwrap_or_default().trim_start_matches('/');
        let name = path.split('/').next().unwrap_or_default();
        let Some(schema) = members.get(name) else { return Err(format!("{what}: no member {name}")) };
        if name == path && one["op"] != "remove" {
            check(schema.clone(), &one["value"], &format!("{what} {name}"))?;
        }
    }
    Ok(())
}

fn required_of(model: &str) -> Vec<&'static str> {
    static FILE: OnceLock<Value> = OnceLock::new();
    let file = FILE.get_or_init(|| serde_json::from_str(include_str!("kept/openapi.schema.json")).unwrap());
    file["models"][model]["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn a_wrong_answer_and_a_wrong_request_are_found() {
    for (method, path, status, body) in [
        ("GET", "/service/tickets/1", 200, json!({"id": "1"})),
        ("GET", "/service/tickets/1", 200, json!({"id": 1, "statuss": {}})),
        ("GET", "/service/tickets/1", 200, json!({"board": {"id": 1, "nam": "x"}})),
        ("GET", "/service/tickets/1", 201, json!({"id": 1})),
        ("GET", "/service/tickets?pageSize=1", 200, json!({"id": 1})),
        ("GET", "/service/nothing", 200, json!({})),
    ] {
        assert!(check_answer(method, path, status, &body).is_err(), "{method} {path} {body}");
    }
    check_answer("GET", "/service/tickets/1?fields=id", 200, &json!({"id": 1, "owner": null})).unwrap();
    for (method, path, body) in [
        ("POST", "/service/tickets", json!({"summary": "x"})),
        ("POST", "/service/tickets", json!({"summary": "x", "company": 2})),
        ("POST", "/service/tickets", json!({"summary": "x", "company": {"id": 2}, "enteredBy": "me"})),
        ("POST", "/time/entries", json!({"notes": "x"})),
        ("PATCH", "/service/tickets/1", json!({"op": "replace"})),
        ("PATCH", "/service/tickets/1", json!([{"op": "replace", "path": "sumary", "value": "x"}])),
        ("PATCH", "/service/tickets/1", json!([{"op": "replace", "path": "status", "value": 5}])),
        ("PUT", "/service/nothing", json!({})),
    ] {
        assert!(check_request(method, path, &body).is_err(), "{method} {path} {body}");
    }
    check_request("POST", "/service/tickets", &json!({"summary": "x", "company": {"id": 2}})).unwrap();
    check_request("PATCH", "/service/tickets/1", &json!([{"op": "replace", "path": "/status", "value": {"id": 5}}]))
        .unwrap();
}

#[test]
fn what_is_read_is_what_the_description_says() {
    let client = Client::new();
    let answered = |method: &str, path: &str, body: Value| {
        check_request(method, path, &body).unwrap();
        let answer = client.json(method, path, &body);
        check_answer(method, path, answer.status, &answer.json()).unwrap();
        answer.json()["id"].clone()
    };
    let time = json!({
        "chargeToId": 1001, "chargeToType": "ServiceTicket", "timeStart": "2024-02-01T10:00:00Z",
        "timeEnd": "2024-02-01T11:00:00Z", "notes": "Fixed", "addToInternalAnalysisFlag": true,
    });
    let time = answered("POST", "/time/entries", time);
    let note = json!({"text": "x", "detailDescriptionFlag": true, "contact": {"id": 2}, "processNotifications": false});
    let note = answered("POST", "/service/tickets/1001/notes", note);
    answered("POST", "/project/tickets/1010/notes", json!({"text": "x", "internalAnalysisFlag": true}));
    let ticket = json!({
        "summary": "x", "company": {"id": 2}, "type": {"id": 10}, "subType": {"id": 1000}, "item": {"id": 1500},
        "site": {"id": 20}, "customFields": [{"id": 21, "value": "y"}], "integratorTags": ["psa"],
    });
    let ticket = answered("POST", "/service/tickets", ticket);
    answered("POST", "/project/tickets", json!({"summary": "x", "phase": {"id": 2}, "project": {"id": 5}}));
    answered("POST", "/service/tickets/1001/configurations", json!({"id": 31}));
    let closed = json!([{"op": "replace", "path": "status", "value": {"id": 105}}]);
    answered("PATCH", "/service/tickets/1001", closed);
    let stored = upload(
        &client,
        &form(&[("recordType", "Ticket"), ("recordId", "1001"), ("title", "t")], Some(("a.txt", b"a"))),
    );
    check_answer("POST", "/system/documents", stored.status, &stored.json()).unwrap();
    let document = &stored.json()["id"];
    let callback = json!({"url": "https://a.example/x?id=", "objectId": 1, "type": "ticket", "level": "owner"});
    let callback = answered("POST", "/system/callbacks", callback);
    let off = json!([{"op": "replace", "path": "inactiveFlag", "value": true}]);
    answered("PATCH", &format!("/system/callbacks/{callback}"), off);
    let merge = json!({"mergeTicketIds": [ticket], "status": {"id": 105}});
    for path in [
        "/service/tickets?pageSize=1000".to_owned(),
        "/service/tickets/1001".to_owned(),
        "/service/tickets/count".to_owned(),
        "/project/tickets?pageSize=1000".to_owned(),
        "/project/tickets/1010".to_owned(),
        "/service/tickets/1001/notes".to_owned(),
        format!("/service/tickets/1001/notes/{note}"),
        "/service/tickets/1001/notes/count".to_owned(),
        "/project/tickets/1010/notes".to_owned(),
        "/service/tickets/1001/allNotes".to_owned(),
        "/service/tickets/1001/allNotes/count".to_owned(),
        "/project/tickets/1010/allNotes".to_owned(),
        "/service/tickets/1001/timeentries".to_owned(),
        "/service/tickets/1001/documents".to_owned(),
        "/service/tickets/1001/configurations".to_owned(),
        "/service/tickets/1001/configurations/31".to_owned(),
        "/time/entries".to_owned(),
        format!("/time/entries/{time}"),
        "/time/entries/count".to_owned(),
        "/time/workTypes".to_owned(),
        "/time/workRoles/11".to_owned(),
        "/system/documents?recordType=Ticket&recordId=1001".to_owned(),
        "/system/documents/count?recordType=Ticket&recordId=1001".to_owned(),
        format!("/system/documents/{document}"),
        "/system/audittrail?type=Ticket&id=1001".to_owned(),
        "/system/callbacks".to_owned(),
        format!("/system/callbacks/{callback}"),
        "/system/callbacks/count".to_owned(),
        "/system/members".to_owned(),
        "/system/members/177".to_owned(),
        "/system/info/members".to_owned(),
        "/system/myMembers/info".to_owned(),
        "/system/info".to_owned(),
        "/service/boards".to_owned(),
        "/service/boards/1".to_owned(),
        "/service/info/boards".to_owned(),
        "/service/info/boards/active".to_owned(),
        "/service/boards/1/statuses".to_owned(),
        "/service/boards/1/types".to_owned(),
        "/service/boards/1/subtypes".to_owned(),
        "/service/boards/1/items/1500".to_owned(),
        "/service/boards/1/teams".to_owned(),
        "/service/boards/1/typeSubTypeItemAssociations".to_owned(),
        "/service/priorities".to_owned(),
        "/service/sources/2".to_owned(),
        "/company/companies".to_owned(),
        "/company/companies/2".to_owned(),
        "/company/companies/2/sites".to_owned(),
        "/company/companies/2/sites/20".to_owned(),
        "/company/configurations".to_owned(),
        "/company/configurations/31".to_owned(),
        "/company/contacts".to_owned(),
        "/company/contacts/3".to_owned(),
        "/company/contacts/3/communications".to_owned(),
    ] {
        let answer = client.get(&path);
        check_answer("GET", &path, answer.status, &answer.json()).unwrap();
        let empty = answer.json().as_array().is_some_and(Vec::is_empty);
        assert!(!empty, "{path} shows nothing, so nothing was checked");
    }
    answered("POST", "/service/tickets/1001/merge", merge);
    let convert = json!({"phase": {"id": 1}, "wbsCode": "1.2"});
    answered("POST", "/service/tickets/1002/convert", convert);
    answered("POST", "/service/tickets/1001/attachChildren", json!({"childTicketIds": [1003]}));
    // Merged and bundled notes are shown, and the ticket has another shape by now.
    for path in
        ["/service/tickets/1001/allNotes", "/service/tickets/1001", "/project/tickets/1002", "/service/tickets/1003"]
    {
        let answer = client.get(path);
        check_answer("GET", path, answer.status, &answer.json()).unwrap();
    }
    let deleted = client.send("DELETE", &format!("{BASE}/time/entries/{time}"), &client.headers, "").unwrap();
    check_answer("DELETE", "/time/entries/1", deleted.status, &Value::Null).unwrap();
}
