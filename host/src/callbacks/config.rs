//! The times callbacks and reading live by.

use psa_host_api::Error;
use psa_host_api::model::TOKEN;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How changes at the PSA are heard of. All times in milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackConfig {
    /// Where the product's door for callbacks can be reached from outside, `https://desk.example/hooks/psa`; it may have a
    /// query. Plain http is taken for this machine alone (`127.0.0.1`, `[::1]`, `localhost`), for trials. Absent: nothing is
    /// registered, and changes are found by reading alone.
    pub address: Option<String>,
    /// A longer body is refused, in bytes.
    pub body_bytes_max: usize,
    /// More waiting callbacks of one connection are counted instead of kept; then everything is read again.
    pub waiting_max: u64,
    /// How many judged callbacks of a connection are listed, and for how long.
    pub kept: u64,
    /// See `kept`.
    pub kept_ms: u64,
    /// How long after its announcement a change is read, so that a burst is one reading.
    pub settle_ms: u64,
    /// How often changes are looked for without being told.
    pub poll_ms: u64,
    /// A window of changes ends so long before the PSA's present, because what happens now may be listed late.
    pub window_ms: u64,
    /// How often the registrations at the PSA are compared.
    pub ensure_ms: u64,
    /// How long a replaced registration may still deliver.
    pub replaced_ms: u64,
    /// After so long a linked ticket is read again though nothing was heard of it.
    pub sweep_ms: u64,
    /// If one look shows so many linked tickets as changed, that is told as a mass change too; they are read all the same.
    pub mass_change: usize,
    /// The first wait after a failure; it doubles up to `backoff_max_ms`.
    pub backoff_ms: u64,
    /// See `backoff_ms`.
    pub backoff_max_ms: u64,
    /// How often is looked for what other processes have kept.
    pub tick_ms: u64,
    /// How long a process that seems alive may hold a connection.
    pub lease_ms: u64,
    /// Readings of one connection that may be under way at once.
    pub in_flight: usize,
    /// False: this process keeps callbacks and leaves the rest to others.
    pub work: bool,
}

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const DAY: u64 = 24 * 60 * MINUTE;

impl Default for CallbackConfig {
    fn default() -> CallbackConfig {
        CallbackConfig {
            address: None,
            body_bytes_max: 1 << 20,
            waiting_max: 10_000,
            kept: 10_000,
            kept_ms: 7 * DAY,
            settle_ms: 2 * SECOND,
            poll_ms: 2 * MINUTE,
            window_ms: MINUTE,
            ensure_ms: 10 * MINUTE,
            replaced_ms: DAY,
            sweep_ms: DAY,
            mass_change: 1_000,
            backoff_ms: 5 * SECOND,
            backoff_max_ms: 5 * MINUTE,
            tick_ms: 500,
            lease_ms: MINUTE,
            in_flight: 4,
            work: true,
        }
    }
}

impl CallbackConfig {
    /// Refuses what could never work.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |field: &str, message: &str| {
            let text = format!("the configuration: callbacks.{field} {message}");
            Err(Error::invalid(text).field(format!("/callbacks/{field}"), "invalid", message))
        };
        if let Some(address) = &self.address {
            let parsed = url::Url::parse(address).ok().filter(|url| url.host_str().is_some());
            let Some(url) = parsed.filter(|url| matches!(url.scheme(), "https" | "http")) else {
                return wrong("address", "must be an address like https://desk.example/hooks/psa");
            };
            if url.scheme() == "http" && !is_this_machine(&url) {
                let message = "must begin with https://: over http anybody on the way could read and change what the PSA \
                               sends, and the token in the address. Plain http is for trials on this machine: 127.0.0.1, \
                               [::1] or localhost";
                return wrong("address", message);
            }
            let own = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
            if !own || address.contains(TOKEN) || address.chars().any(|c| c.is_control() || c == ' ') {
                return wrong(
                    "address",
                    "must have no user, no fragment, no blanks and no {token}: its place is at the end",
                );
            }
        }
        for (field, value) in [
            ("body_bytes_max", self.body_bytes_max as u64),
            ("waiting_max", self.waiting_max),
            ("poll_ms", self.poll_ms),
            ("ensure_ms", self.ensure_ms),
            ("sweep_ms", self.sweep_ms),
            ("mass_change", self.mass_change as u64),
            ("tick_ms", self.tick_ms),
            ("in_flight", self.in_flight as u64),
        ] {
            if value == 0 {
                return wrong(field, "must be at least 1");
            }
        }
        Ok(())
    }

    /// The address with the token's place in it: behind its path, before its query.
    pub(crate) fn pattern(&self) -> Option<String> {
        let address = self.address.as_ref()?;
        let (path, query) =
            address.split_once('?').map_or((address.as_str(), None), |(path, query)| (path, Some(query)));
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        Some(format!("{}/{TOKEN}{query}", path.trim_end_matches('/')))
    }
}

fn is_this_machine(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(address: &str) -> CallbackConfig {
        CallbackConfig { address: Some(address.to_owned()), ..CallbackConfig::default() }
    }

    #[test]
    fn the_token_stands_behind_the_path_and_before_the_query() {
        for (address, pattern) in [
            ("https://desk.example", "https://desk.example/{token}"),
            ("https://desk.example/hooks/psa/", "https://desk.example/hooks/psa/{token}"),
            ("https://desk.example/hooks?a=1&b=2", "https://desk.example/hooks/{token}?a=1&b=2"),
        ] {
            let config = with(address);
            config.check().unwrap();
            assert_eq!(config.pattern().as_deref(), Some(pattern));
        }
        assert_eq!(CallbackConfig::default().pattern(), None);
    }

    #[test]
    fn an_address_that_cannot_be_reached_is_refused() {
        for address in [
            "",
            "desk.example/hooks",
            "ftp://desk.example",
            "https://u:p@desk.example",
            "https://x/#f",
            "https://x/{token}",
            "https://x/a b",
        ] {
            let error = with(address).check().unwrap_err();
            assert_eq!(error.fields[0].at, "/callbacks/address", "{address}");
        }
        for address in
            ["http://desk.example/hooks", "http://10.0.0.1/psa", "http://localhost.example", "http://[2001:db8::1]"]
        {
            let error = with(address).check().unwrap_err();
            assert!(error.message.contains("callbacks.address must begin with https://"), "{address}: {error}");
        }
        for address in
            ["http://127.0.0.1:8071/hooks", "http://localhost:8080", "http://[::1]:1", "HTTPS://desk.example"]
        {
            with(address).check().unwrap();
        }
        let zero = CallbackConfig { poll_ms: 0, ..CallbackConfig::default() };
        assert_eq!(zero.check().unwrap_err().fields[0].at, "/callbacks/poll_ms");
    }
}
