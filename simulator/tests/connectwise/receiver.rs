//! Somebody's server that callbacks are sent to: it writes down what comes and answers as it is told.

use serde_json::Value;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// What came.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    /// The first line's method and target.
    pub(crate) target: String,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(found, _)| *found == name))
            .map(|(_, value)| value)
    }
}

#[derive(Default)]
struct State {
    got: Vec<Got>,
    /// Of the next answers; 204 when there are none. 0: none is given.
    statuses: VecDeque<u16>,
    connections: usize,
    /// While true nothing is answered.
    shut: bool,
}

/// Listens until the test ends.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Receiver {
    pub(crate) fn new() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                shared.0.lock().unwrap().connections += 1;
                let state = shared.clone();
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Receiver { port, state }
    }

    /// A URL here.
    pub(crate) fn url(&self, rest: &str) -> String {
        format!("http://127.0.0.1:{}{rest}", self.port)
    }

    pub(crate) fn answers(&self, statuses: &[u16]) {
        self.state.0.lock().unwrap().statuses.extend(statuses);
    }

    /// Holds all answers back, or lets them go.
    pub(crate) fn shut(&self, shut: bool) {
        self.state.0.lock().unwrap().shut = shut;
        self.state.1.notify_all();
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.0.lock().unwrap().connections
    }

    /// All that came, when there are at least so many.
    pub(crate) fn wait(&self, count: usize) -> Vec<Got> {
        let (state, told) = &*self.state;
        told.wait_while(state.lock().unwrap(), |state| state.got.len() < count).unwrap().got.clone()
    }

    /// All that came since the last time.
    pub(crate) fn take(&self) -> Vec<Got> {
        std::mem::take(&mut self.state.0.lock().unwrap().got)
    }
}

fn serve(stream: TcpStream, state: &(Mutex<State>, Condvar)) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let target = head.split(" HTTP/1.1").next()?.to_owned();
        let mut got = Got { target, head: lower_names(&head), body: Vec::new() };
        got.body = vec![0; got.header("content-length")?.parse().ok()?];
        stream.read_exact(&mut got.body).ok()?;
        let (mutex, told) = state;
        let status = {
            let mut state = mutex.lock().unwrap();
            state.got.push(got);
            told.notify_all();
            let mut state = told.wait_while(state, |state| state.shut).unwrap();
            state.statuses.pop_front().unwrap_or(204)
        };
        if status == 0 {
            // Reads on, and never answers.
            let _ = stream.read(&mut [0]);
            return None;
        }
        let length = if status == 204 { "" } else { "content-length: 0\r\n" };
        write!(stream.get_mut(), "HTTP/1.1 {status} X\r\n{length}\r\n").ok()?;
    }
}

/// Values keep their case: a signature has both.
fn lower_names(head: &str) -> String {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    lines.map(|(name, value)| format!("{}: {value}\n", name.to_lowercase())).collect()
}
