//! A form that says what follows, and asks where something can be lost or be there twice.

use super::parts::{Pen, token};
use crate::web::pages::step::{SURE, Step, StepField};
use maud::{Markup, html};

pub(super) fn step(pen: &Pen<'_>, step: &Step) -> Markup {
    let (id, title) = (step.name.as_str(), format!("{}-title", step.name));
    let class = if step.danger { "psa-btn psa-btn-danger" } else { "psa-btn" };
    html! {
        section class="psa-card psa-stack" id=(id) aria-labelledby=(title) {
            h2 class="psa-h2" id=(title) { (step.title) }
            p class="psa-small psa-muted" { (step.text) }
            form class="psa-stack" method="post" action=(step.href) {
                (token(pen))
                @if !step.options.is_empty() { (options(pen, step)) }
                @if let Some(one) = &step.field { (field(id, one)) }
                @if let Some(sure) = &step.sure {
                    label class="psa-choice" {
                        input class="psa-check" type="checkbox" name=(SURE) value="on" required;
                        span { (sure) }
                    }
                }
                div { button class=(class) { (step.label) } }
            }
        }
    }
}

fn options(pen: &Pen<'_>, step: &Step) -> Markup {
    // Of several none is taken for granted.
    let alone = step.options.len() == 1;
    html! {
        fieldset class="psa-field" {
            legend class="psa-label" { (pen.words.say("step.choose")) }
            @for option in &step.options {
                label class="psa-choice" {
                    input class="psa-check" type="radio" name="remote" value=(option.value) checked[alone];
                    span {
                        code { (option.label) }
                        @if !option.help.is_empty() { br; span class="psa-small psa-muted" { (option.help) } }
                    }
                }
            }
        }
    }
}

fn field(step: &str, field: &StepField) -> Markup {
    let (id, help) = (format!("{step}-{}", field.name), format!("{step}-{}-help", field.name));
    html! {
        div class="psa-field" {
            label class="psa-label" for=(id) { (field.label) }
            @if !field.help.is_empty() { p class="psa-help" id=(help) { (field.help) } }
            input class="psa-input" type="text" id=(id) name=(field.name) value=(field.value) autocomplete="off"
                spellcheck="false" maxlength="256" required[field.required]
                aria-describedby=[(!field.help.is_empty()).then_some(&help)];
        }
    }
}
