//! A call, seen from inside the plugin.
//!
//! Holds: [`Cx`], the way from an operation to the host's services, and the one place that reads `psa_services`.
//! Promises: a function the host does not have is `unsupported`, not a crash; a call that has ended is harmless.
//! Leaves to others: what each service means (`http`, `storage`, `cache`, `clock`, `log`).

use super::{Cache, Clock, Http, Log, Secrets, Storage};
use crate::abi::*;
use crate::{Code, Error};

/// Settings of a connection, without secrets.
pub type Settings = serde_json::Map<String, serde_json::Value>;

/// One running call and the services of the host. Cheap to clone; harmless after the call has ended.
#[derive(Debug, Clone)]
pub struct Cx {
    services: *const psa_services,
    call: psa_call,
}

// SAFETY: the header says that services are callable from any thread and valid until close() of the instance; an
// instance holds no Cx beyond close(), because its last owner is dropped in there.
unsafe impl Send for Cx {}
// SAFETY: as above; a Cx has no state of its own.
unsafe impl Sync for Cx {}

/// The smallest table a host may hand in: all of minor 0.
const SERVICES_SIZE_1_0: u32 = size_of::<psa_services>() as u32;

/// Calls a service that answers with a code; absent ones answer `unsupported`.
macro_rules! service {
    ($cx:expr, $name:ident ( $($argument:expr),* )) => {{
        let services = $cx.services();
        match services.$name {
            // SAFETY: a function of the host's table, called as the header says: its own ctx first, pointers that
            // live for this call.
            Some(function) => unsafe { function(services.ctx, $($argument),*) },
            None => PSA_UNSUPPORTED,
        }
    }};
}
pub(super) use service;

impl Cx {
    /// A call on the services of `host`.
    ///
    /// # Safety
    /// `host` is what `open` of this instance was given, and the Cx does not outlive `close`.
    pub(super) unsafe fn new(host: *const psa_services, call: psa_call) -> Result<Cx, Error> {
        // SAFETY: `size` is the first field of every version of the table.
        let usable = !host.is_null() && unsafe { (*host).size } >= SERVICES_SIZE_1_0;
        if !usable {
            return Err(Error::internal("the host's table of services is shorter than ABI 1.0 asks for"));
        }
        Ok(Cx { services: host, call })
    }

    pub(super) fn services(&self) -> &psa_services {
        // SAFETY: valid until close() of the instance, see new().
        unsafe { &*self.services }
    }

    /// The number of the call.
    pub fn call(&self) -> psa_call {
        self.call
    }

    /// HTTP.
    pub fn http(&self) -> Http<'_> {
        Http::new(self)
    }

    /// What survives restarts, encrypted; belongs to this connection.
    pub fn storage(&self) -> Storage<'_> {
        Storage::new(self)
    }

    /// What may be dropped at any time.
    pub fn cache(&self) -> Cache<'_> {
        Cache::new(self)
    }

    /// Where obtained tokens go: usable by name in requests, never readable.
    pub fn secrets(&self) -> Secrets<'_> {
        Secrets::new(self)
    }

    /// Time.
    pub fn clock(&self) -> Clock<'_> {
        Clock::new(self)
    }

    /// The host's log.
    pub fn log(&self) -> Log<'_> {
        Log::new(self)
    }

    /// Why the call must end, if it must: `cancelled`, `timeout`, `closed`. For loops that take long.
    pub fn must_end(&self) -> Option<Code> {
        match self.info() {
            Ok(info) if info.state == PSA_OK => None,
            Ok(info) => Some(Code::from_number(info.state)),
            Err(code) => Some(code),
        }
    }

    /// Milliseconds until the deadline; `None`: there is none, or the call has ended.
    pub fn remaining_ms(&self) -> Option<u64> {
        self.info().ok().map(|info| info.remaining_ms).filter(|ms| *ms != u64::MAX)
    }

    /// Bytes of the call's input; `None`: not known, or the call has ended.
    pub fn input_len(&self) -> Option<u64> {
        self.info().ok().map(|info| info.input_len).filter(|len| *len != u64::MAX)
    }

    /// Random bytes fit for keys.
    pub fn random(&self, buffer: &mut [u8]) -> Result<(), Error> {
        check(service!(self, random_bytes(buffer.as_mut_ptr(), buffer.len())), "random bytes")
    }

    fn info(&self) -> Result<psa_call_info, Code> {
        let size = size_of::<psa_call_info>() as u32;
        let mut info = psa_call_info { size, state: PSA_CANCELLED, remaining_ms: 0, input_len: 0 };
        match service!(self, call_info(self.call, &mut info)) {
            PSA_OK => Ok(info),
            code => Err(Code::from_number(code)),
        }
    }

    /// Ends the call.
    pub(super) fn complete(&self, outcome: Result<Vec<u8>, Error>) {
        let (code, body) = match outcome {
            Ok(body) => (PSA_OK, body),
            // An error that says "ok" would be read as a result.
            Err(error) if error.code == Code::Ok => (PSA_INTERNAL, b"the plugin failed without a code".to_vec()),
            Err(error) => (error.code as psa_code, error.to_json().into_bytes()),
        };
        let services = self.services();
        if let Some(complete) = services.complete {
            // SAFETY: a function of the host's table; the body lives until it returns.
            unsafe { complete(services.ctx, self.call, code, psa_bytes::of(&body)) }
        }
    }
}

/// Turns the code of a service into an error that says which service it was.
pub(super) fn check(code: psa_code, what: &str) -> Result<(), Error> {
    if code == PSA_OK { Ok(()) } else { Err(refused(code, what)) }
}

/// The host said no; it has logged why. `no_answer` lets the host put in what it knows itself.
pub(super) fn refused(code: psa_code, what: &str) -> Error {
    let code = Code::from_number(code);
    Error::new(code, format!("the host answered {} to {what}", code.name())).because(NO_ANSWER)
}

/// `reason` of an error that only repeats the code of a service.
pub const NO_ANSWER: &str = "no_answer";
