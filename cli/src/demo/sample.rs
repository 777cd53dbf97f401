//! Sample data for the page: what an MSP would have after a few days, and what happens while one looks.
//!
//! Promises: everything is made through the host's own methods and the simulator's own doors; nothing is written past them.

use super::{Demo, Outcome, WAIT_MS, expect, of, on, text};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Between two changes at the PSA.
const PAUSE: Duration = Duration::from_secs(4);
/// Linked tickets.
const LINKS: u64 = 14;

/// People of the helpdesk; the first two bear the names of members of the simulator.
const AGENTS: [(&str, &str); 6] = [
    ("Mia Miller", "mia@desk.example"),
    ("Jo Doe", "jo@desk.example"),
    ("Cy Diaz", "cy.diaz@desk.example"),
    ("Dee Fox", "dee@desk.example"),
    ("Eli Moss", "eli@desk.example"),
    ("Gil Hart", "gil@desk.example"),
];

impl Demo {
    /// Fills the page.
    pub(super) fn sample(&self, connection: &str, link: &str) -> Outcome {
        self.product_values()?;
        self.mappings(connection)?;
        let mut links = vec![link.to_owned()];
        for number in 2..=LINKS {
            let params =
                json!({"product_ticket": format!("HD-{}", 10_400 + number), "ticket": (1000 + number).to_string()});
            links.push(text(&self.call("links.create", &of(connection, params))?, "link").to_owned());
        }
        for (index, link) in links.iter().enumerate().take(6) {
            let visibility = if index % 2 == 0 { "internal" } else { "public" };
            let note = json!({"visibility": visibility, "text": "Called back, waiting for parts.", "wait_ms": WAIT_MS});
            self.call("notes.post", &on(link, note))?;
        }
        // What nothing stands for waits for somebody, and so does what may or may not have arrived.
        self.call("tickets.set_status", &on(&links[3], json!({"value": "parts"})))?;
        self.call("tickets.set_status", &on(&links[4], json!({"status": "202"})))?;
        self.others()
    }

    fn product_values(&self) -> Outcome {
        let agent = |(index, (name, email)): (usize, &(&str, &str))| json!({"id": format!("a{index}"), "name": name, "email": email});
        let agents: Vec<Value> = AGENTS.iter().enumerate().map(agent).collect();
        let values = |kind: &str, rows: Value| json!({"tenant": "demo", "kind": kind, "rev": 1, "rows": rows});
        self.call("product.set_values", &values("agent", agents.into()))?;
        let rows = |names: &[(&str, &str)]| -> Value {
            names.iter().map(|(id, name)| json!({"id": id, "name": name})).collect()
        };
        let statuses =
            rows(&[("new", "New"), ("open", "In Progress"), ("parts", "Waiting for parts"), ("done", "Closed")]);
        self.call("product.set_values", &values("status", statuses))?;
        let priorities = rows(&[("low", "Low"), ("normal", "Normal"), ("urgent", "Urgent")]);
        self.call("product.set_values", &values("priority", priorities))?;
        Ok(())
    }

    /// Some of them, so that there is something left to do.
    fn mappings(&self, connection: &str) -> Outcome {
        let proposed = self.call("members.suggest", &of(connection, json!({})))?;
        let pairs: Vec<Value> = proposed["items"]
            .as_array()
            .into_iter()
            .flatten()
            .take(2)
            .map(|one| json!({"agent": one["agent"], "member": one["member"]}))
            .collect();
        if !pairs.is_empty() {
            self.call("members.map", &of(connection, json!({"items": pairs, "by": "Ann Lee"})))?;
        }
        let statuses = self.call("tickets.catalog", &of(connection, json!({"kind": "statuses", "scope": "1"})))?;
        let named = |name: &str| statuses["items"].as_array()?.iter().find(|one| one["name"] == name)?["id"].as_str();
        let items: Vec<Value> = [("new", "New"), ("open", "In Progress")]
            .iter()
            .filter_map(|(value, name)| Some(json!({"value": value, "status": named(name)?})))
            .collect();
        expect(!items.is_empty(), "the board has none of the statuses")?;
        self.call("statuses.map", &of(connection, json!({"scope": "1", "items": items, "by": "Ann Lee"})))?;
        Ok(())
    }

    /// A connection whose key was taken back.
    fn others(&self) -> Outcome {
        let neighbour = self.neighbour(0)?;
        let mut settings = self.simulator.settings();
        settings["company_id"] = neighbour["company"].clone();
        settings["public_key"] = neighbour["public_key"].clone();
        let made = json!({"tenant": "demo", "plugin": "connectwise", "name": format!("ConnectWise - {}", text(neighbour, "company")),
            "settings": settings, "secrets": {"private_key": neighbour["private_key"]}, "by": "Ann Lee"});
        let other = text(&self.call("connections.create", &made)?, "connection").to_owned();
        let report = self.call("connections.test", &json!({"tenant": "demo", "connection": other}))?;
        expect(report["passed"] == true, "a neighbour's connection does not work")?;
        // Whoever asks first finds out, and after that nobody knocks any more.
        self.simulator.fault(&json!({"endpoint": "get_ticket", "fault": "unauthorized", "times": 1}))?;
        let _ = self.call("tickets.get", &of(&other, json!({"ticket": "1001", "fresh": true})));
        Ok(())
    }

    /// A company that shares the PSA's host with the first one.
    fn neighbour(&self, index: usize) -> Outcome<&Value> {
        self.simulator.ready["neighbours"].get(index).ok_or_else(|| "the simulator has no such neighbour".into())
    }

    /// What it takes to connect another company by hand.
    pub(super) fn for_trying(&self) -> Outcome<Value> {
        let neighbour = self.neighbour(1)?;
        Ok(
            json!({"server": self.simulator.text("url"), "company": neighbour["company"], "client_id": self.simulator.text("client_id"),
            "public_key": neighbour["public_key"], "private_key": neighbour["private_key"]}),
        )
    }
}

/// Changes tickets at the PSA, for as long as the program runs.
pub(super) fn live(demo: &Arc<Demo>) {
    let demo = demo.clone();
    std::thread::spawn(move || {
        let tickets: Vec<u64> = (1001..=1000 + LINKS).collect();
        for seed in 1.. {
            std::thread::sleep(PAUSE);
            let order = json!({"changes": 1, "tickets": tickets, "seed": seed, "notes_percent": 30});
            if demo.simulator.control("POST", "tickets/churn", Some(&order)).is_err() {
                return;
            }
        }
    });
}
