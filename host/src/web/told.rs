//! What others have said: rooms of the host, plugins, providers.
//!
//! Promises: a refusal by one of the host's own rooms is said in the reader's language where the catalogue knows its reason;
//! what remains says which language it is in, so that it is read out as what it is.

use super::form::built::cut;
use super::words::Words;
use psa_host_api::Error;
use serde::{Deserialize, Serialize};

/// What rooms, plugins and providers speak.
const SPOKEN: &str = "en";

/// A text, and its language where it is not the page's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lang: Option<String>,
}

impl Told {
    /// The page's own words.
    pub(crate) fn ours(text: String) -> Told {
        Told { text, lang: None }
    }
}

impl From<String> for Told {
    fn from(text: String) -> Told {
        Told::ours(text)
    }
}

impl Words<'_> {
    /// Whether the page speaks as rooms, plugins and providers do.
    pub(crate) fn are_of_others(&self) -> bool {
        self.speak(SPOKEN)
    }

    /// Whether the page is in this language.
    pub(crate) fn speak(&self, locale: &str) -> bool {
        let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        language(self.locale()) == language(locale)
    }

    /// The words of somebody else, at most so many characters of them.
    pub(crate) fn of_others(&self, text: &str, chars_max: usize) -> Told {
        let lang = (!self.are_of_others() && !text.is_empty()).then(|| SPOKEN.to_owned());
        Told { text: cut(text, chars_max), lang }
    }

    /// Why something was refused: in our own words where there are some for the reason.
    pub(crate) fn told(&self, error: &Error) -> Told {
        let known = error.reason.as_deref().and_then(|reason| self.find(&format!("refusal.{reason}")));
        known.map_or_else(|| self.of_others(&error.message, 1_000), Told::ours)
    }
}
