//! A page that says why there is no other one.

use super::parts::link;
use crate::web::pages::problem::Problem;
use crate::web::view::View;
use maud::{Markup, html};

pub(super) fn draw(view: &View, page: &Problem) -> Markup {
    html! {
        section class="psa-card psa-empty" role="alert" {
            h1 class="psa-h1" { (view.title) }
            p class="psa-lede" lang=[&page.lang] { (page.detail) }
            @if !page.issues.is_empty() {
                ul { @for issue in &page.issues { li { code { (issue.at) } " " (issue.message) } } }
            }
            p { (link(&page.back)) }
        }
    }
}
