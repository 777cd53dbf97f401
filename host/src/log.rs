//! The host's log lines, on their way to the product.
//!
//! Holds: [`Log`].
//! Promises: one line per message, without control characters, of bounded length.
//! Leaves to others: keeping secrets out (they are not in reach of those who log), writing lines anywhere.

use psa_host_api::abi::{PSA_LOG_DEBUG, PSA_LOG_ERROR, PSA_LOG_INFO, PSA_LOG_WARN};
use std::sync::Arc;

/// What takes the lines: level (`PSA_LOG_*`), target ("host", "plugin.acme"), text. Called from any thread, also at
/// the same time.
pub type LogHook = Arc<dyn Fn(u32, &str, &str) + Send + Sync>;

/// The longest text of one line, in bytes.
const TEXT_BYTES_MAX: usize = 4096;
const ELLIPSIS: char = '…';

/// Where lines go.
#[derive(Clone, Default)]
pub struct Log {
    hook: Option<LogHook>,
}

impl Log {
    /// Lines go to `hook`, or nowhere.
    pub fn new(hook: Option<LogHook>) -> Log {
        Log { hook }
    }

    /// Something failed and somebody must look.
    pub fn error(&self, target: &str, text: &str) {
        self.line(PSA_LOG_ERROR, target, text);
    }

    /// Something is odd, work goes on.
    pub fn warn(&self, target: &str, text: &str) {
        self.line(PSA_LOG_WARN, target, text);
    }

    /// One line of the normal course.
    pub fn info(&self, target: &str, text: &str) {
        self.line(PSA_LOG_INFO, target, text);
    }

    /// A line of a level; an unknown level is taken as DEBUG.
    pub fn line(&self, level: u32, target: &str, text: &str) {
        let Some(hook) = &self.hook else { return };
        let level = if (PSA_LOG_ERROR..=PSA_LOG_DEBUG).contains(&level) { level } else { PSA_LOG_DEBUG };
        hook(level, target, &one_line(text));
    }
}

fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(TEXT_BYTES_MAX));
    for character in text.trim_end().chars() {
        if line.len() + character.len_utf8() + ELLIPSIS.len_utf8() > TEXT_BYTES_MAX {
            line.push(ELLIPSIS);
            break;
        }
        // Line breaks would let a PSA's answer forge lines of ours; other controls would steer a terminal.
        line.push(if character.is_control() { ' ' } else { character });
    }
    line
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("hook", &self.hook.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn a_line_stays_one_line_of_bounded_length_and_a_known_level() {
        let lines: Arc<Mutex<Vec<(u32, String)>>> = Arc::default();
        let kept = lines.clone();
        let log = Log::new(Some(Arc::new(move |level, _, text| kept.lock().unwrap().push((level, text.to_owned())))));
        log.error("host", "a\nb\x1b[31m");
        log.line(99, "host", &"é".repeat(5000));
        let lines = lines.lock().unwrap();
        assert_eq!(lines[0], (PSA_LOG_ERROR, "a b [31m".to_owned()));
        assert_eq!(lines[1].0, PSA_LOG_DEBUG);
        assert!(lines[1].1.len() <= TEXT_BYTES_MAX && lines[1].1.ends_with('…'));
    }
}
