//! Sides of a bench that are not Rust: programs that are told what to do, a line each, and answer with a line of JSON.

use super::{Outcome, done};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running one; it ends when this is dropped.
pub(super) struct Side {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Side {
    pub(super) fn start(program: &mut Command) -> Outcome<Side> {
        let mut process = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let orders = process.stdin.take().ok_or("no pipe")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no pipe")?);
        Ok(Side { process, orders, answers })
    }

    pub(super) fn ask(&mut self, order: &str) -> Outcome<Value> {
        writeln!(self.orders, "{order}")?;
        self.answer()
    }

    /// The next thing it says.
    pub(super) fn answer(&mut self) -> Outcome<Value> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A Python with these packages: made once, beside this program.
pub(super) fn python(name: &str, packages: &[&str]) -> Outcome<PathBuf> {
    let folder = std::env::current_exe()?.with_file_name(name);
    let python = folder.join("bin/python");
    if !python.exists() {
        done(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    // Says nothing, and asks nobody, if they are there.
    done(
        Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages),
    )?;
    Ok(python)
}
