//! Callbacks that are lost, repeated, late or wrong, and keys that change.

use crate::client::{BASE, Client};
use crate::delivery::{is_signed, key_of, register, settle, settled};
use crate::receiver::{Got, Receiver};
use serde_json::{Value, json};
use std::collections::HashSet;

fn churn(client: &Client, changes: u64) {
    client.door("POST", "tickets/churn", json!({"changes": changes}));
}

fn message_ids(got: &[Got]) -> HashSet<String> {
    got.iter().map(|got| got.json()["MessageId"].to_string()).collect()
}

#[test]
fn a_share_is_lost_repeated_or_wrongly_signed_by_the_seeds_chance() {
    let outcome = |seed: &str| -> [usize; 4] {
        let (client, receiver) = (Client::with(&["--seed", seed]), Receiver::new());
        register(&client, &receiver.url("/x?id="), json!({}));
        let after = |switches: Value| {
            client.simulator.switches(&switches).unwrap();
            churn(&client, 100);
            settled(&client, &receiver)
        };
        let kept = after(json!({"callback_lose_percent": 30})).len();
        let lost = client.door("GET", "deliveries", json!({}))["lost"].as_u64().unwrap() as usize;
        assert_eq!(kept + lost, 100);
        let repeated = after(json!({"callback_lose_percent": 0, "callback_repeat_percent": 30}));
        assert_eq!(message_ids(&repeated).len(), 100);
        let thrice = after(json!({"callback_repeat_percent": 100, "callback_repeats": 2}));
        assert_eq!((thrice.len(), message_ids(&thrice).len()), (300, 100));
        let signed = after(json!({"callback_repeat_percent": 0, "callback_bad_signature_percent": 30}));
        let key = key_of(&client, &signed[0].json());
        let wrong = signed.iter().filter(|got| !is_signed(got, &key)).count();
        let last = after(json!({"callback_bad_signature_percent": 0}));
        assert!(last.len() == 100 && last.iter().all(|got| is_signed(got, &key)));
        [kept, repeated.len(), signed.len(), wrong]
    };
    let of_seven = outcome("7");
    assert!((55..85).contains(&of_seven[0]) && (115..145).contains(&of_seven[1]), "{of_seven:?}");
    assert!(of_seven[2] == 100 && (15..45).contains(&of_seven[3]), "{of_seven:?}");
    assert_eq!(of_seven, outcome("7"));
    assert_ne!(of_seven, outcome("8"));
}

#[test]
fn an_outage_loses_what_happens_and_a_delay_does_not() {
    let (client, receiver) = (Client::new(), Receiver::new());
    register(&client, &receiver.url("/x?id="), json!({}));
    client.simulator.switches(&json!({"callbacks_off": true})).unwrap();
    churn(&client, 3);
    client.simulator.switches(&json!({"callbacks_off": false})).unwrap();
    assert!(settled(&client, &receiver).is_empty());
    assert_eq!(client.door("GET", "deliveries", json!({}))["lost"], 3);
    // Not before the end of this test.
    client.simulator.switches(&json!({"callback_delay_ms": 3_600_000})).unwrap();
    churn(&client, 2);
    client.simulator.switches(&json!({"callback_delay_ms": 1})).unwrap();
    churn(&client, 1);
    assert_eq!(receiver.wait(1).len(), 1);
    let listed = client.door("GET", "deliveries", json!({}));
    assert!(listed["open"].as_u64().is_some_and(|open| open >= 2), "{listed}");
    client.door("DELETE", "deliveries", json!({}));
    assert_eq!(client.door("GET", "deliveries", json!({}))["lost"], 0);
}

#[test]
fn the_type_and_the_instance_are_sent_as_other_servers_do() {
    let (client, receiver) = (Client::new(), Receiver::new());
    register(&client, &receiver.url("/x?id="), json!({}));
    client.simulator.switches(&json!({"callback_upper_case_type": true, "callback_no_instance_id": true})).unwrap();
    churn(&client, 1);
    let body = settled(&client, &receiver)[0].json();
    assert_eq!(body["Type"], "Ticket");
    assert!(body.get("ProductInstanceId").is_none() && body.get("PartnerId").is_none(), "{body}");
}

/// Status, content type and key of a path.
fn key(client: &Client, path: &str, headers: &str) -> (u16, String, Option<String>) {
    let answer = client.send("GET", path, headers, "").unwrap();
    let kind = answer.head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default().to_owned();
    let key = serde_json::from_str::<Value>(&answer.body)
        .ok()
        .and_then(|body| Some(body["signing_key"].as_str()?.to_owned()));
    (answer.status, kind, key)
}

#[test]
fn the_key_is_handed_out_without_a_login_to_who_knows_its_id() {
    let client = Client::new();
    let known = client.door("GET", "key", json!({}))["items"].clone();
    let (id, secret) =
        (known[0]["keys"][0]["id"].as_str().unwrap(), known[0]["keys"][0]["signing_key"].as_str().unwrap());
    let at = |codebase: &str, company: &str, id: &str| {
        format!("/{codebase}/system/callbackkey/index.rails?companyName={company}&id={id}")
    };
    for path in [
        at("v4_6_release", "acme", id),
        at("v2025_1", "acme", id),
        at("v2025_1/", "acme", id),
        at("V2025_1/", "Acme", id),
    ] {
        let (status, kind, key) = key(&client, &path, "");
        assert_eq!((status, kind.as_str(), key.as_deref()), (200, "text/html; charset=utf-8", Some(secret)), "{path}");
    }
    for (path, status) in [
        (at("v4_6_release", "contoso", id), 404),
        (at("v4_6_release", "nobody", id), 404),
        (at("v4_6_release", "acme", "00000000-0000-4000-8000-000000000000"), 404),
        (at("v2024_1", "acme", id), 404),
        (at("nonsense", "acme", id), 400),
        (at("v2025_1//", "acme", id), 400),
    ] {
        assert_eq!(key(&client, &path, "").0, status, "{path}");
    }
    let path = at("v4_6_release", "acme", id);
    assert_eq!(client.send("POST", &path, "", "").unwrap().status, 405);
    client.simulator.switches(&json!({"key_as_text": false, "key_needs_client_id": true})).unwrap();
    assert_eq!(key(&client, &path, "").0, 401);
    let known = format!("clientid: {}\r\n", client.simulator.text("client_id"));
    assert_eq!(
        key(&client, &path, &known),
        (200, "application/json; charset=utf-8".to_owned(), Some(secret.to_owned()))
    );
    client.fault("callback_key", "html_503", json!({}));
    client.fault("callback_key", "reset_before_commit", json!({}));
    assert_eq!(client.send("GET", &path, &known, "").unwrap().status, 503);
    assert!(client.send("GET", &path, &known, "").is_none());
    let asked = client.simulator.log().unwrap();
    let last: Vec<&Value> = asked.iter().rev().take(2).map(|entry| &entry["fault"]).collect();
    assert_eq!(
        (last, &asked[0]["endpoint"]),
        (vec![&json!("reset_before_commit"), &json!("html_503")], &json!("callback_key"))
    );
}

#[test]
fn after_a_rotation_another_key_signs_and_the_old_one_is_known_as_long_as_it_is_wanted() {
    let (client, receiver) = (Client::new(), Receiver::new());
    register(&client, &receiver.url("/x?id="), json!({}));
    churn(&client, 1);
    let before = settled(&client, &receiver).swap_remove(0);
    let old_key = key_of(&client, &before.json());
    let rotated = client.door("POST", "key", json!({"rotate": true}));
    churn(&client, 1);
    let after = settled(&client, &receiver).swap_remove(0);
    assert_eq!(after.json()["Metadata"]["key_url"], rotated["key_url"]);
    let new_key = rotated["signing_key"].as_str().unwrap();
    assert!(is_signed(&after, new_key) && !is_signed(&after, &old_key));
    assert_eq!(key_of(&client, &before.json()), old_key);
    client.simulator.switches(&json!({"old_keys_known": false})).unwrap();
    let old_url = before.json()["Metadata"]["key_url"].as_str().unwrap().to_owned();
    let path = old_url.strip_prefix(client.simulator.text("url")).unwrap();
    assert_eq!(key(&client, path, "").0, 404);
    assert_eq!(key_of(&client, &after.json()), new_key);
    assert!(client.simulator.control("POST", "key", Some(&json!({"rotate": true, "company": "nobody"}))).is_err());
}

#[test]
fn the_clock_of_answers_and_records_is_the_simulators_own() {
    let client = Client::with(&["--now", "2030-01-01T12:00:00Z"]);
    let date = || {
        let answer = client.get("/system/info");
        answer.head.lines().find_map(|line| line.strip_prefix("date: ")).unwrap()[..16].to_owned()
    };
    assert_eq!(date(), "tue, 01 jan 2030");
    client.door("POST", "clock", json!({"skew_ms": 86_400_000}));
    client.door("POST", "clock", json!({"skew_ms": 2 * 86_400_000}));
    assert_eq!(date(), "thu, 03 jan 2030");
    let record = client.patch("summary", json!("x")).json();
    assert_eq!(record["_info"]["lastUpdated"].as_str().map(|time| &time[..10]), Some("2030-01-03"));
    client.door("POST", "clock", json!({"skew_ms": 0, "advance_ms": 3_600_000}));
    assert_eq!(date(), "tue, 01 jan 2030");
    assert!(client.simulator.control("POST", "clock", Some(&json!({"skew": 1}))).is_err());
}

#[test]
fn entries_are_switched_off_as_the_psa_does_it() {
    let (client, receiver) = (Client::new(), Receiver::new());
    let id = register(&client, &receiver.url("/x?id="), json!({}));
    let other = register(&client, &receiver.url("/y?id="), json!({}));
    assert_eq!(client.door("POST", "callbacks/disable", json!({"id": id}))["disabled"], 1);
    let record = client.get(&format!("/system/callbacks/{id}")).json();
    assert_eq!((&record["inactiveFlag"], &record["_info"]["updatedBy"]), (&json!(true), &json!("CallbackService")));
    churn(&client, 1);
    assert_eq!(settled(&client, &receiver).len(), 1);
    // The other one of ours, and the active one of another product.
    assert_eq!(client.door("POST", "callbacks/disable", json!({"all": true}))["disabled"], 2);
    churn(&client, 1);
    assert!(settled(&client, &receiver).is_empty());
    let kept = client.door("GET", "callbacks", json!({}));
    assert!(kept["items"].as_array().unwrap().iter().all(|entry| entry["inactiveFlag"] == true), "{kept}");
    let disable = |order: Value| client.simulator.control("POST", "callbacks/disable", Some(&order));
    assert!(disable(json!({"id": other})).is_err() && disable(json!({})).is_err());
    let path = format!("{BASE}/system/callbacks/{id}");
    assert_eq!(client.send("DELETE", &path, &client.headers, "").unwrap().status, 204);
    settle(&client);
}
