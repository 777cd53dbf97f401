//! What people decide about operations, and what they can see before.

use psa_tests::scene::{Scene, fast};
use psa_tests::world::World;
use serde_json::{Value, json};

fn scene() -> Scene {
    Scene::with(&["--tls"], fast())
}

#[test]
fn a_note_of_ours_with_other_words_is_shown_to_a_person() {
    let scene = scene();
    scene.fault("add_note", "reset_before_commit", json!({}));
    let note = scene.hand_in("The printer on the second floor jams.");
    scene.until(&note, "in_doubt");
    scene
        .person(json!({"note": {"text": "Quite other words altogether.", "createdBy": "psabridge", "internal": true}}));
    let held = scene.until(&note, "held");
    assert_eq!(held["reason"], "near_match");
    let near = held["evidence"]["near"][0]["note"].to_string().replace('"', "");
    // A note of somebody else is nothing to us.
    assert_eq!(held["evidence"]["near"].as_array().unwrap().len(), 1);
    let of = |by: &str| json!({"tenant": "t", "operation": note["operation"], "by": by});
    let error = scene
        .world
        .call("operations.adopt", json!({"tenant": "t", "operation": note["operation"], "remote": near, "by": ""}));
    assert_eq!(error.unwrap_err().fields[0].at, "/by");
    let adopted = scene
        .world
        .call("operations.adopt", json!({"tenant": "t", "operation": note["operation"], "remote": near, "by": "Ann"}));
    let adopted = adopted.unwrap();
    assert_eq!((adopted["state"].as_str(), adopted["outcome"].as_str()), (Some("delivered"), Some("adopted")));
    assert_eq!(adopted["decided_by"], "Ann");
    // What has ended stays ended.
    for method in ["operations.retry", "operations.discard"] {
        assert_eq!(scene.world.call(method, of("Ann")).unwrap_err().reason.as_deref(), Some("ended"), "{method}");
    }
    let activity = scene.world.call("activity.list", json!({"tenant": "t"})).unwrap();
    let entry = activity["items"].as_array().unwrap().iter().find(|entry| entry["action"] == "operation.adopted");
    assert_eq!(entry.unwrap()["actor"], "Ann");
}

#[test]
fn a_person_can_let_it_be_sent_again_or_drop_it() {
    for (decision, state, notes) in [("operations.retry", "delivered", 1), ("operations.discard", "discarded", 0)] {
        let scene = scene();
        scene.fault("add_note", "reset_before_commit", json!({}));
        let note = scene.hand_in("The printer on the second floor jams.");
        scene.until(&note, "in_doubt");
        scene.person(
            json!({"note": {"text": "Quite other words altogether.", "createdBy": "psabridge", "internal": true}}),
        );
        scene.until(&note, "held");
        // The lane has gone on meanwhile.
        assert_eq!(scene.post("What came after.")["state"], "delivered");
        if decision == "operations.retry" {
            // It is looked for first, and the other note is still there.
            scene.world.call(decision, json!({"tenant": "t", "operation": note["operation"], "by": "Ann"})).unwrap();
            assert_eq!(scene.until(&note, "held")["reason"], "near_match");
            let ticket = scene.simulator.control("GET", "tickets/1001", None).unwrap();
            let other =
                ticket["notes"].as_array().unwrap().iter().find(|n| n["text"] == "Quite other words altogether.");
            let remote = other.unwrap()["id"].to_string();
            let adopt = json!({"tenant": "t", "operation": note["operation"], "remote": remote, "by": "Ann"});
            scene.world.call("operations.adopt", adopt).unwrap();
        } else {
            scene.world.call(decision, json!({"tenant": "t", "operation": note["operation"], "by": "Ann"})).unwrap();
        }
        assert_eq!(scene.operation(&note)["state"], state, "{decision}");
        assert_eq!(scene.words().iter().filter(|text| text.starts_with("Quite")).count(), 1, "{decision} {notes}");
    }
}

#[test]
fn one_key_is_one_operation() {
    let scene = scene();
    let note = |text: &str| {
        let note =
            json!({"tenant": "t", "link": scene.link, "visibility": "internal", "text": text, "client_key": "7"});
        scene.world.call("notes.post", note)
    };
    let first = note("Once.").unwrap();
    assert_eq!(note("Once.").unwrap()["operation"], first["operation"]);
    let error = note("Twice.").unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("client_key"), "{error}");
    scene.until(&first, "delivered");
    assert_eq!(note("Once.").unwrap()["operation"], first["operation"]);
    assert_eq!(scene.words(), ["Once."]);
    let of = json!({"client_key": "7"});
    assert_eq!(scene.call("operations.lookup", of).unwrap()["operation"], first["operation"]);
    assert_eq!(scene.call("operations.lookup", json!({"client_key": "8"})).unwrap_err().code, psa_host::Code::NotFound);
}

#[test]
fn what_has_not_begun_can_be_taken_back_and_what_has_cannot() {
    let scene = scene();
    scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
    let note = scene.hand_in("Never mind.");
    let of = json!({"tenant": "t", "operation": note["operation"]});
    assert_eq!(scene.world.call("operations.cancel", of).unwrap()["state"], "discarded");
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    scene.fault("add_note", "reset_before_commit", json!({}));
    let note = scene.hand_in("On its way.");
    scene.until(&note, "in_doubt");
    let of = json!({"tenant": "t", "operation": note["operation"]});
    assert_eq!(scene.world.call("operations.cancel", of).unwrap_err().reason.as_deref(), Some("too_late"));
    let error = scene.call("connections.delete", json!({})).unwrap_err();
    assert_eq!((error.reason.as_deref(), error.details.unwrap()["waiting"].as_u64()), (Some("waiting"), Some(1)));
    scene.call("connections.delete", json!({"waiting": 1, "by": "Ann"})).unwrap();
}

#[test]
fn a_rehearsal_shows_the_request_and_sends_nothing() {
    let scene = scene();
    let before = scene.simulator.log().unwrap().len();
    let params = json!({"tenant": "t", "link": scene.link, "visibility": "internal", "text": "Only a rehearsal."});
    let shown = scene.world.call("rehearse", json!({"method": "notes.post", "params": params})).unwrap();
    let request = &shown["requests"][0];
    assert_eq!(request["method"], "POST");
    assert!(request["url"].as_str().unwrap().ends_with("/service/tickets/1001/notes"), "{request}");
    let body: Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
    assert!(body["internalAnalysisFlag"] == true && body["detailDescriptionFlag"] == false, "{body}");
    let text = shown.to_string();
    assert!(text.contains("{secret:private_key}") && !text.contains(scene.simulator.text("private_key")), "{text}");
    let status = json!({"tenant": "t", "link": scene.link, "status": "102"});
    let shown = scene.world.call("rehearse", json!({"method": "tickets.set_status", "params": status})).unwrap();
    assert_eq!(shown["requests"][0]["method"], "PATCH");
    let create =
        json!({"tenant": "t", "connection": scene.connection, "product_ticket": "n", "summary": "New", "company": "2"});
    let shown = scene.world.call("rehearse", json!({"method": "tickets.create", "params": create})).unwrap();
    assert!(shown["requests"][0]["url"].as_str().unwrap().ends_with("/service/tickets"), "{shown}");
    let writes = scene.simulator.log().unwrap()[before..].iter().filter(|entry| entry["method"] != "GET").count();
    assert_eq!(writes, 0);
    assert_eq!(scene.world.call("operations.list", json!({"tenant": "t"})).unwrap()["items"], json!([]));
    let error = scene.world.call("rehearse", json!({"method": "vault.rotate", "params": {}})).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("unknown_method"));
}

#[test]
fn what_waits_says_why_its_connection_sends_nothing_and_health_says_the_same() {
    let scene = scene();
    scene.call("connections.pause", json!({})).unwrap();
    let note = scene.hand_in("Said later.");
    let paused = "The connection is stopped (paused), and nothing is sent through it. product has paused it.";
    assert_eq!(halted(&scene.world, &scene.connection, &note), [("stopped".to_owned(), paused.to_owned())]);
    scene.call("connections.resume", json!({})).unwrap();
    scene.until(&note, "delivered");
    assert_eq!(halted(&scene.world, &scene.connection, &note), []);
    // One that was never tested: what is handed in waits for the test.
    let untested = scene.world.connect("connectwise", scene.simulator.settings(), scene.simulator.secrets());
    let link = json!({"tenant": "t", "connection": untested, "product_ticket": "HD-2", "ticket": "1001"});
    let link = scene.world.call("links.create", link).unwrap();
    let note = json!({"tenant": "t", "link": link["link"], "text": "Too early.", "visibility": "internal"});
    let note = scene.world.call("notes.post", note).unwrap();
    let setup = "Nothing is sent through the connection before connections.test has passed.";
    assert_eq!(halted(&scene.world, &untested, &note), [("setup".to_owned(), setup.to_owned())]);
}

#[test]
fn a_process_that_leaves_delivery_to_others_says_so_of_each_connection() {
    let mut config = fast();
    config["outbox"]["deliver"] = json!(false);
    let scene = Scene::with(&["--tls"], config);
    let note = scene.hand_in("For another process.");
    let elsewhere = "This process sends nothing (`outbox.deliver` is false): another one has to.";
    let elsewhere = ("not_delivering".to_owned(), elsewhere.to_owned());
    assert_eq!(halted(&scene.world, &scene.connection, &note), std::slice::from_ref(&elsewhere));
    // Both have to be put right.
    scene.call("connections.pause", json!({})).unwrap();
    let paused = "The connection is stopped (paused), and nothing is sent through it. product has paused it.";
    let both = [("stopped".to_owned(), paused.to_owned()), elsewhere];
    assert_eq!(halted(&scene.world, &scene.connection, &note), both);
}

#[test]
fn a_database_that_cannot_be_written_is_a_reason_too() {
    let scene = scene();
    scene.call("connections.pause", json!({})).unwrap();
    let note = scene.hand_in("Said later.");
    let db = rusqlite::Connection::open(scene.world.folder.path().join("data/store.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    db.execute("UPDATE meta SET value = '2' WHERE name = 'min_writer'", []).unwrap();
    assert_eq!(scene.call("connections.resume", json!({})).unwrap_err().reason.as_deref(), Some("store_newer"));
    let store = "Nothing is sent while this process cannot write into the database: the database was migrated by a newer \
                 library. Restart this process with the new one.";
    let paused = "The connection is stopped (paused), and nothing is sent through it. product has paused it.";
    let both = [("store".to_owned(), store.to_owned()), ("stopped".to_owned(), paused.to_owned())];
    assert_eq!(halted(&scene.world, &scene.connection, &note), both);
}

#[test]
fn a_plugin_that_was_refused_is_a_reason_before_anything_is_tried() {
    let Scene { world, connection, link, simulator: _simulator } = scene();
    let mut config = fast();
    config["outbox"]["deliver"] = json!(false);
    let world = without_plugin(world, config);
    let note = json!({"tenant": "t", "link": link, "text": "Said later.", "visibility": "internal"});
    let note = world.call("notes.post", note).unwrap();
    let missing = "Nothing is sent through the connection. Its plugin is not loaded: plugins.list says which are, and \
                   which were refused.";
    let halts = halted(&world, &connection, &note);
    assert_eq!(halts[0], ("plugin_missing".to_owned(), missing.to_owned()));
    assert_eq!((halts.len(), halts[1].0.as_str()), (2, "not_delivering"));
}

/// What waited was refused, as if its ticket were gone: the plugin's absence was taken for the ticket's. And what stops a
/// connection was kept and told with the path of a file of the product's machine.
#[test]
fn what_waits_goes_on_waiting_without_its_plugin_and_no_tenant_is_told_where_the_file_is() {
    let scene = scene();
    scene.call("connections.pause", json!({})).unwrap();
    let note = scene.hand_in("Said later.");
    let Scene { world, connection, simulator: _simulator, .. } = scene;
    let world = without_plugin(world, fast());
    let of = json!({"tenant": "t", "connection": connection});
    world.call("connections.resume", of.clone()).unwrap();
    let event = loop {
        let event = world.host.next_event("c", 60_000).unwrap().expect("the stop is told");
        world.host.ack_event("c", event.id).unwrap();
        if event.json.contains("connection.stopped") && event.json.contains("plugin_missing") {
            break event.json;
        }
    };
    let stop = "The connection is stopped (plugin_missing), and nothing is sent through it. Its plugin is not loaded: \
                plugins.list says which are, and which were refused.";
    assert_eq!(halted(&world, &connection, &note), [("stopped".to_owned(), stop.to_owned())]);
    let waits = world.call("operations.get", json!({"tenant": "t", "operation": note["operation"]})).unwrap();
    assert_eq!(waits["state"], "queued", "{waits:#}");
    let listed = world.call("plugins.list", json!({})).unwrap().to_string();
    assert!(listed.contains("psa_connectwise.so"), "{listed}");
    let told = [
        event,
        waits.to_string(),
        world.call("connections.get", of.clone()).unwrap().to_string(),
        world.call("activity.list", json!({"tenant": "t"})).unwrap().to_string(),
        world.call("members.list", of).unwrap_err().to_json(),
    ];
    for told in told {
        assert!(!told.contains("psa_connectwise.so"), "{told}");
    }
}

/// The same host, opened again with a folder in which the file of the plugin is none.
fn without_plugin(world: World, config: Value) -> World {
    world.host.close(1000).unwrap();
    let plugins = world.folder.path().join("refused");
    std::fs::create_dir(&plugins).unwrap();
    std::fs::write(plugins.join("psa_connectwise.so"), "only a text, and long enough to have a head\n").unwrap();
    World::open(world.folder, &[&plugins], config).unwrap()
}

/// What `health` says of a connection: reasons and sentences. `operations.explain` of what waits there must say each.
fn halted(world: &World, connection: &str, operation: &Value) -> Vec<(String, String)> {
    let of = json!({"tenant": "t", "operation": operation["operation"]});
    let explained = world.call("operations.explain", of).unwrap()["text"].as_str().unwrap().to_owned();
    let health = world.call("health", json!({"tenant": "t"})).unwrap();
    let items = health["connections"]["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["connection"] == connection).unwrap();
    let text = |halt: &Value, name: &str| halt[name].as_str().unwrap().to_owned();
    let halts: Vec<(String, String)> =
        item["halted"].as_array().unwrap().iter().map(|halt| (text(halt, "reason"), text(halt, "message"))).collect();
    for (_, message) in &halts {
        assert!(explained.lines().any(|line| line == message), "explain does not say: {message}\n{explained}");
    }
    let tells_why = ["sent through", "sends nothing", "Nothing is sent"];
    let why = explained.lines().filter(|line| tells_why.iter().any(|part| line.contains(part))).count();
    assert_eq!(why, halts.len(), "explain says more than health: {explained}");
    halts
}
