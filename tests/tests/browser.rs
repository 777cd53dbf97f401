//! The pages in a real browser: the journey with and without scripts, every page in every dress, pictures of each.
//!
//! The checks themselves are Node programs (`tests/browser`); `cargo xtask test` installs what they need.

use psa_tests::demo::Demo;
use psa_tests::desk::Desk;
use psa_tests::desk::states::{self, States};
use psa_tests::scene::fast;
use psa_tests::{compile, npm};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

fn folder() -> PathBuf {
    compile::root().join("tests/browser")
}

/// Runs one of the programs and panics with what it printed if it fails.
fn node(script: &str, arguments: &[&str]) -> String {
    npm::install(&folder());
    let output =
        Command::new("node").arg(script).args(arguments).current_dir(folder()).output().expect("node is there");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} {arguments:?}:\n{printed}\n{errors}");
    printed
}

/// All pages of the demo, by name.
fn pages(demo: &Demo) -> Value {
    let find = node("links.mjs", &["--base", &demo.base]);
    let found: Value = serde_json::from_str(find.trim()).expect("it prints JSON");
    let (ours, expired) = (found["ours"].as_str().unwrap(), found["expired"].as_str().unwrap());
    let page = |name: &str, path: String| json!({"name": name, "path": path});
    let mut pages = vec![
        page("index", "/".into()),
        page("connect", "/new/connectwise".into()),
        page("overview", ours.into()),
        page("settings", format!("{ours}/settings")),
        page("credentials", format!("{expired}/reauth")),
        page("members", format!("{ours}/map/members")),
        page("statuses", format!("{ours}/map/statuses?scope=1")),
        page("priorities", format!("{ours}/map/priorities")),
        page("tickets", format!("{ours}/tickets")),
        page("held", format!("{ours}/tickets?state=held")),
        page("callbacks", format!("{ours}/callbacks")),
        page("activity", format!("{ours}/activity")),
        page("remove", format!("{ours}/remove")),
        page("plugin", "/plugins/connectwise".into()),
    ];
    for (name, key) in [("ticket", "ticket"), ("operation", "operation"), ("entry", "entry")] {
        if let Some(path) = found[key].as_str() {
            pages.push(page(name, path.into()));
        }
    }
    pages.push(json!({"name": "missing", "path": "/c/none", "status": 404}));
    Value::Array(pages)
}

fn write(pages: &Value) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pages.json");
    std::fs::write(&file, pages.to_string()).unwrap();
    let file = file.to_string_lossy().into_owned();
    (folder, file)
}

fn journey(more: &[&str]) {
    let desk = Desk::open(&["connectwise"], &fast());
    states::product_values(&desk);
    let text = |name: &str| desk.simulator.text(name).to_owned();
    let key = json!({"server": text("url"), "company": text("company"), "client_id": text("client_id"),
                     "public_key": text("public_key"), "private_key": text("private_key")});
    let (base, key) = (format!("{}/ann", desk.base), key.to_string());
    let printed = node("journey.mjs", &[&["--base", &base, "--key", &key], more].concat());
    assert!(printed.contains("the journey is complete"), "{printed}");
}

#[test]
fn the_whole_journey_works_with_scripts() {
    journey(&[]);
}

#[test]
fn the_whole_journey_works_without_scripts() {
    journey(&["--without-scripts"]);
}

#[test]
fn nothing_is_found_on_any_page_in_any_dress() {
    let demo = Demo::start(&["--still"]);
    let (_folder, pages) = write(&pages(&demo));
    node("check.mjs", &closely(&["--base", &demo.base, "--pages", &pages], "--fast"));
}

/// With `PSA_BROWSER_ALL` in every dress there is, which takes long.
fn closely<'a>(arguments: &[&'a str], otherwise: &'a str) -> Vec<&'a str> {
    let all = std::env::var_os("PSA_BROWSER_ALL").is_some();
    arguments.iter().copied().chain((!all).then_some(otherwise)).collect()
}

#[test]
fn nothing_is_found_in_any_state() {
    let states = States::make();
    let (_folder, pages) = write(&states.pages());
    node("check.mjs", &closely(&["--base", &states.desk.base, "--pages", &pages], "--few"));
}

#[test]
fn a_products_own_rules_do_not_reach_in() {
    let states = States::make();
    let (_folder, pages) = write(&states.in_a_product());
    node("hostile.mjs", &["--base", &states.desk.base, "--pages", &pages]);
}

#[test]
fn the_checks_find_what_is_wrong_and_the_script_does_what_it_says() {
    for script in ["self.mjs", "script.mjs"] {
        node(script, &[]);
    }
}

/// With `PSA_SHOTS` the pictures of the documentation are made anew; without it only that they can be.
#[test]
fn every_page_has_its_picture() {
    let demo = Demo::start(&["--still"]);
    let (folder, pages) = write(&pages(&demo));
    let kept = compile::root().join("docs/shots");
    let bless = std::env::var_os("PSA_SHOTS").is_some();
    let out = if bless { kept.clone() } else { folder.path().join("shots") };
    let out = out.to_string_lossy().into_owned();
    node(
        "shots.mjs",
        &["--base", &demo.base, "--pages", &pages, "--out", &out, "--widths", "1280", "--schemes", "light"],
    );
    let names: Value = serde_json::from_str(&std::fs::read_to_string(&pages).unwrap()).unwrap();
    for page in names.as_array().unwrap() {
        let name = page["name"].as_str().unwrap();
        let shot = format!("{name}-light-1280.png");
        assert!(std::path::Path::new(&out).join(&shot).is_file(), "no picture of {name}");
        assert!(kept.join(&shot).is_file(), "docs/shots has no {shot}: make it with PSA_SHOTS=1");
    }
}
