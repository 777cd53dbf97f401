//! Settings and secrets that are tried before they are kept: nothing of a trial stays, and no stored secret goes where it
//! was not meant to.

use psa_host::{Code, Error};
use psa_tests::answering::Answering;
use psa_tests::compile;
use psa_tests::world::World;
use serde_json::{Value, json};

/// A host with the gallery and one connection of tenant "t" to a server of its own.
struct Gallery {
    world: World,
    server: Answering,
    connection: String,
}

fn gallery() -> Gallery {
    let folder = tempfile::tempdir().unwrap();
    let plugin = compile::shipped("gallery", folder.path());
    let world = World::open(folder, &[&plugin], json!({})).unwrap();
    let server = Answering::at_once();
    let settings = json!({"account": "acme", "server": server.url});
    let connection = world.connect("gallery", settings, json!({"token": "k3pt-token"}));
    Gallery { world, server, connection }
}

impl Gallery {
    fn call(&self, method: &str, mut params: Value) -> Result<Value, Error> {
        params["tenant"] = json!("t");
        params["connection"] = json!(self.connection);
        self.world.call(method, params)
    }

    /// The settings as they are kept, with these in their place.
    fn settings(&self, more: Value) -> Value {
        let mut settings = self.call("connections.get", json!({})).unwrap()["settings"].clone();
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        settings
    }

    /// What the server was shown last.
    fn shown(&self) -> Option<String> {
        self.server.logins().last().cloned()
    }
}

fn step<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["steps"].as_array().unwrap().iter().find(|step| step["step"] == name).unwrap_or(&Value::Null)
}

fn codes(issues: &Value) -> Vec<(String, String)> {
    let word = |issue: &Value, name: &str| issue[name].as_str().unwrap_or_default().to_owned();
    issues["items"].as_array().unwrap().iter().map(|issue| (word(issue, "at"), word(issue, "code"))).collect()
}

fn at(error: &Error) -> Vec<(&str, &str)> {
    error.fields.iter().map(|field| (field.at.as_str(), field.code.as_str())).collect()
}

#[test]
fn a_trial_uses_what_is_tried_fills_in_what_is_kept_and_leaves_nothing() {
    let gallery = gallery();
    assert_eq!(gallery.call("connections.test", json!({})).unwrap()["passed"], true);
    let before = gallery.call("connections.get", json!({})).unwrap();
    // Kept secrets fill in.
    let tried =
        gallery.call("connections.try", json!({"settings": gallery.settings(json!({"title": "Other"}))})).unwrap();
    assert_eq!(tried["passed"], true, "{tried}");
    assert!(step(&tried, "reach")["ms"].is_u64(), "{tried}");
    assert_eq!(gallery.shown().as_deref(), Some("Bearer k3pt-token"));
    // What the real connection has kept is not there, twice.
    for _ in 0..2 {
        let replaced = json!({"secrets": {"token": {"op": "replace", "value": "tr1ed-token"}}});
        let tried = gallery.call("connections.try", replaced).unwrap();
        assert_eq!(step(&tried, "kept")["message"], "0 kept, 0 remembered");
        assert_eq!(gallery.shown().as_deref(), Some("Bearer tr1ed-token"));
    }
    assert_eq!(gallery.call("connections.get", json!({})).unwrap(), before);
    let tested = gallery.call("connections.test", json!({})).unwrap();
    assert_eq!(step(&tested, "kept")["message"], "1 kept, 1 remembered");
    assert_eq!(gallery.shown().as_deref(), Some("Bearer k3pt-token"));
    let without = gallery.call("connections.try", json!({"secrets": {"token": {"op": "clear"}}})).unwrap();
    assert_eq!(
        (step(&without, "reach")["code"].as_str(), without["passed"].as_bool()),
        (Some("unauthenticated"), Some(false))
    );
}

#[test]
fn a_test_warns_fails_or_breaks_off_and_nothing_is_stopped_by_a_trial() {
    let gallery = gallery();
    let tried = |outcome: &str| {
        gallery.call("connections.try", json!({"settings": gallery.settings(json!({"outcome": outcome}))}))
    };
    let limited = tried("limited").unwrap();
    assert_eq!((&limited["passed"], &step(&limited, "sync")["state"]), (&json!(true), &json!("warning")));
    assert_eq!(step(&limited, "sync")["disables"], json!(["sync"]));
    let refused = tried("refused").unwrap();
    assert_eq!((&refused["passed"], &step(&refused, "sign_in")["state"]), (&json!(false), &json!("failed")));
    assert_eq!(tried("broken").unwrap_err().code, Code::Unavailable);
    assert_eq!(gallery.call("connections.get", json!({})).unwrap()["state"], "setup");
}

#[test]
fn a_new_connection_is_tried_before_it_is_there() {
    let gallery = gallery();
    let trial = |account: &str, secrets: Value| {
        let settings = json!({"account": account, "server": gallery.server.url});
        let trial = json!({"tenant": "t", "plugin": "gallery", "settings": settings, "secrets": secrets});
        gallery.world.call("connections.try", trial)
    };
    assert_eq!(trial("other", json!({"token": "first"})).unwrap()["passed"], true);
    assert_eq!(gallery.shown().as_deref(), Some("Bearer first"));
    let all = gallery.world.call("connections.list", json!({"tenant": "t"})).unwrap();
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    // What is required later is not asked for now; what is wrong is.
    assert_eq!(
        at(&trial("Not Good", json!({"token": "abc"})).unwrap_err()).iter().map(|(at, _)| *at).collect::<Vec<_>>(),
        ["/secrets/token", "/settings/account"]
    );
    // The account is connected already, once a test has said so.
    assert_eq!(trial("acme", json!({"token": "first"})).unwrap()["passed"], true);
    gallery.call("connections.test", json!({})).unwrap();
    let twice = trial("acme", json!({"token": "first"})).unwrap();
    assert_eq!((&twice["passed"], &step(&twice, "account")["state"]), (&json!(false), &json!("failed")));
    assert!(step(&twice, "account")["message"].as_str().unwrap().contains(&gallery.connection), "{twice}");
    // Another tenant's is nobody's business.
    let settings = json!({"account": "acme", "server": gallery.server.url});
    let other = json!({"tenant": "u", "plugin": "gallery", "settings": settings, "secrets": {"token": "first"}});
    assert_eq!(gallery.world.call("connections.try", other).unwrap()["passed"], true);
    let foreign = json!({"tenant": "u", "connection": gallery.connection});
    assert_eq!(gallery.world.call("connections.try", foreign).unwrap_err().code, Code::NotFound);
}

#[test]
fn a_kept_secret_is_not_sent_to_another_server() {
    let gallery = gallery();
    let thief = Answering::at_once();
    let moved = gallery.settings(json!({"server": thief.url}));
    for (method, params) in [
        ("connections.try", json!({"settings": moved})),
        (
            "connections.options",
            json!({"try": {"tenant": "t", "connection": gallery.connection, "settings": moved},
            "source": "boards"}),
        ),
        ("connections.update", json!({"settings": moved, "strict": true})),
    ] {
        let outcome = if method == "connections.options" {
            gallery.world.call(method, params)
        } else {
            gallery.call(method, params)
        };
        let error = outcome.unwrap_err();
        assert_eq!(
            (error.reason.as_deref(), at(&error)),
            (Some("rebind"), vec![("/secrets/token", "rebind")]),
            "{method}"
        );
        assert!(error.message.contains("\"Server\" changed. Enter \"Token\" again"), "{}", error.message);
    }
    let issues = gallery.call("connections.check", json!({"settings": moved})).unwrap();
    assert!(codes(&issues).contains(&("/secrets/token".to_owned(), "rebind".to_owned())), "{issues}");
    assert!(thief.logins().is_empty());
    // The same address in other words is the same address.
    let same =
        gallery.settings(json!({"server": format!(" {} ", gallery.server.url.to_uppercase().replace("HTTP", "http"))}));
    assert_eq!(gallery.call("connections.try", json!({"settings": same})).unwrap()["passed"], true);
    // Entered again it goes where it was entered for.
    let again = json!({"settings": moved, "secrets": {"token": "n3w-token"}, "strict": true});
    gallery.call("connections.update", again).unwrap();
    gallery.call("connections.test", json!({})).unwrap();
    assert_eq!(thief.logins(), ["Bearer n3w-token"]);
    // Without being strict the change is kept, and the connection waits for the secret.
    let back = gallery.settings(json!({"server": gallery.server.url}));
    let stopped = gallery.call("connections.update", json!({"settings": back})).unwrap();
    assert_eq!((&stopped["state"], &stopped["reason"]), (&json!("stopped"), &json!("settings")));
    assert_eq!(gallery.call("connections.test", json!({})).unwrap_err().code, Code::Unreadable);
    assert_eq!(gallery.shown().as_deref(), Some("Bearer k3pt-token"));
}

#[test]
fn all_that_is_wrong_is_told_at_once_in_the_order_of_the_form() {
    let gallery = gallery();
    let check = |settings: Value, secrets: Value| {
        let params = json!({"settings": gallery.settings(settings), "secrets": secrets});
        codes(&gallery.call("connections.check", params).unwrap())
    };
    let found = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect()
    };
    let whole = json!({"board": "1"});
    assert_eq!(check(whole.clone(), json!({})), found(&[]));
    assert_eq!(check(json!({}), json!({})), found(&[("/settings/board", "required")]));
    assert_eq!(
        check(
            json!({"hosts": ["-x"], "on": true, "count": 12, "amount": "0.3", "board": "1", "unknown": 1}),
            json!({"token": "abc", "password": "x", "signing": {"op": "clear"}})
        ),
        found(&[
            ("/secrets/token", "min"),
            ("/secrets/password", "exclusive"),
            ("/secrets/signing", "required"),
            ("/settings/amount", "step"),
            ("/settings/colour", "required"),
            ("/settings/hosts", "format"),
            ("/settings/unknown", "unknown"),
        ])
    );
    // The plugin's own rules come after the form's, also when it does not open.
    assert_eq!(check(json!({"board": "1", "count": 12}), json!({})), found(&[("/settings/count", "needs_on")]));
    assert_eq!(check(json!({"board": "1", "title": "acme"}), json!({})), found(&[("/settings/title", "same")]));
    assert_eq!(
        check(json!({"board": "1", "account": ""}), json!({})),
        found(&[("/settings/account", "required"), ("/secrets/token", "rebind")])
    );
    for title in ["slow", "crash"] {
        assert_eq!(check(json!({"board": "1", "title": title}), json!({})), found(&[("", "not_validated")]), "{title}");
    }
}

#[test]
fn choices_come_from_the_plugin_are_remembered_and_what_is_chosen_is_looked_up() {
    let gallery = gallery();
    let tried = |settings: &Value| json!({"tenant": "t", "connection": gallery.connection, "settings": settings});
    let options = |source: &str, more: Value| {
        let mut params = json!({"try": tried(&gallery.settings(json!({}))), "source": source});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        gallery.world.call("connections.options", params)
    };
    // Before the list is known nobody says that a choice is wrong.
    let wrong = json!({"settings": gallery.settings(json!({"board": "9"}))});
    assert_eq!(codes(&gallery.call("connections.check", wrong.clone()).unwrap()), []);
    let boards = options("boards", json!({})).unwrap();
    assert_eq!((&boards["items"][1]["group"], &boards["items"][2]["inactive"]), (&json!("Field"), &json!(true)));
    let issues = gallery.call("connections.check", wrong).unwrap();
    assert_eq!(codes(&issues), [("/settings/board".to_owned(), "option".to_owned())]);
    assert_eq!(options("statuses", json!({"args": {"board": "2"}})).unwrap()["items"][1]["value"], "21");
    let people = options("people", json!({})).unwrap();
    assert_eq!((people["items"].as_array().unwrap().len(), &people["next"]), (250, &json!("250")));
    let some = options("people", json!({"query": "bo number 11"})).unwrap();
    assert_eq!(some["items"][0]["label"], "Bo Number 11");
    assert_eq!(options("hostile", json!({})).unwrap()["items"][1]["value"], "<script>alert(1)</script>");
    for (source, more, field) in [
        ("gone", json!({}), "/source"),
        ("boards", json!({"args": {"x": 1}}), "/args"),
        ("boards", json!({"query": "x"}), "/query"),
        ("statuses", json!({}), "/args/board"),
    ] {
        assert_eq!(options(source, more).unwrap_err().fields[0].at, field, "{source}");
    }
    assert_eq!(options("broken", json!({})).unwrap_err().code, Code::Unavailable);
    let params = json!({"try": tried(&gallery.settings(json!({}))), "source": "slow"});
    assert_eq!(gallery.world.call_within("connections.options", params, 300).unwrap_err().code, Code::Timeout);
    // What is wrong in a later step does not keep choices from being read.
    let broken = tried(&gallery.settings(json!({"count": "many", "mail": "nobody"})));
    let params = json!({"try": broken, "source": "boards"});
    assert_eq!(gallery.world.call("connections.options", params).unwrap()["items"][0]["label"], "Help Desk");
}
