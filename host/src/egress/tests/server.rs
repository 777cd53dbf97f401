//! A scripted HTTP/1.1 server on loopback: the nth request gets the nth act, later ones the last.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What happens to a request that was read to its end.
#[derive(Clone)]
pub(super) enum Act {
    /// Status line, headers, body are these; a Content-Length is added.
    Answer(&'static str, Vec<u8>),
    /// The whole request comes back as the body.
    Mirror,
    /// These bytes and nothing more; the connection stays open.
    Raw(Vec<u8>),
    /// A 200; whatever comes next on this connection is read, and the connection closed.
    Last,
    /// The connection is closed.
    Close,
    /// Nothing, for ever.
    Hang,
    /// A head without length, then zeros as long as somebody reads.
    Endless,
}

pub(super) fn ok(body: &str) -> Act {
    Act::Answer("HTTP/1.1 200 OK\r\n", body.into())
}

pub(super) struct Server {
    pub(super) port: u16,
    seen: Arc<watch::Sender<Seen>>,
}

#[derive(Default, Clone)]
pub(super) struct Seen {
    pub(super) requests: Vec<String>,
    pub(super) connections: usize,
    /// Endless writers that were cut off.
    pub(super) cut_off: usize,
    pub(super) stray_bytes: usize,
}

impl Server {
    pub(super) async fn start(acts: Vec<Act>) -> Server {
        Server::start_with(acts, None).await
    }

    pub(super) async fn start_with(acts: Vec<Act>, tls: Option<tokio_rustls::TlsAcceptor>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(watch::Sender::new(Seen::default()));
        let (ours, script) = (seen.clone(), Arc::new(Script { acts, next: Mutex::new(0), seen: seen.clone() }));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                ours.send_modify(|seen| seen.connections += 1);
                let (script, tls) = (script.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => script.serve(socket).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(socket).await {
                                script.serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        Server { port, seen }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(super) fn origin(&self) -> String {
        self.url("")
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Bodies of the requests, in the order of arrival.
    pub(super) fn bodies(&self) -> Vec<String> {
        let body = |request: &String| request.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.into());
        self.seen().requests.iter().map(body).collect()
    }

    pub(super) async fn until(&self, state: impl FnMut(&Seen) -> bool) {
        self.seen.subscribe().wait_for(state).await.expect("the server lives");
    }
}

struct Script {
    acts: Vec<Act>,
    next: Mutex<usize>,
    seen: Arc<watch::Sender<Seen>>,
}

impl Script {
    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        loop {
            let Some(request) = self.read(&mut stream).await else { return };
            self.seen.send_modify(|seen| seen.requests.push(request.clone()));
            let act = {
                let mut next = self.next.lock().expect("not poisoned");
                *next += 1;
                self.acts.get(*next - 1).or(self.acts.last()).cloned().expect("an act")
            };
            let last = matches!(act, Act::Last);
            let out = match act {
                Act::Last => b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec(),
                Act::Answer(head, body) => {
                    [format!("{head}content-length: {}\r\n\r\n", body.len()).into_bytes(), body].concat()
                }
                Act::Mirror => format!(
                    "HTTP/1.1 500 Oops\r\nx-echo: {}\r\ncontent-length: {}\r\n\r\n{request}",
                    echo(&request),
                    request.len()
                )
                .into_bytes(),
                Act::Raw(bytes) => bytes,
                Act::Close => return,
                Act::Hang => std::future::pending().await,
                Act::Endless => {
                    let mut piece = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
                    while stream.write_all(&piece).await.is_ok() {
                        piece = vec![b'0'; 64 << 10];
                    }
                    self.seen.send_modify(|seen| seen.cut_off += 1);
                    return;
                }
            };
            if stream.write_all(&out).await.is_err() || stream.flush().await.is_err() {
                return;
            }
            if last {
                let doubtful = self.read(&mut stream).await;
                self.seen.send_modify(|seen| seen.requests.extend(doubtful));
                return;
            }
        }
    }

    /// One request with its body; None: the connection ended before.
    async fn read(&self, stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
        let mut got = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&got).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length")
                        .then(|| value.trim().parse::<usize>().expect("a number"))
                });
                if body.len() >= length.unwrap_or(0) {
                    return Some(text);
                }
            }
            let mut piece = [0; 4096];
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => {
                    self.seen.send_modify(|seen| seen.stray_bytes += got.len());
                    return None;
                }
                Ok(count) => got.extend_from_slice(&piece[..count]),
            }
        }
    }
}

fn echo(request: &str) -> String {
    request.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or("none").to_owned()
}
