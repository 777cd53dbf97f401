//! The parts without sockets: validation, Retry-After, budget.

use super::super::retry_after::wait_ms;
use super::*;
use psa_host_api::Code;

#[test]
fn retry_after_is_read_in_both_forms_and_clamped() {
    let now = 784_111_777_000; // Sun, 06 Nov 1994 08:49:37 GMT
    for (value, wait) in [
        ("0", Some(0)),
        ("5", Some(5_000)),
        (" 120 ", Some(120_000)),
        ("3600", Some(3_600_000)),
        ("3601", Some(3_600_000)),
        ("99999999999999999999999", Some(3_600_000)),
        ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10_000)),
        ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60_000)),
        ("Sun Nov  6 08:49:38 1994", Some(1_000)),
        ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
        ("Mon, 07 Nov 1994 08:49:37 GMT", Some(3_600_000)),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
    ] {
        assert_eq!(wait_ms(value, now), wait, "{value:?}");
    }
    let answer = |headers: &[(&str, &str)]| Answer {
        status: 429,
        headers: headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        body: Bytes::new(),
    };
    assert_eq!(answer(&[]).retry_after_ms(now), None);
    assert_eq!(answer(&[("retry-after", "7")]).retry_after_ms(now), Some(7_000));
    let theirs = [("date", "Sun, 06 Nov 1994 08:00:00 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:00:30 GMT")];
    assert_eq!(answer(&theirs).retry_after_ms(now), Some(30_000), "by the server's own clock");
}

#[test]
fn requests_that_cannot_be_meant_are_refused_before_anything_is_opened() {
    let egress = egress(EgressConfig { request_bytes_max: 8, ..EgressConfig::default() });
    let refused = |request: Request| egress.prepare(&request, no_keys(), None).map(|_| ()).expect_err("refused");
    let url = "https://psa.example/x";
    for method in ["", "get", "G T", "CONNECT", "TRACE", "GET\r\n"] {
        assert_eq!(refused(request(method, url)).reason, "bad_request", "{method:?}");
    }
    for url in [
        "",
        "/x",
        "psa.example/x",
        "https://",
        "https://u@psa.example/",
        "https://u:p@psa.example/",
        "https://psa.example/#f",
        "https://psa.example/a b",
        "https://psa.example/\r\nx",
        "mailto:a@b",
    ] {
        let failure = refused(request("GET", url));
        assert_eq!((failure.code, failure.reason), (Code::InvalidArgument, "bad_request"), "{url:?}");
        assert!(!failure.message.contains("u:p"));
    }
    for name in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "Expect",
        "Accept-Encoding",
        "Proxy-Authorization",
        "Upgrade",
        "TE",
    ] {
        let header = Header { name: name.into(), value: "x".into(), ..Header::default() };
        assert_eq!(refused(Request { headers: vec![header], ..request("GET", url) }).reason, "bad_request", "{name}");
    }
    for method in ["PUT", "PATCH", "DELETE"] {
        assert_eq!(refused(Request { kind: Kind::Read, ..request(method, url) }).reason, "bad_request", "{method}");
    }
    let failure = refused(post(url, "123456789"));
    assert_eq!((failure.code, failure.reason), (Code::TooLarge, "request_too_large"));
    assert_eq!(refused(request("GET", "http://psa.example/")).reason, "egress_scheme");
    assert_eq!(refused(request("GET", "https://10.0.0.1/")).reason, "egress_private");
    let bad_json = Chunk::Encoded(Bytes::from_static(b"\xff"), Encoding::JsonString);
    assert_eq!(refused(Request { body: vec![bad_json], ..request("POST", url) }).reason, "bad_request");
}

#[test]
fn kinds_and_methods_say_what_is_a_write() {
    for (kind, method, write) in [
        (Kind::ByMethod, "GET", false),
        (Kind::ByMethod, "HEAD", false),
        (Kind::ByMethod, "OPTIONS", false),
        (Kind::ByMethod, "POST", true),
        (Kind::ByMethod, "QUERY", true),
        (Kind::Read, "POST", false),
        (Kind::Auth, "POST", false),
        (Kind::Write, "GET", true),
    ] {
        assert_eq!(Request { kind, ..request(method, "") }.is_write(), write, "{kind:?} {method}");
    }
}

#[tokio::test]
async fn each_lane_keeps_a_slot_whatever_the_others_take() {
    let budget = Budget::new(5);
    let mut bulk: Vec<Permit> =
        (0..3).map(|_| budget.try_acquire(Lane::Bulk).expect("its own and two shared")).collect();
    assert!(budget.try_acquire(Lane::Bulk).is_none());
    let person = budget.acquire(Lane::Interactive).await;
    let _delivery = budget.acquire(Lane::Delivery).await;
    assert!(budget.try_acquire(Lane::Interactive).is_none());

    let waiting = tokio::spawn({
        let budget = budget.clone();
        async move { budget.acquire(Lane::Interactive).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(person);
    let _next = waiting.await.expect("no panic");
    bulk.pop();
    assert!(budget.try_acquire(Lane::Delivery).is_some(), "a shared slot is free again");
    assert!(Budget::new(0).try_acquire(Lane::Delivery).is_some(), "never less than one for each");
}

#[tokio::test]
async fn the_log_has_ids_and_no_values() {
    let server = Server::start(vec![server::ok("body")]).await;
    let egress = egress(loopback());
    let asked =
        Request { trace_id: Some("t1".into()), ..request("GET", server.url("/tickets/7?conditions=name%3D1&page=2")) };
    send(&egress, &asked, no_keys()).await.0.expect("answered");
    let log = egress.log();
    assert_eq!(log.len(), 1);
    let entry = &log[0];
    assert_eq!(
        (entry.method.as_str(), entry.path.as_str(), entry.status),
        ("GET", "/tickets/7?conditions&page", Some(200))
    );
    assert_eq!((entry.host.clone(), entry.trace_id.as_deref()), (format!("127.0.0.1:{}", server.port), Some("t1")));
}
