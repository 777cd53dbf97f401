//! The storm: everything that can be lost on the way from the PSA is lost, and afterwards the product knows all of it.
//!
//! Holds: [`Storm`] (how much), [`Report`] (what it took), and the story itself.
//! The story, in virtual time with the times of a product (windows every two minutes that end a minute before the present,
//! settling for two seconds, registrations compared every ten minutes), the PSA's clock seven minutes ahead: ten rounds of
//! changes, with 30 % of the callbacks lost, 30 % sent twice and all in another order, in each of which the PSA switches
//! the callbacks off; in one the code base becomes another; an hour without any callback while changes go on; at the end
//! many tickets change within one second.
//! Promises: within five minutes of the last change, what was told adds up to what the PSA shows, and each note of others
//! was told once.
//!
//! What is counted: all GET requests of the host at the PSA from the first change on, of whatever kind. A reading of a
//! ticket takes two of them, the ticket and its notes. It is `needed` if the ticket has changed since the reading before.
//! `by_the_clock` are requests that come whether or not anything changes: windows, registrations, code base, keys. What is
//! left without those and without two for each needed reading is read `in_vain`. `extra` is both together, and is to be less
//! than 2 % of the changes; where there are few changes in many minutes, the clock alone takes more, and only what was in
//! vain is held against the host.
//!
//! Not part of the promise: a note on a ticket that nothing else ever happens to, whose callback is lost. No list of
//! changes shows it (source: facts 6, `lastUpdated`), and only the daily sweep reads it. Here every ticket changes once
//! more at the end.

mod check;
mod reads;

use crate::inbound::Inbound;
use crate::time::Time;
use check::{Told, shown};
use psa_host::clock::VirtualClock;
use reads::Reads;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

const MINUTE: u64 = 60_000;
const ROUNDS: u64 = 10;
/// More than five within an hour are left to a person.
const BETWEEN_DISABLINGS: u64 = 13 * MINUTE;

/// How much of it.
#[derive(Debug, Clone)]
pub struct Storm {
    /// Changes at the PSA, without those of one second at the end.
    pub changes: u64,
    /// Linked tickets.
    pub links: u64,
    /// Tickets that change within one second at the end; the linked ones are among them.
    pub same_second: u64,
    /// The same seed makes the same changes.
    pub seed: u64,
}

/// What it took.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Changes at the PSA, all of them.
    pub changes: u64,
    /// Notes among them.
    pub notes: u64,
    /// Callbacks that were never sent.
    pub lost: u64,
    /// Readings of tickets that had changed since the reading before.
    pub needed: u64,
    /// Readings that told something.
    pub tellings: u64,
    /// Events that were told.
    pub events: u64,
    /// What the host has read, by endpoint.
    pub reads: BTreeMap<String, u64>,
    /// Virtual time from the last change until everything was known.
    pub healed_ms: u64,
    /// Virtual time of it all.
    pub took_ms: u64,
}

impl Report {
    /// All reads.
    pub fn all_reads(&self) -> u64 {
        self.reads.values().sum()
    }

    /// Reads that come with time alone.
    pub fn by_the_clock(&self) -> u64 {
        self.reads
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "get_ticket" | "list_notes"))
            .map(|(_, n)| n)
            .sum()
    }

    /// Reads beyond two for each needed reading.
    pub fn extra(&self) -> u64 {
        self.all_reads().saturating_sub(2 * self.needed)
    }

    /// Those of them that are not by the clock.
    pub fn in_vain(&self) -> u64 {
        self.extra().saturating_sub(self.by_the_clock())
    }

    /// So many of a hundred changes.
    pub fn percent(&self, reads: u64) -> f64 {
        reads as f64 * 100.0 / self.changes as f64
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Report { changes, notes, lost, needed, tellings, events, reads, healed_ms, took_ms } = self;
        writeln!(
            f,
            "{changes} changes ({notes} notes) in {} virtual minutes, {lost} callbacks lost",
            took_ms / MINUTE
        )?;
        writeln!(
            f,
            "{events} events in {tellings} tellings; all was known {} s after the last change",
            healed_ms / 1000
        )?;
        writeln!(f, "reads {} for {needed} needed readings: {reads:?}", self.all_reads())?;
        let (extra, vain) = (self.extra(), self.in_vain());
        write!(
            f,
            "extra {extra} ({:.2} % of the changes), in vain {vain} ({:.2} %)",
            self.percent(extra),
            self.percent(vain)
        )
    }
}

/// A storm under way.
struct Course<'a> {
    storm: &'a Storm,
    scene: Inbound,
    time: Time,
    tickets: BTreeSet<u64>,
    told: Told,
    reads: Reads,
    report: Report,
}

impl Storm {
    /// Runs it. It panics when something was lost or told twice.
    pub fn run(&self) -> Report {
        let mut course = self.begin();
        let before = course.shown();
        let known = course.notes();
        let start = course.time.passed_ms();
        course.rounds();
        course.outage();
        course.one_second();
        let end = course.time.passed_ms();
        course.heal(&before, &known, end);
        course.report.healed_ms = course.time.passed_ms() - end;
        course.report.took_ms = course.time.passed_ms() - start;
        course.note();
        let Course { told, reads, mut report, .. } = course;
        (report.tellings, report.events) = (told.tellings, told.events);
        (report.needed, report.reads) = (reads.needed, reads.by_endpoint);
        report
    }

    fn begin(&self) -> Course<'_> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_millis();
        let clock = VirtualClock::at(i64::try_from(now).expect("it is before the year 292278994"));
        let product = json!({
            "callbacks": {"settle_ms": 2_000, "poll_ms": 2 * MINUTE, "window_ms": MINUTE, "ensure_ms": 10 * MINUTE,
                          "tick_ms": 500, "backoff_ms": 5_000, "backoff_max_ms": 5 * MINUTE},
            // Minutes of virtual time go by while a request is under way, or a plugin thinks.
            "egress": {"timeout_ms": 24 * 60 * MINUTE},
            "outbox": {"quiet_ms": 48 * 60 * MINUTE},
            "stall_grace_ms": 48 * 60 * MINUTE,
        });
        let tickets = self.same_second.max(self.links).to_string();
        let scene = Inbound::with(&["--tls", "--tickets", &tickets], &product, Some(clock.clone()));
        let report = Report::default();
        let tickets = (1001..1001 + self.links).collect();
        let (time, told, reads) = (Time::of(clock, &scene, 7 * MINUTE), Told::default(), Reads::default());
        let mut course = Course { storm: self, scene, time, tickets, told, reads, report };
        course.scene.simulator.switches(&json!({"delivery_scale": 1.0})).expect("the simulator answers");
        course.until("the callbacks are registered", |course| {
            let listed = course.scene.of("callbacks.list", json!({})).expect("the host answers");
            let rows = listed["items"].as_array().cloned().unwrap_or_default();
            (rows.len() == 2 && rows.iter().all(|row| row["state"] == "active")).then_some(())
        });
        for ticket in course.tickets.clone() {
            course.scene.link(ticket);
        }
        // The first look, from which windows follow each other.
        course.pass(3 * MINUTE);
        course.hear();
        course.told = Told::default();
        course.control("DELETE", "log", None);
        course.control("DELETE", "deliveries", None);
        let hard = json!({"callback_lose_percent": 30, "callback_repeat_percent": 30, "callback_reorder": true});
        course.scene.simulator.switches(&hard).expect("the simulator answers");
        course
    }
}

impl Course<'_> {
    /// Nine tenths of the changes, with the callbacks switched off by the PSA in the middle of each round.
    fn rounds(&mut self) {
        let portion = self.storm.changes * 9 / 10 / ROUNDS / 6;
        for round in 0..ROUNDS {
            for part in 0..6 {
                if part == 3 {
                    self.control("POST", "callbacks/disable", Some(json!({"all": true})));
                }
                self.churn(portion, round * 6 + part);
                self.pass(BETWEEN_DISABLINGS / 6);
            }
            if round == 4 {
                let upgrade = json!({"codebase": "v2025_2"});
                self.scene.simulator.switches(&upgrade).expect("the simulator answers");
            }
        }
    }

    /// An hour in which nothing is told, and changes go on.
    fn outage(&mut self) {
        self.scene.simulator.switches(&json!({"callbacks_off": true})).expect("the simulator answers");
        for part in 0..6 {
            self.churn(self.storm.changes / 10 / 6, 1_000 + part);
            self.pass(10 * MINUTE);
        }
        self.scene.simulator.switches(&json!({"callbacks_off": false})).expect("the simulator answers");
    }

    /// Many tickets with one time, so that no list by time can be cut between them.
    fn one_second(&mut self) {
        self.note();
        let tickets: Vec<u64> = (1001..1001 + self.storm.same_second.max(self.storm.links)).collect();
        let order = json!({"changes": tickets.len(), "tickets": tickets, "each": true, "same_second": true, "seed": 9});
        self.control("POST", "tickets/churn", Some(order));
        self.report.changes += tickets.len() as u64;
        self.reads.change(tickets);
        self.deliver();
    }

    /// Until the product knows everything, within five minutes.
    fn heal(&mut self, before: &BTreeMap<u64, Value>, known: &BTreeMap<u64, u64>, end: u64) {
        loop {
            self.hear();
            let (told, shown) = (self.told.folded(before), self.shown());
            let mut notes = self.notes();
            notes.retain(|note, _| !known.contains_key(note));
            if told == shown && self.told.notes == notes {
                return;
            }
            if self.time.passed_ms() - end > 5 * MINUTE {
                let log = self.scene.log.lock().expect("no panic holds it").clone();
                check::explain(&told, &shown, &self.told.notes, &notes, &log);
            }
            self.pass(5_000);
        }
    }

    fn churn(&mut self, changes: u64, seed: u64) {
        if changes == 0 {
            return;
        }
        self.note();
        let seed = self.storm.seed * 100_000 + seed;
        let order = json!({"changes": changes, "tickets": self.tickets, "seed": seed, "notes_percent": 20});
        let done = self.control("POST", "tickets/churn", Some(order));
        self.report.changes += changes;
        self.report.notes += done["notes"].as_u64().unwrap_or_default();
        let changed = done["tickets"].as_array().expect("a list").iter().filter_map(Value::as_u64);
        self.reads.change(changed);
        self.deliver();
    }

    /// Waits until all callbacks have come; each has its end, however busy the machine is.
    fn deliver(&self) {
        while !self.scene.simulator.settle_deliveries().expect("the simulator answers") {}
    }

    fn pass(&mut self, ms: u64) {
        self.time.pass(&self.scene, ms);
    }

    fn until<T>(&mut self, what: &str, mut found: impl FnMut(&Self) -> Option<T>) -> T {
        for _ in 0..600 {
            if let Some(found) = found(self) {
                return found;
            }
            self.pass(1_000);
        }
        panic!("it never came to this: {what}; the log: {:#?}", self.scene.log.lock());
    }

    fn control(&self, method: &str, door: &str, body: Option<Value>) -> Value {
        self.scene.simulator.control(method, door, body.as_ref()).expect("the simulator answers")
    }

    fn hear(&mut self) {
        for event in self.scene.events("storm") {
            self.told.hear(&event);
        }
    }

    /// Takes over what was told, read and lost since the last change, and lets the simulator forget it.
    fn note(&mut self) {
        self.hear();
        self.reads.take(&self.scene.simulator.log().expect("the simulator answers"));
        self.control("DELETE", "log", None);
        self.report.lost += self.control("GET", "deliveries", None)["lost"].as_u64().unwrap_or_default();
        self.control("DELETE", "deliveries", None);
    }

    /// What the linked tickets show at the PSA.
    fn shown(&self) -> BTreeMap<u64, Value> {
        let all = self.control("GET", "tickets", None);
        let rows = all["items"].as_array().expect("a list").iter();
        let of = |row: &Value| Some((row["id"].as_u64().filter(|id| self.tickets.contains(id))?, shown(row)));
        rows.filter_map(of).collect()
    }

    /// Notes of linked tickets, each told once.
    fn notes(&self) -> BTreeMap<u64, u64> {
        let all = self.control("GET", "notes", None);
        let ids = all["items"].as_array().expect("a list").iter();
        let linked = |note: &&Value| note["ticket"].as_u64().is_some_and(|ticket| self.tickets.contains(&ticket));
        ids.filter(linked).filter_map(|note| Some((note["id"].as_u64()?, 1))).collect()
    }
}
