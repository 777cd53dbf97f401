//! Rights, sign-in, versions, and the answers of what stands before the PSA.

use crate::client::{BASE, Client};
use serde_json::{Value, json};

#[test]
fn a_role_without_a_right_is_refused_there_and_nowhere_else() {
    let client = Client::new();
    let note = json!({"text": "x", "internalAnalysisFlag": true});
    let change = |path: &str| json!([{"op": "replace", "path": path, "value": "x"}]);
    let time = json!({"timeStart": "2024-02-01T10:00:00Z", "actualHours": 1});
    let rows: [(&str, &str, &str, Value); 24] = [
        ("tickets", "GET", "/service/tickets/1001", json!({})),
        ("tickets", "POST", "/service/tickets/search", json!({})),
        ("add_ticket", "POST", "/service/tickets", json!({"summary": "x", "company": {"id": 2}})),
        ("update_ticket", "PATCH", "/service/tickets/1001", change("summary")),
        ("update_ticket_reference", "PATCH", "/service/tickets/1001", change("externalXRef")),
        ("update_ticket", "POST", "/service/tickets/1001/merge", json!({})),
        ("delete_ticket", "DELETE", "/service/tickets/99", json!({})),
        ("notes", "GET", "/service/tickets/1001/allNotes", json!({})),
        ("add_note", "POST", "/service/tickets/1001/notes", note.clone()),
        ("update_note", "DELETE", "/service/tickets/1001/notes/99", json!({})),
        ("time", "GET", "/time/entries", json!({})),
        ("add_time", "POST", "/time/entries", time),
        ("documents", "GET", "/system/documents?recordType=Ticket&recordId=1001", json!({})),
        ("add_document", "POST", "/system/documents", json!({})),
        ("download_document", "GET", "/system/documents/99/download", json!({})),
        ("configurations", "GET", "/company/configurations", json!({})),
        ("companies", "GET", "/company/companies/2/sites", json!({})),
        ("contacts", "GET", "/company/contacts", json!({})),
        ("boards", "GET", "/service/boards/1/statuses", json!({})),
        ("setup", "GET", "/service/priorities", json!({})),
        ("members", "GET", "/system/members", json!({})),
        ("member_info", "GET", "/system/info/members", json!({})),
        ("audit_trail", "GET", "/system/audittrail?type=Ticket&id=1001", json!({})),
        ("callbacks", "GET", "/system/callbacks", json!({})),
    ];
    for (right, method, path, body) in &rows {
        client.door("POST", "rights", json!({"deny": [right]}));
        assert_eq!(client.json(method, path, body).error(), (403, "Security".to_owned()), "{right}");
        client.door("POST", "rights", json!({"deny": []}));
        assert_ne!(client.json(method, path, body).status, 403, "{right}");
    }
    client.door("POST", "rights", json!({"deny": ["update_ticket_reference", "boards", "members", "add_time"]}));
    assert_eq!(client.patch("summary", json!("y")).status, 200);
    for path in ["/service/info/boards", "/system/info/members", "/time/entries"] {
        assert_eq!(client.get(path).status, 200, "{path}");
    }
    let listed = client.simulator.control("GET", "rights", None).unwrap();
    let listed = listed["items"].as_array().unwrap();
    assert_eq!(listed.iter().filter(|right| right["denied"] == true).count(), 4);
    assert!(rows.iter().all(|row| listed.iter().any(|right| right["right"] == row.0)));
    for order in [json!({"deny": ["everything"]}), json!({"deny": "time"}), json!({})] {
        assert!(client.simulator.control("POST", "rights", Some(&order)).is_err(), "{order}");
    }
    client.door("POST", "rights", json!({"deny": ["add_note"]}));
    assert_eq!(client.note(&note).status, 403);
    assert_eq!(client.simulator.log().unwrap().pop().unwrap()["committed"], false);
}

#[test]
fn the_version_that_was_asked_for_is_said_again() {
    let client = Client::new();
    let kind = |accept: &str, path: &str| {
        let headers = format!("{}accept: {accept}\r\n", client.headers);
        let head = client.send("GET", &format!("{BASE}{path}"), &headers, "").unwrap().head;
        head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap().to_owned()
    };
    let versioned = "application/vnd.connectwise.com+json; version=2025.1";
    assert_eq!(kind(versioned, "/service/tickets/1001"), versioned);
    assert_eq!(kind(&format!("text/html, {versioned}"), "/service/boards"), versioned);
    assert_eq!(kind("application/json", "/service/tickets/1001"), "application/json; charset=utf-8");
    let head = client.get("/service/tickets/1001").head;
    assert!(head.contains("api-current-version: ") && head.contains("x-cw-request-id: "), "{head}");
}

#[test]
fn sign_in_answers_in_both_ways_that_are_reported() {
    let client = Client::new();
    let info = || client.send("GET", "/login/companyinfo/acme", "", "").unwrap().json()["IsCloud"].clone();
    let without_client = client.headers.lines().next().unwrap().to_owned() + "\r\n";
    let status = || client.send("GET", &format!("{BASE}/service/boards"), &without_client, "").unwrap().status;
    assert_eq!((info(), status()), (json!(true), 401));
    client.door("POST", "switches", json!({"is_cloud_text": true, "client_id_forbidden": true}));
    assert_eq!((info(), status()), (json!("True"), 403));
}

#[test]
fn proxies_and_databases_answer_in_their_own_ways() {
    let client = Client::new();
    client.fault("get_ticket", "rate_limited_html", json!({"retry_after": 9}));
    let limited = client.get("/service/tickets/1001");
    assert!(limited.status == 429 && limited.head.contains("retry-after: 9") && limited.head.contains("text/html"));
    client.fault("get_ticket", "error_500_timeout", json!({}));
    let late = client.get("/service/tickets/1001");
    assert!(late.status == 500 && late.body.contains("Timeout"), "{}", late.body);
    let switches = client.simulator.control("GET", "switches", None).unwrap();
    let names: Vec<_> =
        switches["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    for name in
        ["all_notes_missing", "time_end_required", "time_closed_before", "filename_unquoted", "document_bytes_max"]
    {
        assert!(names.contains(&name), "{name}");
    }
    for order in
        [json!({"time_closed_before": "soon"}), json!({"document_bytes_max": -1}), json!({"filename_unquoted": 1})]
    {
        assert!(client.simulator.control("POST", "switches", Some(&order)).is_err(), "{order}");
    }
}
