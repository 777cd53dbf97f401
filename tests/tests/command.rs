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

#[test]
fn the_doctor_counts_anew_what_is_said_wrongly_of_a_connection() {
    let (world, connection) = psa_tests::filled::gallery();
    let data = world.folder.path().join("data");
    let db = rusqlite::Connection::open(data.join("store.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    db.execute("UPDATE connections SET links = 7", []).unwrap();
    let said = psa().arg("doctor").arg(&data).output().unwrap();
    let wrong = format!("connection {connection} is said to have 7 ticket links, not 0");
    let said = (said.status.success(), String::from_utf8(said.stdout).unwrap());
    assert!(!said.0 && said.1.contains(&wrong) && said.1.contains("psa doctor --recount"), "{said:?}");
    // The host is at work meanwhile.
    let printed = run(psa().args(["doctor", "--recount"]).arg(&data));
    assert!(printed.contains("connections that are counted anew: 1\n") && printed.contains("is whole"), "{printed}");
    world.host.close(1000).unwrap();
}

#[test]
fn callbacks_are_sent_and_listened_to_without_any_site_of_somebody_elses() {
    use std::io::BufRead as _;
    let mut listening = psa()
        .args(["callbacks", "listen", "--port", "0", "--key", "abc", "--times", "3"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(listening.stdout.take().unwrap()).lines().map_while(Result::ok);
    let first = lines.next().unwrap();
    let address = first.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    let send = |more: &[&str]| {
        let url = format!("{address}hooks/token?recordId=");
        let about = ["--key-url", "https://psa.example/key", "--company", "acme", "--id", "7601"];
        run(psa().args(["callbacks", "send", &url, "--key", "abc"]).args(about).args(more))
    };
    assert!(send(&[]).contains("answered 204: taken"));
    assert!(send(&["--forge"]).contains("answered 204"));
    assert!(send(&["--action", "deleted"]).contains("\"Entity\":null"));
    let shown: Vec<String> = lines.collect();
    assert!(listening.wait().unwrap().success());
    let verdicts: Vec<&str> = shown.iter().filter(|line| line.starts_with("    ")).map(|line| line.trim()).collect();
    assert_eq!(verdicts.iter().filter(|line| line.starts_with("verified")).count(), 2, "{shown:#?}");
    assert!(verdicts[1].starts_with("not verified: the signature is not that of this key"), "{shown:#?}");
    assert!(shown[0].contains("ticket 7601 updated by jdoe of acme") && shown[0].ends_with("-> 204"), "{shown:#?}");
}
