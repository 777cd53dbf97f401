//! What a PSA does to the text of a note before it keeps it.
//!
//! Promises: only the text changes. Source: facts 7.4 and 3.1 (white space, Markdown, escapes); the others are what
//! editors, databases and mail gates are known for.

use crate::fault::Rewriting;

/// What is left of a text that is cut, in characters.
const CUT_CHARS: usize = 500;

/// The text as it is kept.
pub(super) fn rewritten(text: &str, how: Rewriting) -> String {
    match how {
        Rewriting::Trim => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Rewriting::Escape => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        Rewriting::Cut => text.chars().take(CUT_CHARS).collect(),
        Rewriting::StripEmoji => text.chars().filter(|c| !is_emoji(*c)).collect(),
        Rewriting::Link => linked(text),
    }
}

/// The blocks that hold emoji, and what joins and varies them.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{1F000}'..='\u{1FAFF}' | '\u{2300}'..='\u{23FF}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}'
        | '\u{E0020}'..='\u{E007F}' | '\u{FE0F}' | '\u{200D}' | '\u{20E3}')
}

/// `see https://x/y` as `see [https://x/y](https://x/y)`.
fn linked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(from) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, address) = rest.split_at(from);
        let end = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '(' | ')' | '[' | ']');
        let (address, after) = address.split_at(address.find(end).unwrap_or(address.len()));
        out.push_str(&format!("{before}[{address}]({address})"));
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_changed_as_ordered() {
        let long = "é".repeat(600);
        for (how, text, kept) in [
            (Rewriting::Trim, " a\r\n\n b\tc ", "a b c"),
            (Rewriting::Escape, "a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
            (Rewriting::Cut, long.as_str(), &long[..1000]),
            (Rewriting::Cut, "short", "short"),
            (Rewriting::StripEmoji, "fire 🔥, family 👨‍👩‍👧, heart ❤️.", "fire , family , heart ."),
            (
                Rewriting::Link,
                "see https://x/y?a=1 and (http://z).",
                "see [https://x/y?a=1](https://x/y?a=1) and ([http://z](http://z)).",
            ),
            (Rewriting::Link, "nothing", "nothing"),
        ] {
            assert_eq!(rewritten(text, how), kept);
        }
    }
}
