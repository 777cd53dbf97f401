//! Requests as the plugin builds them, in a host of memory: no network, no PSA.

use psa_connectwise::ConnectWise;
use psa_host_api::Code;
use psa_host_api::model::Visibility;
use psa_host_api::ops::{AddNoteRequest, GetTicketRequest, SetTicketStatusRequest};
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
    let request = SetTicketStatusRequest { ticket: "69".into(), status: "17".into() };
    let error = host.run(async |cx| provider.set_ticket_status(cx, request).await).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("status_of_other_board"));
    assert!(host.sent().iter().all(|sent| sent.method == "GET"));
    assert!(host.sent().iter().all(|sent| sent.url.starts_with(API)));
}
