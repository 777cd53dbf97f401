//! The form of a connection: what is told of secrets, who overwrites whom, and what ConnectWise does with its settings.

use psa_host::{Code, Error};
use psa_tests::compile;
use psa_tests::scene::{Scene, fast};
use psa_tests::world::World;
use serde_json::{Value, json};

fn gallery() -> (World, String) {
    let folder = tempfile::tempdir().unwrap();
    let plugin = compile::shipped("gallery", folder.path());
    let world = World::open(folder, &[&plugin], json!({"form_defaults": {"gallery.title": "From the host"}})).unwrap();
    let connection = world.connect("gallery", json!({"account": "acme"}), json!({"token": "k3pt-token"}));
    (world, connection)
}

fn with(world: &World, connection: &str, method: &str, mut params: Value) -> Result<Value, Error> {
    params["tenant"] = json!("t");
    params["connection"] = json!(connection);
    world.call(method, params)
}

fn at(error: &Error) -> Vec<(&str, &str)> {
    error.fields.iter().map(|field| (field.at.as_str(), field.code.as_str())).collect()
}

#[test]
fn a_new_connection_has_the_hosts_defaults_then_the_forms_and_a_change_has_none() {
    let (world, connection) = gallery();
    let made = with(&world, &connection, "connections.get", json!({})).unwrap();
    assert_eq!(
        made["settings"],
        json!({"account": "acme", "outcome": "works", "title": "From the host", "count": 3, "on": false,
               "extras": ["one"], "every": "PT5M"})
    );
    let change = json!({"settings": {"account": "acme", "story": "One\r\ntwo", "title": " A title "}});
    let changed = with(&world, &connection, "connections.update", change).unwrap();
    assert_eq!(changed["settings"], json!({"account": "acme", "story": "One\ntwo", "title": "A title"}));
    // What belongs to a later step is asked for only where it was filled in before.
    let board = json!({"settings": {"account": "acme", "board": "1"}});
    with(&world, &connection, "connections.update", board).unwrap();
    let gone = with(&world, &connection, "connections.update", json!({"settings": {"account": "acme"}})).unwrap_err();
    assert_eq!(at(&gone), [("/settings/board", "required")]);
}

#[test]
fn a_secret_is_told_by_its_state_alone_and_can_be_replaced_and_taken_away() {
    let (world, connection) = gallery();
    let call = |method: &str, params: Value| with(&world, &connection, method, params);
    let made = call("connections.get", json!({})).unwrap();
    let states = &made["secret_states"];
    assert_eq!(made["secrets"], json!(["signing", "token"]));
    assert_eq!((&states["token"]["set_by"], &states["password"]), (&json!("product"), &json!({"set": false})));
    let print = states["token"]["fingerprint"].as_str().unwrap().to_owned();
    assert!(print.len() == 9 && print.as_bytes()[4] == b'-', "{print}");
    // The same value again is the same secret, and says who entered it.
    let same = call("connections.update", json!({"secrets": {"token": "k3pt-token"}, "by": "Ann"})).unwrap();
    let state = &same["secret_states"]["token"];
    assert_eq!((state["fingerprint"].as_str(), &state["set_by"]), (Some(print.as_str()), &json!("Ann")));
    // One of a group takes the place of the other.
    let other = call("connections.update", json!({"secrets": {"password": "w0rd"}})).unwrap();
    assert_eq!(other["secrets"], json!(["password", "signing"]));
    let both = json!({"secrets": {"password": "w0rd", "token": "k3pt-token"}});
    assert!(at(&call("connections.update", both).unwrap_err()).contains(&("/secrets/token", "exclusive")));
    let cleared = call("connections.update", json!({"clear": ["password"]})).unwrap();
    assert_eq!(cleared["secrets"], json!(["signing"]));
    for (params, field) in [
        (json!({"clear": ["signing"]}), ("/clear/signing", "required")),
        (json!({"clear": ["gone"]}), ("/clear/gone", "unknown_field")),
        (json!({"clear": ["token"], "secrets": {"token": "k3pt-token"}}), ("/clear/token", "secret")),
        (json!({"secrets": {"token": ""}}), ("/secrets/token", "required")),
        (json!({"secrets": {"token": "abc"}}), ("/secrets/token", "min")),
        (json!({"secrets": {"extra_key": "x"}}), ("/secrets/extra_key", "not_shown")),
        (json!({"secrets": {"gone": "x"}}), ("/secrets/gone", "unknown_field")),
    ] {
        assert_eq!(at(&call("connections.update", params.clone()).unwrap_err()), [field], "{params}");
    }
    let all = call("connections.get", json!({})).unwrap().to_string();
    assert!(!all.contains("k3pt-token") && !all.contains("w0rd"), "{all}");
}

#[test]
fn a_secret_that_the_form_wants_made_is_told_once() {
    let (world, _) = gallery();
    let new = json!({"tenant": "t", "plugin": "gallery", "settings": {"account": "other"}});
    let made = world.call("connections.create", new.clone()).unwrap();
    let secret = made["made"]["signing"].as_str().unwrap();
    assert!(secret.len() >= 40 && made["secret_states"]["signing"]["set"] == true, "{made}");
    let of = json!({"tenant": "t", "connection": made["connection"]});
    let again = world.call("connections.get", of).unwrap();
    assert!(again.get("made").is_none() && !again.to_string().contains(secret), "{again}");
    assert_ne!(world.call("connections.create", new).unwrap()["made"]["signing"], json!(secret));
}

#[test]
fn who_has_read_an_older_revision_overwrites_nothing_and_what_is_fixed_stays() {
    let (world, connection) = gallery();
    let call = |method: &str, params: Value| with(&world, &connection, method, params);
    let rev = call("connections.get", json!({})).unwrap()["rev"].clone();
    let change = |title: &str, rev: &Value| {
        let settings = json!({"account": "acme", "title": title, "region": "north"});
        call("connections.update", json!({"settings": settings, "rev": rev}))
    };
    let newer = change("Mine", &rev).unwrap()["rev"].clone();
    let error = change("Theirs", &rev).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Conflict, Some("changed_meanwhile")));
    // A secret counts, too.
    call("connections.update", json!({"secrets": {"token": "another"}})).unwrap();
    assert_eq!(change("Mine again", &newer).unwrap_err().reason.as_deref(), Some("changed_meanwhile"));
    assert_eq!(call("connections.get", json!({})).unwrap()["settings"]["title"], "Mine");
    let moved = json!({"settings": {"account": "acme", "region": "south"}});
    assert_eq!(at(&call("connections.update", moved).unwrap_err()), [("/settings/region", "immutable")]);
    let activity = world.call("activity.list", json!({"tenant": "t"})).unwrap().to_string();
    assert!(
        activity.contains(r#""title":{"from":"From the host","to":"Mine"}"#) && !activity.contains("another"),
        "{activity}"
    );
}

#[test]
fn the_form_and_its_schema_are_there_for_other_front_ends() {
    let (world, _) = gallery();
    let found = world.call("plugins.form", json!({"plugin": "gallery"})).unwrap();
    assert_eq!(found["form"]["fields"][0]["key"], "account");
    assert_eq!(found["schema"]["properties"]["token"]["writeOnly"], true);
    assert_eq!(world.call("plugins.form", json!({"plugin": "gone"})).unwrap_err().code, Code::NotFound);
}

/// The scene's connection with more settings, tested.
fn set(scene: &Scene, more: Value) {
    let mut settings = scene.simulator.settings();
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    scene.call("connections.update", json!({"settings": settings, "strict": true})).unwrap();
    assert_eq!(scene.call("connections.test", json!({})).unwrap()["passed"], true);
}

#[test]
fn a_ticket_that_names_no_place_goes_where_the_settings_say() {
    let scene = Scene::with(&["--tls"], fast());
    let options = |source: &str, more: Value| {
        let mut params = json!({"try": {"tenant": "t", "connection": scene.connection}, "source": source});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        scene.world.call("connections.options", params).unwrap()["items"].as_array().unwrap().clone()
    };
    let boards = options("boards", json!({}));
    let board = boards.iter().find(|board| board["inactive"] == false && board.get("group").is_none()).unwrap();
    let statuses = options("statuses", json!({"args": {"board": board["value"]}}));
    let status = statuses.iter().find(|status| status["inactive"] == false && status.get("help").is_none()).unwrap();
    let priorities = options("priorities", json!({}));
    let companies = options("companies", json!({}));
    let words = companies[0]["label"].as_str().unwrap().split(' ').next().unwrap();
    assert!(options("companies", json!({"query": words})).iter().any(|found| found["value"] == companies[0]["value"]));
    assert!(!options("members", json!({})).is_empty());
    let create = |number: u32, more: Value| {
        let mut ticket =
            json!({"product_ticket": format!("NEW-{number}"), "summary": "Printer on fire", "wait_ms": 60_000});
        ticket.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        scene.call("tickets.create", ticket).unwrap()
    };
    // Nobody is named as the company: refused, before anything is sent.
    assert_eq!(create(1, json!({}))["state"], "refused");
    set(
        &scene,
        json!({"default_board": board["value"], "new_status": status["value"],
        "default_priority": priorities[0]["value"], "fallback_company": companies[0]["value"]}),
    );
    assert_eq!(create(2, json!({}))["state"], "delivered");
    let sent = scene.seen("create_ticket");
    let body = &sent.last().unwrap()["body"];
    let id = |value: &Value| json!({"id": value["value"].as_str().unwrap().parse::<u64>().unwrap()});
    assert_eq!((&body["board"], &body["status"]), (&id(board), &id(status)), "{body}");
    assert_eq!((&body["priority"], &body["company"]), (&id(&priorities[0]), &id(&companies[0])), "{body}");
}

#[test]
fn what_connectwise_finds_wrong_with_settings_is_named_by_its_field() {
    let scene = Scene::with(&["--tls"], fast());
    let check = |more: Value| {
        let mut settings = scene.simulator.settings();
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let issues = scene.call("connections.check", json!({"settings": settings})).unwrap();
        let first = &issues["items"][0];
        (first["at"].as_str().unwrap_or_default().to_owned(), first["code"].as_str().unwrap_or_default().to_owned())
    };
    for (more, at, code) in [
        (json!({}), "", ""),
        (json!({"callbacks_on": true, "callback_scope": "board"}), "/settings/callback_scope", "board_required"),
        (json!({"default_board": "Help Desk"}), "/settings/default_board", "id"),
        (json!({"poll_every": "PT10S"}), "/settings/poll_every", "min"),
        (json!({"client_id": "x"}), "/settings/client_id", "format"),
        (json!({"company_id": "other"}), "/secrets/private_key", "rebind"),
    ] {
        assert_eq!(check(more.clone()), (at.to_owned(), code.to_owned()), "{more}");
    }
}
