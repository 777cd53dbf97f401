//! Virtual time for host and PSA alike.
//!
//! Promises: the host's clock goes first, so that it never believes the PSA's to be further on than it is; steps are short
//! beside settling while something may be settling, and short beside windows later.

use psa_host::clock::VirtualClock;
use psa_simulator::Simulator;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const STEP_MS: u64 = 250;
/// So long, and with longer steps then.
const LIVELY_MS: u64 = 15_000;
const LONG_STEP_MS: u64 = 1_000;
/// In which the host may work, for each step.
const REAL: Duration = Duration::from_micros(1_500);

/// Moves both clocks.
pub(super) struct Time {
    clock: Arc<VirtualClock>,
    passed: AtomicU64,
    /// Real time that has gone by at the PSA by itself, and is not part of any step yet.
    ahead: Mutex<(Instant, u64)>,
}

impl Time {
    pub(super) fn new(clock: Arc<VirtualClock>) -> Time {
        Time { clock, passed: AtomicU64::new(0), ahead: Mutex::new((Instant::now(), 0)) }
    }

    pub(super) fn pass(&self, simulator: &Simulator, ms: u64) {
        let mut passed = 0;
        while passed < ms {
            let step_ms = if passed < LIVELY_MS { STEP_MS } else { LONG_STEP_MS };
            self.clock.advance(step_ms);
            let step = json!({"advance_ms": step_ms - self.gone_by(step_ms)});
            simulator.control("POST", "clock", Some(&step)).expect("the simulator answers");
            self.passed.fetch_add(step_ms, Ordering::SeqCst);
            passed += step_ms;
            std::thread::sleep(REAL);
        }
    }

    /// How much of a step the PSA's clock has gone already: else the two clocks would drift apart as none in reality do.
    fn gone_by(&self, step_ms: u64) -> u64 {
        let mut ahead = self.ahead.lock().expect("no panic holds it");
        let (since, left) = *ahead;
        let now = Instant::now();
        let all = left + now.duration_since(since).as_micros() as u64;
        let gone_ms = (all / 1_000).min(step_ms);
        *ahead = (now, all - gone_ms * 1_000);
        gone_ms
    }

    /// Since the beginning.
    pub(super) fn passed_ms(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }
}
