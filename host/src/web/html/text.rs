//! The little of Markdown that texts of plugins may use, drawn.

use crate::web::words::Words;
use maud::{Markup, html};
use psa_host_api::form::markdown;
use psa_host_api::form::markdown::{Block, Inline};

/// A text of a plugin. Whatever it holds, only this becomes markup: paragraphs, lists, strong, code and https links.
pub(super) fn text(words: &Words<'_>, source: &str) -> Markup {
    html! {
        @for block in markdown(source) {
            @match block {
                Block::Paragraph(parts) => p { (inline(words, &parts)) },
                Block::List(items) => ul { @for item in &items { li { (inline(words, item)) } } },
            }
        }
    }
}

fn inline(words: &Words<'_>, parts: &[Inline]) -> Markup {
    html! {
        @for part in parts {
            @match part {
                Inline::Text(text) => (text),
                Inline::Strong(text) => strong { (text) },
                Inline::Code(text) => code { (text) },
                Inline::Link { text, url } => {
                    a href=(url) rel="noopener noreferrer" target="_blank" {
                        (text)
                        span class="psa-sr" { " (" (words.fill("form.link", &[("host", &host(url))])) ")" }
                    }
                }
            }
        }
    }
}

/// The host that a link leads to, which its text need not say.
fn host(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}
