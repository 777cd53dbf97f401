//! What can be wrong with a form.

/// One thing that is wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormError {
    /// JSON pointer into the form.
    pub at: String,
    /// Stable.
    pub code: &'static str,
    /// For the form's author.
    pub message: String,
}

/// All that is wrong with a form; at least one thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FormErrors(pub Vec<FormError>);

/// So many are written out; the rest are counted.
const WRITTEN_OUT: usize = 5;

impl std::fmt::Display for FormErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, error) in self.0.iter().take(WRITTEN_OUT).enumerate() {
            let comma = if position == 0 { "" } else { "; " };
            let at = if error.at.is_empty() { "the form" } else { &error.at };
            write!(f, "{comma}{at}: {} ({})", error.message, error.code)?;
        }
        match self.0.len().checked_sub(WRITTEN_OUT) {
            Some(more @ 1..) => write!(f, "; and {more} more"),
            _ => Ok(()),
        }
    }
}
