//! Products that embed the library through its C ABI: a C program, also under valgrind, and Python's ctypes.

use psa_simulator::Simulator;
use psa_tests::compile::{self, run};
use psa_tests::files::{Act, Files};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

struct Scene {
    simulator: Simulator,
    folder: TempDir,
}

impl Scene {
    fn new() -> Scene {
        let simulator = Simulator::start(&compile::target().join("psa-simulator"), &["--tls"]).unwrap();
        Scene { simulator, folder: tempfile::tempdir().unwrap() }
    }

    fn config(&self) -> Value {
        json!({
            "data_dir": self.folder.path().join("data"),
            "plugins": [compile::shipped("connectwise", self.folder.path())],
            "vault": {"key_file": self.folder.path().join("vault.keys")},
            // Under valgrind, on a busy machine, a handshake takes many seconds.
            "call_timeout_ms": 300_000,
            "egress": {"ca_files": [self.simulator.text("ca")], "allow_private": ["127.0.0.1"],
                       "timeout_ms": 200_000, "connect_timeout_ms": 100_000},
            "outbox": {"quiet_ms": 400_000},
        })
    }

    fn create(&self) -> Value {
        json!({"tenant": "t", "plugin": "connectwise", "settings": self.simulator.settings(), "secrets": self.simulator.secrets()})
    }

    /// The example, compiled against the header and the library as a product would.
    fn c_host(&self) -> PathBuf {
        program("examples/c-host/main.c", &self.folder)
    }

    fn arguments(&self) -> [String; 3] {
        [self.config().to_string(), self.create().to_string(), "102".to_owned()]
    }

    /// What the examples have done is at the PSA.
    fn note_is_there(&self, text: &str) {
        let ticket = self.simulator.control("GET", "tickets/1001", None).unwrap();
        let notes = ticket["notes"].as_array().unwrap();
        let note = notes.iter().find(|note| note["text"] == text).unwrap_or_else(|| panic!("{notes:?}"));
        assert_eq!(note["internalAnalysisFlag"], true);
        assert_eq!(note["detailDescriptionFlag"], false);
    }
}

/// A C program, compiled against the header and the library as a product would.
fn program(source: &str, folder: &TempDir) -> PathBuf {
    let program = folder.path().join("program");
    let library = compile::target();
    run(Command::new("gcc")
        .args(["-std=gnu99", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o"])
        .arg(&program)
        .arg(compile::root().join(source))
        .arg("-I")
        .arg(compile::root().join("include"))
        .arg("-L")
        .arg(&library)
        .args(["-lpsa_host", "-lpthread"])
        .arg(format!("-Wl,-rpath,{}", library.display())));
    program
}

fn lines(file: &Path) -> usize {
    std::fs::read_to_string(file).unwrap().lines().count()
}

#[test]
fn a_c_program_does_the_whole_job_and_prints_readable_errors() {
    let scene = Scene::new();
    let printed = run(Command::new(scene.c_host()).args(scene.arguments()));
    for line in [
        "connections.test: label = acme as psabridge",
        "notes.post: state = delivered",
        "tickets.set_status: outcome = applied",
        "event: connection.created",
        "tickets.get failed: not_found: connectwise get_ticket: It is not there, or the API member may not see it. ConnectWise says 404: Ticket 999999 not found",
    ] {
        assert!(printed.contains(line), "{line}\n{printed}");
    }
    scene.note_is_there("Posted from C.");
    let ticket = scene.simulator.control("GET", "tickets/1001", None).unwrap();
    assert_eq!(ticket["ticket"]["status"]["id"], 102);
    assert!(lines(&compile::root().join("examples/c-host/main.c")) < 160);
}

#[test]
fn a_c_program_leaks_nothing_and_makes_no_error_of_memory() {
    let scene = Scene::new();
    let report = scene.folder.path().join("valgrind.txt");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--error-exitcode=9", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible"])
        .args(["--errors-for-leak-kinds=definite,indirect,possible", "--fair-sched=yes"])
        .arg(format!("--suppressions={}", compile::root().join("tests/valgrind.supp").display()))
        .arg(format!("--log-file={}", report.display()))
        .arg(scene.c_host())
        .args(scene.arguments());
    let output = valgrind.output().expect("valgrind is there");
    let said = std::fs::read_to_string(&report).unwrap();
    assert!(output.status.success(), "{}\n{said}", String::from_utf8_lossy(&output.stdout));
    assert!(said.contains("ERROR SUMMARY: 0 errors"), "{said}");
}

#[test]
fn a_c_program_that_cannot_open_says_why() {
    let scene = Scene::new();
    let [_, create, status] = scene.arguments();
    let output = Command::new(scene.c_host()).args(["{\"data_dir\":1}", &create, &status]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success());
    assert!(printed.starts_with("psa_host_open failed: invalid_argument: the configuration: /data_dir:"), "{printed}");
}

#[test]
fn python_reaches_it_by_ctypes_alone() {
    let scene = Scene::new();
    let [config, create, _] = scene.arguments();
    let script = compile::root().join("examples/python-host/main.py");
    let library = compile::target().join("libpsa_host.so");
    let printed = run(Command::new("python3").arg(&script).arg(library).args([config, create]));
    assert!(printed.ends_with("delivered\n"), "{printed}");
    scene.note_is_there("Posted from Python.");
    assert!(lines(&script) <= 42);
}

#[test]
fn submitting_taking_cancelling_and_forking_do_as_the_header_says() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = compile::plugin("behaviour.c", &[], "behaviour", folder.path());
    let stream = compile::stream_plugin(&[], folder.path());
    let files = Files::start(Act::Well, 1000, true);
    let config = json!({"data_dir": folder.path().join("data"), "plugins": [plugin, stream],
                        "egress": {"allow_loopback_http": true}});
    let printed = run(Command::new(program("tests/c/host_abi.c", &folder)).args([&config.to_string(), &files.url]));
    assert_eq!(printed, "right\n");
}
