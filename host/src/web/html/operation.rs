//! One operation.

use super::parts::{Pen, action, chip, facts, mark, moment, th};
use super::step::step;
use crate::web::pages::operation::{Found, Operation, Tried};
use maud::{Markup, html};

pub(super) fn draw(pen: &Pen<'_>, page: &Operation) -> Markup {
    let words = pen.words;
    html! {
        div class="psa-split" {
            div class="psa-stack" {
                section class="psa-card psa-stack" aria-labelledby="operation" {
                    div class="psa-row psa-between" {
                        h2 class="psa-h2" id="operation" { (page.heading) }
                        (chip(&page.chip))
                    }
                    @if !page.why.is_empty() { p { (page.why) } }
                    p { (page.next) }
                    @if !page.actions.is_empty() { div class="psa-row" { @for one in &page.actions { (action(pen, one)) } } }
                }
                @if !page.candidates.is_empty() { (candidates(pen, &page.candidates)) }
                section class="psa-card psa-stack" aria-labelledby="story" {
                    h2 class="psa-h2" id="story" { (words.say("operation.story")) }
                    ol class="psa-timeline" { @for one in &page.story { (tried(one)) } }
                }
                section class="psa-card psa-stack" aria-labelledby="about" {
                    h2 class="psa-h2" id="about" { (words.say("operation.about")) }
                    p class="psa-small" { a href=(page.on.href) { (page.on.label) } }
                    (facts(&page.facts))
                }
            }
            @if !page.steps.is_empty() {
                aside class="psa-stack" { @for one in &page.steps { (step(pen, one)) } }
            }
        }
    }
}

fn candidates(pen: &Pen<'_>, found: &[Found]) -> Markup {
    let words = pen.words;
    html! {
        section class="psa-card psa-card-flush" aria-labelledby="found" {
            div class="psa-card-head psa-stack" {
                h2 class="psa-h2" id="found" { (words.say("operation.found")) }
                p class="psa-small psa-muted" { (words.say("operation.found.text")) }
            }
            div class="psa-scroll" {
                table class="psa-table psa-cards" {
                    caption class="psa-sr" { (words.say("operation.found")) }
                    thead class="psa-thead" {
                        tr {
                            (th(&words.say("operation.found.id")))
                            (th(&words.say("operation.found.created")))
                            (th(&words.say("operation.found.by")))
                        }
                    }
                    tbody {
                        @for one in found {
                            tr class="psa-tr" {
                                td class="psa-td" data-label=(words.say("operation.found.id")) { code { (one.remote) } }
                                td class="psa-td" data-label=(words.say("operation.found.created")) { (one.created) }
                                td class="psa-td" data-label=(words.say("operation.found.by")) { (one.by) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn tried(tried: &Tried) -> Markup {
    html! {
        li class="psa-event" {
            (mark(tried.tone))
            div {
                strong { (tried.text) }
                @if !tried.detail.is_empty() { p class="psa-small psa-muted" { (tried.detail) } }
            }
            span class="psa-small psa-muted psa-num" { (moment(&tried.when)) }
        }
    }
}
