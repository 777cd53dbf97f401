//! The product's own HTTP server, as far as callbacks go: a real socket in front of the host's door.

use psa_host::{Host, HttpAnswer, HttpRequest};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The door; it listens as long as the process lives.
pub struct Door {
    /// Where it can be reached.
    pub address: String,
    host: Arc<Mutex<Weak<Host>>>,
    took: Arc<Mutex<Vec<Duration>>>,
}

/// How long the host took for its answers so far; for people, no test is to hang on it.
pub struct Answers {
    /// How many there were.
    pub count: usize,
    half: Duration,
    most: Duration,
}

impl std::fmt::Display for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} answers, p50 {:.2?}, p99 {:.2?}", self.count, self.half, self.most)
    }
}

impl Default for Door {
    fn default() -> Door {
        Door::open()
    }
}

impl Door {
    /// Listens on a free port. Until there is a host it answers 503.
    pub fn open() -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = format!("http://{}/hooks/psa", listener.local_addr().expect("it is bound"));
        let host: Arc<Mutex<Weak<Host>>> = Arc::default();
        let took: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let (behind, times) = (host.clone(), took.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (host, times) = (behind.clone(), times.clone());
                std::thread::spawn(move || drop(serve(&stream, &host, &times)));
            }
        });
        Door { address, host, took }
    }

    /// How long answers took.
    pub fn answers(&self) -> Answers {
        let mut took = self.took.lock().unwrap_or_else(PoisonError::into_inner).clone();
        took.sort();
        let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or_default();
        Answers { count: took.len(), half: at(50), most: at(99) }
    }

    /// From now on this host answers.
    pub fn lead_to(&self, host: &Arc<Host>) {
        *self.host.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(host);
    }
}

/// One connection, request by request.
fn serve(stream: &TcpStream, host: &Mutex<Weak<Host>>, took: &Mutex<Vec<Duration>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let (method, url) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
        let mut headers = Vec::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let began = Instant::now();
        let answer = answer(host, &method, &url, &headers, &body);
        took.lock().unwrap_or_else(PoisonError::into_inner).push(began.elapsed());
        let mut text = format!("HTTP/1.1 {} x\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut stream = stream;
        stream.write_all(&[text.as_bytes(), b"\r\n", &answer.body].concat())?;
    }
}

fn answer(host: &Mutex<Weak<Host>>, method: &str, url: &str, headers: &[(String, String)], body: &[u8]) -> HttpAnswer {
    let nobody = HttpAnswer { status: 503, headers: Vec::new(), body: Vec::new() };
    let Some(host) = host.lock().unwrap_or_else(PoisonError::into_inner).upgrade() else { return nobody };
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    host.callback(&HttpRequest { method, url, headers: &headers, body }).unwrap_or(HttpAnswer { status: 429, ..nobody })
}
