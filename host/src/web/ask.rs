//! A request that has passed the door, as a page sees it.

use super::pairs::Pairs;
use super::permission::Permission;
use super::view::{Action, View};
use super::who::Who;
use super::words::Words;
use crate::core::Core;
use crate::plugin::CallContext;
use crate::store::Place;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use psa_host_api::Error;
use std::sync::Arc;

/// A request.
pub(crate) struct Ask<'a> {
    pub(crate) core: &'a Arc<Core>,
    pub(crate) who: &'a Who,
    pub(crate) words: &'a Words<'a>,
    pub(crate) context: &'a CallContext,
    /// The segments that stand for the pattern's `{…}`.
    pub(super) path: Vec<(&'static str, String)>,
    pub(crate) query: Pairs,
    /// Empty for GET.
    pub(crate) form: Pairs,
}

/// What a page answers.
pub(crate) enum Reply {
    /// A page.
    View(u16, Box<View>),
    /// It was done: go there and look. The word says what: a key `done.…`.
    Done { to: String, word: &'static str },
    /// It is to be done elsewhere first.
    Elsewhere(String),
    /// Bytes, with their type; whether they may be kept for ever.
    Bytes { content_type: &'static str, body: Vec<u8>, for_ever: bool, name: Option<String> },
}

impl Ask<'_> {
    /// A segment of the path; empty if the pattern has no such name.
    pub(crate) fn segment(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The connection of the path, in the tenant of who asks.
    pub(crate) fn place(&self) -> Place {
        Place { tenant: self.who.tenant.clone(), connection: self.segment("connection").to_owned() }
    }

    /// A link to a path below the mount. Segments must have been encoded by [`segment`].
    pub(crate) fn href(&self, path: &str) -> String {
        format!("{}{path}", self.who.mount)
    }

    /// A link to a page of a connection; `rest` begins with a slash, or is empty.
    pub(crate) fn of_connection(&self, connection: &str, rest: &str) -> String {
        self.href(&format!("/c/{}{rest}", segment(connection)))
    }

    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.who.may(permission)
    }

    /// The actions that who asks may take.
    pub(crate) fn allowed(&self, actions: Vec<Action>) -> Vec<Action> {
        actions.into_iter().filter(|action| action.needs.iter().all(|needed| self.may(*needed))).collect()
    }

    /// Who does it, for the activity.
    pub(crate) fn by(&self) -> String {
        self.who.by()
    }

    /// A page.
    pub(crate) fn page(&self, view: View) -> Result<Reply, Error> {
        Ok(Reply::View(200, Box::new(view)))
    }
}

/// A key to go on behind, as one value in a query; opaque to who gets it.
pub(crate) fn cursor(key: &serde_json::Value) -> String {
    URL_SAFE_NO_PAD.encode(key.to_string())
}

/// The key of a cursor, if it is one of ours.
pub(crate) fn key_of<T: serde::de::DeserializeOwned>(cursor: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, SEGMENT).to_string()
}

/// A text as a value in a query.
pub(crate) fn query(text: &str) -> String {
    segment(text)
}

const SEGMENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
