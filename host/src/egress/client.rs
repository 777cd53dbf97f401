//! The two HTTP clients.
//!
//! Holds: their settings.
//! Promises: neither follows redirects, repeats a request, unpacks, or reads proxy settings from the environment;
//! both resolve names through the policy.
//! Leaves to others: one exchange (`exchange`), repeating reads (`read`).
//!
//! The write client keeps no idle connections: each write has a connection of its own. A kept one may have been
//! closed by the server in the same moment, and then nobody can tell whether the write was processed; and the
//! library's pool repeats a request on its own when it believes that it was not. A handshake per write (resumed, so
//! one round trip) is cheap beside a doubled or doubtful note.

use super::policy::{Policy, Resolver};
use super::{EgressConfig, EgressError, Names};
use reqwest::{Client, ClientBuilder, NoProxy, Proxy};
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Clients {
    pub(super) read: Client,
    pub(super) write: Client,
}

/// Well below what load balancers allow, so that an idle connection is usually dropped by us, not under us.
const IDLE: Duration = Duration::from_secs(20);

impl Clients {
    pub(super) fn new(
        config: &EgressConfig,
        tls: rustls::ClientConfig,
        policy: Arc<Policy>,
        names: Arc<dyn Names>,
    ) -> Result<Clients, EgressError> {
        for (field, number) in [
            ("body_bytes_max", config.body_bytes_max),
            ("request_bytes_max", config.request_bytes_max),
            ("input_bytes_max", config.input_bytes_max),
            ("output_bytes_max", config.output_bytes_max),
            ("timeout_ms", config.timeout_ms),
            ("connect_timeout_ms", config.connect_timeout_ms),
        ] {
            if number == 0 {
                return Err(EgressError::Zero { field });
            }
        }
        let resolver = Arc::new(Resolver { policy, names });
        let read = base(config, tls.clone(), resolver.clone())?.pool_idle_timeout(IDLE).pool_max_idle_per_host(4);
        let write = base(config, tls, resolver)?.pool_max_idle_per_host(0);
        Ok(Clients { read: built(read)?, write: built(user_timeout(write, config))? })
    }
}

fn base(
    config: &EgressConfig,
    tls: rustls::ClientConfig,
    resolver: Arc<Resolver>,
) -> Result<ClientBuilder, EgressError> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(resolver)
        .http1_only()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy();
    let Some(url) = &config.proxy else { return Ok(builder) };
    let proxy = Proxy::all(url).map_err(|_| EgressError::Proxy { why: "it is not usable" })?;
    // Loopback is this machine; through a proxy it would be another.
    Ok(builder.proxy(proxy.no_proxy(NoProxy::from_string("localhost,127.0.0.0/8,::1"))))
}

fn built(builder: ClientBuilder) -> Result<Client, EgressError> {
    builder.build().map_err(|error| EgressError::Client { why: error.to_string() })
}

/// Sent bytes that nobody acknowledges end the connection when the request is given up anyway.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn user_timeout(builder: ClientBuilder, config: &EgressConfig) -> ClientBuilder {
    builder.tcp_user_timeout(Duration::from_millis(config.timeout_ms))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn user_timeout(builder: ClientBuilder, _: &EgressConfig) -> ClientBuilder {
    builder
}
