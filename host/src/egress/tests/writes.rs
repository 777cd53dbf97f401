//! A write goes out at most once, and its witness is right.

use super::super::body::{Piece, WitnessedBody};
use super::*;
use psa_host_api::Code;

fn outcome_of((outcome, witness): (Result<Answer, Failure>, WitnessState)) -> (Code, &'static str, WitnessState) {
    let failure = outcome.expect_err("no answer");
    assert_eq!(failure.witness, witness);
    (failure.code, failure.reason, witness)
}

#[tokio::test]
async fn a_write_that_was_refused_at_the_door_was_not_sent() {
    let port =
        { std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port() };
    let egress = egress(loopback());
    for request in
        [post(format!("http://127.0.0.1:{port}/"), "note"), request("DELETE", format!("http://127.0.0.1:{port}/"))]
    {
        let got = outcome_of(send(&egress, &request, no_keys()).await);
        assert_eq!(got, (Code::NotSent, "egress_connect", WitnessState::NotSent), "{request:?}");
    }
}

#[tokio::test]
async fn a_write_whose_connection_ends_before_the_answer_is_in_doubt_and_not_repeated() {
    for request in [
        post("", "note"),
        request("DELETE", ""),
        request("POST", ""),
        Request { kind: Kind::Write, ..request("GET", "") },
    ] {
        let server = Server::start(vec![Act::Close]).await;
        let request = Request { url: server.url("/"), ..request };
        let got = outcome_of(send(&egress(loopback()), &request, no_keys()).await);
        assert_eq!(got, (Code::OutcomeUnknown, "egress_reset", WitnessState::InDoubt), "{request:?}");
        assert_eq!(server.seen().requests.len(), 1, "{request:?}");
    }
}

#[tokio::test]
async fn a_write_that_was_answered_tells_the_status_even_if_the_body_breaks_off() {
    let head = b"HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\nhalf".to_vec();
    let server = Server::start(vec![server::ok("done"), Act::Raw(head)]).await;
    let egress = egress(loopback());
    let (outcome, witness) = send(&egress, &post(server.url("/"), "one"), no_keys()).await;
    assert_eq!((outcome.expect("answered").status, witness), (200, WitnessState::Answered(200)));
    assert!(server.seen().requests[0].contains("content-length: 3\r\n"));

    let clock = VirtualClock::at(0);
    let egress = egress_at(loopback(), clock.clone());
    let prepared = egress.prepare(&post(server.url("/"), "two"), no_keys(), None).expect("prepared");
    let witness = prepared.witness();
    let sending = tokio::spawn(prepared.send());
    while witness.state() != WitnessState::Answered(201) {
        tokio::task::yield_now().await;
    }
    clock.advance(30_000);
    let failure = sending.await.expect("no panic").expect_err("broken off");
    assert_eq!((failure.code, failure.reason), (Code::OutcomeUnknown, "egress_timeout"));
    assert_eq!(failure.witness, WitnessState::Answered(201));
}

#[tokio::test]
async fn an_empty_post_says_that_it_is_empty() {
    let server = Server::start(vec![server::ok("")]).await;
    let egress = egress(loopback());
    for method in ["POST", "PATCH", "DELETE"] {
        send(&egress, &request(method, server.url("/")), no_keys()).await.0.expect(method);
    }
    let seen = server.seen().requests;
    assert!(seen[0].contains("content-length: 0\r\n") && seen[1].contains("content-length: 0\r\n"), "{seen:?}");
    assert!(seen.iter().all(|request| !request.contains("transfer-encoding")), "{seen:?}");
}

/// A kept connection that the server closes as the next write arrives would lose or double that write.
#[tokio::test]
async fn a_connection_that_dies_idle_neither_loses_nor_doubles_the_next_write() {
    let server = Server::start(vec![Act::Last]).await;
    let egress = egress(loopback());
    for body in ["one", "two", "three"] {
        let answer = send(&egress, &post(server.url("/"), body), no_keys()).await.0.expect(body);
        assert_eq!(answer.status, 200);
    }
    assert_eq!(server.bodies(), ["one", "two", "three"]);
    assert_eq!(server.seen().connections, 3, "each write has a connection of its own");
}

#[tokio::test]
async fn a_write_does_not_use_the_connection_that_a_read_left_behind() {
    let server = Server::start(vec![server::ok("")]).await;
    let egress = egress(loopback());
    for _ in 0..2 {
        send(&egress, &request("GET", server.url("/")), no_keys()).await.0.expect("read");
    }
    assert_eq!(server.seen().connections, 1, "reads share one");
    send(&egress, &post(server.url("/"), "x"), no_keys()).await.0.expect("written");
    assert_eq!(server.seen().connections, 2);
}

#[tokio::test]
async fn a_sealed_request_does_not_leave_even_when_the_connection_stands() {
    for (method, body) in [("POST", "note"), ("DELETE", ""), ("POST", "")] {
        let server = Server::start(vec![server::ok("")]).await;
        let egress = egress(loopback());
        let witness: Arc<Witness> = Arc::default();
        assert_eq!(witness.seal(), WitnessState::NotSent);
        let pieces = vec![Piece::Bytes(Bytes::from_static(body.as_bytes()))];
        let mut raw = reqwest::Request::new(method.parse().expect("a method"), server.url("/").parse().expect("a URL"));
        *raw.body_mut() = Some(reqwest::Body::wrap(WitnessedBody::new(pieces, None, witness.clone())));
        assert!(egress.inner.clients.write.execute(raw).await.is_err());
        assert_eq!(witness.state(), WitnessState::NotSent);
        // One more request, so that the first connection has surely been read to its end.
        send(&egress, &post(server.url("/"), "later"), no_keys()).await.0.expect("answered");
        assert_eq!((server.bodies(), server.seen().stray_bytes), (vec!["later".to_owned()], 0), "{method} {body}");
    }
}

#[tokio::test]
async fn a_dropped_write_leaves_a_final_witness_and_a_line_in_the_log() {
    let server = Server::start(vec![Act::Hang]).await;
    let egress = egress(loopback());
    let prepared =
        egress.prepare(&post(server.url("/a?conditions=secretish"), "x"), no_keys(), None).expect("prepared");
    let witness = prepared.witness();
    let sending = tokio::spawn(prepared.send());
    server.until(|seen| seen.requests.len() == 1).await;
    sending.abort();
    assert!(sending.await.is_err());
    assert_eq!(witness.state(), WitnessState::InDoubt);
    let entry = egress.log().pop().expect("an entry");
    assert_eq!((entry.path.as_str(), entry.failure, entry.status), ("/a?conditions", Some("dropped"), None));

    let unsent = egress.prepare(&post(server.url("/"), "x"), no_keys(), None).expect("prepared");
    let witness = unsent.witness();
    drop(unsent.send());
    assert_eq!(witness.state(), WitnessState::NotSent);
}

#[tokio::test]
async fn a_hanging_server_ends_by_virtual_time() {
    for (method, code, witness) in [
        ("POST", Code::OutcomeUnknown, WitnessState::InDoubt),
        ("DELETE", Code::OutcomeUnknown, WitnessState::InDoubt),
        ("GET", Code::Timeout, WitnessState::InDoubt),
    ] {
        let server = Server::start(vec![Act::Hang]).await;
        let clock = VirtualClock::at(0);
        let egress = egress_at(loopback(), clock.clone());
        let prepared = egress.prepare(&request(method, server.url("/")), no_keys(), Some(20_000)).expect("prepared");
        let seen = prepared.witness();
        let sending = tokio::spawn(prepared.send());
        server.until(|seen| seen.requests.len() == 1).await;
        clock.advance(19_999);
        tokio::task::yield_now().await;
        assert!(!sending.is_finished(), "the call's deadline is at 20,000");
        clock.advance(1);
        let failure = sending.await.expect("no panic").expect_err("too late");
        assert_eq!((failure.code, failure.reason, failure.witness), (code, "egress_timeout", witness), "{method}");
        assert_eq!(seen.state(), witness);
        assert_eq!(server.seen().requests.len(), 1);
    }
}

#[tokio::test]
async fn a_connection_that_never_stands_ends_by_its_own_limit_and_nothing_was_sent() {
    /// A resolver that never answers.
    struct Silent;
    impl Names for Silent {
        fn look_up(&self, _: &str) -> Looking {
            Box::pin(std::future::pending())
        }
    }
    let (clock, mut waits) = ToldClock::new();
    let egress =
        Egress::with_names(loopback(), clock.clone(), Arc::new(SystemRandom), Arc::new(Silent)).expect("opens");
    let prepared = egress.prepare(&post("https://psa.test/", "x"), no_keys(), None).expect("prepared");
    let sending = tokio::spawn(prepared.send());
    while waits.recv().await.expect("waits") != 10_000 {}
    clock.clock.advance(10_000);
    let failure = sending.await.expect("no panic").expect_err("too late");
    assert_eq!(
        (failure.code, failure.reason, failure.witness),
        (Code::NotSent, "egress_timeout", WitnessState::NotSent)
    );
}

#[tokio::test]
async fn a_write_after_the_deadline_opens_nothing() {
    let server = Server::start(vec![server::ok("")]).await;
    let clock = VirtualClock::at(0);
    clock.advance(500);
    let egress = egress_at(loopback(), clock);
    let prepared = egress.prepare(&post(server.url("/"), "x"), no_keys(), Some(500)).expect("prepared");
    let failure = prepared.send().await.expect_err("too late");
    assert_eq!((failure.code, failure.reason), (Code::NotSent, "egress_timeout"));
    assert_eq!(server.seen().connections, 0);
}

#[tokio::test]
async fn a_redirected_write_is_an_answer() {
    for status in ["301", "303", "307", "308"] {
        let raw = format!("HTTP/1.1 {status} Moved\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n");
        let server = Server::start(vec![Act::Raw(raw.into_bytes())]).await;
        let answer = send(&egress(loopback()), &post(server.url("/a"), "x"), no_keys()).await.0.expect("answered");
        assert_eq!((answer.status.to_string().as_str(), answer.header("location")), (status, Some("/b")));
        assert_eq!(server.seen().requests.len(), 1);
    }
}
