//! `cargo xtask <task>`: the command line of the build tasks.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use xtask::{Outcome, demo, generate, library, package, root, test, tidy};

const HELP: &str = "cargo xtask <task>

  test                what CI runs: tidy, lints, generated files, licences, all tests
  generate [--check]  writes headers, promises of the ABI and schemas; --check only says what is stale
  tidy                the rules of the house that need no compiler, in seconds
  demo [arguments]    builds the demo's parts and runs `psa demo`
  torture [arguments] builds its parts and kills hosts at work for some minutes
  storm [arguments]   loses callbacks in every way and looks whether everything is known afterwards
  bench [arguments]   builds a release and runs `psa bench`
  package [--debug]   builds what ships, and makes the package for products in target/package
  library --out DIR [--debug] [--portable]
                      builds the shared library and the plugins as they ship, and puts them into DIR;
                      --debug, here and above: of what `cargo build --workspace` has made;
                      --portable, above always: for glibc 2.28 and later, not only that of this machine";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome {
    let root = root();
    let (task, rest) = arguments.split_first().map_or(("help", arguments), |(task, rest)| (task.as_str(), rest));
    match (task, rest) {
        ("test", []) => test::run(&root),
        ("generate", []) => generate::write(&root),
        ("generate", [flag]) if flag == "--check" => generate::check(&root),
        ("tidy", []) => tidy::run(&root),
        ("demo", rest) => demo::demo(&root, rest),
        ("torture", rest) => demo::torture(&root, rest),
        ("storm", rest) => demo::storm(&root, rest),
        ("bench", rest) => demo::bench(&root, rest),
        ("package", rest) => package::run(&root, rest),
        ("library", rest) => library::run(&root, rest),
        ("help" | "--help" | "-h", _) => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("no such task: {}\n\n{HELP}", arguments.join(" "))),
    }
}
