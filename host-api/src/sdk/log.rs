//! Lines for the host's log.

use super::Cx;
use crate::abi::*;

/// Writes to the host's log. Never pass note texts or tokens.
#[derive(Debug, Clone, Copy)]
pub struct Log<'a> {
    cx: &'a Cx,
}

impl<'a> Log<'a> {
    pub(super) fn new(cx: &'a Cx) -> Self {
        Log { cx }
    }

    /// Something is odd, work goes on.
    pub fn warn(self, text: &str) {
        self.write(PSA_LOG_WARN, text);
    }

    /// One line of the normal course.
    pub fn info(self, text: &str) {
        self.write(PSA_LOG_INFO, text);
    }

    /// For whoever looks for a fault.
    pub fn debug(self, text: &str) {
        self.write(PSA_LOG_DEBUG, text);
    }

    fn write(self, level: u32, text: &str) {
        let services = self.cx.services();
        if let Some(log) = services.log_message {
            // SAFETY: a function of the host's table; the text lives until it returns.
            unsafe { log(services.ctx, self.cx.call(), level, psa_bytes::of(text.as_bytes())) }
        }
    }
}
