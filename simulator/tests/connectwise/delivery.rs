//! What is sent for which change, how, and what becomes of it.

use crate::client::{BASE, Client};
use crate::receiver::{Got, Receiver};
use base64::Engine as _;
use ring::{digest, hmac};
use serde_json::{Value, json};
use std::net::TcpListener;

/// Registers a URL of a receiver; the id of the entry.
pub(crate) fn register(client: &Client, url: &str, more: Value) -> u64 {
    let mut body = json!({"url": url, "objectId": 1, "type": "ticket", "level": "owner"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = client.json("POST", "/system/callbacks", &body);
    assert_eq!(made.status, 201, "{}", made.body);
    made.json()["id"].as_u64().unwrap()
}

pub(crate) fn settle(client: &Client) {
    assert!(client.simulator.settle_deliveries().unwrap());
}

/// What has come when all is sent.
pub(crate) fn settled(client: &Client, receiver: &Receiver) -> Vec<Got> {
    settle(client);
    receiver.take()
}

/// The signing key that a message names.
pub(crate) fn key_of(client: &Client, message: &Value) -> String {
    let url = message["Metadata"]["key_url"].as_str().unwrap();
    let path = url.strip_prefix(client.simulator.text("url")).unwrap();
    client.send("GET", path, "", "").unwrap().json()["signing_key"].as_str().unwrap().to_owned()
}

/// Whether a message was signed by this key. Source: facts 11.7.
pub(crate) fn is_signed(got: &Got, key: &str) -> bool {
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA256, hash.as_ref());
    let signature = got.header("x-content-signature").unwrap_or_default();
    let signature = base64::engine::general_purpose::STANDARD.decode(signature).unwrap_or_default();
    hmac::verify(&key, &got.body, &signature).is_ok()
}

/// A status of a person's making fires one callback.
fn person(client: &Client, ticket: u64, order: Value) {
    client.door("POST", &format!("tickets/{ticket}"), order);
}

#[test]
fn a_change_is_posted_as_recorded_messages_show_it_and_signed() {
    let (client, receiver) = (Client::new(), Receiver::new());
    let entry = register(&client, &receiver.url("/cw/abc?recordId="), json!({}));
    let record = client.patch("summary", json!("Printer — offline")).json();
    let got = settled(&client, &receiver).swap_remove(0);
    assert_eq!(got.target, "POST /cw/abc?recordId=1001&action=updated");
    assert_eq!(got.header("host"), Some(format!("127.0.0.1:{}", receiver.port).as_str()));
    assert_eq!(got.header("content-type"), Some("application/json; charset=utf-8"));
    let body = got.json();
    assert!(is_signed(&got, &key_of(&client, &body)) && !is_signed(&got, "another"));
    let entity = body["Entity"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(entity).unwrap(), record);
    for (name, value) in [
        ("Action", json!("updated")),
        ("CallbackObjectRecId", json!(entry)),
        ("CompanyId", json!("acme")),
        ("FromUrl", json!(client.simulator.text("url").trim_start_matches("http://"))),
        ("ID", json!(1001)),
        ("MemberId", json!("psabridge")),
        ("Type", json!("ticket")),
    ] {
        assert_eq!(body[name], value, "{name}");
    }
    let key_url = body["Metadata"]["key_url"].as_str().unwrap();
    assert!(key_url.contains("/v2025_1//system/callbackkey/index.rails?companyName=acme&id="), "{key_url}");
    assert!(body["ProductInstanceId"].is_string() && body["PartnerId"].is_string());
    assert_eq!(body["MessageId"].as_str().map(str::len), Some(36));
    let sent = client.simulator.deliveries().unwrap().swap_remove(0);
    assert_eq!((&sent["message_id"], &sent["entry"], &sent["attempt"]), (&body["MessageId"], &json!(entry), &json!(1)));
    assert_eq!((&sent["status"], &sent["error"]), (&json!(204), &Value::Null));
    // A URL without a query.
    register(&client, &receiver.url("/plain"), json!({}));
    client.patch("summary", json!("x"));
    let targets: Vec<String> = settled(&client, &receiver).into_iter().map(|got| got.target).collect();
    assert!(targets.contains(&"POST /plain?1001&action=updated".to_owned()), "{targets:?}");
}

#[test]
fn every_way_of_changing_a_ticket_is_told_and_nothing_else_is() {
    let (client, receiver) = (Client::new(), Receiver::new());
    register(&client, &receiver.url("/x?id="), json!({}));
    let told = || -> Vec<String> {
        let mut told: Vec<String> = settled(&client, &receiver)
            .iter()
            .map(|got| got.json())
            .map(|body| {
                format!("{} {} {}", body["ID"], body["Action"].as_str().unwrap(), body["MemberId"].as_str().unwrap())
            })
            .collect();
        told.sort();
        told
    };
    let made = client.ticket(&json!({"summary": "New", "company": {"id": 2}})).json()["id"].clone();
    assert_eq!(told(), [format!("{made} added psabridge")]);
    client.note(&json!({"text": "x", "internalAnalysisFlag": true}));
    assert_eq!(told(), ["1001 updated psabridge"]);
    for (order, expected) in [
        (json!({"status": 102}), vec!["1001 updated jdoe"]),
        (json!({"board": 2}), vec!["1001 updated jdoe"]),
        (json!({"note": {"text": "x"}}), vec!["1001 updated jdoe"]),
        (json!({"note": {"text": "x", "createdBy": "mmiller"}}), vec!["1001 updated mmiller"]),
        (json!({"merge_into": 1003}), vec!["1001 updated jdoe", "1003 updated jdoe"]),
        (json!({"convert": "project"}), vec!["1001 updated jdoe"]),
        (json!({"delete": true}), vec!["1001 deleted jdoe"]),
    ] {
        person(&client, 1001, order.clone());
        assert_eq!(told(), expected, "{order}");
    }
    let opened = client.door("POST", "tickets", json!({"summary": "x", "kind": "project", "board": 3}))["id"].clone();
    assert_eq!(told(), [format!("{opened} added jdoe")]);
    person(&client, 1003, json!({"status": 101}));
    assert_eq!(told(), ["1003 updated jdoe"]);
    client.fault("patch_ticket", "workflow_moves", json!({}));
    let status = |id: u64| json!([{"op": "replace", "path": "status", "value": {"id": id}}]);
    assert_eq!(client.json("PATCH", "/service/tickets/1003", &status(103)).status, 200);
    assert_eq!(told(), ["1003 updated psabridge", "1003 updated workflow"]);
    // Done, although the client never hears of it.
    client.fault("patch_ticket", "reset_after_commit", json!({}));
    assert!(client.try_json("PATCH", "/service/tickets/1003", &status(101)).is_none());
    assert_eq!(told(), ["1003 updated psabridge"]);
    // Nothing was changed.
    client.fault("patch_ticket", "ignored_patch", json!({}));
    client.json("PATCH", "/service/tickets/1003", &status(102));
    client.json("PATCH", "/service/tickets/1003", &status(9999));
    client.get("/service/tickets/1003");
    client.json("POST", "/service/tickets/search", &json!({"conditions": "id=1003"}));
    assert!(told().is_empty());
}

#[test]
fn a_deleted_record_has_no_entity() {
    let (client, receiver) = (Client::new(), Receiver::new());
    register(&client, &receiver.url("/x?id="), json!({"level": "board", "objectId": 1}));
    person(&client, 1001, json!({"delete": true}));
    let body = settled(&client, &receiver)[0].json();
    assert_eq!((&body["Action"], &body["ID"]), (&json!("deleted"), &json!(1001)));
    assert!(body.as_object().unwrap().contains_key("Entity") && body["Entity"].is_null(), "{body}");
}

#[test]
fn a_level_hears_of_its_own_records_only() {
    let (client, receiver) = (Client::new(), Receiver::new());
    for (level, object) in [("board", 1), ("board", 2), ("status", 102), ("ticket", 1003), ("project", 5), ("phase", 1)]
    {
        register(&client, &receiver.url(&format!("/{level}/{object}?")), json!({"level": level, "objectId": object}));
    }
    register(&client, &receiver.url("/contact?"), json!({"type": "contact"}));
    register(&client, &receiver.url("/off?"), json!({"inactiveFlag": true}));
    let heard = |ticket: u64, order: Value| -> Vec<String> {
        person(&client, ticket, order);
        let part = |got: &Got| got.target.split(['?', ' ']).nth(1).unwrap().to_owned();
        let mut heard: Vec<String> = settled(&client, &receiver).iter().map(part).collect();
        heard.sort();
        heard
    };
    assert_eq!(heard(1001, json!({"status": 103})), ["/board/1"]);
    assert_eq!(heard(1001, json!({"status": 102})), ["/board/1", "/status/102"]);
    // Moved off the board: it is on the other one by now.
    assert_eq!(heard(1001, json!({"board": 2})), ["/board/2"]);
    assert_eq!(heard(1003, json!({"status": 103})), ["/board/1", "/ticket/1003"]);
    assert_eq!(heard(1010, json!({"status": 302})), ["/phase/1", "/project/5"]);
}

#[test]
fn members_companies_and_contacts_are_told_of_too() {
    let (client, receiver) = (Client::new(), Receiver::new());
    for kind in ["member", "company", "contact"] {
        register(&client, &receiver.url(&format!("/{kind}?id=")), json!({"type": kind}));
    }
    register(&client, &receiver.url("/role?id="), json!({"type": "member", "level": "SecurityRole", "objectId": 63}));
    let heard = |door: &str, set: Value| {
        let record = client.door("POST", door, set);
        let mut targets: Vec<String> = settled(&client, &receiver).into_iter().map(|got| got.target).collect();
        targets.sort();
        (targets, record)
    };
    let (targets, member) = heard("members/177", json!({"inactiveFlag": true}));
    assert_eq!(targets, ["POST /member?id=177&action=updated", "POST /role?id=177&action=updated"]);
    assert_eq!((&member["inactiveFlag"], &client.get("/system/members/177").json()), (&json!(true), &member));
    assert_eq!(heard("companies/2", json!({"name": "N"})).0, ["POST /company?id=2&action=updated"]);
    assert_eq!(heard("contacts/3", json!({"lastName": "N"})).0, ["POST /contact?id=3&action=updated"]);
    for (door, order) in
        [("contacts/99", json!({"lastName": "N"})), ("contacts/3", json!({"id": 4})), ("contacts/3", json!({}))]
    {
        assert!(client.simulator.control("POST", door, Some(&order)).is_err(), "{door} {order}");
    }
    assert!(settled(&client, &receiver).is_empty());
}

#[test]
fn only_four_answers_are_tried_again_and_only_twice() {
    let client = Client::new();
    client.simulator.switches(&json!({"delivery_scale": 0.3})).unwrap();
    let rows: [(&[u16], &[u16]); 12] = [
        (&[200], &[200]),
        (&[299], &[299]),
        (&[404, 404, 404, 404], &[404, 404, 404]),
        (&[409, 409, 409, 409], &[409, 409, 409]),
        (&[419, 419, 419, 419], &[419, 419, 419]),
        (&[429, 429, 429, 429], &[429, 429, 429]),
        (&[429, 204], &[429, 204]),
        (&[404, 409, 200], &[404, 409, 200]),
        (&[429, 500], &[429, 500]),
        (&[500, 204], &[500]),
        (&[301, 204], &[301]),
        (&[401, 204], &[401]),
    ];
    let receivers: Vec<(Receiver, u64)> = rows
        .iter()
        .map(|(answers, _)| {
            let receiver = Receiver::new();
            receiver.answers(answers);
            let id = register(&client, &receiver.url("/x?id="), json!({}));
            (receiver, id)
        })
        .collect();
    client.patch("summary", json!("x"));
    settle(&client);
    let sent = client.simulator.deliveries().unwrap();
    for ((answers, tries), (receiver, id)) in rows.iter().zip(&receivers) {
        let of_entry: Vec<&Value> = sent.iter().filter(|row| row["entry"] == *id).collect();
        let statuses: Vec<&Value> = of_entry.iter().map(|row| &row["status"]).collect();
        assert_eq!(json!(statuses), json!(tries), "{answers:?}");
        let attempts: Vec<u64> = of_entry.iter().map(|row| row["attempt"].as_u64().unwrap()).collect();
        assert_eq!(attempts, (1..=tries.len() as u64).collect::<Vec<_>>());
        let got = receiver.take();
        assert!(got.len() == tries.len() && got.iter().all(|one| one.body == got[0].body), "{answers:?}");
    }
}

#[test]
fn who_does_not_answer_or_is_not_there_is_not_tried_again() {
    let (client, receiver) = (Client::new(), Receiver::new());
    client.simulator.switches(&json!({"delivery_scale": 0.1})).unwrap();
    receiver.answers(&[0]);
    let hung = register(&client, &receiver.url("/x?id="), json!({}));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = register(&client, &format!("http://{closed}/x?id="), json!({}));
    client.patch("summary", json!("x"));
    settle(&client);
    let sent = client.simulator.deliveries().unwrap();
    assert_eq!(sent.len(), 2, "{sent:?}");
    let error = |id: u64| sent.iter().find(|row| row["entry"] == id).unwrap()["error"].as_str().unwrap().to_owned();
    assert_eq!(error(hung), "timed out");
    assert!(error(refused).to_lowercase().contains("refused"), "{}", error(refused));
}

#[test]
fn a_second_try_waits_and_holds_nobody_up() {
    let (client, receiver) = (Client::new(), Receiver::new());
    // Pauses of twenty and forty seconds.
    client.simulator.switches(&json!({"delivery_scale": 10})).unwrap();
    register(&client, &receiver.url("/x?id="), json!({}));
    receiver.answers(&[429; 40]);
    client.door("POST", "tickets/churn", json!({"changes": 40}));
    // More than are sent at once: those that wait are not under way.
    let got = receiver.wait(40);
    assert!(got.iter().all(|one| got.iter().filter(|other| other.body == one.body).count() == 1));
    let listed = client.door("GET", "deliveries", json!({}));
    assert_eq!(listed["open"], 40);
}

#[test]
fn three_failing_days_switch_an_entry_off_and_it_can_be_switched_on_again() {
    let (client, receiver) = (Client::with(&["--now", "2026-03-01T10:00:00Z"]), Receiver::new());
    let id = register(&client, &receiver.url("/x?id="), json!({}));
    let day = |answers: &[u16]| {
        receiver.answers(answers);
        for _ in answers {
            client.patch("summary", json!("x"));
            settle(&client);
        }
        client.door("POST", "clock", json!({"advance_ms": 86_400_000}));
        receiver.take().len()
    };
    let entry = || client.get(&format!("/system/callbacks/{id}")).json();
    let on = json!([{"op": "replace", "path": "inactiveFlag", "value": false}]);
    // Failures of one day are one failing day, and a success ends the row.
    let days: [&[u16]; 7] = [&[500], &[500, 500, 500], &[204], &[500], &[500, 204], &[500], &[500]];
    assert_eq!(days.map(day), [1, 3, 1, 1, 2, 1, 1]);
    assert_eq!(entry()["inactiveFlag"], false);
    assert_eq!(day(&[500]), 1);
    let off = entry();
    assert_eq!((&off["inactiveFlag"], &off["_info"]["updatedBy"]), (&json!(true), &json!("CallbackService")));
    assert_eq!(off["_info"]["lastUpdated"].as_str().map(|time| &time[..10]), Some("2026-03-08"));
    client.patch("summary", json!("unheard"));
    assert!(settled(&client, &receiver).is_empty());
    client.json("PATCH", &format!("/system/callbacks/{id}"), &on);
    assert_eq!((day(&[500]), entry()["inactiveFlag"].clone()), (1, json!(false)));
}

#[test]
fn own_writes_come_back_unless_suppression_is_there_and_wanted() {
    let (client, receiver) = (Client::new(), Receiver::new());
    register(&client, &receiver.url("/flagged?id="), json!({"isSelfSuppressedFlag": true}));
    register(&client, &receiver.url("/plain?id="), json!({}));
    let heard = || {
        client.patch("summary", json!("x"));
        settled(&client, &receiver).len()
    };
    assert_eq!(heard(), 2);
    client.simulator.switches(&json!({"self_suppression": true})).unwrap();
    assert_eq!(heard(), 1);
    person(&client, 1001, json!({"status": 102}));
    assert_eq!(settled(&client, &receiver).len(), 2);
}

#[test]
fn thousands_go_over_a_few_kept_connections_and_the_psa_answers_meanwhile() {
    let (client, receiver) = (Client::new(), Receiver::new());
    register(&client, &receiver.url("/x?id="), json!({}));
    receiver.shut(true);
    client.door("POST", "tickets/churn", json!({"changes": 40}));
    receiver.wait(32);
    // Nobody has been answered, and the PSA is not waiting for anybody.
    assert_eq!(client.get("/service/tickets/1001").status, 200);
    assert_eq!((client.door("GET", "deliveries", json!({}))["open"].clone(), receiver.connections()), (json!(40), 32));
    receiver.shut(false);
    client.door("POST", "tickets/churn", json!({"changes": 2000, "notes_percent": 20}));
    let got = settled(&client, &receiver);
    assert_eq!(got.len(), 2040);
    assert!(receiver.connections() <= 32, "{}", receiver.connections());
}

#[test]
fn https_is_spoken_to_who_shows_a_certificate_of_the_trusted_authority() {
    // Any server that speaks TLS and writes down what it is asked: another simulator.
    let other = Client::with(&["--tls"]);
    let trusting = Client::with(&["--callback-ca", other.simulator.text("ca")]);
    let careful = Client::new();
    let url = format!("{}/hook?id=", other.simulator.text("url"));
    for (client, came) in [(&trusting, 1), (&careful, 1)] {
        register(client, &url, json!({}));
        client.patch("summary", json!("x"));
        settle(client);
        assert_eq!(other.simulator.log().unwrap().len(), came);
    }
    let entry = &other.simulator.log().unwrap()[0];
    assert_eq!(
        (&entry["method"], &entry["path"], &entry["query"]),
        (&json!("POST"), &json!("/hook"), &json!("id=1001&action=updated"))
    );
    assert!(entry["headers"]["x-content-signature"].is_string());
    let refused = careful.simulator.deliveries().unwrap().swap_remove(0);
    assert!(refused["status"].is_null() && refused["error"].as_str().unwrap().contains("certificate"), "{refused}");
}

#[test]
fn a_neighbours_changes_go_to_its_own_entries() {
    let (client, receiver) = (Client::new(), Receiver::new());
    register(&client, &receiver.url("/acme?id="), json!({}));
    let neighbour = &client.simulator.ready["neighbours"][1];
    let text = |name: &str| neighbour[name].as_str().unwrap();
    let client_id = client.simulator.text("client_id");
    let theirs = crate::client::headers_of("fabrikam", text("public_key"), text("private_key"), client_id);
    let theirs = format!("{theirs}content-type: application/json\r\n");
    let entry =
        json!({"url": receiver.url("/theirs?id="), "objectId": 1, "type": "ticket", "level": "owner"}).to_string();
    assert_eq!(client.send("POST", &format!("{BASE}/system/callbacks"), &theirs, &entry).unwrap().status, 201);
    let change = json!([{"op": "replace", "path": "summary", "value": "x"}]).to_string();
    assert_eq!(client.send("PATCH", &format!("{BASE}/service/tickets/1001"), &theirs, &change).unwrap().status, 200);
    let got = settled(&client, &receiver);
    assert_eq!(got.iter().map(|got| got.target.as_str()).collect::<Vec<_>>(), ["POST /theirs?id=1001&action=updated"]);
    let body = got[0].json();
    assert_eq!(body["CompanyId"], "fabrikam");
    assert!(is_signed(&got[0], &key_of(&client, &body)));
}
