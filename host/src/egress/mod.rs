//! Everything that leaves this machine over HTTP, and the only place that opens sockets.
//!
//! Holds: [`Egress`], its configuration, and [`Prepared`], a request that has passed every check and may be sent.
//! Promises: https only (http to loopback when allowed); no private address unless configured, and the address that
//! was checked is the one connected to; secrets are filled in as a request leaves, only towards where they may go,
//! and are taken out of answers that echo them; a write goes out at most once and its [`Witness`] tells whether any
//! of it left; every wait ends by the [`Clock`]; no environment variable chooses a proxy.
//! Leaves to others: which secrets may go where ([`SecretSource`]), when to repeat a write (the outbox), and polling
//! the futures inside a tokio runtime with I/O (the caller).

mod answer;
mod body;
mod budget;
mod client;
mod config;
mod exchange;
mod failure;
mod fill;
mod log;
mod names;
mod policy;
mod read;
mod redact;
mod request;
mod retry_after;
mod roots;
mod shown;
mod witness;
mod write;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use budget::{Budget, Lane, Permit};
pub use config::{EgressConfig, EgressError};
pub use failure::Failure;
pub use fill::SecretSource;
pub use log::LogEntry;
pub use names::{Looking, Names, SystemNames};
pub use request::{Chunk, Encoding, Header, Kind, Request};
pub use witness::{Witness, WitnessState};

use crate::clock::{Clock, Random};
use crate::streams::{Claim, Lease};
use std::future::Future;
use std::sync::Arc;

/// The way out. Cheap to clone; all clones share connections and the request log.
#[derive(Clone)]
pub struct Egress {
    inner: Arc<Inner>,
}

/// What all requests of one [`Egress`] share.
struct Inner {
    config: EgressConfig,
    policy: Arc<policy::Policy>,
    clients: client::Clients,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    log: log::RequestLog,
}

impl Egress {
    /// Reads the certificate files and the system's trusted authorities, and builds the two clients.
    ///
    /// Opens no socket. A machine without any trusted authority is fine: https then fails with `egress_tls`.
    pub fn new(config: EgressConfig, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Egress, EgressError> {
        Egress::with_names(config, clock, random, Arc::new(SystemNames))
    }

    /// The same with another source of addresses, for tests and for products that resolve names themselves.
    pub fn with_names(
        config: EgressConfig,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        names: Arc<dyn Names>,
    ) -> Result<Egress, EgressError> {
        let policy = Arc::new(policy::Policy::new(&config)?);
        let tls = roots::tls_config(&config.ca_files, clock.clone())?;
        let clients = client::Clients::new(&config, tls, policy.clone(), names)?;
        Ok(Egress {
            inner: Arc::new(Inner { config, policy, clients, clock, random, log: log::RequestLog::default() }),
        })
    }

    /// Checks everything that can be checked without a socket: address, method, headers, sizes, secrets.
    ///
    /// `not_after_boot_ms` is the end of the call on [`Clock::boot_ms`]; the request's own timeout counts from
    /// [`Prepared::send`], whichever comes first. Errors: `bad_request`, `egress_scheme`, `egress_private`,
    /// `egress_host`, `secret_missing`, `request_too_large`.
    pub fn prepare(
        &self,
        request: &Request,
        secrets: Arc<dyn SecretSource>,
        not_after_boot_ms: Option<u64>,
    ) -> Result<Prepared, Failure> {
        self.prepare_with(request, secrets, not_after_boot_ms, Ends::default())
    }

    /// The same for a request that carries the call's input or output.
    pub(crate) fn prepare_with(
        &self,
        request: &Request,
        secrets: Arc<dyn SecretSource>,
        not_after_boot_ms: Option<u64>,
        ends: Ends,
    ) -> Result<Prepared, Failure> {
        let mut plan = request::Plan::check(request, &self.inner.policy, &self.inner.config)?;
        // Asked for and not there; the other way round it is not used.
        let missing = [
            (request.wants_input(), ends.input.is_some(), "input"),
            (request.to_output, ends.output.is_some(), "output"),
        ];
        if let Some((_, _, what)) = missing.into_iter().find(|(wanted, there, _)| *wanted && !*there) {
            return Err(Failure::bad_request(format!("the request wants the call's {what}, and it has none.")));
        }
        if request.timeout_ms == 0 && not_after_boot_ms.is_some() && (request.wants_input() || request.to_output) {
            // How long a file takes is for the caller to say: the call's own end holds.
            plan.timeout_ms = u64::MAX;
        }
        // A trial run: what cannot be filled in is refused here, before anybody counts on the request being sent.
        fill::fill(&plan, &*secrets)?;
        Ok(Prepared { inner: self.inner.clone(), plan, secrets, not_after_boot_ms, witness: Arc::default(), ends })
    }

    /// The last requests, oldest first: no bodies, no headers, no values of queries.
    pub fn log(&self) -> Vec<LogEntry> {
        self.inner.log.entries()
    }
}

/// What a request carries of its call's streams.
#[derive(Default)]
pub(crate) struct Ends {
    pub(crate) input: Option<Claim>,
    pub(crate) output: Option<Lease>,
}

/// A checked request, to be sent once. Dropping it unsent sends nothing.
pub struct Prepared {
    inner: Arc<Inner>,
    plan: request::Plan,
    secrets: Arc<dyn SecretSource>,
    not_after_boot_ms: Option<u64>,
    witness: Arc<Witness>,
    ends: Ends,
}

impl Prepared {
    /// Tells whether any of it left this machine; valid also after the future of [`Prepared::send`] was dropped.
    pub fn witness(&self) -> Arc<Witness> {
        self.witness.clone()
    }

    /// The same, but none of it leaves after `boot_ms` on [`Clock::boot_ms`]. Before [`Prepared::witness`] is asked for.
    pub fn starting_by(mut self, boot_ms: u64) -> Prepared {
        self.witness = Arc::new(Witness::starting_by(self.inner.clock.clone(), boot_ms));
        self
    }

    /// Sends it and reads the whole answer. Any HTTP status is an answer; a [`Failure`] means there is none.
    ///
    /// Reads are tried up to three times while nothing was answered, writes once. Dropping the future ends the
    /// request; its witness is final from then on.
    #[allow(clippy::manual_async_fn, reason = "Send and 'static are part of the promise, an async fn would hide them")]
    pub fn send(mut self) -> impl Future<Output = Result<Answer, Failure>> + Send + 'static {
        async move {
            let mut flight = log::Flight::new(&self);
            let mut ends = std::mem::take(&mut self.ends);
            let outcome = match self.plan.is_write {
                true => write::send(&self, &mut ends).await,
                false => read::send(&self, &mut ends).await,
            };
            flight.landed(&outcome);
            outcome
        }
    }

    /// When everything must be over, on [`Clock::boot_ms`], for a request that starts now.
    fn deadline(&self) -> u64 {
        let own = self.inner.clock.boot_ms().saturating_add(self.plan.timeout_ms);
        self.not_after_boot_ms.map_or(own, |call| call.min(own))
    }
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared")
            .field("plan", &self.plan)
            .field("witness", &self.witness.state())
            .finish_non_exhaustive()
    }
}
