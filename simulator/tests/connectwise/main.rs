//! The simulated ConnectWise, asked as any client would ask it.

mod allnotes;
mod boards;
mod callbacks;
mod choices;
mod client;
mod companies;
mod create;
mod delivery;
mod documents;
mod faults;
mod mishaps;
mod orders;
mod people;
mod receiver;
mod records;
mod schema;
mod switches;
mod time;
mod told;
mod transport;

use client::{BASE, Client, headers};
use serde_json::{Value, json};

#[test]
fn who_may_not_come_in_is_told_why() {
    let client = Client::new();
    let path = format!("{BASE}/service/tickets/1001");
    let right = &client.headers;
    let simulator = &client.simulator;
    let without_client = right.lines().next().unwrap().to_owned() + "\r\n";
    for (headers, status, part) in [
        (String::new(), 401, "UserNotAuthenticated"),
        ("authorization: Bearer x\r\n".to_owned(), 401, "UserNotAuthenticated"),
        ("authorization: Basic !!!\r\n".to_owned(), 401, "UserNotAuthenticated"),
        (headers(simulator, "acme", "wrong"), 401, "Incorrect public/private key"),
        (headers(simulator, "other", simulator.text("private_key")), 400, "Cannot route"),
        (without_client, 401, "clientId"),
        (right.clone(), 200, "ServiceTicket"),
    ] {
        let answer = client.send("GET", &path, &headers, "").unwrap();
        assert!(answer.status == status && answer.body.contains(part), "{headers}: {} {}", answer.status, answer.body);
    }
    // No credential is in the log, only whose it was.
    let log = json!(simulator.log().unwrap()).to_string();
    assert!(log.contains("Basic acme+") && !log.contains(simulator.text("private_key")), "{log}");
}

#[test]
fn paths_lead_to_the_tenant_by_its_code_base() {
    let client = Client::new();
    let info = client.send("GET", "/login/companyinfo/acme", "", "").unwrap().json();
    assert_eq!(info["Codebase"], "v2025_1/");
    assert_eq!(client.send("GET", "/login/companyinfo/nobody", "", "").unwrap().body, "null");
    for (path, status) in [
        ("/v2025_1/apis/3.0/service/tickets/1001", 200),
        ("/V4_6_Release/APIs/3.0/Service/Tickets/1001/", 200),
        ("/v2024_1/apis/3.0/service/tickets/1001", 404),
        ("/nonsense/apis/3.0/service/tickets/1001", 400),
        ("/v4_6_release/apis/3.0/v4_6_release/apis/3.0/service/tickets/1001", 400),
        ("/v4_6_release/apis/3.0/service/nothing", 404),
        ("/", 400),
    ] {
        assert_eq!(client.send("GET", path, &client.headers, "").unwrap().status, status, "{path}");
    }
    let long = format!("{BASE}/service/tickets?conditions={}", "x".repeat(10_000));
    assert_eq!(client.send("GET", &long, &client.headers, "").unwrap().status, 414);
}

#[test]
fn a_ticket_is_found_under_its_own_kind_only() {
    let client = Client::new();
    assert_eq!(client.get("/service/tickets/1001").json()["board"]["name"], "Help Desk");
    assert_eq!(client.get("/project/tickets/1010").json()["phase"]["name"], "Planning");
    for path in ["/service/tickets/1010", "/project/tickets/1001", "/service/tickets/999999", "/service/tickets/x"] {
        assert_eq!(client.get(path).error(), (404, "NotFound".to_owned()), "{path}");
    }
    let narrow = client.get("/service/tickets/1001?fields=id,board/name").json();
    assert_eq!(narrow, json!({"id": 1001, "board": {"name": "Help Desk"}}));
}

#[test]
fn lists_are_filtered_ordered_and_counted() {
    let client = Client::new();
    let all = client.get("/service/tickets?pageSize=1000").ids();
    assert_eq!(all.len(), 54);
    let open = client.get("/service/tickets?pageSize=1000&conditions=closedFlag%3Dfalse%20and%20board%2Fid%3D1").json();
    let open = open.as_array().unwrap();
    assert!(!open.is_empty() && open.iter().all(|ticket| ticket["closedFlag"] == false && ticket["board"]["id"] == 1));
    let down = client.get("/service/tickets?orderBy=id%20desc&pageSize=3").ids();
    assert!(down.windows(2).all(|pair| pair[0] > pair[1]), "{down:?}");
    assert_eq!(
        client.get("/service/tickets/count?conditions=board%2Fid%3D2").json()["count"].as_u64().unwrap() as usize,
        client.get("/service/tickets?pageSize=1000&conditions=board%2Fid%3D2").ids().len()
    );
    let search = client.json("POST", "/service/tickets/search?pageSize=1000", &json!({"conditions": "board/id=2"}));
    assert_eq!(search.status, 200);
    for (query, message) in [
        ("conditions=bord%2Fid%3D1", "bord/id is not a recognized name."),
        ("conditions=closedFlag%3D1", "Expected a boolean value, not a numeric."),
        ("orderBy=nothing", "nothing is not a recognized name."),
    ] {
        let answer = client.get(&format!("/service/tickets?{query}"));
        assert_eq!(answer.error(), (400, "ApiFindCondition".to_owned()), "{query}");
        assert!(answer.json()["message"].as_str().unwrap().starts_with(message), "{}", answer.body);
    }
}

#[test]
fn both_ways_of_paging_reach_every_record_once() {
    let client = Client::new();
    let mut numbered = Vec::new();
    for page in 1.. {
        let answer = client.get(&format!("/service/tickets?pageSize=20&page={page}"));
        numbered.extend(answer.ids());
        assert_eq!(answer.link().is_some_and(|link| link.contains("rel=\"prev\"")), page > 1);
        if !answer.link().is_some_and(|link| link.contains("rel=\"next\"")) {
            break;
        }
    }
    let mut forward = Vec::new();
    loop {
        let after = forward.last().copied().unwrap_or(0);
        let headers = format!("{}pagination-type: forward-only\r\n", client.headers);
        let answer =
            client.send("GET", &format!("{BASE}/service/tickets?pageSize=20&pageId={after}"), &headers, "").unwrap();
        forward.extend(answer.ids());
        // There, and empty, when nothing is left.
        if answer.link().unwrap().trim().is_empty() {
            break;
        }
    }
    assert_eq!(forward.len(), 54);
    numbered.sort_unstable();
    assert_eq!(numbered, forward);
    assert!(client.get("/service/tickets?page=99").ids().is_empty());
    let headers = format!("{}pagination-type: forward-only\r\n", client.headers);
    let both = client.send("GET", &format!("{BASE}/service/tickets?orderBy=id"), &headers, "").unwrap();
    assert_eq!(both.status, 400);
}

#[test]
fn a_note_needs_a_place_to_be_shown() {
    let client = Client::new();
    let made =
        client.note(&json!({"text": "Hello", "internalAnalysisFlag": true, "member": {"identifier": "mmiller"}}));
    let note = made.json();
    assert!(
        made.status == 201 && note["member"]["id"] == 177 && note["detailDescriptionFlag"] == false,
        "{}",
        made.body
    );
    for (body, error) in [
        (json!({"text": "x"}), "InvalidObject"),
        (json!({"text": "x", "detailDescriptionFlag": false}), "InvalidObject"),
        (json!({"internalAnalysisFlag": true}), "InvalidObject MissingRequiredField"),
        (json!({"text": "x", "internalAnalysisFlag": true, "visibility": "internal"}), "ConnectWiseApi"),
        (json!({"text": "x", "internalAnalysisFlag": "yes"}), "ConnectWiseApi"),
        (json!({"text": "x", "internalAnalysisFlag": true, "member": 177}), "ConnectWiseApi"),
        (json!({"text": "x", "internalAnalysisFlag": true, "member": {"id": 4711}}), "InvalidObject NotFound"),
        (json!([]), "ConnectWiseApi"),
    ] {
        assert_eq!(client.note(&body).error(), (400, error.to_owned()), "{body}");
    }
    let untyped = client.send("POST", &format!("{BASE}/service/tickets/1001/notes"), &client.headers, "{}").unwrap();
    assert_eq!(untyped.status, 415);
    let kept = client.simulator.control("GET", "tickets/1001", None).unwrap();
    assert_eq!(kept["notes"].as_array().unwrap().len(), 2);
}

#[test]
fn a_patch_is_applied_whole_or_not_at_all() {
    let client = Client::new();
    let moved = client.patch("status", json!({"id": 104})).json();
    assert!(moved["status"]["name"] == "Completed" && moved["closedFlag"] == true, "{moved}");
    assert_eq!(client.patch("status", json!({"name": "New"})).json()["status"]["id"], 101);
    // Success, and nothing is changed.
    assert_eq!(client.patch("status/id", json!(104)).json()["status"]["id"], 101);
    for (path, value, error, part) in [
        ("status", json!({"id": 201}), "InvalidObject NotFound", "Service Status 201 not found for Service Board 1"),
        ("status", json!(104), "ConnectWiseApi", "Error converting value"),
        ("summary", json!("x".repeat(101)), "InvalidObject MaxLengthField", "maximum length of 100"),
        ("sumary", json!("x"), "ConnectWiseApi", "Could not find member 'sumary'"),
    ] {
        let answer = client.patch(path, value);
        assert_eq!(answer.error(), (400, error.to_owned()), "{path}");
        assert!(answer.body.contains(part), "{}", answer.body);
    }
    let both = json!([{"op": "replace", "path": "summary", "value": "new"}, {"op": "replace", "path": "status", "value": {"id": 201}}]);
    assert_eq!(client.json("PATCH", "/service/tickets/1001", &both).status, 400);
    assert_ne!(client.get("/service/tickets/1001").json()["summary"], "new");
    // The board first, then a status of that board.
    let move_on = json!([{"op": "replace", "path": "board", "value": {"id": 2}}, {"op": "replace", "path": "status", "value": {"id": 201}}]);
    assert_eq!(client.json("PATCH", "/service/tickets/1001", &move_on).status, 200);
    assert_eq!(client.json("PATCH", "/service/tickets/1001", &json!({})).status, 400);
}

#[test]
fn every_fault_strikes_as_ordered_and_the_log_tells() {
    let client = Client::new();
    for (fault, more, status, committed) in [
        ("latency", json!({"ms": 1}), Some(201), true),
        ("reset_before_commit", json!({}), None, false),
        ("reset_after_commit", json!({}), None, true),
        ("rate_limited_seconds", json!({"retry_after": 7}), Some(429), false),
        ("rate_limited_date", json!({"retry_after": 7}), Some(429), false),
        ("error_500_before_commit", json!({}), Some(500), false),
        ("error_500_after_commit", json!({}), Some(500), true),
        ("html_503", json!({}), Some(503), false),
        ("html_200", json!({}), Some(200), false),
        ("cannot_route", json!({}), Some(400), false),
        ("truncated_json", json!({}), Some(201), true),
        ("wrong_visibility", json!({}), Some(201), true),
        ("unauthorized", json!({}), Some(401), false),
        ("forbidden", json!({}), Some(403), false),
        ("huge_body", json!({"bytes": 100_000}), Some(200), false),
        ("invalid_utf8", json!({}), Some(200), false),
    ] {
        let mut order = more;
        order["endpoint"] = json!("add_note");
        order["fault"] = json!(fault);
        order["times"] = json!(1);
        client.simulator.fault(&order).unwrap();
        let headers = format!("{}content-type: application/json\r\n", client.headers);
        let body = json!({"text": "x", "internalAnalysisFlag": true}).to_string();
        let answer = client.send("POST", &format!("{BASE}/service/tickets/1001/notes"), &headers, &body);
        assert_eq!(answer.as_ref().map(|answer| answer.status), status, "{fault}");
        let entry = client.simulator.log().unwrap().pop().unwrap();
        assert!(
            entry["fault"] == fault && entry["committed"] == committed && entry["status"] == json!(status),
            "{entry}"
        );
        if fault == "wrong_visibility" {
            assert_eq!(answer.unwrap().json()["detailDescriptionFlag"], true);
        }
    }
    // Struck once each.
    assert_eq!(client.note(&json!({"text": "x", "internalAnalysisFlag": true})).status, 201);
    for order in [
        json!({"endpoint": "nowhere", "fault": "hang"}),
        json!({"endpoint": "add_note", "fault": "rain"}),
        json!({"endpoint": "add_note", "fault": "latency"}),
    ] {
        assert!(client.simulator.fault(&order).is_err(), "{order}");
    }
}

#[test]
fn what_is_committed_late_is_there_in_the_end() {
    let client = Client::new();
    client.simulator.fault(&json!({"endpoint": "patch_ticket", "fault": "late_commit", "ms": 1, "times": 1})).unwrap();
    let headers = format!("{}content-type: application/json\r\n", client.headers);
    let body = json!([{"op": "replace", "path": "summary", "value": "late"}]).to_string();
    assert!(client.send("PATCH", &format!("{BASE}/service/tickets/1001"), &headers, &body).is_none());
    while client.get("/service/tickets/1001").json()["summary"] != "late" {
        std::thread::yield_now();
    }
    client.simulator.fault(&json!({"endpoint": "patch_ticket", "fault": "ignored_patch", "times": 1})).unwrap();
    assert_eq!(client.patch("summary", json!("ignored")).status, 200);
    assert_eq!(client.get("/service/tickets/1001").json()["summary"], "late");
}

#[test]
fn the_same_seed_makes_the_same_data_and_its_clock_can_be_moved() {
    let now = "2026-01-31T12:00:00Z";
    let state =
        |seed: &str| Client::with(&["--seed", seed, "--now", now]).simulator.control("GET", "state", None).unwrap();
    assert_eq!(state("7"), state("7"));
    assert_ne!(state("7"), state("8"));
    let client = Client::with(&["--now", now]);
    client.simulator.control("POST", "clock", Some(&json!({"advance_ms": 86_400_000}))).unwrap();
    let note = client.note(&json!({"text": "x", "internalAnalysisFlag": true})).json();
    assert!(note["dateCreated"].as_str().unwrap().starts_with("2026-02-01T12:00:"), "{note}");
    let clock = |body: Value| -> jiff::Timestamp {
        let shown = client.simulator.control("POST", "clock", Some(&body)).unwrap();
        shown["now"].as_str().unwrap().parse().unwrap()
    };
    let stopped = clock(json!({"stopped": true}));
    let began = jiff::Timestamp::now().as_second();
    while jiff::Timestamp::now().as_second() < began + 2 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(clock(json!({"advance_ms": 60_000})).duration_since(stopped).as_secs(), 60);
    let moves = clock(json!({"stopped": false}));
    assert!((60..62).contains(&moves.duration_since(stopped).as_secs()), "it goes on from where it stood");
}

#[test]
fn records_have_the_members_that_the_vendor_describes() {
    let client = Client::new();
    let schemas: Value = serde_json::from_str(include_str!("kept/members.schema.json")).unwrap();
    for (name, path) in [
        ("ticket", "/service/tickets?pageSize=1000"),
        ("note", "/service/tickets/1001/notes"),
        ("status", "/service/boards/1/statuses"),
        ("type", "/service/boards/1/types"),
        ("priority", "/service/priorities"),
        ("member_info", "/system/info/members"),
        ("company", "/company/companies"),
        ("contact", "/company/contacts"),
    ] {
        let validator = jsonschema::validator_for(&schemas[name]).unwrap();
        let records = client.get(path).json();
        for record in records.as_array().unwrap() {
            let errors: Vec<String> = validator.iter_errors(record).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{path}: {errors:?}");
        }
        assert!(!records.as_array().unwrap().is_empty(), "{path}");
    }
}
