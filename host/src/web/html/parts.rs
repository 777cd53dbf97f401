//! Parts that several pages are made of.

use crate::web::moment::Moment;
use crate::web::security::TOKEN_FIELD;
use crate::web::told::Told;
use crate::web::view::{Action, Chip, Count, Fact, Link, Look, Mark, Method, Notice, Pager, PluginName, Tone};
use crate::web::words::Words;
use maud::{Markup, html};

/// What drawing needs besides the view.
pub(super) struct Pen<'a> {
    pub(super) words: &'a Words<'a>,
    /// The token of each form.
    pub(super) token: Option<&'a str>,
}

/// The hidden field that proves that a form is ours.
pub(super) fn token(pen: &Pen<'_>) -> Markup {
    html! { @if let Some(token) = pen.token { input type="hidden" name=(TOKEN_FIELD) value=(token); } }
}

/// A state in a word or two: shape, colour and words.
pub(super) fn chip(chip: &Chip) -> Markup {
    let class = match chip.tone {
        Tone::Ok | Tone::Info => "psa-badge psa-badge-ok",
        Tone::Warn => "psa-badge psa-badge-warn",
        Tone::Bad => "psa-badge psa-badge-bad",
        Tone::Idle => "psa-badge psa-badge-idle",
    };
    html! { span class=(class) { (chip.label) } }
}

pub(super) fn count(count: &Count) -> Markup {
    let class = if count.tone >= Tone::Warn { "psa-count psa-count-bad" } else { "psa-count" };
    html! { span class=(class) { (count.shown) span class="psa-sr" { (count.words) } } }
}

pub(super) fn notice(notice: &Notice) -> Markup {
    let class = match notice.tone {
        Tone::Ok => "psa-note psa-note-ok",
        Tone::Warn => "psa-note psa-note-warn",
        Tone::Bad => "psa-note psa-note-bad",
        Tone::Info | Tone::Idle => "psa-note",
    };
    // What went wrong is read out at once, what went well when there is a pause.
    let role = notice.alert.then_some(if notice.tone >= Tone::Warn { "alert" } else { "status" });
    html! {
        div class=(class) role=[role] {
            @if let Some(title) = &notice.title { h2 class="psa-h3" { (title) } }
            @if !notice.told.text.is_empty() { p { (told(&notice.told)) } }
            @if !notice.links.is_empty() { p class="psa-row" { @for one in &notice.links { (link(one)) } } }
        }
    }
}

/// A text, marked where it is in another language than the page.
pub(super) fn told(told: &Told) -> Markup {
    html! {
        @match &told.lang {
            Some(lang) => { span lang=(lang) dir="ltr" { (told.text) } }
            None => (told.text),
        }
    }
}

/// A link within the pages.
pub(super) fn link(link: &Link) -> Markup {
    html! { a href=(link.href) { (link.label) } }
}

/// How a button or a link that looks like one is dressed.
pub(super) fn button_class(look: Look) -> &'static str {
    match look {
        Look::Primary => "psa-btn psa-btn-primary",
        Look::Plain => "psa-btn",
        Look::Small => "psa-btn psa-btn-small",
        Look::Quiet => "psa-btn psa-btn-quiet",
        Look::Danger => "psa-btn psa-btn-danger",
    }
}

/// A link that looks like a button, or a form with one button.
pub(super) fn action(pen: &Pen<'_>, action: &Action) -> Markup {
    let class = button_class(action.look);
    let of = html! { @if !action.of.is_empty() { span class="psa-sr" { " " (action.of) } } };
    match action.method {
        Method::Get => html! { a class=(class) href=(action.href) { (action.label) (of) } },
        Method::Post => html! {
            form method="post" action=(action.href) {
                (token(pen))
                @for (name, value) in &action.fields { input type="hidden" name=(name) value=(value); }
                button class=(class) { (action.label) (of) }
            }
        },
    }
}

/// A moment as people say it; the exact one on asking.
pub(super) fn moment(moment: &Moment) -> Markup {
    html! { time datetime=(moment.at) title=(moment.exact) { (moment.words) } }
}

/// "Acme PSA plugin 2.4.1".
pub(super) fn plugin(words: &Words<'_>, plugin: &PluginName) -> String {
    match &plugin.version {
        Some(version) => words.fill("frame.plugin", &[("name", &plugin.name), ("version", version)]),
        None => words.fill("frame.plugin.missing", &[("name", &plugin.name)]),
    }
}

/// A plugin's picture, or two letters. The name stands beside it.
pub(super) fn logo(plugin: &PluginName) -> Markup {
    html! {
        @match &plugin.icon {
            Some(icon) => { img class="psa-logo" src=(icon) alt="" width="44" height="44"; }
            None => span class="psa-logo" aria-hidden="true" { (plugin.initials) },
        }
    }
}

/// Names and what stands for them.
pub(super) fn facts(facts: &[Fact]) -> Markup {
    html! {
        dl class="psa-dl psa-small" {
            @for fact in facts {
                dt class="psa-dt" { (fact.name) }
                dd {
                    @match (&fact.when, fact.mono) {
                        (Some(when), _) => time datetime=(when.at) title=(when.exact) { (fact.value) },
                        (None, true) => code { (fact.value) },
                        (None, false) => (fact.value),
                    }
                }
            }
        }
    }
}

/// Steps or capabilities, each with a mark.
pub(super) fn marks(marks: &[Mark]) -> Markup {
    html! {
        ol class="psa-steps" {
            @for mark in marks {
                li class="psa-step" {
                    (self::mark(mark.tone))
                    div {
                        strong { (mark.title) }
                        br;
                        span class="psa-small psa-muted" {
                            span class="psa-sr" { (mark.said) ". " }
                            (told(&mark.told))
                            @for one in &mark.links { " " (link(one)) }
                        }
                    }
                    span class="psa-small psa-muted psa-num" { (mark.aside) }
                }
            }
        }
    }
}

/// A mark alone: the words beside it say the same. The stylesheet draws its sign.
pub(super) fn mark(tone: Tone) -> Markup {
    html! { span class=(mark_class(tone)) aria-hidden="true" {} }
}

fn mark_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Ok | Tone::Info => "psa-mark",
        Tone::Warn => "psa-mark psa-mark-warn",
        Tone::Bad => "psa-mark psa-mark-bad",
        Tone::Idle => "psa-mark psa-mark-idle",
    }
}

/// How much of a list is shown, and where it goes on.
pub(super) fn pager(words: &Words<'_>, pager: &Pager) -> Markup {
    html! {
        div class="psa-pager psa-card-foot" {
            span class="psa-small psa-muted" { (pager.shown) }
            @if pager.first.is_some() || pager.next.is_some() {
                nav class="psa-row" aria-label=(words.say("pager.label")) {
                    @if let Some(first) = &pager.first {
                        a class="psa-btn psa-btn-small" href=(first) { (words.say("pager.first")) }
                    }
                    @if let Some(next) = &pager.next {
                        a class="psa-btn psa-btn-small" href=(next) rel="next" { (words.say("pager.next")) }
                    }
                }
            }
        }
    }
}

/// A heading cell.
pub(super) fn th(label: &str) -> Markup {
    html! { th class="psa-th" scope="col" { (label) } }
}
