//! How far a work is.

use super::parts::{Pen, chip, moment, told};
use crate::web::pages::work::Work;
use maud::{Markup, html};

pub(super) fn draw(pen: &Pen<'_>, page: &Work) -> Markup {
    html! {
        // With the script it stays fresh by itself; without it the link does that.
        section class="psa-card psa-stack" id="work" aria-labelledby="work-title" data-refresh=[page.running.then_some("2")] {
            div class="psa-row" {
                h2 class="psa-h2" id="work-title" { (page.heading) }
                (chip(&page.chip))
            }
            @if page.running {
                @match page.all {
                    Some(all) => progress class="psa-progress" value=(page.done) max=(all.max(1)) aria-labelledby="work-title" {},
                    None => progress class="psa-progress" aria-labelledby="work-title" {},
                }
            }
            p { (told(&page.told)) }
            p class="psa-small psa-muted" { (pen.words.say("work.began")) " " (moment(&page.began)) }
            p { a class="psa-btn" href=(page.next.href) { (page.next.label) } }
        }
    }
}
