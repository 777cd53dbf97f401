//! All ticket links of a connection.

use super::parts::{Pen, action, chip, moment, pager, th};
use crate::web::pages::tickets::{Choice, Row, Tickets};
use maud::{Markup, html};

pub(super) fn draw(pen: &Pen<'_>, page: &Tickets) -> Markup {
    let words = pen.words;
    if page.empty {
        return html! {
            section class="psa-card psa-empty" {
                h2 class="psa-h2" { (words.say("tickets.empty")) }
                p class="psa-lede" { (words.say("tickets.empty.text")) }
            }
        };
    }
    html! {
        section class="psa-card psa-card-flush" aria-labelledby="tickets" {
            h2 class="psa-sr" id="tickets" { (words.say("tickets.title")) }
            form class="psa-card-head psa-toolbar" role="search" {
                label class="psa-sr" for="find" { (words.say("tickets.find")) }
                input class="psa-input" type="search" id="find" name="find" value=(page.find)
                    placeholder=(words.say("tickets.find"));
                label class="psa-sr" for="state" { (words.say("tickets.filter")) }
                (select("state", &page.states))
                button class="psa-btn psa-btn-small" { (words.say("tickets.apply")) }
            }
            @if page.rows.is_empty() {
                p class="psa-empty psa-muted" { (words.say("tickets.nothing")) }
            } @else {
                div class="psa-scroll" {
                    table class="psa-table psa-cards" {
                        caption class="psa-sr" { (words.say("tickets.title")) }
                        thead class="psa-thead" {
                            tr {
                                (th(&words.say("tickets.column.ours")))
                                (th(&words.fill("tickets.column.theirs", &[("provider", &page.provider)])))
                                (th(&words.say("tickets.column.state")))
                                (th(&words.say("tickets.column.changed")))
                                th class="psa-th" scope="col" { span class="psa-sr" { (words.say("tickets.column.action")) } }
                            }
                        }
                        tbody { @for one in &page.rows { (row(pen, page, one)) } }
                    }
                }
            }
            @if let Some(retry) = &page.retry {
                div class="psa-card-foot psa-row psa-between" {
                    span class="psa-small psa-muted" { (words.say("tickets.retry.text")) }
                    (action(pen, retry))
                }
            }
            (pager(words, &page.pager))
        }
    }
}

pub(super) fn select(name: &str, choices: &[Choice]) -> Markup {
    html! {
        select class="psa-input" id=(name) name=(name) {
            @for one in choices { option value=(one.value) selected[one.chosen] { (one.label) } }
        }
    }
}

fn row(pen: &Pen<'_>, page: &Tickets, row: &Row) -> Markup {
    let words = pen.words;
    html! {
        tr class="psa-tr" {
            td class="psa-td" data-label=(words.say("tickets.column.ours")) {
                div { a href=(row.href) { strong { (row.product_ticket) } } }
            }
            td class="psa-td" data-label=(words.fill("tickets.column.theirs", &[("provider", &page.provider)])) {
                div {
                    @match (&row.ticket, &row.url) {
                        (Some(number), Some(url)) => a href=(url) rel="noopener noreferrer" { (number) },
                        (Some(number), None) => (number),
                        (None, _) => span class="psa-muted" { (words.say("tickets.none_yet")) },
                    }
                    @if !row.summary.is_empty() { " " (row.summary) }
                    @if !row.board.is_empty() { br; span class="psa-small psa-muted" { (row.board) } }
                }
            }
            td class="psa-td" data-label=(words.say("tickets.column.state")) {
                div { (chip(&row.chip)) @if !row.text.is_empty() { br; span class="psa-small" { (row.text) } } }
            }
            td class="psa-td psa-nowrap" data-label=(words.say("tickets.column.changed")) { (moment(&row.changed)) }
            td class="psa-td psa-nowrap" data-label="" { (action(pen, &row.action)) }
        }
    }
}
