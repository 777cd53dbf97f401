//! How callbacks behave as a whole: the switches of the control door that are about them.
//!
//! Promises: a value that is out of its range is refused with the range, and nothing is changed.

use serde_json::{Value, json};

/// All of them.
#[derive(Debug, Clone)]
pub(crate) struct Switches {
    pub(crate) callbacks_forbidden: bool,
    pub(crate) callbacks_off: bool,
    pub(crate) delete_lag_ms: u64,
    pub(crate) self_suppression: bool,
    pub(crate) delivery_scale: f64,
    pub(crate) lose_percent: f64,
    pub(crate) repeat_percent: f64,
    pub(crate) repeats: u64,
    pub(crate) bad_signature_percent: f64,
    pub(crate) reorder: bool,
    pub(crate) delay_ms: u64,
    pub(crate) upper_case_type: bool,
    pub(crate) no_instance_id: bool,
    pub(crate) key_as_text: bool,
    pub(crate) key_needs_client_id: bool,
    pub(crate) old_keys_known: bool,
}

const REPEATS_MAX: u64 = 10;

/// Name, meaning.
const SWITCHES: [(&str, &str); 16] = [
    ("callbacks_forbidden", "true: /system/callbacks is refused for lack of a right"),
    ("callbacks_off", "true: nothing is sent, and what happens meanwhile is never told"),
    (
        "delete_lag_ms",
        "number: a deleted callback entry still counts as existing for so many milliseconds, in real time",
    ),
    (
        "self_suppression",
        "true: isSelfSuppressedFlag has an effect: changes by the member who made the entry are not told",
    ),
    ("delivery_scale", "number: time-out (5 s) and retries (2 s, 4 s) of deliveries are multiplied by it"),
    ("callback_lose_percent", "number: that share of the callbacks is never sent"),
    ("callback_repeat_percent", "number: that share of the callbacks is sent again, callback_repeats times"),
    ("callback_repeats", "number: how often the same callback is sent again, where it is"),
    ("callback_bad_signature_percent", "number: that share of the callbacks has a wrong signature"),
    ("callback_reorder", "true: callbacks that happen within a short time are sent in another order"),
    ("callback_delay_ms", "number: callbacks are sent so many milliseconds later, in real time"),
    ("callback_upper_case_type", "true: Type begins with a capital, as on the vendor's page"),
    ("callback_no_instance_id", "true: ProductInstanceId and PartnerId are not sent, as by some servers"),
    ("key_as_text", "true: the signing key is answered as text/html; false: as JSON"),
    ("key_needs_client_id", "true: the signing key is handed out only to who sends the clientId"),
    ("old_keys_known", "true: signing keys of before a rotation are still handed out"),
];

/// The place of a switch, by the kind of its value.
enum Slot<'a> {
    Flag(&'a mut bool),
    Ms(&'a mut u64),
    Count(&'a mut u64),
    Percent(&'a mut f64),
    Scale(&'a mut f64),
}

impl Default for Switches {
    fn default() -> Switches {
        Switches {
            callbacks_forbidden: false,
            callbacks_off: false,
            delete_lag_ms: 0,
            self_suppression: false,
            delivery_scale: 1.0,
            lose_percent: 0.0,
            repeat_percent: 0.0,
            repeats: 1,
            bad_signature_percent: 0.0,
            reorder: false,
            delay_ms: 0,
            upper_case_type: false,
            no_instance_id: false,
            key_as_text: true,
            key_needs_client_id: false,
            old_keys_known: true,
        }
    }
}

impl Switches {
    /// `{name, value, about}` of each.
    pub(crate) fn list(&self) -> Vec<Value> {
        let mut copy = self.clone();
        let mut value = |name: &str| match copy.slot(name) {
            Some(Slot::Flag(flag)) => json!(flag),
            Some(Slot::Ms(number) | Slot::Count(number)) => json!(number),
            Some(Slot::Percent(number) | Slot::Scale(number)) => json!(number),
            None => Value::Null,
        };
        SWITCHES.iter().map(|(name, about)| json!({"name": name, "value": value(name), "about": about})).collect()
    }

    /// Sets one; an error says what is possible. `None`: it is none of these.
    pub(crate) fn set(&mut self, name: &str, value: &Value) -> Option<Result<(), String>> {
        let within = |range: std::ops::RangeInclusive<f64>| value.as_f64().filter(|number| range.contains(number));
        let set = match self.slot(name)? {
            Slot::Flag(flag) => value.as_bool().map(|value| *flag = value).ok_or("true or false"),
            Slot::Ms(ms) => value.as_u64().map(|value| *ms = value).ok_or("a whole number"),
            Slot::Count(count) => {
                let wanted = value.as_u64().filter(|number| (1..=REPEATS_MAX).contains(number));
                wanted.map(|value| *count = value).ok_or("a whole number from 1 to 10")
            }
            Slot::Percent(number) => within(0.0..=100.0).map(|value| *number = value).ok_or("a number from 0 to 100"),
            // Never 0: a time-out of nothing would fail every delivery.
            Slot::Scale(number) => {
                within(0.000_1..=10.0).map(|value| *number = value).ok_or("a number from 0.0001 to 10")
            }
        };
        Some(set.map_err(|wanted| format!("{name} must be {wanted}")))
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_>> {
        Some(match name {
            "callbacks_forbidden" => Slot::Flag(&mut self.callbacks_forbidden),
            "callbacks_off" => Slot::Flag(&mut self.callbacks_off),
            "delete_lag_ms" => Slot::Ms(&mut self.delete_lag_ms),
            "self_suppression" => Slot::Flag(&mut self.self_suppression),
            "delivery_scale" => Slot::Scale(&mut self.delivery_scale),
            "callback_lose_percent" => Slot::Percent(&mut self.lose_percent),
            "callback_repeat_percent" => Slot::Percent(&mut self.repeat_percent),
            "callback_repeats" => Slot::Count(&mut self.repeats),
            "callback_bad_signature_percent" => Slot::Percent(&mut self.bad_signature_percent),
            "callback_reorder" => Slot::Flag(&mut self.reorder),
            "callback_delay_ms" => Slot::Ms(&mut self.delay_ms),
            "callback_upper_case_type" => Slot::Flag(&mut self.upper_case_type),
            "callback_no_instance_id" => Slot::Flag(&mut self.no_instance_id),
            "key_as_text" => Slot::Flag(&mut self.key_as_text),
            "key_needs_client_id" => Slot::Flag(&mut self.key_needs_client_id),
            "old_keys_known" => Slot::Flag(&mut self.old_keys_known),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_can_be_set_and_is_listed_with_its_value() {
        let mut switches = Switches::default();
        for (name, _) in SWITCHES {
            let value = [json!(true), json!(7)].into_iter().find(|value| switches.set(name, value) == Some(Ok(())));
            let value = value.unwrap_or_else(|| panic!("{name}"));
            let listed = switches.list().into_iter().find(|item| item["name"] == name).unwrap();
            assert!(listed["value"].as_f64() == value.as_f64() && listed["value"].is_boolean() == value.is_boolean());
        }
        for (name, value) in [
            ("delivery_scale", json!(0)),
            ("callback_repeats", json!(11)),
            ("callback_lose_percent", json!(101)),
            ("callbacks_off", json!(1)),
        ] {
            assert!(switches.set(name, &value).unwrap().is_err(), "{name}");
        }
        assert!(switches.set("codebase", &json!("x")).is_none());
    }
}
