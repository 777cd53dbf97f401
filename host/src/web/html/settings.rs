//! The settings of a connection, and its credentials alone.

use super::form;
use super::parts::{Pen, facts};
use crate::web::pages::settings::Settings;
use maud::{Markup, html};

pub(super) fn draw(pen: &Pen<'_>, page: &Settings) -> Markup {
    if let Some(hidden) = &page.hidden {
        return html! { section class="psa-card psa-empty" { p class="psa-lede" { (hidden) } } };
    }
    let aside = html! {
        @if !page.kept.is_empty() {
            section class="psa-card psa-stack" aria-labelledby="kept" {
                h2 class="psa-h2" id="kept" { (pen.words.say("reauth.kept")) }
                (facts(&page.kept))
                p class="psa-small psa-muted" { (pen.words.say("reauth.kept.text")) }
            }
        }
    };
    form::draw(pen, &page.form, &aside)
}
