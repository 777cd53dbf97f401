//! What happened with a connection.

use super::parts::{Pen, action, chip, facts, link, pager, th};
use super::tickets::select;
use crate::web::pages::activity::{Activity, Entry, Row};
use maud::{Markup, html};

pub(super) fn draw(pen: &Pen<'_>, page: &Activity) -> Markup {
    let words = pen.words;
    html! {
        section class="psa-card psa-card-flush" aria-labelledby="activity" {
            h2 class="psa-sr" id="activity" { (words.say("activity.title")) }
            form class="psa-card-head psa-toolbar" role="search" {
                label class="psa-sr" for="kind" { (words.say("activity.filter")) }
                (select("kind", &page.kinds))
                label class="psa-sr" for="from" { (words.say("activity.from")) }
                input class="psa-input" type="date" id="from" name="from" value=(page.from);
                label class="psa-sr" for="find" { (words.say("activity.find")) }
                input class="psa-input" type="search" id="find" name="find" value=(page.find)
                    placeholder=(words.say("activity.find"));
                button class="psa-btn psa-btn-small" { (words.say("activity.apply")) }
                @if let Some(download) = &page.download { (action(pen, download)) }
            }
            @if page.rows.is_empty() {
                p class="psa-empty psa-muted" { (page.nothing) }
            } @else {
                div class="psa-scroll" {
                    table class="psa-table psa-cards" {
                        caption class="psa-sr" { (words.say("activity.title")) }
                        thead class="psa-thead" {
                            tr {
                                (th(&words.say("activity.column.when")))
                                (th(&words.say("activity.column.result")))
                                (th(&words.say("activity.column.what")))
                                (th(&words.say("activity.column.text")))
                                (th(&words.say("activity.column.by")))
                                th class="psa-th" scope="col" { span class="psa-sr" { (words.say("activity.details")) } }
                            }
                        }
                        tbody { @for one in &page.rows { (row(pen, one)) } }
                    }
                }
            }
            (pager(words, &page.pager))
            p class="psa-card-foot psa-small psa-muted" {
                (words.say("activity.note"))
                @if page.without_people { " " (words.say("activity.without_people")) }
            }
        }
    }
}

fn row(pen: &Pen<'_>, row: &Row) -> Markup {
    let words = pen.words;
    html! {
        tr class="psa-tr" {
            td class="psa-td psa-nowrap psa-num" data-label=(words.say("activity.column.when")) {
                time datetime=(row.when.at) title=(row.when.words) { (row.when.exact) }
            }
            td class="psa-td" data-label=(words.say("activity.column.result")) { div { (chip(&row.chip)) } }
            td class="psa-td" data-label=(words.say("activity.column.what")) { (row.what) }
            td class="psa-td" data-label=(words.say("activity.column.text")) {
                div { @match &row.to { Some(href) => a href=(href) { (row.text) }, None => (row.text) } }
            }
            td class="psa-td" data-label=(words.say("activity.column.by")) { (row.by) }
            td class="psa-td" data-label="" {
                a href=(row.href) { (words.say("activity.details")) span class="psa-sr" { " " (row.when.exact) } }
            }
        }
    }
}

pub(super) fn draw_entry(pen: &Pen<'_>, page: &Entry) -> Markup {
    let words = pen.words;
    html! {
        div class="psa-split" {
            section class="psa-card psa-stack" aria-labelledby="entry" {
                div class="psa-row psa-between" {
                    h2 class="psa-h2" id="entry" { (page.text) }
                    (chip(&page.chip))
                }
                @if page.erased {
                    p class="psa-muted" { (words.say("activity.erased")) }
                } @else if page.fields.is_empty() {
                    p class="psa-muted" { (words.say("activity.no_fields")) }
                } @else {
                    (facts(&page.fields))
                }
                @if let Some(to) = &page.to { p { (link(to)) } }
            }
            aside class="psa-card psa-stack" aria-label=(words.say("activity.about")) {
                (facts(&page.facts))
            }
        }
    }
}
