//! Changing tickets, and making those of projects.

use crate::{BASE, scene};
use psa_connectwise::ConnectWise;
use psa_host_api::error::SpeaksOf;
use psa_host_api::model::{CustomField, Ticket};
use psa_host_api::ops::{CreateTicketRequest, TicketChanges, UpdateTicketRequest};
use psa_host_api::sdk::Provider;
use psa_host_api::sdk::testing::TestHost;
use psa_host_api::{Code, Error};
use serde_json::{Value, json};

fn update(host: &TestHost, provider: &ConnectWise, change: impl FnOnce(&mut TicketChanges)) -> Result<Ticket, Error> {
    let mut request = UpdateTicketRequest { ticket: "69".into(), ..UpdateTicketRequest::default() };
    change(&mut request.changes);
    host.run(async |cx| provider.update_ticket(cx, request).await)
}

fn patches(host: &TestHost) -> Vec<Value> {
    let sent = host.sent().into_iter().filter(|sent| sent.method == "PATCH");
    sent.map(|sent| serde_json::from_slice(&sent.body).unwrap()).collect()
}

#[test]
fn a_ticket_goes_to_another_board_and_its_status_in_one_patch() {
    let (host, provider) = scene();
    host.answer(&format!("GET {BASE}/service/tickets/69"), 200, r#"{"id":69,"board":{"id":1},"status":{"id":1}}"#);
    let statuses = |status: u64| format!("GET {BASE}/service/boards/2/statuses?conditions=id%3D{status}&pageSize=1");
    host.answer(&statuses(17), 200, r#"[{"id":17}]"#).answer(&statuses(1), 200, "[]");
    host.answer(&format!("PATCH {BASE}/service/tickets/69"), 200, r#"{"id":69,"board":{"id":2},"status":{"id":17}}"#);
    let to = |status: &str| {
        let status = Some(status.to_owned());
        update(&host, &provider, |changes| (changes.board, changes.status) = (Some("2".into()), status))
    };
    assert_eq!(to("1").unwrap_err().reason.as_deref(), Some("status_of_other_board"));
    assert!(patches(&host).is_empty());
    assert_eq!(to("17").unwrap().board.unwrap().id, "2");
    let expected = json!([{"op": "replace", "path": "board", "value": {"id": 2}},
                          {"op": "replace", "path": "status", "value": {"id": 17}}]);
    assert_eq!(patches(&host), [expected]);
}

#[test]
fn fields_of_the_tenant_are_read_changed_and_written_as_a_whole() {
    let (host, provider) = scene();
    let read = r#"{"id":69,"customFields":[{"id":5,"caption":"Region","value":"West"},{"id":6,"value":true}]}"#;
    host.answer(&format!("GET {BASE}/service/tickets/69"), 200, read);
    let after = r#"{"id":69,"customFields":[{"id":5,"caption":"Region","value":"East"},{"id":6,"value":true}]}"#;
    host.answer(&format!("PATCH {BASE}/service/tickets/69"), 200, after).answer(
        &format!("PATCH {BASE}/service/tickets/69"),
        200,
        read,
    );
    let set = |id: &str| {
        let field = CustomField { id: id.into(), name: None, value: json!("East") };
        update(&host, &provider, |changes| changes.custom_fields = vec![field])
    };
    let error = set("7").unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::InvalidArgument, Some("unknown_field")));
    assert!(patches(&host).is_empty());
    assert_eq!(set("5").unwrap().custom_fields[0].value, "East");
    let whole = json!([{"id": 5, "caption": "Region", "value": "East"}, {"id": 6, "value": true}]);
    assert_eq!(patches(&host), [json!([{"op": "replace", "path": "customFields", "value": whole}])]);
    // The false 200.
    let error = set("5").unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Rejected, Some("not_applied")), "{error}");
    assert_eq!(error.speaks_of, Some(SpeaksOf::Operation));
    let details = json!({"wanted": {"custom_fields/5": "East"}, "got": {"custom_fields/5": "West"}});
    assert_eq!(error.details, Some(details));
}

#[test]
fn a_project_ticket_is_changed_under_its_own_path_and_has_no_mark() {
    let (host, provider) = scene();
    let missing = r#"{"code":"NotFound","message":"Ticket 69 not found"}"#;
    host.answer(&format!("GET {BASE}/service/tickets/69"), 404, missing);
    host.answer(&format!("GET {BASE}/project/tickets/69"), 200, r#"{"id":69,"summary":"x"}"#);
    host.answer(&format!("PATCH {BASE}/project/tickets/69"), 200, r#"{"id":69,"summary":"y"}"#);
    let marked = update(&host, &provider, |changes| changes.external_reference = Some("psa-1".into()));
    assert_eq!(marked.unwrap_err().fields[0].at, "/changes/external_reference");
    assert!(patches(&host).is_empty());
    let ticket = update(&host, &provider, |changes| changes.summary = Some("y".into())).unwrap();
    assert_eq!((ticket.kind.as_deref(), ticket.summary.as_str()), (Some("project"), "y"));
}

#[test]
fn a_ticket_that_was_converted_meanwhile_is_for_the_next_try() {
    let (host, provider) = scene();
    let missing = r#"{"code":"NotFound","message":"Ticket 69 not found"}"#;
    let service = format!("GET {BASE}/service/tickets/69");
    host.answer(&service, 200, r#"{"id":69,"summary":"x"}"#).answer(&service, 404, missing);
    host.answer(&format!("PATCH {BASE}/service/tickets/69"), 404, missing);
    host.answer(&format!("GET {BASE}/project/tickets/69"), 200, r#"{"id":69,"summary":"x"}"#);
    let error = update(&host, &provider, |changes| changes.summary = Some("y".into())).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Unavailable, Some("ticket_converted")), "{error}");
    assert_eq!(patches(&host).len(), 1);
}

#[test]
fn a_project_ticket_is_made_under_its_own_path() {
    let (host, provider) = scene();
    host.answer(&format!("POST {BASE}/project/tickets"), 201, r#"{"id":70,"summary":"x","phase":{"id":3}}"#);
    let mut request = CreateTicketRequest {
        summary: "x".into(),
        kind: Some("project".into()),
        custom_fields: vec![CustomField { id: "5".into(), name: None, value: json!("West") }],
        ..CreateTicketRequest::default()
    };
    request.fields.insert("phase".into(), json!({"id": 3}));
    let ticket = host.run(async |cx| provider.create_ticket(cx, request).await).unwrap();
    assert_eq!((ticket.id.as_str(), ticket.kind.as_deref()), ("70", Some("project")));
    let sent = host.sent();
    let body: Value = serde_json::from_slice(&sent.last().unwrap().body).unwrap();
    let expected = json!({"summary": "x", "phase": {"id": 3}, "customFields": [{"id": 5, "value": "West"}]});
    assert_eq!(body, expected);
}
