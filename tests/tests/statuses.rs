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
fn a_status_that_waited_for_its_mapping_does_not_win_over_a_younger_one() {
    let scene = scene();
    let values =
        json!({"tenant": "t", "kind": "status", "rev": 1, "rows": [{"id": "working", "name": "Working on it"}]});
    scene.world.call("product.set_values", values).unwrap();
    let params = json!({"tenant": "t", "link": scene.link, "value": "working"});
    let older = scene.world.call("tickets.set_status", params).unwrap();
    scene.until(&older, "held");
    assert_eq!(set(&scene, json!({"status": "103"}))["outcome"], "applied");
    let items = json!([{"value": "working", "status": "102"}]);
    scene.call("statuses.map", json!({"scope": "1", "items": items, "by": "Ann"})).unwrap();
    loop {
        let now = scene.operation(&older);
        if now["ended"].is_string() {
            assert_eq!(
                (now["state"].as_str(), now["reason"].as_str()),
                (Some("refused"), Some("superseded")),
                "{now:#}"
            );
            break;
        }
    }
    assert_eq!(scene.get().unwrap()["status"]["id"], "103");
}

#[test]
fn a_created_ticket_that_somebody_has_linked_meanwhile_goes_to_a_person() {
    let scene = scene();
    scene.fault("create_ticket", "reset_after_commit", json!({}));
    // The looks fail for a while, so that somebody else is first.
    scene.simulator.fault(&json!({"endpoint": "search_tickets", "fault": "html_503"})).unwrap();
    scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
    let params = json!({"product_ticket": "HD-new", "summary": "A printer that jams", "company": "2", "board": "1"});
    let operation = scene.call("tickets.create", params.clone()).unwrap();
    scene.simulator.control("DELETE", "faults", None).unwrap();
    scene.fault("create_ticket", "reset_after_commit", json!({}));
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    let made = loop {
        let all = scene.simulator.control("GET", "tickets", None).unwrap();
        let made = all["items"].as_array().unwrap().iter().find(|ticket| ticket["summary"] == "A printer that jams");
        if let Some(made) = made {
            break made["id"].to_string();
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    let link = scene.call("links.create", json!({"product_ticket": "HD-other", "ticket": made}));
    let ended = loop {
        let now = scene.operation(&operation);
        if now["state"] == "held" || now["ended"].is_string() {
            break now;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    // Whoever was first has the ticket; the other is told.
    match link {
        Ok(_) => {
            assert_eq!((ended["state"].as_str(), ended["reason"].as_str()), (Some("held"), Some("linked_already")))
        }
        Err(error) => {
            assert_eq!(error.reason.as_deref(), Some("linked_already"), "{error}");
            assert_eq!(ended["outcome"], "found");
        }
    }
    assert_eq!(scene.seen("create_ticket").len(), 1);
}

#[test]
fn the_same_key_is_the_same_operation_before_and_after_its_ticket_is_there() {
    let scene = scene();
    scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
    let create = json!({"product_ticket": "HD-new", "summary": "A printer that jams", "company": "2", "board": "1",
                        "client_key": "ticket"});
    let ticket = scene.call("tickets.create", create.clone()).unwrap();
    assert_eq!(scene.call("tickets.create", create).unwrap()["operation"], ticket["operation"]);
    let note = json!({"tenant": "t", "link": ticket["link"], "visibility": "internal", "text": "Behind it.", "client_key": "note"});
    let first = scene.world.call("notes.post", note.clone()).unwrap();
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    scene.until(&ticket, "delivered");
    scene.until(&first, "delivered");
    assert_eq!(scene.world.call("notes.post", note).unwrap()["operation"], first["operation"]);
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

/// Twenty boards whose statuses have equal names, tickets that move meanwhile, a PSA that ignores some changes.
#[test]
fn no_foreign_status_is_ever_sent_and_each_outcome_is_named_right() {
    let scene = Scene::with(&["--tls", "--boards", "20", "--tickets", "200"], fast());
    let all = scene.simulator.control("GET", "tickets", None).unwrap();
    let mut tickets: Vec<(u64, u64)> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|ticket| ticket["kind"] == "service")
        .map(|ticket| (ticket["id"].as_u64().unwrap(), ticket["board"].as_u64().unwrap()))
        .collect();
    tickets.retain(|(id, _)| *id != 1001);
    tickets.truncate(40);
    let boards: std::collections::BTreeSet<u64> = tickets.iter().map(|(_, board)| *board).collect();
    assert!(boards.len() >= 15, "{boards:?}");
    // On every board the value "working" stands for that board's own "In Progress".
    let values = json!({"tenant": "t", "kind": "status", "rev": 1, "rows": [{"id": "working", "name": "Working"}]});
    scene.world.call("product.set_values", values).unwrap();
    let mut working = std::collections::BTreeMap::new();
    let usable = scene.call("tickets.catalog", json!({"kind": "boards"})).unwrap();
    for board in usable["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|board| board["kind"] == "service" && board["inactive"] != true)
    {
        let scope = board["id"].as_str().unwrap();
        let statuses = scene.call("tickets.catalog", json!({"kind": "statuses", "scope": scope})).unwrap();
        let found =
            statuses["items"].as_array().unwrap().iter().find(|status| status["name"] == "In Progress").unwrap();
        let status = found["id"].as_str().unwrap().to_owned();
        let items = json!([{"value": "working", "status": status}]);
        scene.call("statuses.map", json!({"scope": scope, "items": items, "by": "Ann"})).unwrap();
        working.insert(scope.parse::<u64>().unwrap(), status);
    }
    let links: Vec<String> = tickets
        .iter()
        .map(|(id, _)| {
            let link = json!({"product_ticket": format!("HD-{id}"), "ticket": id.to_string()});
            scene.call("links.create", link).unwrap()["link"].as_str().unwrap().to_owned()
        })
        .collect();
    scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
    let operations: Vec<Value> = links
        .iter()
        .enumerate()
        .map(|(number, link)| {
            // Half of them by the value, half by the id that was right when it was handed in.
            let mut params = json!({"tenant": "t", "link": link});
            match number % 2 {
                0 => params["value"] = json!("working"),
                _ => params["status"] = json!(working[&tickets[number].1]),
            }
            scene.world.call("tickets.set_status", params).unwrap()
        })
        .collect();
    // Every third ticket is on another board by the time it is sent.
    let others: Vec<u64> = working.keys().copied().collect();
    let mut moved = std::collections::BTreeSet::new();
    for (number, (id, board)) in tickets.iter().enumerate().filter(|(number, _)| number % 3 == 0) {
        let to = others.iter().copied().find(|other| other != board && other % 7 == number as u64 % 7);
        let to = to.unwrap_or_else(|| others.iter().copied().find(|other| other != board).unwrap());
        scene.simulator.control("POST", &format!("tickets/{id}"), Some(&json!({"board": to}))).unwrap();
        moved.insert(number);
    }
    for (fault, percent) in [("ignored_patch", 10), ("workflow_moves", 10)] {
        scene.simulator.fault(&json!({"endpoint": "patch_ticket", "fault": fault, "percent": percent})).unwrap();
    }
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    let mut ended = std::collections::BTreeMap::new();
    for (number, operation) in operations.iter().enumerate() {
        let now = loop {
            let now = scene.operation(operation);
            if now["ended"].is_string() {
                break now;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        let how = now["outcome"].as_str().or(now["reason"].as_str()).unwrap().to_owned();
        if number % 2 == 1 && moved.contains(&number) {
            // The id belongs to the board the ticket has left.
            assert_eq!(how, "status_of_other_board", "{now:#}");
        } else {
            assert!(["applied", "applied_then_changed", "ignored", "already"].contains(&how.as_str()), "{now:#}");
        }
        *ended.entry(how).or_insert(0) += 1;
    }
    assert!(ended["applied"] > 0 && ended["status_of_other_board"] > 0, "{ended:?}");
    // What was sent is one of the board the ticket was on, each time.
    let mut board_of = std::collections::BTreeMap::new();
    for board in working.keys() {
        let statuses = scene.call("tickets.catalog", json!({"kind": "statuses", "scope": board.to_string()})).unwrap();
        for status in statuses["items"].as_array().unwrap() {
            board_of.insert(status["id"].as_str().unwrap().to_owned(), *board);
        }
    }
    let now = scene.simulator.control("GET", "tickets", None).unwrap();
    let place: std::collections::BTreeMap<u64, u64> = now["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ticket| (ticket["id"].as_u64().unwrap(), ticket["board"].as_u64().unwrap()))
        .collect();
    for entry in scene.seen("patch_ticket") {
        let id: u64 = entry["path"].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap();
        let status = entry["body"][0]["value"]["id"].to_string();
        assert_eq!(board_of[&status], place[&id], "{entry}");
    }
}

#[test]
fn a_created_ticket_is_found_though_the_search_by_its_mark_is_late() {
    let scene = scene();
    scene.fault("create_ticket", "late_reference", json!({"ms": 600_000}));
    let params = json!({"product_ticket": "HD-late", "summary": "A printer that jams on the second floor", "company": "2",
                        "board": "1", "wait_ms": 60_000});
    let made = scene.call("tickets.create", params).unwrap();
    assert_eq!((made["outcome"].as_str(), made["attempts"].as_i64()), (Some("found"), Some(1)), "{made:#}");
    assert_eq!(made["evidence"]["found_by"], "company and reference");
    let all = scene.simulator.control("GET", "tickets", None).unwrap();
    let ours = all["items"].as_array().unwrap().iter();
    assert_eq!(ours.filter(|ticket| ticket["summary"] == "A printer that jams on the second floor").count(), 1);
}
