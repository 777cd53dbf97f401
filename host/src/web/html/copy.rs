//! Statuses of one board on others.

use super::parts::{Pen, action, link, th, told};
use crate::web::pages::mapping::copy::{Copy, Named, Planned, Preview};
use crate::web::words::Words;
use maud::{Markup, html};

pub(super) fn draw(pen: &Pen<'_>, page: &Copy) -> Markup {
    let words = pen.words;
    let wrong = page.error.as_ref().map(|_| "copy-error");
    // One primary button: the one that comes next.
    let class = match page.preview.as_ref().is_some_and(|preview| preview.save.is_some()) {
        true => "psa-btn",
        false => "psa-btn psa-btn-primary",
    };
    html! {
        form class="psa-card psa-stack" action=(page.href) {
            input type="hidden" name="scope" value=(page.scope);
            div {
                h2 class="psa-h2" { (page.title) }
                p class="psa-small psa-lede" { (page.lede) }
            }
            @if let Some(find) = &page.find {
                div class="psa-toolbar" {
                    label class="psa-sr" for="find" { (words.say("map.copy.find")) }
                    input class="psa-input" type="search" id="find" name="find" value=(find) placeholder=(words.say("map.copy.find"));
                    button class="psa-btn psa-btn-small" { (words.say("map.find.button")) }
                }
            }
            fieldset class="psa-field" aria-describedby=[wrong] {
                legend class="psa-label" { (page.legend) }
                @if let Some(error) = &page.error { p class="psa-error" id=[wrong] { (error) } }
                @for one in &page.boards {
                    label class="psa-choice" {
                        input class="psa-check" type="checkbox" name="to" value=(one.value) checked[one.chosen];
                        span { (one.label) }
                    }
                }
                @if let Some(more) = &page.more { p class="psa-small psa-muted" { (more) } }
            }
            div class="psa-row" {
                button class=(class) name="look" value="1" { (words.say("map.copy.look")) }
                (link(&page.back))
            }
        }
        @if let Some(one) = &page.preview { (preview(pen, one)) }
    }
}

fn preview(pen: &Pen<'_>, preview: &Preview) -> Markup {
    let words = pen.words;
    html! {
        section class="psa-card psa-card-flush" aria-label=(words.say("map.copy.preview")) {
            div class="psa-scroll" {
                table class="psa-table psa-cards" {
                    caption class="psa-sr" { (words.say("map.copy.preview")) }
                    thead class="psa-thead" {
                        tr {
                            @for column in ["board", "fits", "stays", "without"] { (th(&heading(words, column))) }
                        }
                    }
                    tbody { @for one in &preview.rows { (row(words, one)) } }
                }
            }
            div class="psa-card-foot psa-row psa-between" {
                span class="psa-small" { (preview.said) }
                @if let Some(one) = &preview.save { (action(pen, one)) }
            }
        }
    }
}

fn heading(words: &Words<'_>, column: &str) -> String {
    words.say(&format!("map.copy.column.{column}"))
}

fn row(words: &Words<'_>, row: &Planned) -> Markup {
    html! {
        tr class="psa-tr" {
            th class="psa-td" scope="row" data-label=(heading(words, "board")) { div { (row.board) } }
            @if let Some(trouble) = &row.trouble {
                td class="psa-td" colspan="3" data-label="" { div { (told(trouble)) } }
            } @else {
                (named(words, "fits", &row.fits))
                (named(words, "stays", &row.stays))
                (named(words, "without", &row.without))
            }
        }
    }
}

fn named(words: &Words<'_>, column: &str, named: &Named) -> Markup {
    html! {
        td class="psa-td" data-label=(heading(words, column)) {
            div {
                strong class="psa-num" { (named.shown) }
                @for one in &named.names { br; span class="psa-small psa-muted" { (one) } }
            }
        }
    }
}
