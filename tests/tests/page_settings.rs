//! A plugin's form on the pages: tested as it stands, saved whole or not at all, and no secret comes back.

use psa_tests::browse::Visitor;
use psa_tests::compile;
use psa_tests::filled::{STORED, fields, gallery, send, settings};
use psa_tests::world::World;
use serde_json::{Value, json};

const TYPED: &str = "typ3d-token-canary";

#[test]
fn what_stands_in_the_form_is_tested_and_a_test_alone_saves_nothing() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let before = settings(&world, &connection);
    let tested = send(&ann, &url, &[("title", "Another"), ("outcome", "limited"), ("_action", "test")]);
    assert_eq!(tested.status, 200);
    tested.says("Works, with");
    assert_eq!(settings(&world, &connection)["settings"], before["settings"], "a test saves nothing");
    let refused = send(&ann, &url, &[("title", "Another"), ("outcome", "refused"), ("_action", "test_save")]);
    assert_eq!(refused.status, 422);
    refused.says("Does not work").says("Save anyway, paused");
    assert_eq!(settings(&world, &connection)["settings"], before["settings"], "what does not work is not saved");
    let saved = send(&ann, &url, &[("title", "Another"), ("_action", "test_save")]);
    assert_eq!(saved.status, 303, "{}", saved.text());
    ann.get(saved.header("location").unwrap()).says("Saved. Tested: it works.");
    let after = settings(&world, &connection);
    assert_eq!((&after["settings"]["title"], &after["state"]), (&json!("Another"), &json!("active")));
    let paused = send(&ann, &url, &[("outcome", "refused"), ("_action", "save_paused")]);
    assert_eq!(paused.status, 303, "{}", paused.text());
    let after = settings(&world, &connection);
    assert_eq!((&after["settings"]["outcome"], &after["reason"]), (&json!("refused"), &json!("paused")));
}

#[test]
fn everything_wrong_is_said_at_once_and_nothing_has_to_be_entered_twice() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let wrong = [
        ("mail", "nobody"),
        ("count", "many"),
        ("title", "x"),
        ("story", "kept as typed"),
        ("token.op", "replace"),
        ("token", TYPED),
    ];
    let page = send(&ann, &url, &wrong);
    assert_eq!(page.status, 422);
    page.says("3 things need a correction").says("kept as typed").says("A new value was entered and is not saved yet");
    page.hides(TYPED).hides(STORED);
    assert_eq!(page.value("count").as_deref(), Some("many"));
    let draft = page.value("_draft").expect("what was typed waits");
    // The next one leaves the secret out: it waits in the draft.
    let right = [("token.op", "replace"), ("token", ""), ("_draft", draft.as_str())];
    let saved = send(&ann, &url, &right);
    assert_eq!(saved.status, 303, "{}", saved.text());
    let states = settings(&world, &connection)["secret_states"]["token"].clone();
    assert_eq!(states["set_by"], "Ann Lee (u1)");
    // Nobody else has it, and it is gone once it was saved.
    let bo = ann.with("actor", json!({"id": "u2"}));
    for other in [&bo, &ann] {
        let empty = send(other, &url, &right);
        assert_eq!(empty.status, 422, "{}", empty.text());
    }
}

#[test]
fn no_secret_is_in_any_answer_log_or_event() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let json = ann.with("render", json!("json"));
    for visitor in [&ann, &json, &ann.with("render", json!("fragment"))] {
        for page in [
            "/".to_owned(),
            format!("/c/{connection}"),
            url.clone(),
            format!("/c/{connection}/reauth"),
            format!("/c/{connection}/activity"),
            format!("/c/{connection}/activity.csv"),
        ] {
            visitor.get(&page).hides(STORED);
        }
        for action in ["test", "test_save", "reload:choices"] {
            let answer = send(
                visitor,
                &url,
                &[("token.op", "replace"), ("token", TYPED), ("mail", "wrong"), ("_action", action)],
            );
            answer.hides(STORED).hides(TYPED);
        }
    }
    let everything = world.call("tenant.export", json!({"tenant": "t"})).unwrap().to_string();
    let log = world.log().join("\n");
    for text in [&everything, &log] {
        assert!(!text.contains(STORED) && !text.contains(TYPED), "{text}");
    }
}

#[test]
fn a_secret_that_would_go_elsewhere_is_asked_for_again() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    for action in ["test", "test_save"] {
        let page = send(&ann, &url, &[("server", "https://elsewhere.example"), ("_action", action)]);
        assert_eq!(page.status, 422, "{action}");
        page.says("Token: Enter this secret again");
    }
    assert_eq!(settings(&world, &connection)["settings"].get("server"), None);
}

#[test]
fn who_has_read_an_older_revision_is_shown_both() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let late = fields(&ann, &url, &[("title", "Ann's title")]);
    assert_eq!(send(&ann.with("actor", json!({"id": "u2"})), &url, &[("title", "Bo's title")]).status, 303);
    let late: Vec<(&str, &str)> = late.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let page = ann.post(&url, &late);
    assert_eq!(page.status, 409, "{}", page.text());
    page.says("Somebody else has saved another value meanwhile: Bo");
    assert_eq!(page.value("title").as_deref(), Some("Ann's title"), "what was entered is not lost");
    assert_eq!(settings(&world, &connection)["settings"]["title"], "Bo's title");
}

#[test]
fn secrets_and_what_they_are_bound_to_need_their_own_permission() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let plain = ann.may(&["view", "configure"]);
    let replaced = send(&plain, &url, &[("token.op", "replace"), ("token", TYPED)]);
    // The field was not on their page, so it is not read.
    assert_eq!(replaced.status, 303);
    assert_eq!(settings(&world, &connection)["secret_states"]["token"]["set_by"], "product");
    assert_eq!(send(&plain, &url, &[("server", "https://elsewhere.example")]).status, 403);
    assert_eq!(send(&plain, &url, &[("title", "Theirs")]).status, 303);
    let reader = ann.may(&["view"]);
    let page = reader.get(&url);
    assert!(!page.body.contains("name=\"_action\""), "there is nothing to press");
    page.says("You need the permission");
    assert_eq!(send(&reader, &url, &[("title", "No")]).status, 403);
}

#[test]
fn what_a_plugin_says_is_text() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    for visitor in [ann.clone(), ann.with("render", json!("fragment"))] {
        let page = visitor.get(&format!("/c/{connection}/settings"));
        assert_eq!(page.status, 200);
        for forbidden in ["<img", "<script>alert", "onerror=alert(1)>", "</select></form>", "href=\"javascript:"] {
            page.hides(forbidden);
        }
        assert!(!page.text().contains('\u{202e}'), "nothing turns the line around it");
        // It is there all the same, as what it is.
        assert!(page.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "the hostile label is shown as text");
        assert!(!page.text().contains(&"x".repeat(300)), "a label is cut");
    }
}

#[test]
fn a_list_that_cannot_be_had_costs_its_own_field() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let page = ann.get(&format!("/c/{connection}/settings"));
    page.says("List not loaded").says("the list cannot be had").says("It is still being loaded");
    // Its neighbours have theirs.
    let view = ann.with("render", json!("json")).get(&format!("/c/{connection}/settings")).json();
    let all: Vec<&Value> = view["form"]["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["fields"].as_array().unwrap())
        .collect();
    let of = |key: &str| all.iter().find(|field| field["key"] == key).unwrap_or_else(|| panic!("no {key}"));
    assert!(of("board")["choices"]["items"].as_array().unwrap().len() > 1);
    assert_eq!(of("board")["choices"].get("missing"), None);
}

#[test]
fn a_test_cannot_be_used_to_knock_at_the_provider() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let statuses: Vec<u16> = (0..7).map(|_| send(&ann, &url, &[("_action", "test")]).status).collect();
    assert_eq!(statuses[..6], [200; 6]);
    let last = send(&ann, &url, &[("_action", "test")]);
    last.says("tested several times within a minute");
}

#[test]
fn new_credentials_are_tried_before_they_are_kept() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/reauth");
    ann.get(&url).says("Stays as it is").says("acme");
    let nothing = ann.post(&url, &[("token.op", "keep")]);
    assert_eq!(nothing.status, 422);
    nothing.says("Enter the new credentials");
    let done = ann.post(&url, &[("token.op", "replace"), ("token", TYPED)]);
    assert_eq!(done.status, 303, "{}", done.text());
    done.hides(TYPED);
    ann.get(done.header("location").unwrap()).says("Signed in again");
    assert_eq!(settings(&world, &connection)["secret_states"]["token"]["set_by"], "Ann Lee (u1)");
}

#[test]
fn a_new_connection_is_made_in_steps_and_nothing_before_the_first_has_worked() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = compile::shipped("gallery", folder.path());
    let world = World::open(folder, &[&plugin], json!({})).unwrap();
    let ann = Visitor::new(&world.host);
    ann.get("/").says("Nothing connected yet");
    let first = [("account", "acme"), ("token", TYPED), ("_name", "Our gallery")];
    let refused = send(&ann, "/new/gallery", &[first[0], first[1], first[2], ("outcome", "refused")]);
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert_eq!(world.call("connections.list", json!({"tenant": "t"})).unwrap()["items"], json!([]));
    let begun = send(&ann, "/new/gallery", &first);
    assert_eq!(begun.status, 303, "{}", begun.text());
    let second = begun.header("location").unwrap().split('?').next().unwrap().to_owned();
    assert!(second.ends_with("/setup/2"), "{second}");
    ann.get("/").says("Our gallery").says("Finish set-up");
    ann.get(&second).says("Step 2 of 3");
    let kept = send(&ann, &second, &[("board", "1")]);
    assert_eq!(kept.status, 303, "{}", kept.text());
    let third = kept.header("location").unwrap().split('?').next().unwrap().to_owned();
    let done = send(&ann, &third, &[]);
    assert_eq!(done.status, 303, "{}", done.text());
    let list = world.call("connections.list", json!({"tenant": "t"})).unwrap();
    assert_eq!(list["items"][0]["state"], "active", "{list:#}");
    // The same account again is the one that is there.
    let twice = send(&ann, "/new/gallery", &first);
    assert_eq!(twice.status, 422, "{}", twice.text());
}

#[test]
fn what_was_disconnected_goes_on_as_the_same_account_and_is_not_connected_twice() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    world.call("connections.disconnect", json!({"tenant": "t", "connection": connection})).unwrap();
    let twice = send(&ann, "/new/gallery", &[("account", "acme"), ("token", TYPED)]);
    assert_eq!(twice.status, 422, "{}", twice.text());
    twice.says("is connected already");
    let again = ann.post(&format!("/c/{connection}/reauth"), &[("token", TYPED)]);
    assert_eq!(again.status, 303, "{}", again.text());
    assert_eq!(settings(&world, &connection)["state"], "active");
}

#[test]
fn who_changes_a_secret_in_the_settings_has_proved_who_they_are() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host).with("step_up_url", json!("/login/again"));
    let url = format!("/c/{connection}/settings");
    let asked = send(&ann, &url, &[("token.op", "replace"), ("token", TYPED)]);
    assert_eq!(asked.status, 303);
    assert!(asked.header("location").unwrap().starts_with("/login/again?next="), "{asked:?}");
    assert_eq!(settings(&world, &connection)["secret_states"]["token"]["set_by"], "product");
    let plain = send(&ann, &url, &[("title", "Plain")]);
    assert!(plain.header("location").unwrap().contains("done=saved"), "{plain:?}");
}

#[test]
fn nothing_that_is_sent_in_makes_a_page_panic() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    for (name, value) in [
        ("every", "P\u{fc}"),
        ("every", "PT5\u{fc}"),
        ("every", "\u{1f389}"),
        ("count", "99999999999999999999"),
        ("amount", "1e400"),
        ("list", "\u{0}\n\u{202e}"),
        ("mail", "@"),
        ("server", "https://[::1"),
        ("extras", "\u{fc}"),
        ("_rev", "x"),
        ("_rev", ""),
        ("_draft", "\u{fc}"),
        ("_name", ""),
        ("token.op", "steal"),
    ] {
        let page = send(&ann, &url, &[(name, value), ("_action", "test")]);
        assert!(matches!(page.status, 200 | 422 | 429), "{name}={value}: {} {}", page.status, page.text());
    }
}

#[test]
fn a_new_value_beside_keep_is_asked_about_and_a_name_of_somebody_else_stays() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let both = send(&ann, &url, &[("token.op", "keep"), ("token", TYPED)]);
    assert_eq!(both.status, 422);
    both.says("chose to keep the stored one").hides(TYPED);
    let late = fields(&ann, &url, &[("_was", "Gallery")]);
    let renamed = json!({"tenant": "t", "connection": connection, "name": "Bo's name"});
    world.call("connections.update", renamed).unwrap();
    let late: Vec<(&str, &str)> = late.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(ann.post(&url, &late).status, 303);
    assert_eq!(settings(&world, &connection)["name"], "Bo's name");
}
