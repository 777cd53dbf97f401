//! The one source of time, and the one source of randomness.
//!
//! Holds: [`Clock`], its real form, and one that tests move by hand.
//! Promises: nothing else in this crate asks the machine for time or random bytes.
//! Leaves to others: waiting (`plugin::calls` and `egress` wait through [`Clock::sleep`]).

use rand::TryRngCore as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A wait that borrows nothing.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Time, as the host sees it.
pub trait Clock: Send + Sync + 'static {
    /// Wall clock, milliseconds since 1970-01-01 UTC. May jump.
    fn now_unix_ms(&self) -> i64;

    /// A clock that only goes forward, in milliseconds from an arbitrary start; counts suspended time where the system can.
    fn boot_ms(&self) -> u64;

    /// Ends when `boot_ms` has advanced by `ms`.
    fn sleep(&self, ms: u64) -> Wait;
}

/// Cryptographically secure random bytes; tests seed it.
pub trait Random: Send + Sync + 'static {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// Bytes as hex digits, in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A fresh id that cannot be guessed.
pub(crate) fn new_id(random: &dyn Random, prefix: &str) -> String {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    prefix.to_owned() + &hex(&bytes)
}

/// A time of the wall clock as the product sees it.
pub(crate) fn rfc3339(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms).unwrap_or_default().to_string()
}

/// A time as RFC 3339 has them, in milliseconds since 1970.
pub(crate) fn unix_ms(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_unix_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        }
    }

    fn boot_ms(&self) -> u64 {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        u64::try_from(now.tv_sec).unwrap_or(0).saturating_mul(1000)
            + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000
    }

    fn sleep(&self, ms: u64) -> Wait {
        Box::pin(tokio::time::sleep(Duration::from_millis(ms)))
    }
}

/// The operating system's randomness.
#[derive(Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // No generator of our own: children of a fork would inherit its state, and seal with the same nonces.
        rand::rngs::OsRng.try_fill_bytes(buffer).expect("the system has random bytes, or no key is safe");
    }
}

/// A clock that moves only when told: what waits on it ends when the time is there.
#[derive(Debug)]
pub struct VirtualClock {
    wall: AtomicI64,
    boot: AtomicU64,
    moved: tokio::sync::watch::Sender<u64>,
}

impl VirtualClock {
    /// Stands at this wall time.
    pub fn at(unix_ms: i64) -> std::sync::Arc<VirtualClock> {
        std::sync::Arc::new(VirtualClock {
            wall: AtomicI64::new(unix_ms),
            boot: AtomicU64::new(0),
            moved: tokio::sync::watch::Sender::new(0),
        })
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, ms: u64) {
        self.wall.fetch_add(ms as i64, Ordering::SeqCst);
        let now = self.boot.fetch_add(ms, Ordering::SeqCst) + ms;
        self.moved.send_replace(now);
    }

    /// Makes the wall clock jump, in either direction; the other one stands still.
    pub fn jump(&self, ms: i64) {
        self.wall.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now_unix_ms(&self) -> i64 {
        self.wall.load(Ordering::SeqCst)
    }

    fn boot_ms(&self) -> u64 {
        self.boot.load(Ordering::SeqCst)
    }

    fn sleep(&self, ms: u64) -> Wait {
        let until = self.boot_ms().saturating_add(ms);
        let mut moved = self.moved.subscribe();
        Box::pin(async move {
            // The sender lives as long as the clock; if it is gone nobody can move time, and the wait is over.
            let _ = moved.wait_for(|now| *now >= until).await;
        })
    }
}
