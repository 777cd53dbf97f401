//! The table of routes. What has no row here does not exist.

use super::PublishedRoute;
use super::ask::{Ask, Reply};
use super::pages::mapping::{copy, members, priorities, statuses};
use super::pages::{
    about, activity, callbacks, connect, index, operation, overview, plugin, problem, remove, settings, ticket,
    tickets, work,
};
use super::permission::Permission::{self, *};
use psa_host_api::Error;
use std::pin::Pin;

/// What answers a route.
pub(super) type Handler = for<'a> fn(&'a Ask<'a>) -> Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'a>>;

/// What protects a route from being called by another site's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Csrf {
    /// It has no effect.
    Safe,
    /// It comes from a form of ours, or with a token.
    Form,
}

/// One row.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) pattern: &'static str,
    pub(super) needs: &'static [Permission],
    pub(super) csrf: Csrf,
    /// What the activity calls an attempt that was refused.
    pub(super) audit: Option<&'static str>,
    pub(super) handler: Handler,
}

impl Route {
    pub(super) fn published(&self) -> PublishedRoute {
        PublishedRoute {
            method: self.method,
            pattern: self.pattern,
            needs: self.needs.iter().map(|needed| needed.word()).collect(),
            csrf: match self.csrf {
                Csrf::Safe => "safe",
                Csrf::Form => "form",
            },
            audit: self.audit,
        }
    }

    /// The segments that stand for `{…}`, if a path fits.
    pub(super) fn fits(&self, path: &[String]) -> Option<Vec<(&'static str, String)>> {
        let pattern: Vec<&'static str> = self.pattern.split('/').skip(1).filter(|part| !part.is_empty()).collect();
        if pattern.len() != path.len() {
            return None;
        }
        let mut found = Vec::new();
        for (part, segment) in pattern.into_iter().zip(path) {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) => found.push((name, segment.clone())),
                None if part == segment => {}
                None => return None,
            }
        }
        Some(found)
    }
}

/// `GET pattern [permissions] => handler;` and `POST pattern [permissions] "what it is" => handler;`
macro_rules! routes {
    ($($method:ident $pattern:literal [$($needs:ident),*] $($audit:literal)? => $($handler:ident)::+;)*) => {
        /// All of them.
        pub(super) const ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            pattern: $pattern,
            needs: &[$($needs),*],
            csrf: routes!(@csrf $method),
            audit: routes!(@audit $($audit)?),
            handler: |ask| Box::pin($($handler)::+(ask)),
        },)*];
    };
    (@csrf GET) => { Csrf::Safe };
    (@csrf POST) => { Csrf::Form };
    (@audit) => { None };
    (@audit $audit:literal) => { Some($audit) };
}

routes! {
    GET "/" [View] => index::show;
    GET "/c/{connection}" [View] => overview::show;
    POST "/c/{connection}/pause" [View, Configure] "pause" => overview::pause;
    POST "/c/{connection}/resume" [View, Configure] "resume" => overview::resume;
    GET "/new/{plugin}" [View, Configure, Secrets] => connect::show;
    POST "/new/{plugin}" [View, Configure, Secrets] "connect" => connect::begin;
    GET "/c/{connection}/setup/{step}" [View, Configure] => connect::step;
    POST "/c/{connection}/setup/{step}" [View, Configure] "setup" => connect::go_on;
    GET "/c/{connection}/settings" [View] => settings::show;
    POST "/c/{connection}/settings" [View, Configure] "settings" => settings::send;
    GET "/c/{connection}/reauth" [View, Secrets] => settings::ask_again;
    POST "/c/{connection}/reauth" [View, Secrets] "credentials" => settings::sign_in_again;
    GET "/c/{connection}/map/members" [View] => members::show;
    POST "/c/{connection}/map/members" [View, Map] "members" => members::save;
    POST "/c/{connection}/map/members/match" [View, Map] "members" => members::save_alike;
    GET "/c/{connection}/progress/{kind}" [View] => work::show;
    GET "/c/{connection}/map/statuses" [View] => statuses::show;
    POST "/c/{connection}/map/statuses" [View, Map] "statuses" => statuses::save;
    GET "/c/{connection}/map/statuses/copy" [View, Map] => copy::show;
    POST "/c/{connection}/map/statuses/copy" [View, Map] "statuses" => copy::save;
    GET "/c/{connection}/map/priorities" [View] => priorities::show;
    POST "/c/{connection}/map/priorities" [View, Map] "priorities" => priorities::save;
    GET "/c/{connection}/callbacks" [View] => callbacks::show;
    POST "/c/{connection}/callbacks/register" [View, Operate] "callbacks.register" => callbacks::register;
    POST "/c/{connection}/callbacks/compare" [View, Operate] "callbacks.compare" => callbacks::compare;
    POST "/c/{connection}/callbacks/rotate" [View, Operate] "callbacks.rotate" => callbacks::rotate;
    GET "/c/{connection}/callbacks/{delivery}" [View] => callbacks::one;
    GET "/c/{connection}/remove" [View, Configure] => remove::show;
    POST "/c/{connection}/remove/pause" [View, Configure] "pause" => remove::pause;
    GET "/c/{connection}/remove/disconnect" [View, Configure] => remove::show_disconnect;
    POST "/c/{connection}/remove/disconnect" [View, Configure, Delete] "disconnect" => remove::disconnect;
    GET "/c/{connection}/remove/delete" [View, Configure] => remove::show_delete;
    POST "/c/{connection}/remove/delete" [View, Configure, Delete] "delete" => remove::delete;
    GET "/plugins/{plugin}" [View] => plugin::show;
    GET "/-/icon/{plugin}" [] => plugin::icon;
    GET "/c/{connection}/tickets" [View] => tickets::show;
    POST "/c/{connection}/tickets/retry" [View, Operate] "retry_all" => tickets::retry;
    GET "/c/{connection}/tickets/{link}" [View] => ticket::show;
    POST "/c/{connection}/tickets/{link}/retry" [View, Operate] "retry" => ticket::retry;
    POST "/c/{connection}/tickets/{link}/read" [View, Operate] "read" => ticket::read;
    POST "/c/{connection}/tickets/{link}/unlink" [View, Operate] "unlink" => ticket::unlink;
    POST "/c/{connection}/tickets/{link}/relink" [View, Operate] "relink" => ticket::relink;
    GET "/c/{connection}/operations/{operation}" [View] => operation::show;
    POST "/c/{connection}/operations/{operation}/retry" [View, Operate] "operation.retry" => operation::retry;
    POST "/c/{connection}/operations/{operation}/adopt" [View, Operate] "operation.adopt" => operation::adopt;
    POST "/c/{connection}/operations/{operation}/discard" [View, Operate] "operation.discard" => operation::discard;
    GET "/c/{connection}/activity" [View] => activity::show;
    GET "/c/{connection}/activity.csv" [View, Audit] => activity::csv;
    GET "/c/{connection}/activity/{seq}" [View] => activity::entry;
    GET "/-/resume" [] => problem::resume;
    GET "/-/schema/{plugin}" [] => about::schema;
    GET "/-/{asset}" [] => about::asset;
}
