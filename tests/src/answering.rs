//! A server that answers every request in the same way and counts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// What is sent back: an answer, or nothing before the connection is closed.
type Back = Option<&'static [u8]>;

const OK: Back = Some(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");

/// The server; it lives as long as its listener's port is used by the test's process.
pub struct Answering {
    /// Where it listens: `http://127.0.0.1:port/`.
    pub url: String,
    seen: Arc<AtomicUsize>,
    logins: Arc<Mutex<Vec<String>>>,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Answering {
    /// Answers each request with 200 and `{}` at once.
    pub fn at_once() -> Answering {
        let answering = Answering::when_told();
        answering.go_on();
        answering
    }

    /// Reads requests and answers none before [`Answering::go_on`].
    pub fn when_told() -> Answering {
        Answering::with(OK)
    }

    /// Reads requests and closes the connection.
    pub fn never() -> Answering {
        let answering = Answering::with(None);
        answering.go_on();
        answering
    }

    fn with(back: Back) -> Answering {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
        let (seen, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new((Mutex::new(false), Condvar::new())));
        let logins: Arc<Mutex<Vec<String>>> = Arc::default();
        let (counted, open, shown) = (seen.clone(), gate.clone(), logins.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (counted, open, shown) = (counted.clone(), open.clone(), shown.clone());
                std::thread::spawn(move || serve(stream, &counted, &shown, &open, back));
            }
        });
        Answering { url, seen, logins, gate }
    }

    /// Lets answers out from now on.
    pub fn go_on(&self) {
        *self.gate.0.lock().expect("no panic holds it") = true;
        self.gate.1.notify_all();
    }

    /// What requests have shown as their authorization, in order.
    pub fn logins(&self) -> Vec<String> {
        self.logins.lock().expect("no panic holds it").clone()
    }

    /// How many requests have come.
    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

fn serve(
    stream: TcpStream,
    seen: &AtomicUsize,
    logins: &Mutex<Vec<String>>,
    gate: &(Mutex<bool>, Condvar),
    back: Back,
) {
    let mut reader = BufReader::new(&stream);
    loop {
        let mut length = 0;
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        while line.trim_end() != "" {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("authorization")
            {
                logins.lock().expect("no panic holds it").push(value.trim().to_owned());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        seen.fetch_add(1, Ordering::SeqCst);
        let mut open = gate.0.lock().expect("no panic holds it");
        while !*open {
            open = gate.1.wait(open).expect("no panic holds it");
        }
        drop(open);
        let sent = back.map(|back| (&stream).write_all(back));
        if sent.is_none_or(|sent| sent.is_err()) {
            return;
        }
    }
}
