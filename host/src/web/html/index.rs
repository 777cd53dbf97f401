//! All connections, what needs somebody, and what else could be connected.

use super::parts::{Pen, action, chip, link, logo, moment, pager, th};
use crate::web::pages::index::{Attention, Index, Row, Tile};
use crate::web::view::Tone;
use maud::{Markup, html};

pub(super) fn draw(pen: &Pen<'_>, page: &Index) -> Markup {
    let words = pen.words;
    html! {
        header class="psa-row psa-between" {
            div {
                h1 class="psa-h1" { (words.say("index.title")) }
                p class="psa-lede" { (words.say("index.lede")) }
            }
            @if !page.empty && page.plugins.iter().any(|tile| tile.action.is_some()) {
                a class="psa-btn psa-btn-primary" href="#available" { (words.say("index.add")) }
            }
        }
        @if !page.attention.is_empty() { (attention(pen, &page.attention)) }
        @if page.empty { (empty(pen, page)) } @else { (connections(pen, page)) }
        @if !page.plugins.is_empty() {
            section class="psa-stack" id="available" aria-labelledby="available-title" {
                h2 class="psa-h2" id="available-title" { (words.say("index.available")) }
                ul class="psa-grid" { @for one in &page.plugins { (tile(pen, one)) } }
            }
        }
    }
}

fn attention(pen: &Pen<'_>, needs: &[Attention]) -> Markup {
    let worst = needs.iter().map(|need| need.tone).max().unwrap_or(Tone::Warn);
    let class = if worst == Tone::Bad { "psa-note psa-note-bad" } else { "psa-note psa-note-warn" };
    html! {
        section class=(class) aria-labelledby="attention" {
            h2 class="psa-h3" id="attention" { (pen.words.count("index.attention", needs.len() as u64)) }
            ul class="psa-stack" {
                @for need in needs {
                    li class="psa-row psa-between" {
                        span { strong { (need.name) } ": " (need.text) }
                        @if let Some(one) = &need.link {
                            a href=(one.href) { (one.label) span class="psa-sr" { " " (need.name) } }
                        }
                    }
                }
            }
        }
    }
}

fn empty(pen: &Pen<'_>, page: &Index) -> Markup {
    html! {
        section class="psa-card psa-empty" {
            h2 class="psa-h2" { (pen.words.say("index.empty")) }
            p class="psa-lede" { (pen.words.say("index.empty.text")) }
            @if let Some(help) = &page.help { p { (link(help)) } }
        }
    }
}

fn connections(pen: &Pen<'_>, page: &Index) -> Markup {
    let words = pen.words;
    html! {
        section class="psa-card psa-card-flush" aria-labelledby="connections" {
            div class="psa-card-head psa-row psa-between" {
                h2 class="psa-h2" id="connections" { (words.say("index.connections")) }
                @if let Some(find) = &page.find {
                    form class="psa-toolbar" role="search" {
                        label class="psa-sr" for="find" { (words.say("index.find")) }
                        input class="psa-input" type="search" id="find" name="find" value=(find)
                            placeholder=(words.say("index.find"));
                        button class="psa-btn psa-btn-small" { (words.say("index.find.button")) }
                    }
                }
            }
            @if page.connections.is_empty() {
                p class="psa-empty psa-muted" { (words.say("index.find.nothing")) }
            } @else {
                div class="psa-scroll" {
                    table class="psa-table psa-cards" {
                        caption class="psa-sr" { (words.say("index.connections")) }
                        thead class="psa-thead" {
                            tr {
                                (th(&words.say("index.column.connection")))
                                (th(&words.say("index.column.status")))
                                (th(&words.say("index.column.links")))
                                (th(&words.say("index.column.synced")))
                                th class="psa-th" scope="col" { span class="psa-sr" { (words.say("index.column.action")) } }
                            }
                        }
                        tbody { @for one in &page.connections { (row(pen, one)) } }
                    }
                }
            }
            (pager(words, &page.pager))
        }
    }
}

fn row(pen: &Pen<'_>, row: &Row) -> Markup {
    let words = pen.words;
    html! {
        tr class="psa-tr" {
            td class="psa-td" data-label=(words.say("index.column.connection")) {
                div { a href=(row.href) { strong { (row.name) } } br; span class="psa-small psa-muted" { (row.place) } }
            }
            td class="psa-td" data-label=(words.say("index.column.status")) {
                div { (chip(&row.chip)) @if !row.text.is_empty() { br; span class="psa-small" { (row.text) } } }
            }
            td class="psa-td psa-num" data-label=(words.say("index.column.links")) { (row.links) }
            td class="psa-td psa-nowrap" data-label=(words.say("index.column.synced")) {
                @match &row.synced { Some(at) => (moment(at)), None => (words.say("index.never")) }
            }
            td class="psa-td" data-label="" { (action(pen, &row.action)) }
        }
    }
}

fn tile(pen: &Pen<'_>, tile: &Tile) -> Markup {
    let words = pen.words;
    html! {
        li class="psa-card psa-tile" {
            div class="psa-row psa-between" {
                (logo(&tile.plugin))
                (chip(&tile.chip))
            }
            div {
                h3 class="psa-h3" { a href=(tile.about) { (tile.plugin.name) } }
                p class="psa-small psa-muted" { (tile.text) }
            }
            div class="psa-row psa-between" {
                span class="psa-small psa-muted" {
                    @if let Some(version) = &tile.plugin.version {
                        (words.fill("index.plugin.version", &[("version", version)]))
                    }
                }
                @if let Some(one) = &tile.action { (action(pen, one)) }
            }
        }
    }
}
