//! `allNotes`, edited notes, authors, and the mails of a save.

use crate::client::{BASE, Client};
use serde_json::{Value, json};

fn edit(client: &Client, id: &Value, operations: Value) -> crate::client::Answer {
    client.json("PATCH", &format!("/service/tickets/1001/notes/{id}"), &operations)
}

fn replace(path: &str, value: Value) -> Value {
    json!({"op": "replace", "path": path, "value": value})
}

#[test]
fn all_notes_have_a_model_of_their_own() {
    let client = Client::new();
    let note = client.note(&json!({"text": "x", "internalAnalysisFlag": true, "member": {"id": 177}})).json();
    let all = client.list("/service/tickets/1001/allNotes");
    assert_eq!(all.len(), 2);
    let shown = all.iter().find(|one| one["id"] == note["id"]).unwrap();
    for (path, value) in [
        ("/noteType", json!("TicketNote")),
        ("/ticket/id", json!(1001)),
        ("/originalAuthor", json!("Mia Miller")),
        ("/internalAnalysisFlag", json!(true)),
        ("/mergedFlag", json!(false)),
        ("/bundledFlag", json!(false)),
        ("/isMarkdownFlag", json!(false)),
    ] {
        assert_eq!(shown.pointer(path), Some(&value), "{path}");
    }
    for name in
        ["ticketId", "internalFlag", "externalFlag", "customerUpdatedFlag", "dateCreated", "createdBy", "timeStart"]
    {
        assert!(shown.get(name).is_none(), "{name}");
    }
    assert!(all.iter().any(|one| one["originalAuthor"] == "Alex Sample"), "{all:?}");
    let project = client.list("/project/tickets/1010/allNotes");
    assert!(project[0].get("isMarkdownFlag").is_none() && project[0]["noteType"] == "TicketNote");
    // Their ids are ranges of their own: the same number twice.
    let time = json!({"chargeToId": 1001, "chargeToType": "ServiceTicket", "timeStart": "2024-02-01T10:00:00Z", "actualHours": 1, "notes": "t", "addToResolutionFlag": true});
    let time = client.json("POST", "/time/entries", &time).json();
    let same = format!("/service/tickets/1001/allNotes?conditions=id%3D{}", time["id"]);
    assert_eq!(client.list(&same).len(), 2);
    assert_eq!(client.get("/service/tickets/1001/allNotes/count").json()["count"], 3);
    assert_eq!(client.get("/service/tickets/1001/allNotes?pageSize=2&page=2").ids().len(), 1);
    let refused = client.get("/service/tickets/1001/allNotes?conditions=noteType%3D%22TicketNote%22");
    assert_eq!(refused.error().1, "ApiFindCondition");
    let headers = format!("{}pagination-type: forward-only\r\n", client.headers);
    let path = format!("{BASE}/service/tickets/1001/allNotes?pageSize=1");
    assert!(client.send("GET", &path, &headers, "").unwrap().link().is_none());
    assert_eq!(client.json("POST", "/service/tickets/1001/allNotes", &json!({})).status, 405);
    client.door("POST", "switches", json!({"all_notes_missing": true}));
    assert_eq!(client.get("/service/tickets/1001/allNotes").error(), (404, "ConnectWiseApi".to_owned()));
    assert_eq!(client.get("/service/tickets/1001/notes").status, 200);
}

#[test]
fn notes_of_merged_and_bundled_tickets_are_shown_with_their_parent() {
    let client = Client::new();
    client.json("POST", "/service/tickets/1001/merge", &json!({"mergeTicketIds": [1003], "status": {"id": 105}}));
    client.json("POST", "/service/tickets/1001/attachChildren", &json!({"childTicketIds": [1002]}));
    let all = client.list("/service/tickets/1001/allNotes");
    let of = |ticket: u64| all.iter().find(|note| note["ticket"]["id"] == ticket).unwrap();
    let flags = |ticket: u64| (of(ticket)["mergedFlag"] == true, of(ticket)["bundledFlag"] == true);
    assert_eq!((flags(1001), flags(1002), flags(1003)), ((false, false), (false, true), (true, false)));
    assert_eq!(client.list("/service/tickets/1001/notes").len(), 1);
    assert_eq!(client.list("/service/tickets/1003/allNotes").len(), 1);
}

#[test]
fn a_note_is_edited_and_deleted() {
    let client = Client::new();
    let made = client.note(&json!({"text": "x", "internalAnalysisFlag": true, "processNotifications": false})).json();
    let id = &made["id"];
    let changed = edit(
        &client,
        id,
        json!([
            replace("text", json!("y")),
            replace("/resolutionFlag", json!(true)),
            replace("createdBy", json!("me")),
            replace("processNotifications", json!(false)),
            replace("member/id", json!(178)),
        ]),
    );
    let note = changed.json();
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert!(note["text"] == "y" && note["resolutionFlag"] == true && note["createdBy"] == "psabridge", "{note}");
    assert!(note["member"]["id"] == 180 && note.get("processNotifications").is_none(), "{note}");
    for (operations, part) in [
        (
            json!([replace("internalAnalysisFlag", json!(false)), replace("resolutionFlag", json!(false))]),
            "choose where",
        ),
        (json!([{"op": "remove", "path": "text"}]), "The text field"),
        (json!([replace("texts", json!("z"))]), "Could not find member 'texts'"),
        (json!([replace("member", json!(177))]), "Error converting"),
        (json!([{"op": "move", "path": "text"}]), "not a valid operation"),
        (json!({"text": "z"}), "JSON array"),
    ] {
        let refused = edit(&client, id, operations);
        assert!(refused.status == 400 && refused.body.contains(part), "{part}: {}", refused.body);
    }
    let path = format!("/service/tickets/1001/notes/{id}");
    assert_eq!(client.get(&path).json(), note);
    assert_eq!(edit(&client, &json!(99), json!([])).error(), (404, "NotFound".to_owned()));
    let moved = edit(&client, id, json!([replace("member", json!({"identifier": "mmiller"}))])).json();
    assert_eq!(moved["member"]["id"], 177);
    assert_eq!(client.send("DELETE", &format!("{BASE}{path}"), &client.headers, "").unwrap().status, 204);
    assert_eq!(client.get(&path).error(), (404, "NotFound".to_owned()));
    assert_eq!(client.list("/service/tickets/1001/notes").len(), 1);
}

#[test]
fn who_has_written_a_note_says_whether_it_came_from_outside() {
    let client = Client::new();
    let by = |more: (&str, Value)| {
        let mut body = json!({"text": "x", "detailDescriptionFlag": true});
        body[more.0] = more.1;
        client.note(&body)
    };
    let flags = |note: &Value| (note["internalFlag"] == true, note["externalFlag"] == true);
    let contact = by(("contact", json!({"id": 3}))).json();
    assert_eq!((flags(&contact), &contact["contact"]["name"]), ((false, true), &json!("Robin Example")));
    assert!(contact.get("member").is_none() && contact["createdBy"] == "psabridge", "{contact}");
    let member = by(("member", json!({"id": 177}))).json();
    assert!(flags(&member) == (true, false) && member.get("contact").is_none(), "{member}");
    assert!(by(("contact", json!({"id": 99}))).body.contains("Contact 99 not found"));
    let both = json!({"text": "x", "detailDescriptionFlag": true, "member": {"id": 177}, "contact": {"id": 3}});
    assert_eq!(client.note(&both).error(), (400, "InvalidObject InvalidField".to_owned()));
}

#[test]
fn mails_go_out_unless_they_are_switched_off() {
    let client = Client::new();
    let mails = || {
        let mails = client.simulator.control("GET", "mails", None).unwrap();
        let items = mails["items"].as_array().unwrap();
        assert_eq!(mails["count"], items.len());
        items
            .iter()
            .map(|mail| format!("{} {}", mail["cause"].as_str().unwrap(), mail["to"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert!(mails().is_empty());
    client.note(&json!({"text": "x", "detailDescriptionFlag": true, "processNotifications": false}));
    client.json(
        "PATCH",
        "/service/tickets/1001",
        &json!([replace("status", json!({"id": 102})), replace("processNotifications", json!(false))]),
    );
    client.ticket(
        &json!({"summary": "x", "company": {"id": 2}, "initialDescription": "d", "processNotifications": false}),
    );
    assert!(mails().is_empty());
    // Staff hear of internal notes, customers do not.
    client.note(&json!({"text": "x", "internalAnalysisFlag": true}));
    assert_eq!(mails(), ["note resource"]);
    client.note(&json!({"text": "x", "resolutionFlag": true}));
    assert_eq!(mails()[1..], ["note contact", "note resource"]);
    client.json(
        "PATCH",
        "/service/tickets/1001",
        &json!([replace("automaticEmailContactFlag", json!(false)), replace("automaticEmailCcFlag", json!(true))]),
    );
    assert_eq!(mails().len(), 3);
    client.patch("status", json!({"id": 103}));
    assert_eq!(mails()[3..], ["ticket resource", "ticket cc"]);
    client.ticket(&json!({"summary": "x", "company": {"id": 2}, "automaticEmailContactFlag": false}));
    assert_eq!(mails()[5..], ["ticket resource"]);
}
