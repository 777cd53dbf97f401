//! The ConnectWise plugin in the host, against the simulator over TLS: what works, and what goes wrong how.

use psa_host::Code;
use psa_simulator::Simulator;
use psa_tests::compile;
use psa_tests::scene::{Scene, wire};
use serde_json::{Value, json};

#[test]
fn service_and_project_tickets_are_both_found_by_number() {
    let scene = Scene::new();
    let service = scene.get().unwrap();
    assert_eq!((service["kind"].as_str(), service["board"]["name"].as_str()), (Some("service"), Some("Help Desk")));
    assert_eq!(service["closed"], "no");
    assert!(service["url"].as_str().unwrap().contains("recid=1001"));
    // What our model has no word for survives.
    assert_eq!(service["raw"]["recordType"], "ServiceTicket");
    let project = scene.call("tickets.get", json!({"ticket": "1010", "fresh": true})).unwrap();
    assert_eq!((project["kind"].as_str(), project["raw"]["wbsCode"].as_str()), (Some("project"), Some("1.1")));
    scene.call("tickets.get", json!({"ticket": "1010", "fresh": true})).unwrap();
    // The second time it is known where the project ticket is.
    assert_eq!(
        scene
            .seen("get_ticket")
            .iter()
            .filter(|entry| entry["path"].as_str().unwrap().contains("/service/tickets/1010"))
            .count(),
        1
    );
    let link = scene.world.link(&scene.connection, "1010");
    let note = json!({"tenant": "t", "link": link, "visibility": "internal", "text": "x"});
    let note = scene.world.outcome("notes.post", note).unwrap();
    assert_eq!(note["visibility"], "internal");
    for (ticket, code) in
        [("999999", Code::NotFound), ("abc", Code::InvalidArgument), ("1001/notes", Code::InvalidArgument)]
    {
        let error = scene.call("tickets.get", json!({"ticket": ticket})).unwrap_err();
        assert_eq!(error.code, code, "{ticket}: {error}");
    }
}

#[test]
fn every_visibility_reaches_the_wire_as_its_flags_and_reads_back_as_itself() {
    let scene = Scene::new();
    for (visibility, detail, internal, resolution, mails) in [
        ("internal", false, true, false, false),
        ("public", true, false, false, true),
        ("resolution", false, false, true, true),
    ] {
        let note = scene.note(visibility).unwrap();
        assert_eq!(note["visibility"], visibility);
        let sent = scene.seen("add_note").pop().unwrap()["body"].clone();
        assert_eq!(
            sent,
            json!({"text": "Words of a note.", "detailDescriptionFlag": detail, "internalAnalysisFlag": internal,
                   "resolutionFlag": resolution, "processNotifications": mails, "customerUpdatedFlag": false})
        );
        let notes = scene.call("notes.list", json!({"ticket": "1001"})).unwrap();
        let read = notes["items"].as_array().unwrap().iter().find(|read| read["id"] == note["remote"]).unwrap().clone();
        assert_eq!(read["visibility"], visibility);
    }
    let error = scene.write("notes.post", json!({"visibility": "secret", "text": "x"})).unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
    let error = scene.write("notes.post", json!({"text": "x"})).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("missing_field"));
    assert_eq!(scene.seen("add_note").len(), 3);
}

#[test]
fn an_internal_note_that_the_psa_shows_to_others_stops_the_connection() {
    let scene = Scene::new();
    scene.fault("add_note", "wrong_visibility", json!({}));
    let note = scene.note("internal").unwrap();
    assert_eq!(note["outcome"], "applied");
    let connection = scene.call("connections.get", json!({})).unwrap();
    assert_eq!((connection["state"].as_str(), connection["reason"].as_str()), (Some("stopped"), Some("visibility")));
    // What is handed in now waits for a person.
    let more = json!({"tenant": "t", "link": scene.link, "visibility": "internal", "text": "more", "wait_ms": 200});
    assert_eq!(scene.world.call("notes.post", more).unwrap()["state"], "queued");
    assert_eq!(scene.seen("add_note").len(), 1);
    let told: Vec<String> = std::iter::from_fn(|| {
        let event = scene.world.host.next_event("test", 1000).unwrap()?;
        scene.world.host.ack_event("test", event.id).unwrap();
        Some(serde_json::from_str::<Value>(&event.json).unwrap()["event"].as_str().unwrap().to_owned())
    })
    .take_while(|kind| kind != "operation.delivered")
    .collect();
    assert!(
        told.contains(&"note.visibility".to_owned()) && told.contains(&"connection.stopped".to_owned()),
        "{told:?}"
    );
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    while scene.seen("add_note").len() < 2 {
        std::thread::yield_now();
    }
}

#[test]
fn what_may_have_been_applied_is_in_doubt_and_what_was_not_is_not() {
    for (fault, more, code, on_the_wire, notes) in [
        ("reset_before_commit", json!({}), Code::OutcomeUnknown, "in_doubt", 0),
        ("reset_after_commit", json!({}), Code::OutcomeUnknown, "in_doubt", 1),
        ("error_500_before_commit", json!({}), Code::OutcomeUnknown, "answered", 0),
        ("error_500_after_commit", json!({}), Code::OutcomeUnknown, "answered", 1),
        ("html_200", json!({}), Code::OutcomeUnknown, "answered", 0),
        ("html_503", json!({}), Code::OutcomeUnknown, "answered", 0),
        ("truncated_json", json!({}), Code::OutcomeUnknown, "answered", 1),
        ("unauthorized", json!({}), Code::Unauthenticated, "answered", 0),
        ("forbidden", json!({}), Code::Forbidden, "answered", 0),
        ("cannot_route", json!({}), Code::Unavailable, "answered", 0),
        ("rate_limited_seconds", json!({"retry_after": 30}), Code::RateLimited, "answered", 0),
    ] {
        let scene = Scene::new();
        scene.get().unwrap();
        scene.fault("add_note", fault, more);
        let error = scene.note("internal").unwrap_err();
        assert_eq!((error.code, wire(&error)), (code, on_the_wire), "{fault}: {error}");
        assert_eq!(scene.notes(), notes, "{fault}");
        // Never a second try by anybody.
        assert_eq!(scene.seen("add_note").len(), 1, "{fault}");
        assert!(error.message.starts_with("connectwise add_note: "), "{error}");
    }
}

#[test]
fn a_write_without_an_answer_in_time_is_in_doubt() {
    let scene = Scene::with(&["--tls"], json!({"egress": {"timeout_ms": 500}}));
    scene.get().unwrap();
    scene.fault("add_note", "hang", json!({}));
    let error = scene.note("public").unwrap_err();
    assert_eq!((error.code, wire(&error)), (Code::OutcomeUnknown, "in_doubt"), "{error}");
    // The connection is none the worse for it.
    assert_eq!(scene.get().unwrap()["id"], "1001");
}

#[test]
fn a_status_goes_to_the_tickets_own_board_only() {
    let scene = Scene::new();
    let statuses = scene.call("tickets.catalog", json!({"kind": "statuses", "scope": "1"})).unwrap();
    let find = |name: &str| {
        let all = statuses["items"].as_array().unwrap();
        all.iter().find(|status| status["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let set = |status: &str| scene.write("tickets.set_status", json!({"status": status}));
    assert_eq!(set(&find("Completed")).unwrap()["outcome"], "applied");
    let moved = scene.get().unwrap();
    assert_eq!((moved["status"]["name"].as_str(), moved["closed"].as_str()), (Some("Completed"), Some("yes")));
    assert_eq!(scene.seen("patch_ticket").len(), 1);
    // It is there already: nothing to send.
    assert_eq!(set(&find("Completed")).unwrap()["outcome"], "already");
    for (status, reason) in [("204", "status_of_other_board"), (&find("Escalated (old)"), "status_inactive"), ("x", "")]
    {
        let error = set(status).unwrap_err();
        assert_eq!((error.code, error.reason.as_deref().unwrap_or("")), (Code::InvalidArgument, reason), "{error}");
        assert_eq!(wire(&error), "nothing_sent");
    }
    assert_eq!(scene.seen("patch_ticket").len(), 1);
    scene.fault("patch_ticket", "ignored_patch", json!({}));
    let error = set(&find("New")).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Rejected, Some("not_applied")), "{error}");
    assert_eq!(error.details.as_ref().unwrap()["got"], find("Completed"));
}

#[test]
fn lists_go_to_their_end_whichever_way_the_server_pages() {
    for forward_only in [true, false] {
        let scene = Scene::new();
        scene.simulator.control("POST", "switches", Some(&json!({"forward_only": forward_only}))).unwrap();
        let mut ids = Vec::new();
        let mut page = json!({"limit": 7});
        loop {
            let found = scene.call("tickets.search", json!({"page": page})).unwrap();
            ids.extend(
                found["items"].as_array().unwrap().iter().map(|ticket| ticket["id"].as_str().unwrap().to_owned()),
            );
            let Some(next) = found["next"].as_str() else { break };
            page = json!({"limit": 7, "cursor": next});
        }
        // Of 60 every tenth is a project ticket.
        assert_eq!(ids.len(), 54, "{forward_only}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 54, "{forward_only}");
    }
    let scene = Scene::new();
    let found =
        scene.call("tickets.search", json!({"filter": {"board": "2", "closed": false, "text": "printer's"}})).unwrap();
    for ticket in found["items"].as_array().unwrap() {
        assert!(ticket["board"]["id"] == "2" && ticket["closed"] == "no", "{ticket}");
        assert!(ticket["summary"].as_str().unwrap().contains("Printer"), "{ticket}");
    }
    let projects = scene.call("tickets.search", json!({"filter": {"kind": "project"}})).unwrap();
    assert_eq!(projects["items"].as_array().unwrap().len(), 6);
    let error = scene.call("tickets.search", json!({"page": {"cursor": "17"}})).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::InvalidArgument, Some("cursor")));
}

#[test]
fn catalogues_and_members_are_read() {
    let scene = Scene::new();
    let list = |params: Value| scene.call("tickets.catalog", params).unwrap()["items"].as_array().unwrap().clone();
    let boards = list(json!({"kind": "boards"}));
    assert_eq!(
        boards.iter().map(|board| board["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["Help Desk", "Service Desk", "Projects", "Old Board"]
    );
    assert!(boards[3]["inactive"] == true && boards[2]["kind"] == "project");
    assert_eq!(list(json!({"kind": "priorities"})).len(), 4);
    assert_eq!(list(json!({"kind": "types", "scope": "1"})).len(), 2);
    let statuses = list(json!({"kind": "statuses", "scope": "1"}));
    assert!(
        statuses.iter().any(|status| status["closed"] == "yes")
            && statuses.iter().any(|status| status["inactive"] == true)
    );
    assert_eq!(scene.call("tickets.catalog", json!({"kind": "statuses"})).unwrap_err().fields[0].at, "/scope");
    let members = scene.call("members.list", json!({})).unwrap();
    let members = members["items"].as_array().unwrap();
    assert_eq!(
        members.iter().find(|member| member["identifier"] == "mmiller").unwrap()["emails"],
        json!(["mia.miller@example.com"])
    );
    assert_eq!(members.iter().filter(|member| member["member_kind"] == "api").count(), 1);
    // A narrow role sees the short form.
    scene.simulator.control("POST", "switches", Some(&json!({"members_forbidden": true}))).unwrap();
    assert_eq!(scene.call("members.list", json!({})).unwrap()["items"].as_array().unwrap().len(), members.len());
}

#[test]
fn a_test_tells_apart_what_is_wrong() {
    let scene = Scene::new();
    let report = scene.call("connections.test", json!({})).unwrap();
    assert!(report["passed"] == true && report["server_version"] == "v2025.1.99001", "{report}");
    assert_eq!(scene.call("connections.get", json!({})).unwrap()["state"], "active");
    let failed = |settings: Value, secrets: Value| {
        let mut all = scene.simulator.settings();
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let connection = scene.world.connect("connectwise", all, secrets);
        let params = json!({"tenant": "t", "connection": connection});
        let report = scene.world.call("connections.test", params.clone()).unwrap();
        assert_eq!(report["passed"], false, "{report}");
        assert_eq!(scene.world.call("connections.get", params).unwrap()["state"], "setup");
        let steps = report["steps"].as_array().unwrap().clone();
        let step = steps.iter().find(|step| step["state"] == "failed").unwrap().clone();
        (
            step["step"].as_str().unwrap().to_owned(),
            step["code"].as_str().unwrap().to_owned(),
            step["message"].as_str().unwrap().to_owned(),
        )
    };
    let right = scene.simulator.secrets();
    for (settings, secrets, step, code, part) in [
        (json!({}), json!({"private_key": "wrongwrongwrong"}), "sign_in", "unauthenticated", "The keys were refused"),
        (json!({"company_id": "nobody"}), right.clone(), "reach", "unauthenticated", "does not know the company"),
        (json!({"host": "https://127.0.0.1:1"}), right.clone(), "reach", "unavailable", "refused"),
        (json!({"host": "https://psa.invalid"}), right.clone(), "reach", "unavailable", "was not found"),
        (json!({"host": "https://10.1.2.3"}), right.clone(), "reach", "forbidden", "allow_private"),
    ] {
        let found = failed(settings, secrets);
        assert_eq!((found.0.as_str(), found.1.as_str()), (step, code), "{found:?}");
        assert!(found.2.contains(part), "{found:?}");
    }
    // A certificate of an authority that nobody has named.
    let stranger = Simulator::start(&compile::target().join("psa-simulator"), &["--tls"]).unwrap();
    let found = failed(json!({"host": stranger.text("url")}), right.clone());
    assert!(found.1 == "unavailable" && found.2.contains("ca_files"), "{found:?}");
    scene.fault("search_tickets", "forbidden", json!({}));
    let found = failed(json!({}), right);
    assert_eq!((found.0.as_str(), found.1.as_str()), ("tickets", "forbidden"), "{found:?}");
}

#[test]
fn answers_that_are_not_what_they_should_be_are_clear_errors() {
    for (fault, more, code, reason, part) in [
        ("html_200", json!({}), Code::Unavailable, Some("not_json"), "<!DOCTYPE html>"),
        ("html_503", json!({}), Code::Unavailable, None, "503"),
        ("truncated_json", json!({}), Code::Unavailable, Some("not_json"), "200"),
        ("huge_body", json!({"bytes": 50_000_000}), Code::TooLarge, Some("body_too_large"), "egress.body_bytes_max"),
        ("invalid_utf8", json!({}), Code::Unavailable, Some("not_json"), "200"),
        ("cannot_route", json!({}), Code::Unavailable, Some("cannot_route"), "check the site"),
    ] {
        let scene = Scene::new();
        // Reads are tried again by the host; all of them are answered so.
        scene
            .simulator
            .fault(&{
                let mut order = more;
                order["endpoint"] = json!("get_ticket");
                order["fault"] = json!(fault);
                order
            })
            .unwrap();
        let error = scene.get().unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (code, reason), "{fault}: {error}");
        assert!(error.message.contains(part) && error.message.len() < 700, "{fault}: {error}");
    }
}

#[test]
fn waiting_is_asked_for_in_both_forms() {
    for (fault, least, most) in [("rate_limited_seconds", 30_000, 30_000), ("rate_limited_date", 28_000, 31_000)] {
        let scene = Scene::new();
        scene.get().unwrap();
        scene.fault("add_note", fault, json!({"retry_after": 30}));
        let error = scene.note("internal").unwrap_err();
        let wait = error.retry_after_ms.unwrap();
        assert!(error.code == Code::RateLimited && (least..=most).contains(&wait), "{fault} {wait}: {error}");
    }
}

#[test]
fn an_upgrade_of_the_tenant_is_followed() {
    let scene = Scene::new();
    scene.get().unwrap();
    let before = scene.seen("company_info").len();
    scene.simulator.control("POST", "switches", Some(&json!({"codebase": "v2025_2"}))).unwrap();
    assert_eq!(scene.get().unwrap()["id"], "1001");
    assert!(scene.seen("get_ticket").last().unwrap()["path"].as_str().unwrap().starts_with("/v2025_2/apis/3.0/"));
    assert_eq!(scene.seen("company_info").len(), before + 1);
}

#[test]
fn a_validation_of_the_psa_reaches_the_product_with_its_fields() {
    let scene = Scene::new();
    let error =
        scene.write("notes.post", json!({"visibility": "internal", "text": "x", "member": "4711"})).unwrap_err();
    assert_eq!(error.code, Code::Rejected, "{error}");
    assert_eq!((error.fields[0].at.as_str(), error.fields[0].code.as_str()), ("member/id", "not_found"));
    let provider = error.provider.unwrap();
    assert_eq!((provider.status, provider.code.as_deref()), (Some(400), Some("InvalidObject")));
    assert!(provider.request_id.is_some());
}

#[test]
fn nobody_reaches_the_connection_of_another_tenant() {
    let scene = Scene::new();
    for method in ["connections.get", "connections.test", "connections.delete"] {
        let error = scene.world.call(method, json!({"tenant": "other", "connection": scene.connection})).unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (Code::NotFound, Some("connection_missing")), "{method}");
    }
    assert_eq!(scene.world.call("connections.list", json!({"tenant": "other"})).unwrap()["items"], json!([]));
    assert_eq!(
        scene.world.call("connections.list", json!({"tenant": "t"})).unwrap()["items"].as_array().unwrap().len(),
        1
    );
    scene.call("connections.delete", json!({})).unwrap();
    assert_eq!(scene.get().unwrap_err().code, Code::NotFound);
}

#[test]
fn what_the_product_gets_wrong_is_named() {
    let scene = Scene::new();
    for (method, params, reason) in [
        ("tickets.fetch", json!({}), "unknown_method"),
        ("tickets.get", json!({"tenant": "t", "connection": "c", "ticket": "1", "extra": 1}), "unknown_field"),
        ("tickets.get", json!({"tenant": "t", "connection": "c"}), "missing_field"),
        ("tickets.get", json!({"tenant": "t", "connection": "c", "ticket": 1}), "wrong_type"),
        ("connections.create", json!({"tenant": "t", "plugin": "halopsa"}), "plugin_missing"),
        (
            "connections.create",
            json!({"tenant": "t", "plugin": "connectwise", "settings": {"site": "moon"}}),
            "settings",
        ),
        (
            "connections.create",
            json!({"tenant": "t", "plugin": "connectwise", "secrets": {"private_key": 4711}}),
            "wrong_type",
        ),
    ] {
        let error = scene.world.call(method, params.clone()).unwrap_err();
        assert_eq!(error.reason.as_deref(), Some(reason), "{method} {params}: {error}");
        assert!(!error.to_json().contains("4711"), "{error:?}");
    }
    for raw in [&b"{"[..], b"[]", b"{\"tenant\":\"t\",\"tenant\":\"u\"}", b"{\"tenant\":\"\xff\"}"] {
        let error = scene.world.host.call("tickets.get", raw, psa_host::CallOptions::default()).unwrap_err();
        assert_eq!(error.reason.as_deref(), Some("not_json"), "{raw:?}");
    }
    let methods = scene.world.call("methods.list", json!({})).unwrap();
    let get = methods["items"].as_array().unwrap().iter().find(|method| method["name"] == "tickets.get").unwrap();
    assert_eq!(get["params"]["required"], json!(["tenant", "connection", "ticket"]));
}
