//! `psa demo`: the main job, line by line, and then the Integrations page with living data.
//!
//! Promises: every line that says "ok" was looked at; with `--check` also in what the simulator has seen, and then it ends.

mod sample;

use crate::{http, serve};
use psa_host::{CallOptions, Hooks, Host};
use psa_simulator::Simulator;
use serde_json::{Value, json};
use std::error::Error;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How the demo runs.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Assert each step against the simulator's log, and end.
    #[arg(long)]
    check: bool,
    /// Port of the page on 127.0.0.1; 0: a free one.
    #[arg(long, default_value_t = 8070)]
    port: u16,
    /// Nothing changes at the PSA while the page is shown.
    #[arg(long)]
    still: bool,
    #[command(flatten)]
    looks: serve::Looks,
}

/// How long the demo waits for the end of an operation, in milliseconds.
const WAIT_MS: u64 = 30_000;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A file that cargo has put beside this program.
pub(crate) fn beside_this_program(name: &str) -> std::io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().unwrap_or(&program).join(name))
}

/// Puts the ConnectWise plugin into `folder`, under the name it is shipped with. Where this program lies others may be
/// able to write, and from there no plugin is loaded.
pub(crate) fn shipped_plugin(folder: &Path) -> std::io::Result<PathBuf> {
    let suffix = std::env::consts::DLL_SUFFIX;
    let plugin = folder.join(format!("psa_connectwise{suffix}"));
    std::fs::copy(beside_this_program(&format!("libpsa_connectwise{suffix}"))?, &plugin)?;
    std::fs::set_permissions(&plugin, Permissions::from_mode(0o755))?;
    Ok(plugin)
}

pub(crate) struct Demo {
    simulator: Simulator,
    host: Arc<Host>,
    check: bool,
}

pub(crate) fn run(options: &Options) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // The address comes first: callbacks are to lead to it. Whoever has the usual port already keeps it.
    let (listener, address) = runtime.block_on(async {
        match http::listen(options.port).await {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => http::listen(0).await,
            listening => listening,
        }
    })?;
    let program = beside_this_program("psa-simulator")?;
    if !program.is_file() {
        let message = "the demo needs psa-simulator beside this program, which a package does not have";
        return Err(format!("{message}: run `cargo xtask demo` in a checkout").into());
    }
    let simulator = Simulator::start(&program, &["--tls"])?;
    println!("1. A simulated ConnectWise speaks HTTPS at {}", simulator.text("url"));
    let folder = tempfile::tempdir()?;
    let plugin = shipped_plugin(folder.path())?;
    let config = json!({
        "data_dir": folder.path().join("data"),
        "plugins": [plugin],
        "vault": {"key_file": folder.path().join("vault.keys")},
        "egress": {"ca_files": [simulator.text("ca")], "allow_private": ["127.0.0.1"], "allow_loopback_http": true},
        "callbacks": {"address": format!("http://{address}{}", serve::CALLBACKS.trim_end_matches('/'))},
    });
    let host = Arc::new(Host::open(config.to_string().as_bytes(), Hooks::default())?);
    let demo = Arc::new(Demo { simulator, host: host.clone(), check: options.check });
    demo.plugins()?;
    let connection = demo.connect()?;
    let link = demo.ticket(&connection)?;
    demo.note(&link)?;
    demo.status(&connection, &link)?;
    demo.lost_answer(&link)?;
    demo.refusals(&connection, &link)?;
    if options.check {
        demo.host.close(1000)?;
        println!("\nAll done. To go on by hand:");
        return by_hand();
    }
    // Callbacks are let in while the samples are made: the registrations are tried by then.
    let handler = serve::handler(host, address, "demo", &options.looks);
    let samples = demo.clone();
    let filled = std::thread::spawn(move || samples.sample(&connection, &link).map_err(|error| error.to_string()));
    runtime.block_on(async {
        let ended = async {
            let outcome = tokio::task::spawn_blocking(move || filled.join()).await;
            match outcome {
                Ok(Ok(Ok(()))) => println!("9. The page has sample data, and changes while you look."),
                Ok(Ok(Err(error))) => eprintln!("the samples are not complete: {error}"),
                _ => eprintln!("the samples are not complete"),
            }
            if let Ok(account) = demo.for_trying() {
                println!("   an account for trying: {account}");
            }
            println!("\nThe Integrations page: http://{address}/   (Ctrl-C ends it)");
            if !options.still {
                sample::live(&demo);
            }
            let _ = tokio::signal::ctrl_c().await;
        };
        http::serve(listener, handler, ended).await
    })?;
    demo.host.close(1000)?;
    Ok(())
}

fn by_hand() -> Outcome {
    println!("  {} connectwise --tls          # another simulator", beside_this_program("psa-simulator")?.display());
    println!("  {} call methods.list          # everything a host can do", beside_this_program("psa")?.display());
    Ok(())
}

impl Demo {
    fn call(&self, method: &str, params: &Value) -> Result<Value, psa_host::Error> {
        let json = self.host.call(method, params.to_string().as_bytes(), CallOptions::default())?;
        serde_json::from_str(&json).map_err(|error| psa_host::Error::internal(error.to_string()))
    }

    fn plugins(&self) -> Outcome {
        let list = self.call("plugins.list", &json!({}))?;
        let plugin = &list["items"][0];
        println!("2. Loaded {} {} from {}", text(plugin, "name"), text(plugin, "version"), text(plugin, "path"));
        expect(list["refused"] == json!([]), "a plugin was refused")
    }

    fn connect(&self) -> Outcome<String> {
        let params = json!({
            "tenant": "demo", "plugin": "connectwise", "name": "Our ConnectWise",
            "settings": self.simulator.settings(), "secrets": self.simulator.secrets(),
        });
        let made = self.call("connections.create", &params)?;
        let connection = text(&made, "connection").to_owned();
        let report = self.call("connections.test", &json!({"tenant": "demo", "connection": connection}))?;
        println!("3. Connected as {}", text(&report["account"], "label"));
        for step in report["steps"].as_array().into_iter().flatten() {
            println!("   {:8} {}", text(step, "step"), text(step, "state"));
        }
        expect(report["passed"] == true, "the test of the connection failed")?;
        self.seen("member_me", |entry| {
            entry["status"] == 200 && entry["headers"]["clientid"] == self.simulator.ready["client_id"]
        })?;
        Ok(connection)
    }

    fn ticket(&self, connection: &str) -> Outcome<String> {
        let ticket = self.call("tickets.get", &of(connection, json!({"ticket": "1001"})))?;
        println!(
            "4. Ticket {}: \"{}\", {} on board {}",
            text(&ticket, "number"),
            text(&ticket, "summary"),
            text(&ticket["status"], "name"),
            text(&ticket["board"], "name")
        );
        self.seen("get_ticket", |entry| entry["status"] == 200)?;
        let link = json!({"product_ticket": "HD-4711", "ticket": "1001"});
        let link = self.call("links.create", &of(connection, link))?;
        println!("   linked to ticket {} of the helpdesk", text(&link, "product_ticket"));
        Ok(text(&link, "link").to_owned())
    }

    fn note(&self, link: &str) -> Outcome {
        let words = "Looked at it on the spot.";
        let note = json!({"visibility": "internal", "text": words, "wait_ms": WAIT_MS});
        let note = self.call("notes.post", &on(link, note))?;
        println!("5. Posted note {} as {}", text(&note, "remote"), text(&note, "visibility"));
        expect(note["state"] == "delivered", "the note was not delivered")?;
        self.seen("add_note", |entry| {
            let body = &entry["body"];
            entry["committed"] == true
                && body["text"] == words
                && body["internalAnalysisFlag"] == true
                && body["detailDescriptionFlag"] == false
                && body["resolutionFlag"] == false
                && body["processNotifications"] == false
        })
    }

    fn status(&self, connection: &str, link: &str) -> Outcome {
        let statuses = self.call("tickets.catalog", &of(connection, json!({"kind": "statuses", "scope": "1"})))?;
        let wanted = statuses["items"].as_array().into_iter().flatten().find(|status| status["name"] == "In Progress");
        let wanted = wanted.map(|status| text(status, "id")).ok_or("the board has no status \"In Progress\"")?;
        let moved = self.call("tickets.set_status", &on(link, json!({"status": wanted, "wait_ms": WAIT_MS})))?;
        println!("6. Moved the ticket to \"In Progress\": {}", text(&moved, "outcome"));
        expect(moved["outcome"] == "applied", "the status was not applied")?;
        self.seen("patch_ticket", |entry| {
            entry["committed"] == true && entry["body"][0]["value"]["id"].as_u64() == wanted.parse().ok()
        })
    }

    /// The PSA keeps the note and the answer is lost: it is looked for, not sent again.
    fn lost_answer(&self, link: &str) -> Outcome {
        let order = json!({"endpoint": "add_note", "fault": "reset_after_commit", "times": 1});
        self.simulator.fault(&order)?;
        let before = self.count("add_note")?;
        let note = json!({"visibility": "public", "text": "We are on it.", "wait_ms": WAIT_MS});
        let note = self.call("notes.post", &on(link, note))?;
        println!(
            "7. The connection broke after the PSA had kept a note: {}, {}",
            text(&note, "state"),
            text(&note, "outcome")
        );
        expect(note["outcome"] == "found", "the note was not found")?;
        expect(self.count("add_note")? == before + 1, "the note was sent again")
    }

    /// What must not happen, and how it is said.
    fn refusals(&self, connection: &str, link: &str) -> Outcome {
        let patches = self.count("patch_ticket")?;
        println!("8. What is refused, and in which words:");
        let foreign = self.call("tickets.set_status", &on(link, json!({"status": "202", "wait_ms": WAIT_MS})))?;
        println!("   a status of another board:\n      {}", text(&foreign["error"], "message"));
        expect(foreign["reason"] == "status_of_other_board", "the status of another board was not refused")?;
        let silent = self.call("notes.post", &on(link, json!({"text": "Who may read this?"})));
        self.refused("a note without a visibility", silent, "missing_field")?;
        let stranger =
            self.call("tickets.get", &json!({"tenant": "other", "connection": connection, "ticket": "1001"}));
        self.refused("another tenant's connection", stranger, "connection_missing")?;
        expect(self.count("patch_ticket")? == patches, "the status of another board was sent")
    }

    fn refused(&self, what: &str, outcome: Result<Value, psa_host::Error>, reason: &str) -> Outcome {
        let Err(error) = outcome else { return Err(format!("{what} was not refused").into()) };
        println!("   {what}:\n      {error}");
        expect(error.reason.as_deref() == Some(reason), &format!("{what}: refused with {:?}", error.reason))
    }

    /// With `--check`: the last request to an endpoint is as it should be, and holds no secret.
    fn seen(&self, endpoint: &str, right: impl Fn(&Value) -> bool) -> Outcome {
        if !self.check {
            return Ok(());
        }
        let log = self.simulator.log()?;
        let last = log.iter().rev().find(|entry| entry["endpoint"] == endpoint);
        let last = last.ok_or_else(|| format!("the simulator has seen no {endpoint}"))?;
        expect(right(last), &format!("{endpoint} was not as it should be: {last}"))?;
        println!("   ok: seen by the simulator");
        Ok(())
    }

    fn count(&self, endpoint: &str) -> Outcome<usize> {
        Ok(self.simulator.log()?.iter().filter(|entry| entry["endpoint"] == endpoint).count())
    }
}

fn of(connection: &str, mut more: Value) -> Value {
    more["tenant"] = json!("demo");
    more["connection"] = json!(connection);
    more
}

fn on(link: &str, mut more: Value) -> Value {
    more["tenant"] = json!("demo");
    more["link"] = json!(link);
    more
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("?")
}

fn expect(is: bool, otherwise: &str) -> Outcome {
    if is { Ok(()) } else { Err(otherwise.into()) }
}
