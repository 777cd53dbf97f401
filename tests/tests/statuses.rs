//! Changes of status: each outcome by its right name, and no status of another board.

use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

fn scene() -> Scene {
    Scene::with(&["--tls"], fast())
}

fn set(scene: &Scene, params: Value) -> Value {
    scene.end("tickets.set_status", params)
}

#[test]
fn each_outcome_has_its_name() {
    let scene = scene();
    let applied = set(&scene, json!({"status": "102"}));
    assert_eq!((applied["state"].as_str(), applied["outcome"].as_str()), (Some("delivered"), Some("applied")));
    assert_eq!(set(&scene, json!({"status": "102"}))["outcome"], "already");
    scene.fault("patch_ticket", "ignored_patch", json!({}));
    let ignored = set(&scene, json!({"status": "101"}));
    assert_eq!((ignored["state"].as_str(), ignored["reason"].as_str()), (Some("refused"), Some("ignored")));
    scene.fault("patch_ticket", "workflow_moves", json!({}));
    let moved = set(&scene, json!({"status": "101"}));
    assert_eq!((moved["state"].as_str(), moved["outcome"].as_str()), (Some("delivered"), Some("applied_then_changed")));
    let foreign = set(&scene, json!({"status": "202"}));
    assert_eq!(
        (foreign["state"].as_str(), foreign["reason"].as_str()),
        (Some("refused"), Some("status_of_other_board"))
    );
    // What the user saw is not what is there any more.
    let now = scene.get().unwrap()["status"]["id"].as_str().unwrap().to_owned();
    let other = if now == "103" { "102" } else { "103" };
    let superseded = set(&scene, json!({"status": other, "base": "999"}));
    assert_eq!((superseded["state"].as_str(), superseded["reason"].as_str()), (Some("refused"), Some("superseded")));
    let late = set(&scene, json!({"status": "103", "not_after": "2020-01-01T00:00:00Z"}));
    assert_eq!((late["state"].as_str(), late["reason"].as_str()), (Some("refused"), Some("too_old")));
    for entry in scene.seen("patch_ticket") {
        assert_ne!(entry["body"][0]["value"]["id"], 202);
    }
}

#[test]
fn a_status_that_waited_does_not_overwrite_a_person() {
    let scene = scene();
    let before = scene.get().unwrap()["status"]["id"].as_str().unwrap().to_owned();
    scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
    let params = json!({"tenant": "t", "link": scene.link, "status": "102", "base": before});
    let operation = scene.world.call("tickets.set_status", params).unwrap();
    scene.person(json!({"status": 103}));
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    let ended = scene.end("tickets.set_status", json!({"status": "103"}));
    assert_eq!(ended["outcome"], "already");
    assert_eq!(scene.operation(&operation)["reason"], "superseded");
    assert_eq!(scene.get().unwrap()["status"]["id"], "103");
}

#[test]
fn older_changes_that_were_not_sent_give_way_to_the_newest() {
    let scene = scene();
    scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
    let hand_in = |status: &str| {
        scene.world.call("tickets.set_status", json!({"tenant": "t", "link": scene.link, "status": status})).unwrap()
    };
    let older = [hand_in("101"), hand_in("102")];
    let newest = hand_in("103");
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    scene.until(&newest, "delivered");
    for one in &older {
        assert_eq!(scene.operation(one)["reason"], "superseded");
    }
    assert_eq!(scene.seen("patch_ticket").len(), 1);
}

#[test]
fn a_change_whose_answer_was_lost_is_looked_at() {
    let scene = scene();
    scene.fault("patch_ticket", "reset_after_commit", json!({}));
    assert_eq!(set(&scene, json!({"status": "102"}))["outcome"], "found");
    // Lost, and somebody else has moved the ticket since: theirs stays.
    scene.fault("patch_ticket", "reset_before_commit", json!({}));
    let params = json!({"tenant": "t", "link": scene.link, "status": "101"});
    let operation = scene.world.call("tickets.set_status", params).unwrap();
    scene.until(&operation, "in_doubt");
    scene.person(json!({"status": 103}));
    loop {
        let now = scene.operation(&operation);
        if now["state"] != "in_doubt" {
            assert_eq!(
                (now["state"].as_str(), now["reason"].as_str()),
                (Some("refused"), Some("superseded")),
                "{now:#}"
            );
            break;
        }
    }
    assert_eq!(scene.get().unwrap()["status"]["id"], "103");
    // Lost, and nothing has happened: it is sent again.
    scene.fault("patch_ticket", "reset_before_commit", json!({}));
    let again = set(&scene, json!({"status": "101"}));
    assert_eq!((again["outcome"].as_str(), again["attempts"].as_i64()), (Some("applied"), Some(2)), "{again:#}");
}

#[test]
fn a_value_waits_for_its_mapping_on_the_tickets_own_board() {
    let scene = scene();
    let values = json!({"tenant": "t", "kind": "status", "rev": 1,
        "rows": [{"id": "working", "name": "Working on it"}, {"id": "done", "name": "Done"}]});
    scene.world.call("product.set_values", values).unwrap();
    let map = |scope: &str, status: &str| {
        let items = json!([{"value": "working", "status": status}]);
        scene.call("statuses.map", json!({"scope": scope, "items": items, "by": "Ann"}))
    };
    // Of another board: refused where it is entered, and useless for this ticket.
    assert_eq!(map("1", "202").unwrap_err().reason.as_deref(), Some("status_of_other_board"));
    map("2", "202").unwrap();
    let params = json!({"tenant": "t", "link": scene.link, "value": "working"});
    let operation = scene.world.call("tickets.set_status", params).unwrap();
    let held = scene.until(&operation, "held");
    assert_eq!((held["reason"].as_str(), held["evidence"]["scope"].as_str()), (Some("needs_mapping"), Some("1")));
    let unmapped = scene.call("statuses.unmapped", json!({"scope": "1"})).unwrap();
    assert_eq!(unmapped["items"].as_array().unwrap().len(), 2);
    map("1", "102").unwrap();
    // It goes on by itself.
    let ended = scene.until(&operation, "delivered");
    assert_eq!(ended["status"], "102");
    assert_eq!(scene.get().unwrap()["status"]["id"], "102");
    let older = json!({"tenant": "t", "kind": "status", "rev": 0, "rows": []});
    assert_eq!(scene.world.call("product.set_values", older).unwrap_err().reason.as_deref(), Some("old_revision"));
}

#[test]
fn tickets_are_created_found_again_and_linked() {
    let scene = scene();
    let create = |number: usize, summary: &str| {
        let params = json!({"product_ticket": format!("HD-new-{number}"), "summary": summary, "company": "2", "board": "1",
                            "wait_ms": 60_000});
        scene.call("tickets.create", params).unwrap()
    };
    let made = create(1, "A new printer");
    assert_eq!((made["state"].as_str(), made["outcome"].as_str()), (Some("delivered"), Some("applied")), "{made:#}");
    let link = scene.world.call("links.get", json!({"tenant": "t", "link": made["link"]})).unwrap();
    assert_eq!((link["state"].as_str(), &link["ticket"]), (Some("linked"), &made["remote"]));
    scene.fault("create_ticket", "reset_after_commit", json!({}));
    let found = create(2, "A new printer");
    assert_eq!((found["outcome"].as_str(), &found["attempts"]), (Some("found"), &json!(1)));
    assert_ne!(found["remote"], made["remote"]);
    // What the PSA refuses takes the notes behind it along.
    let wrong =
        scene.call("tickets.create", json!({"product_ticket": "HD-new-3", "summary": "x", "company": "4711"})).unwrap();
    let note = json!({"tenant": "t", "link": wrong["link"], "visibility": "internal", "text": "Behind it.", "wait_ms": 60_000});
    let note = scene.world.call("notes.post", note);
    scene_refused(&scene, &wrong);
    match note {
        Ok(note) => assert_eq!(note["reason"], "ticket_gone"),
        Err(error) => assert_eq!(error.reason.as_deref(), Some("not_linked")),
    }
}

fn scene_refused(scene: &Scene, operation: &Value) {
    loop {
        let now = scene.operation(operation);
        if now["state"] == "refused" {
            return;
        }
        assert_ne!(now["state"], "delivered", "{now:#}");
    }
}
