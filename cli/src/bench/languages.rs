//! What the languages cost: a call from Python beside one from Rust, and a list of tickets beside the clients that PyPI and
//! npm have.
//!
//! Promises: all sides ask the same simulator, in turn; what each gives is counted.
//! Leaves to others: the sides themselves (`languages/`).

use super::side::{Side, python};
use super::{Outcome, TICKETS, config_for, done, line, middle};
use crate::demo::beside_this_program;
use psa_host::{CallOptions, Hooks, Host};
use psa_host_api::model::Ticket;
use psa_simulator::Simulator;
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Calls of one round.
const CALLS: u32 = 20_000;
/// How many are under way at once under asyncio.
const UNDER_WAY: u32 = 1_000;
/// What the Python sides import.
const PYTHON: [&str; 3] = ["cffi==2.1.1", "msgspec==0.22.0", "pyconnectwise==0.6.1.2"];
const NODE: &str = "connectwise-rest@1.3.0";

pub(super) fn run(rounds: usize) -> Outcome {
    // About one ticket in ten is closed or of a project, which lists leave out.
    let tickets = (TICKETS * 10).div_ceil(9).to_string();
    let simulator = Simulator::start(&beside_this_program("psa-simulator")?, &["--tls", "--tickets", &tickets])?;
    let folder = tempfile::tempdir()?;
    let config = config_for(&folder, &simulator)?;
    let order = json!({"config": config, "psa": simulator.ready, "settings": simulator.settings(), "secrets": simulator.secrets()});
    let python = python("bench-python", &PYTHON)?;
    calls(rounds, &python, &order)?;
    lists(rounds, &python, &order, simulator.text("ca"))
}

/// A ticket from the host's memory as an object of the language.
fn calls(rounds: usize, python: &Path, order: &Value) -> Outcome {
    let host = Host::open(order["config"].to_string().as_bytes(), Hooks::default())?;
    let create =
        json!({"tenant": "t", "plugin": "connectwise", "settings": order["settings"], "secrets": order["secrets"]});
    let made = host.call("connections.create", create.to_string().as_bytes(), CallOptions::default())?;
    let connection = serde_json::from_str::<Value>(&made)?["connection"].clone();
    let params = json!({"tenant": "t", "connection": connection, "ticket": "1001"});
    let from_rust = || -> Outcome<Duration> {
        host.call("tickets.get", params.to_string().as_bytes(), CallOptions::default())?;
        let started = Instant::now();
        for _ in 0..CALLS {
            let params = serde_json::to_vec(&params)?;
            let answer = host.call("tickets.get", &params, CallOptions::default())?;
            black_box(serde_json::from_str::<Ticket>(&answer)?);
        }
        Ok(started.elapsed())
    };
    let order = json!({"config": order["config"], "connection": connection, "calls": CALLS});
    let mut side = Timed::start(Command::new(python), "psa_host_call.py", &order)?;
    let (mut rust, mut blocking, mut looping, mut waiting) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        rust.push(from_rust()?);
        blocking.push(side.round("1 known", CALLS as usize)?);
        looping.push(side.round(&format!("{UNDER_WAY} known"), CALLS as usize)?);
        waiting.push(side.round(&format!("{UNDER_WAY} waiting"), CALLS as usize)?);
    }
    let [rust, blocking, looping, waiting] = [rust, blocking, looping, waiting].map(|times| middle(times) / CALLS);
    line("a typed call from Python, and from Rust", blocking, rust);
    println!("  {:.1?} more than from Rust", blocking.saturating_sub(rust));
    line(&format!("a call under asyncio, {UNDER_WAY} under way"), looping, rust);
    line("  of what the host has to look for", waiting, rust);
    Ok(host.close(1000)?)
}

/// Ten thousand tickets as objects of the language.
fn lists(rounds: usize, python: &Path, order: &Value, ca: &str) -> Outcome {
    let mut ours = Timed::start(Command::new(python), "psa_host_list.py", order)?;
    let mut requests = Command::new(python);
    requests.env("REQUESTS_CA_BUNDLE", ca);
    let mut theirs = Timed::start(requests, "pyconnectwise_list.py", order)?;
    let mut node = Command::new("node");
    node.env("NODE_EXTRA_CA_CERTS", ca).current_dir(with_node()?);
    let mut node = Timed::start(node, "connectwise_rest_list.mjs", order)?;
    let (mut us, mut pyconnectwise, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        us.push(ours.round("", TICKETS)?);
        pyconnectwise.push(theirs.round("", TICKETS)?);
        rest.push(node.round("", TICKETS)?);
    }
    let us = middle(us);
    line(&format!("listing {TICKETS} tickets, and pyconnectwise"), us, middle(pyconnectwise));
    line("  and from Node, connectwise-rest", us, middle(rest));
    Ok(())
}

/// A side whose answers say how long a round took, and how much was done in it.
struct Timed(Side);

impl Timed {
    fn start(mut program: Command, script: &str, order: &Value) -> Outcome<Timed> {
        let script = in_checkout("cli/src/bench/languages")?.join(script);
        let library = beside_this_program("libpsa_host.so")?;
        let program = program
            .arg(script)
            .arg(order.to_string())
            .env("PYTHONPATH", in_checkout("ffi/python/src")?)
            .env("PSA_HOST_LIBRARY", library);
        Ok(Timed(Side::start(program)?))
    }

    /// How long it took; an error if it did less than it was to.
    fn round(&mut self, order: &str, at_least: usize) -> Outcome<Duration> {
        let answer = self.0.ask(order)?;
        match answer["count"].as_u64() {
            Some(count) if count >= at_least as u64 => {
                Ok(Duration::try_from_secs_f64(answer["seconds"].as_f64().unwrap_or_default())?)
            }
            _ => Err(format!("{at_least} were to be there: {answer}").into()),
        }
    }
}

/// A folder of the checkout in which this was started. What ships does not know where it was built.
fn in_checkout(path: &str) -> Outcome<PathBuf> {
    let folder = std::env::current_dir()?.join(path);
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err(format!("{} is not there: start it in a checkout", folder.display()).into())
    }
}

/// A folder with the client for Node.
fn with_node() -> Outcome<PathBuf> {
    let folder = std::env::current_exe()?.with_file_name("bench-node");
    std::fs::create_dir_all(&folder)?;
    if !folder.join("node_modules/connectwise-rest").exists() {
        done(Command::new("npm").args(["install", "--silent", "--no-audit", "--no-fund", NODE]).current_dir(&folder))?;
    }
    Ok(folder)
}
