//! Virtual time for host and PSA alike.
//!
//! Promises: the PSA's clock stands still but for these steps, and the host's goes first, so that the two are apart by what
//! was said and by nothing else. A step is as short as what the host is doing allows: proofs take milliseconds, and virtual
//! minutes must not go by meanwhile, or readings would overtake what a queue of callbacks has to say.

use crate::inbound::{Inbound, merge};
use psa_host::clock::VirtualClock;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: u64 = 60_000;
/// While callbacks wait to be proved; while there is something to read, or the PSA is being asked; else.
const PROVING_STEP_MS: u64 = 2;
const READING_STEP_MS: u64 = 20;
const STEP_MS: u64 = 2_000;
/// In which the host may work, for each step.
const REAL: Duration = Duration::from_millis(2);

/// Moves both clocks.
pub struct Time {
    clock: Arc<VirtualClock>,
    passed_ms: u64,
    /// Requests that the PSA has answered so far.
    answered: u64,
}

impl Time {
    /// Stops the PSA's clock, ahead of the host's by `skew_ms`.
    pub fn of(clock: Arc<VirtualClock>, scene: &Inbound, skew_ms: u64) -> Time {
        let stopped = json!({"skew_ms": skew_ms, "stopped": true});
        scene.simulator.control("POST", "clock", Some(&stopped)).expect("the simulator answers");
        Time { clock, passed_ms: 0, answered: 0 }
    }

    /// A scene in which time passes only when it is let pass, once its callbacks are registered; the PSA's clock is ahead of
    /// the host's by `skew_ms`. `product`: what its configuration says else.
    pub fn stopped(tickets: &str, product: &Value, skew_ms: u64) -> (Inbound, Time) {
        // Minutes of virtual time go by while a request is under way, or a plugin thinks.
        let mut config = json!({
            "callbacks": {"window_ms": MINUTE, "ensure_ms": 10 * MINUTE},
            "egress": {"timeout_ms": 24 * 60 * MINUTE},
            "outbox": {"quiet_ms": 48 * 60 * MINUTE},
            "stall_grace_ms": 48 * 60 * MINUTE,
        });
        merge(&mut config, product);
        let clock = VirtualClock::at(1_790_000_000_000);
        let arguments = ["--tls", "--tickets", tickets, "--now", "2026-09-21T14:13:20Z"];
        let scene = Inbound::with(&arguments, &config, Some(clock.clone()));
        let mut time = Time::of(clock, &scene, skew_ms);
        while scene.of("callbacks.list", json!({})).expect("the host answers")["items"].as_array().map_or(0, Vec::len)
            < 2
        {
            time.pass(&scene, 1_000);
        }
        scene.registered();
        (scene, time)
    }

    /// Lets so much time pass.
    pub fn pass(&mut self, scene: &Inbound, ms: u64) {
        let until = self.passed_ms + ms;
        let mut asks = false;
        while self.passed_ms < until {
            let step_ms = step_ms(scene, asks).min(until - self.passed_ms);
            self.clock.advance(step_ms);
            let clock = scene.simulator.control("POST", "clock", Some(&json!({"advance_ms": step_ms})));
            let answered = clock.expect("the simulator answers")["requests"].as_u64().expect("a number");
            // Who has asked a moment ago may be about to ask again.
            asks = answered != self.answered;
            self.answered = answered;
            self.passed_ms += step_ms;
            std::thread::sleep(REAL);
        }
    }

    /// Since the beginning.
    pub fn passed_ms(&self) -> u64 {
        self.passed_ms
    }
}

fn step_ms(scene: &Inbound, asks: bool) -> u64 {
    let listed = scene.of("callbacks.list", json!({})).expect("the host answers");
    let none = |what: &str| listed["health"][what] == 0;
    match (none("waiting"), none("to_read") && !asks) {
        (false, _) => PROVING_STEP_MS,
        (true, false) => READING_STEP_MS,
        (true, true) => STEP_MS,
    }
}
