//! Time, as the host sees it.

use super::Cx;

/// The host's wall clock; tests may set it.
#[derive(Debug, Clone, Copy)]
pub struct Clock<'a> {
    cx: &'a Cx,
}

impl<'a> Clock<'a> {
    pub(super) fn new(cx: &'a Cx) -> Self {
        Clock { cx }
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub fn now_unix_ms(self) -> i64 {
        let services = self.cx.services();
        // SAFETY: a function of the host's table with its own ctx.
        services.now_unix_ms.map_or(0, |now| unsafe { now(services.ctx) })
    }
}
