//! Products in languages without a package of ours: each reaches the library by its own FFI and does the whole job.

use psa_tests::six_calls::SixCalls;
use psa_tests::{compile, npm};
use serde_json::json;
use std::process::Command;

fn node(scene: &SixCalls, config: &str) -> Command {
    let folder = compile::root().join("examples/node-host");
    npm::install(&folder);
    let mut program = Command::new("node");
    program.arg(folder.join("main.mjs")).arg(scene.library()).arg(config).arg(scene.create().to_string());
    program
}

fn php(scene: &SixCalls, config: &str) -> Command {
    let script = compile::root().join("examples/php-host/main.php");
    let mut program = Command::new("php");
    // Whatever the machine's php.ini says, a warning is to be seen.
    program.args(["-d", "error_reporting=-1", "-d", "display_errors=stderr"]);
    program.arg(script).arg(scene.library()).arg(config).arg(scene.create().to_string());
    program
}

#[test]
fn node_reaches_it_by_koffi() {
    let scene = SixCalls::new();
    scene.run(&mut node(&scene, &scene.config().to_string()), "Posted from Node.");
}

#[test]
fn php_reaches_it_by_its_own_ffi() {
    let scene = SixCalls::new();
    scene.run(&mut php(&scene, &scene.config().to_string()), "Posted from PHP.");
}

#[test]
fn what_is_wrong_reaches_them_as_an_exception_of_their_own() {
    let scene = SixCalls::new();
    let config = json!({"data_dir": 1, "callbacks": {"address": "http://127.0.0.1:1/"}}).to_string();
    for mut program in [node(&scene, &config), php(&scene, &config)] {
        let said = scene.run_wrongly(&mut program);
        assert!(
            said.contains("PsaError") && said.contains("invalid_argument: the configuration: /data_dir:"),
            "{said}"
        );
    }
}
