//! Plugins that break the contract: every call ends, nobody else is harmed, and the message names plugin and operation.

use psa_host::{CallOptions, Code, Error};
use psa_tests::answering::Answering;
use psa_tests::compile;
use psa_tests::world::World;
use serde_json::{Value, json};
use std::sync::mpsc::channel;

struct Scene {
    world: World,
    connection: String,
    neighbour: String,
}

impl Scene {
    fn new() -> Scene {
        Scene::towards("https://psa.invalid/", json!({}))
    }

    fn towards(url: &str, more: Value) -> Scene {
        Scene::with(&[], url, more)
    }

    fn with(defines: &[&str], url: &str, more: Value) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let plugin = compile::plugin("behaviour.c", defines, "behaviour", folder.path());
        let world = World::open(folder, &[&plugin], more).unwrap();
        let connect = || world.connect("behaviour", json!({"url": url}), json!({}));
        let (connection, neighbour) = (connect(), connect());
        Scene { world, connection, neighbour }
    }

    fn get(&self, ticket: &str, timeout_ms: u32) -> Result<Value, Error> {
        let params = json!({"tenant": "t", "connection": self.connection, "ticket": ticket, "fresh": true});
        self.world.call_within("tickets.get", params, timeout_ms)
    }

    fn post(&self, text: &str) -> Result<Value, Error> {
        // A connection of its own: what is in doubt holds up the others of its ticket.
        let of = json!({"tenant": "t", "connection": self.connection});
        let settings = self.world.call("connections.get", of).unwrap()["settings"].clone();
        let link = self.world.link(&self.world.connect("behaviour", settings, json!({})), "1");
        self.world.outcome("notes.post", json!({"tenant": "t", "link": link, "visibility": "internal", "text": text}))
    }

    /// Another connection of the same plugin works as if nothing had happened.
    fn neighbour_is_well(&self) {
        let params = json!({"tenant": "t", "connection": self.neighbour, "ticket": "x", "fresh": true});
        let ticket = self.world.call("tickets.get", params).unwrap();
        assert_eq!(ticket["summary"], "fine");
    }
}

fn summary(result: Result<Value, Error>) -> String {
    result.unwrap()["summary"].as_str().unwrap().to_owned()
}

#[test]
fn only_the_first_completion_counts() {
    let scene = Scene::new();
    assert_eq!(summary(scene.get("twice", 60_000)), "first");
    scene.neighbour_is_well();
}

#[test]
fn a_completion_of_an_ended_call_does_nothing() {
    let scene = Scene::new();
    assert_eq!(summary(scene.get("late", 60_000)), "in time");
    assert_eq!(summary(scene.get("late", 60_000)), "in time");
    scene.neighbour_is_well();
}

#[test]
fn made_up_numbers_reach_no_call() {
    let scene = Scene::new();
    let summary = summary(scene.get("made-up", 60_000));
    assert_eq!(summary, format!("get {0} sleep {0}", Code::Cancelled as i32));
    scene.neighbour_is_well();
}

#[test]
fn a_call_that_never_ends_is_given_up_and_its_connection_stopped() {
    let scene = Scene::new();
    for ticket in ["never", "busy", "spin"] {
        let scene = if ticket == "never" { &scene } else { &Scene::new() };
        let error = scene.get(ticket, 50).unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (Code::Timeout, Some("plugin_stalled")), "{ticket}: {error}");
        assert!(error.message.starts_with("behaviour get_ticket: "), "{error}");
        scene.neighbour_is_well();
        let again = scene.get("x", 60_000).unwrap_err();
        assert_eq!((again.code, again.reason.as_deref()), (Code::Unavailable, Some("plugin_stalled")), "{again}");
        assert!(scene.world.log().iter().any(|line| line.contains("behaviour get_ticket did not end")), "{ticket}");
        let closed = scene.world.host.close(0).unwrap_err();
        assert_eq!(closed.code, Code::Timeout, "{ticket}: {closed}");
    }
}

#[test]
fn closing_gives_up_on_calls_of_a_stopped_connection_at_once() {
    let scene = Scene::new();
    let params = json!({"tenant": "t", "connection": scene.connection, "ticket": "spin", "fresh": true}).to_string();
    let (send, ended) = channel();
    let done = Box::new(move |_, outcome: Result<String, Error>| send.send(outcome).unwrap());
    // Longer than any test may take.
    let options = CallOptions { timeout_ms: Some(3_600_000), ..CallOptions::default() };
    scene.world.host.submit("tickets.get", params.as_bytes(), options, done).unwrap();
    while work_threads() < 1 {
        std::thread::yield_now();
    }
    let error = scene.get("spin", 50).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("plugin_stalled"));
    scene.world.host.close(0).unwrap_err();
    assert_eq!(ended.recv().unwrap().unwrap_err().code, Code::Closed);
}

/// Threads of this process that run plugins' code.
fn work_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks
        .filter(|task| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name == "psa-work\n"))
        .count()
}

#[test]
fn more_spinning_calls_than_threads_hold_up_nobody_else() {
    let scene = Scene::new();
    let (send, ended) = channel();
    for _ in 0..6 {
        let send = send.clone();
        let params =
            json!({"tenant": "t", "connection": scene.connection, "ticket": "spin", "fresh": true}).to_string();
        let options = CallOptions { timeout_ms: Some(60_000), ..CallOptions::default() };
        let done = Box::new(move |_, outcome: Result<String, Error>| send.send(outcome).unwrap());
        scene.world.host.submit("tickets.get", params.as_bytes(), options, done).unwrap();
    }
    // Each of them holds a thread by now.
    while work_threads() < 6 {
        std::thread::yield_now();
    }
    scene.neighbour_is_well();
    scene.world.host.close(0).unwrap_err();
    for _ in 0..6 {
        let error = ended.recv().unwrap().unwrap_err();
        assert_eq!(error.code, Code::Closed, "{error}");
    }
}

#[test]
fn services_of_a_closed_instance_do_nothing() {
    let scene = Scene::new();
    // The neighbour is closed; what the plugin has kept of it is used by the other connection.
    scene.neighbour_is_well();
    scene.world.call("connections.delete", json!({"tenant": "t", "connection": scene.neighbour})).unwrap();
    let summary = summary(scene.get("after-close", 60_000));
    let closed = Code::Closed as i32;
    assert_eq!(summary, format!("http {closed} get {closed} sleep {closed}"));
    assert!(!scene.world.log().iter().any(|line| line.contains("beyond")));
}

#[test]
fn bodies_that_are_no_result_are_told_apart() {
    let scene = Scene::new();
    for (ticket, code, reason, part) in [
        ("oversized", Code::Internal, Some("plugin_answer"), "83886080 bytes"),
        ("not-utf8", Code::Internal, Some("plugin_answer"), "not UTF-8"),
        ("not-json", Code::Internal, Some("plugin_answer"), "not valid"),
        ("error-not-utf8", Code::Rejected, None, "way"),
        ("unknown-code", Code::Internal, None, "what is that"),
    ] {
        let error = scene.get(ticket, 60_000).unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (code, reason), "{ticket}: {error}");
        assert!(error.message.starts_with("behaviour get_ticket: ") && error.message.contains(part), "{error}");
        scene.neighbour_is_well();
    }
}

#[test]
fn a_reading_operation_sends_no_write() {
    let server = Answering::at_once();
    let scene = Scene::towards(&server.url, json!({}));
    let error = scene.get("write-in-read", 60_000).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Forbidden, Some("write_in_read")), "{error}");
    assert!(error.message.starts_with("behaviour get_ticket: a reading operation"), "{error}");
    // What only says that it reads is not believed either.
    let error = scene.get("patch-as-read", 60_000).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::InvalidArgument, Some("bad_request")), "{error}");
    assert_eq!(server.seen(), 0);
    assert_eq!(summary(scene.get("fetch", 60_000)), "code 0 status 200");
    assert_eq!(server.seen(), 1);
}

#[test]
fn a_writing_operation_sends_one_write_and_no_second() {
    let server = Answering::when_told();
    let scene = Scene::towards(&server.url, json!({}));
    let error = scene.post("two-writes").unwrap_err();
    // Whatever the plugin says: one may have left.
    assert!(error.message.contains(&format!("first 0 second {}", Code::Forbidden as i32)), "{error}");
    let wire = error.details.as_ref().unwrap()["wire"].as_str().unwrap().to_owned();
    assert!(
        matches!((error.code, wire.as_str()), (Code::OutcomeUnknown, "in_doubt") | (Code::Rejected, "nothing_sent")),
        "{error} {wire}"
    );
    assert!(server.seen() <= 1);
    let logged = scene.world.log();
    assert!(logged.iter().any(|line| line.contains("behaviour add_note: refused: a second write")), "{logged:?}");
    server.go_on();
}

#[test]
fn success_without_an_answer_to_the_write_is_not_believed() {
    let server = Answering::when_told();
    let scene = Scene::towards(&server.url, json!({}));
    match scene.post("claims-success") {
        // The request had not begun to leave when the call ended, and was withdrawn.
        Ok(note) => assert_eq!((note["remote"].as_str(), server.seen()), (Some("7"), 0)),
        Err(error) => assert_eq!(error.code, Code::OutcomeUnknown, "{error}"),
    }
    server.go_on();
}

#[test]
fn a_write_without_an_answer_is_in_doubt_whatever_the_plugin_says() {
    let server = Answering::never();
    let scene = Scene::towards(&server.url, json!({}));
    for (sent, lie) in ["lies", "lies-well"].iter().enumerate() {
        let error = scene.post(lie).unwrap_err();
        assert_eq!(error.code, Code::OutcomeUnknown, "{lie}: {error}");
        assert_eq!(error.details, Some(json!({"wire": "in_doubt"})), "{lie}");
        assert_eq!(server.seen(), sent + 1);
    }
}

#[test]
fn a_write_of_which_nothing_left_is_not_in_doubt() {
    let scene = Scene::new();
    let error = scene.post("doubts").unwrap_err();
    assert_eq!(error.code, Code::NotSent, "{error}");
    assert_eq!(error.details, Some(json!({"wire": "nothing_sent"})));
}

#[test]
fn waits_end_at_once_with_the_reason_when_a_call_must_end() {
    let scene = Scene::new();
    assert_eq!(scene.get("sleep", 50).unwrap_err().code, Code::Timeout);
    let params = json!({"tenant": "t", "connection": scene.connection, "ticket": "sleep", "fresh": true}).to_string();
    let (send, ended) = channel();
    let done = Box::new(move |id, outcome: Result<String, Error>| send.send((id, outcome)).unwrap());
    let id = scene.world.host.submit("tickets.get", params.as_bytes(), CallOptions::default(), done).unwrap();
    scene.world.host.cancel(id).unwrap();
    let (of, outcome) = ended.recv().unwrap();
    assert_eq!((of, outcome.unwrap_err().code), (id, Code::Cancelled));
    // A caller that no longer wants to wait.
    let options = CallOptions { keep_going: Some(Box::new(|| false)), ..CallOptions::default() };
    let error = scene.world.host.call("tickets.get", params.as_bytes(), options).unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
    // None of this has harmed the connection.
    assert_eq!(summary(scene.get("x", 60_000)), "fine");
    scene.world.host.close(0).unwrap();
}

#[test]
fn no_more_calls_run_at_once_than_the_manifest_allows_and_those_that_wait_end_in_time() {
    let scene = Scene::with(&["CONCURRENCY=\"1\""], "https://psa.invalid/", json!({}));
    let params = json!({"tenant": "t", "connection": scene.connection, "ticket": "sleep", "fresh": true}).to_string();
    let (send, ended) = channel();
    let done = Box::new(move |_, outcome: Result<String, Error>| send.send(outcome).unwrap());
    let id = scene.world.host.submit("tickets.get", params.as_bytes(), CallOptions::default(), done).unwrap();
    // Its turn comes when the sleeper's is over, which is later than this.
    let waited = loop {
        // Until the sleeper has begun, another one may be first.
        match scene.get("x", 50) {
            Ok(_) => std::thread::yield_now(),
            Err(error) => break error,
        }
    };
    assert_eq!(waited.code, Code::Timeout, "{waited}");
    assert!(waited.message.contains("had not begun yet"), "{waited}");
    scene.neighbour_is_well();
    scene.world.host.cancel(id).unwrap();
    assert_eq!(ended.recv().unwrap().unwrap_err().code, Code::Cancelled);
    assert_eq!(summary(scene.get("x", 60_000)), "fine");
    scene.world.host.close(0).unwrap();
}

#[test]
fn a_call_may_end_while_its_request_is_on_the_way() {
    let server = Answering::when_told();
    let scene = Scene::towards(&server.url, json!({}));
    assert_eq!(summary(scene.get("end-in-flight", 60_000)), "early");
    // Its callback runs all the same, once, with the reason; the server has not answered.
    let once = format!("1 with {}", Code::Cancelled as i32);
    while summary(scene.get("counted", 60_000)) != once {
        std::thread::yield_now();
    }
    scene.world.host.close(0).unwrap();
    server.go_on();
}

#[test]
fn only_blocking_operations_wait_in_a_service() {
    let server = Answering::at_once();
    let scene = Scene::towards(&server.url, json!({}));
    let params = json!({"tenant": "t", "connection": scene.connection});
    assert_eq!(scene.world.call("tickets.search", params).unwrap(), json!({"items": [], "next": "200"}));
}

#[test]
fn a_blocking_wait_ends_with_its_call() {
    let server = Answering::when_told();
    let scene = Scene::towards(&server.url, json!({}));
    let params = json!({"tenant": "t", "connection": scene.connection});
    let error = scene.world.call_within("tickets.search", params, 200).unwrap_err();
    assert_eq!(error.code, Code::Timeout, "{error}");
    scene.world.host.close(0).unwrap();
    server.go_on();
}

#[test]
fn odd_arguments_are_codes_and_not_crashes() {
    let scene = Scene::new();
    let invalid = Code::InvalidArgument as i32;
    let (large, forbidden) = (Code::TooLarge as i32, Code::Forbidden as i32);
    assert_eq!(
        summary(scene.get("odd-arguments", 60_000)),
        format!(
            "http {invalid} short {invalid} post {invalid} get {invalid} space {invalid} key {large} secret {forbidden} info {invalid}"
        )
    );
}

#[test]
fn an_instance_that_cannot_be_opened_says_why_and_is_tried_again() {
    for (url, code, part) in [
        ("open-fails", Code::InvalidArgument, "behaviour open: this address is not for me"),
        ("open-nothing", Code::Internal, "behaviour open: its open returned neither"),
        ("open-http", Code::Rejected, "code 13"),
    ] {
        let scene = Scene::towards(url, json!({}));
        for _ in 0..2 {
            let error = scene.get("x", 60_000).unwrap_err();
            assert_eq!(error.code, code, "{url}: {error}");
            assert!(error.message.contains(part), "{error}");
        }
        scene.world.host.close(0).unwrap();
    }
}

#[test]
fn an_open_that_also_completes_is_opened_and_closed_like_any_other() {
    let scene = Scene::towards("open-ok", json!({}));
    assert_eq!(summary(scene.get("x", 60_000)), "fine");
    scene.world.host.close(0).unwrap();
}

#[test]
fn a_host_is_closed_on_a_thread_of_the_products_own_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let scene = Scene::new();
        assert_eq!(summary(scene.get("x", 60_000)), "fine");
        scene.world.host.close(0).unwrap();
        scene.world.host.close(0).unwrap();
    });
}

#[test]
fn an_exception_ends_the_process_and_the_next_one_knows_what_was_running() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = compile::plugin("throws.cpp", &[], "throws", folder.path());
    if std::env::var_os("PSA_TESTS_CHILD").is_some() {
        // Below, in a process of its own.
        let folder = std::env::var_os("PSA_TESTS_CHILD").unwrap();
        let folder = std::path::Path::new(&folder);
        let keys = folder.join("vault.keys");
        let config =
            json!({"data_dir": folder.join("data"), "plugins": [plugin], "vault": {"key_file": keys}}).to_string();
        let host = psa_host::Host::open(config.as_bytes(), psa_host::Hooks::default()).unwrap();
        let created =
            host.call("connections.create", br#"{"tenant":"t","plugin":"throws"}"#, CallOptions::default()).unwrap();
        let id = serde_json::from_str::<Value>(&created).unwrap()["connection"].clone();
        let params = json!({"tenant": "t", "connection": id, "ticket": "1"}).to_string();
        let _ = host.call("tickets.get", params.as_bytes(), CallOptions::default());
        unreachable!("the exception ends the process");
    }
    let name = "an_exception_ends_the_process_and_the_next_one_knows_what_was_running";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env("PSA_TESTS_CHILD", folder.path())
        .output()
        .unwrap();
    use std::os::unix::process::ExitStatusExt as _;
    let said = String::from_utf8_lossy(&child.stderr);
    assert_eq!(child.status.signal(), Some(libc::SIGABRT), "{said}");
    let world = World::open(folder, &[&plugin], json!({})).unwrap();
    let list = world.call("plugins.list", json!({})).unwrap();
    assert_eq!(list["crashes"], json!([{"plugin": "throws", "operation": "get_ticket"}]));
    assert!(world.log().iter().any(|line| line.contains("throws get_ticket was at work")), "{:?}", world.log());
}
