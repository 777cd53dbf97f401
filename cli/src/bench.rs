//! `psa bench`: what the seams cost, beside the same work without them, in one run.
//!
//! Promises: the two sides of a ratio take turns, so that a busy machine disturbs both; the middle of several rounds
//! counts; nothing is asserted about time.

mod callbacks;
mod durable;
mod languages;
mod side;

use crate::demo::{beside_this_program, shipped_plugin};
use psa_host::{CallOptions, Hooks, Host};
use psa_host_api::model::{Reference, StatusRef, Ticket};
use psa_host_api::ops::GetTicketRequest;
use psa_host_api::sdk::export::Exported as _;
use psa_host_api::sdk::{Cx, Provider, Settings};
use psa_simulator::Simulator;
use serde_json::{Value, json};
use std::error::Error;
use std::hint::black_box;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Rounds of each side.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Only what durability costs.
    #[arg(long)]
    durable: bool,
    /// Only callbacks, beside a Django view.
    #[arg(long)]
    callbacks: bool,
    /// Only Python and Node.
    #[arg(long)]
    languages: bool,
}

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const CALLS: u32 = 20_000;
const TICKETS: usize = 10_000;

/// A plugin that answers without asking anybody.
struct Echo;

impl Provider for Echo {
    const MANIFEST: &'static str = r#"{"id":"echo","name":"Echo","version":"1.0.0","form":{"form_schema":"1.0",
        "plugin":"echo","settings_version":1,"reads_from":1,"default_locale":"en",
        "groups":[{"key":"main","title":{"en":"Main"}}],"fields":[]}}"#;

    fn open(_: &Settings, _: &Cx) -> Result<Echo, psa_host::Error> {
        Ok(Echo)
    }

    async fn get_ticket(&self, _: &Cx, request: GetTicketRequest) -> Result<Ticket, psa_host::Error> {
        Ok(ticket(request))
    }
}

psa_host_api::export_plugin!(Echo { get_ticket });

fn ticket(request: GetTicketRequest) -> Ticket {
    let named = |id: &str, name: &str| Reference { id: id.to_owned(), name: Some(name.to_owned()) };
    Ticket {
        number: request.ticket.clone(),
        id: request.ticket,
        summary: "Printer on the third floor is out of order".to_owned(),
        board: Some(named("1", "Help Desk")),
        status: Some(StatusRef { id: "101".to_owned(), name: Some("New".to_owned()) }),
        company: Some(named("2", "Northwind Dental")),
        ..Ticket::default()
    }
}

pub(crate) fn run(options: &Options) -> Outcome {
    let rounds = options.rounds.max(1);
    println!("{:44} {:>12} {:>12} {:>7}", "", "with", "without", "ratio");
    if options.callbacks {
        return callbacks::run(rounds);
    }
    if options.durable {
        return durable::run(rounds);
    }
    if options.languages {
        return languages::run(rounds);
    }
    boundary(rounds)?;
    opening(rounds)?;
    listing(rounds)?;
    durable::run(rounds)?;
    languages::run(rounds.min(3))?;
    callbacks::run(rounds.min(3))
}

fn line(what: &str, with: Duration, without: Duration) {
    let ratio = with.as_secs_f64() / without.as_secs_f64().max(1e-12);
    println!("{what:44} {with:>12.2?} {without:>12.2?} {ratio:>7.2}");
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Both sides in turn; the middle of each.
fn turns(
    rounds: usize,
    mut one: impl FnMut() -> Outcome,
    mut other: impl FnMut() -> Outcome,
) -> Outcome<(Duration, Duration)> {
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (times, work) in [(&mut ones, &mut one as &mut dyn FnMut() -> Outcome), (&mut others, &mut other)] {
            let started = Instant::now();
            work()?;
            times.push(started.elapsed());
        }
    }
    Ok((middle(ones), middle(others)))
}

/// Runs a command to its end; what it says of an error is the error.
fn done(command: &mut Command) -> Outcome {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(text.trim().to_owned().into()) }
}

fn config(folder: &tempfile::TempDir, plugins: Value) -> Value {
    let keys = folder.path().join("vault.keys");
    json!({"data_dir": folder.path().join("data"), "plugins": plugins, "vault": {"key_file": keys}})
}

/// The same with the ConnectWise plugin, for a simulator.
fn config_for(folder: &tempfile::TempDir, simulator: &Simulator) -> Outcome<Value> {
    let mut config = config(folder, json!([shipped_plugin(folder.path())?]));
    config["egress"] = json!({"ca_files": [simulator.text("ca")], "allow_private": ["127.0.0.1"]});
    Ok(config)
}

/// Parsing a request and writing a ticket: through the host and a plugin, and as a plain function.
fn boundary(rounds: usize) -> Outcome {
    let folder = tempfile::tempdir()?;
    let host = Host::open(config(&folder, json!([])).to_string().as_bytes(), Hooks::default())?;
    host.add_plugin(Echo::ENTRY)?;
    let made: Value = serde_json::from_str(&host.call(
        "connections.create",
        br#"{"tenant":"t","plugin":"echo"}"#,
        CallOptions::default(),
    )?)?;
    let params = json!({"tenant": "t", "connection": made["connection"], "ticket": "1001", "fresh": true}).to_string();
    let direct = || {
        for _ in 0..CALLS {
            let request: GetTicketRequest = serde_json::from_slice(black_box(br#"{"ticket":"1001"}"#))?;
            black_box(serde_json::to_string(&ticket(request))?);
        }
        Ok(())
    };
    let many = || {
        let (send, done) = channel();
        for _ in 0..CALLS {
            let send = send.clone();
            let done = Box::new(move |_, outcome: Result<String, psa_host::Error>| drop(send.send(outcome)));
            host.submit("tickets.get", params.as_bytes(), CallOptions::default(), done)?;
        }
        for _ in 0..CALLS {
            black_box(done.recv()??);
        }
        Ok(())
    };
    let (with, without) = turns(rounds, many, direct)?;
    line("a call, many under way", with / CALLS, without / CALLS);
    let one_by_one = || {
        for _ in 0..CALLS / 10 {
            black_box(host.call("tickets.get", params.as_bytes(), CallOptions::default())?);
        }
        Ok(())
    };
    let (with, without) = turns(rounds, one_by_one, direct)?;
    line("a call, waited for", with / (CALLS / 10), without / CALLS);
    Ok(host.close(1000)?)
}

/// Opening a host with the ConnectWise plugin and without one.
fn opening(rounds: usize) -> Outcome {
    let folder = tempfile::tempdir()?;
    let plugin = shipped_plugin(folder.path())?;
    let size = std::fs::metadata(&plugin)?.len();
    let open = |plugins: Value| {
        let config = config(&folder, plugins).to_string();
        Ok(Host::open(config.as_bytes(), Hooks::default())?.close(0)?)
    };
    let (with, without) = turns(rounds, || open(json!([plugin])), || open(json!([])))?;
    line("opening a host, with the plugin and without", with, without);
    println!("  the plugin alone: {:.2?}, {size} bytes", with.saturating_sub(without));
    Ok(())
}

/// Ten thousand tickets: through host and plugin, and with reqwest and serde_json alone.
fn listing(rounds: usize) -> Outcome {
    let tickets = (TICKETS * 10).div_ceil(9).to_string();
    let simulator = Simulator::start(&beside_this_program("psa-simulator")?, &["--tls", "--tickets", &tickets])?;
    let folder = tempfile::tempdir()?;
    let config = config_for(&folder, &simulator)?;
    let host = Host::open(config.to_string().as_bytes(), Hooks::default())?;
    let create = json!({"tenant": "t", "plugin": "connectwise", "settings": simulator.settings(), "secrets": simulator.secrets()});
    let made: Value = serde_json::from_str(&host.call(
        "connections.create",
        create.to_string().as_bytes(),
        CallOptions::default(),
    )?)?;
    let through_the_plugin = || {
        let (mut count, mut cursor) = (0, Value::Null);
        loop {
            let page = json!({"limit": 1000, "cursor": cursor});
            let params = json!({"tenant": "t", "connection": made["connection"], "page": page}).to_string();
            let found: Value =
                serde_json::from_str(&host.call("tickets.search", params.as_bytes(), CallOptions::default())?)?;
            count += found["items"].as_array().map_or(0, Vec::len);
            cursor = found["next"].clone();
            if cursor.is_null() {
                return if count >= TICKETS { Ok(()) } else { Err(format!("{count} tickets").into()) };
            }
        }
    };
    let plain = Plain::new(&simulator)?;
    let (with, without) = turns(rounds, through_the_plugin, || plain.list())?;
    line(&format!("listing {TICKETS} tickets"), with, without);
    Ok(host.close(1000)?)
}

/// The same list as anybody would fetch it.
struct Plain {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: String,
    user: String,
    key: String,
    client_id: String,
}

impl Plain {
    fn new(simulator: &Simulator) -> Outcome<Plain> {
        // Another caller may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = reqwest::Certificate::from_pem(&std::fs::read(simulator.text("ca"))?)?;
        Ok(Plain {
            runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?,
            client: reqwest::Client::builder().tls_certs_only([ca]).build()?,
            url: format!("{}/v4_6_release/apis/3.0/service/tickets?pageSize=1000&pageId=", simulator.text("url")),
            user: format!("{}+{}", simulator.text("company"), simulator.text("public_key")),
            key: simulator.text("private_key").to_owned(),
            client_id: simulator.text("client_id").to_owned(),
        })
    }

    fn list(&self) -> Outcome {
        let (mut count, mut last) = (0, 0);
        loop {
            let request = self.client.get(format!("{}{last}", self.url)).basic_auth(&self.user, Some(&self.key));
            let request = request.header("clientid", &self.client_id).header("pagination-type", "forward-only");
            let body = self.runtime.block_on(async { request.send().await?.error_for_status()?.bytes().await })?;
            let tickets: Vec<Value> = serde_json::from_slice(&body)?;
            count += tickets.len();
            match tickets.last().and_then(|ticket| ticket["id"].as_u64()) {
                Some(id) => last = id,
                None => return if count >= TICKETS { Ok(()) } else { Err(format!("{count} tickets").into()) },
            }
        }
    }
}
