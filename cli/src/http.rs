//! A small HTTP server on this machine, for what the product's own server does elsewhere.
//!
//! Promises: bound to 127.0.0.1 unless told otherwise; a body longer than the limit is refused; one thread per request at
//! work, so that what is asked may block.

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use psa_host::HttpAnswer;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};

/// A longer body is not read, in bytes.
const BODY_BYTES_MAX: usize = 64 << 20;

/// A request, as it came.
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and raw query.
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What answers.
pub(crate) type Handler = Arc<dyn Fn(Asked) -> HttpAnswer + Send + Sync>;

/// Listens; where, when it does.
pub(crate) async fn listen(port: u16) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves until `end`; what has been begun is answered.
pub(crate) async fn serve(
    listener: TcpListener,
    handler: Handler,
    end: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let (ending, _) = tokio::sync::watch::channel(false);
    let mut connections = tokio::task::JoinSet::new();
    let mut end = std::pin::pin!(end);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted?.0,
            () = &mut end => break,
        };
        connections.spawn(connection(stream, handler.clone(), ending.subscribe()));
        while connections.try_join_next().is_some() {}
    }
    ending.send_replace(true);
    connections.join_all().await;
    Ok(())
}

/// Ends with an error when a client goes away, which is nobody's fault.
async fn connection(stream: TcpStream, handler: Handler, mut ending: tokio::sync::watch::Receiver<bool>) {
    let service = service_fn(move |request| one(request, handler.clone()));
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    tokio::select! {
        _ = &mut served => return,
        _ = ending.wait_for(|ending| *ending) => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

async fn one(request: Request<Incoming>, handler: Handler) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else { return Ok(answered(413, Vec::new())) };
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let asked = Asked {
        method: head.method.to_string(),
        url: head.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: body.to_bytes().to_vec(),
    };
    let answer = tokio::task::spawn_blocking(move || handler(asked)).await;
    let Ok(HttpAnswer { status, headers, body }) = answer else { return Ok(answered(500, Vec::new())) };
    let mut response = answered(status, body);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) =
            (hyper::header::HeaderName::try_from(name), hyper::header::HeaderValue::try_from(value))
        {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}

fn answered(status: u16, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    response
}
