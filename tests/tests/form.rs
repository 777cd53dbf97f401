//! The form of a connection, drawn once from the loaded schema: what the page will need is there.

use psa_host_api::form::Form;
use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};

/// Plain HTML of a connection's settings, read-only: labels and help of the form, values of the connection.
fn drawn(form: &Value, connection: &Value) -> String {
    let text = |value: &Value| {
        let text = value["en"].as_str().or(value.as_str()).unwrap_or_default();
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    };
    let mut html = format!("<h1>{}</h1>", text(&connection["name"]));
    for group in form["groups"].as_array().expect("a form has groups") {
        html += &format!("<section><h2>{}</h2><dl>", text(&group["title"]));
        for field in form["fields"].as_array().expect("a form has fields") {
            if field["group"] != group["key"] {
                continue;
            }
            let key = field["key"].as_str().expect("a field has a key");
            let is_secret = connection["secrets"].as_array().is_some_and(|secrets| secrets.contains(&json!(key)));
            let value = match &connection["settings"][key] {
                Value::Null if is_secret => "••••••••".to_owned(),
                Value::Null => continue,
                value => text(&json!(value.as_str().map_or_else(|| value.to_string(), str::to_owned))),
            };
            html += &format!("<dt>{}</dt><dd>{value}</dd>", text(&field["label"]));
        }
        html += "</dl></section>";
    }
    html
}

#[test]
fn a_connection_can_be_drawn_from_the_form_and_what_the_core_tells() {
    let scene = Scene::with(&["--tls"], fast());
    let source = std::fs::read_to_string(psa_tests::compile::root().join("plugins/connectwise/form.json")).unwrap();
    // What is drawn is what the host has loaded.
    let loaded = Form::load(source.as_bytes()).unwrap();
    let secrets: Vec<&str> = loaded.secrets().collect();
    let connection = scene.call("connections.get", json!({})).unwrap();
    assert_eq!(connection["secrets"], json!(secrets));
    let html = drawn(&serde_json::from_str(&source).unwrap(), &connection);
    for part in ["<h1>ConnectWise PSA</h1>", "acme", "••••••••", scene.simulator.text("public_key")] {
        assert!(html.contains(part), "{part}\n{html}");
    }
    assert!(!html.contains(scene.simulator.text("private_key")), "{html}");
}
