//! Calls that nobody waits for: what is over at once, what has to wait, and that neither runs a plugin where it was begun.

use psa_host::{Begun, CallOptions, Code, Error};
use psa_tests::compile;
use psa_tests::world::World;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::mpsc::channel;

struct Scene {
    world: World,
    plugin: PathBuf,
    connection: String,
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let plugin = compile::plugin("behaviour.c", &[], "behaviour", folder.path());
        let world = World::open(folder, &[&plugin], json!({})).unwrap();
        let connection = world.connect("behaviour", json!({"url": "https://psa.invalid/"}), json!({}));
        Scene { world, plugin, connection }
    }

    fn begin(&self, method: &str, params: &Value) -> Result<Begun, Error> {
        self.world.host.begin(method, params.to_string().as_bytes(), CallOptions::default())
    }

    /// What a read of this ticket gave if it was over at once.
    fn known(&self, ticket: &str) -> Option<Value> {
        match self.begin("tickets.get", &self.ticket(ticket)).unwrap() {
            Begun::Ended(ended) => Some(serde_json::from_str(&ended.outcome().unwrap()).unwrap()),
            Begun::Waiting(_) => None,
        }
    }

    fn ticket(&self, ticket: &str) -> Value {
        json!({"tenant": "t", "connection": self.connection, "ticket": ticket})
    }
}

#[test]
fn what_is_remembered_is_over_at_once_and_nothing_else_is() {
    let scene = Scene::new();
    assert_eq!(scene.known("x"), None);
    let read = scene.world.call("tickets.get", scene.ticket("x")).unwrap();
    assert_eq!(scene.known("x"), Some(read));
    assert_eq!(scene.known("y"), None);
    let mut fresh = scene.ticket("x");
    fresh["fresh"] = json!(true);
    assert!(matches!(scene.begin("tickets.get", &fresh).unwrap(), Begun::Waiting(_)));
    // The memory of one tenant is not another's.
    let mut foreign = scene.ticket("x");
    foreign["tenant"] = json!("u");
    assert!(matches!(scene.begin("tickets.get", &foreign).unwrap(), Begun::Waiting(_)));
}

#[test]
fn what_another_process_may_have_changed_is_looked_at_first() {
    let scene = Scene::new();
    let other = {
        let config = json!({
            "data_dir": scene.world.folder.path().join("data"),
            "plugins": [scene.plugin],
            "vault": {"key_file": scene.world.folder.path().join("vault.keys")},
        });
        psa_host::Host::open(config.to_string().as_bytes(), psa_host::Hooks::default()).unwrap()
    };
    let read = scene.world.call("tickets.get", scene.ticket("x")).unwrap();
    // What opening has still to write is written by now, or soon.
    while scene.known("x").is_none() {
        scene.world.call("tickets.get", scene.ticket("x")).unwrap();
    }
    let create = json!({"tenant": "t", "plugin": "behaviour", "settings": {"url": "https://psa.invalid/"}});
    other.call("connections.create", create.to_string().as_bytes(), CallOptions::default()).unwrap();
    assert_eq!(scene.known("x"), None);
    assert_eq!(scene.world.call("tickets.get", scene.ticket("x")).unwrap(), read);
}

#[test]
fn what_is_refused_is_over_at_once() {
    let scene = Scene::new();
    let Begun::Ended(ended) = scene.begin("tickets.get", &json!({"tenant": "t", "tickets": "x"})).unwrap() else {
        panic!("it waits")
    };
    let error = ended.outcome().unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::InvalidArgument, Some("unknown_field")));
    let unknown = scene.begin("tickets.got", &json!({})).err().unwrap();
    assert_eq!(unknown.reason.as_deref(), Some("unknown_method"));
}

#[test]
fn a_call_that_waits_does_nothing_before_it_is_submitted_and_ends_once() {
    let scene = Scene::new();
    drop(scene.begin("tickets.get", &scene.ticket("spin")).unwrap());
    let (send, ended) = channel();
    let submit = |ticket: &str| {
        let Begun::Waiting(call) = scene.begin("tickets.get", &scene.ticket(ticket)).unwrap() else {
            panic!("it is over")
        };
        let send = send.clone();
        call.submit(Box::new(move |id, outcome| send.send((id, outcome)).unwrap()))
    };
    let id = submit("x");
    let (told, outcome) = ended.recv().unwrap();
    assert_eq!((told, outcome.is_ok()), (id, true));
    // One that is over is told to who submits it all the same, and has an id of its own.
    let params = scene.ticket("x").to_string();
    let send = send.clone();
    let done = Box::new(move |id, outcome| send.send((id, outcome)).unwrap());
    let second = scene.world.host.submit("tickets.get", params.as_bytes(), CallOptions::default(), done).unwrap();
    let (told, outcome) = ended.recv().unwrap();
    assert!(told == second && second != id && outcome.is_ok());
    assert_eq!(scene.world.host.cancel(second).unwrap_err().code, Code::NotFound);
    // Nothing of the one that was dropped is left: closing waits for nobody.
    scene.world.host.close(60_000).unwrap();
    assert!(ended.try_recv().is_err());
    assert_eq!(scene.begin("tickets.get", &scene.ticket("x")).err().unwrap().code, Code::Closed);
}
