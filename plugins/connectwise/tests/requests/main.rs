//! Requests as the plugin builds them, in a host of memory: no network, no PSA.

mod attachments;
mod callbacks;
mod changes;
mod connection;
mod forgeries;
mod options;
mod records;
mod talk;
mod updates;

use psa_connectwise::ConnectWise;
use psa_host_api::Code;
use psa_host_api::error::SpeaksOf;
use psa_host_api::model::{PageRequest, TicketFilter, Visibility};
use psa_host_api::ops::{
    AddNoteRequest, CreateTicketRequest, GetTicketRequest, SearchContactsRequest, SearchTicketsRequest,
    SetTicketStatusRequest,
};
use psa_host_api::sdk::Provider;
use psa_host_api::sdk::testing::TestHost;
use serde_json::{Value, json};

const API: &str = "https://api-eu.myconnectwise.net";
const BASE: &str = "https://api-eu.myconnectwise.net/v2025_1/apis/3.0";
const INFO: &str = "GET https://api-eu.myconnectwise.net/login/companyinfo/acme%2Fx";

fn settings(more: Value) -> Value {
    let mut settings = json!({"site": "eu", "company_id": "acme/x", "client_id": "client", "public_key": "PUB"});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings
}

fn scene() -> (TestHost, ConnectWise) {
    let host = TestHost::new();
    host.answer(INFO, 200, r#"{"CompanyName":"acme","Codebase":"v2025_1/","IsCloud":"True"}"#);
    let provider = host.open::<ConnectWise>(settings(json!({}))).unwrap();
    (host, provider)
}

#[test]
fn every_request_names_the_key_and_holds_none() {
    let (host, provider) = scene();
    host.answer(&format!("GET {BASE}/service/tickets/69"), 200, r#"{"id":69,"summary":"x"}"#);
    let ticket = host.run(async |cx| provider.get_ticket(cx, GetTicketRequest { ticket: "69".into() }).await).unwrap();
    assert_eq!(
        ticket.url.as_deref(),
        Some("https://eu.myconnectwise.net/v4_6_release/ConnectWise.aspx?routeTo=ServiceFV&recid=69")
    );
    let sent = host.sent();
    assert_eq!(sent[0].line(), INFO);
    assert!(sent[0].headers.iter().all(|(_, _, secret)| secret.is_empty()), "{:?}", sent[0]);
    let header = |name: &str| sent[1].headers.iter().find(|(found, ..)| found == name).unwrap().clone();
    assert_eq!(header("authorization"), ("authorization".into(), "acme/x+PUB".into(), "private_key".into()));
    assert_eq!(header("clientid").1, "client");
    assert_eq!(header("accept").1, "application/vnd.connectwise.com+json; version=2025.1");
}

#[test]
fn a_code_base_that_could_lead_elsewhere_is_not_used() {
    for codebase in ["../../evil/", "v2025_1", "", "a/b/", "x?y/", "//evil.example/"] {
        let host = TestHost::new();
        host.answer(INFO, 200, json!({"Codebase": codebase}).to_string());
        let provider = host.open::<ConnectWise>(settings(json!({}))).unwrap();
        let outcome = host.run(async |cx| provider.get_ticket(cx, GetTicketRequest { ticket: "69".into() }).await);
        let error = outcome.unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (Code::Unavailable, Some("no_codebase")), "{codebase}");
        assert_eq!(host.sent().len(), 1);
    }
}

#[test]
fn sites_have_their_addresses_and_a_server_of_ones_own_its_own() {
    for (more, address) in [
        (json!({"site": "na"}), "https://api-na.myconnectwise.net"),
        (json!({"site": "au"}), "https://api-au.myconnectwise.net"),
        (json!({"site": "staging"}), "https://api-staging.connectwisedev.com"),
        (json!({"site": "custom", "host": "https://psa.example:8443/"}), "https://psa.example:8443"),
    ] {
        let host = TestHost::new();
        host.answer(&format!("GET {address}/login/companyinfo/acme%2Fx"), 200, "null");
        let provider = host.open::<ConnectWise>(settings(more)).unwrap();
        let outcome = host.run(async |cx| provider.get_ticket(cx, GetTicketRequest { ticket: "69".into() }).await);
        assert_eq!(outcome.unwrap_err().reason.as_deref(), Some("company_unknown"), "{address}");
    }
    for (more, field) in [
        (json!({"site": "moon"}), "/site"),
        (json!({"site": "custom"}), "/host"),
        (json!({"public_key": ""}), "/public_key"),
    ] {
        let error = TestHost::new().open::<ConnectWise>(settings(more)).err().unwrap();
        assert_eq!((error.code, error.fields[0].at.as_str()), (Code::InvalidArgument, field));
    }
}

#[test]
fn a_note_is_one_post_after_the_kind_is_known() {
    let (host, provider) = scene();
    host.answer(
        &format!("GET {BASE}/service/tickets/69"),
        404,
        r#"{"code":"NotFound","message":"Ticket 69 not found"}"#,
    );
    host.answer(&format!("GET {BASE}/project/tickets/69"), 200, r#"{"id":69}"#);
    host.answer(
        &format!("POST {BASE}/project/tickets/69/notes"),
        201,
        r#"{"id":3,"text":"x","internalAnalysisFlag":true}"#,
    );
    let request = AddNoteRequest {
        ticket: "69".into(),
        visibility: Visibility::Internal,
        text: "x".into(),
        member: Some("7".into()),
    };
    let note = host.run(async |cx| provider.add_note(cx, request).await).unwrap();
    assert_eq!((note.id.as_str(), note.visibility), ("3", Visibility::Internal));
    let sent = host.sent();
    let posts: Vec<_> = sent.iter().filter(|sent| sent.method == "POST").collect();
    assert_eq!(posts.len(), 1);
    let body: Value = serde_json::from_slice(&posts[0].body).unwrap();
    assert_eq!(
        body,
        json!({"text": "x", "detailDescriptionFlag": false, "internalAnalysisFlag": true, "resolutionFlag": false,
               "processNotifications": false, "customerUpdatedFlag": false, "member": {"id": 7}})
    );
}

#[test]
fn a_status_that_the_board_does_not_show_is_not_sent_even_if_the_condition_is_ignored() {
    let (host, provider) = scene();
    host.answer(&format!("GET {BASE}/service/tickets/69"), 200, r#"{"id":69,"board":{"id":21},"status":{"id":1}}"#);
    let statuses = format!("GET {BASE}/service/boards/21/statuses?conditions=id%3D17&pageSize=1");
    host.answer(&statuses, 200, r#"[{"id":16,"name":"Another"}]"#);
    let request = SetTicketStatusRequest { ticket: "69".into(), status: "17".into(), expected: None };
    let error = host.run(async |cx| provider.set_ticket_status(cx, request).await).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("status_of_other_board"));
    assert!(host.sent().iter().all(|sent| sent.method == "GET"));
    assert!(host.sent().iter().all(|sent| sent.url.starts_with(API)));
}

#[test]
fn a_status_that_nobody_expected_is_not_overwritten() {
    let (host, provider) = scene();
    host.answer(&format!("GET {BASE}/service/tickets/69"), 200, r#"{"id":69,"board":{"id":21},"status":{"id":3}}"#);
    let set = |status: &str, expected: &str| {
        let (ticket, expected) = ("69".into(), Some(expected.into()));
        let request = SetTicketStatusRequest { ticket, status: status.into(), expected };
        host.run(async |cx| provider.set_ticket_status(cx, request).await)
    };
    let error = set("2", "1").unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Rejected, Some("superseded")), "{error}");
    assert_eq!(error.speaks_of, Some(SpeaksOf::Operation));
    assert_eq!(error.details, Some(json!({"expected": "1", "got": "3"})));
    // It is where it should be, whoever has moved it.
    assert_eq!(set("3", "1").unwrap().status.unwrap().id, "3");
    assert_eq!(set("2", "New").unwrap_err().fields[0].at, "/expected");
    assert!(host.sent().iter().all(|sent| sent.method == "GET" && !sent.url.contains("statuses")));
}

#[test]
fn a_status_that_did_not_stay_is_told_with_the_one_before() {
    let (host, provider) = scene();
    host.answer(&format!("GET {BASE}/service/tickets/69"), 200, r#"{"id":69,"board":{"id":21},"status":{"id":1}}"#);
    host.answer(&format!("GET {BASE}/service/boards/21/statuses?conditions=id%3D2&pageSize=1"), 200, r#"[{"id":2}]"#);
    host.answer(&format!("PATCH {BASE}/service/tickets/69"), 200, r#"{"id":69,"status":{"id":4}}"#);
    let request = SetTicketStatusRequest { ticket: "69".into(), status: "2".into(), expected: Some("1".into()) };
    let error = host.run(async |cx| provider.set_ticket_status(cx, request).await).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Rejected, Some("not_applied")), "{error}");
    assert_eq!(error.details, Some(json!({"wanted": "2", "before": "1", "got": "4"})));
}

#[test]
fn a_ticket_is_one_post_after_its_status_is_known_to_be_of_its_board() {
    let (host, provider) = scene();
    host.answer(
        &format!("GET {BASE}/service/boards/21/statuses?conditions=id%3D17&pageSize=1"),
        200,
        r#"[{"id":17,"name":"New"}]"#,
    );
    host.answer(
        &format!("GET {BASE}/service/boards/21/statuses?conditions=id%3D18&pageSize=1"),
        200,
        r#"[{"id":18,"name":"Old","inactive":true}]"#,
    );
    let made = r#"{"id":70,"summary":"x","externalXRef":"psa-1","_info":{"enteredBy":"psabridge"}}"#;
    host.answer(&format!("POST {BASE}/service/tickets"), 201, made);
    let create = |status: &str| {
        let request = CreateTicketRequest {
            summary: "x".into(),
            company: "2".into(),
            board: Some("21".into()),
            status: Some(status.into()),
            external_reference: Some("psa-1".into()),
            ..CreateTicketRequest::default()
        };
        host.run(async |cx| provider.create_ticket(cx, request).await)
    };
    assert_eq!(create("18").unwrap_err().reason.as_deref(), Some("status_inactive"));
    assert!(host.sent().iter().all(|sent| sent.method == "GET"));
    let ticket = create("17").unwrap();
    assert_eq!((ticket.id.as_str(), ticket.kind.as_deref()), ("70", Some("service")));
    assert_eq!(
        (ticket.external_reference.as_deref(), ticket.created_by.as_deref()),
        (Some("psa-1"), Some("psabridge"))
    );
    let posts: Vec<_> = host.sent().into_iter().filter(|sent| sent.method == "POST").collect();
    assert_eq!(posts.len(), 1);
    let body: Value = serde_json::from_slice(&posts[0].body).unwrap();
    assert_eq!(
        body,
        json!({"summary": "x", "company": {"id": 2}, "board": {"id": 21}, "status": {"id": 17}, "externalXRef": "psa-1"})
    );
}

#[test]
fn tickets_found_by_their_mark_have_it_even_if_the_condition_is_ignored() {
    let (host, provider) = scene();
    let line = |page: u32| {
        format!(
            "GET {BASE}/service/tickets?conditions=externalXRef%3D%22psa-1%22%20and%20id%3E69&pageSize=3&orderBy=id%20desc&page={page}"
        )
    };
    host.answer(&line(1), 200, r#"[{"id":72,"externalXRef":"PSA-1"},{"id":71,"externalXRef":"psa-1"},{"id":70}]"#);
    host.answer(&line(2), 200, r#"[{"id":69,"externalXRef":"psa-1"}]"#);
    let search = |cursor: Option<String>, kind: Option<&str>| {
        let filter = TicketFilter {
            external_reference: Some("psa-1".into()),
            made_after: Some("69".into()),
            newest_first: true,
            kind: kind.map(str::to_owned),
            ..TicketFilter::default()
        };
        let request = SearchTicketsRequest { filter, page: PageRequest { cursor, limit: Some(3) } };
        host.run(async |cx| provider.search_tickets(cx, request).await)
    };
    let page = search(None, None).unwrap();
    assert_eq!(page.items.iter().map(|ticket| ticket.id.as_str()).collect::<Vec<_>>(), ["71"]);
    let last = search(page.next, None).unwrap();
    assert!(last.items.is_empty() && last.next.is_none());
    assert!(host.sent().iter().all(|sent| sent.headers.iter().all(|(name, ..)| name != "pagination-type")));
    assert_eq!(search(Some("after:69".into()), None).unwrap_err().reason.as_deref(), Some("cursor"));
    assert_eq!(search(None, Some("project")).unwrap_err().fields[0].at, "/filter/external_reference");
}

#[test]
fn people_are_asked_for_by_page_number_and_looked_at_again() {
    let (host, provider) = scene();
    let line = format!(
        "GET {BASE}/company/contacts?conditions=company%2Fid%3D2&childConditions=communicationItems%2Fvalue%3D%22a%40example.com%22\
         %20and%20communicationItems%2FcommunicationType%3D%22Email%22&pageSize=100&orderBy=id%20asc&page=1"
    );
    host.answer(
        &line,
        200,
        r#"[{"id":2,"firstName":"Alex","communicationItems":[{"communicationType":"Email","value":"A@example.com"}]},
            {"id":3,"firstName":"Bo","communicationItems":[{"communicationType":"Email","value":"b@example.com"}]}]"#,
    );
    let request = SearchContactsRequest {
        email: Some("a@example.com".into()),
        company: Some("2".into()),
        ..SearchContactsRequest::default()
    };
    let page = host.run(async |cx| provider.search_contacts(cx, request).await).unwrap();
    assert_eq!((page.items.len(), page.items[0].name.as_str(), page.next), (1, "Alex", None));
}
