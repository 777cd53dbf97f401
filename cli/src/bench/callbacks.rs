//! Keeping callbacks: the host's door and a Django view, in turn on the same processor.
//!
//! Promises: both sides get the same messages, rightly signed, each in its own process and without sockets; both have them
//! on disk before they answer; both are held on one processor, with everything that they do behind the answer.
//! Leaves to others: the view itself (`django.py`).

use super::side::{Side, python};
use super::{Outcome, config_for, line, middle};
use crate::callbacks::sign;
use crate::demo::beside_this_program;
use psa_host::{CallOptions, Hooks, Host, HttpRequest};
use psa_simulator::Simulator;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Messages of one round.
const MESSAGES: usize = 4_000;
/// Callers that are under way at once.
const CALLERS: [usize; 3] = [1, 16, 64];
/// The processor that both are held on.
const PROCESSOR: &str = "0";
/// The one with long support that works with Python 3.11.
const DJANGO: &str = "django>=5.2,<5.3";
/// How long a round's messages may take until they are proved.
const PROVED_WITHIN: Duration = Duration::from_secs(120);

pub(super) fn run(rounds: usize) -> Outcome {
    // Before the host is opened: its threads are held where this one is.
    let held = Held::here();
    let door = Door::open()?;
    let messages = door.messages(rounds * CALLERS.len() * MESSAGES);
    let folder = tempfile::tempdir()?;
    let mut django = Django::start(folder.path(), &door, &messages)
        .inspect_err(|error| println!("  Django is not here: {error}"))
        .ok();
    for (number, callers) in CALLERS.into_iter().enumerate() {
        let (mut ours, mut proved, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let first = (number * rounds + round) * MESSAGES;
            let (kept, all) = door.round(&messages[first..first + MESSAGES], callers)?;
            ours.push(kept);
            proved.push(all);
            if let Some(django) = &mut django {
                theirs.push(django.round(first, callers)?);
            }
        }
        show(callers, &Round::middle(&ours), middle(proved), &Round::middle(&theirs));
    }
    drop(held);
    Ok(door.host.close(1000)?)
}

fn show(callers: usize, ours: &Round, proved: Duration, theirs: &Round) {
    let one = |time: Duration| time / MESSAGES as u32;
    line(&format!("a callback kept, {callers} at once, and in Django"), one(ours.all), one(theirs.all));
    line("  the same until it is proved", one(proved), one(theirs.all));
    line("  half of the answers within", ours.half, theirs.half);
    line("  99 of 100 answers within", ours.most, theirs.most);
    let rate = |time: Duration| MESSAGES as f64 / time.as_secs_f64().max(1e-9);
    println!(
        "  {:.0} and {:.0} per second: {:.1} times; until proved {:.0} per second: {:.1} times",
        rate(ours.all),
        rate(theirs.all),
        rate(ours.all) / rate(theirs.all),
        rate(proved),
        rate(proved) / rate(theirs.all)
    );
}

/// One round: how long all took, and half and 99 of 100 of the answers at most.
#[derive(Debug, Clone, Copy)]
struct Round {
    all: Duration,
    half: Duration,
    most: Duration,
}

impl Round {
    fn of(all: Duration, mut answers: Vec<Duration>) -> Round {
        answers.sort();
        let at = |percent: usize| answers.get(answers.len() * percent / 100).copied().unwrap_or_default();
        Round { all, half: at(50), most: at(99) }
    }

    /// Each figure's own middle.
    fn middle(rounds: &[Round]) -> Round {
        let of = |figure: fn(&Round) -> Duration| {
            if rounds.is_empty() { Duration::ZERO } else { middle(rounds.iter().map(figure).collect()) }
        };
        Round { all: of(|round| round.all), half: of(|round| round.half), most: of(|round| round.most) }
    }
}

/// Holds this process on one processor until it is dropped.
struct Held {
    before: String,
}

impl Held {
    fn here() -> Option<Held> {
        let found = taskset(&["-c", "-p"]);
        let before = found.as_deref().and_then(|text| text.rsplit(": ").next()).map(|list| list.trim().to_owned());
        let held = before.filter(|_| taskset(&["-a", "-c", "-p", PROCESSOR]).is_some()).map(|before| Held { before });
        if held.is_none() {
            println!("  taskset is not here: both sides use all processors");
        }
        held
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        taskset(&["-a", "-c", "-p", &self.before]);
    }
}

/// Of this process: what it says, if it worked.
fn taskset(arguments: &[&str]) -> Option<String> {
    let output = Command::new("taskset").args(arguments).arg(std::process::id().to_string()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// One signed callback.
struct Message {
    url: String,
    body: String,
    signature: String,
}

/// A host with a connection that is registered, and its simulator.
struct Door {
    host: Host,
    connection: Value,
    /// Path and token of the registration for tickets, with the name of the id behind it.
    path: String,
    key: String,
    key_url: String,
    simulator: Simulator,
    _folder: tempfile::TempDir,
}

impl Door {
    /// As in production, but for its own address and the simulator's.
    fn open() -> Outcome<Door> {
        const SITE: &str = "http://127.0.0.1:9";
        let simulator = Simulator::start(&beside_this_program("psa-simulator")?, &["--tls"])?;
        let folder = tempfile::tempdir()?;
        let mut config = config_for(&folder, &simulator)?;
        config["egress"]["allow_loopback_http"] = json!(true);
        config["callbacks"] = json!({"address": format!("{SITE}/hooks")});
        let host = Host::open(config.to_string().as_bytes(), Hooks::default())?;
        let create = json!({"tenant": "t", "plugin": "connectwise", "settings": simulator.settings(),
                            "secrets": simulator.secrets()});
        let connection = call(&host, "connections.create", &create)?["connection"].clone();
        let of = json!({"tenant": "t", "connection": connection});
        call(&host, "connections.test", &of)?;
        let all_active = |list: &Value| {
            list["items"].as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|one| one["state"] == "active"))
        };
        while !all_active(&call(&host, "callbacks.list", &of)?) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let entries = simulator.control("GET", "callbacks", None)?;
        let urls = entries["items"].as_array().into_iter().flatten().filter(|entry| entry["type"] == "ticket");
        // Others are registered there, too.
        let mut paths = urls.filter_map(|entry| entry["url"].as_str()?.strip_prefix(SITE));
        let path = paths.next().ok_or("no registration for tickets")?.to_owned();
        let keys = simulator.control("GET", "key", None)?;
        let text = |name: &str| keys["items"][0]["keys"][0][name].as_str().unwrap_or_default().to_owned();
        let (key, key_url) = (text("signing_key"), text("key_url"));
        Ok(Door { host, connection, path, key, key_url, simulator, _folder: folder })
    }

    fn messages(&self, count: usize) -> Vec<Message> {
        (0..count).map(|number| self.message(number)).collect()
    }

    /// Each about another ticket; as long as those of the PSA mostly are.
    fn message(&self, number: usize) -> Message {
        let id = 100_000 + number;
        let entity = json!({"id": id, "summary": "Printer on the third floor is out of order", "recordType": "ServiceTicket",
            "board": {"id": 1, "name": "Help Desk"}, "status": {"id": 101, "name": "New"},
            "company": {"id": 2, "identifier": "NorthwindDental", "name": "Northwind Dental"},
            "_info": {"lastUpdated": "2026-01-31T12:00:00Z", "updatedBy": "jdoe"}});
        let body = json!({"MessageId": format!("00000000-0000-4000-8000-{number:012x}"), "FromUrl": "127.0.0.1",
            "CompanyId": self.simulator.text("company"), "MemberId": "jdoe", "Action": "updated", "Type": "ticket",
            "ID": id, "Entity": entity.to_string(), "Metadata": {"key_url": self.key_url}, "CallbackObjectRecId": 1});
        let body = body.to_string();
        let signature = sign::signature(&self.key, body.as_bytes());
        Message { url: format!("{}{id}&action=updated", self.path), body, signature }
    }

    /// Hands them in, and waits until all are proved: how that went, and how long it took in all.
    fn round(&self, messages: &[Message], callers: usize) -> Outcome<(Round, Duration)> {
        let before = self.last()?;
        let next = AtomicUsize::new(0);
        let began = Instant::now();
        let answers = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..callers).map(|_| scope.spawn(|| self.hand_in(messages, &next))).collect();
            let mut answers = Vec::with_capacity(messages.len());
            for caller in callers {
                answers.extend(caller.join().map_err(|_| "a caller panicked")??);
            }
            Ok::<_, String>(answers)
        })?;
        let kept = began.elapsed();
        let of = json!({"tenant": "t", "connection": self.connection});
        while call(&self.host, "callbacks.list", &of)?["health"]["waiting"] != 0 {
            if began.elapsed() > PROVED_WITHIN {
                return Err("the callbacks are not proved".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let proved = began.elapsed();
        let last = self.last()?;
        if last - before != messages.len() as u64 {
            return Err(format!("{} of {} callbacks are kept", last - before, messages.len()).into());
        }
        Ok((Round::of(kept, answers), proved))
    }

    fn hand_in(&self, messages: &[Message], next: &AtomicUsize) -> Result<Vec<Duration>, String> {
        let mut answers = Vec::new();
        while let Some(message) = messages.get(next.fetch_add(1, Ordering::SeqCst)) {
            let headers = [("content-type", "application/json"), (sign::HEADER, message.signature.as_str())];
            let request =
                HttpRequest { method: "POST", url: &message.url, headers: &headers, body: message.body.as_bytes() };
            let began = Instant::now();
            let answer = self.host.callback(&request).map_err(|error| error.to_string())?;
            answers.push(began.elapsed());
            if answer.status != 204 {
                return Err(format!("the door answers {}", answer.status));
            }
        }
        Ok(answers)
    }

    /// The number of the newest delivery, which was proved; 0: there is none.
    fn last(&self) -> Outcome<u64> {
        let one = json!({"tenant": "t", "connection": self.connection, "page": {"limit": 1}});
        let newest = call(&self.host, "callbacks.deliveries", &one)?["items"][0].clone();
        if newest.is_object() && newest["state"] != "verified" {
            return Err(format!("a callback is not believed: {newest}").into());
        }
        Ok(newest["id"].as_u64().unwrap_or_default())
    }
}

fn call(host: &Host, method: &str, params: &Value) -> Outcome<Value> {
    Ok(serde_json::from_str(&host.call(method, params.to_string().as_bytes(), CallOptions::default())?)?)
}

/// The view in its own process.
struct Django(Side);

impl Django {
    fn start(folder: &Path, door: &Door, messages: &[Message]) -> Outcome<Django> {
        let python = python("bench-django", &[DJANGO])?;
        let script = folder.join("django_view.py");
        std::fs::write(&script, include_str!("django.py"))?;
        let rows: Vec<Value> = messages
            .iter()
            .map(|message| json!({"url": message.url, "body": message.body, "signature": message.signature}))
            .collect();
        let facts = json!({"key": door.key, "company": door.simulator.text("company"), "messages": rows});
        std::fs::write(folder.join("messages.json"), facts.to_string())?;
        // It is started where this process is held.
        let mut side = Side::start(Command::new(python).arg(&script).arg(folder))?;
        println!("  Django {}", side.answer()?["versions"].as_str().unwrap_or_default());
        Ok(Django(side))
    }

    fn round(&mut self, first: usize, callers: usize) -> Outcome<Round> {
        let answer = self.0.ask(&json!({"first": first, "count": MESSAGES, "callers": callers}).to_string())?;
        let seconds = |value: &Value| Duration::try_from_secs_f64(value.as_f64().unwrap_or_default());
        let all = seconds(&answer["all"])?;
        let each = answer["answers"].as_array().into_iter().flatten();
        Ok(Round::of(all, each.map(seconds).collect::<Result<_, _>>()?))
    }
}
