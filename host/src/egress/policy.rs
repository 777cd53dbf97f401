//! Who may be reached.
//!
//! Holds: [`Policy`], the table of address blocks that are not the public internet, and the resolver that applies it.
//! Promises: the addresses that were judged are the only ones connected to; what is neither public nor allowed is
//! refused, also when a public name points to it or IPv6 wraps it.
//! Leaves to others: which secret may go where (`fill`), sockets (`client`).
//!
//! Source of the blocks: the IANA special-purpose address registries for IPv4 and IPv6.

use super::{EgressConfig, EgressError, Names};
use ipnet::IpNet;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use url::{Host, Url};

/// The rules of one configuration.
pub(super) struct Policy {
    loopback: bool,
    names: HashSet<String>,
    networks: Vec<IpNet>,
    /// Host of the proxy, in lower case.
    proxy: Option<String>,
}

/// Why an address or a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// It is not on the public internet.
    #[error("{address} is {what}")]
    Private { address: IpAddr, what: &'static str },
    /// The name is unknown, or the resolver does not work.
    #[error("the name was not found")]
    NoName,
    /// http:// to another machine.
    #[error("http:// is for loopback only")]
    Scheme,
}

impl Policy {
    pub(super) fn new(config: &EgressConfig) -> Result<Policy, EgressError> {
        let mut policy =
            Policy { loopback: config.allow_loopback_http, names: HashSet::new(), networks: Vec::new(), proxy: None };
        for entry in &config.allow_private {
            let bad = || EgressError::AllowPrivate { entry: entry.clone() };
            if let Ok(network) = entry.parse::<IpNet>() {
                policy.networks.push(network);
            } else if let Ok(address) = entry.parse::<IpAddr>() {
                policy.networks.push(IpNet::from(address));
            } else {
                match Host::parse(entry) {
                    Ok(Host::Domain(name)) if entry.len() <= 253 => policy.names.insert(plain(&name)),
                    _ => return Err(bad()),
                };
            }
        }
        if let Some(proxy) = &config.proxy {
            policy.proxy = Some(proxy_host(proxy)?);
        }
        Ok(policy)
    }

    /// Judges scheme and host of a URL; literal addresses too, which never reach the resolver.
    pub(super) fn check_url(&self, url: &Url) -> Result<(), Refusal> {
        let host = url.host().ok_or(Refusal::Scheme)?;
        match url.scheme() {
            "https" => {}
            "http" if self.loopback && is_loopback(&host) => {}
            _ => return Err(Refusal::Scheme),
        }
        match host {
            Host::Ipv4(address) => self.check_address("", IpAddr::V4(address)),
            Host::Ipv6(address) => self.check_address("", IpAddr::V6(address)),
            Host::Domain(name) => self.check_name(&plain(name)),
        }
    }

    /// A name that is the proxy's is resolved without judgement, so it must not be a destination as well.
    fn check_name(&self, name: &str) -> Result<(), Refusal> {
        let is_proxy = self.proxy.as_deref() == Some(name);
        if is_proxy && !self.names.contains(name) && !(self.loopback && name == "localhost") {
            let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            return Err(Refusal::Private { address, what: "the proxy's own name" });
        }
        Ok(())
    }

    fn check_address(&self, name: &str, address: IpAddr) -> Result<(), Refusal> {
        // A wrapped address is where the packet ends up; that is what rules speak of.
        let inner = unwrapped(address);
        if name == "localhost" && !inner.is_loopback() {
            return Err(Refusal::Private { address, what: "not loopback, although its name is localhost" });
        }
        let Some(what) = not_public(inner) else { return Ok(()) };
        let allowed = self.names.contains(name)
            || self.networks.iter().any(|network| network.contains(&address) || network.contains(&inner))
            || (self.loopback && inner.is_loopback());
        if allowed { Ok(()) } else { Err(Refusal::Private { address, what }) }
    }

    /// Those of a name's addresses that may be connected to; none: the first refusal.
    pub(super) fn allowed_of(&self, name: &str, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, Refusal> {
        let name = plain(name);
        if self.proxy.as_deref() == Some(name.as_str()) {
            return if found.is_empty() { Err(Refusal::NoName) } else { Ok(found) };
        }
        let mut refused = None;
        let mut allowed = Vec::new();
        for address in found {
            match self.check_address(&name, address) {
                Ok(()) => allowed.push(address),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        if allowed.is_empty() { Err(refused.unwrap_or(Refusal::NoName)) } else { Ok(allowed) }
    }
}

/// The resolver of both clients.
pub(super) struct Resolver {
    pub(super) policy: Arc<Policy>,
    pub(super) names: Arc<dyn Names>,
}

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let (policy, name) = (self.policy.clone(), name.as_str().to_owned());
        let looking = self.names.look_up(&name);
        Box::pin(async move {
            let found = looking.await.map_err(|_| Refusal::NoName)?;
            let allowed = policy.allowed_of(&name, found)?;
            // Port 0: the library puts the URL's in.
            let addresses = allowed.into_iter().map(|address| std::net::SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as reqwest::dns::Addrs)
        })
    }
}

/// A name as it is compared: lower case, without the root's dot.
pub(super) fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn proxy_host(proxy: &str) -> Result<String, EgressError> {
    let url = Url::parse(proxy).map_err(|_| EgressError::Proxy { why: "it is not a URL" })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(EgressError::Proxy { why: "its scheme is neither http nor https" });
    }
    url.host_str().map(plain).ok_or(EgressError::Proxy { why: "it names no host" })
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => plain(name) == "localhost",
    }
}

/// The IPv4 address inside an IPv4-mapped or NAT64 one.
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let last = v6.segments();
    let embedded = Ipv4Addr::from((u32::from(last[6]) << 16) | u32::from(last[7]));
    let nat64 = last[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    if v6.to_ipv4_mapped().is_some() || nat64 { IpAddr::V4(embedded) } else { address }
}

/// What an address is, if it is not on the public internet.
pub(super) fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => not_public_v4(v4),
        IpAddr::V6(v6) => not_public_v6(v6),
    }
}

fn not_public_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    Some(match (a, b, c) {
        (0, ..) => "unspecified",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "a private address",
        (100, 64..=127, _) => "a carrier's shared address",
        (127, ..) => "a loopback address",
        (169, 254, _) => "a link-local address",
        (192, 0, 0) | (192, 88, 99) | (198, 18..=19, _) => "reserved for special use",
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => "reserved for documentation",
        (224..=239, ..) => "a multicast address",
        (240.., ..) => "reserved",
        _ => return None,
    })
}

fn not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [a, b, ..] = address.segments();
    Some(match (a, b) {
        _ if address.is_loopback() => "a loopback address",
        _ if address.is_unspecified() => "unspecified",
        (0xfe80..=0xfebf, _) => "a link-local address",
        (0xfc00..=0xfdff, _) | (0xfec0..=0xfeff, _) => "a private address",
        (0xff00.., _) => "a multicast address",
        (0x2001, 0x0000) | (0x2002, _) => "a tunnel address",
        (0x2001, 0x0db8) | (0x3fff, 0..=0x0fff) => "reserved for documentation",
        (0x2001, 0x0001..=0x01ff) => "reserved for special use",
        (0x2000..=0x3fff, _) => return None,
        _ => "reserved",
    })
}
