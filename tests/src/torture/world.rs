//! Two products on one database, and a ConnectWise that misbehaves.

use super::patient;
use crate::compile;
use crate::process::{Product, outcome};
use psa_simulator::Simulator;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tempfile::TempDir;

/// Where a process can be told to die.
pub const FAIL_POINTS: [&str; 10] = [
    "before_accept",
    "accepted",
    "before_attempt",
    "attempt_open",
    "answered",
    "answer_before_commit",
    "answer_committed",
    "doubt_committed",
    "looked",
    "resend_committed",
];

/// Q, in milliseconds. What is late is so by at most `LATE_MS` and `LISTING_MS`, and by what two busy cores add: a request
/// can wait for seconds at the simulator while dozens of connections are made, and that counts as late too.
const QUIET_MS: u64 = 4_000;
/// Q of the runs in which things come too late on purpose.
const SHORT_QUIET_MS: u64 = 2_000;
/// How late a late deed is done.
const LATE_MS: u64 = 1_000;
/// How much later it is listed.
const LISTING_MS: u64 = 650;

/// Shares of requests that are spoiled, in percent.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// The answer is lost after the deed.
    pub reset_after_commit: u32,
    /// The connection is cut, and the deed comes later.
    pub late_commit: u32,
    /// The connection is cut, and nothing comes.
    pub reset_before_commit: u32,
    /// 500 after the deed.
    pub error_after_commit: u32,
    /// 429.
    pub rate_limited: u32,
    /// PATCH answers 200 and does nothing.
    pub ignored: u32,
    /// Late is later than the host was told it can be: second copies are then expected, and must be reported.
    pub beyond_quiet: bool,
}

pub(super) struct World {
    pub(super) simulator: Simulator,
    pub(super) connection: String,
    pub(super) links: Vec<String>,
    pub(super) tickets: Vec<u64>,
    pub(super) deaths: usize,
    config: Value,
    products: [Option<Product>; 2],
    faults: Faults,
    reported: BTreeMap<String, usize>,
    _folder: TempDir,
}

impl World {
    pub(super) fn new(tickets: usize, faults: &Faults, seed: u64) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let simulator = Simulator::start(
            &compile::target().join("psa-simulator"),
            &["--tls", "--tickets", "200", "--seed", &seed.to_string()],
        )
        .expect("it starts");
        let quiet = if faults.beyond_quiet { SHORT_QUIET_MS } else { QUIET_MS };
        let config = json!({
            "data_dir": folder.path().join("data"),
            "plugins": [compile::shipped("connectwise", folder.path())],
            "vault": {"key_file": folder.path().join("vault.keys")},
            "egress": {"ca_files": [simulator.text("ca")], "allow_private": ["127.0.0.1"], "timeout_ms": 1_000},
            "outbox": {"quiet_ms": quiet, "start_limit_ms": 500, "backoff_ms": 20, "backoff_max_ms": 500, "poll_ms": 20,
                       "in_flight": 16, "watch_ms": [quiet, 2 * quiet, 3 * quiet]},
        });
        let mut world = World {
            simulator,
            connection: String::new(),
            links: Vec::new(),
            tickets: Vec::new(),
            deaths: 0,
            config,
            products: [None, None],
            faults: faults.clone(),
            reported: BTreeMap::new(),
            _folder: folder,
        };
        world.set_up(tickets);
        world
    }

    fn set_up(&mut self, tickets: usize) {
        let create = json!({"tenant": "t", "plugin": "connectwise", "settings": self.simulator.settings(),
                            "secrets": self.simulator.secrets()});
        let made = self.must("connections.create", &create);
        made["connection"].as_str().expect("an id").clone_into(&mut self.connection);
        let of = json!({"tenant": "t", "connection": self.connection});
        assert_eq!(self.must("connections.test", &of)["passed"], true);
        let all = self.simulator.control("GET", "tickets", None).expect("the simulator answers");
        let usable = all["items"].as_array().expect("a list").iter();
        // All on one board, in a status that is none of those that will be set.
        let usable = usable.filter(|ticket| ticket["kind"] == "service" && ticket["board"] == 1);
        self.tickets = usable.filter_map(|ticket| ticket["id"].as_u64()).take(tickets).collect();
        assert_eq!(self.tickets.len(), tickets, "there are not so many tickets on that board");
        for id in self.tickets.clone() {
            let link = json!({"tenant": "t", "connection": self.connection, "product_ticket": format!("HD-{id}"),
                              "ticket": id.to_string()});
            let link = self.must("links.create", &link);
            self.links.push(link["link"].as_str().expect("an id").to_owned());
        }
    }

    /// A call that must succeed, in whichever process lives.
    pub(super) fn must(&mut self, method: &str, params: &Value) -> Value {
        loop {
            let answer = self.product(0, &mut Vec::new()).ask(method, params);
            match patient(&answer) {
                Some(answer) => return outcome(answer).unwrap_or_else(|error| panic!("{method}: {error}")),
                None => self.died(0),
            }
        }
    }

    /// The process of a number; a dead one is replaced, and may be told where to die.
    pub(super) fn product(&mut self, number: usize, fail_points: &mut Vec<String>) -> &mut Product {
        loop {
            if self.products[number].as_mut().is_some_and(Product::lives) {
                break;
            }
            let fail_at = fail_points.pop();
            match Product::start(&self.config, fail_at.as_deref()) {
                Some(Ok(product)) => self.products[number] = Some(product),
                Some(Err(error)) => panic!("the host could not be opened: {error}"),
                None => self.deaths += 1,
            }
        }
        self.products[number].as_mut().expect("it was just started")
    }

    /// It was found dead.
    pub(super) fn died(&mut self, number: usize) {
        self.products[number] = None;
        self.deaths += 1;
    }

    pub(super) fn kill(&mut self, number: usize) {
        if let Some(mut product) = self.products[number].take() {
            product.kill();
            self.deaths += 1;
        }
    }

    pub(super) fn order_faults(&mut self) {
        let Faults {
            reset_after_commit,
            late_commit,
            reset_before_commit,
            error_after_commit,
            rate_limited,
            ignored,
            beyond_quiet,
        } = self.faults.clone();
        // Done and listed within Q together, or far beyond it.
        let late = if beyond_quiet { 3 * SHORT_QUIET_MS } else { LATE_MS };
        let listing = if beyond_quiet { 0 } else { LISTING_MS };
        for endpoint in ["add_note", "create_ticket", "patch_ticket", "add_time_entry"] {
            for (fault, percent, more) in [
                ("reset_after_commit", reset_after_commit, json!({})),
                ("late_commit", late_commit, json!({"ms": late, "listing_ms": listing})),
                ("reset_before_commit", reset_before_commit, json!({})),
                ("error_500_after_commit", error_after_commit, json!({})),
                ("rate_limited_seconds", rate_limited, json!({"retry_after": 1})),
                ("ignored_patch", if endpoint == "patch_ticket" { ignored } else { 0 }, json!({})),
            ] {
                if percent == 0 {
                    continue;
                }
                let mut order = more;
                order["endpoint"] = json!(endpoint);
                order["fault"] = json!(fault);
                order["percent"] = json!(percent);
                self.simulator.fault(&order).expect("the simulator takes it");
            }
        }
    }

    pub(super) fn clear_faults(&mut self) {
        self.simulator.control("DELETE", "faults", None).expect("the simulator answers");
    }

    /// How many operations have not ended; asked in both processes, so that both live.
    pub(super) fn waiting(&mut self, fail_points: &mut Vec<String>) -> usize {
        for number in 0..2 {
            self.product(number, fail_points);
        }
        // In one look: between two, one that is in doubt can be queued again and be in neither.
        let waits = |operation: &&Value| operation["state"] == "queued" || operation["state"] == "in_doubt";
        let mut waiting = self.operations().iter().filter(waits).count();
        // A process that was killed twice while it worked on the same one: the host asks a person, who lets it go on.
        let held = self.must("operations.list", &json!({"tenant": "t", "state": "held"}));
        for operation in held["items"].as_array().expect("a list") {
            assert_eq!(operation["reason"], "second_doubt", "nothing else here needs a person: {operation:#}");
            let of = json!({"tenant": "t", "operation": operation["operation"], "by": "a person"});
            self.decide("operations.retry", &of);
            waiting += 1;
        }
        waiting
    }

    /// A decision that may have been made already, by a process that died before it could say so.
    fn decide(&mut self, method: &str, params: &Value) {
        let answer = self.product(0, &mut Vec::new()).ask(method, params);
        match patient(&answer) {
            Some(answer) => drop(outcome(answer)),
            None => self.died(0),
        }
    }

    /// All operations, in the order of acceptance.
    pub(super) fn operations(&mut self) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let page = if cursor.is_null() { json!({"limit": 1000}) } else { json!({"limit": 1000, "cursor": cursor}) };
            let mut found = self.must("operations.list", &json!({"tenant": "t", "page": page}));
            all.extend(found["items"].as_array().cloned().unwrap_or_default());
            cursor = found["next"].take();
            if cursor.is_null() {
                return all;
            }
        }
    }

    /// All that is known of an operation.
    pub(super) fn history(&mut self, operation: &Value) -> Value {
        let of = json!({"tenant": "t", "operation": operation["operation"]});
        let mut all = self.must("operations.get", &of);
        all["explained"] = self.must("operations.explain", &of);
        all
    }

    /// Every recorded change is one that `durability.md` lists.
    pub(super) fn check_transitions(&mut self, operation: &Value) {
        let of = json!({"tenant": "t", "operation": operation["operation"]});
        let found = self.must("operations.get", &of);
        let mut before = (json!("queued"), Value::Null);
        for step in found["transitions"].as_array().expect("a list") {
            let from = (step["from"].clone(), step["from_attempt"].clone());
            let to = (step["to"].clone(), step["to_attempt"].clone());
            assert_eq!(from, before, "the changes follow each other: {found:#}");
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let allowed = match ((word(&from.0), from.1.is_null()), (word(&to.0), to.1.is_null())) {
                ((from, true), (to, false)) => from == "queued" && to == "queued",
                ((_, false), (to, true)) => ["queued", "delivered", "refused", "in_doubt"].contains(&&*to),
                ((from, true), (to, true)) => match from.as_str() {
                    "queued" => ["delivered", "held", "refused", "discarded"].contains(&&*to),
                    "in_doubt" => ["delivered", "queued", "refused", "held"].contains(&&*to),
                    "held" => ["queued", "delivered", "discarded"].contains(&&*to),
                    _ => false,
                },
                _ => false,
            };
            assert!(allowed, "{step} is not in the table: {found:#}");
            before = to;
        }
        assert_eq!(before.0, found["state"], "{found:#}");
    }

    /// Until all late deeds are done, and the last watch, at three times Q after the end, has looked.
    pub(super) fn settle(&mut self) {
        if !self.faults.beyond_quiet {
            return;
        }
        loop {
            std::thread::sleep(std::time::Duration::from_millis(SHORT_QUIET_MS));
            let all = self.operations();
            let last = all.iter().filter_map(|operation| operation["watch"].as_str()).count();
            if last == 0 {
                return;
            }
        }
    }

    /// How often each fault has struck.
    pub(super) fn struck(&mut self) -> BTreeMap<String, usize> {
        let mut struck = BTreeMap::new();
        for entry in self.simulator.log().expect("the simulator answers") {
            if let Some(fault) = entry["fault"].as_str() {
                *struck.entry(fault.to_owned()).or_default() += 1;
            }
        }
        struck
    }

    /// Copies that events of a kind have named, once no watch is open any more.
    pub(super) fn reported(&mut self, kind: &str) -> usize {
        loop {
            let answer = self.product(0, &mut Vec::new()).ask("next_event", &json!({}));
            let Some(answer) = patient(&answer) else {
                self.died(0);
                continue;
            };
            let event = outcome(answer).expect("events can be read");
            if event.is_null() {
                return self.reported.get(kind).copied().unwrap_or(0);
            }
            let copies = event["copies"].as_array().map_or(0, Vec::len);
            let kind = event["event"].as_str().unwrap_or_default().to_owned();
            *self.reported.entry(kind).or_default() += copies;
        }
    }
}
