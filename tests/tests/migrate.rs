//! Settings that an older plugin has kept: what becomes of them under a newer one, and under an older one again.

use psa_host::{Code, Error, Host};
use psa_host_api::abi::{psa_operation, psa_plugin};
use psa_host_api::model::{MigratedSettings, StepState, TestReport, TestStep};
use psa_host_api::ops::{MigrateSettingsRequest, Nothing};
use psa_host_api::sdk::export::{by_name, operation, plugin};
use psa_host_api::sdk::{Cx, Provider, Request, Settings};
use psa_tests::answering::Answering;
use psa_tests::world::World;
use serde_json::{Value, json};
use tempfile::TempDir;

/// One version of the same plugin, linked into this test.
macro_rules! version {
    ($name:ident, $number:literal, $form:literal, [$($operation:ident),*], $migrate:expr) => {
        struct $name(Settings);

        impl Provider for $name {
            const MANIFEST: &'static str = concat!(
                r#"{"id":"acme","name":"Acme","version":""#, $number, r#"","form":{"form_schema":"1.0","plugin":"acme","#,
                r#""default_locale":"en","groups":[{"key":"g","title":{"en":"G"}}],"#, $form, "}}"
            );

            fn open(settings: &Settings, _: &Cx) -> Result<$name, Error> {
                Ok($name(settings.clone()))
            }

            async fn test_connection(&self, cx: &Cx, _: Nothing) -> Result<TestReport, Error> {
                let address = self.0.get("host").or(self.0.get("server_url")).and_then(Value::as_str).unwrap_or_default();
                let secret = if self.0.contains_key("host") { "private_key" } else { "password" };
                let request = Request::get(format!("{address}/hello")).secret_header("authorization", "", secret);
                cx.http().send(request).await?;
                let message = Value::Object(self.0.clone()).to_string();
                let steps = vec![TestStep { message, ..TestStep::new("reach", StepState::Passed) }];
                Ok(TestReport { steps, passed: true, account: None, server_version: None })
            }

            async fn migrate_settings(&self, _: &Cx, request: MigrateSettingsRequest) -> Result<MigratedSettings, Error> {
                let migrate: fn(MigrateSettingsRequest) -> Result<MigratedSettings, Error> = $migrate;
                migrate(request)
            }
        }

        impl $name {
            const OPERATIONS: &'static [psa_operation] = &[$(operation::<$name, by_name::$operation>()),*];
            const PLUGIN: psa_plugin = plugin::<$name>($name::OPERATIONS);

            extern "C" fn entry(_: u32) -> *const psa_plugin {
                static PLUGIN: psa_plugin = $name::PLUGIN;
                &PLUGIN
            }
        }
    };
}

fn as_they_are(request: MigrateSettingsRequest) -> Result<MigratedSettings, Error> {
    Ok(MigratedSettings { settings: request.settings })
}

version!(
    First,
    "1.0.0",
    r#""settings_version":1,"reads_from":1,"fields":[
    {"key":"server_url","type":"url","group":"g","label":{"en":"Server"},"required":true,
     "validate":{"schemes":["http"]}},
    {"key":"username","type":"text","group":"g","label":{"en":"User"},"required":true},
    {"key":"visibility","type":"text","group":"g","label":{"en":"Visibility"}},
    {"key":"note_flag","type":"bool","group":"g","label":{"en":"Flag"}},
    {"key":"plain_key","type":"text","group":"g","label":{"en":"A key, once in the open"}},
    {"key":"kept","type":"text","group":"g","label":{"en":"Nobody knows it later"}},
    {"key":"password","type":"secret","group":"g","label":{"en":"Password"},"required":true,
     "secret":{"bound_to":["server_url"],"send_to":["{server_url}"]}}]"#,
    [test_connection],
    as_they_are
);

version!(
    Second,
    "2.0.0",
    r#""settings_version":3,"reads_from":1,"fields":[
    {"key":"host","type":"url","group":"g","label":{"en":"Host"},"required":true,"validate":{"schemes":["http"]}},
    {"key":"site","type":"text","group":"g","label":{"en":"Site"},"required":true},
    {"key":"company","type":"text","group":"g","label":{"en":"Company"},"required":true},
    {"key":"public_key","type":"text","group":"g","label":{"en":"Public key"},"required":true},
    {"key":"visibility","type":"radio","group":"g","label":{"en":"Visibility"},"options":{"static":[
        {"value":"discussion","label":{"en":"D"}},{"value":"internal","label":{"en":"I"}}]}},
    {"key":"fresh","type":"number","group":"g","label":{"en":"Fresh"},"value_type":"int","default":5,"since":3},
    {"key":"asked_for","type":"text","group":"g","label":{"en":"Asked for"},"required":true,"since":2},
    {"key":"private_key","type":"secret","group":"g","label":{"en":"Private key"},"required":true,
     "secret":{"bound_to":["host"],"send_to":["{host}"]}},
    {"key":"sealed_key","type":"secret","group":"g","label":{"en":"Now a secret"},
     "secret":{"bound_to":["host"],"send_to":["{host}"]}}],
    "migrations":[
        {"from":1,"to":2,"ops":[{"rename":{"from":"server_url","to":"host"}},
            {"set":{"key":"site","value":"custom","if_absent":true}}]},
        {"from":2,"to":3,"ops":[{"split":{"from":"username","sep":"+","to":["company","public_key"]}},
            {"rename":{"from":"password","to":"private_key"}},{"drop":{"key":"note_flag"}},
            {"map":{"key":"visibility","values":{"external":"discussion","analysis":"internal"}}},
            {"rename":{"from":"plain_key","to":"sealed_key"}}]}]"#,
    [test_connection, migrate_settings],
    |request| {
        let mut settings = request.settings;
        assert!(!settings.values().any(|value| value == "s3cret" || value == "0pen"), "no secret comes here");
        let company = settings["company"].as_str().unwrap_or_default().to_uppercase();
        if company == "BROKEN" {
            return Err(Error::invalid("the company cannot be told"));
        }
        settings.insert("company".to_owned(), json!(company));
        Ok(MigratedSettings { settings })
    }
);

fn open(folder: &TempDir, entry: extern "C" fn(u32) -> *const psa_plugin) -> World {
    let inside = tempfile::tempdir_in(folder.path()).unwrap();
    let same = json!({"data_dir": folder.path().join("data"), "vault": {"key_file": folder.path().join("vault.keys")}});
    let world = World::open(inside, &[], same).unwrap();
    Host::add_plugin(&world.host, Some(entry)).unwrap();
    world
}

fn created(world: &World, server: &Answering, more: Value) -> String {
    let mut settings = json!({"server_url": server.url, "username": "acme+PUB"});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.connect("acme", settings, json!({"password": "s3cret"}))
}

fn get(world: &World, connection: &str) -> Value {
    world.call("connections.get", json!({"tenant": "t", "connection": connection})).unwrap()
}

fn test(world: &World, connection: &str) -> Result<Value, Error> {
    world.call("connections.test", json!({"tenant": "t", "connection": connection}))
}

#[test]
fn settings_and_secrets_are_brought_to_the_newer_form_and_no_plugin_sees_a_secret() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Answering::at_once());
    let world = open(&folder, First::entry);
    let more = json!({"visibility": "external", "note_flag": true, "plain_key": "0pen", "kept": "for later"});
    let connection = created(&world, &server, more);
    test(&world, &connection).unwrap();
    let before = get(&world, &connection);
    assert_eq!((&before["state"], &before["plugin_version"]), (&json!("active"), &json!("1.0.0")));
    world.host.close(1_000).unwrap();
    drop(world);

    let world = open(&folder, Second::entry);
    let after = get(&world, &connection);
    assert_eq!(
        after["settings"],
        json!({"host": server.url.trim_end_matches('/'), "site": "custom", "company": "ACME", "public_key": "PUB",
               "visibility": "discussion", "fresh": 5})
    );
    assert_eq!(after["secrets"], json!(["private_key", "sealed_key"]));
    // It was in use and still is; what is asked for since is asked for when somebody changes it.
    assert_eq!((&after["state"], &after["plugin_version"]), (&json!("active"), &json!("2.0.0")));
    assert!(after["rev"].as_i64() > before["rev"].as_i64());
    let (moved, made) = (&after["secret_states"]["private_key"], &after["secret_states"]["sealed_key"]);
    assert_eq!((&moved["set_by"], &made["set_by"]), (&json!("product"), &json!("host")));
    assert_eq!(moved["set_at"], before["secret_states"]["password"]["set_at"]);
    let report = test(&world, &connection).unwrap();
    assert_eq!(server.logins(), ["s3cret", "s3cret"]);
    // What the form does not know is kept and shown nobody, the plugin neither.
    let seen = report["steps"][0]["message"].as_str().unwrap();
    assert!(seen.contains("ACME") && !seen.contains("for later"), "{seen}");
    let mut settings = after["settings"].clone();
    settings["asked_for"] = json!("now");
    let change = json!({"tenant": "t", "connection": connection, "settings": settings});
    world.call("connections.update", change).unwrap();
    let export = world.call("tenant.export", json!({"tenant": "t"})).unwrap().to_string();
    assert!(export.contains("for later") && !export.contains("0pen") && !export.contains("s3cret"), "{export}");
    let activity = world.call("activity.list", json!({"tenant": "t"})).unwrap().to_string();
    assert!(activity.contains("connection.migrated") && !activity.contains("0pen"), "{activity}");
}

#[test]
fn what_cannot_be_brought_on_stays_as_it_was_and_the_connection_says_why() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Answering::at_once());
    let world = open(&folder, First::entry);
    let whole = created(&world, &server, json!({}));
    let odd = created(&world, &server, json!({"username": "no plus sign", "visibility": "external"}));
    let refused = created(&world, &server, json!({"username": "broken+PUB"}));
    let wrong = created(&world, &server, json!({"visibility": "loud"}));
    let ids = [&odd, &refused, &wrong];
    ids.iter().for_each(|id| drop(test(&world, id).unwrap()));
    let before: Vec<Value> = ids.iter().map(|id| get(&world, id)["settings"].clone()).collect();
    world.host.close(1_000).unwrap();
    drop(world);

    let world = open(&folder, Second::entry);
    for (id, why) in
        ids.iter().zip(["does not hold 2 parts", "the company cannot be told", "must be one of discussion"])
    {
        let stopped = get(&world, id);
        assert_eq!((&stopped["state"], &stopped["reason"]), (&json!("stopped"), &json!("settings")), "{stopped}");
        let detail = stopped["detail"].as_str().unwrap();
        for part in [why, "acme 1.0.0 (version 1 of its form)", "version 3 of 2.0.0"] {
            assert!(detail.contains(part), "{part}: {detail}");
        }
        let error = test(&world, id).unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (Code::Unreadable, Some("settings_older")), "{error}");
    }
    assert_eq!(get(&world, &whole)["settings"]["company"], "ACME");
    world.host.close(1_000).unwrap();
    drop(world);

    // Nothing was lost: under the old plugin they are what they were.
    let world = open(&folder, First::entry);
    let now: Vec<Value> = ids.iter().map(|id| get(&world, id)["settings"].clone()).collect();
    assert_eq!(now, before);
    test(&world, &odd).unwrap();
    assert_eq!(get(&world, &odd)["state"], "active");
    // What the newer one has kept is read only by that one.
    let error = test(&world, &whole).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Unsupported, Some("settings_newer")), "{error}");
    assert!(error.message.contains("acme 2.0.0") && error.message.contains("the one here, 1.0.0"), "{error}");
    let change = json!({"tenant": "t", "connection": whole, "name": "Other"});
    assert_eq!(world.call("connections.update", change).unwrap_err().reason.as_deref(), Some("settings_newer"));
    // Of what both forms know in the open.
    assert_eq!(get(&world, &whole)["settings"], json!({}));
}

#[test]
fn nothing_is_shown_of_settings_whose_plugin_is_gone() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Answering::at_once());
    let world = open(&folder, First::entry);
    let connection = created(&world, &server, json!({"kept": "for later"}));
    world.host.close(1_000).unwrap();
    drop(world);
    let inside = tempfile::tempdir_in(folder.path()).unwrap();
    let same = json!({"data_dir": folder.path().join("data"), "vault": {"key_file": folder.path().join("vault.keys")}});
    let world = World::open(inside, &[], same).unwrap();
    let shown = get(&world, &connection);
    assert_eq!((&shown["settings"], &shown["secret_states"]), (&json!({}), &json!({})));
    assert_eq!(shown["secrets"], json!(["password"]));
}
