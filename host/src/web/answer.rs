//! An answer in the form that the product has asked for: a document, a part of one, or JSON.
//!
//! Promises: a document has the strict policy; a part has no policy, and nothing in it that one would forbid; what is
//! downloaded is never shown as a page.

use super::ask::Reply;
use super::html;
use super::security;
use super::view::View;
use super::who::{Render, Who};
use super::words::Words;
use crate::http::HttpAnswer;

/// What an answer is drawn with.
pub(crate) struct Drawn<'a> {
    pub(crate) who: &'a Who,
    pub(crate) words: &'a Words<'a>,
    /// For the forms.
    pub(crate) token: Option<String>,
}

impl Drawn<'_> {
    /// The answer.
    pub(crate) fn answer(&self, reply: Reply) -> HttpAnswer {
        match reply {
            Reply::View(status, view) => self.view(status, &view),
            Reply::Done { to, word } => {
                let (path, anchor) = to.split_once('#').map_or((to.as_str(), ""), |(path, anchor)| (path, anchor));
                let joint = if path.contains('?') { '&' } else { '?' };
                let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
                redirect(&format!("{path}{joint}done={word}{anchor}"))
            }
            Reply::Elsewhere(url) => redirect(&url),
            Reply::Bytes { content_type, body, for_ever, name } => bytes(content_type, body, for_ever, name),
        }
    }

    fn view(&self, status: u16, view: &View) -> HttpAnswer {
        let (content_type, headers, body) = match self.who.render {
            Render::Json => ("application/json", security::common_headers(), self.json(view)),
            Render::Page => {
                ("text/html; charset=utf-8", security::page_headers(self.who), html::document(self, view).into_bytes())
            }
            Render::Fragment => {
                let mut headers = security::common_headers();
                // For the product's own layout: the text is for a header, so it is encoded.
                headers.push(("psa-title".to_owned(), super::ask::query(&view.title)));
                ("text/html; charset=utf-8", headers, html::fragment(self, view).into_bytes())
            }
        };
        let content_type = match (&view.body, self.who.render) {
            (super::view::Body::Problem(_), Render::Json) => "application/problem+json",
            _ => content_type,
        };
        HttpAnswer { status, headers, body }.header("content-type", content_type)
    }

    fn json(&self, view: &View) -> Vec<u8> {
        let mut value = serde_json::to_value(view).unwrap_or_default();
        if let (Some(map), Some(token)) = (value.as_object_mut(), &self.token) {
            map.insert("token".to_owned(), token.as_str().into());
        }
        value.to_string().into_bytes()
    }
}

fn redirect(to: &str) -> HttpAnswer {
    HttpAnswer { status: 303, headers: security::common_headers(), body: Vec::new() }.header("location", to)
}

fn bytes(content_type: &str, body: Vec<u8>, for_ever: bool, name: Option<String>) -> HttpAnswer {
    let mut headers = security::common_headers();
    if for_ever {
        headers[0].1 = "public, max-age=31536000, immutable".to_owned();
    }
    // Opened by itself it runs nothing.
    headers.push(("content-security-policy".to_owned(), "default-src 'none'; sandbox".to_owned()));
    if let Some(name) = name {
        headers.push(("content-disposition".to_owned(), format!("attachment; filename=\"{name}\"")));
    }
    HttpAnswer { status: 200, headers, body }.header("content-type", content_type)
}
