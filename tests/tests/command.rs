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

#[test]
fn the_doctor_looks_at_a_data_folder_and_keys_can_come_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let psa = || std::process::Command::new(psa_tests::compile::target().join("psa"));
    let config = folder.path().join("config.json");
    std::fs::write(&config, serde_json::json!({"data_dir": data}).to_string()).unwrap();
    let mut status = psa();
    status.args(["call", "vault.status", "--config"]).arg(&config);
    let printed = psa_tests::compile::run(status.env("PSA_KEY", "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="));
    let told: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((told["keys"].as_array().unwrap().len(), &told["keys"][0]), (1, &told["sealing_key"]), "{printed}");
    let printed = psa_tests::compile::run(psa().arg("doctor").arg(&data));
    assert!(printed.contains("the database is whole"), "{printed}");
    std::fs::write(data.join("store.db"), vec![0x55; 8192]).unwrap();
    let sick = psa().arg("doctor").arg(&data).output().unwrap();
    let said = String::from_utf8_lossy(&sick.stderr).into_owned();
    assert!(!sick.status.success() && said.contains("damaged"), "{said}");
    let nothing = psa().arg("doctor").arg(folder.path()).output().unwrap();
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("holds no store.db"));
}
