//! The Python package as a checkout has it, with what it needs.

use crate::compile;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

/// What the package needs; the versions are those that the tests were made with.
const NEEDED: [&str; 2] = ["cffi==2.1.1", "msgspec==0.22.0"];

/// `python3`, which finds the package and loads the library that cargo has built.
pub fn command() -> Command {
    let path = std::env::join_paths([compile::root().join("ffi/python/src"), installed()]).expect("no colon in it");
    let mut python = Command::new("python3");
    python
        .env("PYTHONPATH", path)
        .env("PSA_HOST_LIBRARY", compile::target().join("libpsa_host.so"))
        // The checkout stays as it is.
        .env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

/// A folder with what the package needs; filled once, though tests begin at the same time.
fn installed() -> PathBuf {
    let folder = compile::target().join("python");
    let _lock = compile::locked("python");
    let done = folder.join(NEEDED.join(" "));
    if !done.is_file() {
        let _ = std::fs::remove_dir_all(&folder);
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"])
            .arg(&folder)
            .args(NEEDED);
        compile::run(&mut pip);
        File::create(done).expect("it was just made");
    }
    folder
}
