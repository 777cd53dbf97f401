//! The product's own HTTP server, as far as callbacks go: a real socket in front of the host's door.

use crate::listen::{Asked, listen};
use psa_host::{Host, HttpAnswer, HttpRequest};
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
        let host: Arc<Mutex<Weak<Host>>> = Arc::default();
        let took: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let (behind, times) = (host.clone(), took.clone());
        let mut address = String::new();
        listen(|at| {
            address = format!("http://{at}/hooks/psa");
            Arc::new(move |asked| {
                let began = Instant::now();
                let answer = answer(&behind, asked);
                times.lock().unwrap_or_else(PoisonError::into_inner).push(began.elapsed());
                answer
            })
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

fn answer(host: &Mutex<Weak<Host>>, asked: &Asked) -> HttpAnswer {
    let nobody = HttpAnswer { status: 503, headers: Vec::new(), body: Vec::new() };
    let Some(host) = host.lock().unwrap_or_else(PoisonError::into_inner).upgrade() else { return nobody };
    let request = HttpRequest { method: &asked.method, url: &asked.url, headers: &asked.headers(), body: &asked.body };
    host.callback(&request).unwrap_or(HttpAnswer { status: 429, ..nobody })
}
