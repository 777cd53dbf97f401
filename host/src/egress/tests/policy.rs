//! Who may be reached.

use super::super::policy::{Policy, Refusal, not_public};
use super::*;

fn policy(allow: &[&str], loopback: bool) -> Policy {
    let allow_private = allow.iter().map(|entry| entry.to_string()).collect();
    Policy::new(&EgressConfig { allow_private, allow_loopback_http: loopback, ..EgressConfig::default() })
        .expect("valid")
}

fn verdict(policy: &Policy, url: &str) -> &'static str {
    match policy.check_url(&url::Url::parse(url).expect(url)) {
        Ok(()) => "ok",
        Err(Refusal::Scheme) => "scheme",
        Err(Refusal::Private { .. }) => "private",
        Err(Refusal::NoName) => "name",
    }
}

#[test]
fn addresses_that_are_not_the_public_internet_are_known() {
    for refused in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "64:ff9b:1::1",
        "2001::1",
        "2001:db8::1",
        "2002:a00:1::1",
        "3fff::1",
        "4000::1",
    ] {
        assert!(not_public(refused.parse().expect(refused)).is_some(), "{refused}");
    }
    for public in
        ["1.1.1.1", "100.63.0.1", "100.128.0.1", "172.32.0.1", "192.169.0.1", "8.8.8.8", "2606:4700::1", "2a00:1450::1"]
    {
        assert_eq!(not_public(public.parse().expect(public)), None, "{public}");
    }
}

#[test]
fn urls_are_judged_by_scheme_and_literal_address() {
    for (allow, loopback, url, expected) in [
        (&[][..], false, "https://na.example-psa.net/x", "ok"),
        (&[], false, "http://na.example-psa.net/x", "scheme"),
        (&[], false, "ftp://na.example-psa.net/x", "scheme"),
        (&[], false, "http://127.0.0.1/", "scheme"),
        (&[], false, "https://127.0.0.1/", "private"),
        (&[], false, "https://0x7f.1/", "private"),
        (&[], false, "https://2130706433/", "private"),
        (&[], false, "https://[::1]/", "private"),
        (&[], false, "https://[::ffff:10.0.0.1]/", "private"),
        (&[], false, "https://[::ffff:8.8.8.8]/", "ok"),
        (&[], false, "https://[64:ff9b::a00:1]/", "private"),
        (&[], false, "https://[64:ff9b::808:808]/", "ok"),
        (&[], false, "https://169.254.169.254/latest", "private"),
        (&[], true, "http://127.0.0.1:8080/", "ok"),
        (&[], true, "http://localhost:8080/", "ok"),
        (&[], true, "http://[::1]:8080/", "ok"),
        (&[], true, "https://127.0.0.1/", "ok"),
        (&[], true, "http://10.0.0.1/", "scheme"),
        (&[], true, "https://10.0.0.1/", "private"),
        (&[], true, "http://psa.test/", "scheme"),
        (&["10.0.0.0/8"], false, "https://10.9.8.7/", "ok"),
        (&["10.0.0.0/8"], false, "https://[::ffff:10.9.8.7]/", "ok"),
        (&["10.0.0.0/8"], false, "https://192.168.0.1/", "private"),
        (&["10.0.0.0/8"], false, "http://10.9.8.7/", "scheme"),
        (&["192.168.0.1"], false, "https://192.168.0.1/", "ok"),
        (&["192.168.0.1"], false, "https://192.168.0.2/", "private"),
        (&["fd00::/8"], false, "https://[fd00::1]/", "ok"),
    ] {
        assert_eq!(verdict(&policy(allow, loopback), url), expected, "{url} with {allow:?}, loopback {loopback}");
    }
}

#[test]
fn of_a_names_addresses_only_the_allowed_ones_remain() {
    let addresses = |list: &[&str]| list.iter().map(|a| a.parse::<IpAddr>().expect(a)).collect::<Vec<_>>();
    let open = policy(&[], false);
    assert_eq!(open.allowed_of("a.test", addresses(&["10.0.0.1", "1.1.1.1"])), Ok(addresses(&["1.1.1.1"])));
    assert!(matches!(open.allowed_of("a.test", addresses(&["10.0.0.1", "::1"])), Err(Refusal::Private { .. })));
    assert_eq!(open.allowed_of("a.test", Vec::new()), Err(Refusal::NoName));
    let named = policy(&["PSA.corp.local"], false);
    assert_eq!(named.allowed_of("psa.Corp.local.", addresses(&["10.0.0.1"])), Ok(addresses(&["10.0.0.1"])));
    assert!(named.allowed_of("other.corp.local", addresses(&["10.0.0.1"])).is_err());
    // A localhost that the name service moved elsewhere must not make http:// leave the machine.
    assert!(policy(&["0.0.0.0/0"], true).allowed_of("localhost", addresses(&["1.1.1.1"])).is_err());
}

#[test]
fn the_proxys_name_is_no_destination() {
    let config = EgressConfig { proxy: Some("http://u:p@proxy.test:3128".into()), ..EgressConfig::default() };
    let policy = Policy::new(&config).expect("valid");
    assert_eq!(policy.allowed_of("proxy.test", vec!["10.0.0.1".parse().expect("address")]).map(|a| a.len()), Ok(1));
    assert_eq!(verdict(&policy, "https://PROXY.test/"), "private");
    assert_eq!(verdict(&policy, "https://10.0.0.1/"), "private");
    assert!(!format!("{config:?}").contains("u:p"));
}

#[test]
fn configuration_that_means_nothing_is_refused_by_name() {
    let open = |config| {
        Egress::new(config, VirtualClock::at(0), Arc::new(SystemRandom))
            .err()
            .map(|e| e.to_string())
            .unwrap_or_default()
    };
    let bad = open(EgressConfig { allow_private: vec!["10.0.0.0/99".into()], ..EgressConfig::default() });
    assert!(bad.contains("allow_private") && bad.contains("10.0.0.0/99"), "{bad}");
    let bad = open(EgressConfig { ca_files: vec!["/no/such.pem".into()], ..EgressConfig::default() });
    assert!(bad.contains("/no/such.pem"), "{bad}");
    let bad = open(EgressConfig { proxy: Some("socks5://x".into()), ..EgressConfig::default() });
    assert!(bad.contains("egress.proxy"), "{bad}");
    let bad = open(EgressConfig { timeout_ms: 0, ..EgressConfig::default() });
    assert!(bad.contains("timeout_ms"), "{bad}");
    assert!(serde_json::from_str::<EgressConfig>(r#"{"allow_everything":true}"#).is_err());
    assert_eq!(serde_json::from_str::<EgressConfig>("{}").ok(), Some(EgressConfig::default()));
}

#[tokio::test]
async fn a_public_name_that_points_inwards_is_refused_before_a_connection() {
    let server = Server::start(vec![server::ok("")]).await;
    let names = FixedNames::of(&[("psa.test", &["127.0.0.1"])]);
    let egress = egress_named(EgressConfig::default(), names.clone());
    for method in ["GET", "POST"] {
        let url = format!("https://psa.test:{}/", server.port);
        let (outcome, witness) = send(&egress, &request(method, url), no_keys()).await;
        let failure = outcome.expect_err("refused");
        assert_eq!((failure.code, failure.reason), (psa_host_api::Code::Forbidden, "egress_private"), "{failure:?}");
        assert!(failure.message.contains("psa.test") && failure.message.contains("allow_private"), "{failure}");
        assert_eq!(witness, WitnessState::NotSent);
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), 2);
    assert_eq!(server.seen().connections, 0);
}
