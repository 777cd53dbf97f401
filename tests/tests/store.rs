//! The database: old, shared, damaged and large; what it tells, and what is refused at its door.

use psa_host::{Code, Host};
use psa_tests::compile;
use psa_tests::scene::{Scene, fast};
use psa_tests::shared::{Shared, call, note, wait_until_all_ended};
use serde_json::{Value, json};

#[test]
fn an_old_library_writes_nothing_once_a_newer_one_has_migrated() {
    let shared = Shared::new();
    let host = shared.open(json!({})).unwrap();
    let (_, link) = shared.link(&host);
    let db = rusqlite::Connection::open(shared.folder.path().join("data/store.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    db.execute("UPDATE meta SET value = '2' WHERE name = 'min_writer'", []).unwrap();
    let error = note(&host, &link, "Too old.").unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Storage, Some("store_newer")), "{error}");
    host.close(1000).unwrap();
    // A newer set of migrations is refused, and left as it is.
    let sql = "INSERT INTO refinery_schema_history VALUES (7, 'later', '2030-01-01T00:00:00Z', '1')";
    db.execute(sql, []).unwrap();
    let error = shared.open(json!({})).map(drop).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("store_newer"), "{error}");
    let count: i64 = db.query_row("SELECT count(*) FROM refinery_schema_history", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 7);
}

#[test]
fn opening_at_once_and_dying_while_opening_leave_a_whole_database() {
    let shared = Shared::new();
    let config = shared.config(json!({}));
    let program = compile::target().join("psa-torture-host");
    for delay in 0..12 {
        let start = || {
            let mut command = std::process::Command::new(&program);
            command.arg(config.to_string()).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
            command.spawn().unwrap()
        };
        let mut both = [start(), start()];
        // Somewhere in the middle of opening; which moment it is does not matter, and all are tried.
        std::thread::sleep(std::time::Duration::from_millis(3 * delay));
        for child in &mut both {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
    let host = shared.open(json!({})).unwrap();
    shared.link(&host);
    host.close(1000).unwrap();
    assert_eq!(psa_host::doctor(&shared.folder.path().join("data")).unwrap(), Vec::<String>::new());
}

#[test]
fn a_damaged_database_and_a_folder_that_cannot_be_written_are_told_clearly() {
    let shared = Shared::new();
    let data = shared.folder.path().join("data");
    shared.open(json!({})).unwrap().close(1000).unwrap();
    std::fs::write(data.join("store.db"), b"this is no database, whatever its name says, and it is long enough")
        .unwrap();
    let error = shared.open(json!({})).map(drop).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Storage, Some("damaged")), "{error}");
    assert_eq!(psa_host::doctor(&data).unwrap_err().reason.as_deref(), Some("damaged"));
    assert!(std::fs::read(data.join("store.db")).unwrap().starts_with(b"this is no database"), "it is left as it is");
}

#[test]
fn a_consumer_that_was_away_is_told_what_it_has_missed() {
    let shared = Shared::new();
    let host = shared.open(json!({"outbox": {"events_kept": 5}})).unwrap();
    let (_, link) = shared.link(&host);
    for number in 0..10 {
        note(&host, &link, &format!("Note {number}.")).unwrap();
    }
    wait_until_all_ended(&host);
    let gap = loop {
        let event = host.next_event("slow", 10_000).unwrap().unwrap();
        let body: Value = serde_json::from_str(&event.json).unwrap();
        if body["event"] == "gap" {
            host.ack_event("slow", event.id).unwrap();
            break body;
        }
        // Not trimmed yet: it comes again, because it is not acknowledged.
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert_eq!(gap["from"], 1);
    let event = host.next_event("slow", 10_000).unwrap().unwrap();
    assert_eq!(event.id, gap["to"].as_u64().unwrap() + 1);
    // Until it is acknowledged it comes again, also to the same consumer elsewhere, which waits for its turn.
    assert_eq!(host.next_event("slow", 10_000).unwrap().unwrap(), event);
    let other = shared.open(json!({})).unwrap();
    assert_eq!(other.next_event("slow", 50).unwrap(), None);
    assert_eq!(other.next_event("other", 10_000).unwrap().map(|event| event.json.contains("gap")), Some(true));
    host.ack_event("slow", event.id).unwrap();
    assert_ne!(other.next_event("slow", 10_000).unwrap().unwrap().id, event.id);
}

#[test]
fn what_happened_is_chained_and_a_tenant_can_be_taken_out_and_erased() {
    let scene = Scene::with(&["--tls"], fast());
    scene.post("Of this tenant.");
    let head = scene.world.call("activity.head", json!({"tenant": "t"})).unwrap();
    let verify = |head: &Value| scene.world.call("activity.verify", json!({"tenant": "t", "head": head})).unwrap();
    assert_eq!(verify(&head)["whole"], true);
    let db = rusqlite::Connection::open(scene.world.folder.path().join("data/store.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    for (change, back) in [
        ("UPDATE activity SET actor = 'nobody' WHERE seq = 1", "UPDATE activity SET actor = 'product' WHERE seq = 1"),
        (
            "UPDATE activity SET detail = detail || ' ' WHERE seq = 1",
            "UPDATE activity SET detail = trim(detail) WHERE seq = 1",
        ),
        ("UPDATE activity SET seq = 100 WHERE seq = 2", "UPDATE activity SET seq = 2 WHERE seq = 100"),
    ] {
        assert_eq!(db.execute(change, []).unwrap(), 1);
        assert_eq!(verify(&head)["whole"], false, "{change}");
        db.execute(back, []).unwrap();
        assert_eq!(verify(&head)["whole"], true, "{back}");
    }
    // The end was cut off: only a head kept elsewhere tells.
    let last = head["seq"].as_i64().unwrap();
    let copy = scene.world.folder.path().join("copy.db");
    scene.world.call("store.backup", json!({"path": copy})).unwrap();
    let export = scene.world.call("tenant.export", json!({"tenant": "t"})).unwrap();
    let tables: Vec<&str> =
        export["rows"].as_array().unwrap().iter().map(|row| row["table"].as_str().unwrap()).collect();
    for table in ["connections", "ticket_links", "operations", "notes", "activity", "events"] {
        assert!(tables.contains(&table), "{table}");
    }
    let wrong = scene.world.call("tenant.erase", json!({"tenant": "t", "confirm": "u", "by": "Ann"})).unwrap_err();
    assert_eq!(wrong.code, Code::InvalidArgument);
    scene.world.call("tenant.erase", json!({"tenant": "t", "confirm": "t", "by": "Ann"})).unwrap();
    let left = scene.world.call("tenant.export", json!({"tenant": "t"})).unwrap();
    let left: Vec<&str> = left["rows"].as_array().unwrap().iter().map(|row| row["table"].as_str().unwrap()).collect();
    assert!(left.iter().all(|table| ["activity", "events"].contains(table)), "{left:?}");
    let after = verify(&head);
    assert!(after["whole"] == true && after["entries"].as_i64() > Some(last), "{after}");
    db.execute("DELETE FROM activity WHERE seq >= ?1", [last]).unwrap();
    assert_eq!(verify(&head)["whole"], false);
}

#[test]
fn input_without_sense_is_refused_and_loses_nothing() {
    let scene = Scene::with(&["--tls"], fast());
    let post = |text: &str| {
        let params = json!({"tenant": "t", "link": scene.link, "visibility": "internal", "text": text});
        scene.world.call("notes.post", params)
    };
    for (text, code, rule) in [
        ("x".repeat(10 << 20).as_str(), Code::TooLarge, "max_length"),
        ("with a bell \u{7}", Code::InvalidArgument, "control_character"),
        (" \n ", Code::InvalidArgument, "required"),
    ] {
        let error = post(text).unwrap_err();
        assert_eq!((error.code, error.fields[0].code.as_str()), (code, rule), "{}", error.message);
    }
    for (method, params, code) in [
        (
            "notes.post",
            json!({"tenant": "u", "link": scene.link, "visibility": "internal", "text": "x"}),
            Code::NotFound,
        ),
        ("links.get", json!({"tenant": "u", "link": scene.link}), Code::NotFound),
        ("operations.get", json!({"tenant": "t", "operation": "o_1"}), Code::NotFound),
        ("operations.list", json!({"tenant": "t", "page": {"cursor": "%%%"}}), Code::InvalidArgument),
        ("tickets.set_status", json!({"tenant": "t", "link": scene.link}), Code::InvalidArgument),
        (
            "links.create",
            json!({"tenant": "t", "connection": scene.connection, "product_ticket": "", "ticket": "1"}),
            Code::InvalidArgument,
        ),
        (
            "links.create",
            json!({"tenant": "t", "connection": scene.connection, "product_ticket": "x", "ticket": "999999"}),
            Code::NotFound,
        ),
        (
            "links.create",
            json!({"tenant": "t", "connection": scene.connection, "product_ticket": "HD-1001", "ticket": "1002"}),
            Code::Conflict,
        ),
        ("store.backup", json!({"path": "/nowhere/at/all.db"}), Code::InvalidArgument),
        ("vault.retire", json!({"key": "no such key"}), Code::Ok),
    ] {
        match scene.world.call(method, params.clone()) {
            Ok(_) => assert_eq!(code, Code::Ok, "{method} {params}"),
            Err(error) => assert_eq!(error.code, code, "{method} {params}: {error}"),
        }
    }
    assert_eq!(scene.post("Still here.")["outcome"], "applied");
}

#[test]
fn a_hundred_thousand_links_are_listed_page_by_page_and_found_at_once() {
    let shared = Shared::new();
    let host = shared.open(json!({})).unwrap();
    let (connection, _) = shared.link(&host);
    let mut db = rusqlite::Connection::open(shared.folder.path().join("data/store.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    let rows = db.transaction().unwrap();
    {
        let mut insert = rows
            .prepare(
                "INSERT INTO ticket_links (tenant, link, connection, product_ticket, ticket, state, reference, created,
                 changed) VALUES ('t', ?1, ?2, ?3, ?4, 'linked', ?1, 0, 0)",
            )
            .unwrap();
        for number in 0..100_000 {
            let id = format!("l_{number:06}");
            insert.execute([&id, &connection, &format!("many {number}"), &format!("many {number}")]).unwrap();
        }
    }
    rows.commit().unwrap();
    let (mut cursor, mut count, mut pages) = (Value::Null, 0, 0);
    loop {
        let page = if cursor.is_null() { json!({"limit": 1000}) } else { json!({"limit": 1000, "cursor": cursor}) };
        let mut found = call(&host, "links.list", json!({"tenant": "t", "page": page})).unwrap();
        count += found["items"].as_array().unwrap().len();
        pages += 1;
        cursor = found["next"].take();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!((count, pages), (100_001, 101));
    let one = json!({"tenant": "t", "product_ticket": "many 77777"});
    assert_eq!(call(&host, "links.list", one).unwrap()["items"][0]["link"], "l_077777");
    let dependents = call(&host, "connections.delete", json!({"tenant": "t", "connection": connection})).unwrap();
    assert_eq!(dependents["links"], 100_001);
}

#[test]
fn what_a_host_had_in_hand_when_it_was_closed_comes_again_at_once() {
    let shared = Shared::new();
    let host = shared.open(json!({})).unwrap();
    shared.link(&host);
    let taken = host.next_event("desk", 10_000).unwrap().expect("a connection was made");
    host.close(1000).unwrap();
    let host = shared.open(json!({})).unwrap();
    let again = host.next_event("desk", 10_000).unwrap().expect("nobody has acknowledged it");
    assert_eq!(again.id, taken.id);
}

#[test]
fn a_write_of_one_host_makes_the_ticket_old_in_the_cache_of_another() {
    let shared = Shared::new();
    let [first, second] =
        [shared.open(json!({})).unwrap(), shared.open(json!({"outbox": {"deliver": false}})).unwrap()];
    let (connection, link) = shared.link(&first);
    let get = |host: &Host| {
        let of = json!({"tenant": "t", "connection": connection, "ticket": "1001"});
        call(host, "tickets.get", of).unwrap()["status"]["id"].as_str().unwrap().to_owned()
    };
    let reads = || {
        let log = shared.simulator.log().unwrap();
        log.iter().filter(|entry| entry["endpoint"] == "get_ticket").count()
    };
    let before = get(&second);
    let counted = reads();
    assert_eq!(get(&second), before);
    assert_eq!(reads(), counted, "the second read is from the cache");
    let other = if before == "102" { "103" } else { "102" };
    let set = json!({"tenant": "t", "link": link, "status": other, "wait_ms": 60_000});
    assert_eq!(call(&first, "tickets.set_status", set).unwrap()["state"], "delivered");
    assert_eq!((get(&first).as_str(), get(&second).as_str()), (other, other));
    let health = call(&second, "health", json!({"tenant": "t"})).unwrap();
    assert!(health["connections"]["items"][0]["cache"]["hits"].as_u64() > Some(0), "{health}");
}
