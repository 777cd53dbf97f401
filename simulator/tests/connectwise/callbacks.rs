//! Entries of `/system/callbacks`.

use crate::client::{BASE, Client, headers_of};
use serde_json::{Value, json};

/// An entry as a client sends it, with changes.
fn entry(more: Value) -> Value {
    let mut body = json!({"url": "https://hooks.example.com/webhook?recordId=", "objectId": 0, "type": "ticket", "level": "owner"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn post(client: &Client, more: Value) -> crate::client::Answer {
    client.json("POST", "/system/callbacks", &entry(more))
}

fn delete(client: &Client, id: &Value) -> u16 {
    client.send("DELETE", &format!("{BASE}/system/callbacks/{id}"), &client.headers, "").unwrap().status
}

#[test]
fn an_entry_is_kept_as_recorded_exchanges_show_it() {
    let client = Client::new();
    // As a recorded client has sent it.
    let made = post(
        &client,
        json!({"id": 0, "inactiveFlag": false, "payloadVersion": "3.0.0", "memberId": 0,
        "isSelfSuppressedFlag": false, "connectWiseID": "", "type": "Ticket", "level": "OWNER"}),
    );
    let mut record = made.json();
    assert_eq!(made.status, 201, "{}", made.body);
    let id = record["id"].clone();
    assert_eq!(client.get(&format!("/system/callbacks/{id}")).json(), record);
    let guid = record["connectWiseID"].take();
    assert_eq!(guid.as_str().map(str::len), Some(36));
    assert!(record["_info"]["lastUpdated"].as_str().is_some_and(|time| time.ends_with('Z')), "{record}");
    assert_eq!(record["_info"]["updatedBy"], "psabridge");
    record.as_object_mut().unwrap().retain(|name, _| !matches!(name.as_str(), "_info" | "connectWiseID" | "id"));
    assert_eq!(
        record,
        json!({
            "url": "https://hooks.example.com/webhook?recordId=", "objectId": 1, "type": "ticket", "level": "owner",
            "memberId": 180, "payloadVersion": "3.0.0", "inactiveFlag": false, "isSoapCallbackFlag": false,
            "isSelfSuppressedFlag": false,
        })
    );
    // Those of other products are in the list too.
    let all = client.list("/system/callbacks");
    assert_eq!((all.len(), &client.get("/system/callbacks/count").json()["count"]), (3, &json!(3)));
    let own = client.get("/system/callbacks?conditions=url%20contains%20%22hooks.example.com%22").ids();
    assert_eq!(json!(own), json!([id]));
    assert_eq!(client.get("/system/callbacks?pageSize=2&page=2").ids().len(), 1);
    let wrong = client.get("/system/callbacks?conditions=uri%20contains%20%22x%22");
    assert_eq!(wrong.error(), (400, "ApiFindCondition".to_owned()));
    let endpoints: Vec<Value> = client.simulator.log().unwrap().iter().map(|entry| entry["endpoint"].clone()).collect();
    assert_eq!(json!(endpoints[..3]), json!(["create_callback", "get_callback", "list_callbacks"]));
}

#[test]
fn everything_wrong_with_an_entry_is_said_in_one_answer() {
    let client = Client::new();
    let both = post(&client, json!({"url": "not a url", "level": "company"}));
    assert_eq!(both.status, 400);
    assert_eq!(
        both.json(),
        json!({"code": "InvalidObject", "message": "callbackEntry object is invalid", "errors": [
            {"code": "InvalidField", "message": "Invalid URL", "resource": "callbackEntry", "field": "url"},
            {"code": "InvalidObject", "message": "Unrecognized level for type, see documentation for supported levels for each type",
             "resource": "callbackEntry", "field": "level"},
        ]})
    );
    let empty = client.json("POST", "/system/callbacks", &json!({})).json();
    let fields: Vec<&Value> = empty["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["url", "objectId", "type", "level"]);
    for (more, error, part) in [
        (json!({"url": null}), "InvalidObject MissingRequiredField", "The url field"),
        (json!({"objectId": null}), "InvalidObject MissingRequiredField", "The objectId field"),
        (json!({"description": "é".repeat(101)}), "InvalidObject MaxLengthField", "maximum length of 100"),
        (json!({"url": "http://hooks.example.com/x?id="}), "InvalidObject InvalidField", "Invalid URL"),
        (json!({"url": "/x?id="}), "InvalidObject InvalidField", "Invalid URL"),
        (json!({"url": "ftp://127.0.0.1/x"}), "InvalidObject InvalidField", "Invalid URL"),
        (json!({"url": "https://hooks.example.com/x#id="}), "InvalidObject InvalidField", "Invalid URL"),
        (json!({"type": "note"}), "InvalidObject InvalidObject", "Unrecognized level"),
        (json!({"objectId": 5}), "InvalidObject InvalidField", "objectId"),
        (json!({"level": "board"}), "InvalidObject InvalidField", "objectId"),
        (json!({"secret": "x"}), "ConnectWiseApi", "Could not find member 'secret'"),
        (json!({"objectId": "1"}), "ConnectWiseApi", "Error converting value"),
        (json!({"inactiveFlag": "no"}), "ConnectWiseApi", "Error converting value"),
    ] {
        let answer = post(&client, more.clone());
        assert_eq!(answer.error(), (400, error.to_owned()), "{more}");
        assert!(answer.body.contains(part), "{}", answer.body);
    }
    assert_eq!(client.list("/system/callbacks").len(), 2);
    for url in ["http://127.0.0.1:8080/x?id=", "http://localhost/x", "http://[::1]:9/x", "https://hooks.example.com"] {
        let made = post(&client, json!({"url": url, "description": "é".repeat(100)}));
        assert_eq!(made.status, 201, "{url}: {}", made.body);
    }
}

#[test]
fn two_entries_alike_are_refused_and_a_deleted_one_counts_for_a_while() {
    let client = Client::new();
    let first = post(&client, json!({})).json()["id"].clone();
    let again = post(&client, json!({"type": "TICKET", "objectId": 1, "description": "again"}));
    assert_eq!(again.status, 400);
    assert_eq!(
        again.json()["errors"],
        json!([{"code": "ObjectExists", "message": "A matching callback entry already exists",
                "resource": "callbackEntry", "field": "objectId"}])
    );
    for more in [
        json!({"url": "https://hooks.example.com/other"}),
        json!({"level": "board", "objectId": 1}),
        json!({"level": "board", "objectId": 2}),
        json!({"type": "contact"}),
    ] {
        assert_eq!(post(&client, more.clone()).status, 201, "{more}");
    }
    let other = client.list("/system/callbacks?conditions=url%20contains%20%22other%22")[0]["id"].clone();
    let path = format!("/system/callbacks/{other}");
    let onto = json!([{"op": "replace", "path": "url", "value": entry(json!({}))["url"]}]);
    assert_eq!(client.json("PATCH", &path, &onto).error().1, "InvalidObject ObjectExists");
    assert_eq!(client.json("PUT", &path, &entry(json!({}))).error().1, "InvalidObject ObjectExists");
    client.door("POST", "switches", json!({"delete_lag_ms": 3_600_000}));
    assert_eq!((delete(&client, &first), delete(&client, &first)), (204, 404));
    assert_eq!(post(&client, json!({})).error().1, "InvalidObject ObjectExists");
    client.door("POST", "switches", json!({"delete_lag_ms": 0}));
    let id = post(&client, json!({})).json()["id"].as_u64().unwrap();
    assert!(id > first.as_u64().unwrap());
}

#[test]
fn an_entry_is_changed_by_operations_or_as_a_whole() {
    let client = Client::new();
    let made = post(&client, json!({"description": "Ours"})).json();
    let path = format!("/system/callbacks/{}", made["id"]);
    let one = |path: &str, value: Value| json!([{"op": "replace", "path": path, "value": value}]);
    let off = client.json("PATCH", &path, &one("inactiveFlag", json!(true)));
    assert!(off.status == 200 && off.json()["inactiveFlag"] == true && off.json()["description"] == "Ours");
    // What is read only stays.
    let read_only = client.json("PATCH", &path, &one("/memberId", json!(7))).json();
    assert_eq!((&read_only["memberId"], &read_only["connectWiseID"]), (&json!(180), &made["connectWiseID"]));
    for (body, error) in [
        (json!({"inactiveFlag": false}), "ConnectWiseApi"),
        (one("secret", json!(1)), "ConnectWiseApi"),
        (one("inactiveFlag", json!("no")), "ConnectWiseApi"),
        (json!([{"op": "move", "path": "url", "value": "x"}]), "ConnectWiseApi"),
        (one("level", json!("company")), "InvalidObject InvalidObject"),
        (json!([{"op": "remove", "path": "url"}]), "InvalidObject MissingRequiredField"),
    ] {
        assert_eq!(client.json("PATCH", &path, &body).error(), (400, error.to_owned()), "{body}");
    }
    let put = client.json("PUT", &path, &entry(json!({"level": "Board", "objectId": 2}))).json();
    assert_eq!((&put["id"], &put["level"], &put["objectId"]), (&made["id"], &json!("board"), &json!(2)));
    assert!(put.get("description").is_none() && put["inactiveFlag"] == false, "{put}");
    assert_eq!(client.json("PUT", &path, &json!({"secret": 1})).status, 400);
    let untyped = client.send("PUT", &format!("{BASE}{path}"), &client.headers, "{}").unwrap();
    assert_eq!(untyped.status, 415);
    assert_eq!(client.get("/system/callbacks/99").status, 404);
}

#[test]
fn who_lacks_the_right_sees_and_changes_nothing() {
    let client = Client::new();
    client.door("POST", "switches", json!({"callbacks_forbidden": true}));
    assert_eq!(client.get("/system/callbacks").error(), (403, "Security".to_owned()));
    assert_eq!(post(&client, json!({})).error(), (403, "Security".to_owned()));
    client.door("POST", "switches", json!({"callbacks_forbidden": false}));
    assert_eq!(client.list("/system/callbacks").len(), 2);
}

#[test]
fn a_neighbour_has_its_own_keys_and_its_own_records() {
    let client = Client::new();
    post(&client, json!({}));
    let neighbours = client.simulator.ready["neighbours"].as_array().unwrap().clone();
    assert_eq!(neighbours.iter().map(|one| &one["company"]).collect::<Vec<_>>(), ["contoso", "fabrikam"]);
    let text = |name: &str| neighbours[0][name].as_str().unwrap();
    let client_id = client.simulator.text("client_id");
    let theirs = headers_of("contoso", text("public_key"), text("private_key"), client_id);
    let path = format!("{BASE}/system/callbacks/count");
    assert_eq!(client.send("GET", &path, &theirs, "").unwrap().json()["count"], 2);
    assert_eq!(client.get("/system/callbacks/count").json()["count"], 3);
    let tickets = format!("{BASE}/service/tickets/count");
    assert_eq!(client.send("GET", &tickets, &theirs, "").unwrap().json()["count"], 5);
    // What the role of the one lacks is not lacking at the other.
    client.door("POST", "rights", json!({"deny": ["callbacks"]}));
    assert_eq!(client.get("/system/callbacks/count").status, 403);
    assert_eq!(client.send("GET", &path, &theirs, "").unwrap().status, 200);
    // The keys of one are nothing at the other.
    let mixed = headers_of("acme", text("public_key"), text("private_key"), client_id);
    assert_eq!(client.send("GET", &path, &mixed, "").unwrap().status, 401);
    let info = client.send("GET", "/login/companyinfo/contoso", "", "").unwrap().json();
    assert_eq!(info["CompanyID"], "contoso");
}
