//! Ending a connection.

use super::parts::{Pen, facts, link, token};
use crate::web::pages::remove::{Remove, Removed, Way, What};
use maud::{Markup, html};

/// When something has to be typed. The script hides what does not belong to the choice; without it all of it is there.
const TYPED: &str = r#"{"field":"what","in":["disconnect","delete"]}"#;

pub(super) fn draw(pen: &Pen<'_>, page: &Remove) -> Markup {
    let words = pen.words;
    let wrong = page.error.as_ref().map(|_| "confirm-error");
    // Enter in the field must not do more than the mildest: a form's first button is the one that Enter presses.
    let mildest = page.ways.iter().find(|way| way.closed.is_none());
    html! {
        h1 class="psa-h1" { (page.heading) }
        form method="post" action=[mildest.map(|way| &way.href)] class="psa-stack" {
            (token(pen))
            input type="hidden" name="waiting" value=(page.waiting);
            section class="psa-card" {
                fieldset {
                    legend class="psa-h3" { (words.say("remove.what")) }
                    @for one in &page.ways { (way(one, page.chosen)) }
                }
            }
            section class="psa-card psa-stack" aria-labelledby="depends" {
                h2 class="psa-h2" id="depends" { (words.say("remove.depends")) }
                (facts(&page.depends))
                @if !page.references.is_empty() {
                    h3 class="psa-h3" { (words.count("remove.references", page.references.len() as u64)) }
                    ul { @for one in &page.references { li { (one) } } }
                }
            }
            section class="psa-card psa-stack" {
                @if page.ways.iter().any(|way| way.what != What::Pause && way.closed.is_none()) {
                    div class="psa-field" data-when=(TYPED) {
                        label class="psa-label" for="confirm" {
                            (words.say("remove.confirm")) " " code { (page.confirm) }
                        }
                        @if let Some(error) = &page.error { p class="psa-error" id=[wrong] { (error) } }
                        input class="psa-input" id="confirm" name="confirm" autocomplete="off" autocapitalize="none"
                            spellcheck="false" aria-invalid=[wrong.map(|_| "true")] aria-describedby=[wrong];
                    }
                }
                div class="psa-row" {
                    @for one in page.ways.iter().filter(|way| way.closed.is_none()) { (button(one)) }
                    a class="psa-btn psa-btn-quiet" href=(page.keep.href) { (page.keep.label) }
                }
            }
        }
    }
}

fn way(way: &Way, chosen: What) -> Markup {
    html! {
        label class="psa-choice" {
            input class="psa-check" type="radio" name="what" value=(way.what.word()) checked[way.what == chosen]
                disabled[way.closed.is_some()];
            span {
                strong { (way.title) } " - " (way.text)
                @if let Some(closed) = &way.closed { br; span class="psa-small psa-muted" { (closed) } }
            }
        }
    }
}

fn button(way: &Way) -> Markup {
    let class = if way.what == What::Pause { "psa-btn psa-btn-primary" } else { "psa-btn psa-btn-danger" };
    let when = format!(r#"{{"field":"what","eq":"{}"}}"#, way.what.word());
    html! { button class=(class) formaction=(way.href) data-when=(when) { (way.button) } }
}

pub(super) fn draw_removed(page: &Removed) -> Markup {
    html! {
        section class="psa-note psa-note-warn" role="status" {
            h1 class="psa-h1" { (page.heading) }
            p { (page.text) }
            ul { @for one in &page.left { li { (one) } } }
            @if !page.why.is_empty() { p class="psa-small" { (page.why) } }
            p { (link(&page.next)) }
        }
    }
}
