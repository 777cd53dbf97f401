//! A product in a process of its own, which can be killed.

use crate::compile;
use psa_host::Error;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// Who waits for which answer; nobody can any more once the process is known to be gone.
type Waiting = Arc<Mutex<Option<HashMap<u64, Sender<Value>>>>>;

/// The process; killed when dropped.
pub struct Product {
    child: Child,
    input: Option<ChildStdin>,
    waiting: Waiting,
    next: u64,
}

impl Product {
    /// Starts one and waits until its host is open. `None`: it died before.
    pub fn start(config: &Value, fail_at: Option<&str>) -> Option<Result<Product, Error>> {
        let variables: Vec<(&str, &str)> = fail_at.map(|at| ("PSA_FAIL_AT", at)).into_iter().collect();
        Product::start_with(config, &variables)
    }

    /// The same with these variables.
    pub fn start_with(config: &Value, variables: &[(&str, &str)]) -> Option<Result<Product, Error>> {
        // A file that may not grow is a full disk to it, and not a signal that ends it.
        let mut command = Command::new("env");
        command.arg("--ignore-signal=XFSZ").arg(compile::target().join("psa-torture-host"));
        command.arg(config.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.envs(variables.iter().copied());
        let mut child = command.spawn().expect("cargo has built it");
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("it is piped"));
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let opened = expect(&waiting, 0);
        let answered = waiting.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(answer) = serde_json::from_str::<Value>(&line) else { continue };
                let id = answer["id"].as_u64().unwrap_or_default();
                let waits = answered.lock().expect("no panic holds it").as_mut().and_then(|all| all.remove(&id));
                if let Some(waits) = waits {
                    let _ = waits.send(answer);
                }
            }
            // Who still waits learns that it is gone, and so does who asks from now on: its input may take a line yet,
            // since a dying process can give up its output first.
            answered.lock().expect("no panic holds it").take();
        });
        let product = Product { child, input, waiting, next: 1 };
        let answer = opened.recv().ok()?;
        Some(outcome(answer).map(|_| product))
    }

    /// Hands in a call; the receiver gets its answer, or nothing if the process dies.
    pub fn ask(&mut self, method: &str, params: &Value) -> Receiver<Value> {
        let id = self.next;
        self.next += 1;
        let answer = expect(&self.waiting, id);
        let line = json!({"id": id, "method": method, "params": params}).to_string();
        let written = self.input.as_mut().map(|input| writeln!(input, "{line}").and_then(|()| input.flush()));
        if !matches!(written, Some(Ok(()))) {
            self.waiting.lock().expect("no panic holds it").as_mut().and_then(|all| all.remove(&id));
        }
        answer
    }

    /// Calls a method. `None`: the process has died.
    pub fn call(&mut self, method: &str, params: &Value) -> Option<Result<Value, Error>> {
        self.ask(method, params).recv().ok().map(outcome)
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGCONT.
    pub fn wake(&self) {
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let id = id.expect("a child has an id");
        rustix::process::kill_process(id, rustix::process::Signal::CONT).expect("it is our child");
    }

    /// Whether it lives.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets it close its host and end.
    pub fn end(mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        self.kill();
    }
}

fn expect(waiting: &Waiting, id: u64) -> Receiver<Value> {
    let (send, receive) = channel();
    if let Some(all) = waiting.lock().expect("no panic holds it").as_mut() {
        all.insert(id, send);
    }
    receive
}

/// What an answer says.
pub fn outcome(mut answer: Value) -> Result<Value, Error> {
    match serde_json::from_value::<Error>(answer["error"].take()) {
        Ok(error) => Err(error),
        Err(_) => Ok(answer["result"].take()),
    }
}
