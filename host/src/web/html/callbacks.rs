//! What the provider tells us.

use super::parts::{Pen, action, chip, facts, moment, pager, th, told};
use crate::web::pages::callbacks::{Callbacks, Delivery, DeliveryPage, Found, Subscribed};
use crate::web::words::Words;
use maud::{Markup, html};

pub(super) fn draw(pen: &Pen<'_>, page: &Callbacks) -> Markup {
    let words = pen.words;
    html! {
        @if let Some(found) = &page.found { (result(words, found)) }
        section class="psa-card psa-stack" aria-labelledby="health" {
            div class="psa-row psa-between" {
                div class="psa-row" {
                    h2 class="psa-h2" id="health" { (words.say("callbacks.title")) }
                    (chip(&page.chip))
                }
                @if !page.actions.is_empty() {
                    div class="psa-row" { @for one in &page.actions { (action(pen, one)) } }
                }
            }
            p class="psa-lede" { (page.text) }
            (facts(&page.facts))
        }
        section class="psa-card psa-stack" aria-labelledby="address-title" {
            h2 class="psa-h2" id="address-title" { (fill(words, "callbacks.address", page)) }
            @match &page.address {
                Some(address) => {
                    div class="psa-affix" {
                        input class="psa-input psa-mono" id="address" value=(address) readonly
                            aria-labelledby="address-title";
                        button class="psa-btn" type="button" data-copy="address"
                            data-said=(words.say("callbacks.copied")) { (words.say("callbacks.copy")) }
                    }
                    p class="psa-small psa-muted" { (words.say("callbacks.address.text")) }
                }
                None => p { (words.say("callbacks.address.none")) },
            }
        }
        section class="psa-card psa-card-flush" aria-labelledby="registered" {
            div class="psa-card-head" { h2 class="psa-h2" id="registered" { (fill(words, "callbacks.list", page)) } }
            @if page.subscriptions.is_empty() {
                p class="psa-empty psa-muted" { (words.say("callbacks.list.none")) }
            } @else { (subscriptions(words, &page.subscriptions)) }
        }
        section class="psa-card psa-card-flush" id="deliveries" aria-labelledby="deliveries-title" {
            div class="psa-card-head" {
                h2 class="psa-h2" id="deliveries-title" { (words.say("callbacks.deliveries")) }
            }
            @if page.deliveries.is_empty() {
                p class="psa-empty psa-muted" { (words.say("callbacks.deliveries.none")) }
            } @else { (deliveries(words, page)) }
        }
    }
}

fn fill(words: &Words<'_>, key: &str, page: &Callbacks) -> String {
    words.fill(key, &[("provider", &page.provider)])
}

fn result(words: &Words<'_>, found: &Found) -> Markup {
    let class = if found.strays.is_empty() { "psa-note psa-note-ok" } else { "psa-note psa-note-warn" };
    html! {
        section class=(class) role="status" {
            h2 class="psa-h3" { (found.title) }
            @if !found.steps.is_empty() { ul { @for step in &found.steps { li { (step) } } } }
            @if !found.strays.is_empty() {
                h3 class="psa-h3" { (words.say("callbacks.strays")) }
                ul { @for stray in &found.strays { li { (stray) } } }
            }
        }
    }
}

fn subscriptions(words: &Words<'_>, rows: &[Subscribed]) -> Markup {
    let heads = ["callbacks.column.for", "callbacks.column.health", "callbacks.column.id", "callbacks.column.counted"];
    let heads = heads.map(|key| words.say(key));
    html! {
        div class="psa-scroll" {
            table class="psa-table psa-cards" {
                caption class="psa-sr" { (words.say("callbacks.title")) }
                thead class="psa-thead" { tr { @for head in &heads { (th(head)) } } }
                tbody {
                    @for row in rows {
                        tr class="psa-tr" {
                            th class="psa-td" scope="row" data-label=(heads[0]) {
                                div { (row.kind) br; span class="psa-small psa-muted" { (row.of) } }
                            }
                            td class="psa-td" data-label=(heads[1]) {
                                div {
                                    (chip(&row.chip))
                                    @if !row.text.is_empty() { br; span class="psa-small" { (row.text) } }
                                }
                            }
                            td class="psa-td" data-label=(heads[2]) {
                                div { code { (row.remote) } br; span class="psa-small psa-muted" { (moment(&row.since)) } }
                            }
                            td class="psa-td psa-num" data-label=(heads[3]) { (row.counted) }
                        }
                    }
                }
            }
        }
    }
}

fn deliveries(words: &Words<'_>, page: &Callbacks) -> Markup {
    let heads = ["callbacks.column.time", "callbacks.column.for", "callbacks.column.event", "callbacks.column.result"];
    let heads = heads.map(|key| words.say(key));
    let details = words.say("callbacks.details");
    html! {
        div class="psa-scroll" {
            table class="psa-table psa-cards" {
                caption class="psa-sr" { (words.say("callbacks.deliveries")) }
                thead class="psa-thead" {
                    tr {
                        @for head in &heads { (th(head)) }
                        th class="psa-th" scope="col" { span class="psa-sr" { (details) } }
                    }
                }
                tbody { @for row in &page.deliveries { (delivery(&heads, &details, row)) } }
            }
        }
        (pager(words, &page.pager))
    }
}

fn delivery(heads: &[String; 4], details: &str, row: &Delivery) -> Markup {
    html! {
        tr class="psa-tr" {
            td class="psa-td psa-nowrap" data-label=(heads[0]) { (moment(&row.when)) }
            td class="psa-td" data-label=(heads[1]) { (row.through) }
            td class="psa-td" data-label=(heads[2]) { (row.about) }
            td class="psa-td" data-label=(heads[3]) {
                div {
                    (chip(&row.chip))
                    @if !row.told.text.is_empty() { br; span class="psa-small" { (told(&row.told)) } }
                }
            }
            td class="psa-td" data-label="" {
                a href=(row.href) { (details) span class="psa-sr" { " " (row.id) } }
            }
        }
    }
}

pub(super) fn draw_one(page: &DeliveryPage) -> Markup {
    html! {
        section class="psa-card psa-stack" {
            div class="psa-row" { (chip(&page.chip)) @if !page.told.text.is_empty() { p { (told(&page.told)) } } }
            (facts(&page.facts))
        }
    }
}
