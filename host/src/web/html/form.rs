//! A form: groups, buttons, the test's report.

use super::parts::{Pen, button_class, chip, marks, token, told};
use super::text::text;
use super::widgets::field;
use crate::web::form::{ButtonView, ErrorView, FormView, GroupView, NameView, ReportView};
use maud::{Markup, html};

/// The form with its report beside it. `aside`: what else stands beside it.
pub(super) fn draw(pen: &Pen<'_>, form: &FormView, aside: &Markup) -> Markup {
    let words = pen.words;
    html! {
        @if !form.errors.is_empty() { (errors(pen, &form.errors)) }
        form class="psa-split" id="psa-form" method="post" action=(form.action) data-psa-form data-dirty=[form.draft.as_ref().map(|_| "1")] {
            (token(pen))
            @if let Some(rev) = form.rev { input type="hidden" name="_rev" value=(rev); }
            @if let Some(draft) = &form.draft { input type="hidden" name="_draft" value=(draft); }
            div class="psa-form" {
                @if let Some(name) = &form.name { (name_field(pen, name)) }
                @for one in &form.groups { (group(pen, one)) }
                @if !form.buttons.is_empty() {
                    div class="psa-bar" {
                        @for one in &form.buttons { (button(one)) }
                        a class="psa-btn psa-btn-quiet" href=(form.leave) { (words.say("form.leave")) }
                    }
                }
            }
            aside class="psa-stack" {
                (report(pen, form.report.as_ref(), !form.buttons.is_empty()))
                (aside)
            }
        }
    }
}

fn errors(pen: &Pen<'_>, errors: &[ErrorView]) -> Markup {
    html! {
        div class="psa-note psa-note-bad" role="alert" tabindex="-1" data-psa-errors {
            h2 class="psa-h3" { (pen.words.count("form.errors", errors.len() as u64)) }
            ul {
                @for error in errors {
                    li {
                        @match &error.field {
                            Some(field) => a href={ "#" (field) } { (said(error)) },
                            None => (said(error)),
                        }
                    }
                }
            }
        }
    }
}

fn said(error: &ErrorView) -> Markup {
    html! { @if let Some(label) = &error.label { (label) ": " } (told(&error.told)) }
}

fn name_field(pen: &Pen<'_>, name: &NameView) -> Markup {
    let words = pen.words;
    let described = name.error.is_some().then_some("_name-e");
    html! {
        section class="psa-card" {
            div class="psa-field" {
                label class="psa-label" for="_name" { (words.say("form.name")) " " span class="psa-req" aria-hidden="true" { "*" } }
                @if let Some(error) = &name.error {
                    p class="psa-error" id="_name-e" { span { span class="psa-sr" { (words.say("form.error")) " " } (error) } }
                }
                input type="hidden" name="_was" value=(name.was);
                input class="psa-input" id="_name" name="_name" value=(name.value) maxlength="120" required readonly[name.fixed]
                    autocomplete="off" aria-describedby=[described] aria-invalid=[described.map(|_| "true")];
            }
        }
    }
}

fn group(pen: &Pen<'_>, group: &GroupView) -> Markup {
    let id = format!("group-{}", group.key);
    let fields = html! {
        @if let Some(waits) = &group.waits { p class="psa-muted" { (waits) } }
        @if !group.fields.is_empty() { div class="psa-fields" { @for one in &group.fields { (field(pen, one)) } } }
    };
    let open = group.fields.iter().any(|field| field.issues.iter().any(|issue| !issue.warning));
    html! {
        section class="psa-card psa-stack" id={ (id) "-card" } aria-labelledby=(id) {
            div class="psa-row psa-between" {
                div {
                    h2 class="psa-h2" id=(id) { (group.title) }
                    @if !group.help.is_empty() { div class="psa-help" { (text(pen.words, &group.help)) } }
                }
                @if group.reload {
                    button class="psa-btn psa-btn-small" name="_action" value={ "reload:" (group.key) } formnovalidate
                        data-swap={ "#" (id) "-card" } { (pen.words.say("form.reload")) }
                }
            }
            @if group.collapsed {
                details class="psa-details" open[open] {
                    summary { (pen.words.say("form.more")) }
                    (fields)
                }
            } @else { (fields) }
        }
    }
}

fn button(button: &ButtonView) -> Markup {
    let class = button_class(button.look);
    let swap = (!button.swap.is_empty()).then_some(button.swap.as_str());
    html! {
        button class=(class) name="_action" value=(button.value) formnovalidate[button.anyway] data-swap=[swap] { (button.label) }
    }
}

fn report(pen: &Pen<'_>, report: Option<&ReportView>, may_test: bool) -> Markup {
    let words = pen.words;
    html! {
        section class="psa-card psa-stack" id="test-report" aria-labelledby="test-report-title" {
            h2 class="psa-h2" id="test-report-title" { (words.say("form.report")) }
            @match report {
                Some(report) => {
                    p { (chip(&report.chip)) }
                    (marks(&report.steps))
                    @if may_test {
                        button class="psa-btn psa-btn-small" name="_action" value="test" data-swap="#test-report" {
                            (words.say("form.test.again"))
                        }
                    }
                    p class="psa-small psa-muted" { (report.said) }
                }
                None => p class="psa-small psa-muted" { (words.say("form.report.none")) },
            }
        }
    }
}
