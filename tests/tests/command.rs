//! The command: the demo that the README names first, and single calls.

use psa_tests::compile::{self, run};
use serde_json::Value;
use std::process::Command;

fn psa() -> Command {
    Command::new(compile::target().join("psa"))
}

#[test]
fn the_demo_does_the_whole_job_and_the_simulator_has_seen_it() {
    let printed = run(psa().args(["demo", "--check"]));
    assert_eq!(printed.matches("ok: seen by the simulator").count(), 4, "{printed}");
    assert!(printed.contains("To go on by hand"), "{printed}");
}

#[test]
fn a_call_prints_json_and_its_exit_code_tells() {
    let methods: Value = serde_json::from_str(&run(psa().args(["call", "methods.list"]))).unwrap();
    assert!(methods["items"].as_array().unwrap().len() >= 14, "{methods}");
    let failed = psa().args(["call", "tickets.fetch"]).output().unwrap();
    assert!(!failed.status.success());
    let error: Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert_eq!(error["reason"], "unknown_method");
    assert!(String::from_utf8_lossy(&failed.stderr).contains("methods.list says which there are"));
}
