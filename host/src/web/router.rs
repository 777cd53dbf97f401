//! From a request to its answer: every request takes the same steps in the same order.
//!
//! Promises: what is not in the table is 404, and so is a foreign connection; a POST is counted, proved to come from a page
//! of ours and refused if it is too large before any page sees it; what is refused leaves an entry in the activity.

use super::answer::Drawn;
use super::ask::{Ask, Reply};
use super::pages::problem::{self, Trouble};
use super::pairs::{Pairs, Unread};
use super::routes::{Csrf, ROUTES, Route};
use super::security;
use super::view::Notice;
use super::who::{Render, Who};
use super::words::Words;
use crate::activity::{self, Origin};
use crate::core::Core;
use crate::http::{HttpAnswer, HttpRequest};
use crate::plugin::CallContext;
use crate::store::{Place, Record};
use psa_host_api::{Code, Error};
use serde_json::json;
use std::sync::Arc;

/// The longest path and query, in bytes.
const URL_BYTES_MAX: usize = 8 * 1024;

/// Answers one request.
pub(crate) async fn serve(
    core: &Arc<Core>,
    who: &[u8],
    request: &HttpRequest<'_>,
    context: CallContext,
) -> Result<HttpAnswer, Error> {
    let Some(who) = Who::read(who)? else {
        return Ok(HttpAnswer::of(403, "403: the product has not said who asks"));
    };
    let now = core.clock.now_unix_ms();
    let words = Words::of(&who, now);
    let visit = Visit { core, who: &who, words: &words, context: &context, now };
    let origin = Origin { request_id: who.request_id.clone(), remote_addr: who.remote_addr };
    let reply = activity::within(origin, visit.reply(request)).await?;
    let drawn = Drawn { who: &who, words: &words, token: security::token(&core.vault, &who, now)? };
    let mut answer = match reply {
        Reply::Done { to, word } if who.render == Render::Json => {
            // A program gets what a browser would be sent to.
            let path = to.split('#').next().unwrap_or_default();
            let url = format!("{path}{}done={word}", if path.contains('?') { '&' } else { '?' });
            let next =
                HttpRequest { method: "GET", url: url.strip_prefix(&who.mount).unwrap_or(&url), body: b"", ..*request };
            drawn.answer(visit.reply(&next).await?)
        }
        reply => drawn.answer(reply),
    };
    if request.method == "HEAD" {
        answer.body.clear();
    }
    Ok(answer)
}

/// One request, before its page is known.
struct Visit<'a> {
    core: &'a Arc<Core>,
    who: &'a Who,
    words: &'a Words<'a>,
    context: &'a CallContext,
    now: i64,
}

impl Visit<'_> {
    /// The page's answer, or the page that says why there is none.
    async fn reply(&self, request: &HttpRequest<'_>) -> Result<Reply, Error> {
        match self.routed(request).await {
            Ok(reply) => Ok(reply),
            // The product's host is gone, not the page.
            Err(Trouble::Error(error)) if error.code == Code::Closed => Err(error),
            Err(trouble) => Ok(problem::reply(self.who, self.words, &trouble)),
        }
    }

    async fn routed(&self, request: &HttpRequest<'_>) -> Result<Reply, Trouble> {
        let (path, segments, query) = split(request.url)?;
        let method = if request.method == "HEAD" { "GET" } else { request.method };
        let (route, found) = find(method, &segments)?;
        if let Some(missing) = route.needs.iter().find(|needed| !self.who.may(**needed)) {
            self.note_refusal(route, &found, missing.word()).await;
            return Err(Trouble::Forbidden(*missing));
        }
        let form = match route.csrf {
            Csrf::Safe => Pairs::default(),
            Csrf::Form => self.form(route, &found, request).await?,
        };
        if let Some(url) = security::step_up(&self.core.vault, self.who, route.needs, &path, self.now)? {
            return Err(Trouble::Elsewhere(url));
        }
        let (core, who, words, context) = (self.core, self.who, self.words, self.context);
        let ask = Ask { core, who, words, context, path: found, query, form };
        let mut reply = match (route.handler)(&ask).await {
            Ok(reply) => reply,
            Err(error) => {
                if let (Csrf::Form, Some(reason)) = (route.csrf, error.reason.as_deref()) {
                    self.note_refusal(route, &ask.path, reason).await;
                }
                return Err(error.into());
            }
        };
        if let (Csrf::Form, Reply::View(403, _)) = (route.csrf, &reply) {
            self.note_refusal(route, &ask.path, "secrets").await;
        }
        if let Reply::View(_, view) = &mut reply
            && let Some(done) = ask.query.get("done").and_then(|word| words.find(&format!("done.{word}")))
        {
            view.notices.insert(0, Notice::done(done));
        }
        Ok(reply)
    }

    /// What a POST brings, once it may bring anything.
    async fn form(&self, route: &Route, found: &Found, request: &HttpRequest<'_>) -> Result<Pairs, Trouble> {
        let header = |wanted: &str| request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let kind = header("content-type").map_or("", |(_, value)| *value);
        let form = Pairs::of_body(kind, request.body);
        // The token is looked for first: what is too large has none.
        let token = form.as_ref().ok().and_then(|form| form.get(security::TOKEN_FIELD));
        let fits = security::token_fits(&self.core.vault, self.who, token, self.now)?;
        // What cannot be read has no token to look at; its headers are looked at all the same.
        if !security::is_from_here(self.who, request.headers, fits || form.is_err()) {
            self.note_refusal(route, found, "csrf").await;
            return Err(Trouble::OtherSite);
        }
        if let Err(wait_ms) = self.core.pace.one_more(self.who, self.now) {
            return Err(Trouble::TooMany { wait_ms });
        }
        form.map_err(|unread| match unread {
            Unread::TooLarge => Trouble::TooLarge,
            Unread::Type | Unread::Shape => Trouble::Unreadable,
        })
    }

    /// A refused attempt is part of what happened. If it cannot be kept, it is refused all the same.
    async fn note_refusal(&self, route: &Route, found: &Found, reason: &str) {
        let Some(audit) = route.audit else { return };
        // The activity is kept for long: nobody fills it by being refused.
        if self.core.pace.one_more_refusal(self.who, self.now).is_err() {
            return;
        }
        let named = found.iter().find(|(name, _)| *name == "connection").map(|(_, value)| value.clone());
        let place = Place { tenant: self.who.tenant.clone(), connection: named.unwrap_or_default() };
        // Somebody else's connection, or none, is not named in this tenant's activity.
        let there = self.core.connections.exists(&place).is_ok();
        let place = if there { place } else { Place { connection: String::new(), ..place } };
        let detail = json!({"attempt": audit, "reason": reason});
        if let Ok(entry) = self.core.scribe.entry(&place, &self.who.by(), "page.refused", None, &detail) {
            let _ = self.core.store.note(Record { entries: vec![entry], events: Vec::new() }).await;
        }
    }
}

type Found = Vec<(&'static str, String)>;

/// The path as it came, its segments, and the query.
fn split(url: &str) -> Result<(String, Vec<String>, Pairs), Trouble> {
    if url.len() > URL_BYTES_MAX {
        return Err(Trouble::TooLarge);
    }
    // Whatever else there is in an address is encoded; a part of this one may be handed back as one.
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Trouble::NotFound);
    }
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut segments = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let text = percent_encoding::percent_decode_str(part).decode_utf8().map_err(|_| Trouble::NotFound)?;
        if text.chars().any(char::is_control) || text.len() > 512 {
            return Err(Trouble::NotFound);
        }
        segments.push(text.into_owned());
    }
    let query =
        Pairs::of_form(query.split('#').next().unwrap_or_default().as_bytes()).map_err(|_| Trouble::TooLarge)?;
    Ok((url.to_owned(), segments, query))
}

fn find(method: &str, segments: &[String]) -> Result<(&'static Route, Found), Trouble> {
    let mut other = false;
    for route in ROUTES {
        if let Some(found) = route.fits(segments) {
            if route.method == method {
                return Ok((route, found));
            }
            other = true;
        }
    }
    Err(if other { Trouble::Method } else { Trouble::NotFound })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        for (index, route) in ROUTES.iter().enumerate() {
            assert!(route.pattern.starts_with('/'), "{}", route.pattern);
            let twin =
                ROUTES[..index].iter().any(|other| (other.method, other.pattern) == (route.method, route.pattern));
            assert!(!twin, "{} {} is there twice", route.method, route.pattern);
            // What has effects says so in the activity and needs more than seeing; what has none is GET.
            let effect = route.method == "POST";
            assert_eq!(route.audit.is_some(), effect, "{} {}", route.method, route.pattern);
            assert_eq!(route.csrf == Csrf::Form, effect, "{} {}", route.method, route.pattern);
            assert!(!effect || route.needs.len() > 1, "{} needs no permission of its own", route.pattern);
            let open = route.pattern.starts_with("/-/");
            assert_eq!(route.needs.is_empty(), open, "{}", route.pattern);
        }
    }

    #[test]
    fn a_path_is_what_its_segments_are() {
        let segments = |url: &str| split(url).map(|(_, segments, _)| segments).ok();
        assert_eq!(segments("/c/a%2Fb/"), Some(vec!["c".into(), "a/b".into()]));
        assert_eq!(segments("//c///x?y=/z"), Some(vec!["c".into(), "x".into()]));
        assert_eq!(segments("/c/%00"), None);
        assert_eq!(segments("/c/%ff"), None);
    }
}
