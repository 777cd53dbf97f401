//! Tests of the way out, against real sockets of this machine.
//!
//! Holds: what the test files share: a scripted server, fixed secrets, fixed names, a clock that tells who waits.
//! Promises: nothing here waits for a duration; tests end because something happened.
//! Leaves to others: each subject to its file.

mod policy;
mod reads;
mod secrets;
mod server;
mod small;
mod tls;
mod writes;

use super::*;
use crate::clock::{SystemClock, SystemRandom, VirtualClock, Wait};
use bytes::Bytes;
use secrecy::SecretString;
use server::{Act, Server};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// Secrets by key, each with the one address it may go to.
#[derive(Clone, Default)]
pub(super) struct Keys(HashMap<String, (String, String)>);

impl Keys {
    fn one(key: &str, value: &str, origin: &str) -> Arc<Keys> {
        Arc::new(Keys(HashMap::from([(key.into(), (value.into(), origin.into()))])))
    }
}

impl SecretSource for Keys {
    fn secret(&self, key: &str) -> Option<SecretString> {
        self.0.get(key).map(|(value, _)| SecretString::from(value.clone()))
    }

    fn allowed(&self, key: &str, scheme: &str, host: &str, port: u16) -> bool {
        self.0.get(key).is_some_and(|(_, origin)| *origin == format!("{scheme}://{host}:{port}"))
    }
}

/// Names that mean what a test says; counts look-ups.
#[derive(Default)]
struct FixedNames {
    names: HashMap<String, Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl FixedNames {
    fn of(names: &[(&str, &[&str])]) -> Arc<FixedNames> {
        let names = names.iter().map(|(name, list)| {
            (name.to_string(), list.iter().map(|address| address.parse().expect("an address")).collect())
        });
        Arc::new(FixedNames { names: names.collect(), asked: AtomicUsize::new(0) })
    }
}

impl Names for FixedNames {
    fn look_up(&self, host: &str) -> Looking {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let found = self.names.get(host).cloned();
        Box::pin(async move { found.ok_or_else(|| std::io::Error::other("no such name")) })
    }
}

/// A clock that stands still and tells what is waited for.
struct ToldClock {
    clock: Arc<VirtualClock>,
    waits: mpsc::UnboundedSender<u64>,
}

impl ToldClock {
    fn new() -> (Arc<ToldClock>, mpsc::UnboundedReceiver<u64>) {
        let (waits, told) = mpsc::unbounded_channel();
        (Arc::new(ToldClock { clock: VirtualClock::at(1_800_000_000_000), waits }), told)
    }
}

impl Clock for ToldClock {
    fn now_unix_ms(&self) -> i64 {
        self.clock.now_unix_ms()
    }

    fn boot_ms(&self) -> u64 {
        self.clock.boot_ms()
    }

    fn sleep(&self, ms: u64) -> Wait {
        let wait = self.clock.sleep(ms);
        let _ = self.waits.send(ms);
        wait
    }
}

fn loopback() -> EgressConfig {
    EgressConfig { allow_loopback_http: true, ..EgressConfig::default() }
}

fn egress(config: EgressConfig) -> Egress {
    egress_at(config, Arc::new(SystemClock))
}

fn egress_at(config: EgressConfig, clock: Arc<dyn Clock>) -> Egress {
    Egress::new(config, clock, Arc::new(SystemRandom)).expect("opens")
}

fn egress_named(config: EgressConfig, names: Arc<FixedNames>) -> Egress {
    Egress::with_names(config, Arc::new(SystemClock), Arc::new(SystemRandom), names).expect("opens")
}

fn request(method: &str, url: impl Into<String>) -> Request {
    Request { method: method.into(), url: url.into(), ..Request::default() }
}

fn post(url: impl Into<String>, body: &'static str) -> Request {
    Request { body: vec![Chunk::Bytes(Bytes::from_static(body.as_bytes()))], ..request("POST", url) }
}

fn no_keys() -> Arc<Keys> {
    Arc::default()
}

/// Prepares and sends; gives the witness's last word as well.
async fn send(egress: &Egress, request: &Request, keys: Arc<Keys>) -> (Result<Answer, Failure>, WitnessState) {
    match egress.prepare(request, keys, None) {
        Err(failure) => (Err(failure), WitnessState::NotSent),
        Ok(prepared) => {
            let witness = prepared.witness();
            (prepared.send().await, witness.state())
        }
    }
}
