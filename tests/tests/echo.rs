//! Both sides change linked tickets at random, and nothing that one side has done comes back to it as if the other had.
//!
//! Callbacks come three times, and our own come before the answer they are about. The product keeps a copy of each ticket:
//! it takes over its own changes when they are delivered, and those of others as they are told; it writes nothing because
//! of an event. Afterwards an hour of virtual time goes by with all its windows, and nothing comes of it.
//! `PSA_ECHO=edits:tickets` makes it longer: `PSA_ECHO=10000:100`.

use psa_tests::inbound::Inbound;
use psa_tests::time::Time;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const MINUTE: u64 = 60_000;
const WRITES: [&str; 3] = ["patch_ticket", "add_note", "add_time_entry"];

/// What the product knows.
#[derive(Default)]
struct Product {
    /// Field by field, of each ticket.
    copies: BTreeMap<(u64, &'static str), String>,
    /// What its own operations want: ticket, field, value.
    wants: HashMap<String, (u64, &'static str, String)>,
    /// What persons have set at the PSA.
    by_others: BTreeSet<(u64, &'static str, String)>,
    notes: BTreeSet<String>,
    events: usize,
}

impl Product {
    fn hear(&mut self, event: &Value) {
        self.events += 1;
        match event["event"].as_str().unwrap_or_default() {
            "operation.delivered" => {
                let operation = event["operation"].as_str().unwrap_or_default();
                if let Some((ticket, field, value)) = self.wants.get(operation) {
                    self.copies.insert((*ticket, field), value.clone());
                }
            }
            "ticket.changed" if event["caused_by"]["provider"].is_string() => {
                let ticket = event["ticket"].as_str().and_then(|id| id.parse().ok()).expect("a ticket");
                // Of changes of both in one reading, whoever was last is named, and our operations too.
                let mixed = event["caused_by"]["operations"].is_array();
                for field in ["status", "summary"] {
                    let to = &event["changes"][field]["to"];
                    if let Some(value) = to.as_str().or(to["id"].as_str()) {
                        let by_others = self.by_others.contains(&(ticket, field, value.to_owned()));
                        assert!(mixed || by_others, "an echo: {event:#}");
                        self.copies.insert((ticket, field), value.to_owned());
                    }
                }
            }
            "note.added" => {
                assert_ne!(event["caused_by"]["provider"], "psabridge", "an echo: {event:#}");
                assert!(self.notes.insert(event["note"].as_str().expect("an id").to_owned()), "told twice: {event:#}");
            }
            _ => {}
        }
    }
}

struct World {
    scene: Inbound,
    links: Vec<String>,
    product: Product,
    random: StdRng,
    by_us: usize,
    time: Time,
    /// Writes of ours that the PSA has carried out, by endpoint.
    writes: BTreeMap<String, usize>,
    /// Lists of changed tickets that it was asked for.
    lists: usize,
}

fn ticket(number: usize) -> u64 {
    1001 + number as u64
}

impl World {
    fn new(tickets: usize) -> World {
        let count = (tickets + tickets / 9 + 1).to_string();
        let (scene, time) = Time::stopped(&count, &json!({"callbacks": {"poll_ms": 2 * MINUTE}}), MINUTE);
        // Project tickets have other boards; every tenth is one.
        let links = (0..tickets).map(|number| scene.link(ticket(number))).collect();
        scene.events("p");
        let mut product = Product::default();
        for number in 0..tickets {
            let (status, summary) = shown(&scene, ticket(number));
            product.copies.insert((ticket(number), "status"), status);
            product.copies.insert((ticket(number), "summary"), summary);
        }
        let triple = json!({"callback_repeat_percent": 100, "callback_repeats": 2, "callback_reorder": true, "delivery_scale": 1.0});
        scene.simulator.switches(&triple).unwrap();
        for endpoint in WRITES {
            let late = json!({"endpoint": endpoint, "fault": "late_answer", "ms": 40, "percent": 50});
            scene.simulator.fault(&late).unwrap();
        }
        let random = StdRng::seed_from_u64(11);
        World { scene, links, product, random, by_us: 0, time, writes: BTreeMap::new(), lists: 0 }
    }

    /// One edit, by us or by a person.
    fn edit(&mut self, number: usize) {
        let at = self.random.random_range(0..self.links.len());
        let (ticket, link) = (ticket(at), self.links[at].clone());
        let board = if at % 10 == 9 { 3 } else { 1 + at as u64 % 2 };
        let status = board * 100 + self.random.random_range(1..4);
        let summary = format!("Summary {}", self.random.random_range(0..4));
        let us = self.random.random_bool(0.5);
        let (method, params, wants) = match (us, self.random.random_range(0..10)) {
            (true, 0..3) => {
                ("tickets.set_status", json!({"status": status.to_string()}), Some(("status", status.to_string())))
            }
            (true, 3..6) => ("tickets.update", json!({"changes": {"summary": summary}}), Some(("summary", summary))),
            (true, 6..9) => {
                ("notes.post", json!({"visibility": "internal", "text": format!("Words, number {number}.")}), None)
            }
            (true, _) => {
                let minute = number % 60;
                let time = json!({"started_at": format!("2026-03-02T09:{minute:02}:00Z"), "ended_at": "2026-03-02T10:30:00Z",
                                  "notes": format!("Work, number {number}.")});
                ("time.post", time, None)
            }
            (false, 0..4) => {
                self.product.by_others.insert((ticket, "status", status.to_string()));
                return self.scene.person(ticket, &json!({"status": status}));
            }
            (false, 4..7) => {
                self.product.by_others.insert((ticket, "summary", summary.clone()));
                return self.scene.person(ticket, &json!({"summary": summary}));
            }
            (false, _) => {
                return self.scene.person(ticket, &json!({"note": {"text": format!("Seen, number {number}.")}}));
            }
        };
        let mut params = params;
        (params["tenant"], params["link"]) = (json!("t"), json!(link));
        let operation = self.scene.call(method, params).unwrap();
        self.by_us += 1;
        if let Some((field, value)) = wants {
            let id = operation["operation"].as_str().unwrap().to_owned();
            self.product.wants.insert(id, (ticket, field, value));
        }
    }

    fn hear(&mut self) {
        for event in self.scene.events("p") {
            self.product.hear(&event);
        }
    }

    /// Lets time pass, and takes over what was asked and told.
    fn pass(&mut self, ms: u64) {
        self.time.pass(&self.scene, ms);
        for entry in self.scene.simulator.log().unwrap() {
            let endpoint = entry["endpoint"].as_str().unwrap();
            self.lists += usize::from(endpoint == "search_tickets");
            if entry["committed"] == true && WRITES.contains(&endpoint) {
                *self.writes.entry(endpoint.to_owned()).or_default() += 1;
            }
        }
        self.scene.simulator.control("DELETE", "log", None).unwrap();
        self.hear();
    }

    /// A message once more that was sent long ago.
    fn replay(&self) {
        // Those since the last time.
        let deliveries = self.scene.simulator.deliveries().unwrap();
        let Some(one) = deliveries.iter().rfind(|one| one["type"] == "ticket" && one["company"] == "acme") else {
            return;
        };
        let registered = one["url"].as_str().unwrap().split(['?']).next().unwrap();
        let again = json!({"url": format!("{registered}?recordId="), "id": one["id"], "message_id": one["message_id"]});
        self.scene.simulator.control("POST", "callbacks/send", Some(&again)).unwrap();
        self.scene.simulator.control("DELETE", "deliveries", None).unwrap();
    }

    fn operations(&self) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let page = json!({"limit": 1000, "cursor": cursor});
            let found = self.scene.call("operations.list", json!({"tenant": "t", "page": page})).unwrap();
            all.extend(found["items"].as_array().unwrap().iter().cloned());
            cursor = found["next"].clone();
            if cursor.is_null() {
                return all;
            }
        }
    }
}

fn shown(scene: &Inbound, ticket: u64) -> (String, String) {
    let found = scene.simulator.control("GET", &format!("tickets/{ticket}"), None).unwrap()["ticket"].take();
    (found["status"]["id"].to_string(), found["summary"].as_str().unwrap().to_owned())
}

#[test]
fn nothing_that_one_side_has_done_comes_back_to_it() {
    let size = std::env::var("PSA_ECHO").unwrap_or_else(|_| "300:20".to_owned());
    let (edits, tickets) = size.split_once(':').expect("edits:tickets");
    let (edits, tickets): (usize, usize) = (edits.parse().unwrap(), tickets.parse().unwrap());
    let mut world = World::new(tickets);
    for number in 0..edits {
        world.edit(number);
        if number % 20 == 19 {
            world.replay();
            world.pass(500);
        }
    }
    let operations = loop {
        let all = world.operations();
        if all.iter().all(|operation| operation["ended"].is_string()) {
            break all;
        }
        world.pass(1_000);
    };
    let copies = |world: &World| -> BTreeMap<(u64, &'static str), String> {
        let of = |number| {
            let (status, summary) = shown(&world.scene, ticket(number));
            [((ticket(number), "status"), status), ((ticket(number), "summary"), summary)]
        };
        (0..tickets).flat_map(of).collect()
    };
    assert!(world.scene.simulator.settle_deliveries().unwrap(), "deliveries go on");
    let there = copies(&world);
    let notes = world.scene.simulator.control("GET", "notes", None).unwrap();
    let others = notes["items"].as_array().unwrap().iter().filter(|note| note["createdBy"] == "jdoe");
    let others: BTreeSet<String> = others.map(|note| note["id"].to_string()).collect();
    for round in 0.. {
        world.pass(1_000);
        if world.product.copies == there && world.product.notes == others {
            break;
        }
        let differs: Vec<_> = there.iter().filter(|(at, shows)| world.product.copies.get(at) != Some(shows)).collect();
        let told: Vec<_> = others.symmetric_difference(&world.product.notes).collect();
        assert!(round < 600, "the copies never became the same: {differs:#?}; notes {told:?}");
    }
    assert_eq!(operations.len(), world.by_us);
    let right = |one: &&Value| one["state"] == "delivered" || one["reason"] == "superseded";
    let wrong: Vec<_> = operations.iter().filter(|one| !right(one)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // As many writes as operations that had something to write.
    let mut written = BTreeMap::new();
    for one in operations.iter().filter(|one| one["outcome"] == "applied") {
        let endpoint = match one["kind"].as_str() {
            Some("note") => "add_note",
            Some("time") => "add_time_entry",
            _ => "patch_ticket",
        };
        *written.entry(endpoint.to_owned()).or_default() += 1;
    }
    let writes = world.writes.clone();
    for endpoint in WRITES {
        let (wrote, wanted) = (writes.get(endpoint), written.get(endpoint));
        // Of changes there are fewer where a person had made the same one a moment before.
        assert!(if endpoint == "patch_ticket" { wrote <= wanted } else { wrote == wanted }, "{writes:?} {written:?}");
    }
    // Windows go on, the first of them over all that was done; nothing comes of them.
    let (events, lists) = (world.product.events, world.lists);
    world.pass(60 * MINUTE);
    assert!(world.lists >= lists + 2 * 20, "two lists for each window: {}", world.lists - lists);
    assert_eq!((&world.writes, world.product.events), (&writes, events));
    assert_eq!(copies(&world), there);
    println!(
        "{edits} edits, {} of them ours; writes {writes:?}; {events} events; then an hour without any",
        world.by_us
    );
}
