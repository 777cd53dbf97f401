//! The pages of the activity: what happened, who did it, and the same as a file.

use psa_tests::browse::Visitor;
use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

fn page(scene: &Scene, rest: &str) -> String {
    format!("/c/{}/activity{rest}", scene.connection)
}

fn seen(visitor: &Visitor<'_>, url: &str) -> Value {
    visitor.with("render", json!("json")).get(url).json()
}

fn texts(list: &Value) -> Vec<String> {
    let rows = list["rows"].as_array().unwrap_or_else(|| panic!("{list:#}")).iter();
    rows.map(|row| row["text"].as_str().unwrap_or_default().to_owned()).collect()
}

fn has(list: &Value, words: &str) -> bool {
    texts(list).iter().any(|text| text.contains(words))
}

#[test]
fn what_happened_is_told_in_sentences_and_found_again() {
    let scene = Scene::with(&["--tls"], fast());
    let ann = Visitor::new(&scene.world.host);
    let home = format!("/c/{}", scene.connection);
    ann.with("request_id", json!("req-4711")).post_and_follow(&format!("{home}/pause"), &[]);
    let note = scene.hand_in("Secret words of a note.");
    let operation = format!("{home}/operations/{}", note["operation"].as_str().unwrap());
    ann.post_and_follow(&format!("{operation}/discard"), &[("sure", "on")]);
    ann.post_and_follow(&format!("{home}/resume"), &[]);
    let all = seen(&ann, &page(&scene, ""));
    for words in [
        "Connected as",
        "A test passed",
        "HD-1001 was linked to #1001",
        "Stopped: Paused",
        "A change was dropped",
        "Resumed",
    ] {
        assert!(has(&all, words), "{words}: {all:#}");
    }
    // The newest first.
    let seqs: Vec<i64> = all["rows"].as_array().unwrap().iter().filter_map(|row| row["seq"].as_i64()).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] > pair[1]), "{seqs:?}");
    let people = seen(&ann, &page(&scene, "?kind=people"));
    assert!(has(&people, "Stopped") && !has(&people, "A test passed"), "{people:#}");
    assert_eq!(texts(&seen(&ann, &page(&scene, "?kind=sent"))), ["A change was dropped"]);
    // A pause is no problem.
    assert!(!has(&seen(&ann, &page(&scene, "?kind=problems")), "Stopped"));
    assert_eq!(texts(&seen(&ann, &page(&scene, "?find=req-4711"))), ["Stopped: Paused. Paused by Ann Lee (u1)."]);
    let of_ticket = texts(&seen(&ann, &page(&scene, "?find=HD-1001")));
    assert_eq!(of_ticket.len(), 2, "{of_ticket:?}");
    ann.get(&page(&scene, "?from=2999-01-01")).says("Nothing has happened that fits.");
    assert!(has(&seen(&ann, &page(&scene, "?from=2000-01-01")), "Resumed"));
    // One of them, with who and from where.
    let entry = all["rows"].as_array().unwrap().iter().find(|row| row["text"] == "A change was dropped").unwrap();
    let shown = ann.get(entry["href"].as_str().unwrap());
    shown.says("operation.discarded").says("Ann Lee (u1)").says("r-1").says("192.0.2.7").says("State before queued");
    let list = ann.get(&page(&scene, ""));
    let file = ann.get(&page(&scene, ".csv"));
    for found in [&shown, &list, &file] {
        found.hides("Secret words");
    }
    assert!(!all.to_string().contains("Secret words"));
    let german = ann.with("locale", json!("de"));
    german.get(&page(&scene, "")).says("Eine Änderung wurde verworfen").says("Angehalten");
}

#[test]
fn a_file_is_whole_and_no_cell_of_it_is_a_formula() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host);
    let mallory = ann.with("actor", json!({"id": "m", "name": "=HYPERLINK(\"http://x.example\")"}));
    mallory.post_and_follow(&format!("/c/{}/pause", scene.connection), &[]);
    let file = ann.get(&page(&scene, ".csv"));
    assert_eq!(file.status, 200);
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    let name = format!("attachment; filename=\"activity-{}.csv\"", scene.connection);
    assert_eq!(file.header("content-disposition"), Some(name.as_str()));
    let lines: Vec<&str> = file.body.split("\r\n").collect();
    assert_eq!(lines[0], "seq,at,by,action,text,subject,detail,request,remote_addr");
    let paused = lines.iter().find(|line| line.contains("connection.stopped")).unwrap();
    assert!(paused.contains(",\"'=HYPERLINK(\"\"http://x.example\"\") (m)\","), "{paused}");
    assert!(paused.ends_with(",r-1,192.0.2.7"), "{paused}");
    for line in &lines {
        for cell in line.split(',') {
            let cell = cell.trim_start_matches('"');
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t']), "{line}");
        }
    }
    // The same filter as on the page.
    let sent = ann.get(&page(&scene, ".csv?kind=sent"));
    assert_eq!(sent.body.lines().count(), 1, "{}", sent.body);
    ann.get(&page(&scene, "")).hides("<img").says("=HYPERLINK");
}

#[test]
fn what_people_did_is_for_those_who_may_audit() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host);
    ann.post_and_follow(&format!("/c/{}/pause", scene.connection), &[]);
    let bo = ann.may(&["view", "operate"]);
    let list = seen(&bo, &page(&scene, ""));
    assert!(has(&list, "A test passed") && !has(&list, "Stopped"), "{list:#}");
    assert_eq!(list["without_people"], true);
    assert!(texts(&seen(&bo, &page(&scene, "?kind=people"))).is_empty());
    bo.get(&page(&scene, "")).says("permission Audit").hides("activity.csv");
    let entry = seen(&ann, &page(&scene, "?kind=people"))["rows"][0]["href"].as_str().unwrap().to_owned();
    assert_eq!(ann.get(&entry).status, 200);
    assert_eq!(bo.get(&entry).status, 404);
    assert_eq!(bo.get(&page(&scene, ".csv")).status, 403);
    // An attempt that was refused is part of what happened.
    assert_eq!(bo.post(&format!("/c/{}/resume", scene.connection), &[]).status, 403);
    let problems = seen(&ann, &page(&scene, "?kind=problems"));
    assert!(has(&problems, "Refused: resume (configure)"), "{problems:#}");
    let other = ann.with("tenant", json!("other"));
    for url in [page(&scene, ""), page(&scene, ".csv"), entry] {
        assert_eq!(other.get(&url).status, 404, "{url}");
    }
    for odd in ["/0", "/-1", "/999999", "/x"] {
        assert_eq!(ann.get(&page(&scene, odd)).status, 404, "{odd}");
    }
}

#[test]
fn a_long_activity_comes_in_pages() {
    let scene = Scene::new();
    let ann = Visitor::new(&scene.world.host);
    for _ in 0..40 {
        scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
        scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    }
    let mut url = page(&scene, "");
    let mut seqs = Vec::new();
    loop {
        let list = seen(&ann, &url);
        let rows = list["rows"].as_array().unwrap();
        assert!(rows.len() <= 50);
        seqs.extend(rows.iter().filter_map(|row| row["seq"].as_i64()));
        match list["pager"]["next"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    let all = scene.world.call("activity.list", json!({"tenant": "t", "page": {"limit": 200}})).unwrap();
    assert_eq!(seqs.len(), all["items"].as_array().unwrap().len());
    assert!(seqs.windows(2).all(|pair| pair[0] > pair[1]), "{seqs:?}");
}
