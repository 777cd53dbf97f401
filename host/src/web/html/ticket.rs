//! One ticket link.

use super::parts::{Pen, action, chip, mark, moment, pager, th};
use super::step::step;
use crate::web::pages::ticket::{Compared, Event, Ticket};
use maud::{Markup, html};

pub(super) fn draw(pen: &Pen<'_>, page: &Ticket) -> Markup {
    html! {
        div class="psa-split" {
            div class="psa-stack" {
                (both(pen, page))
                (timeline(pen, page))
            }
            @if !page.steps.is_empty() {
                aside class="psa-stack" { @for one in &page.steps { (step(pen, one)) } }
            }
        }
    }
}

fn both(pen: &Pen<'_>, page: &Ticket) -> Markup {
    let words = pen.words;
    html! {
        section class="psa-card psa-card-flush" aria-labelledby="both" {
            div class="psa-card-head psa-stack" {
                div class="psa-row psa-between" {
                    h2 class="psa-h2" id="both" { (page.product_ticket) }
                    div class="psa-row" { @for one in &page.actions { (action(pen, one)) } }
                }
                p class="psa-row" {
                    (chip(&page.chip))
                    @if !page.text.is_empty() { span class="psa-small" { (page.text) } }
                }
                @if page.differs { p class="psa-small" { (words.say("ticket.differs.text")) } }
            }
            div class="psa-scroll" {
                table class="psa-table psa-cards psa-compare" {
                    caption class="psa-sr" { (words.say("ticket.both")) }
                    thead class="psa-thead" {
                        tr {
                            (th(&words.say("ticket.column.field")))
                            (th(&words.say("ticket.column.ours")))
                            (th(&page.provider))
                        }
                    }
                    tbody { @for one in &page.fields { (field(pen, page, one)) } }
                }
            }
            div class="psa-card-foot psa-row psa-between psa-small psa-muted" {
                span {
                    @match &page.read {
                        Some(at) => { (words.say("ticket.read")) " " (moment(at)) },
                        None => (words.say("ticket.never_read")),
                    }
                }
                @if let Some(one) = &page.remote {
                    a class="psa-btn psa-btn-small" href=(one.href) rel="noopener noreferrer" {
                        (words.fill("ticket.open", &[("ticket", &one.label), ("provider", &page.provider)]))
                    }
                }
            }
        }
    }
}

fn field(pen: &Pen<'_>, page: &Ticket, field: &Compared) -> Markup {
    let class = if field.differs { "psa-tr psa-differs" } else { "psa-tr" };
    let text =
        |text: &str| html! { div { @if text.is_empty() { span class="psa-muted" { "\u{2013}" } } @else { (text) } } };
    html! {
        tr class=(class) {
            th class="psa-td" scope="row" {
                (field.name)
                @if field.differs { " " span class="psa-badge psa-badge-warn" { (pen.words.say("ticket.differs")) } }
            }
            td class="psa-td" data-label=(pen.words.say("ticket.column.ours")) { (text(&field.ours)) }
            td class="psa-td" data-label=(page.provider) { (text(&field.theirs)) }
        }
    }
}

fn timeline(pen: &Pen<'_>, page: &Ticket) -> Markup {
    let words = pen.words;
    html! {
        section class="psa-card psa-stack" aria-labelledby="timeline" {
            h2 class="psa-h2" id="timeline" { (words.say("ticket.timeline")) }
            @if page.timeline.is_empty() {
                p class="psa-muted" { (words.say("ticket.timeline.empty")) }
            } @else {
                ol class="psa-timeline" { @for one in &page.timeline { (event(one)) } }
            }
            @if page.pager.first.is_some() || page.pager.next.is_some() { (pager(words, &page.pager)) }
        }
    }
}

fn event(event: &Event) -> Markup {
    html! {
        li class="psa-event" {
            (mark(event.tone))
            div {
                a href=(event.href) { strong { (event.title) } } " " (chip(&event.chip))
                p class="psa-small psa-muted" { (event.states) }
                @for line in &event.lines { p class="psa-small" { (line) } }
            }
            span class="psa-small psa-muted psa-num" { (moment(&event.when)) }
        }
    }
}
