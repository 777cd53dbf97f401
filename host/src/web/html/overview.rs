//! How a connection does.

use super::parts::{Pen, action, facts, link, marks};
use crate::web::pages::overview::{Hour, Overview};
use maud::{Markup, html};

/// Height and width of the bars, in the units of their own picture.
const HEIGHT: u64 = 44;
const STEP: u64 = 12;

pub(super) fn draw(pen: &Pen<'_>, page: &Overview) -> Markup {
    let words = pen.words;
    html! {
        div class="psa-split" {
            div class="psa-stack" {
                section class="psa-card psa-stack" aria-labelledby="works" {
                    h2 class="psa-h2" id="works" { (words.say("overview.works")) }
                    (marks(&page.works))
                }
                section class="psa-card psa-stack" aria-labelledby="lately" {
                    h2 class="psa-h2" id="lately" { (words.say("overview.lately")) }
                    (bars(&page.hours, &page.hours_said))
                    dl class="psa-dl" {
                        @for total in &page.totals {
                            dt class="psa-dt" { (total.name) }
                            dd class="psa-num" { (total.value) @if let Some(one) = &total.link { " " (link(one)) } }
                        }
                    }
                }
            }
            aside class="psa-stack" {
                section class="psa-card psa-stack" aria-labelledby="about" {
                    h2 class="psa-h2" id="about" { (words.say("overview.about")) }
                    (facts(&page.about))
                }
                @if let Some(remove) = &page.remove {
                    section class="psa-card psa-stack" aria-labelledby="remove" {
                        h2 class="psa-h2" id="remove" { (words.say("overview.remove.title")) }
                        p class="psa-small psa-muted" { (words.say("overview.remove.text")) }
                        (action(pen, remove))
                    }
                }
            }
        }
    }
}

/// Two bars an hour; the words say the same.
fn bars(hours: &[Hour], said: &str) -> Markup {
    let most = hours.iter().map(|hour| hour.sent.max(hour.received)).max().unwrap_or(0).max(1);
    // Something is never nothing.
    let tall = |n: u64| if n == 0 { 1 } else { (n * HEIGHT / most).max(3) };
    let width = hours.len() as u64 * STEP;
    let view_box = format!("0 0 {width} {HEIGHT}");
    html! {
        svg class="psa-chart" role="img" aria-label=(said) viewBox=(view_box) width="100%" height=(HEIGHT)
            preserveAspectRatio="none" {
            @for (index, hour) in hours.iter().enumerate() {
                @let x = index as u64 * STEP;
                rect x=(x) y=(HEIGHT - tall(hour.sent)) width="5" height=(tall(hour.sent)) fill="currentColor" {}
                rect x=(x + 5) y=(HEIGHT - tall(hour.received)) width="5" height=(tall(hour.received))
                    fill="currentColor" opacity="0.45" {}
            }
        }
    }
}
