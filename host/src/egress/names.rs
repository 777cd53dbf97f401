//! From host names to addresses.
//!
//! Holds: [`Names`], and the system's own look-up.
//! Promises: one look-up per connection.
//! Leaves to others: which of the addresses may be used (`policy`), time limits (`exchange`).

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

/// A look-up under way.
pub type Looking = Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;

/// Where addresses come from.
pub trait Names: Send + Sync + 'static {
    /// All addresses of a host name, best first.
    fn look_up(&self, host: &str) -> Looking;
}

/// The operating system's resolver.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemNames;

impl Names for SystemNames {
    fn look_up(&self, host: &str) -> Looking {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}
