//! Where secrets go, and that they do not come back.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use psa_host_api::Code;

const SECRET: &str = "s3cr+t/\"<&é>' x";

fn with_secret(url: String, basic: bool) -> Request {
    let header = Header {
        name: "Authorization".into(),
        value: if basic { "acme+pub".into() } else { "Bearer ".into() },
        secret: Some("key".into()),
        basic,
    };
    Request { headers: vec![header], ..request("GET", url) }
}

#[tokio::test]
async fn a_secret_is_filled_into_headers_and_body_as_it_leaves() {
    let server = Server::start(vec![server::ok("fine")]).await;
    let egress = egress(loopback());
    let keys = Keys::one("key", "a b\"c", &server.origin());
    let mut with_body = with_secret(server.url("/token"), true);
    with_body.method = "POST".into();
    let secret = |encoding| Chunk::Secret { key: "key".into(), encoding };
    for encoding in [Encoding::Raw, Encoding::Base64, Encoding::Form, Encoding::JsonString] {
        with_body.body.push(secret(encoding));
        with_body.body.push(Chunk::Encoded(Bytes::from_static(b"|\""), encoding));
    }
    let (outcome, witness) = send(&egress, &with_body, keys).await;
    assert_eq!((outcome.expect("answered").status, witness), (200, WitnessState::Answered(200)));
    let seen = &server.seen().requests[0];
    let basic = STANDARD.encode("acme+pub:a b\"c");
    assert!(seen.contains(&format!("authorization: Basic {basic}\r\n")), "{seen}");
    assert_eq!(server.bodies()[0], "a b\"c|\"YSBiImM=fCI=a+b%22c%7C%22a b\\\"c|\\\"");
}

#[tokio::test]
async fn a_secret_goes_to_its_own_scheme_host_and_port_only() {
    let server = Server::start(vec![server::ok("")]).await;
    let egress = egress(loopback());
    for elsewhere in [
        format!("https://127.0.0.1:{}", server.port),
        format!("http://localhost:{}", server.port),
        format!("http://127.0.0.1:{}", server.port.wrapping_add(1)),
        "https://api-na.example-psa.net:443".to_owned(),
    ] {
        let keys = Keys::one("key", SECRET, &elsewhere);
        let failure = send(&egress, &with_secret(server.url("/"), true), keys).await.0.expect_err("refused");
        assert_eq!((failure.code, failure.reason), (Code::Forbidden, "egress_host"));
        assert!(failure.message.contains("\"key\"") && !failure.message.contains(SECRET), "{failure}");
    }
    assert_eq!(server.seen().connections, 0);
    let unknown = send(&egress, &with_secret(server.url("/"), false), no_keys()).await.0.expect_err("refused");
    assert_eq!(unknown.reason, "egress_host");
}

#[tokio::test]
async fn an_answer_that_echoes_the_secret_in_any_form_is_redacted() {
    let json = serde_json::to_string(SECRET).expect("a string");
    let inner = json[1..json.len() - 1].to_owned();
    let form: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let page = [
        SECRET.to_owned(),
        STANDARD.encode(format!("acme+pub:{SECRET}")),
        STANDARD.encode(SECRET),
        form.clone(),
        form.replace('+', "%20"),
        form.replace('+', "%20").to_lowercase(),
        inner.clone(),
        inner.replace('/', "\\/"),
        r#"s3cr\u002Bt/\u0022\u003C\u0026\u00E9\u003E\u0027 x"#.to_owned(),
        "s3cr+t/&quot;&lt;&amp;é&gt;&#39; x".to_owned(),
    ]
    .join(" | ");
    let server = Server::start(vec![server::ok(&page), Act::Mirror]).await;
    let egress = egress(loopback());
    let keys = Keys::one("key", SECRET, &server.origin());
    let answer = send(&egress, &with_secret(server.url("/page"), true), keys.clone()).await.0.expect("answered");
    assert_eq!(String::from_utf8_lossy(&answer.body), ["***"; 10].join(" | "));

    let answer = send(&egress, &with_secret(server.url("/mirror"), true), keys.clone()).await.0.expect("answered");
    assert_eq!(answer.header("x-echo"), Some("Basic ***"));
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(body.contains("authorization: Basic ***\r\n"), "{body}");

    let sent = egress.prepare(&with_secret(server.url("/?q=1"), true), keys, None).expect("prepared");
    let printed = format!("{sent:?} {egress:?} {answer:?} {:?}", egress.log());
    assert!(!printed.contains("s3cr"), "{printed}");
}

#[tokio::test]
async fn a_packed_answer_is_refused_because_it_could_hide_an_echo() {
    let server = Server::start(vec![Act::Answer("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n", vec![1, 2, 3])]).await;
    let failure = send(&egress(loopback()), &request("GET", server.url("/")), no_keys()).await.0.expect_err("refused");
    assert_eq!((failure.code, failure.reason), (Code::Unavailable, "bad_answer"));
    assert!(!server.seen().requests[0].contains("accept-encoding"));
}

#[tokio::test]
async fn line_breaks_get_into_no_header_not_even_by_a_secret() {
    let server = Server::start(vec![server::ok("")]).await;
    let egress = egress(loopback());
    for (name, value) in
        [("x-a", "1\r\nx-b: 2"), ("x-a", "1\n"), ("x-a", "\0"), ("x-a\r\nx-b", "1"), ("x a", "1"), ("", "1")]
    {
        let header = Header { name: name.into(), value: value.into(), ..Header::default() };
        let bad = Request { headers: vec![header], ..request("GET", server.url("/")) };
        let failure = egress.prepare(&bad, no_keys(), None).map(|_| ()).expect_err(name);
        assert_eq!((failure.code, failure.reason), (Code::InvalidArgument, "bad_request"), "{name:?} {value:?}");
    }
    let keys = Keys::one("key", "good\r\nx-evil: 1", &server.origin());
    let failure =
        egress.prepare(&with_secret(server.url("/"), false), keys.clone(), None).map(|_| ()).expect_err("refused");
    assert!(failure.message.contains("\"key\"") && !failure.message.contains("evil"), "{failure}");
    // In Basic it is harmless on the wire, but no such credential can be meant.
    assert!(egress.prepare(&with_secret(server.url("/"), true), keys, None).is_err());
    assert_eq!(server.seen().connections, 0);
}
