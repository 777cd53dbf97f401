//! What callbacks tell of changes beyond plain edits of tickets: time, notes, merges, bundles, ends.
//!
//! Leaves to others: how a message is sent (`delivery`), and the edits of tickets themselves.

use crate::client::{BASE, Client};
use crate::delivery::{register, settled};
use crate::documents::{form, upload};
use crate::receiver::Receiver;
use serde_json::{Value, json};

/// A client, and somebody who hears of all tickets and all time.
struct Told {
    client: Client,
    receiver: Receiver,
}

impl Told {
    fn new() -> Told {
        let told = Told { client: Client::new(), receiver: Receiver::new() };
        for kind in ["ticket", "time"] {
            register(&told.client, &told.receiver.url(&format!("/{kind}?id=")), json!({"type": kind}));
        }
        told
    }

    /// All messages since the last time, by type and id.
    fn messages(&self) -> Vec<Value> {
        let mut messages: Vec<Value> = settled(&self.client, &self.receiver).iter().map(|got| got.json()).collect();
        messages.sort_by_key(|message| (message["Type"].to_string(), message["ID"].as_u64()));
        messages
    }

    /// The same, in short.
    fn words(&self) -> Vec<String> {
        let word = |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let words = |message: &Value| {
            assert_eq!(word(message, "MemberId"), "psabridge");
            format!("{} {} {}", word(message, "Type"), message["ID"], word(message, "Action"))
        };
        self.messages().iter().map(words).collect()
    }

    fn json(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.client.json(method, path, &body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
        answer.json()
    }

    fn delete(&self, path: &str) {
        let answer = self.client.send("DELETE", &format!("{BASE}{path}"), &self.client.headers, "").unwrap();
        assert_eq!(answer.status, 204, "{path}: {}", answer.body);
    }

    /// Half an hour on a ticket.
    fn time(&self, ticket: u64) -> Value {
        let time = json!({
            "chargeToId": ticket, "chargeToType": "ServiceTicket", "timeStart": "2024-02-01T10:00:00Z",
            "timeEnd": "2024-02-01T10:30:00Z", "notes": "Checked the fuser",
        });
        self.json("POST", "/time/entries", time)
    }
}

#[test]
fn a_time_entry_is_told_as_time_and_as_a_change_of_its_ticket() {
    let told = Told::new();
    let before = told.client.get("/service/tickets/1001").json();
    let time = told.time(1001);
    let messages = told.messages();
    let entity = |at: usize| -> Value { serde_json::from_str(messages[at]["Entity"].as_str().unwrap()).unwrap() };
    let actions: Vec<_> =
        messages.iter().map(|message| (&message["Type"], &message["ID"], &message["Action"])).collect();
    assert_eq!(
        actions,
        [(&json!("ticket"), &json!(1001), &json!("updated")), (&json!("time"), &time["id"], &json!("added"))]
    );
    // The ticket is told of, and its record is not moved: whether `lastUpdated` is, is not known. Source: facts 6.
    assert_eq!((entity(0), entity(1)), (before, time.clone()));
    let path = format!("/time/entries/{}", time["id"]);
    let (id, both) = (&time["id"], |more: &[&str]| more.iter().map(|word| word.to_string()).collect::<Vec<_>>());
    told.json("PATCH", &path, json!([{"op": "replace", "path": "notes", "value": "y"}]));
    assert_eq!(told.words(), both(&["ticket 1001 updated", &format!("time {id} updated")]));
    // Time that moves changes the ticket it leaves as well.
    told.json("PATCH", &path, json!([{"op": "replace", "path": "chargeToId", "value": 1002}]));
    assert_eq!(told.words(), both(&["ticket 1001 updated", "ticket 1002 updated", &format!("time {id} updated")]));
    told.delete(&path);
    let messages = told.messages();
    assert_eq!((&messages[0]["ID"], &messages[0]["Action"]), (&json!(1002), &json!("updated")));
    assert_eq!((&messages[1]["Action"], &messages[1]["Entity"]), (&json!("deleted"), &Value::Null));
    let company = json!({"timeStart": "2024-02-01T10:00:00Z", "actualHours": 1, "company": {"id": 6}});
    let id = told.json("POST", "/time/entries", company)["id"].clone();
    assert_eq!(told.words(), [format!("time {id} added")]);
    assert_eq!(told.client.json("POST", "/time/entries", &json!({"notes": "x"})).status, 400);
    assert!(told.words().is_empty());
}

#[test]
fn a_merge_and_a_bundle_are_told_for_parent_and_children() {
    let told = Told::new();
    let merge = json!({"mergeTicketIds": [1002, 1005], "status": {"id": 105}});
    let refused = told.client.json("POST", "/service/tickets/1001/merge", &merge);
    assert_eq!(refused.status, 400, "no status of both boards: {}", refused.body);
    assert!(told.words().is_empty());
    let board = |id: u64| told.client.get(&format!("/service/tickets/{id}")).json()["board"]["id"].as_u64().unwrap();
    let status = json!({"id": board(1002) * 100 + 5});
    told.json("POST", "/service/tickets/1001/merge", json!({"mergeTicketIds": [1002], "status": status}));
    let messages = told.messages();
    let ids: Vec<_> = messages.iter().map(|message| (&message["ID"], &message["Action"])).collect();
    assert_eq!(ids, [(&json!(1001), &json!("updated")), (&json!(1002), &json!("updated"))]);
    let child: Value = serde_json::from_str(messages[1]["Entity"].as_str().unwrap()).unwrap();
    assert_eq!((&child["mergedParentTicket"]["id"], &child["status"]["id"]), (&json!(1001), &status["id"]));
    told.json("POST", "/service/tickets/1001/attachChildren", json!({"childTicketIds": [1003, 1004]}));
    assert_eq!(told.words(), ["ticket 1001 updated", "ticket 1003 updated", "ticket 1004 updated"]);
}

#[test]
fn the_end_of_a_ticket_is_told_without_its_record() {
    let told = Told::new();
    told.client.fault("patch_ticket", "workflow_moves", json!({}));
    told.client.patch("status", json!({"id": 103}));
    assert_eq!(told.messages().len(), 2);
    told.delete("/service/tickets/1001");
    let messages = told.messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    let message = messages[0].as_object().unwrap();
    assert_eq!((&message["ID"], &message["Action"]), (&json!(1001), &json!("deleted")));
    assert_eq!((&message["Entity"], &message["MemberId"]), (&Value::Null, &json!("psabridge")));
    told.delete("/project/tickets/1010");
    assert_eq!(told.words(), ["ticket 1010 deleted"]);
}

#[test]
fn a_converted_ticket_is_told_as_what_it_is_now() {
    let told = Told::new();
    told.json("POST", "/service/tickets/1001/convert", json!({"phase": {"id": 1}, "wbsCode": "1.2"}));
    let messages = told.messages();
    let entity: Value = serde_json::from_str(messages[0]["Entity"].as_str().unwrap()).unwrap();
    assert_eq!((messages.len(), &messages[0]["Action"]), (1, &json!("updated")));
    assert_eq!(entity, told.client.get("/project/tickets/1001").json());
}

/// Whether a note moves the time of the last change is not known, so it does not. Source: facts 6, `lastUpdated`.
#[test]
fn a_note_is_told_as_a_change_of_a_ticket_that_has_not_moved() {
    let told = Told::new();
    for (kind, ticket) in [("service", 1001), ("project", 1010)] {
        let path = format!("/{kind}/tickets/{ticket}");
        let before = told.client.get(&path).json();
        let changes = || {
            let all = told.client.simulator.control("GET", "tickets", None).unwrap();
            let one = all["items"].as_array().unwrap().iter().find(|one| one["id"] == ticket).cloned();
            one.unwrap()["status_changes"].clone()
        };
        let moves = changes();
        let updated = [format!("ticket {ticket} updated")];
        told.client.door("POST", "clock", json!({"advance_ms": 60_000}));
        let note = json!({"text": "x", "detailDescriptionFlag": true, "contact": {"id": 2}});
        let note = told.json("POST", &format!("{path}/notes"), note)["id"].clone();
        assert_eq!(told.words(), updated);
        let shown = json!([{"op": "replace", "path": "text", "value": "y"}]);
        told.json("PATCH", &format!("{path}/notes/{note}"), shown);
        assert_eq!(told.words(), updated);
        told.delete(&format!("{path}/notes/{note}"));
        assert_eq!(told.words(), updated);
        assert_eq!((told.client.get(&path).json(), changes()), (before, moves));
    }
    assert_eq!(told.client.note(&json!({"text": "x"})).status, 400);
    assert!(told.words().is_empty());
}

#[test]
fn documents_have_no_callbacks_and_reads_change_nothing() {
    let told = Told::new();
    let fields = form(&[("recordType", "Ticket"), ("recordId", "1001"), ("title", "t")], Some(("a.txt", b"a")));
    assert_eq!(upload(&told.client, &fields).status, 201);
    told.client.get("/service/tickets/1001/allNotes");
    told.client.get("/time/entries");
    assert!(told.words().is_empty());
}

#[test]
fn a_role_that_may_not_read_tickets_is_told_of_like_any_other() {
    let told = Told::new();
    told.client.door("POST", "rights", json!({"deny": ["tickets", "contacts", "companies", "members", "add_time"]}));
    assert_eq!(told.client.get("/service/tickets/1001").status, 403);
    assert_eq!(told.client.patch("summary", json!("x")).status, 200);
    assert_eq!(told.words(), ["ticket 1001 updated"]);
    register(&told.client, &told.receiver.url("/contact?id="), json!({"type": "contact"}));
    told.client.door("POST", "contacts/3", json!({"title": "x"}));
    assert_eq!(told.messages()[0]["Type"], json!("contact"));
    // What is refused was not done.
    let time = json!({"chargeToId": 1001, "chargeToType": "ServiceTicket", "timeStart": "2024-02-01T10:00:00Z", "actualHours": 1});
    assert_eq!(told.client.json("POST", "/time/entries", &time).status, 403);
    assert!(told.words().is_empty());
}
