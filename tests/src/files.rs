//! A server that keeps files, for scenarios about streams.
//!
//! Holds: [`Files`]: `GET /list`, `GET /file`, `POST /file`, and what goes wrong with them.
//! Promises: never holds a whole body; counts every byte it has read or written.
//! Leaves to others: what a PSA is like beyond that (`psa-simulator`).

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// What is done with a file that comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// As it should be.
    Well,
    /// After so many bytes of it the connection is reset.
    Reset(u64),
    /// It is kept so many times, and then there is no answer.
    KeepAndReset(usize),
    /// No byte of it is read or written until [`Files::go_on`].
    Wait,
    /// 404, with a body of 7 bytes.
    Missing,
    /// 200 before any of it is read.
    Hasty,
}

/// The server.
pub struct Files {
    /// Where it listens: `http://127.0.0.1:port/`.
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    act: Act,
    /// The length of the file that is fetched, and whether it is said before.
    file: (u64, bool),
    kept: Mutex<Vec<u64>>,
    /// The beginning of each body, as it came, with its head.
    bodies: Mutex<Vec<(String, String)>>,
    moved: AtomicU64,
    broken_off: AtomicU64,
    gate: (Mutex<bool>, Condvar),
}

/// As much of a body as is kept.
const BODY_SHOWN: usize = 4096;

impl Files {
    /// One that does `act` with every file, and has one of `len` bytes.
    pub fn start(act: Act, len: u64, is_said: bool) -> Files {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
        let gate = (Mutex::new(act != Act::Wait), Condvar::new());
        let (kept, bodies, moved, broken_off) = Default::default();
        let shared = Arc::new(Shared { act, file: (len, is_said), kept, bodies, moved, broken_off, gate });
        let ours = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = ours.clone();
                // What the other side ends is no fault of this one.
                std::thread::spawn(move || {
                    if shared.serve(&stream).is_err() {
                        shared.broken_off.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        Files { url, shared }
    }

    /// Ends [`Act::Wait`].
    pub fn go_on(&self) {
        *self.shared.gate.0.lock().expect("no panic holds it") = true;
        self.shared.gate.1.notify_all();
    }

    /// Bytes of files that have come or gone.
    pub fn moved(&self) -> u64 {
        self.shared.moved.load(Ordering::SeqCst)
    }

    /// Connections that ended in the middle of something.
    pub fn broken_off(&self) -> u64 {
        self.shared.broken_off.load(Ordering::SeqCst)
    }

    /// Head and beginning of each body that came whole.
    pub fn bodies(&self) -> Vec<(String, String)> {
        self.shared.bodies.lock().expect("no panic holds it").clone()
    }

    /// Lengths of the files that are kept.
    pub fn kept(&self) -> Vec<u64> {
        self.shared.kept.lock().expect("no panic holds it").clone()
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head)? == 0 {
                    return Ok(());
                }
            }
            if head.starts_with("GET /list") {
                self.answer(stream, "200 OK", &self.list().to_string())?;
            } else if self.act == Act::Missing {
                self.answer(stream, "404 Not Found", "no file")?;
            } else if head.starts_with("GET /file") {
                self.give(stream)?;
            } else {
                self.take(stream, &mut reader, head)?;
            }
        }
    }

    fn answer(&self, mut stream: &TcpStream, status: &str, body: &str) -> std::io::Result<()> {
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }

    fn list(&self) -> Value {
        let kept = self.kept.lock().expect("no panic holds it");
        // Without its frame of "<" and ">".
        let shown = |(id, size): (usize, &u64)| json!({"id": id.to_string(), "ticket": "1", "title": "Log", "file_name": "log.txt", "size": size - 2});
        json!({"items": kept.iter().enumerate().map(shown).collect::<Vec<_>>()})
    }

    fn wait(&self) {
        let mut open = self.gate.0.lock().expect("no panic holds it");
        while !*open {
            open = self.gate.1.wait(open).expect("no panic holds it");
        }
    }

    fn give(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let (len, is_said) = self.file;
        let how = if is_said { format!("content-length: {len}") } else { "connection: close".to_owned() };
        write!(stream, "HTTP/1.1 200 OK\r\n{how}\r\n\r\n")?;
        let end = if let Act::Reset(at) = self.act { at } else { len };
        self.wait();
        let piece = vec![b'x'; 64 << 10];
        let mut left = end;
        while left > 0 {
            let count = left.min(piece.len() as u64);
            stream.write_all(&piece[..count as usize])?;
            self.moved.fetch_add(count, Ordering::SeqCst);
            left -= count;
        }
        if end < len || !is_said {
            return Err(std::io::Error::other("the connection ends here"));
        }
        Ok(())
    }

    fn take(&self, mut stream: &TcpStream, reader: &mut BufReader<&TcpStream>, head: String) -> std::io::Result<()> {
        if self.act == Act::Hasty {
            write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")?;
            return Err(std::io::Error::other("it has enough"));
        }
        self.wait();
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let (mut total, mut begins) = (0, Vec::new());
        let mut rest: u64 = length.unwrap_or(0);
        loop {
            if length.is_none() && rest == 0 {
                let mut line = String::new();
                while line.trim().is_empty() {
                    if reader.read_line(&mut line)? == 0 {
                        return Err(std::io::Error::other("it ends in the middle"));
                    }
                }
                rest = u64::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
                if rest == 0 {
                    reader.read_line(&mut line)?;
                }
            }
            if rest == 0 {
                break;
            }
            let piece = reader.fill_buf()?;
            let count = piece.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
            if count == 0 {
                return Err(std::io::Error::other("it ends in the middle"));
            }
            begins.extend_from_slice(&piece[..count.min(BODY_SHOWN.saturating_sub(begins.len()))]);
            reader.consume(count);
            rest -= count as u64;
            total += count as u64;
            self.moved.fetch_add(count as u64, Ordering::SeqCst);
            if matches!(self.act, Act::Reset(at) if total >= at) {
                return Err(std::io::Error::other("enough"));
            }
        }
        let times = if let Act::KeepAndReset(times) = self.act { times } else { 1 };
        self.kept.lock().expect("no panic holds it").extend(std::iter::repeat_n(total, times));
        let begins = String::from_utf8_lossy(&begins).into_owned();
        self.bodies.lock().expect("no panic holds it").push((head.to_ascii_lowercase(), begins));
        if matches!(self.act, Act::KeepAndReset(_)) {
            return Err(std::io::Error::other("no answer"));
        }
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    }
}
