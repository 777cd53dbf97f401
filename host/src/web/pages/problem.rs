//! Pages that say why there is no other one.

use crate::web::ask::{Ask, Reply};
use crate::web::permission::Permission;
use crate::web::security;
use crate::web::told::Told;
use crate::web::view::{Body, Crumb, Link, View};
use crate::web::who::Who;
use crate::web::words::Words;
use psa_host_api::{Code, Error};
use serde::{Deserialize, Serialize};

/// Why a request has no page.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// No route, or nothing of this tenant's.
    NotFound,
    /// The route has no such method.
    Method,
    /// The person may not.
    Forbidden(Permission),
    /// It did not come from a page of ours.
    OtherSite,
    /// More than the limits allow.
    TooLarge,
    /// Neither a form nor JSON.
    Unreadable,
    /// Too many in a minute.
    TooMany {
        /// For how long, in milliseconds.
        wait_ms: i64,
    },
    /// First the person has to prove elsewhere who they are.
    Elsewhere(String),
    /// A room has said no.
    Error(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        Trouble::Error(error)
    }
}

/// The page; as JSON it is a problem as RFC 9457 has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Stable.
    pub(crate) code: String,
    /// What is wrong, and what to do.
    pub(crate) detail: String,
    /// The language of that, where it is not the page's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lang: Option<String>,
    /// What is wrong with which field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) issues: Vec<FieldIssue>,
    /// Where to go on.
    pub(crate) back: Link,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FieldIssue {
    pub(crate) at: String,
    pub(crate) code: String,
    pub(crate) message: String,
}

/// The page for a trouble.
pub(crate) fn reply(who: &Who, words: &Words<'_>, trouble: &Trouble) -> Reply {
    let said = |status: u16, key: &str| (status, key.to_owned(), Told::ours(words.say(&format!("problem.{key}.text"))));
    let mut issues = Vec::new();
    let (status, key, detail) = match trouble {
        Trouble::Elsewhere(url) => return Reply::Elsewhere(url.clone()),
        Trouble::NotFound => said(404, "not_found"),
        Trouble::Method => said(405, "method"),
        Trouble::Forbidden(needed) => {
            let named = words.say(&format!("permission.{}", needed.word()));
            (403, "forbidden".to_owned(), Told::ours(words.fill("problem.forbidden.text", &[("permission", &named)])))
        }
        Trouble::OtherSite => said(403, "other_site"),
        Trouble::TooLarge => said(413, "too_large"),
        Trouble::Unreadable => said(415, "unreadable"),
        Trouble::TooMany { wait_ms } => {
            let wait = words.span(u64::try_from(*wait_ms).unwrap_or(0).max(1_000));
            (429, "too_many".to_owned(), Told::ours(words.fill("problem.too_many.text", &[("wait", &wait)])))
        }
        Trouble::Error(error) => {
            issues.extend(error.fields.iter().map(|field| FieldIssue {
                at: field.at.clone(),
                code: field.code.clone(),
                message: field.message.clone(),
            }));
            of_error(words, error)
        }
    };
    let title = words.say(&format!("problem.{key}"));
    let home = Link { label: words.say("problem.back"), href: format!("{}/", who.mount) };
    let crumbs = vec![
        Crumb { label: words.say("index.title"), href: Some(home.href.clone()) },
        Crumb { label: title.clone(), href: None },
    ];
    let body = Body::Problem(Problem { status, code: key, detail: detail.text, lang: detail.lang, issues, back: home });
    Reply::View(status, Box::new(View { title, crumbs, frame: None, notices: Vec::new(), body }))
}

/// How it is answered and called, and what is said of it.
pub(super) fn of_error(words: &Words<'_>, error: &Error) -> (u16, String, Told) {
    let (status, key) = match error.code {
        Code::NotFound => return (404, "not_found".to_owned(), Told::ours(words.say("problem.not_found.text"))),
        // A defect of ours: what exactly is for the log.
        Code::Internal => return (500, "internal".to_owned(), Told::ours(words.say("problem.internal.text"))),
        Code::Conflict => (409, "conflict"),
        Code::InvalidArgument => (422, "invalid"),
        Code::RateLimited => (429, "limited"),
        Code::Timeout => (504, "timeout"),
        Code::Unsupported => (422, "unsupported"),
        _ => (503, "unavailable"),
    };
    (status, key.to_owned(), words.told(error))
}

/// The way back from where the person has proved who they are.
pub(crate) async fn resume(ask: &Ask<'_>) -> Result<Reply, Error> {
    let token = ask.query.get("to").unwrap_or_default();
    let path = security::resume_path(&ask.core.vault, ask.who, token, ask.words.now())?;
    match path.filter(|path| path.starts_with('/')) {
        // Two slashes would begin the name of another host.
        Some(path) => Ok(Reply::Elsewhere(ask.href(&format!("/{}", path.trim_start_matches('/'))))),
        None => Ok(reply(ask.who, ask.words, &Trouble::NotFound)),
    }
}
