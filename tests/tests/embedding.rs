//! Products that embed the library through its C ABI: a C program, also under valgrind, and Python's ctypes.

use psa_tests::compile::{self, run};
use psa_tests::embedded::Embedded;
use psa_tests::files::{Act, Files};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The example, compiled against the header and the library as a product would.
fn c_host(scene: &Embedded) -> PathBuf {
    program("examples/c-host/main.c", &scene.folder)
}

/// A C program, compiled against the header and the library as a product would.
fn program(source: &str, folder: &TempDir) -> PathBuf {
    let flags = ["-std=gnu99", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];
    compile::product("gcc", &flags, &[source], folder.path())
}

fn lines(file: &Path) -> usize {
    std::fs::read_to_string(file).unwrap().lines().count()
}

#[test]
fn a_c_program_does_the_whole_job_and_prints_readable_errors() {
    let scene = Embedded::new();
    let printed = run(Command::new(c_host(&scene)).args(scene.arguments()));
    scene.c_example_did_its_job(&printed);
    assert!(lines(&compile::root().join("examples/c-host/main.c")) < 160);
}

#[test]
fn a_c_program_leaks_nothing_and_makes_no_error_of_memory() {
    let scene = Embedded::new();
    let report = scene.folder.path().join("valgrind.txt");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--error-exitcode=9", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible"])
        .args(["--errors-for-leak-kinds=definite,indirect,possible", "--fair-sched=yes"])
        .arg(format!("--suppressions={}", compile::root().join("tests/valgrind.supp").display()))
        .arg(format!("--log-file={}", report.display()))
        .arg(c_host(&scene))
        .args(scene.arguments());
    let output = valgrind.output().expect("valgrind is there");
    let said = std::fs::read_to_string(&report).unwrap();
    assert!(output.status.success(), "{}\n{said}", String::from_utf8_lossy(&output.stdout));
    assert!(said.contains("ERROR SUMMARY: 0 errors"), "{said}");
}

#[test]
fn a_c_program_that_cannot_open_says_why() {
    let scene = Embedded::new();
    let [_, create, status] = scene.arguments();
    let output = Command::new(c_host(&scene)).args(["{\"data_dir\":1}", &create, &status]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success());
    assert!(printed.starts_with("psa_host_open failed: invalid_argument: the configuration: /data_dir:"), "{printed}");
}

#[test]
fn python_reaches_it_by_ctypes_alone() {
    let scene = Embedded::new();
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
