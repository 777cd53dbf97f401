//! What a company has registered, and its failing days. Source: facts 11.2 and 11.5.
//!
//! Holds: the entries, the signing keys, the names of the company's instance.
//! Promises: an id is never given twice; three failing days in a row switch an entry off, by the simulator's clock.
//! Leaves to others: what an entry may say (`connectwise::callbacks`), sending (`deliver`).

use super::signing::{Key, Keys};
use jiff::civil::Date;
use rand::Rng;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Who switches entries off when they fail.
const SERVICE: &str = "CallbackService";
/// Source: facts 11.5, "three consecutive days".
const FAILING_DAYS_MAX: u32 = 3;

/// One registered callback.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) record: Value,
    failing: Failing,
}

/// The failing days in a row up to the last one. What makes a day a failing one is not said: here it is one on which a
/// delivery failed for good and none has succeeded since.
#[derive(Debug, Default, Clone, Copy)]
struct Failing {
    last: Option<Date>,
    days: u32,
}

impl Failing {
    fn fail(&mut self, today: Date) {
        if self.last == Some(today) {
            return;
        }
        let follows = self.last.is_some_and(|last| last.tomorrow().is_ok_and(|next| next == today));
        self.days = if follows { self.days + 1 } else { 1 };
        self.last = Some(today);
    }
}

impl Entry {
    pub(crate) fn id(&self) -> u64 {
        self.record["id"].as_u64().unwrap_or_default()
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.record[name].as_str().unwrap_or_default()
    }

    pub(crate) fn is_active(&self) -> bool {
        self.record["inactiveFlag"] == false
    }

    /// As the PSA does it by itself.
    pub(crate) fn disable(&mut self, now: &str) {
        self.record["inactiveFlag"] = json!(true);
        self.record["_info"] = json!({"lastUpdated": now, "updatedBy": SERVICE});
    }

    /// Takes a changed record over. Who switches it on again begins at no failing day.
    pub(crate) fn replace(&mut self, record: Value) {
        if record["inactiveFlag"] == false && !self.is_active() {
            self.failing = Failing::default();
        }
        self.record = record;
    }
}

/// All of a company.
pub(crate) struct Registry {
    pub(crate) entries: Vec<Entry>,
    /// Deleted ones, and when.
    gone: Vec<(Value, Instant)>,
    next_id: u64,
    pub(crate) keys: Keys,
    pub(crate) instance_id: String,
    pub(crate) partner_id: String,
}

impl Registry {
    /// With the entries of two other products, which must be left alone.
    pub(crate) fn seeded(random: &mut impl Rng) -> Registry {
        let keys = Keys::new(new_key(random));
        let mut hex = || format!("{:024x}", random.random::<u128>() >> 32);
        let (instance_id, partner_id) = (hex(), hex());
        let mut registry = Registry { entries: vec![], gone: vec![], next_id: 26_501, keys, instance_id, partner_id };
        // Neither is ever sent: nothing here changes an invoice, and the other one is off.
        for (kind, url, inactive) in [
            ("invoice", "https://billing.example.net/psa/hook?key=not-yours&recordId=", false),
            ("ticket", "https://chat.example.org/connectwise?room=12&id=", true),
        ] {
            registry.add(json!({
                "description": "Another product", "url": url, "objectId": 1, "type": kind, "level": "owner",
                "memberId": 176, "payloadVersion": "3.0.0", "inactiveFlag": inactive, "isSoapCallbackFlag": false,
                "isSelfSuppressedFlag": false, "connectWiseID": guid(random),
                "_info": {"lastUpdated": "2024-01-31T12:00:00Z", "updatedBy": "User1"},
            }));
        }
        registry
    }

    /// Keeps a record that has been checked; it gets its id.
    pub(crate) fn add(&mut self, mut record: Value) -> Value {
        record["id"] = json!(self.next_id);
        self.next_id += 1;
        self.entries.push(Entry { record: record.clone(), failing: Failing::default() });
        record
    }

    pub(crate) fn find(&mut self, id: u64) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id() == id)
    }

    /// False: there is none.
    pub(crate) fn delete(&mut self, id: u64) -> bool {
        let Some(position) = self.entries.iter().position(|entry| entry.id() == id) else { return false };
        self.gone.push((self.entries.remove(position).record, Instant::now()));
        true
    }

    /// Whether there is an entry like this one with another id; one that was deleted counts for `lag_ms`.
    /// Source: facts 11.2, the check of a real server is late.
    pub(crate) fn has_like(&self, record: &Value, lag_ms: u64) -> bool {
        let lag = Duration::from_millis(lag_ms);
        let gone = self.gone.iter().filter(|(_, when)| when.elapsed() < lag).map(|(gone, _)| gone);
        let same =
            |other: &Value| ["type", "level", "objectId", "url"].iter().all(|name| other[*name] == record[*name]);
        let mut others = self.entries.iter().map(|entry| &entry.record).chain(gone);
        others.any(|other| other["id"] != record["id"] && same(other))
    }

    /// What became of a delivery for good.
    pub(crate) fn delivered(&mut self, id: u64, success: bool, today: Date, now: &str) {
        let Some(entry) = self.find(id) else { return };
        if success {
            entry.failing = Failing::default();
            return;
        }
        entry.failing.fail(today);
        if entry.failing.days >= FAILING_DAYS_MAX && entry.is_active() {
            entry.disable(now);
        }
    }
}

/// A GUID by chance.
pub(crate) fn guid(random: &mut impl Rng) -> String {
    let hex = format!("{:032x}", random.random::<u128>());
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// A new signing key.
pub(crate) fn new_key(random: &mut impl Rng) -> Key {
    Key { id: guid(random), secret: format!("{:032x}", random.random::<u128>()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use rand::SeedableRng;

    #[test]
    fn three_failing_days_in_a_row_switch_off_and_a_day_between_or_a_success_does_not() {
        let mut random = rand::rngs::StdRng::seed_from_u64(1);
        let day = |day| date(2026, 2, day);
        for (outcomes, active) in [
            (vec![(day(1), false), (day(2), false), (day(3), false)], false),
            (vec![(day(1), false), (day(1), false), (day(1), false), (day(2), false)], true),
            (vec![(day(1), false), (day(2), false), (day(4), false), (day(5), false)], true),
            (vec![(day(1), false), (day(2), false), (day(2), true), (day(3), false)], true),
            (vec![(day(27), false), (day(28), false), (date(2026, 3, 1), false)], false),
        ] {
            let mut registry = Registry::seeded(&mut random);
            let id = registry.entries[0].id();
            for (day, success) in &outcomes {
                registry.delivered(id, *success, *day, "now");
            }
            assert_eq!(registry.entries[0].is_active(), active, "{outcomes:?}");
        }
    }
}
