//! A small HTTP server on this machine: a real socket in front of whatever answers.

use psa_host::HttpAnswer;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// A request, as it came.
pub struct Asked {
    /// GET, POST.
    pub method: String,
    /// Path and raw query.
    pub url: String,
    /// Names as they were sent.
    pub headers: Vec<(String, String)>,
    /// Whole.
    pub body: Vec<u8>,
}

impl Asked {
    /// The headers as the host takes them.
    pub fn headers(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (&**name, &**value)).collect()
    }
}

/// What answers; a thread for each connection.
pub type Handler = Arc<dyn Fn(&Asked) -> HttpAnswer + Send + Sync>;

/// Listens on a free port for as long as the process lives. `make`: what answers, once it is known where.
pub fn listen(make: impl FnOnce(SocketAddr) -> Handler) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let handler = make(listener.local_addr().expect("it is bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let handler = handler.clone();
            std::thread::spawn(move || drop(serve(&stream, &handler)));
        }
    });
}

/// One connection, request by request.
fn serve(mut stream: &TcpStream, handler: &Handler) -> std::io::Result<()> {
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
        let answer = handler(&Asked { method, url, headers, body });
        let mut text = format!("HTTP/1.1 {} x\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(&[text.as_bytes(), b"\r\n", &answer.body].concat())?;
    }
}
