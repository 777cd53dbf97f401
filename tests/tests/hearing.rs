//! What the settings of a connection say about hearing of changes is done: by whom it is told, and how often it looks.

use psa_tests::inbound::Inbound;
use serde_json::{Value, json};

/// Gives the connection more settings and tests it: only then it is in use again.
fn set(scene: &Inbound, more: Value) {
    let mut settings = scene.simulator.settings();
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    scene.of("connections.update", json!({"settings": settings, "strict": true})).unwrap();
    assert_eq!(scene.of("connections.test", json!({})).unwrap()["passed"], true);
}

/// What is registered at our door: type, level, object.
fn registered(scene: &Inbound) -> Vec<String> {
    let entries = scene.simulator.control("GET", "callbacks", None).unwrap();
    let ours = entries["items"].as_array().unwrap().iter();
    let ours = ours.filter(|entry| entry["url"].as_str().is_some_and(|url| url.starts_with(&scene.door.address)));
    let mut words: Vec<String> = ours
        .map(|entry| {
            let word = |name: &str| entry[name].as_str().unwrap_or_default().to_lowercase();
            format!("{} {} {}", word("type"), word("level"), entry["objectId"])
        })
        .collect();
    words.sort();
    words
}

fn until_registered(scene: &Inbound, wanted: &[&str]) {
    scene.until("what is registered is what is wanted", || (registered(scene) == wanted).then_some(()));
}

/// How often the connection is looked at, and in how many milliseconds next; as the store has it.
fn look(scene: &Inbound) -> (Option<i64>, i64) {
    let files = std::fs::read_dir(scene.folder.path().join("data")).unwrap().flatten();
    let file = files.map(|file| file.path()).find(|path| path.extension().is_some_and(|end| end == "db")).unwrap();
    let store = rusqlite::Connection::open(file).unwrap();
    let row =
        store.query_row("SELECT poll_ms, poll_at FROM cursors", [], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)));
    let (every, at) = row.unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    (every, at - i64::try_from(now.as_millis()).unwrap())
}

#[test]
fn what_is_registered_follows_the_settings() {
    let scene = Inbound::new(&json!({}));
    scene.registered();
    until_registered(&scene, &["member owner 1", "ticket owner 1"]);
    let options = json!({"try": {"tenant": "t", "connection": scene.connection}, "source": "boards"});
    let board = scene.call("connections.options", options).unwrap()["items"][0]["value"].clone();
    set(&scene, json!({"callbacks_on": true, "callback_scope": "board", "default_board": board}));
    let of_board = format!("ticket board {}", board.as_str().unwrap());
    until_registered(&scene, &["member owner 1", &of_board]);
    set(&scene, json!({"callbacks_on": false}));
    until_registered(&scene, &[]);
    set(&scene, json!({"callbacks_on": true}));
    until_registered(&scene, &["member owner 1", "ticket owner 1"]);
}

#[test]
fn how_often_is_looked_follows_the_settings_and_a_change_of_them_is_seen_at_once() {
    let scene = Inbound::new(&json!({"callbacks": {"poll_ms": 1_000}}));
    scene.registered();
    let hour = 3_600_000;
    set(&scene, json!({"poll_every": "PT1H"}));
    scene.until("the next look is an hour away", || {
        let (every, wait) = look(&scene);
        (every == Some(hour) && wait > hour / 2).then_some(())
    });
    // An hour is not waited for to learn that it is a minute now.
    set(&scene, json!({"poll_every": "PT1M"}));
    scene.until("the next look is a minute away", || {
        let (every, wait) = look(&scene);
        (every == Some(60_000) && (1..=60_000).contains(&wait)).then_some(())
    });
    set(&scene, json!({}));
    scene.until("it is as configured", || (look(&scene).0.is_none()).then_some(()));
}
