//! The test of a connection.

use crate::{BASE, INFO, scene, settings};
use psa_connectwise::ConnectWise;
use psa_host_api::Code;
use psa_host_api::model::{StepState, TestReport};
use psa_host_api::ops::Nothing;
use psa_host_api::sdk::Provider;
use psa_host_api::sdk::testing::TestHost;
use serde_json::{Value, json};

const SECURITY: &str = r#"{"code":"Security","message":"You do not have security permission"}"#;
const LACKING: &str = r#"{"code":"InvalidObject","message":"ticket object is invalid",
                          "errors":[{"code":"MissingRequiredField","message":"x","field":"summary"}]}"#;
const NO_TICKET: &str = r#"{"code":"NotFound","message":"Ticket 0 not found"}"#;

const RIGHTS: [(&str, &str, &str); 6] = [
    ("tickets", "GET", "service/tickets?pageSize=1"),
    ("boards", "GET", "service/boards?pageSize=1"),
    ("members", "GET", "system/info/members?pageSize=1"),
    ("write_notes", "POST", "service/tickets/0/notes"),
    ("write_reference", "POST", "service/tickets"),
    ("callbacks", "GET", "system/callbacks?pageSize=1"),
];

/// A site where everything is allowed, but for what is answered otherwise.
fn site(otherwise: &[(&str, u16, &str)]) -> (TestHost, ConnectWise) {
    let (host, provider) = scene();
    host.answer(&format!("GET {BASE}/system/myMembers/info"), 200, r#"{"id":1,"identifier":"psabridge"}"#);
    host.answer(&format!("GET {BASE}/system/info"), 200, r#"{"version":"v2025.1.99001"}"#);
    for (step, method, path) in RIGHTS {
        let good = match step {
            "write_notes" => (404, NO_TICKET),
            "write_reference" => (400, LACKING),
            _ => (200, "[]"),
        };
        let found = otherwise.iter().find(|(other, ..)| *other == step);
        let (status, body) = found.map_or(good, |(_, status, body)| (*status, *body));
        host.answer(&format!("{method} {BASE}/{path}"), status, body);
    }
    (host, provider)
}

fn test(host: &TestHost, provider: &ConnectWise) -> TestReport {
    host.run(async |cx| provider.test_connection(cx, Nothing {}).await).unwrap()
}

fn steps_of_the_form() -> Vec<String> {
    let form: Value = serde_json::from_str(include_str!("../../form.json")).unwrap();
    serde_json::from_value(form["test"]["steps"].clone()).unwrap()
}

#[test]
fn a_test_changes_nothing_and_has_the_steps_of_the_form() {
    let (host, provider) = site(&[]);
    let report = test(&host, &provider);
    assert_eq!(report.steps.iter().map(|step| step.step.clone()).collect::<Vec<_>>(), steps_of_the_form());
    assert!(report.passed && report.steps.iter().all(|step| step.state == StepState::Passed), "{report:?}");
    assert_eq!(report.server_version.as_deref(), Some("v2025.1.99001"));
    assert_eq!(report.account.unwrap().identity.as_deref(), Some("psabridge"));
    let others: Vec<_> = host.sent().into_iter().filter(|sent| sent.method != "GET").collect();
    assert_eq!(others.len(), 2);
    for sent in others {
        // Marked as reads, which the host lets a test send; and nothing can be made of them.
        assert!(sent.as_read && sent.method == "POST" && sent.body == b"{}", "{sent:?}");
    }
}

#[test]
fn a_missing_right_names_itself_and_what_is_not_possible_without_it() {
    for (step, _, _) in RIGHTS {
        let (host, provider) = site(&[(step, 403, SECURITY)]);
        let report = test(&host, &provider);
        let failed: Vec<_> = report.steps.iter().filter(|step| step.state != StepState::Passed).collect();
        let [failed] = failed.as_slice() else { panic!("{step}: {failed:?}") };
        assert_eq!((failed.step.as_str(), failed.code), (step, Some(Code::Forbidden)));
        assert!(!failed.disables.is_empty() && failed.message.contains("The role needs "), "{failed:?}");
        // Without tickets nothing works; without the others less.
        assert_eq!(report.passed, step != "tickets", "{step}");
    }
}

#[test]
fn a_probe_passes_only_if_the_record_is_what_is_refused() {
    for (status, body, state) in [
        (400, LACKING, StepState::Passed),
        (404, NO_TICKET, StepState::Passed),
        (400, r#"{"code":"ConnectWiseApi","message":"cannot read"}"#, StepState::Passed),
        (401, r#"{"code":"Unauthorized","message":"no"}"#, StepState::Failed),
        (403, SECURITY, StepState::Failed),
        (404, "<html>", StepState::Failed),
        (404, r#"{"code":"ConnectWiseApi","message":"endpoint"}"#, StepState::Failed),
        (429, "{}", StepState::Failed),
        (500, "{}", StepState::Failed),
        (201, r#"{"id":1}"#, StepState::Failed),
        (200, "<html>", StepState::Failed),
    ] {
        for step in ["write_notes", "write_reference"] {
            let (host, provider) = site(&[(step, status, body)]);
            let report = test(&host, &provider);
            let found = report.steps.iter().find(|found| found.step == step).unwrap();
            assert_eq!(found.state, state, "{step} {status} {body}: {found:?}");
        }
    }
}

#[test]
fn what_cannot_be_tried_is_skipped() {
    let host = TestHost::new();
    host.answer(INFO, 200, "null");
    let provider = host.open::<ConnectWise>(settings(json!({}))).unwrap();
    let report = test(&host, &provider);
    assert_eq!(report.steps.iter().map(|step| step.step.clone()).collect::<Vec<_>>(), steps_of_the_form());
    assert_eq!((report.steps[0].state, report.passed), (StepState::Failed, false));
    assert!(report.steps[1..].iter().all(|step| step.state == StepState::Skipped));

    let (host, provider) = scene();
    host.answer(&format!("GET {BASE}/system/myMembers/info"), 401, r#"{"code":"Unauthorized","message":"no"}"#);
    let report = test(&host, &provider);
    assert_eq!((report.steps[1].state, report.steps[1].code), (StepState::Failed, Some(Code::Unauthenticated)));
    assert_eq!((report.steps.len(), report.steps[2].state), (8, StepState::Skipped));
    assert_eq!(host.sent().len(), 3);
}
