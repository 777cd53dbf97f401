//! What is mapped of one board, copied to others by the names of its statuses: looked at first, and nothing is overwritten.

use psa_tests::browse::{Shown, Visitor};
use psa_tests::scene::Scene;
use serde_json::{Value, json};

/// On board 1 four statuses are mapped, one of them to what nobody offers any more; on board 2 one is, to something else.
fn scene(arguments: &[&str]) -> Scene {
    let scene = Scene::with(&[&["--tls"], arguments].concat(), json!({}));
    let rows = json!([{"id": "new", "name": "Fresh"}, {"id": "busy", "name": "Busy"}, {"id": "done", "name": "Done"},
        {"id": "odd", "name": "Odd"}, {"id": "open", "name": "Open"}]);
    scene.world.call("product.set_values", json!({"tenant": "t", "kind": "status", "rev": 1, "rows": rows})).unwrap();
    for (scope, pairs) in
        [("1", &[("new", "101"), ("busy", "102"), ("done", "105"), ("odd", "106")][..]), ("2", &[("done", "204")])]
    {
        let items: Value = pairs.iter().map(|(value, status)| json!({"value": value, "status": status})).collect();
        scene.call("statuses.map", json!({"scope": scope, "items": items, "by": "Bo"})).unwrap();
    }
    scene
}

fn path(scene: &Scene, rest: &str) -> String {
    format!("/c/{}/map/statuses{rest}", scene.connection)
}

fn view(ann: &Visitor<'_>, url: &str) -> Value {
    ann.with("render", json!("json")).get(url).json()
}

/// What is kept of a board: value, status, who said so.
fn kept(scene: &Scene, scope: &str) -> Vec<(String, String, String)> {
    let all = scene.call("statuses.mappings", json!({})).unwrap();
    let word = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let of = all["items"].as_array().unwrap().iter().filter(|row| row["scope"] == scope);
    of.map(|row| (word(row, "value"), word(row, "status"), word(row, "decided_by"))).collect()
}

fn row(value: &str, status: &str, by: &str) -> (String, String, String) {
    (value.to_owned(), status.to_owned(), by.to_owned())
}

/// Says yes to what a page shows.
fn agree(ann: &Visitor<'_>, page: &Shown, to: &str, boards: &[&str]) -> Shown {
    let seen = page.value("seen").expect("there is something to say yes to");
    let mut fields: Vec<(&str, &str)> = boards.iter().map(|board| ("to", *board)).collect();
    fields.push(("seen", &seen));
    ann.post(to, &fields)
}

#[test]
fn statuses_are_copied_by_name_and_what_is_mapped_already_stays() {
    let scene = scene(&[]);
    let ann = Visitor::new(&scene.world.host);
    let copy = path(&scene, "/copy?scope=1");
    ann.get(&path(&scene, "?scope=1")).says("Copy to other boards by name");
    // Nothing of it on a board of which nothing is mapped.
    ann.get(&path(&scene, "?scope=3")).hides("Copy to other boards by name");
    let read = scene.seen("list_statuses").len();
    let first = view(&ann, &copy);
    let offered: Vec<(&str, bool)> = first["boards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|board| (board["value"].as_str().unwrap(), board["chosen"].as_bool().unwrap()))
        .collect();
    // All but itself and the one that is not used any more; none is read before it is chosen.
    assert_eq!(offered, [("2", true), ("3", true)]);
    assert_eq!((first.get("preview"), scene.seen("list_statuses").len()), (None, read));

    let looked = ann.get(&format!("{copy}&look=1&to=2"));
    looked
        .says("4 helpdesk statuses are mapped on Help Desk (1).")
        .says("2 statuses would be mapped. Nothing is saved yet.");
    let planned = &view(&ann, &format!("{copy}&look=1&to=2"))["preview"]["rows"][0];
    assert_eq!(planned["fits"], json!({"n": 2, "shown": "2", "names": ["Busy: In Progress", "Fresh: New"]}));
    assert_eq!(planned["stays"]["names"], json!(["Done: Completed"]));
    assert_eq!(planned["without"]["names"], json!(["Odd: Escalated (old)"]));
    assert_eq!(kept(&scene, "2"), [row("done", "204", "Bo")]);
    // A product without the page is told the same.
    let preview = scene.call("statuses.copy", json!({"scope": "1", "to": ["2"], "preview": true})).unwrap();
    let status = |list: &str, at: usize| preview["items"][0][list][at]["status"].clone();
    assert_eq!(
        (status("fits", 1), status("stays", 0), status("without", 0)),
        (json!("201"), json!("204"), Value::Null)
    );
    assert_eq!(kept(&scene, "2").len(), 1);

    let done = agree(&ann, &looked, &copy, &["2"]);
    assert_eq!(done.status, 303, "{}", done.text());
    let after = ann.get(done.header("location").unwrap());
    after.says("Copied.").says("There is nothing to copy.").hides("name=\"seen\"");
    let ours = "Ann Lee (u1)";
    assert_eq!(kept(&scene, "2"), [row("busy", "202", ours), row("done", "204", "Bo"), row("new", "201", ours)]);
    assert_eq!(kept(&scene, "1").len(), 4);
    let told = loop {
        let event = scene.events_until("statuses.mapped").pop().unwrap();
        if event["by"] == ours || event["actor"] == ours || event["values"] == 2 {
            break event;
        }
    };
    assert_eq!(told["scope"], "2", "{told:#}");
    let changes = json!([{"value": "busy", "from": null, "to": "202"}, {"value": "new", "from": null, "to": "201"}]);
    assert_eq!(told["changes"], changes, "{told:#}");
    ann.get(&format!("/c/{}/activity?kind=people", scene.connection)).says("Statuses of board 2 were mapped: 2");
}

#[test]
fn the_method_copies_as_the_page_does() {
    let scene = scene(&[]);
    let copied = scene.call("statuses.copy", json!({"scope": "1", "to": ["2", "3"], "by": "Cy"})).unwrap();
    let n = |at: usize, list: &str| copied["items"][at][list].as_array().unwrap().len();
    assert_eq!((n(0, "fits"), n(0, "stays"), n(0, "without")), (2, 1, 1), "{copied:#}");
    assert_eq!((n(1, "fits"), n(1, "stays"), n(1, "without")), (3, 0, 1), "{copied:#}");
    assert_eq!(kept(&scene, "3").len(), 3);
    // Again there is nothing to do.
    let again = scene.call("statuses.copy", json!({"scope": "1", "to": ["2", "3"]})).unwrap();
    assert_eq!(again["items"][0]["fits"], json!([]));
    for (wrong, field) in [(json!(["1"]), "/to/0"), (json!(["2", "2"]), "/to/1"), (json!([""]), "/to/0")] {
        let error = scene.call("statuses.copy", json!({"scope": "1", "to": wrong})).unwrap_err();
        assert_eq!(error.fields[0].at, field, "{error:?}");
    }
    let stranger = json!({"tenant": "other", "connection": scene.connection, "scope": "1", "to": ["2"]});
    assert_eq!(scene.world.call("statuses.copy", stranger).unwrap_err().code, psa_host::Code::NotFound);
}

#[test]
fn what_was_changed_after_the_look_is_not_overwritten_and_nothing_else_is_done() {
    let scene = scene(&[]);
    let ann = Visitor::new(&scene.world.host);
    let copy = path(&scene, "/copy?scope=1");
    let looked = ann.get(&format!("{copy}&look=1&to=2"));
    let items = json!([{"value": "new", "status": "203"}]);
    scene.call("statuses.map", json!({"scope": "2", "items": items, "by": "Bo"})).unwrap();
    let refused = agree(&ann, &looked, &copy, &["2"]);
    assert_eq!(refused.status, 409, "{}", refused.text());
    refused.says("Nothing was copied").says("Fresh: Waiting Customer").says("1 status would be mapped.");
    assert_eq!(kept(&scene, "2"), [row("done", "204", "Bo"), row("new", "203", "Bo")]);
    // Nobody says yes to what was not shown: neither to another board, nor to one more, nor without having looked.
    for boards in [&["3"][..], &["2", "3"]] {
        assert_eq!(agree(&ann, &refused, &copy, boards).status, 409, "{boards:?}");
    }
    assert_eq!(ann.post(&copy, &[("to", "2")]).status, 409);
    assert!(kept(&scene, "3").is_empty() && kept(&scene, "2").len() == 2);
    // What is shown now can be agreed to.
    assert_eq!(agree(&ann, &refused, &copy, &["2"]).status, 303);
    assert_eq!(kept(&scene, "2")[0], row("busy", "202", "Ann Lee (u1)"));
}

#[test]
fn a_board_that_cannot_be_read_is_said_so_and_the_others_go_on() {
    let scene = scene(&[]);
    let ann = Visitor::new(&scene.world.host);
    let copy = path(&scene, "/copy?scope=1");
    // Boards 1 and 2 were read for their mappings; the third one cannot be.
    scene.simulator.fault(&json!({"endpoint": "list_statuses", "fault": "forbidden", "times": 1_000})).unwrap();
    let looked = ann.get(&format!("{copy}&look=1&to=2&to=3"));
    assert_eq!(looked.status, 200, "{}", looked.text());
    let rows = view(&ann, &format!("{copy}&look=1&to=2&to=3"))["preview"]["rows"].clone();
    assert!(rows[0].get("trouble").is_none() && rows[1]["trouble"]["text"].is_string(), "{rows:#}");
    assert_eq!(agree(&ann, &looked, &copy, &["2", "3"]).status, 303);
    assert_eq!((kept(&scene, "2").len(), kept(&scene, "3").len()), (3, 0));
}

#[test]
fn the_method_says_which_board_has_got_nothing_and_copies_to_the_others() {
    let scene = scene(&[]);
    scene.simulator.fault(&json!({"endpoint": "list_statuses", "fault": "forbidden", "times": 1_000})).unwrap();
    let copied = scene.call("statuses.copy", json!({"scope": "1", "to": ["3", "2"]})).unwrap();
    assert_eq!((&copied["items"][0]["error"]["code"], &copied["items"][0]["fits"]), (&json!("forbidden"), &json!([])));
    let other = &copied["items"][1];
    assert_eq!((other.get("error"), other["fits"].as_array().map(Vec::len)), (None, Some(2)), "{other:#}");
    assert_eq!((kept(&scene, "2").len(), kept(&scene, "3").len()), (3, 0));
}

#[test]
fn who_may_not_map_copies_nothing_and_other_sites_neither() {
    let scene = scene(&[]);
    let ann = Visitor::new(&scene.world.host);
    let copy = path(&scene, "/copy?scope=1");
    let looked = ann.get(&format!("{copy}&look=1&to=2"));
    let viewer = ann.may(&["view"]);
    viewer.get(&path(&scene, "?scope=1")).hides("/map/statuses/copy");
    assert_eq!(viewer.get(&copy).status, 403);
    assert_eq!(agree(&viewer, &looked, &copy, &["2"]).status, 403);
    let mut elsewhere = ann.clone();
    elsewhere.headers = vec![("Sec-Fetch-Site", "cross-site")];
    assert_eq!(agree(&elsewhere, &looked, &copy, &["2"]).status, 403);
    let stranger = ann.with("tenant", json!("other"));
    assert_eq!((stranger.get(&copy).status, agree(&stranger, &looked, &copy, &["2"]).status), (404, 404));
    assert_eq!(ann.get(&path(&scene, "/copy?scope=99")).status, 404);
    assert_eq!(kept(&scene, "2").len(), 1);
}

#[test]
fn of_many_boards_some_are_offered_and_the_others_found_by_name() {
    let scene = scene(&["--boards", "70"]);
    let ann = Visitor::new(&scene.world.host);
    let copy = path(&scene, "/copy?scope=1");
    let first = view(&ann, &copy);
    let boards = first["boards"].as_array().unwrap();
    assert_eq!((boards.len(), boards.iter().filter(|board| board["chosen"] == true).count()), (50, 0));
    let page = ann.get(&copy);
    page.says("22 more are not shown: look for them by their names.");
    assert!(page.body.len() < 60_000, "{}", page.body.len());
    // What was chosen stays there, whatever is looked for.
    let found = view(&ann, &format!("{copy}&find=(74)&look=1&to=5"));
    let shown: Vec<&str> =
        found["boards"].as_array().unwrap().iter().map(|board| board["value"].as_str().unwrap()).collect();
    assert_eq!(shown, ["5", "74"], "{found:#}");
    assert_eq!(found["preview"]["rows"].as_array().unwrap().len(), 1);
    let nothing = ann.get(&format!("{copy}&look=1"));
    assert_eq!(nothing.status, 422);
    nothing.says("Choose where to copy to.");
    let read = scene.seen("list_statuses").len();
    let many: String = (5..30).map(|board| format!("&to={board}")).collect();
    let refused = ann.get(&format!("{copy}&look=1{many}"));
    assert_eq!((refused.status, scene.seen("list_statuses").len()), (422, read));
    refused.says("Choose at most 20 at once.");
    let german = ann.with("locale", json!("de")).get(&format!("{copy}&look=1&to=2"));
    german.says("Nach Namen auf andere Boards kopieren").says("2 Status würden zugeordnet.").says("2 Status zuordnen");
}
