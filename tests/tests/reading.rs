//! What is read of ConnectWise, to the end of each list, also one entry at a time.

use psa_host::Code;
use psa_tests::psa;
use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

fn scene() -> Scene {
    Scene::with(&["--tls"], fast())
}

#[test]
fn a_reading_that_closing_ends_says_so_and_what_to_do() {
    let scene = scene();
    scene.simulator.fault(&json!({"endpoint": "get_ticket", "fault": "hang"})).unwrap();
    let (told, ended) = std::sync::mpsc::channel();
    let params = json!({"tenant": "t", "connection": scene.connection, "ticket": "1001", "fresh": true}).to_string();
    let done = Box::new(move |_, outcome: Result<String, psa_host::Error>| told.send(outcome).unwrap());
    let reached = scene.seen("get_ticket").len();
    scene.world.host.submit("tickets.get", params.as_bytes(), psa_host::CallOptions::default(), done).unwrap();
    while scene.seen("get_ticket").len() == reached {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    scene.world.host.close(0).unwrap();
    let error = ended.recv().unwrap().unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Closed, None), "{error}");
    let words =
        "connectwise get_ticket: its connection was closed while it was under way: the host is being closed, or";
    assert!(error.message.starts_with(words) && error.message.contains("Call again"), "{error}");
}

/// All of a list, by pages of this size. No page is larger, and no list goes on for ever.
fn all(scene: &Scene, method: &str, params: &Value, size: usize) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), Value::Null);
    for _ in 0..1_000 {
        let mut params = params.clone();
        params["page"] = json!({"limit": size});
        if cursor.is_string() {
            params["page"]["cursor"] = cursor.clone();
        }
        let mut page = scene.call(method, params).unwrap();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= size, "{method}");
        found.extend(items.iter().cloned());
        cursor = page["next"].take();
        if cursor.is_null() {
            return found;
        }
    }
    panic!("{method} {params} has no end");
}

fn texts(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["text"].as_str().unwrap()).collect()
}

/// A ticket with notes, time that is shown and time that is not, and another that was merged into it.
fn told() -> Scene {
    let scene = scene();
    for (visibility, text) in [("internal", "First, for us."), ("public", "Second, for all.")] {
        scene.end("notes.post", json!({"visibility": visibility, "text": text}));
    }
    for (hour, show_as, notes) in
        [(10, json!("internal"), "Time that is shown."), (11, Value::Null, "Time that is not.")]
    {
        let time = json!({"started_at": format!("2026-01-31T{hour}:00:00Z"), "ended_at": format!("2026-01-31T{hour}:30:00Z"),
                          "notes": notes, "show_as": show_as});
        assert_eq!(scene.end("time.post", time)["outcome"], "applied");
    }
    let note = json!({"note": {"text": "Said at the other one.", "internal": true}});
    scene.simulator.control("POST", "tickets/1003", Some(&note)).unwrap();
    scene.simulator.control("POST", "tickets/1003", Some(&json!({"merge_into": 1001}))).unwrap();
    scene
}

#[test]
fn a_conversation_has_notes_time_and_what_was_said_at_merged_tickets() {
    let scene = told();
    let ticket = json!({"ticket": "1001"});
    for size in [1, 2, 100] {
        let entries = all(&scene, "tickets.conversation", &ticket, size);
        let said = texts(&entries);
        for text in ["First, for us.", "Second, for all.", "Time that is shown.", "Said at the other one."] {
            assert_eq!(said.iter().filter(|found| **found == text).count(), 1, "{size}: {text}: {said:?}");
        }
        assert!(!said.contains(&"Time that is not."), "{said:?}");
        let find = |text: &str| entries.iter().find(|entry| entry["text"] == text).unwrap();
        let merged = find("Said at the other one.");
        assert_eq!(
            json!([merged["merged"], merged["ticket"], merged["visibility"]]),
            json!([true, "1003", "internal"])
        );
        let time = find("Time that is shown.");
        assert_eq!(
            json!([time["kind"], time["visibility"], time["started_at"]]),
            json!(["time", "internal", "2026-01-31T10:00:00Z"])
        );
        assert_eq!(find("Second, for all.")["visibility"], "public");
    }
}

#[test]
fn a_server_without_the_whole_list_is_read_as_notes_and_then_time() {
    let scene = told();
    scene.simulator.switches(&json!({"all_notes_missing": true})).unwrap();
    for size in [1, 2, 100] {
        let entries = all(&scene, "tickets.conversation", &json!({"ticket": "1001"}), size);
        let said = texts(&entries);
        for text in ["First, for us.", "Second, for all.", "Time that is shown."] {
            assert_eq!(said.iter().filter(|found| **found == text).count(), 1, "{size}: {text}: {said:?}");
        }
        let time = entries.iter().filter(|entry| entry["kind"] == "time").count();
        assert_eq!(time, 2, "{size}");
        assert!(entries.iter().all(|entry| entry["merged"] == false), "{size}");
        let last_note = entries.iter().rposition(|entry| entry["kind"] == "note").unwrap();
        assert!(entries[last_note + 1..].iter().all(|entry| entry["kind"] == "time"), "{size}");
    }
    let foreign =
        scene.call("tickets.conversation", json!({"ticket": "1001", "page": {"cursor": "page:2"}})).unwrap_err();
    assert_eq!((foreign.code, foreign.reason.as_deref()), (Code::InvalidArgument, Some("cursor")));
}

#[test]
fn notes_and_time_are_read_one_by_one_and_after_what_is_known() {
    let scene = told();
    let notes = all(&scene, "notes.list", &json!({"ticket": "1001"}), 1);
    assert_eq!(texts(&notes)[1..], ["First, for us.", "Second, for all."]);
    let after = all(&scene, "notes.list", &json!({"ticket": "1001", "after": notes[1]["id"]}), 1);
    assert_eq!(texts(&after), ["Second, for all."]);
    let one = scene.call("notes.get", json!({"ticket": "1001", "note": notes[1]["id"]})).unwrap();
    assert_eq!((&one["text"], &one["visibility"]), (&json!("First, for us."), &json!("internal")));
    for (ticket, note, code) in [
        ("1001", "99999", Code::NotFound),
        ("1002", notes[1]["id"].as_str().unwrap(), Code::NotFound),
        ("1001", "x", Code::InvalidArgument),
    ] {
        assert_eq!(
            scene.call("notes.get", json!({"ticket": ticket, "note": note})).unwrap_err().code,
            code,
            "{ticket} {note}"
        );
    }
    let time = all(&scene, "time.list", &json!({"ticket": "1001"}), 1);
    assert_eq!(
        time.iter().map(|entry| entry["notes"].as_str().unwrap()).collect::<Vec<_>>(),
        ["Time that is shown.", "Time that is not."]
    );
    let after = all(&scene, "time.list", &json!({"ticket": "1001", "after": time[0]["id"]}), 1);
    assert_eq!(after, time[1..]);
    assert_eq!(all(&scene, "time.list", &json!({"ticket": "1002"}), 1), [] as [Value; 0]);
}

#[test]
fn what_the_psa_has_recorded_of_a_ticket_is_told() {
    let scene = scene();
    scene.person(json!({"status": 102}));
    scene.person(json!({"status": 103}));
    let entries = all(&scene, "tickets.audit_trail", &json!({"ticket": "1001"}), 1);
    assert!(
        entries.len() >= 2 && entries.iter().any(|entry| entry["text"].as_str().unwrap().contains("Waiting Customer")),
        "{entries:#?}"
    );
    assert!(entries.iter().all(|entry| entry["by"] == "jdoe" && entry["at"].is_string()), "{entries:#?}");
}

#[test]
fn sites_and_configurations_are_those_of_the_company_or_ticket() {
    let scene = scene();
    let names = |found: &[Value]| found.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let sites = all(&scene, "companies.sites", &json!({"company": "2"}), 1);
    assert_eq!(names(&sites), ["Main", "Branch"]);
    assert!(sites[0]["address"].as_str().unwrap().contains("Tampa Florida 33602") && sites[0]["is_primary"] == true);
    assert_eq!(scene.call("companies.sites", json!({"company": "999"})).unwrap_err().code, Code::NotFound);
    let of = |params: Value| names(&all(&scene, "configurations.list", &params, 1));
    assert_eq!(of(json!({})).len(), 4);
    assert_eq!(of(json!({"company": "3"})), ["NG-SRV-01"]);
    assert_eq!(of(json!({"company": "2", "text": "LT"})), ["NW-LT-001", "NW-LT-OLD"]);
    assert!(of(json!({"ticket": "1001"})).is_empty());
    for id in [31, 32] {
        let (status, _) =
            psa::ask(&scene.simulator, "POST", "service/tickets/1001/configurations", Some(&json!({"id": id})));
        assert_eq!(status, 201);
    }
    let tied = all(&scene, "configurations.list", &json!({"ticket": "1001"}), 1);
    assert_eq!(tied.iter().map(|one| one["id"].as_str().unwrap()).collect::<Vec<_>>(), ["31", "32"]);
    let error = scene.call("configurations.list", json!({"ticket": "1010"})).unwrap_err();
    assert_eq!((error.code, error.fields[0].at.as_str()), (Code::InvalidArgument, "/ticket"));
}

#[test]
fn every_catalogue_is_read_to_its_end() {
    let scene = scene();
    for (kind, scope, ids) in [
        ("boards", None, vec!["1", "2", "3", "4"]),
        ("priorities", None, vec!["4", "5", "6", "8"]),
        ("statuses", Some("1"), vec!["101", "102", "103", "104", "105", "106"]),
        ("types", Some("2"), vec!["20", "21"]),
        ("subtypes", Some("1"), vec!["1000", "1001"]),
        ("items", Some("1"), vec!["1500", "1501"]),
        ("teams", Some("1"), vec!["25", "26"]),
        ("sources", None, vec!["2", "3", "7"]),
        ("work_types", None, vec!["3", "4", "5"]),
        ("work_roles", None, vec!["11", "12"]),
        // Those of other records too: `raw` says of which screen each is.
        ("ticket_fields", None, vec!["15", "21", "22"]),
    ] {
        let mut params = json!({"kind": kind});
        if let Some(scope) = scope {
            params["scope"] = json!(scope);
            let error = scene.call("tickets.catalog", json!({"kind": kind})).unwrap_err();
            assert_eq!(error.fields[0].at, "/scope", "{kind}");
        }
        for size in [1, 100] {
            let mut found: Vec<Value> =
                all(&scene, "tickets.catalog", &params, size).iter().map(|one| one["id"].clone()).collect();
            found.sort_by_key(|id| id.as_str().unwrap().parse::<u64>().unwrap());
            assert_eq!(json!(found), json!(ids), "{kind} {size}");
        }
    }
}

#[test]
fn a_raw_read_stays_below_the_interface_and_only_reads() {
    let scene = scene();
    let read = |path: &str, query: Value| scene.call("raw.read", json!({"path": path, "query": query}));
    let found = read("service/boards/1/teams", json!([])).unwrap();
    assert_eq!(found["value"][0]["id"], 25);
    let (mut query, mut ids) = (json!([["pageSize", "1"]]), Vec::new());
    loop {
        let page = read("service/sources", query).unwrap();
        ids.extend(page["value"].as_array().unwrap().iter().map(|one| one["id"].clone()));
        if page["next"].as_array().is_none_or(Vec::is_empty) {
            break;
        }
        query = page["next"].clone();
    }
    assert_eq!(json!(ids), json!([2, 3, 7]));
    let before = scene.simulator.log().unwrap().len();
    for path in [
        "",
        "/",
        "/system/info",
        "system/../../login",
        "https://evil.example/x",
        "system//info",
        "a?b=c",
        "a#b",
        "a%2fb",
        "a\\b",
    ] {
        let error = read(path, json!([])).unwrap_err();
        assert_eq!((error.code, error.fields[0].at.as_str()), (Code::InvalidArgument, "/path"), "{path}: {error}");
    }
    assert_eq!(scene.simulator.log().unwrap().len(), before);
    assert_eq!(read("service/nothing", json!([])).unwrap_err().code, Code::Unsupported);
}
