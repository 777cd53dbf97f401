//! Reads: repeated with care, redirected at home, bounded.

use super::*;
use psa_host_api::Code;

fn moved(status: u16, to: &str) -> Act {
    Act::Raw(format!("HTTP/1.1 {status} Moved\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").into_bytes())
}

/// Sends on a clock that only the backoff moves; returns the backoffs too.
async fn send_told(server: &Server, request: Request) -> (Result<Answer, Failure>, Vec<u64>) {
    let (clock, mut waits) = ToldClock::new();
    let egress = egress_at(loopback(), clock.clone());
    let request = Request { url: server.url(&request.url), ..request };
    let mut sending = tokio::spawn(egress.prepare(&request, no_keys(), None).expect("prepared").send());
    let mut backoffs = Vec::new();
    loop {
        tokio::select! {
            outcome = &mut sending => return (outcome.expect("no panic"), backoffs),
            Some(ms) = waits.recv() => if ms <= 1_000 {
                backoffs.push(ms);
                clock.clock.advance(ms);
            },
        }
    }
}

#[tokio::test]
async fn a_read_is_repeated_twice_when_its_connection_ends_unanswered() {
    let server = Server::start(vec![Act::Close, Act::Close, server::ok("third")]).await;
    let (outcome, backoffs) = send_told(&server, request("GET", "/x")).await;
    assert_eq!(outcome.expect("answered").body, "third");
    assert!((125..=250).contains(&backoffs[0]) && (250..=500).contains(&backoffs[1]), "{backoffs:?}");
    assert_eq!(server.seen().requests.len(), 3);

    let server = Server::start(vec![Act::Close]).await;
    let failure =
        send_told(&server, Request { kind: Kind::Read, ..post("/x", "query") }).await.0.expect_err("never answered");
    assert_eq!((failure.code, failure.reason), (Code::Unavailable, "egress_reset"));
    assert_eq!(server.bodies(), ["query", "query", "query"]);
}

#[tokio::test]
async fn a_status_is_an_answer_and_a_token_request_is_not_repeated() {
    for status in ["429 Slow", "500 Oops", "503 Later"] {
        let server =
            Server::start(vec![Act::Raw(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").into_bytes())]).await;
        let (outcome, backoffs) = send_told(&server, request("GET", "/x")).await;
        assert_eq!(outcome.expect("answered").status.to_string(), status[..3]);
        assert_eq!((server.seen().requests.len(), backoffs.len()), (1, 0));
    }
    let server = Server::start(vec![Act::Close]).await;
    let (outcome, _) = send_told(&server, Request { kind: Kind::Auth, ..post("/token", "x") }).await;
    assert_eq!(outcome.expect_err("never answered").reason, "egress_reset");
    assert_eq!(server.seen().requests.len(), 1);
}

#[tokio::test]
async fn no_repeat_starts_past_the_deadline() {
    let server = Server::start(vec![Act::Close]).await;
    let (clock, _waits) = ToldClock::new();
    let egress = egress_at(loopback(), clock);
    let request = Request { timeout_ms: 100, ..request("GET", server.url("/")) };
    let failure = egress.prepare(&request, no_keys(), None).expect("prepared").send().await.expect_err("unanswered");
    assert_eq!(failure.reason, "egress_reset");
    assert_eq!(server.seen().requests.len(), 1);
}

#[tokio::test]
async fn reads_follow_three_redirects_within_their_origin() {
    let egress = egress(loopback());
    let server =
        Server::start(vec![moved(301, "/b"), moved(302, "c?d=1"), moved(307, "/e#f"), server::ok("there")]).await;
    let answer = send(&egress, &request("GET", server.url("/a")), no_keys()).await.0.expect("answered");
    assert_eq!(answer.body, "there");
    let lines: Vec<String> =
        server.seen().requests.iter().map(|r| r.lines().next().unwrap_or_default().into()).collect();
    assert_eq!(lines, ["GET /a HTTP/1.1", "GET /b HTTP/1.1", "GET /c?d=1 HTTP/1.1", "GET /e HTTP/1.1"]);

    let server = Server::start(vec![moved(302, "/again")]).await;
    let failure = send(&egress, &request("GET", server.url("/")), no_keys()).await.0.expect_err("a circle");
    assert_eq!((failure.code, failure.reason), (Code::Unavailable, "egress_redirect"));
    assert_eq!(server.seen().requests.len(), 4);

    let server = Server::start(vec![moved(303, "/b")]).await;
    let asked = Request { kind: Kind::Read, ..post(server.url("/"), "query") };
    assert_eq!(send(&egress, &asked, no_keys()).await.0.expect("answered").status, 303, "a POST does not become a GET");
}

#[tokio::test]
async fn no_redirect_leads_to_another_scheme_host_or_port() {
    let other = Server::start(vec![server::ok("stolen")]).await;
    let egress = egress(loopback());
    for to in [
        other.url("/"),
        "https://evil.test/".into(),
        "//evil.test/".into(),
        "http://user:pw@{self}/".into(),
        "https://{self}/".into(),
        "http://localhost:{port}/".into(),
        "file:///etc/passwd".into(),
    ] {
        let script =
            |port: u16| to.replace("{self}", &format!("127.0.0.1:{port}")).replace("{port}", &port.to_string());
        // The port is known only once the server runs; a first one is asked for it.
        let port =
            { std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("address").port() };
        let server = Server::start(vec![moved(302, &script(port))]).await;
        let failure = send(&egress, &request("GET", server.url("/")), no_keys()).await.0.expect_err(&to);
        assert_eq!((failure.code, failure.reason), (Code::Forbidden, "egress_redirect"), "{to}");
        assert_eq!(server.seen().requests.len(), 1);
    }
    assert_eq!(other.seen().connections, 0);
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read_on() {
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 52428800\r\n\r\n".to_vec();
    let server = Server::start(vec![Act::Raw(announced)]).await;
    let failure =
        send(&egress(loopback()), &request("GET", server.url("/")), no_keys()).await.0.expect_err("too large");
    assert_eq!((failure.code, failure.reason), (Code::TooLarge, "body_too_large"));

    let server = Server::start(vec![Act::Endless]).await;
    let small = egress(EgressConfig { body_bytes_max: 1 << 20, ..loopback() });
    let failure = send(&small, &request("GET", server.url("/")), no_keys()).await.0.expect_err("endless");
    assert_eq!((failure.code, failure.reason), (Code::TooLarge, "body_too_large"));
    server.until(|seen| seen.cut_off == 1).await;

    let (outcome, witness) = send(&small, &post(server.url("/"), "x"), no_keys()).await;
    let failure = outcome.expect_err("endless");
    assert_eq!(
        (failure.code, failure.reason),
        (Code::OutcomeUnknown, "body_too_large"),
        "a write may have been applied"
    );
    assert_eq!(witness, WitnessState::Answered(200));
}

#[tokio::test]
async fn what_is_not_http_is_called_so() {
    let server = Server::start(vec![Act::Raw(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec())]).await;
    let failure = send(&egress(loopback()), &request("GET", server.url("/")), no_keys()).await.0.expect_err("not HTTP");
    assert_eq!((failure.code, failure.reason), (Code::Unavailable, "bad_answer"), "{failure}");
}

#[tokio::test]
async fn an_unknown_name_is_a_reason_of_its_own() {
    let egress = egress_named(EgressConfig::default(), FixedNames::of(&[]));
    let read = send(&egress, &request("GET", "https://psa.test/"), no_keys()).await.0.expect_err("unknown");
    assert_eq!((read.code, read.reason), (Code::Unavailable, "egress_dns"));
    let write = send(&egress, &post("https://psa.test/", "x"), no_keys()).await.0.expect_err("unknown");
    assert_eq!((write.code, write.reason), (Code::NotSent, "egress_dns"));
}
