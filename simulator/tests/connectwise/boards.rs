//! More boards than usual, and tickets that change theirs.

use crate::client::Client;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn told(client: &Client, ticket: u64) -> Value {
    let tickets = client.door("GET", "tickets", json!({}));
    tickets["items"].as_array().unwrap().iter().find(|row| row["id"] == ticket).unwrap().clone()
}

#[test]
fn further_boards_have_statuses_of_the_same_names_with_other_ids() {
    // With eight of them, every tenth service ticket in turn would be a project ticket.
    let client = Client::with(&["--boards", "8", "--tickets", "200"]);
    let boards = client.list("/service/boards?pageSize=100");
    let names = |board: u64, what: &str| -> Vec<String> {
        let records = client.list(&format!("/service/boards/{board}/{what}"));
        records.iter().map(|record| record["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(boards.len(), 12);
    for id in 5..13 {
        let board = &boards[id as usize - 1];
        let name = if id % 2 == 1 { "Help Desk" } else { "Service Desk" };
        assert!(board["id"] == id && board["name"] == name && board["projectFlag"] == false, "{board}");
        assert_eq!((names(id, "statuses"), names(id, "types")), (names(1, "statuses"), names(1, "types")));
        let ids = client.get(&format!("/service/boards/{id}/statuses")).ids();
        assert_eq!(ids, (1..=6).map(|number| id * 100 + number).collect::<Vec<_>>());
    }
    let tickets = client.door("GET", "tickets", json!({}))["items"].take();
    let tickets = tickets.as_array().unwrap();
    let used: BTreeSet<u64> = tickets.iter().map(|ticket| ticket["board"].as_u64().unwrap()).collect();
    assert_eq!(used, (1..13).filter(|id| *id != 4).collect());
    assert!(tickets.iter().all(|ticket| ticket["status"].as_u64().unwrap() / 100 == ticket["board"].as_u64().unwrap()));
    assert_eq!(
        (&tickets[0]["board"], &tickets[0]["status"], &tickets[9]["kind"]),
        (&json!(1), &json!(101), &json!("project"))
    );
}

#[test]
fn without_further_boards_everything_is_as_it_was() {
    let now = "2026-01-31T12:00:00Z";
    let state = |more: &[&str]| {
        let arguments = [&["--now", now], more].concat();
        Client::with(&arguments).simulator.control("GET", "state", None).unwrap()
    };
    assert_eq!(state(&[]), state(&["--boards", "0"]));
    let usual = state(&[]);
    assert_eq!((usual["boards"].as_array().unwrap().len(), &usual["tickets"][10]["board"]), (4, &json!(1)));
}

#[test]
fn a_person_moves_a_ticket_and_its_status_follows() {
    let client = Client::new();
    client.patch("status", json!({"id": 104}));
    let moved = client.door("POST", "tickets/1001", json!({"board": 2}))["ticket"].take();
    for (path, value) in [
        ("/board", json!({"id": 2, "name": "Service Desk"})),
        ("/status", json!({"id": 201, "name": "New"})),
        ("/type/id", json!(20)),
        ("/closedFlag", json!(false)),
        ("/_info/updatedBy", json!("jdoe")),
    ] {
        assert_eq!(moved.pointer(path), Some(&value), "{path}");
    }
    assert_eq!(client.get("/service/tickets/1001").json(), moved);
    let row = told(&client, 1001);
    assert_eq!((&row["board"], &row["status"]), (&json!(2), &json!(201)));
    assert_eq!(
        row["status_changes"],
        json!([
            {"from": 101, "to": 104, "by": "psabridge", "board": 1}, {"from": 104, "to": 201, "by": "jdoe", "board": 2}
        ])
    );
    // There already, for projects, no longer used, nowhere.
    for board in [json!(2), json!(3), json!(4), json!(99), json!("1")] {
        let order = json!({"board": board});
        assert!(client.simulator.control("POST", "tickets/1001", Some(&order)).is_err(), "{order}");
    }
    assert_eq!(told(&client, 1001), row);
}

#[test]
fn no_ticket_gets_a_status_of_another_board() {
    let client = Client::with(&["--boards", "2"]);
    client.door("POST", "tickets/1001", json!({"board": 6}));
    let before = told(&client, 1001);
    let operation = |path: &str, id: u64| json!({"op": "replace", "path": path, "value": {"id": id}});
    for (operations, message) in [
        // The one it had before somebody moved it.
        (json!([operation("status", 101)]), "Service Status 101 not found for Service Board 6"),
        (json!([operation("status", 502)]), "Service Status 502 not found for Service Board 6"),
        (json!([operation("board", 5)]), "Service Status 601 not found for Service Board 5"),
        (json!([operation("status", 602), operation("board", 5)]), "Service Status 602 not found for Service Board 5"),
        (json!([operation("status", 502), operation("board", 5)]), "Service Status 502 not found for Service Board 6"),
        (json!([{"op": "remove", "path": "status"}]), "Service Status 0 not found for Service Board 6"),
    ] {
        let refused = client.json("PATCH", "/service/tickets/1001", &operations);
        assert_eq!(refused.error(), (400, "InvalidObject NotFound".to_owned()), "{operations}");
        assert!(refused.body.contains(message) && refused.body.contains("status/id"), "{}", refused.body);
    }
    assert_eq!(told(&client, 1001), before);
    assert_eq!(client.patch("status", json!({"name": "In Progress"})).json()["status"]["id"], 602);
    let both = json!([operation("board", 5), operation("status", 503)]);
    assert_eq!(client.json("PATCH", "/service/tickets/1001", &both).status, 200);
    let changes = told(&client, 1001)["status_changes"].take();
    let changes = changes.as_array().unwrap();
    assert_eq!(changes.len(), 3);
    assert!(changes.iter().all(|change| change["to"].as_u64().unwrap() / 100 == change["board"].as_u64().unwrap()));
}
