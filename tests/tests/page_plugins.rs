//! What the pages say of plugins: of those that are here, and of files that were not loaded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use psa_tests::browse::Visitor;
use psa_tests::compile;
use psa_tests::filled::gallery;
use psa_tests::world::World;
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;

const PICTURE: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";

/// A host that finds a plugin with a picture in its folder, and a file that is none.
fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    let icon = format!("data:image/svg+xml;base64,{}", STANDARD.encode(PICTURE));
    let define = format!("VERSION=\"1.2.3\\\",\\\"icon\\\":\\\"{icon}\"");
    compile::plugin("table.c", &[&define], "table", &plugins);
    let bad = plugins.join("psa_<b>bad.so");
    std::fs::write(&bad, "no library").unwrap();
    std::fs::set_permissions(&bad, std::fs::Permissions::from_mode(0o644)).unwrap();
    World::open(folder, &[&plugins], json!({})).unwrap()
}

#[test]
fn a_plugin_says_what_it_is_and_its_picture_can_do_nothing() {
    let world = world();
    let browser = Visitor::new(&world.host);
    let connection = world.connect("table", json!({"url": "x"}), json!({}));
    let page = browser.get("/plugins/table");
    assert_eq!(page.status, 200);
    page.says("Installed").says("1.2.3").says("psa_table.so").says("Read a ticket").says("SHA-256");
    page.says("It has no secrets, so it sends none.");
    assert!(page.body.contains(&format!("/c/{connection}\"")), "{}", page.body);
    assert!(page.body.contains("src=\"/desk/psa/-/icon/table\""), "{}", page.body);
    let picture = browser.get("/-/icon/table");
    assert_eq!((picture.status, picture.body.as_str()), (200, PICTURE));
    assert_eq!(picture.header("content-type"), Some("image/svg+xml"));
    assert_eq!(picture.header("content-security-policy"), Some("default-src 'none'; sandbox"));
    assert_eq!(picture.header("x-content-type-options"), Some("nosniff"));
    for missing in ["/plugins/nobody", "/-/icon/nobody"] {
        assert_eq!(browser.get(missing).status, 404, "{missing}");
    }
    // Another tenant's connections are not named.
    let other = browser.with("tenant", json!("other")).get("/plugins/table");
    other.says("No connection uses it yet.");
    assert!(!other.body.contains(&connection), "{}", other.body);
    assert_eq!(browser.may(&[]).get("/plugins/table").status, 403);
}

#[test]
fn a_file_that_was_not_loaded_is_named_with_the_reason() {
    let world = world();
    let browser = Visitor::new(&world.host);
    let index = browser.get("/");
    index.says("psa_<b>bad").says("Not supported").says("Why?");
    assert!(!index.body.contains("<b>"), "{}", index.body);
    let page = browser.get("/plugins/psa_%3Cb%3Ebad");
    assert_eq!(page.status, 200);
    page.says("Why it was not loaded").says("it is not a shared library for this machine").says("plugin_format");
    assert!(!page.body.contains("<b>"), "{}", page.body);
    browser.with("locale", json!("de")).get("/").says("Nicht unterstützt").says("Warum?");
}

#[test]
fn a_connection_in_use_whose_plugin_was_not_loaded_says_so_until_something_is_sent_too() {
    let (world, connection) = gallery();
    let page = format!("/c/{connection}");
    Visitor::new(&world.host).get(&page).says("Connected").hides("Its plugin is not installed");
    world.host.close(1000).unwrap();
    let plugins = world.folder.path().join("refused");
    std::fs::create_dir(&plugins).unwrap();
    std::fs::write(plugins.join("psa_gallery.so"), "no library").unwrap();
    // A process that leaves delivery to others has nothing to say of itself.
    let world = World::open(world.folder, &[&plugins], json!({"outbox": {"deliver": false}})).unwrap();
    let browser = Visitor::new(&world.host);
    browser.get(&page).says("Needs attention").says("Its plugin is not installed. About the plugin").hides("deliver");
    browser.with("locale", json!("de")).get("/").says("Das Plugin ist nicht installiert.");
    let now = world.call("connections.get", json!({"tenant": "t", "connection": connection})).unwrap();
    assert_eq!(now["state"], "active", "nobody has tried to send yet");
}
