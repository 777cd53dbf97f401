//! Changing tickets: each field as one PATCH of whole values, and only what is not so already.

use psa_host::Code;
use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

fn scene() -> Scene {
    Scene::with(&["--tls"], fast())
}

fn update(scene: &Scene, link: &str, changes: &Value) -> Value {
    let params = json!({"tenant": "t", "link": link, "changes": changes, "wait_ms": 60_000});
    scene.world.call("tickets.update", params).unwrap()
}

fn read(scene: &Scene, ticket: &str) -> Value {
    scene.call("tickets.get", json!({"ticket": ticket, "fresh": true})).unwrap()
}

/// What was changed is so, was sent once, and is not sent a second time.
fn check(
    scene: &Scene,
    (ticket, link): (&str, &str),
    changes: &Value,
    shown: impl Fn(&Value) -> Value,
    expected: &Value,
) {
    let before = scene.seen("patch_ticket").len();
    let done = update(scene, link, changes);
    assert_eq!(
        (done["state"].as_str(), done["outcome"].as_str()),
        (Some("delivered"), Some("applied")),
        "{changes} {done:#}"
    );
    assert_eq!(shown(&read(scene, ticket)), *expected, "{changes}");
    assert_eq!(scene.seen("patch_ticket").len(), before + 1, "{changes}");
    let again = update(scene, link, changes);
    assert_eq!(again["outcome"], "already", "{changes}");
    assert_eq!(scene.seen("patch_ticket").len(), before + 1, "{changes}");
}

#[test]
fn every_field_of_a_service_ticket_can_become_another_and_be_taken_away() {
    let scene = scene();
    let place = ("1001", scene.link.as_str());
    // In an order in which each may follow the one before.
    for (name, value) in [
        ("summary", "The new printer is out of order"),
        ("priority", "6"),
        ("ticket_type", "11"),
        ("subtype", "1000"),
        ("item", "1501"),
        ("source", "7"),
        ("owner", "177"),
        ("contact", "3"),
        ("external_reference", "HD-4711"),
    ] {
        let shown =
            |ticket: &Value| if ticket[name].is_object() { ticket[name]["id"].clone() } else { ticket[name].clone() };
        check(&scene, place, &json!({name: value}), shown, &json!(value));
    }
    for name in ["item", "subtype", "ticket_type", "source", "owner", "contact", "priority", "external_reference"] {
        check(&scene, place, &json!({name: ""}), |ticket| ticket[name].clone(), &Value::Null);
    }
    let moved = json!({"company": "3"});
    check(&scene, place, &moved, |ticket| ticket["company"]["id"].clone(), &json!("3"));
    for name in ["company", "board", "status", "summary"] {
        let params = json!({"tenant": "t", "link": scene.link, "changes": {name: ""}, "wait_ms": 60_000});
        match scene.world.call("tickets.update", params) {
            Ok(refused) => {
                assert_eq!((refused["state"].as_str(), refused["attempts"].as_i64()), (Some("refused"), Some(1)))
            }
            Err(error) => assert_eq!(error.code, Code::InvalidArgument, "{name}: {error}"),
        }
    }
    assert!(scene.seen("patch_ticket").iter().all(|entry| entry["status"] == 200));
}

#[test]
fn a_project_ticket_is_changed_the_same_way_but_has_no_mark() {
    let scene = scene();
    let link = scene.world.link(&scene.connection, "1010");
    let place = ("1010", link.as_str());
    for (name, value) in
        [("summary", "Roll out the printers"), ("priority", "5"), ("ticket_type", "31"), ("owner", "178")]
    {
        let shown =
            |ticket: &Value| if ticket[name].is_object() { ticket[name]["id"].clone() } else { ticket[name].clone() };
        check(&scene, place, &json!({name: value}), shown, &json!(value));
    }
    check(
        &scene,
        place,
        &json!({"owner": "", "contact": ""}),
        |ticket| json!([ticket["owner"], ticket["contact"]]),
        &json!([null, null]),
    );
    let field = |ticket: &Value| ticket["custom_fields"][0]["value"].clone();
    check(&scene, place, &json!({"custom_fields": [{"id": "21", "value": "HD-9"}]}), field, &json!("HD-9"));
    let refused = update(&scene, &link, &json!({"external_reference": "HD-9"}));
    assert_eq!(
        (refused["state"].as_str(), &refused["error"]["fields"][0]["at"]),
        (Some("refused"), &json!("/changes/external_reference"))
    );
    assert!(scene.seen("patch_ticket").iter().all(|entry| entry["path"].as_str().unwrap().contains("/project/")));
}

#[test]
fn fields_of_the_tenants_own_keep_those_that_nobody_named() {
    let scene = scene();
    let place = ("1001", scene.link.as_str());
    let values = |ticket: &Value| {
        let all = ticket["custom_fields"].as_array().unwrap().iter();
        all.map(|field| field["value"].clone()).collect::<Value>()
    };
    check(
        &scene,
        place,
        &json!({"custom_fields": [{"id": "21", "value": "HD-4711"}]}),
        values,
        &json!(["HD-4711", null]),
    );
    check(
        &scene,
        place,
        &json!({"custom_fields": [{"id": "22", "value": "West"}]}),
        values,
        &json!(["HD-4711", "West"]),
    );
    check(&scene, place, &json!({"custom_fields": [{"id": "21", "value": ""}]}), values, &json!([null, "West"]));
    let refused = update(&scene, &scene.link, &json!({"custom_fields": [{"id": "99", "value": "x"}]}));
    assert_eq!((&refused["state"], &refused["reason"]), (&json!("refused"), &json!("unknown_field")));
    assert_eq!(values(&read(&scene, "1001")), json!([null, "West"]));
}

#[test]
fn a_board_and_its_status_are_one_change_and_a_status_of_another_board_is_never_sent() {
    let scene = scene();
    let place = ("1001", scene.link.as_str());
    let both = |ticket: &Value| json!([ticket["board"]["id"], ticket["status"]["id"]]);
    for (changes, reason) in [
        (json!({"board": "2", "status": "102"}), "status_of_other_board"),
        (json!({"board": "2", "status": "206"}), "status_inactive"),
    ] {
        let refused = update(&scene, &scene.link, &changes);
        assert_eq!(
            (refused["state"].as_str(), refused["reason"].as_str()),
            (Some("refused"), Some(reason)),
            "{refused:#}"
        );
    }
    assert_eq!(update(&scene, &scene.link, &json!({"board": "2"}))["state"], "refused");
    let alone = json!({"tenant": "t", "link": scene.link, "changes": {"status": "102"}});
    assert_eq!(scene.world.call("tickets.update", alone).unwrap_err().fields[0].at, "/changes/status");
    assert!(scene.seen("patch_ticket").is_empty());
    check(&scene, place, &json!({"board": "2", "status": "202"}), both, &json!(["2", "202"]));
    let sent = scene.seen("patch_ticket").pop().unwrap()["body"].clone();
    assert_eq!(
        sent,
        json!([{"op": "replace", "path": "board", "value": {"id": 2}}, {"op": "replace", "path": "status", "value": {"id": 202}}])
    );
}

#[test]
fn several_fields_are_one_request_and_those_that_are_so_already_do_no_harm() {
    let scene = scene();
    let place = ("1001", scene.link.as_str());
    let changes = json!({"summary": "Two things", "priority": "5", "owner": "177"});
    let shown = |ticket: &Value| json!([ticket["summary"], ticket["priority"]["id"], ticket["owner"]["id"]]);
    check(&scene, place, &changes, shown, &json!(["Two things", "5", "177"]));
    check(
        &scene,
        place,
        &json!({"priority": "5", "owner": "178"}),
        |ticket| ticket["owner"]["id"].clone(),
        &json!("178"),
    );
    let error =
        scene.world.call("tickets.update", json!({"tenant": "t", "link": scene.link, "changes": {}})).unwrap_err();
    assert_eq!(error.fields[0].at, "/changes");
    let fields = update(&scene, &scene.link, &json!({"summary": "Two things", "owner": "178"}))["fields"].clone();
    assert_eq!(fields, json!(["owner", "summary"]));
}

#[test]
fn a_change_that_the_psa_confirms_and_ignores_is_refused_by_name() {
    let scene = scene();
    scene.fault("patch_ticket", "ignored_patch", json!({}));
    let refused = update(&scene, &scene.link, &json!({"priority": "6", "summary": "Kept by a rule"}));
    assert_eq!((refused["state"].as_str(), refused["reason"].as_str()), (Some("refused"), Some("ignored")));
    assert_eq!(refused["error"]["details"]["wanted"], json!({"priority": "6", "summary": "Kept by a rule"}));
    assert_eq!(scene.seen("patch_ticket").len(), 1);
    let told =
        scene.world.call("operations.explain", json!({"tenant": "t", "operation": refused["operation"]})).unwrap();
    assert!(told["text"].as_str().unwrap().contains("priority"), "{told}");
}

#[test]
fn a_priority_is_said_by_its_mapping_or_not_at_all() {
    let scene = scene();
    let error = scene.call("priorities.map", json!({"items": [{"value": "urgent", "priority": "99"}]})).unwrap_err();
    assert_eq!(error.fields[0].at, "/items/0/priority");
    let post = |value: &str| {
        let params =
            json!({"tenant": "t", "link": scene.link, "changes": {}, "priority_value": value, "wait_ms": 60_000});
        scene.world.call("tickets.update", params)
    };
    let error = post("urgent").unwrap_err();
    assert_eq!(
        (error.code, error.reason.as_deref(), error.fields[0].at.as_str()),
        (Code::Conflict, Some("needs_mapping"), "/priority_value")
    );
    scene.call("priorities.map", json!({"items": [{"value": "urgent", "priority": "6"}], "by": "Ann"})).unwrap();
    assert_eq!(post("urgent").unwrap()["outcome"], "applied");
    assert_eq!(read(&scene, "1001")["priority"]["id"], "6");
    let twice = json!({"tenant": "t", "link": scene.link, "changes": {"priority": "5"}, "priority_value": "urgent"});
    assert_eq!(scene.world.call("tickets.update", twice).unwrap_err().fields[0].at, "/priority_value");
    let create = |value: &str| {
        let params = json!({"product_ticket": format!("HD-{value}"), "summary": "Fire", "company": "2", "board": "1", "priority_value": value, "wait_ms": 60_000});
        scene.call("tickets.create", params)
    };
    assert_eq!(create("low").unwrap_err().reason.as_deref(), Some("needs_mapping"));
    let made = create("urgent").unwrap();
    assert_eq!(read(&scene, made["remote"].as_str().unwrap())["priority"]["id"], "6");
    let mappings = scene.call("priorities.mappings", json!({})).unwrap();
    assert_eq!((&mappings["items"][0]["value"], &mappings["items"][0]["priority"]), (&json!("urgent"), &json!("6")));
}
