//! The Integrations page: the door for people.
//!
//! Holds: the routes (`routes`), who asks (`who`), what every request passes (`router`, `security`), what the pages gather
//! (`pages`), how it is drawn (`html`), the words (`words`).
//! Promises: identity comes from the product's `who` alone; no route without a row in the table; only POST has effects;
//! what a plugin, a PSA or a person says is text, never markup; the JSON is what the HTML is drawn from.
//! Leaves to others: the rules (the rooms), SQL (`store`), the product's own login.

mod answer;
mod ask;
mod assets;
#[cfg(test)]
mod counted;
mod form;
mod html;
mod moment;
mod pages;
mod pairs;
mod permission;
mod router;
mod routes;
mod security;
mod theme;
mod told;
mod view;
mod who;
mod words;

pub(crate) use form::drafts::Drafts;
pub(crate) use router::serve;
pub(crate) use security::Pace;
pub(crate) use theme::{ThemeReport, report as theme_report};
pub(crate) use who::Who;

/// One row of the table of routes, for the reference and the tests.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct PublishedRoute {
    /// GET or POST.
    pub method: &'static str,
    /// Below the mount; `{…}` stands for one segment.
    pub pattern: &'static str,
    /// All of these are needed.
    pub needs: Vec<&'static str>,
    /// What protects it from being called by another site's page: `safe`, `form`.
    pub csrf: &'static str,
    /// What the activity calls it; none for what only reads.
    pub audit: Option<&'static str>,
}

/// All routes.
#[doc(hidden)]
pub fn published_routes() -> Vec<PublishedRoute> {
    routes::ROUTES.iter().map(routes::Route::published).collect()
}
