//! The form of the gallery plugin, filled in as a browser would send it.

use crate::browse::{Shown, Visitor};
use crate::compile;
use crate::world::World;
use serde_json::{Value, json};

/// The token of its connection.
pub const STORED: &str = "k3pt-token-canary";

/// A host with the plugin and a connection that works.
pub fn gallery() -> (World, String) {
    let folder = tempfile::tempdir().expect("it works in this scene");
    let plugin = compile::shipped("gallery", folder.path());
    let world = World::open(folder, &[&plugin], json!({})).expect("it works in this scene");
    let connection = world.connect("gallery", json!({"account": "acme", "board": "1"}), json!({"token": STORED}));
    let tested = world
        .call("connections.test", json!({"tenant": "t", "connection": connection}))
        .expect("it works in this scene");
    assert_eq!(tested["passed"], true, "{tested:#}");
    (world, connection)
}

/// The fields of a form as a browser would send them, with some others.
pub fn fields(ann: &Visitor<'_>, url: &str, others: &[(&str, &str)]) -> Vec<(String, String)> {
    let view = ann.with("render", json!("json")).get(url).json();
    let form = &view["form"];
    let mut sent: Vec<(String, String)> =
        vec![("_name".into(), form["name"]["value"].as_str().unwrap_or("A name").into())];
    if let Some(rev) = form["rev"].as_i64() {
        sent.push(("_rev".into(), rev.to_string()));
    }
    for field in form["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|group| group["fields"].as_array().expect("it works in this scene"))
    {
        let key = field["key"].as_str().expect("it works in this scene");
        let values: Vec<&str> = field["values"]
            .as_array()
            .expect("it works in this scene")
            .iter()
            .map(|value| value.as_str().expect("it works in this scene"))
            .collect();
        match field["type"].as_str().expect("it works in this scene") {
            "computed" | "notice" | "secret" => {}
            "duration" if values.len() == 2 => {
                sent.push((key.into(), values[0].into()));
                sent.push((format!("{key}.unit"), values[1].into()));
            }
            "bool" if values == [""] => {}
            _ => sent.extend(values.iter().map(|value| (key.into(), (*value).into()))),
        }
    }
    for (name, value) in others {
        sent.retain(|(known, _)| known != name);
        sent.push(((*name).into(), (*value).into()));
    }
    sent
}

/// Sends a form with some other values.
pub fn send(ann: &Visitor<'_>, url: &str, others: &[(&str, &str)]) -> Shown {
    let sent = fields(ann, url, others);
    let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    ann.post(url, &sent)
}

/// The connection, as the product sees it.
pub fn settings(world: &World, connection: &str) -> Value {
    world.call("connections.get", json!({"tenant": "t", "connection": connection})).expect("it works in this scene")
}
