//! Drawing: a view becomes HTML.
//!
//! Holds: the document, the fragment, the frame; each page has a file.
//! Promises: everything that comes from a view is text and escaped by the template; there is no style, no script and no
//! handler inside the markup; drawing asks nobody and decides nothing.

mod activity;
mod callbacks;
mod connect;
mod copy;
mod form;
mod index;
mod mapping;
mod operation;
mod overview;
mod parts;
mod plugin;
mod problem;
mod remove;
mod settings;
mod step;
mod text;
mod ticket;
mod tickets;
mod widgets;
mod work;

use super::answer::Drawn;
use super::assets;
use super::view::{Body, Crumb, Frame, Tab, View};
use super::who::Density;
use super::words::Words;
use maud::{DOCTYPE, Markup, html};
use parts::{Pen, action, chip, count, logo, notice};

/// A whole document.
pub(crate) fn document(drawn: &Drawn<'_>, view: &View) -> String {
    let words = drawn.words;
    let (style, script) = (asset(drawn, &assets::style().name), asset(drawn, &assets::script().name));
    let markup = html! {
        (DOCTYPE)
        html lang=(words.locale()) dir=(words.direction()) class="psa-page" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (view.title) }
                link rel="stylesheet" href=(style);
                link rel="icon" href=(asset(drawn, &assets::icon().name));
                script src=(script) defer {}
            }
            body class="psa-root" data-psa-theme=(drawn.who.theme.word()) data-psa-density=[density(drawn)] {
                a class="psa-skip" href="#psa-main" { (words.say("frame.skip")) }
                (inside(drawn, view))
            }
        }
    };
    markup.into_string()
}

/// A part for the product's own layout.
pub(crate) fn fragment(drawn: &Drawn<'_>, view: &View) -> String {
    let words = drawn.words;
    let (style, script) = (asset(drawn, &assets::style().name), asset(drawn, &assets::script().name));
    let nonce = drawn.who.nonce.as_deref();
    let markup = html! {
        link rel="stylesheet" href=(style) nonce=[nonce];
        div class="psa-root" lang=(words.locale()) dir=(words.direction()) data-psa-theme=(drawn.who.theme.word())
            data-psa-density=[density(drawn)] {
            (inside(drawn, view))
        }
        script src=(script) defer nonce=[nonce] {}
    };
    markup.into_string()
}

fn asset(drawn: &Drawn<'_>, name: &str) -> String {
    format!("{}/-/{name}", drawn.who.mount)
}

fn density(drawn: &Drawn<'_>) -> Option<&'static str> {
    (drawn.who.density == Density::Compact).then_some("compact")
}

fn inside(drawn: &Drawn<'_>, view: &View) -> Markup {
    let pen = Pen { words: drawn.words, token: drawn.token.as_deref() };
    // In a fragment the product has a main of its own; a section of ours is one more landmark in it.
    html! {
        main id="psa-main" class="psa-wrap psa-stack" {
            @if view.crumbs.len() > 1 { (crumbs(drawn.words, &view.crumbs)) }
            @if let Some(frame) = &view.frame { (framed(&pen, frame)) }
            @for one in &view.notices { (notice(one)) }
            (body(&pen, view))
            p class="psa-sr" role="status" data-psa-live {}
        }
    }
}

fn crumbs(words: &Words<'_>, crumbs: &[Crumb]) -> Markup {
    html! {
        nav aria-label=(words.say("frame.crumbs")) {
            ol class="psa-crumbs" {
                @for (index, crumb) in crumbs.iter().enumerate() {
                    @if index > 0 { li aria-hidden="true" { "/" } }
                    @match &crumb.href {
                        Some(href) => li { a href=(href) { (crumb.label) } },
                        None => li aria-current="page" { (crumb.label) },
                    }
                }
            }
        }
    }
}

fn framed(pen: &Pen<'_>, frame: &Frame) -> Markup {
    let words = pen.words;
    html! {
        header class="psa-stack" {
            div class="psa-row psa-between" {
                div class="psa-row" {
                    (logo(&frame.plugin))
                    div {
                        h1 class="psa-h1" { (frame.name) }
                        p class="psa-row psa-small psa-muted" {
                            (chip(&frame.chip))
                            span { (parts::plugin(words, &frame.plugin)) }
                            @if let Some(account) = &frame.account {
                                span { (words.say("frame.account")) " " code { (account) } }
                            }
                        }
                    }
                }
                @if !frame.actions.is_empty() {
                    div class="psa-row" { @for one in &frame.actions { (action(pen, one)) } }
                }
            }
            nav aria-label=(words.fill("frame.tabs", &[("name", &frame.name)])) {
                ul class="psa-tabs" { @for one in &frame.tabs { (tab(one)) } }
            }
        }
    }
}

fn tab(tab: &Tab) -> Markup {
    html! {
        li {
            a class="psa-tab" href=(tab.href) aria-current=[tab.current.then_some("page")] {
                (tab.label)
                @if let Some(one) = &tab.count { " " (count(one)) }
            }
        }
    }
}

fn body(pen: &Pen<'_>, view: &View) -> Markup {
    match &view.body {
        Body::Callbacks(page) => callbacks::draw(pen, page),
        Body::Delivery(page) => callbacks::draw_one(page),
        Body::Index(page) => index::draw(pen, page),
        Body::Connect(page) => connect::draw(pen, page),
        Body::Settings(page) => settings::draw(pen, page),
        Body::Mapping(page) => mapping::draw(pen, page),
        Body::Copy(page) => copy::draw(pen, page),
        Body::Overview(page) => overview::draw(pen, page),
        Body::Plugin(page) => plugin::draw(pen, page),
        Body::Tickets(page) => tickets::draw(pen, page),
        Body::Ticket(page) => ticket::draw(pen, page),
        Body::Operation(page) => operation::draw(pen, page),
        Body::Activity(page) => activity::draw(pen, page),
        Body::Entry(page) => activity::draw_entry(pen, page),
        Body::Problem(page) => problem::draw(view, page),
        Body::Remove(page) => remove::draw(pen, page),
        Body::Removed(page) => remove::draw_removed(page),
        Body::Work(page) => work::draw(pen, page),
    }
}
