//! Products in C++: the headers alone, all of psa_host.hpp under valgrind and the sanitizers, JSON adapters.

use psa_tests::compile::{self, run};
use psa_tests::embedded::Embedded;
use psa_tests::files::{Act, Files};
use psa_tests::inbound::quick;
use serde_json::json;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

const STRICT: [&str; 6] = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"];
const PARTS: [&str; 8] = ["main", "errors", "futures", "completions", "streams", "doors", "events", "lives"];

/// Compiles sources of `tests/cpp` into one program, as a product would.
fn program(compiler: &str, flags: &[&str], sources: &[&str], folder: &TempDir) -> PathBuf {
    let sources: Vec<String> = sources.iter().map(|name| format!("tests/cpp/{name}.cpp")).collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    compile::product(compiler, &[&["-g"][..], &STRICT, flags].concat(), &sources, folder.path())
}

/// What `tests/cpp/main.cpp` is called with, and the server that it needs meanwhile.
fn everything(folder: &TempDir, in_flight: usize) -> (Vec<String>, Files) {
    let plugins = [compile::codes_plugin(folder.path()), compile::stream_plugin(&[], folder.path())];
    let config = |name: &str| {
        let path = folder.path().join(name);
        json!({"data_dir": path, "vault": {"key_file": path.with_extension("keys")}, "plugins": plugins,
               "egress": {"allow_loopback_http": true}})
        .to_string()
    };
    let files = Files::start(Act::Well, 1000, true);
    (vec![config("one"), config("other"), files.url.clone(), in_flight.to_string()], files)
}

#[test]
fn the_headers_compile_by_themselves_whoever_compiles_them() {
    for compiler in ["g++", "clang++"] {
        for standard in ["-std=c++17", "-std=c++20"] {
            run(Command::new(compiler)
                .args([standard, "-fsyntax-only", "-Wsign-conversion", "-Wold-style-cast"])
                .args(STRICT)
                .arg("-I")
                .arg(compile::root().join("include"))
                .arg(compile::root().join("tests/cpp/headers/main.cpp")));
        }
    }
}

#[test]
fn everything_works_as_the_header_says_and_valgrind_finds_no_error_of_memory() {
    let folder = tempfile::tempdir().unwrap();
    // Valgrind as Debian has it does not read the debug information that clang writes by itself.
    let program = program("clang++", &["-std=c++17", "-gdwarf-4"], &PARTS, &folder);
    let (arguments, _files) = everything(&folder, 1000);
    assert_eq!(run(Command::new(&program).args(arguments)), "right\n");
    let again = tempfile::tempdir().unwrap();
    let (arguments, _files) = everything(&again, 50);
    let report = again.path().join("valgrind.txt");
    let output = Command::new("valgrind")
        .args(["--error-exitcode=9", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible"])
        .args(["--errors-for-leak-kinds=definite,indirect,possible", "--fair-sched=yes"])
        // What is suppressed is told apart deep down. A child of fork leaves behind what its parent's threads hold.
        .args(["--num-callers=80", "--child-silent-after-fork=yes"])
        .arg(format!("--suppressions={}", compile::root().join("tests/valgrind.supp").display()))
        .arg(format!("--log-file={}", report.display()))
        .arg(&program)
        .args(arguments)
        .output()
        .expect("valgrind is there");
    let said = std::fs::read_to_string(&report).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "right\n", "{said}");
    assert!(output.status.success() && said.contains("ERROR SUMMARY: 0 errors"), "{said}");
}

#[test]
fn everything_works_under_the_sanitizers_with_no_leak() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["-std=c++20", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let program = program("g++", &flags, &PARTS, &folder);
    let (arguments, _files) = everything(&folder, 1000);
    assert_eq!(run(Command::new(program).env("ASAN_OPTIONS", "detect_leaks=1").args(arguments)), "right\n");
}

/// Not asserted: a machine of its own would be needed. `cargo nextest run --no-capture` shows it.
#[test]
fn the_cost_of_the_wrapper_is_told_beside_plain_c() {
    let folder = tempfile::tempdir().unwrap();
    let program = program("g++", &["-std=c++17", "-O2"], &["bench/main"], &folder);
    let (arguments, _files) = everything(&folder, 0);
    let told = run(Command::new(program).arg(&arguments[0]).arg("5"));
    assert!(told.starts_with("us per call, median: C "), "{told}");
    println!("{told}");
}

#[test]
fn the_main_job_is_done_with_json_on_both_sides() {
    let scene = Embedded::new();
    let program = program("g++", &["-std=c++17"], &["json/main"], &scene.folder);
    let mut more = quick();
    more["egress"] = json!({"allow_loopback_http": true});
    let printed =
        run(Command::new(program).args([scene.config_with(&more), scene.create()].map(|one| one.to_string())));
    assert_eq!(printed, "right\n");
    let ticket = scene.simulator.control("GET", "tickets/1001", None).unwrap();
    assert!(ticket["notes"].to_string().contains("Posted from C++: é."), "{ticket:#}");
}
