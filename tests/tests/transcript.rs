//! One script of more than a hundred calls in every language: the same answers, the same requests at the PSA, the same
//! database.

use psa_host::{CallOptions, Hooks, Host};
use psa_tests::compile::{self, run};
use psa_tests::embedded::Embedded;
use psa_tests::python;
use regex::{Captures, Regex};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row, Statement};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Where a script runs: a PSA and a folder of its own.
struct Scene {
    embedded: Embedded,
    script: PathBuf,
}

/// What it left behind.
#[derive(PartialEq, Eq)]
struct Trace {
    /// Each method with the code it ended with.
    answers: Vec<String>,
    requests: Vec<String>,
    rows: Vec<String>,
}

impl Scene {
    fn new() -> Scene {
        let embedded = Embedded::new();
        let script = std::fs::read_to_string(compile::root().join("tests/transcript/script.tsv")).unwrap();
        let script = script
            .replace("@settings@", &embedded.simulator.settings().to_string())
            .replace("@secrets@", &embedded.simulator.secrets().to_string());
        let path = embedded.folder.path().join("script.tsv");
        std::fs::write(&path, script).unwrap();
        Scene { embedded, script: path }
    }

    fn config(&self) -> String {
        // Nothing of the host's own happens while the script runs.
        self.embedded.config_with(&json!({"callbacks": {"window_ms": 86_400_000_u64}})).to_string()
    }

    fn trace(self, printed: &str) -> Trace {
        let mut ids = Ids::default();
        let log = self.embedded.simulator.log().unwrap();
        let (mut reads, writes): (Vec<_>, Vec<_>) = log.iter().partition(|entry| entry["method"] == "GET");
        // The steps of a test ask at the same time, in any order.
        reads.sort_by_key(|entry| format!("{} {}", entry["path"], entry["query"]));
        // The first look in the background asks what time it is, before the script ends or never; the test asks too.
        let is_clock = |entry: &Value| entry["path"].as_str().unwrap().ends_with("/system/info");
        reads.dedup_by(|again, first| is_clock(again) && again["path"] == first["path"]);
        let requests = writes.into_iter().chain(reads).map(|entry| request(entry, &mut ids)).collect();
        let rows = rows(&self.embedded.folder.path().join("data/store.db"));
        Trace { answers: printed.lines().map(str::to_owned).collect(), requests, rows }
    }

    fn run(self, mut command: Command) -> Trace {
        let printed = run(command.arg(self.config()).arg(&self.script));
        self.trace(&printed)
    }

    /// The script through Rust.
    fn run_here(self) -> Trace {
        let host = Host::open(self.config().as_bytes(), Hooks::default()).unwrap();
        let mut saved = BTreeMap::new();
        let mut printed = String::new();
        for line in std::fs::read_to_string(&self.script).unwrap().lines() {
            let [method, params, name] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            let filled = |text: String, (name, value): (&String, &String)| text.replace(&format!("@{name}@"), value);
            let params = saved.iter().fold(params.to_owned(), filled);
            let answer = host.call(method, params.as_bytes(), CallOptions::default());
            let code = answer.as_ref().map_or_else(|error| error.code.name(), |_| "ok");
            printed.push_str(&format!("{method}\t{code}\n"));
            let answer: Value = answer.map(|answer| serde_json::from_str(&answer).unwrap()).unwrap_or_default();
            if let Some(value) = answer[name].as_str() {
                saved.insert(name.to_owned(), value.to_owned());
            }
        }
        host.close(0).unwrap();
        self.trace(&printed)
    }
}

/// Gives what is random a name by the order in which it appears.
#[derive(Default)]
struct Ids(BTreeMap<String, usize>);

/// What differs each time, and what stands for it.
static PLAIN: LazyLock<[(Regex, &str); 7]> = LazyLock::new(|| {
    [
        (r"gAAAA[0-9A-Za-z_=-]{40,}", "<sealed>"),
        // The simulator counts its requests, those in the background too.
        (r"00000000-0000-4000-8000-[0-9a-f]{12}", "<request>"),
        // The PSA's clock, which is known once the first look in the background has been answered.
        (r#""read_at":(null|[0-9]+)"#, "\"read_at\":<time>"),
        (r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z", "<time>"),
        (r"\b1[78][0-9]{11}\b", "<time>"),
        (r"127\.0\.0\.1:[0-9]+", "<psa>"),
        (r"owner=[0-9]+-", "owner=<process>-"),
    ]
    .map(|(pattern, stands)| (Regex::new(pattern).unwrap(), stands))
});
static RANDOM: LazyLock<Regex> = LazyLock::new(|| Regex::new("[0-9a-f]{16,}").unwrap());

impl Ids {
    /// With names for those that have one already.
    fn known(&self, text: &str) -> String {
        let name =
            |found: &Captures<'_>| self.0.get(&found[0]).map_or_else(|| "<>".to_owned(), |id| format!("<{id:04}>"));
        RANDOM.replace_all(&masked(text), name).into_owned()
    }

    fn plain(&mut self, text: &str) -> String {
        let text = masked(text);
        let named = RANDOM.replace_all(&text, |found: &Captures<'_>| {
            let next = self.0.len();
            format!("<{}>", self.0.entry(found[0].to_owned()).or_insert(next))
        });
        named.into_owned()
    }
}

fn masked(text: &str) -> String {
    PLAIN.iter().fold(text.to_owned(), |text, (pattern, stands)| pattern.replace_all(&text, *stands).into_owned())
}

/// A request as the simulator noted it, without what differs each time.
fn request(entry: &Value, ids: &mut Ids) -> String {
    let mut headers = entry["headers"].as_object().unwrap().clone();
    headers.retain(|name, _| name != "host" && name != "content-length");
    let text = format!(
        "{} {}?{} {headers:?} {} -> {}",
        entry["method"], entry["path"], entry["query"], entry["body"], entry["status"]
    );
    ids.plain(&text)
}

/// Every row of every table: first of those whose rows have an order, so that ids get their names by it.
fn rows(database: &Path) -> Vec<String> {
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let names =
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'
                 ORDER BY wr, name";
    let names: Vec<String> =
        db.prepare(names).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut ids = Ids::default();
    let mut all = Vec::new();
    // Where the looks in the background stand is their business: the first may come before the script ends or never.
    for table in names.into_iter().filter(|table| table != "cursors") {
        let ordered = db.prepare(&format!("SELECT * FROM {table} ORDER BY rowid"));
        let has_order = ordered.is_ok();
        let mut statement = ordered.or_else(|_| db.prepare(&format!("SELECT * FROM {table}"))).unwrap();
        let mut found = cells(&mut statement).iter().map(|row| format!("{table}: {row}")).collect::<Vec<_>>();
        if !has_order {
            found.sort_by_cached_key(|row| ids.known(row));
        }
        all.extend(found.iter().map(|row| ids.plain(row)));
    }
    all
}

/// Each row on a line; of bytes only how many.
fn cells(statement: &mut Statement<'_>) -> Vec<String> {
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let row = |row: &Row<'_>| {
        let cell = |(at, name): (usize, &String)| {
            let value = match row.get_ref(at).unwrap() {
                ValueRef::Null => return None,
                ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
                ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
            };
            Some(format!("{name}={value}"))
        };
        Ok(columns.iter().enumerate().filter_map(cell).collect::<Vec<_>>().join(" "))
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[track_caller]
fn same(way: &str, here: &Trace, there: &Trace) {
    for (what, here, there) in [
        ("answers", &here.answers, &there.answers),
        ("requests", &here.requests, &there.requests),
        ("rows", &here.rows, &there.rows),
    ] {
        let first = here.iter().zip(there).find(|(here, there)| here != there);
        if let Some((here, there)) = first {
            panic!("{way}, {what}:\n  {there}\ninstead of\n  {here}");
        }
        assert_eq!(here.len(), there.len(), "{way}: number of {what}");
    }
}

/// A program made of one source and run.
fn compiled(compiler: &str, flags: &[&str], source: &str) -> Trace {
    let scene = Scene::new();
    let source = format!("tests/transcript/{source}");
    let program = compile::product(compiler, flags, &[&source], scene.embedded.folder.path());
    scene.run(Command::new(program))
}

fn script(name: &str) -> PathBuf {
    compile::root().join("tests/transcript").join(name)
}

#[test]
fn every_language_does_the_same() {
    let here = Scene::new().run_here();
    let ended = |code: &str| here.answers.iter().filter(|line| line.ends_with(code)).count();
    assert!(here.answers.len() > 100 && ended("\tok") > 75, "{:#?}", here.answers);
    let python = |way: &str| {
        let mut command = python::command();
        command.arg(script("run.py")).arg(way);
        Scene::new().run(command)
    };
    let mut ctypes = Command::new("python3");
    ctypes.arg(script("run_ctypes.py")).arg(compile::target().join("libpsa_host.so"));
    for (way, there) in [
        ("C", compiled("gcc", &["-std=c99"], "run.c")),
        ("C++", compiled("g++", &["-std=c++17"], "run.cpp")),
        ("Python", python("blocking")),
        ("asyncio", python("asyncio")),
        ("ctypes", Scene::new().run(ctypes)),
    ] {
        same(way, &here, &there);
    }
}
