//! The pages of ticket links: each state by its name, with what can be done about it.

use psa_tests::browse::Visitor;
use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

const HOSTILE: &str = "\"><img src=x onerror=alert(1)> <b>bold</b>";

/// A doubt lasts for a minute, everything else goes fast.
fn slow_doubts() -> Scene {
    let mut times = fast();
    times["outbox"]["quiet_ms"] = json!(40_000);
    times["outbox"]["backoff_max_ms"] = json!(400);
    Scene::with(&["--tls"], times)
}

fn page(scene: &Scene, rest: &str) -> String {
    format!("/c/{}{rest}", scene.connection)
}

fn seen(visitor: &Visitor<'_>, url: &str) -> Value {
    visitor.with("render", json!("json")).get(url).json()
}

/// The row of a ticket of the product.
fn row(list: &Value, product_ticket: &str) -> Value {
    let rows = list["rows"].as_array().expect("a list");
    let found = rows.iter().find(|row| row["product_ticket"] == product_ticket);
    found.unwrap_or_else(|| panic!("{product_ticket}: {list:#}")).clone()
}

/// The label of a row's state and the name of its action.
fn standing(list: &Value, product_ticket: &str) -> (String, String) {
    let row = row(list, product_ticket);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&row["chip"]["label"]), text(&row["action"]["name"]))
}

fn products(list: &Value) -> Vec<String> {
    let name = |row: &Value| row["product_ticket"].as_str().unwrap_or_default().to_owned();
    let mut all: Vec<String> = list["rows"].as_array().expect("a list").iter().map(name).collect();
    all.sort();
    all
}

fn control(scene: &Scene, ticket: u64, act: Value) {
    scene.simulator.control("POST", &format!("tickets/{ticket}"), Some(&act)).expect("the door is open");
}

fn hand_in(scene: &Scene, link: &str, text: &str) -> Value {
    let note = json!({"tenant": "t", "link": link, "visibility": "internal", "text": text});
    scene.world.call("notes.post", note).unwrap()
}

#[test]
fn every_state_has_its_name_and_what_can_be_done_about_it() {
    let scene = slow_doubts();
    let ann = Visitor::new(&scene.world.host);
    let links: Vec<String> = (1002..=1008).map(|n| scene.world.link(&scene.connection, &n.to_string())).collect();
    let [mapping, near, apart, gone, doubt, waiting, _in_step] = links.try_into().unwrap();
    // In step, with something delivered.
    assert_eq!(scene.post("Words that nobody sees on a page.")["state"], "delivered");
    let values = json!({"tenant": "t", "kind": "status", "rev": 1, "rows": [{"id": "working", "name": "Working"}]});
    scene.world.call("product.set_values", values).unwrap();
    let status = json!({"tenant": "t", "link": mapping, "value": "working"});
    scene.until(&scene.world.call("tickets.set_status", status).unwrap(), "held");
    scene.fault("add_note", "reset_before_commit", json!({}));
    let held = hand_in(&scene, &near, "The printer jams.");
    scene.until(&held, "in_doubt");
    control(&scene, 1003, json!({"note": {"text": "Other words.", "createdBy": "psabridge", "internal": true}}));
    assert_eq!(scene.until(&held, "held")["reason"], "near_match");
    scene.world.call("links.unlink", json!({"tenant": "t", "link": apart, "by": "Ann"})).unwrap();
    control(&scene, 1005, json!({"delete": true}));
    // That a ticket has gone is believed only when it is read a second time, a little later.
    let of_gone = page(&scene, &format!("/tickets/{gone}"));
    ann.post_and_follow(&format!("{of_gone}/read"), &[]).says("HD-1005");
    while seen(&ann, &of_gone)["chip"]["label"] != "Gone" {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let refused = json!({"tenant": "t", "link": scene.link, "status": "999", "wait_ms": 60_000});
    assert_eq!(scene.world.call("tickets.set_status", refused).unwrap()["state"], "refused");
    scene.fault("add_note", "reset_before_commit", json!({}));
    scene.until(&hand_in(&scene, &doubt, "In doubt."), "in_doubt");
    let create = json!({"product_ticket": "HD-new", "summary": "Fire", "company": "999999", "wait_ms": 60_000});
    assert_eq!(scene.call("tickets.create", create).unwrap()["state"], "refused");
    scene.simulator.fault(&json!({"endpoint": "add_note", "fault": "cannot_route"})).unwrap();
    let tried = hand_in(&scene, &waiting, "On its way.");
    // Between two tries, not in the middle of one.
    let list = loop {
        let list = seen(&ann, &page(&scene, "/tickets"));
        if standing(&list, "HD-1007").0.starts_with("Waiting, try ") {
            break list;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let is = |product: &str, label: &str, action: &str| {
        assert_eq!(standing(&list, product), (label.to_owned(), action.to_owned()), "{product}");
    };
    is("HD-1002", "Needs a mapping", "map");
    is("HD-1003", "Needs a decision", "decide");
    is("HD-1004", "Unlinked", "again");
    is("HD-1005", "Gone", "details");
    is("HD-1006", "In doubt", "details");
    is("HD-1001", "Refused", "details");
    is("HD-new", "Could not be created", "again");
    is("HD-1008", "In step", "details");
    assert_eq!(standing(&list, "HD-1007").1, "retry");
    assert!(row(&list, "HD-1002")["action"]["href"].as_str().unwrap().contains("/map/statuses?scope="));
    assert!(!row(&list, "HD-1008")["summary"].as_str().unwrap().is_empty());
    // Each filter shows its own, and says how many there are.
    for (state, expected) in [
        ("held", vec!["HD-1002", "HD-1003"]),
        ("doubt", vec!["HD-1006"]),
        ("waiting", vec!["HD-1007"]),
        ("refused", vec!["HD-1001", "HD-new"]),
        ("unlinked", vec!["HD-1004", "HD-new"]),
        ("gone", vec!["HD-1005"]),
    ] {
        assert_eq!(products(&seen(&ann, &page(&scene, &format!("/tickets?state={state}")))), expected, "{state}");
    }
    let html = ann.get(&page(&scene, "/tickets"));
    html.says("Need a decision (2)")
        .says("It is looked for again")
        .hides("Words that nobody sees")
        .hides("The printer jams");
    // What waits can be tried now, and goes once the way is free.
    scene.simulator.control("DELETE", "faults", None).unwrap();
    ann.post_and_follow(&page(&scene, &format!("/tickets/{waiting}/retry")), &[("from", "list")]).says("Tried.");
    scene.until(&tried, "delivered");
    assert_eq!(standing(&seen(&ann, &page(&scene, "/tickets")), "HD-1007").0, "In step");
}

#[test]
fn a_ticket_is_found_by_either_number_and_long_lists_come_in_pages() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host);
    let other = scene.world.link(&scene.connection, "1002");
    for find in ["HD-1002", "hd-1002", "1002", "%231002"] {
        let list = seen(&ann, &page(&scene, &format!("/tickets?find={find}&state=held")));
        let expected: Vec<&str> = if find.starts_with("hd") { Vec::new() } else { vec!["HD-1002"] };
        assert_eq!(products(&list), expected, "{find}");
    }
    ann.get(&page(&scene, "/tickets?find=nothing")).says("No ticket fits.");
    // Fifty-three links that were.
    for n in 0..53 {
        scene.world.call("links.unlink", json!({"tenant": "t", "link": other_link(&scene, n, &other)})).unwrap();
    }
    let first = seen(&ann, &page(&scene, "/tickets?state=unlinked"));
    assert_eq!(first["rows"].as_array().unwrap().len(), 50);
    let second = seen(&ann, first["pager"]["next"].as_str().unwrap());
    assert_eq!(second["rows"].as_array().unwrap().len(), 3);
    assert!(second["pager"]["next"].is_null() && second["pager"]["first"].is_string(), "{second:#}");
    let mut all = products(&first);
    all.extend(products(&second));
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 53);
    let nobody = Scene::new();
    let ann = Visitor::new(&nobody.world.host);
    nobody.world.call("links.unlink", json!({"tenant": "t", "link": nobody.link})).unwrap();
    ann.get(&page(&nobody, "/tickets?state=held")).says("No ticket fits.");
}

/// The link of this round: one ticket after the other of the product is tied to the same ticket.
fn other_link(scene: &Scene, n: usize, first: &str) -> String {
    if n == 0 {
        return first.to_owned();
    }
    let link = json!({"product_ticket": format!("HD-r{n}"), "ticket": "1002"});
    scene.call("links.create", link).unwrap()["link"].as_str().unwrap().to_owned()
}

#[test]
fn both_tickets_stand_side_by_side_and_no_words_of_notes_are_shown() {
    let scene = Scene::with(&["--tls"], fast());
    let ann = Visitor::new(&scene.world.host);
    scene.post("Secret words of a note.");
    assert_eq!(scene.end("tickets.set_status", json!({"status": "102"}))["state"], "delivered");
    scene.person(json!({"status": 103}));
    let here = page(&scene, &format!("/tickets/{}", scene.link));
    ann.post_and_follow(&format!("{here}/read"), &[]).says("Read just now.");
    let view = seen(&ann, &here);
    let field = |name: &str| {
        let fields = view["fields"].as_array().unwrap().iter();
        fields.clone().find(|field| field["field"] == name).unwrap().clone()
    };
    assert_eq!((field("status")["ours"].as_str(), field("status")["differs"].as_bool()), (Some("102"), Some(true)));
    assert!(field("status")["theirs"].as_str().unwrap().contains("103"), "{view:#}");
    assert_eq!(field("summary")["differs"], false);
    let html = ann.get(&here);
    assert!(html.body.contains("psa-differs") && html.body.contains("psa-timeline"), "{}", html.body);
    html.says("Internal note, 23 bytes").says("Change of status").says("Delivered").hides("Secret words");
    assert!(!view.to_string().contains("Secret words"));
    // Sent again as the helpdesk wants it, it is the same on both sides.
    scene.end("tickets.set_status", json!({"status": "102"}));
    ann.post_and_follow(&format!("{here}/read"), &[]).says("Read just now.");
    assert_eq!(seen(&ann, &here)["differs"], false);
}

#[test]
fn a_link_is_taken_apart_and_tied_to_another_ticket() {
    let scene = Scene::with(&["--tls"], fast());
    let ann = Visitor::new(&scene.world.host);
    let here = page(&scene, &format!("/tickets/{}", scene.link));
    let state = |link: &str| scene.world.call("links.get", json!({"tenant": "t", "link": link})).unwrap();
    // Nothing happens before somebody has said that they know what follows.
    let refused = ann.post(&format!("{here}/unlink"), &[]);
    assert_eq!(refused.status, 422);
    refused.says("Nothing was done").says("Tick the box");
    for (ticket, words) in
        [("999999", "no such ticket"), ("1001", "linked to that ticket already"), ("", "must be 1 to")]
    {
        let refused = ann.post(&format!("{here}/relink"), &[("ticket", ticket)]);
        assert!(matches!(refused.status, 409 | 422), "{ticket}: {}", refused.status);
        refused.says(words);
    }
    assert_eq!(state(&scene.link)["state"], "linked");
    // A link on which something waits stays.
    scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
    let note = scene.hand_in("It waits.");
    for (way, fields) in [("unlink", vec![("sure", "on")]), ("relink", vec![("ticket", "1002")])] {
        let refused = ann.post(&format!("{here}/{way}"), &fields);
        assert_eq!(refused.status, 409, "{way}: {}", refused.text());
        refused.says("have not ended");
    }
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    scene.until(&note, "delivered");
    let answer = ann.post(&format!("{here}/relink"), &[("ticket", "#1002")]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let to = answer.header("location").unwrap().to_owned();
    ann.get(&to).says("Linked.").says("HD-1001").says("#1002");
    assert_eq!(state(&scene.link)["state"], "unlinked");
    // The old one says no more that it could be linked again: the ticket has a link.
    let list = seen(&ann, &page(&scene, "/tickets?state=unlinked"));
    assert_eq!(standing(&list, "HD-1001"), ("Unlinked".to_owned(), "details".to_owned()));
    let new = to.split('?').next().unwrap().to_owned();
    ann.post_and_follow(&format!("{new}/unlink"), &[("sure", "on")]).says("Unlinked.");
    let again = ann.post(&format!("{new}/relink"), &[("ticket", "1002")]);
    assert_eq!(again.status, 303, "{}", again.text());
    assert_eq!(scene.call("links.list", json!({"ticket": "1002"})).unwrap()["items"].as_array().unwrap().len(), 1);
}

#[test]
fn what_the_psa_says_is_text_and_what_is_not_allowed_is_refused_and_noted() {
    let scene = Scene::with(&["--tls"], fast());
    let ann = Visitor::new(&scene.world.host);
    scene.person(json!({"summary": HOSTILE}));
    let here = page(&scene, &format!("/tickets/{}", scene.link));
    ann.post_and_follow(&format!("{here}/read"), &[]);
    for url in [here.clone(), page(&scene, "/tickets")] {
        ann.get(&url).hides("<img").hides("<b>").says(HOSTILE);
    }
    ann.get(&page(&scene, "/tickets?find=%22%3E%3Cimg%3E")).hides("<img");
    let bo = ann.may(&["view"]);
    for way in ["retry", "read", "unlink", "relink"] {
        assert_eq!(bo.post(&format!("{here}/{way}"), &[("sure", "on")]).status, 403, "{way}");
    }
    assert_eq!(bo.post(&page(&scene, "/tickets/retry"), &[]).status, 403);
    bo.get(&here).hides("/unlink").hides("/relink").hides("<form method=\"post\"");
    let activity = scene.world.call("activity.list", json!({"tenant": "t"})).unwrap();
    let refused = activity["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "page.refused");
    assert_eq!(refused.count(), 5);
    let other = ann.with("tenant", json!("other"));
    for url in [page(&scene, "/tickets"), here.clone()] {
        assert_eq!(other.get(&url).status, 404, "{url}");
    }
    for way in ["retry", "read", "unlink", "relink"] {
        assert_eq!(other.post(&format!("{here}/{way}"), &[("sure", "on"), ("ticket", "1002")]).status, 404, "{way}");
    }
    assert_eq!(ann.get(&page(&scene, "/tickets/l_nothing")).status, 404);
    assert_eq!(ann.may(&[]).get(&here).status, 403);
}
