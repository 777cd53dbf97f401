//! Connections, and how each request ends: with an answer, or with the wire cut.

use crate::closing::{Closing, Watched};
use crate::fault::Fault;
use crate::http::{Asked, Reply};
use crate::tls::Identity;
use crate::world::{Shared, World};
use crate::{callbacks, connectwise, control};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// The connection is to be cut instead of answered.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut on purpose")
    }
}

impl std::error::Error for Cut {}

/// Serves until the process ends.
pub(crate) async fn serve(listener: TcpListener, tls: Option<&Identity>, shared: Arc<Shared>) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let _ = stream.set_nodelay(true);
        let shared = shared.clone();
        let acceptor = tls.map(Identity::acceptor);
        tokio::spawn(async move {
            match acceptor {
                None => connection(stream, shared).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        connection(stream, shared).await;
                    }
                }
            }
        });
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, shared: Arc<Shared>) {
    let closing = Arc::new(Closing::default());
    let stream = TokioIo::new(Watched::new(stream, closing.clone()));
    let due = closing.clone();
    let service = service_fn(move |request| one(request, shared.clone(), closing.clone()));
    let mut served = hyper::server::conn::http1::Builder::new().serve_connection(stream, service);
    let closes = tokio::select! {
        // Ends with an error when a client goes away or a fault cuts it: both are normal here.
        _ = &mut served => false,
        () = due.answer_left() => true,
    };
    if closes {
        let _ = served.into_parts().io.into_inner().shutdown().await;
    }
}

async fn one(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    closing: Arc<Closing>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes().to_vec();
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        raw_query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body,
    };
    let reply = if asked.path.starts_with("/_sim/") {
        match callbacks::doors::answer(&asked, &shared).await {
            Some(reply) => reply,
            None => connectwise::by_people(&mut shared.lock(), &asked, control::answer),
        }
    } else {
        let reply = struck(&asked, &shared).await?;
        if shared.lock().switches.close_after_answer {
            closing.after_this_answer();
        }
        reply
    };
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    if !reply.headers.iter().any(|(name, _)| name == "date") {
        // The library would write the machine's time, and clients take the PSA's from here.
        response = response.header("date", http_date(shared.lock().now()));
    }
    response.body(Full::new(Bytes::from(reply.body))).map_err(|_| Cut)
}

/// The answer, with whatever fault is pending for it.
async fn struck(asked: &Asked, shared: &Arc<Shared>) -> Result<Reply, Cut> {
    let endpoint = connectwise::endpoint(asked);
    let fault = shared.lock().strike(endpoint);
    let note = |reply: Option<&Reply>, committed: bool| {
        let mut world = shared.lock();
        let at = world.now_text();
        world.journal.add(&at, asked, endpoint, reply, committed, fault.as_ref().map(Fault::name));
    };
    match &fault {
        Some(Fault::Latency { ms }) => tokio::time::sleep(Duration::from_millis(*ms)).await,
        Some(Fault::Hang) => {
            note(None, false);
            std::future::pending::<()>().await;
        }
        Some(Fault::ResetBeforeCommit) => {
            note(None, false);
            return Err(Cut);
        }
        Some(Fault::LateCommit { ms, listing_ms }) => {
            note(None, false);
            tokio::spawn(late(asked.clone(), shared.clone(), *ms, *listing_ms));
            return Err(Cut);
        }
        Some(fault) => {
            if let Some(reply) = instead(fault, shared) {
                note(Some(&reply), false);
                return Ok(reply);
            }
        }
        None => {}
    }
    let reply = match &fault {
        Some(Fault::Endless) => endless(&mut shared.lock(), asked),
        _ => connectwise::answer(&mut shared.lock(), asked, fault.as_ref()),
    };
    let committed = reply.committed;
    if let Some(Fault::LateAnswer { ms }) = &fault {
        tokio::time::sleep(Duration::from_millis(*ms)).await;
    }
    match &fault {
        Some(Fault::ResetAfterCommit | Fault::LateReference { .. }) => {
            note(None, committed);
            Err(Cut)
        }
        _ => {
            let reply = spoilt(reply, fault.as_ref());
            note(Some(&reply), committed);
            Ok(reply)
        }
    }
}

/// The first page, whichever was asked for, and one more behind it.
fn endless(world: &mut World, asked: &Asked) -> Reply {
    let page: u64 = asked.parameter("pageId").and_then(|page| page.parse().ok()).unwrap_or(0);
    let rest = asked.raw_query.split('&').filter(|pair| !pair.starts_with("pageId="));
    let first = Asked { raw_query: rest.collect::<Vec<_>>().join("&"), ..asked.clone() };
    let mut reply = connectwise::answer(world, &first, None);
    reply.headers.retain(|(name, _)| name != "link");
    reply.header("link", format!("<https://servername/{}?pageId={}>; rel=\"next\"", asked.path, page + 1))
}

async fn late(asked: Asked, shared: Arc<Shared>, ms: u64, listing_ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    let mut world = shared.lock();
    let reply = connectwise::answer(&mut world, &asked, Some(&Fault::LateListing { ms: listing_ms }));
    let at = world.now_text();
    world.journal.add(&at, &asked, connectwise::endpoint(&asked), None, reply.committed, Some("late_commit"));
}

const HTML: &str =
    "<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Be right back</h1></body></html>";

/// What is answered without doing anything.
fn instead(fault: &Fault, shared: &Shared) -> Option<Reply> {
    let json = |status, body: &str| Reply::of(status, "application/json; charset=utf-8", body);
    let limited = r#"{"error":"ConnectWiseAPI","message":"Too many requests. Please slow down."}"#;
    Some(match fault {
        Fault::RateLimitedSeconds { retry_after } => json(429, limited).header("retry-after", retry_after.to_string()),
        Fault::RateLimitedDate { retry_after } => {
            let seconds = i64::try_from(*retry_after).unwrap_or(i64::MAX);
            let now = shared.lock().now();
            let until = now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now);
            json(429, limited).header("retry-after", http_date(until)).header("date", http_date(now))
        }
        Fault::RateLimitedHtml { retry_after } => {
            Reply::of(429, "text/html", HTML).header("retry-after", retry_after.to_string())
        }
        Fault::Error500Timeout => {
            json(500, r#"{"code":"ConnectWiseApi","message":"Execution Timeout Expired. The timeout period elapsed."}"#)
        }
        Fault::Error500BeforeCommit => json(500, r#"{"code":"ConnectWiseApi","message":"An error has occurred."}"#),
        Fault::Html503 => Reply::of(503, "text/html", HTML),
        Fault::Html200 => Reply::of(200, "text/html", HTML),
        Fault::CannotRoute => Reply::of(400, "text/plain", "Cannot route. Codebase/company is invalid"),
        Fault::Unauthorized => json(401, r#"{"code":"Unauthorized","message":"Incorrect public/private key"}"#),
        Fault::Forbidden => {
            json(403, r#"{"code":"Security","message":"You do not have security permission to perform this action."}"#)
        }
        Fault::NotFound => json(404, r#"{"code":"NotFound","message":"Record not found"}"#),
        Fault::HugeBody { bytes } => {
            let mut body = b"[\"".to_vec();
            body.resize((*bytes).max(4) - 2, b'x');
            body.extend_from_slice(b"\"]");
            Reply::of(200, "application/json", body)
        }
        Fault::InvalidUtf8 => Reply::of(200, "application/json", b"{\"id\":1,\"summary\":\"\xff\xfe\"}".to_vec()),
        _ => return None,
    })
}

fn http_date(time: jiff::Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The answer after a fault that strikes behind the deed.
fn spoilt(mut reply: Reply, fault: Option<&Fault>) -> Reply {
    match fault {
        Some(Fault::Error500AfterCommit) => {
            let body = r#"{"code":"ConnectWiseApi","message":"An error has occurred."}"#;
            Reply::of(500, "application/json; charset=utf-8", body)
        }
        Some(Fault::TruncatedJson) => {
            reply.body.truncate(reply.body.len() / 2);
            reply
        }
        _ => reply,
    }
}
