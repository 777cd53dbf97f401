//! Many writes, two processes, a bad network, and death at any moment.
//!
//! Holds: [`Torture`], which does it, and [`Torture::check`], which asks the simulator what came of it.
//! Promises: the simulator's own log decides; nothing here knows how the host works.
//! Leaves to others: how much of it (`tests/torture.rs` a little, `cargo xtask torture` all).

mod world;

pub use world::{FAIL_POINTS, Faults};

use crate::process::outcome;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use world::World;

/// What is handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Notes, among them pairs with equal words.
    Notes,
    /// New tickets.
    Tickets,
    /// Changes of status.
    Statuses,
    /// Time.
    Times,
    /// Changes of other fields.
    Updates,
}

/// One run.
#[derive(Debug, Clone)]
pub struct Torture {
    /// What is handed in.
    pub what: What,
    /// How many.
    pub count: usize,
    /// Over so many tickets.
    pub tickets: usize,
    /// How many pairs of notes have equal words.
    pub pairs: usize,
    /// How often a process is killed at a random moment.
    pub kills: usize,
    /// Whether a process dies once at each fail point.
    pub fail_points: bool,
    /// What goes wrong on the way.
    pub faults: Faults,
    /// The same seed makes the same choices.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Operations by state, and outcome or reason.
    pub ends: BTreeMap<String, usize>,
    /// Processes that died.
    pub deaths: usize,
    /// Requests that the simulator spoiled, by fault.
    pub faults: BTreeMap<String, usize>,
    /// Second copies at the PSA.
    pub duplicates: usize,
    /// Second copies that the host has reported.
    pub reported: usize,
}

/// One thing that is handed in.
struct Item {
    method: &'static str,
    params: Value,
    key: String,
    accepted: bool,
}

impl Torture {
    /// Does it and checks it.
    pub fn run(&self) -> Report {
        let mut random = StdRng::seed_from_u64(self.seed);
        let mut world = World::new(self.tickets, &self.faults, self.seed);
        let mut items = self.items(&world);
        let mut fail_points: Vec<String> = Vec::new();
        if self.fail_points {
            fail_points = FAIL_POINTS.iter().map(|name| format!("{name}:{}", random.random_range(1..4))).collect();
        }
        let every = (items.len() / self.kills.max(1)).max(1);
        let (mut kills, mut handed_in) = (self.kills, 0);
        world.order_faults();
        while let Some(at) = items.iter().position(|item| !item.accepted) {
            let process = random.random_range(0..2);
            let item = &mut items[at];
            let mut params = item.params.clone();
            params["client_key"] = json!(item.key);
            // Nobody knows whether a process that died had accepted it: it is handed in again under its key.
            match world.product(process, &mut fail_points).ask(item.method, &params).recv() {
                Ok(answer) => {
                    outcome(answer).unwrap_or_else(|error| panic!("{}: {error}", item.key));
                    item.accepted = true;
                    handed_in += 1;
                }
                Err(_) => world.died(process),
            }
            if kills > self.kills / 2 && handed_in % every == 0 {
                kills -= 1;
                world.kill(random.random_range(0..2));
            }
        }
        self.wait(&mut world, &mut fail_points, kills, &mut random);
        world.clear_faults();
        self.check(&mut world, &items)
    }

    fn items(&self, world: &World) -> Vec<Item> {
        (0..self.count)
            .map(|number| {
                let ticket = number % self.tickets;
                let key = format!("item {number}");
                let link = &world.links[ticket];
                let (method, params) = match self.what {
                    What::Notes => {
                        // Both of a pair go to the same ticket, one after the other.
                        let pair = number / (2 * self.tickets) * self.tickets + ticket;
                        let text = if pair < self.pairs {
                            format!("The same words are here twice, pair {pair}.")
                        } else {
                            format!("Note number {number} has words of its own.")
                        };
                        let visibility = ["internal", "public", "resolution"][number / self.tickets % 3];
                        let visibility = if pair < self.pairs { "internal" } else { visibility };
                        ("notes.post", json!({"tenant": "t", "link": link, "visibility": visibility, "text": text}))
                    }
                    What::Tickets => (
                        "tickets.create",
                        json!({"tenant": "t", "connection": world.connection, "product_ticket": format!("HD-new-{number}"),
                               // Every fifth has the summary of another one.
                               "summary": format!("Ticket {}", number - number % 5 / 4), "company": "2", "board": "1"}),
                    ),
                    What::Statuses => {
                        let status = [101, 102, 103][number / self.tickets % 3].to_string();
                        ("tickets.set_status", json!({"tenant": "t", "link": link, "status": status}))
                    }
                    What::Times => {
                        let (day, hour) = (1 + number / 12 % 28, 8 + number % 12);
                        let at = |minute: usize| format!("2026-01-{day:02}T{hour:02}:{minute:02}:00Z");
                        let notes = format!("Time number {number}.");
                        let (start, end) = (at(0), at(30));
                        let params = json!({"tenant": "t", "link": link, "started_at": start, "ended_at": end, "notes": notes});
                        ("time.post", params)
                    }
                    What::Updates => {
                        let summary = format!("Summary number {number}");
                        ("tickets.update", json!({"tenant": "t", "link": link, "changes": {"summary": summary}}))
                    }
                };
                Item { method, params, key, accepted: false }
            })
            .collect()
    }

    /// Until every operation has come to its end, with the deaths that are left.
    fn wait(&self, world: &mut World, fail_points: &mut Vec<String>, mut kills: usize, random: &mut StdRng) {
        loop {
            let waiting = world.waiting(fail_points);
            if waiting == 0 && kills == 0 && fail_points.is_empty() {
                return;
            }
            if kills > 0 {
                kills -= 1;
                world.kill(random.random_range(0..2));
            } else if waiting == 0 {
                // A fail point that was not reached by the work that was left.
                fail_points.clear();
            }
        }
    }

    fn check(&self, world: &mut World, items: &[Item]) -> Report {
        world.settle();
        let operations = world.operations();
        assert_eq!(operations.len(), items.len(), "as many operations as were handed in");
        let mut report = Report { deaths: world.deaths, faults: world.struck(), ..Report::default() };
        for operation in &operations {
            let how = operation["outcome"].as_str().or(operation["reason"].as_str()).unwrap_or("?");
            *report.ends.entry(format!("{} {how}", operation["state"].as_str().unwrap_or("?"))).or_default() += 1;
        }
        for operation in &operations {
            world.check_transitions(operation);
        }
        match self.what {
            What::Notes => self.check_notes(world, items, &operations, &mut report),
            What::Tickets => self.check_tickets(world, &operations, &mut report),
            What::Statuses => check_statuses(world, &operations),
            What::Times => self.check_times(world, items, &operations),
            What::Updates => self.check_updates(world, items, &operations),
        }
        report
    }

    fn check_notes(&self, world: &mut World, items: &[Item], operations: &[Value], report: &mut Report) {
        let notes = world.simulator.control("GET", "notes", None).expect("the simulator answers");
        let words: HashMap<&str, &Item> = items.iter().map(|item| (item.key.as_str(), item)).collect();
        assert_eq!(words.len(), items.len());
        // In the order of acceptance, lane by lane; the n-th item of a link was the n-th to be accepted there.
        let mut lanes: HashMap<String, Vec<&Value>> = HashMap::new();
        for operation in operations {
            lanes.entry(operation["link"].as_str().unwrap_or_default().to_owned()).or_default().push(operation);
        }
        let late = self.faults.beyond_quiet;
        for (ticket, link) in world.links.clone().iter().enumerate() {
            let expected: Vec<String> = items
                .iter()
                .enumerate()
                .filter(|(number, _)| number % self.tickets == ticket)
                .map(|(_, item)| item.params["text"].as_str().unwrap_or_default().to_owned())
                .collect();
            let id = world.tickets[ticket];
            let found: Vec<String> = notes["items"]
                .as_array()
                .expect("a list")
                .iter()
                .filter(|note| note["ticket"] == id && note["createdBy"] == "psabridge")
                .map(|note| note["text"].as_str().unwrap_or_default().to_owned())
                .filter(|text| text.starts_with("The same words") || text.starts_with("Note number"))
                .collect();
            let lane = lanes.remove(link).unwrap_or_default();
            assert!(lane.iter().all(|operation| operation["state"] == "delivered"), "ticket {id}: {lane:#?}");
            if late {
                report.duplicates += found.len() - expected.len();
                for text in &expected {
                    assert!(found.contains(text), "ticket {id} lacks \"{text}\"");
                }
            } else {
                if found != expected {
                    // What somebody needs who wants to know why.
                    for operation in &lane {
                        eprintln!("{:#}", world.history(operation));
                    }
                    for entry in world.simulator.log().expect("the simulator answers") {
                        if entry["path"].as_str().is_some_and(|path| path.ends_with(&format!("/tickets/{id}/notes"))) {
                            eprintln!("{entry}");
                        }
                    }
                }
                assert_eq!(found, expected, "ticket {id}: each once, in the order of acceptance");
            }
        }
        report.reported = world.reported("note.duplicated");
        assert_eq!(report.duplicates, report.reported, "second copies, and those that were reported");
    }

    fn check_tickets(&self, world: &mut World, operations: &[Value], report: &mut Report) {
        let tickets = world.simulator.control("GET", "tickets", None).expect("the simulator answers");
        let ours: Vec<&Value> = tickets["items"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|ticket| ticket["externalXRef"].as_str().is_some_and(|mark| mark.starts_with("psa-bridge ")))
            .collect();
        for operation in operations {
            assert_eq!(operation["state"], "delivered", "{operation}");
            let remote = operation["remote"].as_str().unwrap_or_default();
            let remote: Option<u64> = remote.parse().ok();
            assert!(ours.iter().any(|ticket| ticket["id"].as_u64() == remote), "{operation}");
        }
        report.duplicates = ours.len() - operations.len();
        report.reported = world.reported("ticket.duplicated");
        assert_eq!(report.duplicates, report.reported, "second tickets, and those that were reported");
        let mut remotes: Vec<&str> =
            operations.iter().map(|operation| operation["remote"].as_str().unwrap_or_default()).collect();
        remotes.sort_unstable();
        remotes.dedup();
        assert_eq!(remotes.len(), operations.len(), "no ticket belongs to two operations");
    }

    fn check_times(&self, world: &mut World, items: &[Item], operations: &[Value]) {
        assert!(operations.iter().all(|operation| operation["state"] == "delivered"), "{operations:#?}");
        let mut found: Vec<String> = Vec::new();
        for ticket in world.tickets.clone() {
            let of = json!({"tenant": "t", "connection": world.connection, "ticket": ticket.to_string(),
                            "page": {"limit": 1000}});
            let listed = world.must("time.list", &of)["items"].take();
            let words = listed.as_array().expect("a list").iter().filter_map(|entry| entry["notes"].as_str());
            found.extend(words.filter(|words| words.starts_with("Time number")).map(str::to_owned));
        }
        let mut expected: Vec<&str> = items.iter().filter_map(|item| item.params["notes"].as_str()).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "each time is there once");
    }

    /// The last summary of each lane is the ticket's.
    fn check_updates(&self, world: &mut World, items: &[Item], operations: &[Value]) {
        assert!(operations.iter().all(|operation| operation["state"] == "delivered"), "{operations:#?}");
        let tickets = world.simulator.control("GET", "tickets", None).expect("the simulator answers");
        for (ticket, id) in world.tickets.iter().enumerate() {
            let rows = tickets["items"].as_array().expect("a list");
            let row = rows.iter().find(|row| row["id"] == *id).expect("it is there");
            let last = items.iter().enumerate().rfind(|(number, _)| number % self.tickets == ticket);
            let wanted = last.map(|(_, item)| item.params["changes"]["summary"].clone());
            assert_eq!(Some(&row["summary"]), wanted.as_ref(), "ticket {id}");
        }
    }
}

/// The last status of each lane is the ticket's, or somebody said why not; none was set twice.
fn check_statuses(world: &mut World, operations: &[Value]) {
    let tickets = world.simulator.control("GET", "tickets", None).expect("the simulator answers");
    for (ticket, link) in world.links.clone().iter().enumerate() {
        let id = world.tickets[ticket];
        let row = tickets["items"].as_array().expect("a list").iter().find(|row| row["id"] == id).expect("it is there");
        let lane: Vec<&Value> = operations.iter().filter(|operation| operation["link"] == *link).collect();
        for operation in &lane {
            let known = operation["state"] == "delivered" || operation["reason"] == "superseded";
            assert!(known, "{operation}");
        }
        let last = lane.last().expect("each ticket has some");
        if last["state"] == "delivered" {
            assert_eq!(row["status"].to_string(), last["status"].as_str().unwrap_or_default(), "ticket {id}: {row}");
        }
        let changes = row["status_changes"].as_array().expect("a list");
        assert!(changes.len() <= lane.len(), "ticket {id}: {changes:?}");
        assert!(changes.iter().all(|change| change["from"] != change["to"]), "ticket {id}: {changes:?}");
    }
}

/// Waits for an answer, but not for ever.
fn patient(answer: &std::sync::mpsc::Receiver<Value>) -> Option<Value> {
    match answer.recv_timeout(Duration::from_secs(120)) {
        Ok(answer) => Some(answer),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => panic!("no answer for two minutes"),
    }
}
