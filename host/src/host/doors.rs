//! The doors for what comes in over the product's own HTTP server: answered while a thread waits, or later.

use super::{CallOptions, Host, block};
use crate::http::{HttpAnswer, HttpRequest, OwnedRequest};
use psa_host_api::Error;
use tokio::sync::watch;

/// Gets the answer to a submitted request.
pub type DoorDone = Box<dyn FnOnce(u64, Result<HttpAnswer, Error>) + Send>;

impl Host {
    /// Answers one request to the product's door for callbacks: what is answered with 2xx is on disk. Reads no identity and
    /// waits for no network. `Closed`: the host is closed; answer 429, so that the PSA comes again.
    pub fn callback(&self, request: &HttpRequest<'_>) -> Result<HttpAnswer, Error> {
        let _inside = self.shared.gate.enter()?;
        Ok(self.shared.core()?.callbacks.receive(request))
    }

    /// As [`Host::callback`], but returns at once: `done` gets the answer, as in [`Host::submit`].
    pub fn submit_callback(&self, request: OwnedRequest, done: DoorDone) -> Result<u64, Error> {
        let inside = self.shared.gate.enter()?;
        let core = self.shared.core()?;
        // It waits for the disk, which no thread that serves sockets may.
        let received = self.shared.io.spawn_blocking(move || request.with(|request| core.callbacks.receive(request)));
        let answer = async move { received.await.map_err(|error| Error::internal(error.to_string())) };
        Ok(self.shared.start(inside, watch::Sender::new(false), answer, done))
    }

    /// Answers one request to the Integrations page, below the product's own login. `who`: JSON of who asks; identity comes
    /// from it alone. The URL of the request is the path below the mount. Every outcome is an answer to be sent, but for
    /// `InvalidArgument` (the product has said something about who asks that cannot be) and `Closed`.
    pub fn page(&self, who: &[u8], request: &HttpRequest<'_>) -> Result<HttpAnswer, Error> {
        let _inside = self.shared.gate.enter()?;
        let core = self.shared.core()?;
        core.connections.begin_use();
        let (_cancel, context) = self.shared.context(CallOptions::default())?;
        let _reactor = self.shared.io.enter();
        block::wait(crate::web::serve(&core, who, request, context))
    }

    /// As [`Host::page`], but returns at once: `done` gets the answer, as in [`Host::submit`].
    pub fn submit_page(&self, who: Vec<u8>, request: OwnedRequest, done: DoorDone) -> Result<u64, Error> {
        let inside = self.shared.gate.enter()?;
        let core = self.shared.core()?;
        core.connections.begin_use();
        let (cancel, context) = self.shared.context(CallOptions::default())?;
        let answer = async move {
            let headers = request.headers();
            crate::web::serve(&core, &who, &request.borrowed(&headers), context).await
        };
        Ok(self.shared.start(inside, cancel, answer, done))
    }
}
