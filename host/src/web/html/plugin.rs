//! About a plugin.

use super::parts::{Pen, action, chip, facts, link, logo};
use crate::web::pages::plugin::About;
use crate::web::words::Words;
use maud::{Markup, html};

pub(super) fn draw(pen: &Pen<'_>, page: &About) -> Markup {
    let words = pen.words;
    html! {
        header class="psa-row psa-between" {
            div class="psa-row" {
                (logo(&page.plugin))
                div {
                    h1 class="psa-h1" { (page.plugin.name) }
                    p class="psa-row psa-small psa-muted" {
                        (chip(&page.chip))
                        @if let Some(version) = &page.plugin.version {
                            span { (words.fill("index.plugin.version", &[("version", version)])) }
                        }
                    }
                }
            }
            @if let Some(one) = &page.action { (action(pen, one)) }
        }
        @if let Some(why) = &page.refused {
            div class="psa-note psa-note-bad" {
                h2 class="psa-h3" { (words.say("plugin.refused.title")) }
                p { (why) "." }
                p class="psa-small" { (words.say("plugin.refused.text")) }
            }
        }
        div class="psa-split" {
            div class="psa-stack" {
                @if page.refused.is_none() {
                    section class="psa-card psa-stack" aria-labelledby="reaches" {
                        h2 class="psa-h2" id="reaches" { (words.say("plugin.reaches")) }
                        p class="psa-small psa-muted" { (words.say("plugin.reaches.text")) }
                        @if page.reaches.is_empty() { p { (words.say("plugin.reaches.none")) } }
                        ul class="psa-bars" { @for one in &page.reaches { li { code { (one) } } } }
                    }
                    (list(words, "can", &page.can))
                    (list(words, "writes", &page.writes))
                    (list(words, "reads", &page.reads))
                }
            }
            aside class="psa-stack" {
                section class="psa-card psa-stack" aria-labelledby="about" {
                    h2 class="psa-h2" id="about" { (words.say("overview.about")) }
                    (facts(&page.facts))
                    @if let Some(home) = &page.homepage {
                        p class="psa-small" {
                            a href=(home.href) rel="noopener noreferrer" target="_blank" { (home.label) }
                        }
                    }
                }
                @if page.refused.is_none() {
                    section class="psa-card psa-stack" aria-labelledby="used" {
                        h2 class="psa-h2" id="used" { (words.say("plugin.used")) }
                        @if page.used.is_empty() { p class="psa-small psa-muted" { (words.say("plugin.used.none")) } }
                        ul class="psa-bars" { @for one in &page.used { li { (link(one)) } } }
                        @if let Some(more) = &page.more { p class="psa-small psa-muted" { (more) } }
                    }
                }
            }
        }
    }
}

fn list(words: &Words<'_>, name: &str, items: &[String]) -> Markup {
    html! {
        @if !items.is_empty() {
            section class="psa-card psa-stack" aria-labelledby=(name) {
                h2 class="psa-h2" id=(name) { (words.say(&format!("plugin.{name}"))) }
                ul class="psa-bars" { @for one in items { li { (one) } } }
            }
        }
    }
}
