//! What a page says of what others have said, and what the activity says of what was changed.

use psa_tests::browse::Visitor;
use psa_tests::filled::{fields, gallery, send, settings};
use serde_json::json;

const TYPED: &str = "typ3d-token-canary";

#[test]
fn a_form_without_its_revision_changes_nothing_in_a_step_either() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/setup/2");
    let before = settings(&world, &connection);
    let mut sent = fields(&ann, &url, &[("title", "Another")]);
    sent.retain(|(name, _)| name != "_rev");
    let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let page = ann.post(&url, &sent);
    assert_eq!(page.status, 422, "{}", page.text());
    page.says("This form has no revision");
    ann.with("locale", json!("de")).post(&url, &sent).says("Diesem Formular fehlt sein Stand");
    assert_eq!(settings(&world, &connection), before);
    assert_eq!(send(&ann, &url, &[("title", "Another")]).status, 303);
}

#[test]
fn what_plugins_and_providers_say_is_marked_as_english_on_a_german_page() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let marked = "<span lang=\"en\" dir=\"ltr\">";
    ann.get(&url).hides(marked);
    let german = ann.with("locale", json!("de-AT"));
    let page = german.get(&url).body;
    let mut others = page.split(marked).skip(1).filter_map(|rest| rest.split("</span>").next());
    assert!(others.any(|text| text.contains("the list cannot be had")), "a list that failed: {page}");
    let refused = send(&german, &url, &[("outcome", "refused"), ("_action", "test")]);
    assert!(refused.body.contains(marked), "steps of a test");
    let wrong = send(&german, &url, &[("count", "11"), ("server", "https://elsewhere.example")]);
    // What the catalogue has words for is in the reader's language, what it has none for says which it is in.
    wrong.says("Token: Geben Sie dieses Geheimnis erneut ein");
    assert!(wrong.body.contains(&format!("Count: {marked}")), "{}", wrong.body);
}

#[test]
fn what_the_forms_own_rules_refuse_is_said_in_the_readers_language() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let german = ann.with("locale", json!("de"));
    let url = format!("/c/{connection}/settings");
    let long = "x".repeat(201);
    let wrong = [
        ("account", "Not This"),
        ("server", "ftp://gallery.example"),
        ("outcome", "something else"),
        ("title", "x"),
        ("story", long.as_str()),
        ("mail", "nobody"),
        ("count", "many"),
        ("amount", "9"),
        ("every", "10"),
        ("every.unit", "S"),
        ("hosts", "a\nb\nc\nd"),
        ("id", "x"),
        ("token.op", "replace"),
        ("token", "abc"),
        ("password", "abcd"),
    ];
    let page = send(&german, &url, &wrong);
    assert_eq!(page.status, 422);
    page.says("Server: Sie muss mit https://, http:// beginnen.")
        .says("What a test finds: Wählen Sie eines davon: It works, It works, not all of it, It is refused, It breaks off.")
        .says("Title: Geben Sie mindestens 2 Zeichen ein.")
        .says("Story: Geben Sie höchstens 200 Zeichen ein.")
        .says("Mail: Geben Sie eine E-Mail-Adresse ein.")
        .says("Count: Geben Sie eine ganze Zahl ein.")
        .says("Amount: Geben Sie höchstens 8 ein.")
        .says("Every: Geben Sie mindestens 1 Minute ein.")
        .says("Hosts: Höchstens 3 sind erlaubt.")
        .says("Id: Geben Sie eine UUID ein")
        .says("Token: Geben Sie mindestens 4 Zeichen ein.");
    // What the form has said in English alone is marked as that.
    assert!(page.body.contains("Konto: <span lang=\"en\" dir=\"ltr\">can hold small letters"), "{}", page.body);
    page.hides("must be");
    send(&ann, &url, &wrong).says("Title: Enter at least 2 characters.").says("Every: Enter at least 1 minute.");
    // Signing in again goes by the same rules.
    let again = [("token.op", "replace"), ("token", "abc")];
    german.post(&format!("/c/{connection}/reauth"), &again).says("Token: Geben Sie mindestens 4 Zeichen ein.");
    // Who draws a front end of their own gets what the words are made from.
    let tried = json!({"tenant": "t", "connection": connection, "settings": {"account": "acme", "title": "x"}});
    let all = world.call("connections.check", tried).unwrap();
    let issue = all["items"].as_array().unwrap().iter().find(|issue| issue["at"] == "/settings/title").unwrap();
    assert_eq!((&issue["code"], &issue["params"]), (&json!("min"), &json!({"rule": "characters", "limit": "2"})));
}

#[test]
fn what_was_changed_is_in_the_activity_field_by_field() {
    let (world, connection) = gallery();
    let ann = Visitor::new(&world.host);
    let url = format!("/c/{connection}/settings");
    let changes = [
        ("title", "Another"),
        ("count", "7"),
        ("story", "Only that it changed"),
        ("token.op", "replace"),
        ("token", TYPED),
    ];
    assert_eq!(send(&ann, &url, &changes).status, 303);
    let all = world.call("activity.list", json!({"tenant": "t", "page": {"limit": 1000}})).unwrap();
    let entries = all["items"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["action"] == "connection.updated").unwrap();
    assert_eq!(entry["actor"], "Ann Lee (u1)");
    assert_eq!(entry["detail"]["request"], json!({"id": "r-1", "remote_addr": "192.0.2.7"}));
    let told = &entry["detail"]["settings"];
    assert_eq!(told["title"], json!({"from": null, "to": "Another"}), "{told:#}");
    assert_eq!(told["count"], json!({"from": 3, "to": 7}), "{told:#}");
    // The form wants no more said of this one.
    assert_eq!(told["story"], "changed", "{told:#}");
    assert_eq!(entry["detail"]["secrets_entered"], json!(["token"]));
    let print = settings(&world, &connection)["secret_states"]["token"]["fingerprint"].clone();
    assert_eq!(entry["detail"]["fingerprints"], json!({"token": print}));
    assert!(!all.to_string().contains(TYPED) && !all.to_string().contains("Only that"), "{all:#}");
    let page = ann.get(&format!("/c/{connection}/activity/{}", entry["seq"]));
    page.says("count").says("3").says("7").hides("Only that");
    // What was tried and not saved is a refused attempt without values.
    assert_eq!(ann.may(&["view"]).post(&url, &[("title", "Secret plan")]).status, 403);
    let all = world.call("activity.list", json!({"tenant": "t", "page": {"limit": 1000}})).unwrap();
    assert!(!all.to_string().contains("Secret plan"), "{all:#}");
}
