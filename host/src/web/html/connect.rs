//! A new connection, step by step.

use super::form;
use super::parts::Pen;
use crate::web::pages::connect::{Connect, Step};
use maud::{Markup, html};

pub(super) fn draw(pen: &Pen<'_>, page: &Connect) -> Markup {
    let words = pen.words;
    let of = [("step", words.number(u64::from(page.step))), ("steps", words.number(page.steps.len() as u64))];
    let of: Vec<(&str, &str)> = of.iter().map(|(name, value)| (*name, value.as_str())).collect();
    html! {
        header class="psa-row" {
            span class="psa-logo" aria-hidden="true" { (page.plugin.initials) }
            div {
                h1 class="psa-h1" { (words.fill("connect.title", &[("plugin", &page.plugin.name)])) }
                p class="psa-lede" { (words.fill("connect.step", &of)) " " (words.say(lede(page.step))) }
            }
        }
        (form::draw(pen, &page.form, &steps(pen, &page.steps)))
    }
}

fn lede(step: u32) -> &'static str {
    if step == 1 { "connect.lede.first" } else { "connect.lede.later" }
}

fn steps(pen: &Pen<'_>, steps: &[Step]) -> Markup {
    html! {
        @if steps.len() > 1 {
            section class="psa-card psa-stack" aria-labelledby="steps" {
                h2 class="psa-h2" id="steps" { (pen.words.say("connect.steps")) }
                ol class="psa-steps" {
                    @for step in steps {
                        li class="psa-step" aria-current=[step.current.then_some("step")] {
                            span class=(if step.done || step.current { "psa-mark" } else { "psa-mark psa-mark-idle" }) aria-hidden="true" {
                                @if !step.done { (step.number) }
                            }
                            div {
                                @if step.current { strong { (step.title) } } @else { (step.title) }
                                @if step.done { span class="psa-sr" { " " (pen.words.say("connect.done")) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
