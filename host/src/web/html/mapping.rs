//! Who is who, and what stands for what.

use super::parts::{Pen, action, chip, link, moment, pager, th, token, told};
use crate::web::pages::mapping::{Mapping, Pick, Row, Scopes, Subject, Tools};
use crate::web::words::Words;
use maud::{Markup, html};

pub(super) fn draw(pen: &Pen<'_>, page: &Mapping) -> Markup {
    let words = pen.words;
    html! {
        div class="psa-card psa-row psa-between" {
            div class="psa-stack" {
                div {
                    h2 class="psa-h2" id="map-title" { (say(words, page, "title")) }
                    p class="psa-small psa-lede" { (fill(words, page, "lede")) }
                }
                @if page.all > 0 {
                    p class="psa-row" {
                        progress class="psa-meter" value=(page.done) max=(page.all) aria-label=(page.said) {}
                        span class="psa-num" { (page.said) }
                    }
                }
            }
            @if let Some(one) = &page.action { (action(pen, one)) }
        }
        @if let Some(one) = &page.scopes { (scopes(words, one)) }
        @if let Some(trouble) = &page.trouble {
            div class="psa-note psa-note-warn" {
                h2 class="psa-h3" { (words.say("map.trouble.title")) }
                p { (trouble.text) }
                p class="psa-small" { (told(&trouble.why)) }
                p { (link(&trouble.retry)) }
            }
        }
        @if let Some(one) = &page.tools { (tools(words, one)) }
        @match (&page.empty, &page.save) {
            (Some(text), _) => p class="psa-card psa-empty psa-muted" { (text) },
            (None, Some(href)) => form class="psa-stack" method="post" action=(href) data-psa-form {
                (token(pen))
                (table(pen, page))
                div class="psa-bar" {
                    button class="psa-btn psa-btn-primary" { (say(words, page, "save")) }
                    @if let Some(one) = &page.copy { (action(pen, one)) }
                    span class="psa-small psa-muted" { (words.say("map.save.help")) }
                }
            },
            (None, None) => (table(pen, page)),
        }
        @if page.typed {
            datalist id="map-choices" { @for one in &page.choices { option value=(one.value) {} } }
        }
    }
}

fn say(words: &Words<'_>, page: &Mapping, what: &str) -> String {
    words.say(&format!("map.{}.{what}", page.subject.word()))
}

fn fill(words: &Words<'_>, page: &Mapping, what: &str) -> String {
    words.fill(&format!("map.{}.{what}", page.subject.word()), &[("provider", &page.provider)])
}

fn scopes(words: &Words<'_>, scopes: &Scopes) -> Markup {
    html! {
        form class="psa-card psa-toolbar" {
            label class="psa-label" for="scope" { (scopes.label) }
            select class="psa-input" id="scope" name="scope" {
                @for one in &scopes.options { (option(one, &scopes.chosen)) }
            }
            button class="psa-btn" { (words.say("map.scope.show")) }
            span class="psa-small psa-muted" { (words.say("map.scope.help")) }
        }
    }
}

fn tools(words: &Words<'_>, tools: &Tools) -> Markup {
    html! {
        form class="psa-card psa-toolbar" role="search" {
            @if let Some(scope) = &tools.scope { input type="hidden" name="scope" value=(scope); }
            label class="psa-sr" for="show" { (words.say("map.show")) }
            select class="psa-input" id="show" name="show" {
                @for one in &tools.shows { (option(one, &tools.show)) }
            }
            label class="psa-sr" for="find" { (words.say("map.find")) }
            input class="psa-input" type="search" id="find" name="find" value=(tools.find)
                placeholder=(words.say("map.find"));
            button class="psa-btn psa-btn-small" { (words.say("map.find.button")) }
        }
    }
}

fn option(pick: &Pick, chosen: &str) -> Markup {
    html! { option value=(pick.value) selected[pick.value == chosen] { (pick.label) } }
}

fn table(pen: &Pen<'_>, page: &Mapping) -> Markup {
    let words = pen.words;
    let caption = match &page.scopes {
        Some(scopes) => words.fill("map.caption.scope", &[("name", &scopes.name)]),
        None => say(words, page, "title"),
    };
    html! {
        section class="psa-card psa-card-flush" aria-label=(caption) {
            div class="psa-scroll" {
                table class="psa-table psa-cards" {
                    caption class="psa-sr" { (caption) }
                    thead class="psa-thead" {
                        tr {
                            (th(&say(words, page, "value")))
                            (th(&fill(words, page, "target")))
                            (th(&words.say("map.column.state")))
                            (th(&words.say("map.column.set")))
                        }
                    }
                    tbody { @for (number, one) in page.rows.iter().enumerate() { (row(pen, page, number, one)) } }
                }
            }
            @if !page.incoming.is_empty() {
                p class="psa-card-foot psa-small" {
                    strong { (fill(words, page, "incoming")) } " " (page.incoming.join(", ")) ". "
                    (say(words, page, "incoming.text"))
                }
            }
            // Where everything is on one page, that is seen.
            @if page.tools.is_some() || page.pager.first.is_some() || page.pager.next.is_some() {
                (pager(words, &page.pager))
            }
        }
    }
}

fn row(pen: &Pen<'_>, page: &Mapping, number: usize, row: &Row) -> Markup {
    let words = pen.words;
    let wrong = row.error.as_ref().map(|_| format!("error-{number}"));
    html! {
        tr class="psa-tr" {
            th class="psa-td" scope="row" data-label=(say(words, page, "value")) {
                div {
                    label for=(format!("to-{number}")) { (row.name) }
                    @if !row.aside.is_empty() { br; span class="psa-small psa-muted" { (row.aside) } }
                }
            }
            td class="psa-td" data-label=(fill(words, page, "target")) {
                div {
                    @if page.save.is_some() {
                        input type="hidden" name=(format!("value.{number}")) value=(row.value);
                        input type="hidden" name=(format!("was.{number}")) value=(row.before);
                        @if row.error.is_none() {
                            input type="hidden" name=(format!("shown.{number}")) value=(row.shown);
                        }
                    }
                    (control(words, page, number, row, wrong.as_deref()))
                    @if let Some(error) = &row.error {
                        p class="psa-error" id=[&wrong] { (error) }
                    }
                }
            }
            td class="psa-td" data-label=(words.say("map.column.state")) {
                div {
                    (chip(&row.chip))
                    @if !row.text.is_empty() { " " span class="psa-small" { (row.text) } }
                }
            }
            // On a narrow screen a label with nothing behind it is left out.
            td class="psa-td psa-small" data-label=(row.when.as_ref().map(|_| words.say("map.column.set")).unwrap_or_default()) {
                div {
                    @if let Some(at) = &row.when { (moment(at)) }
                    @if !row.by.is_empty() { br; span class="psa-muted" { (row.by) } }
                }
            }
        }
    }
}

fn control(words: &Words<'_>, page: &Mapping, number: usize, row: &Row, wrong: Option<&str>) -> Markup {
    let (id, name) = (format!("to-{number}"), format!("to.{number}"));
    let invalid = wrong.map(|_| "true");
    let fixed = page.save.is_none();
    html! {
        @if page.typed {
            input class="psa-input" id=(id) name=(name) value=(row.shown) list="map-choices" autocomplete="off"
                placeholder=(words.say("map.open")) aria-invalid=[invalid] aria-describedby=[wrong] disabled[fixed];
        } @else {
            select class="psa-input" id=(id) name=(name) aria-invalid=[invalid] aria-describedby=[wrong] disabled[fixed] {
                option value="" selected[row.shown.is_empty()] { (words.say("map.open")) }
                @for one in row.own.iter().chain(&page.choices) { (option(one, &row.shown)) }
                @if page.subject == Subject::Members && page.choices.is_empty() && row.shown == "-" {
                    option value="-" selected { (words.say("map.nobody")) }
                }
            }
        }
    }
}
