//! Messages by order of a test, and changes in bulk.

use crate::client::Client;
use crate::delivery::{is_signed, key_of, register, settle, settled};
use crate::receiver::{Got, Receiver};
use serde_json::{Value, json};

/// Orders a message to a receiver and takes what has come.
fn sent(client: &Client, receiver: &Receiver, more: Value) -> (Value, Got) {
    let mut order = json!({"url": receiver.url("/x?id=")});
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = client.door("POST", "callbacks/send", order);
    (answer, receiver.take().swap_remove(0))
}

#[test]
fn what_is_not_ordered_otherwise_is_as_the_psa_sends_it() {
    let (client, receiver) = (Client::new(), Receiver::new());
    register(&client, &receiver.url("/x?id="), json!({}));
    client.door("POST", "tickets/1001", json!({"status": 102}));
    let real = settled(&client, &receiver).swap_remove(0);
    let (answer, ordered) = sent(&client, &receiver, json!({}));
    assert_eq!((&answer["statuses"], &answer["errors"]), (&json!([204]), &json!([])));
    assert_eq!(ordered.target, real.target);
    let (mut expected, mut body) = (real.json(), ordered.json());
    assert_eq!(body["MessageId"], answer["message_id"]);
    for name in ["MessageId", "CallbackObjectRecId"] {
        assert_ne!(expected[name].take(), body[name].take(), "{name}");
    }
    assert_eq!(body, expected);
    assert!(is_signed(&ordered, &key_of(&client, &body)));
}

#[test]
fn any_part_of_a_message_can_be_ordered() {
    let (client, receiver) = (Client::new(), Receiver::new());
    let (answer, got) = sent(
        &client,
        &receiver,
        json!({
            "type": "Time", "id": 77, "action": "deleted", "member": "mmiller", "entry": 26604, "message_id": "m-1",
            "key_url": "https://evil.example/key?id=1", "query": "1&action=added", "fields": {"FromUrl": null, "Extra": [1]},
            "without": ["ProductInstanceId"], "headers": {"Content-Type": "text/plain", "x-more": "1"},
        }),
    );
    let body = got.json();
    for (name, value) in [
        ("Type", json!("Time")),
        ("ID", json!(77)),
        ("Action", json!("deleted")),
        ("MemberId", json!("mmiller")),
        ("CallbackObjectRecId", json!(26604)),
        ("MessageId", json!("m-1")),
        ("Entity", Value::Null),
        ("FromUrl", Value::Null),
        ("Extra", json!([1])),
        ("Metadata", json!({"key_url": "https://evil.example/key?id=1"})),
    ] {
        assert_eq!(body[name], value, "{name}");
    }
    assert!(body.get("ProductInstanceId").is_none() && body.get("PartnerId").is_some());
    assert_eq!((got.target.as_str(), answer["message_id"].as_str()), ("POST /x?id=1&action=added", Some("m-1")));
    assert_eq!((got.header("content-type"), got.header("x-more")), (Some("text/plain"), Some("1")));
    let (_, text) = sent(&client, &receiver, json!({"body": "{ not json"}));
    let (_, bytes) = sent(&client, &receiver, json!({"body_base64": "//4="}));
    assert_eq!((text.body.as_slice(), bytes.body.as_slice()), (b"{ not json".as_slice(), [255, 254].as_slice()));
    let (answer, _) = sent(&client, &receiver, json!({"entity": "{\"id\":1}", "times": 70}));
    assert_eq!(answer["statuses"], json!(vec![204; 70]));
    for order in [
        json!({}),
        json!({"url": "http://127.0.0.1:1/", "company": "nobody"}),
        json!({"url": "x", "times": 0}),
        json!({"url": "x", "sign_with": "nobody"}),
        json!({"url": "x", "signature": 1}),
        json!({"url": "x", "body_base64": "%"}),
    ] {
        assert!(client.simulator.control("POST", "callbacks/send", Some(&order)).is_err(), "{order}");
    }
    let lost = client.door("POST", "callbacks/send", json!({"url": "http://127.0.0.1:1/"}));
    assert!(lost["statuses"] == json!([null]) && lost["errors"][0].is_string(), "{lost}");
    let listed = client.simulator.deliveries().unwrap();
    assert!(listed.len() == 74 && listed.iter().all(|row| row["entry"].is_null()), "{}", listed.len());
}

#[test]
fn a_message_can_be_signed_by_anybody_or_not_at_all() {
    let (client, receiver) = (Client::new(), Receiver::new());
    let old = key_of(&client, &sent(&client, &receiver, json!({})).1.json());
    let new = client.door("POST", "key", json!({"rotate": true}))["signing_key"].as_str().unwrap().to_owned();
    let keys = client.door("GET", "key", json!({}))["items"].clone();
    let neighbour = keys[1]["keys"][0]["signing_key"].as_str().unwrap();
    assert_eq!(keys[1]["company"], "contoso");
    for (more, key) in [
        (json!({}), new.as_str()),
        (json!({"sign_with": "own", "signature": "right"}), &new),
        (json!({"sign_with": "old"}), &old),
        (json!({"sign_with": "contoso"}), neighbour),
        (json!({"sign_with": {"key": "abc"}}), "abc"),
        (json!({"sign_with": "acme", "company": "fabrikam"}), &new),
    ] {
        assert!(is_signed(&sent(&client, &receiver, more.clone()).1, key), "{more}");
    }
    // The old one is named by what it has signed.
    assert_eq!(key_of(&client, &sent(&client, &receiver, json!({"sign_with": "old"})).1.json()), old);
    for (signature, header) in [("none", None), ("empty", Some("")), ("AAAA", Some("AAAA"))] {
        let got = sent(&client, &receiver, json!({"signature": signature})).1;
        assert_eq!(got.header("x-content-signature"), header, "{signature}");
    }
    let wrong = sent(&client, &receiver, json!({"signature": "wrong"})).1;
    assert!(!is_signed(&wrong, &new) && wrong.header("x-content-signature").unwrap().len() == 44);
}

#[test]
fn a_neighbours_message_is_rightly_signed_with_its_own_key() {
    let (client, receiver) = (Client::new(), Receiver::new());
    let own = key_of(&client, &sent(&client, &receiver, json!({})).1.json());
    let (_, theirs) = sent(&client, &receiver, json!({"company": "contoso"}));
    let body = theirs.json();
    assert_eq!(body["CompanyId"], "contoso");
    assert!(body["Metadata"]["key_url"].as_str().unwrap().contains("companyName=contoso&"));
    assert!(is_signed(&theirs, &key_of(&client, &body)) && !is_signed(&theirs, &own));
    // The same with the name of the victim in it.
    let (_, posing) = sent(&client, &receiver, json!({"company": "contoso", "fields": {"CompanyId": "acme"}}));
    assert!(posing.json()["CompanyId"] == "acme" && is_signed(&posing, &key_of(&client, &body)));
}

#[test]
fn changes_in_bulk_are_the_same_for_the_same_seed_and_each_is_told() {
    let run = |seed: u64| {
        let (client, receiver) = (Client::new(), Receiver::new());
        register(&client, &receiver.url("/x?id="), json!({}));
        let order = json!({"changes": 200, "tickets": [1001, 1002, 1010], "seed": seed, "notes_percent": 25});
        let done = client.door("POST", "tickets/churn", order);
        let got = settled(&client, &receiver);
        assert_eq!((got.len(), &done["changes"], &done["tickets"]), (200, &json!(200), &json!([1001, 1002, 1010])));
        let notes = client.door("GET", "notes", json!({}))["items"].as_array().unwrap().len() - 60;
        assert!(done["notes"] == notes && (20..80).contains(&notes), "{done}");
        let tickets = client.door("GET", "tickets", json!({}))["items"].clone();
        let owners: Vec<Value> =
            [1001, 1002].map(|id| client.get(&format!("/service/tickets/{id}")).json()["owner"].clone()).into();
        assert!(got.iter().all(|got| got.json()["MemberId"] == "jdoe"));
        (tickets.as_array().unwrap()[..10].to_vec(), owners)
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn changes_in_one_second_cannot_be_told_apart_by_their_time() {
    let client = Client::new();
    client.door("POST", "clock", json!({"advance_ms": 86_400_000}));
    client.door("POST", "tickets/churn", json!({"changes": 300, "same_second": true}));
    let times = |client: &Client| -> Vec<Value> {
        let mut times: Vec<Value> = client
            .list("/service/tickets?pageSize=1000&orderBy=lastUpdated%20desc")
            .iter()
            .map(|ticket| ticket["_info"]["lastUpdated"].clone())
            .collect();
        times.truncate(40);
        times.dedup();
        times
    };
    assert_eq!(times(&client).len(), 1);
    settle(&client);
    for order in
        [json!({}), json!({"changes": 0}), json!({"changes": 1, "tickets": [9]}), json!({"changes": 1, "tickets": []})]
    {
        assert!(client.simulator.control("POST", "tickets/churn", Some(&order)).is_err(), "{order}");
    }
}
