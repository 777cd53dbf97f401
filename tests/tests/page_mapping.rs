//! The pages on which people say what stands for what: what is shown, what a save changes, and what it leaves alone.

use psa_tests::browse::{Shown, Visitor};
use psa_tests::scene::Scene;
use serde_json::{Value, json};

const HOSTILE: &str = "\"><img src=x onerror=alert(1)>";

/// A scene whose product has agents, statuses and priorities.
fn scene() -> Scene {
    let scene = Scene::new();
    let agents = json!([
        {"id": "a", "name": "Mia M.", "email": "MIA.miller@example.com"},
        {"id": "b", "name": "Jo Doe"},
        {"id": "c", "name": "Cleo", "email": "cvega@desk.example"},
        {"id": "d", "name": HOSTILE, "email": "gil@example.com"},
    ]);
    values(&scene, "agent", 1, &agents);
    values(&scene, "status", 1, &json!([{"id": "new", "name": "New"}, {"id": "closed", "name": "Closed"}]));
    values(&scene, "priority", 1, &json!([{"id": "high", "name": "High"}]));
    scene
}

fn values(scene: &Scene, kind: &str, rev: i64, rows: &Value) {
    let params = json!({"tenant": "t", "kind": kind, "rev": rev, "rows": rows});
    scene.world.call("product.set_values", params).unwrap();
}

fn path(scene: &Scene, rest: &str) -> String {
    format!("/c/{}/map/{rest}", scene.connection)
}

/// The rows of a page, by the product's ids.
fn rows(page: &Value) -> Vec<(String, String)> {
    let word = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    page["rows"].as_array().unwrap().iter().map(|row| (word(row, "value"), word(row, "state"))).collect()
}

fn state(page: &Value, value: &str) -> String {
    rows(page).into_iter().find(|(id, _)| id == value).unwrap().1
}

/// Goes where a form has led.
fn follow(browser: &Visitor<'_>, page: &Shown) -> Shown {
    assert_eq!(page.status, 303, "{}", page.text());
    browser.get(page.header("location").unwrap())
}

/// A page as its view.
fn json_of(browser: &Visitor<'_>, path: &str) -> Value {
    browser.with("render", json!("json")).get(path).json()
}

/// Sends one row in.
fn save(browser: &Visitor<'_>, path: &str, value: &str, was: &str, to: &str) -> Shown {
    browser.post(path, &[("value.0", value), ("was.0", was), ("to.0", to)])
}

/// What is kept, agent by agent.
fn kept(scene: &Scene) -> Vec<(String, String, String)> {
    let found = scene.call("members.mappings", json!({})).unwrap();
    let word = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let row = |row: &Value| (word(row, "agent"), word(row, "member"), word(row, "decided_by"));
    found["items"].as_array().unwrap().iter().map(row).collect()
}

fn mapping(agent: &str, member: &str) -> (String, String, String) {
    (agent.to_owned(), member.to_owned(), "Ann Lee (u1)".to_owned())
}

#[test]
fn proposals_are_shown_and_saved_only_when_somebody_says_so() {
    let scene = scene();
    let (browser, path) = (Visitor::new(&scene.world.host), path(&scene, "members"));
    let page = browser.get(&path);
    assert_eq!(page.status, 200, "{page:?}");
    page.says("0 of 4 mapped")
        .says("Match by e-mail (1 new)")
        .says("Mia Miller (mmiller), same e-mail")
        .says("same name");
    // What people are called is text, wherever it comes from.
    page.says(HOSTILE);
    assert!(!page.body.contains("<img src=x"), "{}", page.body);
    let view = json_of(&browser, &path);
    assert_eq!(state(&view, "a"), "suggested");
    // The one who has gone is nobody's proposal, and an account for programs is not offered.
    assert_eq!(state(&view, "d"), "open");
    assert!(!page.body.contains("Gil Gone") && !page.body.contains("psabridge)"), "{}", page.body);
    assert!(kept(&scene).is_empty());

    let done = browser.post(&format!("{path}/match"), &[]);
    follow(&browser, &done).says("Saved.").says("1 of 4 mapped").says("by e-mail, Ann Lee (u1)");
    assert_eq!(kept(&scene), [mapping("a", "177")]);
}

#[test]
fn a_save_changes_what_was_changed_and_says_who_did() {
    let scene = scene();
    let (browser, path) = (Visitor::new(&scene.world.host), path(&scene, "members"));
    let all = [
        ("value.0", "a"),
        ("was.0", ""),
        ("shown.0", ""),
        ("to.0", ""),
        ("value.1", "b"),
        ("was.1", ""),
        ("shown.1", ""),
        ("to.1", "=178"),
        ("value.2", "c"),
        ("was.2", ""),
        ("shown.2", ""),
        ("to.2", "-"),
    ];
    follow(&browser, &browser.post(&path, &all)).says("Saved.").says("2 of 4 mapped").says("Nobody, on purpose");
    assert_eq!(kept(&scene), [mapping("b", "178"), mapping("c", "")]);
    let told = scene.events_until("members.ignored");
    let mapped = told.iter().find(|event| event["event"] == "members.mapped").unwrap();
    assert_eq!(mapped["changes"], json!([{"value": "b", "from": null, "to": "178"}]), "{mapped:#}");
    // The same again changes nothing; taking away needs nobody there.
    let again = browser.post(&path, &all[..3]);
    assert_eq!(again.status, 303);
    follow(&browser, &save(&browser, &path, "b", "=178", "")).says("1 of 4 mapped");
    assert_eq!(kept(&scene), [mapping("c", "")]);
}

#[test]
fn what_somebody_else_has_changed_is_left_as_it_is_and_named() {
    let scene = scene();
    let (browser, path) = (Visitor::new(&scene.world.host), path(&scene, "members"));
    let other = json!({"items": [{"agent": "b", "member": "181"}], "by": "Bo"});
    scene.call("members.map", other).unwrap();
    let page = browser.post(
        &path,
        &[("value.0", "b"), ("was.0", ""), ("to.0", "=178"), ("value.1", "a"), ("was.1", ""), ("to.1", "=177")],
    );
    assert_eq!(page.status, 409, "{page:?}");
    page.says("Changed by somebody else").says("open: Jo Doe.").says("1 row was saved.");
    let bo = ("b".to_owned(), "181".to_owned(), "Bo".to_owned());
    assert_eq!(kept(&scene), [mapping("a", "177"), bo]);
    // What was chosen is still there, and what is kept goes with it: a second save is meant.
    let number = (0..4).find(|n| page.value(&format!("value.{n}")).as_deref() == Some("b")).unwrap();
    assert_eq!(page.value(&format!("was.{number}")).as_deref(), Some("=181"));
    follow(&browser, &save(&browser, &path, "b", "=181", "=178")).says("Saved.");
    assert_eq!(kept(&scene)[1], mapping("b", "178"));
}

#[test]
fn nobody_is_mapped_to_what_is_not_offered() {
    let scene = scene();
    let (browser, path) = (Visitor::new(&scene.world.host), path(&scene, "members"));
    for gone in ["=179", "=180", "=999", "Somebody"] {
        let page = save(&browser, &path, "b", "", gone);
        assert_eq!(page.status, 422, "{gone}");
        page.says("Not saved").says("not offered here: Jo Doe.");
    }
    assert_eq!(save(&browser, &path, "no such agent", "", "=178").status, 409);
    assert!(kept(&scene).is_empty());
}

#[test]
fn one_member_for_two_agents_and_one_that_has_gone_are_seen() {
    let scene = scene();
    let items = json!([{"agent": "a", "member": "177"}, {"agent": "b", "member": "177"}]);
    scene.call("members.map", json!({"items": items})).unwrap();
    let (browser, path) = (Visitor::new(&scene.world.host), path(&scene, "members"));
    let view = json_of(&browser, &path);
    assert_eq!((state(&view, "a"), state(&view, "b")), ("conflict".into(), "conflict".into()));
    browser.get(&path).says("It also stands for Jo Doe.");
}

#[test]
fn a_status_belongs_to_its_board() {
    let scene = scene();
    let browser = Visitor::new(&scene.world.host);
    let page = browser.get(&path(&scene, "statuses?scope=2"));
    page.says("Board").says("Help Desk (1), 0 of 2").says("Service Desk (2), 0 of 2").says("Not mapped from");
    let of = |scope: &str| {
        let params = json!({"kind": "statuses", "scope": scope});
        let all = scene.call("tickets.catalog", params).unwrap();
        let first = &all["items"][0];
        (first["id"].as_str().unwrap().to_owned(), first["name"].as_str().unwrap().to_owned())
    };
    let ((one, _), (two, name)) = (of("1"), of("2"));
    let to = path(&scene, "statuses?scope=2");
    let wrong = save(&browser, &to, "new", "", &format!("={one}"));
    assert_eq!(wrong.status, 422, "{wrong:?}");
    wrong.says("Not saved");
    let done = follow(&browser, &save(&browser, &to, "new", "", &format!("={two}")));
    done.says("Saved.").says("1 of 2 mapped").says("Service Desk (2), 1 of 2").says("Help Desk (1), 0 of 2");
    let kept = scene.call("statuses.mappings", json!({})).unwrap();
    let expected = json!([{"scope": "2", "value": "new", "status": two, "decided_by": "Ann Lee (u1)", "label": name}]);
    assert_eq!(kept["items"], expected);
    // Each board has its own table.
    let view = json_of(&browser, &path(&scene, "statuses?scope=1"));
    assert_eq!(state(&view, "new"), "open");
    follow(&browser, &save(&browser, &to, "new", &format!("={two}"), "")).says("0 of 2 mapped");
}

#[test]
fn priorities_are_mapped_too() {
    let scene = scene();
    let (browser, path) = (Visitor::new(&scene.world.host), path(&scene, "priorities"));
    follow(&browser, &save(&browser, &path, "high", "", "=6")).says("1 of 1 mapped").says("Emergency");
    let kept = scene.call("priorities.mappings", json!({})).unwrap();
    assert_eq!((&kept["items"][0]["priority"], kept["unmapped"].as_array().map(Vec::len)), (&json!("6"), Some(0)));
}

#[test]
fn without_the_provider_what_is_kept_can_be_read_and_nothing_else_breaks() {
    let scene = scene();
    scene.call("members.map", json!({"items": [{"agent": "a", "member": "177"}]})).unwrap();
    // The list of before is not what is asked for: another credential is another list.
    scene.simulator.fault(&json!({"endpoint": "list_members", "fault": "forbidden", "times": 1_000})).unwrap();
    let mut secrets = json!({"secrets": scene.simulator.secrets(), "force": true});
    secrets["by"] = json!("x");
    scene.call("connections.update_credentials", secrets).unwrap();
    let (browser, path) = (Visitor::new(&scene.world.host), path(&scene, "members"));
    let page = browser.get(&path);
    assert_eq!(page.status, 200);
    page.says("Nothing can be chosen now").says("Try again").says("Mia Miller (177)").says("1 of 4 mapped");
    assert!(page.body.contains("disabled") && !page.body.contains("Save mapping"), "{}", page.body);
    // It can be said again when it is there again.
    scene.simulator.control("DELETE", "faults", None).unwrap();
    browser.get(&path).says("Save mapping").says("Mia Miller (mmiller)");
}

#[test]
fn who_may_not_sees_and_changes_nothing_and_strangers_see_nothing() {
    let scene = scene();
    let path = path(&scene, "members");
    let viewer = Visitor::new(&scene.world.host).may(&["view"]);
    let page = viewer.get(&path);
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("<form method=\"post\"") && page.body.contains("disabled"), "{}", page.body);
    for to in [path.clone(), format!("{path}/match")] {
        let refused = viewer.post(&to, &[("value.0", "a"), ("was.0", ""), ("to.0", "=177")]);
        assert_eq!(refused.status, 403, "{to}");
        refused.says("Map");
    }
    let stranger = Visitor::new(&scene.world.host).with("tenant", json!("other"));
    for rest in ["members", "statuses", "priorities"] {
        let path = format!("/c/{}/map/{rest}", scene.connection);
        assert_eq!(stranger.get(&path).status, 404, "{rest}");
        assert_eq!(save(&stranger, &path, "a", "", "-").status, 404, "{rest}");
    }
    assert!(kept(&scene).is_empty());
}

#[test]
fn a_long_list_is_paged_found_by_name_and_speaks_german() {
    let scene = scene();
    let rows: Vec<Value> = (0..60).map(|n| json!({"id": format!("x{n}"), "name": format!("Agent {n:02}")})).collect();
    values(&scene, "agent", 2, &json!(rows));
    let path = path(&scene, "members");
    let browser = Visitor::new(&scene.world.host);
    let first = json_of(&browser, &path);
    assert_eq!(self::rows(&first).len(), 25);
    let second = json_of(&browser, &format!("{path}?from=25"));
    assert_eq!(second["pager"]["shown"], "26 to 50 of 60");
    assert_eq!(self::rows(&second)[0].0, "x25");
    let found = json_of(&browser, &format!("{path}?find=agent%2059&show=open"));
    assert_eq!(self::rows(&found), [("x59".to_owned(), "open".to_owned())]);
    let german = Visitor::new(&scene.world.host).with("locale", json!("de-AT"));
    german
        .get(&path)
        .says("Wer ist wer")
        .says("0 von 60 zugeordnet")
        .says("1 bis 25 von 60")
        .says("Zuordnung speichern");
}
