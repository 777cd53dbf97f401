//! What durability costs: the vault, the cache, accepting notes, delivering them.

use super::{Outcome, config_for, line, turns};
use crate::demo::beside_this_program;
use psa_host::cache::{Cache, Key, Kind};
use psa_host::clock::SystemClock;
use psa_host::measure::OpenVault;
use psa_host::{CallOptions, Hooks, Host};
use psa_simulator::Simulator;
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

const OPENS: u32 = 20_000;
const READS: u32 = 200_000;
/// Notes that each of the threads hands in.
const NOTES: u32 = 150;
const THREADS: u32 = 8;
const LANES: usize = 50;
const PER_LANE: usize = 20;
const ROUND_TRIP_MS: u64 = 100;

pub(super) fn run(rounds: usize) -> Outcome {
    vault(rounds)?;
    cache(rounds)?;
    accepting(rounds.min(3))?;
    delivering()
}

/// Opening 200 bytes: in their place, by the crate alone, and by Python's cryptography.
fn vault(rounds: usize) -> Outcome {
    let folder = tempfile::tempdir()?;
    let vault = OpenVault::new(folder.path(), 200)?;
    let (key, token) = vault.token();
    let bare = fernet::Fernet::new(key).ok_or("the key is a Fernet key")?;
    let ours = || {
        for _ in 0..OPENS {
            black_box(vault.open()?);
        }
        Ok(())
    };
    let theirs = || {
        for _ in 0..OPENS {
            black_box(bare.decrypt(token).map_err(|error| error.to_string())?);
        }
        Ok(())
    };
    let (with, without) = turns(rounds, ours, theirs)?;
    line("opening 200 sealed bytes, and the bare crate", with / OPENS, without / OPENS);
    match python(key, token) {
        Some(time) => line("  and Python's cryptography", with / OPENS, time),
        None => println!("  Python's cryptography is not here"),
    }
    Ok(())
}

/// The time of one decryption there.
fn python(key: &str, token: &str) -> Option<Duration> {
    let script = "import sys, time\nfrom cryptography.fernet import Fernet\nf = Fernet(sys.argv[1])\nt = sys.argv[2]\n\
                  b = time.perf_counter()\nfor _ in range(20000): f.decrypt(t)\nprint((time.perf_counter() - b) / 20000)";
    let output = Command::new("python3").args(["-c", script, key, token]).output().ok()?;
    let seconds = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some(Duration::from_secs_f64(seconds))
}

/// Reading what is there, beside moka.
fn cache(rounds: usize) -> Outcome {
    let ours = Cache::new(Arc::new(SystemClock));
    let theirs: moka::sync::Cache<String, Vec<u8>> =
        moka::sync::Cache::builder().max_capacity(512).time_to_live(Duration::from_secs(60)).build();
    let keys: Vec<String> = (0..256).map(|number| number.to_string()).collect();
    for key in &keys {
        ours.put(Key::new(Kind::Ticket, key, ""), &[0; 200], None);
        theirs.insert(key.clone(), vec![0; 200]);
    }
    let read_ours = || {
        for number in 0..READS {
            black_box(ours.get(&Key::new(Kind::Ticket, &keys[number as usize % keys.len()], "")));
        }
        Ok(())
    };
    let read_theirs = || {
        for number in 0..READS {
            black_box(theirs.get(&keys[number as usize % keys.len()]));
        }
        Ok(())
    };
    let (with, without) = turns(rounds, read_ours, read_theirs)?;
    line("reading from the cache, and from moka", with / READS, without / READS);
    Ok(())
}

/// A host with a link of a ticket, and the simulator behind it.
struct Linked {
    host: Host,
    links: Vec<String>,
    simulator: Simulator,
    _folder: tempfile::TempDir,
}

impl Linked {
    fn new(more: Value, links: usize) -> Outcome<Linked> {
        let simulator = Simulator::start(&beside_this_program("psa-simulator")?, &["--tls", "--tickets", "100"])?;
        let folder = tempfile::tempdir()?;
        let mut config = config_for(&folder, &simulator)?;
        config["outbox"] = more;
        let host = Host::open(config.to_string().as_bytes(), Hooks::default())?;
        let create = json!({"tenant": "t", "plugin": "connectwise", "settings": simulator.settings(),
                            "secrets": simulator.secrets()});
        let connection = call(&host, "connections.create", &create)?["connection"].clone();
        call(&host, "connections.test", &json!({"tenant": "t", "connection": connection}))?;
        let mut linked = Linked { host, links: Vec::new(), simulator, _folder: folder };
        for number in 0..links {
            let ticket = (1001 + number).to_string();
            let link = json!({"tenant": "t", "connection": connection, "product_ticket": ticket, "ticket": ticket});
            let link = call(&linked.host, "links.create", &link)?;
            linked.links.push(link["link"].as_str().unwrap_or_default().to_owned());
        }
        Ok(linked)
    }

    fn note(&self, link: usize, text: &str) -> Outcome {
        let link = &self.links[link];
        let params = json!({"tenant": "t", "link": link, "visibility": "internal", "text": text});
        call(&self.host, "notes.post", &params).map(drop)
    }
}

fn call(host: &Host, method: &str, params: &Value) -> Outcome<Value> {
    Ok(serde_json::from_str(&host.call(method, params.to_string().as_bytes(), CallOptions::default())?)?)
}

/// Durable notes handed in by eight threads, beside bare commits on the same disk, one after the other.
fn accepting(rounds: usize) -> Outcome {
    let linked = Linked::new(json!({"deliver": false}), 8)?;
    let all = THREADS * NOTES;
    let hand_in = || {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS as usize)
                .map(|thread| {
                    let linked = &linked;
                    scope.spawn(move || {
                        (0..NOTES).try_for_each(|number| {
                            linked.note(thread, &format!("Note {number}.")).map_err(|error| error.to_string())
                        })
                    })
                })
                .collect();
            for thread in threads {
                thread.join().map_err(|_| "a thread panicked")??;
            }
            Ok(())
        })
    };
    let folder = tempfile::tempdir()?;
    let bare = bare_database(&folder.path().join("bare.db"))?;
    let commit = || {
        let mut insert = bare.prepare_cached("INSERT INTO notes (body) VALUES (?1)")?;
        for _ in 0..all {
            insert.execute(["A note that is as long as the others are."])?;
        }
        Ok(())
    };
    let (with, without) = turns(rounds, hand_in, commit)?;
    line("a durable note from 8 threads, and a bare commit", with / all, without / all);
    let rate = |time: Duration| f64::from(all) / time.as_secs_f64();
    println!(
        "  {:.0} notes and {:.0} commits per second: {:.2} times",
        rate(with),
        rate(without),
        rate(with) / rate(without)
    );
    Ok(linked.host.close(1000)?)
}

fn bare_database(path: &Path) -> Outcome<rusqlite::Connection> {
    let db = rusqlite::Connection::open(path)?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);",
    )?;
    Ok(db)
}

/// A thousand notes over fifty tickets, 100 ms away; beside one round trip per note and lane.
fn delivering() -> Outcome {
    let linked = Linked::new(json!({"in_flight": LANES}), LANES)?;
    call(&linked.host, "connections.pause", &json!({"tenant": "t", "connection": connection_of(&linked)?}))?;
    for number in 0..LANES * PER_LANE {
        linked.note(number % LANES, &format!("Note {number} of many."))?;
    }
    linked.simulator.fault(&json!({"endpoint": "*", "fault": "latency", "ms": ROUND_TRIP_MS}))?;
    let connection = connection_of(&linked)?;
    let began = Instant::now();
    call(&linked.host, "connections.resume", &json!({"tenant": "t", "connection": connection}))?;
    loop {
        let health = call(&linked.host, "health", &json!({"tenant": "t"}))?;
        if health["connections"]["items"][0]["queued"] == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let ideal = Duration::from_millis(ROUND_TRIP_MS * PER_LANE as u64);
    line("1,000 notes over 50 tickets, and the ideal", began.elapsed(), ideal);
    Ok(linked.host.close(1000)?)
}

fn connection_of(linked: &Linked) -> Outcome<String> {
    let list = call(&linked.host, "connections.list", &json!({"tenant": "t"}))?;
    Ok(list["items"][0]["connection"].as_str().unwrap_or_default().to_owned())
}
