//! Notes in doubt: lost answers, late deeds, rewritten texts, people in between.

use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

fn scene() -> Scene {
    Scene::with(&["--tls"], fast())
}

#[test]
fn a_note_whose_answer_was_lost_is_found_and_not_sent_again() {
    for fault in ["reset_after_commit", "error_500_after_commit", "truncated_json"] {
        let scene = scene();
        scene.fault("add_note", fault, json!({}));
        let note = scene.post("The printer on the second floor jams.");
        assert_eq!((note["state"].as_str(), note["outcome"].as_str()), (Some("delivered"), Some("found")), "{fault}");
        assert_eq!(scene.seen("add_note").len(), 1, "{fault}");
        let explained = scene.world.call("operations.explain", json!({"tenant": "t", "operation": note["operation"]}));
        let text = explained.unwrap()["text"].as_str().unwrap().to_owned();
        assert!(text.contains("it is not known whether it was applied"), "{text}");
        // The next one of the ticket is sent as ever.
        assert_eq!(scene.post("And again.")["outcome"], "applied");
    }
}

#[test]
fn a_note_that_never_arrived_is_sent_again_after_two_looks() {
    for fault in ["reset_before_commit", "error_500_before_commit"] {
        let scene = scene();
        scene.fault("add_note", fault, json!({}));
        let looks = scene.seen("list_notes").len();
        let note = scene.post("The printer on the second floor jams.");
        assert_eq!((note["outcome"].as_str(), note["attempts"].as_i64()), (Some("applied"), Some(2)), "{fault}");
        assert_eq!(scene.words().len(), 1, "{fault}");
        assert!(scene.seen("list_notes").len() >= looks + 3, "{fault}");
    }
}

#[test]
fn a_note_that_is_kept_late_is_waited_for() {
    let scene = scene();
    scene.fault("add_note", "late_commit", json!({"ms": 1_500, "listing_ms": 300}));
    let note = scene.hand_in("The printer on the second floor jams.");
    let doubtful = scene.until(&note, "in_doubt");
    assert_eq!(doubtful["attempts"], 1);
    // What is behind it waits, so that the order stays.
    let second = scene.hand_in("It is the second printer.");
    assert_eq!(scene.until(&note, "delivered")["outcome"], "found");
    scene.until(&second, "delivered");
    assert_eq!(scene.words(), ["The printer on the second floor jams.", "It is the second printer."]);
}

#[test]
fn two_notes_of_equal_words_are_two_also_when_both_answers_are_lost() {
    let scene = scene();
    scene.fault("add_note", "reset_after_commit", json!({}));
    scene.fault("add_note", "late_commit", json!({"ms": 1_000}));
    let notes = [scene.hand_in("The same words."), scene.hand_in("The same words.")];
    let ended = notes.map(|note| scene.until(&note, "delivered"));
    assert_ne!(ended[0]["remote"], ended[1]["remote"]);
    assert_eq!(scene.words(), ["The same words.", "The same words."]);
}

#[test]
fn a_rewritten_text_is_recognised() {
    let long = "The printer on the second floor jams after every third page. ".repeat(12);
    let cut: String = long.chars().take(500).collect();
    for (ours, theirs) in [
        ("  It jams\n\n again, the second one. ", "It jams again, the second one."),
        ("5 < 6 & \"seven\", the log says", "5 &lt; 6 &amp; &quot;seven&quot;, the log says"),
        ("See https://example.com/a for more", "See [https://example.com/a](https://example.com/a) for more"),
        ("Done 🎉 and dusted, thanks", "Done  and dusted, thanks"),
        (long.as_str(), cut.as_str()),
        ("ok", "ok"),
    ] {
        let scene = scene();
        // The answer never comes; what the PSA has made of it appears.
        scene.fault("add_note", "reset_before_commit", json!({}));
        let note = scene.hand_in(ours);
        scene.until(&note, "in_doubt");
        scene.person(json!({"note": {"text": theirs, "createdBy": "psabridge", "internal": true}}));
        assert_eq!(scene.until(&note, "delivered")["outcome"], "found", "{ours}");
        assert_eq!(scene.seen("add_note").len(), 1, "{ours}");
    }
}

#[test]
fn a_ticket_that_goes_away_under_a_doubt_ends_it() {
    for (act, state, reason) in
        [(json!({"delete": true}), "refused", "ticket_gone"), (json!({"merge_into": 1002}), "held", "ticket_merged")]
    {
        let scene = scene();
        scene.fault("add_note", "reset_before_commit", json!({}));
        let note = scene.hand_in("The printer on the second floor jams.");
        scene.until(&note, "in_doubt");
        scene.person(act.clone());
        loop {
            let now = scene.operation(&note);
            if now["state"] == state {
                assert_eq!(now["reason"], reason, "{act}");
                break;
            }
            assert_eq!(now["state"], "in_doubt", "{act}: {now:#}");
        }
        assert_eq!(scene.seen("add_note").len(), 1, "{act}");
    }
    // Converted to another kind it is still the same ticket.
    let scene = scene();
    scene.fault("add_note", "reset_after_commit", json!({}));
    scene.fault("list_notes", "html_503", json!({}));
    let note = scene.hand_in("The printer on the second floor jams.");
    scene.until(&note, "in_doubt");
    scene.person(json!({"convert": "project"}));
    assert_eq!(scene.until(&note, "delivered")["outcome"], "found");
}

#[test]
fn what_speaks_of_the_connection_refuses_nothing() {
    let scene = scene();
    let order = json!({"endpoint": "add_note", "fault": "cannot_route"});
    scene.simulator.fault(&order).unwrap();
    let notes: Vec<Value> = (0..30).map(|number| scene.hand_in(&format!("Note number {number} of many."))).collect();
    // Some back-offs go by.
    while scene.seen("add_note").len() < 5 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(notes.iter().all(|note| scene.operation(note)["state"] == "queued"));
    let health = scene.world.call("health", json!({"tenant": "t"})).unwrap();
    assert_eq!(health["connections"]["items"][0]["queued"], 30);
    scene.simulator.control("DELETE", "faults", None).unwrap();
    for note in &notes {
        scene.until(note, "delivered");
    }
    let expected: Vec<String> = (0..30).map(|number| format!("Note number {number} of many.")).collect();
    assert_eq!(scene.words(), expected);
}

#[test]
fn refused_credentials_stop_the_connection_at_once_and_new_ones_start_it() {
    let scene = scene();
    scene.simulator.fault(&json!({"endpoint": "*", "fault": "unauthorized"})).unwrap();
    let before = scene.simulator.log().unwrap().len();
    let note = scene.hand_in("The printer on the second floor jams.");
    loop {
        let connection = scene.call("connections.get", json!({})).unwrap();
        if connection["state"] == "stopped" {
            assert_eq!(connection["reason"], "sign_in");
            break;
        }
    }
    // An account is not locked out by us: one request of one lane, tried as often as reads are.
    assert!(scene.simulator.log().unwrap().len() - before <= 3);
    scene.simulator.control("DELETE", "faults", None).unwrap();
    let error = scene.call("connections.resume", json!({})).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("credentials_needed"), "{error}");
    // Wrong ones are not kept; the right ones are, and work goes on.
    let wrong = scene.call("connections.update_credentials", json!({"secrets": {"private_key": "wrongwrongwrong"}}));
    assert_eq!(wrong.unwrap()["passed"], false);
    assert_eq!(scene.call("connections.get", json!({})).unwrap()["reason"], "sign_in");
    let right = scene.call("connections.update_credentials", json!({"secrets": scene.simulator.secrets()})).unwrap();
    assert_eq!(right["passed"], true);
    scene.until(&note, "delivered");
}

/// Words as people type them, and others.
fn odd_text(random: &mut rand::rngs::StdRng) -> String {
    use rand::Rng as _;
    const PIECES: [&str; 14] = [
        "The printer jams",
        "\n",
        "  ",
        "<b>bold</b>",
        "&amp;",
        "\"quoted\"",
        "🎉",
        "Grüße",
        "日本語",
        "a\u{301}",
        "{secret:x}",
        "https://example.com/?a=1&b=2",
        "internalAnalysisFlag",
        "\t",
    ];
    let count = random.random_range(1..12);
    let text: String = (0..count).map(|_| PIECES[random.random_range(0..PIECES.len())]).collect();
    format!("{text} .")
}

#[test]
fn every_internal_note_is_marked_as_internal_and_as_nothing_else() {
    use rand::SeedableRng as _;
    let scene = scene();
    let mut random = rand::rngs::StdRng::seed_from_u64(4);
    let texts: Vec<String> = (0..60).map(|_| odd_text(&mut random)).collect();
    let notes: Vec<Value> = texts.iter().map(|text| scene.hand_in(text)).collect();
    for note in &notes {
        assert_eq!(scene.until(note, "delivered")["visibility"], "internal");
    }
    let sent = scene.seen("add_note");
    assert_eq!(sent.len(), texts.len());
    for (entry, text) in sent.iter().zip(&texts) {
        let body = entry["body"].as_object().unwrap();
        assert_eq!(body["text"], *text);
        // Said, each of them, and not left to what the PSA takes for granted.
        assert_eq!(body.get("internalAnalysisFlag"), Some(&json!(true)), "{entry}");
        for flag in ["detailDescriptionFlag", "resolutionFlag", "processNotifications"] {
            assert_eq!(body.get(flag), Some(&json!(false)), "{flag}: {entry}");
        }
    }
}

#[test]
fn connections_that_close_as_they_are_used_lose_and_double_nothing() {
    let scene = scene();
    scene.simulator.control("POST", "switches", Some(&json!({"close_after_answer": true}))).unwrap();
    let notes: Vec<Value> = (0..1000).map(|number| scene.hand_in(&format!("Note number {number} of many."))).collect();
    for note in &notes {
        scene.until(note, "delivered");
    }
    let expected: Vec<String> = (0..1000).map(|number| format!("Note number {number} of many.")).collect();
    assert_eq!(scene.words(), expected);
}

#[test]
fn an_equal_note_of_somebody_else_is_not_taken_for_ours() {
    for other in [
        json!({"text": "Done, please check.", "createdBy": "jdoe", "internal": true}),
        // Of our account, by another program, and open to the customer.
        json!({"text": "Done, please check.", "createdBy": "psabridge", "internal": false}),
    ] {
        let scene = scene();
        scene.person(json!({"note": other}));
        let note = scene.post("Done, please check.");
        assert_eq!(note["outcome"], "applied", "{other}");
        assert_eq!(scene.call("connections.get", json!({})).unwrap()["state"], "active");
    }
}

#[test]
fn a_doubt_that_waited_for_its_connection_is_looked_at_before_a_person_is_asked() {
    let mut config = fast();
    config["outbox"]["doubt_ms"] = json!(0);
    let scene = Scene::with(&["--tls"], config);
    scene.fault("add_note", "late_commit", json!({"ms": 500}));
    let note = scene.hand_in("The printer on the second floor jams.");
    scene.until(&note, "in_doubt");
    scene.call("connections.pause", json!({"by": "Ann"})).unwrap();
    assert_eq!(
        scene.world.call("links.unlink", json!({"tenant": "t", "link": scene.link})).unwrap_err().reason.as_deref(),
        Some("waiting")
    );
    // Longer than a doubt may last.
    std::thread::sleep(std::time::Duration::from_millis(4_500));
    scene.call("connections.resume", json!({"by": "Ann"})).unwrap();
    assert_eq!(scene.until(&note, "delivered")["outcome"], "found");
}

#[test]
fn one_watch_that_cannot_look_does_not_end_the_others() {
    let scene = scene();
    let other = scene.world.link(&scene.connection, "1002");
    for _ in 0..2 {
        scene.fault("add_note", "reset_before_commit", json!({}));
    }
    let first = scene.hand_in("This ticket will be gone.");
    let note =
        json!({"tenant": "t", "link": other, "visibility": "internal", "text": "Of this one there will be two."});
    let second = scene.world.call("notes.post", note).unwrap();
    let (first, second) = (scene.until(&first, "delivered"), scene.until(&second, "delivered"));
    assert_eq!((first["attempts"].as_i64(), second["attempts"].as_i64()), (Some(2), Some(2)));
    scene.person(json!({"delete": true}));
    let copy = json!({"note": {"text": "Of this one there will be two.", "createdBy": "psabridge", "internal": true}});
    scene.simulator.control("POST", "tickets/1002", Some(&copy)).unwrap();
    let told = scene.events_until("note.duplicated");
    assert_eq!(told.last().unwrap()["operation"], second["operation"]);
}
