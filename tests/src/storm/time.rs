//! Virtual time for host and PSA alike.
//!
//! Promises: the host's clock goes first, so that it never believes the PSA's to be further on than it is; steps are short
//! beside settling while something may be settling, and short beside windows later.

use psa_host::clock::VirtualClock;
use psa_simulator::Simulator;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
}

impl Time {
    pub(super) fn new(clock: Arc<VirtualClock>) -> Time {
        Time { clock, passed: AtomicU64::new(0) }
    }

    pub(super) fn pass(&self, simulator: &Simulator, ms: u64) {
        let mut passed = 0;
        while passed < ms {
            let step_ms = if passed < LIVELY_MS { STEP_MS } else { LONG_STEP_MS };
            self.clock.advance(step_ms);
            let step = json!({"advance_ms": step_ms});
            simulator.control("POST", "clock", Some(&step)).expect("the simulator answers");
            self.passed.fetch_add(step_ms, Ordering::SeqCst);
            passed += step_ms;
            std::thread::sleep(REAL);
        }
    }

    /// Since the beginning.
    pub(super) fn passed_ms(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }
}
