//! A desk where every state of every page can be looked at.
//!
//! Promises: each state is reached as in earnest, through the host's methods and the simulator's doors; none goes away by
//! itself while somebody looks.

use super::Desk;
use crate::scene::fast;
use serde_json::{Value, json};

/// The connections and what is on them.
pub struct States {
    /// With the server.
    pub desk: Desk,
    ours: String,
    gallery: String,
    expired: String,
    unreachable: String,
    orphan: String,
    paused: String,
    /// Operations by what they wait for.
    held: String,
    mapping: String,
    doubt: String,
    delivered: String,
    links: Vec<String>,
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value:#}")).to_owned()
}

/// Waits for a state of an operation.
fn until(desk: &Desk, operation: &Value, state: &str) -> String {
    for _ in 0..12_000 {
        let now = desk.call("operations.get", json!({"operation": operation["operation"]})).expect("it is there");
        if now["state"] == state {
            return text(&now, "operation");
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("{operation:#} never came to be {state}");
}

fn connect(desk: &Desk, plugin: &str, name: &str, settings: Value, secrets: Value) -> String {
    let made = json!({"plugin": plugin, "name": name, "settings": settings, "secrets": secrets, "by": "Ann Lee"});
    text(&desk.call("connections.create", made).expect("it can be made"), "connection")
}

fn hand_in(desk: &Desk, link: &str, words: &str) -> Value {
    desk.call("notes.post", json!({"link": link, "visibility": "internal", "text": words})).expect("it is accepted")
}

/// What the helpdesk has, and some of it mapped.
pub fn product_values(desk: &Desk) {
    let rows = |names: &[&str]| -> Value {
        names.iter().map(|name| json!({"id": name.to_lowercase(), "name": name, "email": format!("{}@desk.example", name.to_lowercase().replace(' ', "."))})).collect()
    };
    for (kind, names) in [
        (
            "agent",
            &["Mia Miller", "Jo Doe", "Cy Diaz", "Dee Fox", "Eli Moss", "Gil Hart", "Ida Jay", "Kim Low", "Lee May"][..],
        ),
        ("status", &["New", "In Progress", "Waiting for parts", "Closed"]),
        ("priority", &["Low", "Normal", "Urgent"]),
    ] {
        let values = json!({"kind": kind, "rev": 1, "rows": rows(names)});
        desk.call("product.set_values", values).expect("they are right");
    }
}

impl States {
    /// Makes all of them.
    pub fn make() -> States {
        let mut times = fast();
        times["egress"] = json!({"timeout_ms": 1_500});
        let mut desk = Desk::open(&["connectwise", "gallery"], &times);
        product_values(&desk);
        let plain = crate::compile::plugin("table.c", &[], "table", desk.folder.path());
        let mut plugins = desk.config["plugins"].clone();
        let without = plugins.clone();
        plugins.as_array_mut().expect("a list").push(json!(plain));
        desk.reopen(&json!({"plugins": plugins}));
        let orphan = connect(&desk, "table", "A plugin that is gone", json!({"url": "x"}), json!({}));
        let ours =
            connect(&desk, "connectwise", "Our ConnectWise", desk.simulator.settings(), desk.simulator.secrets());
        let passed = |connection: &str| {
            desk.of(connection, "connections.test", json!({})).expect("it answers")["passed"] == true
        };
        assert!(passed(&ours));
        for (scope, value, status) in [("1", "new", "101"), ("1", "in progress", "102"), ("2", "new", "203")] {
            let items = json!([{"value": value, "status": status}]);
            desk.of(&ours, "statuses.map", json!({"scope": scope, "items": items})).expect("they are right");
        }
        let gallery = connect(
            &desk,
            "gallery",
            "A gallery of fields",
            json!({"account": "acme", "board": "1", "on": true}),
            json!({"token": "tok-3n"}),
        );
        assert!(passed(&gallery));
        let neighbour = |index: usize, name: &str, host: Option<&str>| {
            let account = &desk.simulator.ready["neighbours"][index];
            let mut settings = desk.simulator.settings();
            settings["company_id"] = account["company"].clone();
            settings["public_key"] = account["public_key"].clone();
            host.into_iter().for_each(|host| settings["host"] = json!(host));
            connect(&desk, "connectwise", name, settings, json!({"private_key": account["private_key"]}))
        };
        let expired = neighbour(0, "Signed out", None);
        assert!(passed(&expired));
        desk.simulator
            .fault(&json!({"endpoint": "get_ticket", "fault": "unauthorized", "times": 1}))
            .expect("it listens");
        desk.of(&expired, "tickets.get", json!({"ticket": "1001", "fresh": true})).expect_err("it is refused");
        // Nobody listens at this port.
        let unreachable = neighbour(1, "Cannot be reached", Some("https://127.0.0.1:9"));
        let paused = connect(
            &desk,
            "gallery",
            "Paused for now",
            json!({"account": "other", "board": "1"}),
            json!({"token": "tok-4n"}),
        );
        assert!(passed(&paused));
        desk.of(&paused, "connections.pause", json!({"by": "Ann Lee"})).expect("it can be paused");
        let (links, held, mapping, delivered) = tickets(&desk, &ours);
        // From here on a doubt lasts for an hour, and one plugin is missing.
        let slow = json!({"quiet_ms": 3_600_000, "watch_ms": [3_600_000], "backoff_ms": 3_600_000, "backoff_max_ms": 3_600_000});
        desk.reopen(&json!({"plugins": without, "outbox": slow}));
        desk.simulator
            .fault(&json!({"endpoint": "add_note", "fault": "reset_before_commit", "times": 1}))
            .expect("it listens");
        let doubt = until(&desk, &hand_in(&desk, &links[4], "In doubt."), "in_doubt");
        desk.simulator
            .fault(&json!({"endpoint": "add_note", "fault": "cannot_route", "times": 1}))
            .expect("it listens");
        hand_in(&desk, &links[3], "On its way.");
        States { desk, ours, gallery, expired, unreachable, orphan, paused, held, mapping, doubt, delivered, links }
    }

    /// All of them, as the programs in `tests/browser` take them.
    pub fn pages(&self) -> Value {
        let States { ours, gallery, expired, unreachable, orphan, paused, .. } = self;
        let c = |who: &str, connection: &str, rest: &str| format!("/{who}/c/{connection}{rest}");
        let mut pages = Vec::new();
        let mut add = |name: &str, path: String, status: u16, steps: Value| {
            pages.push(json!({"name": name, "path": path, "status": status, "steps": steps}));
        };
        let none = || json!([]);
        // Nothing yet, and what is not well.
        add("nothing-connected", "/newcomer/".into(), 200, none());
        add("list-of-all-states", "/ann/".into(), 200, none());
        add("list-for-a-viewer", "/viewer/".into(), 200, none());
        add("empty-tickets", c("ann", gallery, "/tickets"), 200, none());
        add("empty-callbacks", c("ann", gallery, "/callbacks"), 200, none());
        add("empty-filter", c("ann", ours, "/tickets?state=gone"), 200, none());
        add("empty-activity", c("ann", ours, "/activity?find=nothing-like-it"), 200, none());
        // Who may only look.
        for (name, rest) in [
            ("overview", ""),
            ("settings", "/settings"),
            ("members", "/map/members"),
            ("statuses", "/map/statuses?scope=1"),
            ("tickets", "/tickets"),
            ("callbacks", "/callbacks"),
            ("activity", "/activity"),
        ] {
            add(&format!("viewer-{name}"), c("viewer", ours, rest), 200, none());
        }
        add("viewer-operation", c("viewer", ours, &format!("/operations/{}", self.held)), 200, none());
        // The PSA is away, signs nobody in, or its plugin is gone.
        for (name, rest) in [
            ("overview", ""),
            ("settings", "/settings"),
            ("members", "/map/members"),
            ("statuses", "/map/statuses?scope=1"),
            ("priorities", "/map/priorities"),
        ] {
            add(&format!("unreachable-{name}"), c("ann", unreachable, rest), 200, none());
        }
        add(
            "unreachable-compare",
            c("ann", unreachable, "/callbacks"),
            200,
            json!([{"submit": "form[action$='/compare'] button"}]),
        );
        add("expired-overview", c("ann", expired, ""), 200, none());
        add("expired-settings", c("ann", expired, "/settings"), 200, none());
        add("orphan-overview", c("ann", orphan, ""), 200, none());
        add("orphan-settings", c("ann", orphan, "/settings"), 200, none());
        add("orphan-plugin", "/ann/plugins/table".into(), 404, none());
        add("paused-overview", c("ann", paused, ""), 200, none());
        // Forms with everything that can be wrong.
        add("form-of-all-kinds", c("ann", gallery, "/settings"), 200, none());
        for (name, words) in [("form-searched", "Ada"), ("form-searched-in-vain", "Nobody")] {
            let find =
                json!([{"fill": ["[name='person.find']", words]}, {"submit": "[value='find:person']", "plain": true}]);
            add(name, c("ann", gallery, "/settings"), 200, find);
        }
        let wrong = json!([{"fill": ["#title", "x"]}, {"fill": ["#mail", "nobody"]}, {"fill": ["#count", "many"]}, {"loose": "#psa-form"},
                           {"click": "[name='token.op'][value=replace]"}, {"fill": ["#token", "abc"]}, {"submit": "[value=test_save]"}]);
        add("form-with-errors", c("ann", gallery, "/settings"), 200, wrong);
        let refused =
            json!([{"select": ["#outcome", "refused"]}, {"loose": "#psa-form"}, {"submit": "[value=test_save]"}]);
        add("form-whose-test-fails", c("ann", gallery, "/settings"), 200, refused);
        let limited = json!([{"select": ["#outcome", "limited"]}, {"loose": "#psa-form"}, {"submit": ".psa-bar [value=test]", "plain": true}]);
        add("form-whose-test-warns", c("ann", gallery, "/settings"), 200, limited);
        let meanwhile = json!([{"set": ["[name=_rev]", "0"]}, {"loose": "#psa-form"}, {"submit": "[value=test_save]"}]);
        add("form-changed-meanwhile", c("ann", gallery, "/settings"), 200, meanwhile);
        add(
            "connect-with-errors",
            "/ann/new/gallery".into(),
            200,
            json!([{"fill": ["#account", "Not This"]}, {"loose": "#psa-form"}, {"submit": ".psa-bar button"}]),
        );
        let refused = json!([{"click": "[name='private_key.op'][value=replace]"}, {"fill": ["#private_key", "not-right"]}, {"submit": ".psa-bar button"}]);
        add("credentials-refused", c("ann", expired, "/reauth"), 200, refused);
        add(
            "credentials-missing",
            c("ann", expired, "/reauth"),
            200,
            json!([{"loose": "#psa-form"}, {"submit": ".psa-bar button"}]),
        );
        add("setup-second-step", c("ann", gallery, "/setup/2"), 200, none());
        // The last step begins the first look, which has ended by the time that somebody asks.
        let last = json!([{"loose": "#psa-form"}, {"submit": ".psa-bar button"}]);
        add("setup-finished", c("ann", ours, "/setup/3"), 200, last);
        add("progress-ended", c("ann", ours, "/progress/import"), 200, none());
        add(
            "mapping-refused",
            c("ann", ours, "/map/members"),
            200,
            json!([{"set": ["[name='was.0']", "=999"]}, {"last": "#to-0"}, {"submit": ".psa-bar button"}]),
        );
        // Copying to other boards, as it is offered, looked at, and with nothing chosen.
        add("copy", c("ann", ours, "/map/statuses/copy?scope=1"), 200, none());
        add("copy-looked-at", c("ann", ours, "/map/statuses/copy?scope=1&look=1&to=2&to=3"), 200, none());
        add("copy-with-nothing-chosen", c("ann", ours, "/map/statuses/copy?scope=1&look=1"), 422, none());
        // Writes.
        for (name, operation) in [
            ("held", &self.held),
            ("needs-mapping", &self.mapping),
            ("in-doubt", &self.doubt),
            ("delivered", &self.delivered),
        ] {
            add(&format!("operation-{name}"), c("ann", ours, &format!("/operations/{operation}")), 200, none());
        }
        add(
            "decision-refused",
            c("ann", ours, &format!("/operations/{}", self.held)),
            200,
            json!([{"loose": "form[action$='/discard']"}, {"submit": "form[action$='/discard'] button"}]),
        );
        for (name, index) in [("needs-mapping", 0), ("held", 1), ("unlinked", 2), ("waiting", 3), ("in-doubt", 4)] {
            add(&format!("ticket-{name}"), c("ann", ours, &format!("/tickets/{}", self.links[index])), 200, none());
        }
        add("tickets-of-all-states", c("ann", ours, "/tickets"), 200, none());
        add("callbacks-with-deliveries", c("ann", ours, "/callbacks"), 200, none());
        add(
            "callbacks-compared",
            c("ann", ours, "/callbacks"),
            200,
            json!([{"submit": "form[action$='/compare'] button"}]),
        );
        add(
            "remove-not-confirmed",
            c("ann", ours, "/remove"),
            200,
            json!([{"click": "[name=what][value=delete]"}, {"submit": "[formaction$='/delete']"}]),
        );
        // Pages that say why there is no other.
        add("problem-404", "/ann/c/none".into(), 404, none());
        add("problem-405", c("ann", ours, "/pause"), 405, none());
        add("problem-403", c("viewer", ours, "/reauth"), 403, none());
        add("problem-nothing-allowed", "/nobody/".into(), 403, none());
        add("problem-413", format!("/ann/{}", "x".repeat(9_000)), 413, none());
        add(
            "problem-422",
            c("ann", gallery, "/settings"),
            200,
            json!([{"remove": "[name=_rev]"}, {"loose": "#psa-form"}, {"submit": "[value=test_save]"}]),
        );
        add(
            "problem-429",
            c("hasty", ours, ""),
            200,
            json!([{"flood": "/hasty/c/none/pause"}, {"submit": "form[action$='/pause'] button"}]),
        );
        add(
            "problem-other-site",
            c("ann", ours, ""),
            200,
            json!([{"set": ["[name=_token]", "forged"]}, {"submit": "form[action$='/pause'] button"}]),
        );
        // Other readers, and a product's own page around it.
        for (who, rest) in [
            ("german", "/settings"),
            ("german", "/tickets"),
            ("arabic", "/settings"),
            ("arabic", "/map/members"),
            ("compact", "/tickets"),
            ("compact", "/settings"),
        ] {
            add(&format!("{who}-{}", rest.rsplit('/').next().unwrap_or_default()), c(who, ours, rest), 200, none());
        }
        for rest in ["", "/settings", "/map/members", "/tickets", "/remove"] {
            let name = rest.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("overview");
            add(&format!("product-{name}"), c("product", ours, rest), 200, none());
        }
        Value::Array(pages)
    }

    /// The pages inside a product's own document that are held beside themselves under hostile style sheets.
    pub fn in_a_product(&self) -> Value {
        let States { ours, gallery, .. } = self;
        let page = |name: &str, path: String| json!({"name": name, "path": format!("/product{path}")});
        json!([
            page("index", "/".into()),
            page("overview", format!("/c/{ours}")),
            page("settings", format!("/c/{ours}/settings")),
            page("form", format!("/c/{gallery}/settings")),
            page("members", format!("/c/{ours}/map/members")),
            page("tickets", format!("/c/{ours}/tickets")),
            page("operation", format!("/c/{ours}/operations/{}", self.held)),
            page("callbacks", format!("/c/{ours}/callbacks")),
            page("activity", format!("/c/{ours}/activity")),
            page("remove", format!("/c/{ours}/remove")),
            page("plugin", "/plugins/connectwise".into()),
        ])
    }
}

/// Links in each state; the operations that are held for a decision, that need a mapping, and one that was delivered.
fn tickets(desk: &Desk, ours: &str) -> (Vec<String>, String, String, String) {
    let registered = || {
        let all = desk.of(ours, "callbacks.list", json!({})).expect("it is there")["items"].as_array().cloned();
        all.is_some_and(|all| all.len() == 2 && all.iter().all(|one| one["state"] == "active"))
    };
    while !registered() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let link = |ticket: u64| {
        let params = json!({"product_ticket": format!("HD-{ticket}"), "ticket": ticket.to_string()});
        text(&desk.of(ours, "links.create", params).expect("the ticket is there"), "link")
    };
    let links: Vec<String> = (1001..=1006).map(link).collect();
    let status = json!({"link": links[0], "value": "waiting for parts"});
    let mapping = until(desk, &desk.call("tickets.set_status", status).expect("it is accepted"), "held");
    let control = |ticket: u64, act: Value| {
        desk.simulator.control("POST", &format!("tickets/{ticket}"), Some(&act)).expect("it listens")
    };
    desk.simulator
        .fault(&json!({"endpoint": "add_note", "fault": "reset_before_commit", "times": 1}))
        .expect("it listens");
    let near = hand_in(desk, &links[1], "The printer on the second floor jams.");
    until(desk, &near, "in_doubt");
    control(
        1002,
        json!({"note": {"text": "Quite other words altogether.", "createdBy": "psabridge", "internal": true}}),
    );
    let held = until(desk, &near, "held");
    desk.call("links.unlink", json!({"link": links[2], "by": "Ann Lee"})).expect("it can be taken apart");
    let delivered = until(desk, &hand_in(desk, &links[5], "Done."), "delivered");
    // Somebody changes a ticket, and a callback tells it.
    control(1006, json!({"summary": "The printer is repaired"}));
    assert!(desk.simulator.settle_deliveries().expect("it listens"), "deliveries go on");
    (links, held, mapping, delivered)
}
