//! Certificates.

use super::*;
use psa_host_api::Code;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// An authority, and a server with a certificate of it for `psa.test`, valid in 2020 to 2040.
struct World {
    _folder: tempfile::TempDir,
    ca_file: std::path::PathBuf,
    server: Server,
}

async fn world(name: &str) -> World {
    let mut ca = CertificateParams::new(Vec::new()).expect("params");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().expect("a key");
    let ca_pem = ca.self_signed(&ca_key).expect("signed").pem();
    let issuer = Issuer::new(ca, ca_key);

    let mut leaf = CertificateParams::new(vec![name.to_owned()]).expect("params");
    (leaf.not_before, leaf.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2040, 1, 1));
    let key = KeyPair::generate().expect("a key");
    let chain = vec![leaf.signed_by(&key, &issuer).expect("signed").der().clone()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = config.with_no_client_auth().with_single_cert(chain, key).expect("a certificate");
    let server = Server::start_with(vec![server::ok("secure")], Some(Arc::new(config).into())).await;

    let folder = tempfile::tempdir().expect("a folder");
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, ca_pem).expect("written");
    World { _folder: folder, ca_file, server }
}

impl World {
    fn egress(&self, trusted: bool, unix_ms: i64) -> (Egress, Arc<FixedNames>) {
        let names = FixedNames::of(&[("psa.test", &["127.0.0.1"])]);
        let ca_files = if trusted { vec![self.ca_file.clone()] } else { Vec::new() };
        let config = EgressConfig { ca_files, allow_private: vec!["psa.test".into()], ..EgressConfig::default() };
        let egress = Egress::with_names(config, VirtualClock::at(unix_ms), Arc::new(SystemRandom), names.clone());
        (egress.expect("opens"), names)
    }

    fn url(&self) -> String {
        format!("https://psa.test:{}/", self.server.port)
    }
}

const IN_2030: i64 = 1_900_000_000_000;
const IN_2041: i64 = 2_250_000_000_000;

#[tokio::test]
async fn a_private_psa_with_its_own_authority_is_reached_by_one_look_up() {
    let world = world("psa.test").await;
    let (egress, names) = world.egress(true, IN_2030);
    let answer = send(&egress, &post(world.url(), "note"), no_keys()).await.0.expect("answered");
    assert_eq!(answer.body, "secure");
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    assert_eq!(send(&egress, &request("GET", world.url()), no_keys()).await.0.expect("answered").status, 200);
}

#[tokio::test]
async fn a_certificate_that_proves_nothing_stops_the_request_and_says_why() {
    for (name, trusted, now, says) in [
        ("psa.test", false, IN_2030, "egress.ca_files"),
        ("other.test", true, IN_2030, "another host name"),
        ("psa.test", true, IN_2041, "expired"),
        ("psa.test", true, 1_500_000_000_000, "not valid yet"),
    ] {
        let world = world(name).await;
        let (egress, _) = world.egress(trusted, now);
        for (request, code) in
            [(post(world.url(), "note"), Code::NotSent), (request("GET", world.url()), Code::Unavailable)]
        {
            let (outcome, witness) = send(&egress, &request, no_keys()).await;
            let failure = outcome.expect_err(says);
            assert_eq!(
                (failure.code, failure.reason, witness),
                (code, "egress_tls", WitnessState::NotSent),
                "{failure}"
            );
            assert!(failure.message.contains(says) && failure.message.contains("psa.test"), "{failure}");
        }
        assert!(world.server.seen().requests.is_empty(), "{says}");
    }
}

#[tokio::test]
async fn https_to_a_port_that_speaks_plain_http_is_a_tls_failure() {
    let speaks_at_once = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = speaks_at_once.local_addr().expect("address").port();
    tokio::spawn(async move {
        let (mut socket, _) = speaks_at_once.accept().await.expect("a connection");
        tokio::io::AsyncWriteExt::write_all(&mut socket, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("written");
        std::future::pending::<()>().await
    });
    let failure = send(&egress(loopback()), &post(format!("https://127.0.0.1:{port}/"), "x"), no_keys())
        .await
        .0
        .expect_err("no TLS");
    assert_eq!((failure.code, failure.reason), (Code::NotSent, "egress_tls"), "{failure}");
    assert!(failure.message.contains("does not speak TLS"), "{failure}");
}
