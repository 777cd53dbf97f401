//! `psa demo` as somebody at this machine would run it: a process that prints where its page is.

use crate::compile;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A running demo.
pub struct Demo {
    child: Child,
    /// `http://127.0.0.1:…`
    pub base: String,
    /// JSON of an account for trying.
    pub key: String,
}

impl Demo {
    /// Starts one and waits until its page has all its samples.
    pub fn start(arguments: &[&str]) -> Demo {
        let mut child = Command::new(compile::target().join("psa"))
            .args(["demo", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("psa was built");
        let (mut base, mut key) = (String::new(), String::new());
        for line in BufReader::new(child.stdout.take().expect("it is piped")).lines() {
            let line = line.expect("it prints text");
            if let Some(json) = line.trim().strip_prefix("an account for trying: ") {
                json.clone_into(&mut key);
            }
            if let Some(rest) = line.strip_prefix("The Integrations page: ") {
                base = rest.split(' ').next().unwrap_or_default().trim_end_matches('/').to_owned();
                break;
            }
        }
        assert!(base.starts_with("http://127.0.0.1:") && !key.is_empty(), "the demo did not come to its page");
        Demo { child, base, key }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
