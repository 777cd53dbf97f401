//! Why there is no answer.
//!
//! Holds: [`Failure`], its reasons, and what an error of the HTTP library means.
//! Promises: names host and port, what happened and what to do; never a URL's query, a header, a body or a secret.
//! What the witness saw decides the code of a write.
//! Leaves to others: HTTP statuses, which are answers.

use super::body::BodyError;
use super::policy::Refusal;
use super::witness::WitnessState;
use crate::streams::Broken;
use psa_host_api::{Code, Error};
use std::io::ErrorKind;

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// For a write: `NotSent` or `OutcomeUnknown` by its witness, unless the request itself was refused.
    pub code: Code,
    /// Stable: `bad_request`, `request_too_large`, `secret_missing`, `egress_scheme`, `egress_host`,
    /// `egress_private`, `egress_dns`, `egress_connect`, `egress_tls`, `egress_reset`, `egress_timeout`,
    /// `egress_redirect`, `bad_answer`, `body_too_large`, and those of the call's input and output.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// Whether any of the request left.
    pub witness: WitnessState,
    /// When to try again, if known.
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// Refused before anything was opened.
    pub(super) fn refused(code: Code, reason: &'static str, message: impl Into<String>) -> Failure {
        Failure { code, reason, message: message.into(), witness: WitnessState::NotSent, retry_after_ms: None }
    }

    /// The plugin's mistake.
    pub(super) fn bad_request(message: impl Into<String>) -> Failure {
        Failure::refused(Code::InvalidArgument, "bad_request", message)
    }

    /// What the policy said of `origin`.
    pub(super) fn policy(origin: &str, refusal: &Refusal) -> Failure {
        match refusal {
            Refusal::Scheme => Failure::refused(
                Code::Forbidden,
                "egress_scheme",
                format!(
                    "{origin}: only https:// may be requested. \
                     For a simulator on this machine set egress.allow_loopback_http."
                ),
            ),
            Refusal::Private { address, what } => Failure::refused(
                Code::Forbidden,
                "egress_private",
                format!(
                    "{origin}: {address} is {what}. \
                     If this PSA is in your own network, \
                     add its host name, address or network to egress.allow_private."
                ),
            ),
            Refusal::NoName => Failure::refused(
                Code::Unavailable,
                "egress_dns",
                format!(
                    "{origin}: the host name was not found. Check its spelling and the name service of this machine."
                ),
            ),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        let mut error = Error::new(failure.code, failure.message).because(failure.reason);
        error.retry_after_ms = failure.retry_after_ms;
        error
    }
}

/// What went wrong on the way, before it is known whether it was a read or a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) code: Code,
    pub(super) reason: &'static str,
    /// Follows the origin and a colon.
    pub(super) what: String,
}

impl Trouble {
    pub(super) fn new(code: Code, reason: &'static str, what: impl Into<String>) -> Trouble {
        Trouble { code, reason, what: what.into() }
    }

    /// The failure of a request to `origin`. A write's code is what its witness says.
    pub(super) fn of(self, origin: &str, is_write: bool, witness: WitnessState) -> Failure {
        let refused = matches!(self.code, Code::Forbidden | Code::InvalidArgument);
        let (code, tail) = match witness {
            _ if !is_write => (self.code, ""),
            WitnessState::NotSent if refused => (self.code, ""),
            WitnessState::NotSent => (Code::NotSent, " Nothing was sent."),
            _ => (Code::OutcomeUnknown, " The request may have been carried out: look before repeating it."),
        };
        let message = format!("{origin}: {}{tail}", self.what);
        Failure { code, reason: self.reason, message, witness, retry_after_ms: None }
    }

    /// The time is over.
    pub(super) fn late(connected: bool) -> Trouble {
        let what = if connected {
            "no complete answer came in the time given."
        } else {
            "no connection came about in the time given. \
             Check address, port and firewall."
        };
        Trouble::new(Code::Timeout, "egress_timeout", what)
    }

    /// What the HTTP library reports.
    pub(super) fn from_library(origin: &str, error: &reqwest::Error) -> Trouble {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut found = None;
        while let Some(cause) = next {
            found = trouble_in(origin, cause, error.is_connect()).or(found);
            next = cause.source();
        }
        found.unwrap_or_else(|| {
            if error.is_connect() {
                connect("the connection could not be opened. Check address, port and proxy.")
            } else {
                reset()
            }
        })
    }
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Trouble {
        Trouble::new(broken.code, broken.reason, broken.message)
    }
}

fn connect(what: impl Into<String>) -> Trouble {
    Trouble::new(Code::Unavailable, "egress_connect", what)
}

fn reset() -> Trouble {
    Trouble::new(Code::Unavailable, "egress_reset", "the connection was closed before the answer was complete.")
}

/// What one link of the chain of causes says; the innermost that says something counts.
fn trouble_in(origin: &str, cause: &(dyn std::error::Error + 'static), connecting: bool) -> Option<Trouble> {
    if let Some(refusal) = cause.downcast_ref::<Refusal>() {
        let failure = Failure::policy(origin, refusal);
        let what = failure.message.strip_prefix(origin).and_then(|rest| rest.strip_prefix(": ")).unwrap_or_default();
        return Some(Trouble::new(failure.code, failure.reason, what));
    }
    if let Some(BodyError::Broken(broken)) = cause.downcast_ref::<BodyError>() {
        return Some(broken.clone().into());
    }
    if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
        return Some(Trouble::new(Code::Unavailable, "egress_tls", tls_words(tls)));
    }
    if let Some(http) = cause.downcast_ref::<hyper::Error>() {
        let odd = "the answer is not HTTP. Check that host and port are the PSA's.";
        return http.is_parse().then(|| Trouble::new(Code::Unavailable, "bad_answer", odd));
    }
    let io = cause.downcast_ref::<std::io::Error>()?;
    // An I/O error that wraps another does not show it as its source.
    if let Some(inner) = io.get_ref()
        && let Some(trouble) = trouble_in(origin, inner, connecting)
    {
        return Some(trouble);
    }
    Some(match io.kind() {
        ErrorKind::ConnectionRefused => connect(
            "the connection was refused. \
             Check that the address and port are right and that the service runs.",
        ),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            connect("there is no route to it. Check network, VPN and firewall.")
        }
        ErrorKind::TimedOut if connecting => {
            connect("the connection was not answered. Check address, port and firewall.")
        }
        _ if connecting => {
            connect("the connection was closed while it was being opened. Check that https is spoken there.")
        }
        _ => reset(),
    })
}

/// The reason of a failed handshake, and what helps.
fn tls_words(error: &rustls::Error) -> String {
    use rustls::CertificateError as C;
    let rustls::Error::InvalidCertificate(certificate) = error else {
        return match error {
            rustls::Error::InvalidMessage(_) => {
                "it does not speak TLS there. Check the port, and that the URL should be https.".into()
            }
            other => format!("TLS failed: {other}."),
        };
    };
    match certificate {
        // Bad signature: an authority of the same name as a trusted one, with another key.
        C::UnknownIssuer | C::BadSignature => {
            "its certificate is signed by an authority that this machine does not trust. \
             Add the authority's certificate to egress.ca_files."
                .into()
        }
        C::NotValidForName | C::NotValidForNameContext { .. } => {
            "its certificate is for another host name. Use the name that the certificate is for.".into()
        }
        C::Expired | C::ExpiredContext { .. } => {
            "its certificate has expired. Have it renewed, or check the clock of this machine.".into()
        }
        C::NotValidYet | C::NotValidYetContext { .. } => {
            "its certificate is not valid yet. Check the clock of this machine.".into()
        }
        other => format!("its certificate was refused: {other}."),
    }
}
