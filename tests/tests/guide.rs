//! The guide for embedders: its programs do what it says, built as it says; its code is theirs; its tables are complete.

use psa_host::{Hooks, Host};
use psa_host_api::Code;
use psa_host_api::error::Acts;
use psa_tests::compile::{self, run};
use psa_tests::python;
use psa_tests::six_calls::SixCalls;
use psa_tests::snippets::{self, blocks};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

fn page(name: &str) -> String {
    std::fs::read_to_string(compile::root().join("docs/embedding").join(name)).unwrap()
}

/// With `PSA_BLESS` the blocks are written anew.
#[test]
fn every_piece_of_code_is_a_part_of_a_file_that_is_run() {
    for page in snippets::pages() {
        let name = page.file.display();
        let filled = snippets::filled(&page.text).unwrap_or_else(|why| panic!("{name}: {why}"));
        if filled == page.text {
            continue;
        }
        assert!(
            std::env::var_os("PSA_BLESS").is_some(),
            "{name} is stale: PSA_BLESS=1 cargo test -p psa-tests --test guide"
        );
        std::fs::write(&page.file, filled).unwrap();
    }
}

/// The line of the first page that builds a program, as it is typed in an empty folder.
fn build_line(compiler: &str, folder: &Path) -> Command {
    let page = page("README.md");
    let start = format!("{compiler} ");
    let line = page.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no line with {compiler}"));
    let line = line.replace("$PSA/target/release", &compile::target().to_string_lossy());
    let mut shell = Command::new("sh");
    shell.args(["-ec", &line]).env("PSA", compile::root()).current_dir(folder);
    shell
}

fn port(scene: &SixCalls) -> String {
    scene.config()["callbacks"]["address"].as_str().unwrap().split([':', '/']).nth(4).unwrap().to_owned()
}

fn six_calls(mut program: Command, note: &str) {
    let scene = SixCalls::new();
    program.args([scene.config().to_string(), scene.create().to_string(), port(&scene)]);
    scene.run(&mut program, note);
}

#[test]
fn the_six_calls_in_c() {
    let folder = tempfile::tempdir().unwrap();
    run(&mut build_line("cc", folder.path()));
    six_calls(Command::new(folder.path().join("six_calls")), "Posted from C.");
}

#[test]
fn the_six_calls_in_cpp() {
    let folder = tempfile::tempdir().unwrap();
    run(&mut build_line("c++", folder.path()));
    six_calls(Command::new(folder.path().join("six_calls_cpp")), "Posted from C++.");
}

#[test]
fn the_six_calls_in_python() {
    let mut program = python::command();
    program.arg(compile::root().join("examples/six-calls/six_calls.py"));
    six_calls(program, "Posted from Python.");
}

#[test]
fn the_six_calls_are_tried_out_by_the_script_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    run(&mut build_line("cc", folder.path()));
    let script = compile::root().join("examples/six-calls/try_it.py");
    let mut program = Command::new("python3");
    program.arg(script).arg(compile::target()).arg(folder.path().join("six_calls"));
    let printed = run(&mut program);
    assert!(printed.contains("callback 204\n") && printed.ends_with("event note.added\n"), "{printed}");
}

#[test]
fn every_json_of_the_guide_is_json_and_every_configuration_opens() {
    let mut opened = 0;
    for page in snippets::pages() {
        for block in blocks(&page.text).into_iter().filter(|block| block.language == "json") {
            let shown: Value = serde_json::from_str(&block.text).unwrap_or_else(|e| panic!("{e}: {}", block.text));
            let parts = ["data_dir", "plugins", "egress", "outbox", "callbacks"];
            if !parts.iter().any(|part| shown.get(part).is_some()) {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            let mut config = shown.clone();
            config["data_dir"] = json!(folder.path().join("data"));
            config["vault"] = json!({"key_file": folder.path().join("vault.keys")});
            // Files that this machine does not have.
            if let Some(ca_files) = config.pointer_mut("/egress/ca_files") {
                *ca_files = json!([]);
            }
            let open = |config: &Value| Host::open(config.to_string().as_bytes(), Hooks::default());
            if config.as_object_mut().unwrap().contains_key("plugins") {
                let error = open(&config).err().expect("there are no such plugins");
                assert_eq!(error.reason.as_deref(), Some("plugin_file_missing"), "{error}: {}", block.text);
                config["plugins"] = json!([]);
            }
            open(&config).unwrap_or_else(|error| panic!("{error}: {}", block.text)).close(0).unwrap();
            opened += 1;
        }
    }
    assert!(opened >= 4, "only {opened} configurations were found");
}

#[test]
fn every_code_is_explained_as_the_library_means_it() {
    let page = page("troubleshooting.md");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    for code in Code::ALL {
        let name = format!("`{}`", code.name());
        let row = rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("{name} is not explained"));
        let acts = match code.acts() {
            Acts::Nobody => "nobody",
            Acts::Caller => "caller",
            Acts::Administrator => "administrator",
            Acts::Host => "host",
        };
        let applied = if code.may_be_applied() { "yes" } else { "no" };
        assert_eq!((row[1], row[2]), (applied, acts), "{name}");
    }
}

/// All Rust of the library and the plugins that ship.
fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_reason_of_the_guide_is_one_that_is_given() {
    let mut given = String::new();
    for folder in ["host/src", "host-api/src", "ffi/src", "plugins/connectwise/src"] {
        sources(&compile::root().join(folder), &mut given);
    }
    let page = page("troubleshooting.md");
    let (_, tables) = page.split_once("## Reasons").unwrap();
    let (tables, _) = tables.split_once("## Symptoms").unwrap();
    let mut found = 0;
    for row in tables.lines().filter(|line| line.starts_with("| `")) {
        let first = row.split('|').nth(1).unwrap();
        for reason in first.split('`').skip(1).step_by(2) {
            assert!(given.contains(&format!("\"{reason}\"")), "{reason} is given nowhere");
            found += 1;
        }
    }
    assert!(found > 60, "only {found} reasons were found");
}
