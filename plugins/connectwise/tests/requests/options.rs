//! What can be chosen in the fields of the form, and what is wrong with settings.

use crate::{BASE, scene, settings};
use psa_connectwise::ConnectWise;
use psa_host_api::model::{FormOption, Page, PageRequest};
use psa_host_api::ops::{FormOptionsRequest, ValidateSettingsRequest};
use psa_host_api::sdk::Provider;
use psa_host_api::sdk::testing::TestHost;
use psa_host_api::{Code, Error};
use serde_json::{Value, json};

fn ask(host: &TestHost, provider: &ConnectWise, request: Value) -> Result<Page<FormOption>, Error> {
    let request: FormOptionsRequest = serde_json::from_value(request).unwrap();
    host.run(async |cx| provider.form_options(cx, request).await)
}

fn shown(options: &Page<FormOption>) -> Value {
    serde_json::to_value(&options.items).unwrap()
}

#[test]
fn boards_and_statuses_are_choices_with_their_ids_as_texts() {
    let (host, provider) = scene();
    host.answer(
        &format!("GET {BASE}/service/boards?pageSize=100"),
        200,
        r#"[{"id":1,"name":"Help Desk","inactiveFlag":false,"projectFlag":false},
            {"id":2,"name":"Old","inactiveFlag":true,"projectFlag":false},
            {"id":3,"name":"Rollouts","inactiveFlag":false,"projectFlag":true}]"#,
    );
    let boards = ask(&host, &provider, json!({"source": "boards"})).unwrap();
    assert_eq!(
        shown(&boards),
        json!([{"value": "1", "label": "Help Desk", "inactive": false}, {"value": "2", "label": "Old", "inactive": true},
               {"value": "3", "label": "Rollouts", "group": "Project boards", "inactive": false}])
    );
    host.answer(
        &format!("GET {BASE}/service/boards/1/statuses?pageSize=100"),
        200,
        r#"[{"id":16,"name":"New","board":{"id":1},"closedStatus":false,"inactive":false},
            {"id":17,"name":"Done","board":{"id":1},"closedStatus":true,"inactive":false}]"#,
    );
    let statuses = ask(&host, &provider, json!({"source": "statuses", "args": {"board": "1"}})).unwrap();
    assert_eq!(
        shown(&statuses),
        json!([{"value": "16", "label": "New", "inactive": false},
               {"value": "17", "label": "Done", "help": "Closes the ticket", "inactive": false}])
    );
}

#[test]
fn words_are_looked_for_by_connectwise_and_a_narrow_role_sees_the_short_form() {
    let (host, provider) = scene();
    let words = "conditions=%28firstName%20contains%20%22Ada%22%20or%20lastName%20contains%20%22Ada%22%29";
    let rest = "pageSize=100";
    host.answer(
        &format!("GET {BASE}/system/members?{words}&{rest}"),
        403,
        r#"{"code":"SecurityError","message":"No"}"#,
    );
    host.answer(
        &format!("GET {BASE}/system/info/members?{words}&{rest}"),
        200,
        r#"[{"id":7,"identifier":"ada","firstName":"Ada","lastName":"L","inactiveFlag":false,"licenseClass":"F"},
            {"id":8,"identifier":"api","firstName":"","lastName":"","inactiveFlag":false,"licenseClass":"A"}]"#,
    );
    let members = ask(&host, &provider, json!({"source": "members", "query": "Ada"})).unwrap();
    assert_eq!(
        shown(&members),
        json!([{"value": "7", "label": "Ada L", "help": "ada", "inactive": false},
               {"value": "8", "label": "api", "help": "api", "group": "API members", "inactive": false}])
    );
    host.answer(
        &format!("GET {BASE}/company/companies?pageSize=2&orderBy=id%20asc&page=1"),
        200,
        r#"[{"id":2,"identifier":"Northwind","name":"Northwind Dental"},{"id":3,"identifier":"Acme","name":"Acme"}]"#,
    );
    let page = json!({"source": "companies", "page": PageRequest { cursor: None, limit: Some(2) }});
    let companies = ask(&host, &provider, page).unwrap();
    assert_eq!(
        companies.items[0],
        FormOption { help: Some("Northwind".into()), ..FormOption::new("2", "Northwind Dental") }
    );
    assert!(companies.items[1].help.is_none() && companies.next.is_some());
}

#[test]
fn what_cannot_be_asked_for_is_named_and_nothing_is_sent() {
    let (host, provider) = scene();
    for (request, at) in [
        (json!({"source": "moons"}), "/source"),
        (json!({"source": "statuses"}), "/args/board"),
        (json!({"source": "statuses", "args": {"board": "Help Desk"}}), "/board"),
    ] {
        let error = ask(&host, &provider, request.clone()).unwrap_err();
        assert_eq!((error.code, error.fields[0].at.as_str()), (Code::InvalidArgument, at), "{request}");
    }
    assert!(host.sent().is_empty());
}

#[test]
fn settings_are_judged_without_asking_anybody() {
    let (host, provider) = scene();
    let Value::Object(settings) = settings(json!({"callback_scope": "board"})) else { unreachable!("it is an object") };
    let found =
        host.run(async |cx| provider.validate_settings(cx, ValidateSettingsRequest { settings }).await).unwrap();
    assert_eq!(found.items.len(), 1);
    assert_eq!(
        (found.items[0].at.as_str(), found.items[0].code.as_str()),
        ("/settings/callback_scope", "board_required")
    );
    assert!(host.sent().is_empty());
}
