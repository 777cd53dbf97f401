//! The Python package, installed with pip into a virtual environment of its own.
//!
//! Holds: [`Venv`], one per version of Python, kept in the folder of what was built.
//! Promises: filled once though tests begin at the same time, and anew when the package, what it needs or the library has
//! changed.
//! Leaves to others: the package as a checkout has it (`python`).

use crate::compile::{self, run};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Versions that the package is for, the oldest first; the first and last that are here are tried.
const VERSIONS: [&str; 5] = ["3.10", "3.11", "3.12", "3.13", "3.14"];

/// A virtual environment with the package, what it needs, and what its tests need.
#[derive(Debug)]
pub struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// With the oldest Python that is here.
    pub fn oldest() -> Venv {
        let found = VERSIONS.into_iter().find(|version| is_here(version));
        Venv::filled(found.expect("a Python of 3.10 or later is here: apt-get install python3 python3-venv"))
    }

    /// With the newest Python that is here.
    pub fn newest() -> Venv {
        let found = VERSIONS.into_iter().rev().find(|version| is_here(version));
        Venv::filled(found.expect("a Python of 3.10 or later is here: apt-get install python3 python3-venv"))
    }

    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    fn filled(version: &str) -> Venv {
        let folder = compile::target().join(format!("venv-{version}"));
        let _lock = compile::locked(&format!("venv-{version}"));
        let venv = Venv { folder };
        let done = venv.folder.join("done");
        if changed(&done).is_none_or(|made| newest_source() > made) {
            venv.fill(version);
            File::create(done).expect("it was just made");
        }
        venv
    }

    fn fill(&self, version: &str) {
        let _ = std::fs::remove_dir_all(&self.folder);
        run(interpreter(version).args(["-m", "venv"]).arg(&self.folder));
        let pip = || {
            let mut pip = Command::new(self.python());
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            pip
        };
        run(pip().args(["--require-hashes", "-r"]).arg(package().join("tests/requirements.txt")));
        run(pip()
            .args(["--no-deps", "--no-build-isolation"])
            .arg(package())
            .env("PSA_HOST_LIBRARY_DIR", compile::target()));
    }
}

fn package() -> PathBuf {
    compile::root().join("ffi/python")
}

/// `python3.10`; under pyenv, whose programs of this name need to be told so once more.
fn interpreter(version: &str) -> Command {
    let mut command = Command::new(format!("python{version}"));
    command.env("PYENV_VERSION", version);
    command
}

fn is_here(version: &str) -> bool {
    // With venv, which some systems have in a package of its own.
    let found = interpreter(version).args(["-c", "import ensurepip, venv"]).output();
    found.is_ok_and(|output| output.status.success())
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|facts| facts.modified()).ok()
}

/// When the last of what is installed was changed.
fn newest_source() -> SystemTime {
    let mut folders = vec![package().join("src")];
    let mut newest = SystemTime::UNIX_EPOCH;
    let alone = ["hatch_build.py", "pyproject.toml", "tests/requirements.txt"].map(|name| package().join(name));
    let built = ["libpsa_host.so", "libpsa_connectwise.so"].map(|name| compile::target().join(name));
    for path in alone.iter().chain(&built) {
        newest = newest.max(changed(path).unwrap_or(SystemTime::UNIX_EPOCH));
    }
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                newest = newest.max(changed(&path).unwrap_or(SystemTime::UNIX_EPOCH));
            }
        }
    }
    newest
}
