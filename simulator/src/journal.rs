//! What was asked and answered, for tests to look at.
//!
//! Promises: a secret is never in it; the shape of `Authorization` is.

use crate::http::{Asked, Reply};
use base64::Engine as _;
use serde_json::{Map, Value, json};

/// The list, oldest first.
#[derive(Default)]
pub(crate) struct Journal {
    entries: Vec<Value>,
}

impl Journal {
    /// Notes a request and how it ended. `reply` is `None` when the connection was cut instead.
    pub(crate) fn add(
        &mut self,
        at: &str,
        asked: &Asked,
        endpoint: &str,
        reply: Option<&Reply>,
        committed: bool,
        fault: Option<&str>,
    ) {
        let headers: Map<String, Value> =
            asked.headers.iter().map(|(name, value)| (name.clone(), json!(shown(name, value)))).collect();
        self.entries.push(json!({
            "n": self.entries.len() + 1,
            "at": at,
            "method": asked.method,
            "path": asked.path,
            "query": asked.raw_query,
            "headers": headers,
            "body": body_of(asked),
            "status": reply.map(|reply| reply.status),
            "committed": committed,
            "endpoint": endpoint,
            "fault": fault,
        }));
    }

    pub(crate) fn list(&self) -> Value {
        json!({"entries": self.entries})
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Of a form with files only its size: the files are at another door.
fn body_of(asked: &Asked) -> Value {
    let form = asked.header("content-type").is_some_and(|kind| kind.starts_with("multipart/"));
    if form { json!({"form_bytes": asked.body.len()}) } else { asked.body_value() }
}

/// Of credentials only who they are for.
fn shown(name: &str, value: &str) -> String {
    if name != "authorization" {
        return value.to_owned();
    }
    let user = value
        .strip_prefix("Basic ")
        .and_then(|token| base64::engine::general_purpose::STANDARD.decode(token).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.split_once(':').map(|(user, _)| user.to_owned()));
    user.map_or("(another kind)".to_owned(), |user| format!("Basic {user}:***"))
}
